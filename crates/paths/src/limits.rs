//! Limits of a principal with a policy that allows everything: its permissions boundary, and statements that deny.

use crate::{
    hop::{Place, ROLE, USER},
    verdict::Verdict,
};
use graph::{GraphError, GraphStore, parameters};
use neo4rs::DeError;
use serde::Deserialize;
use std::collections::HashMap;

/// Reads boundaries and statements. A boundary whose policy is unknown, or that allows everything itself, is no limit, as in
/// the questions about administrators.
const READ: &str = "UNWIND $elements AS element MATCH (p) WHERE elementId(p) = element \
    RETURN element, toString(p.id) AS id, \
      CASE WHEN EXISTS { MATCH (:AWSPolicy {id: p._groma_boundary})-[:STATEMENT]->() } \
        AND NOT EXISTS { MATCH (:AWSPolicy {id: p._groma_boundary})-[:STATEMENT]->(wide:AWSPolicyStatement) \
          WHERE wide.effect = 'Allow' AND any(action IN wide.action WHERE action IN ['*', '*:*']) \
            AND '*' IN wide.resource } \
        THEN toString(p._groma_boundary) END AS boundary, \
      COLLECT { MATCH (p)-[:MEMBER_AWS_GROUP*0..1]->()-[:POLICY]->(:AWSPolicy)-[:STATEMENT]->(s:AWSPolicyStatement) \
        WHERE s.effect = 'Deny' AND '*' IN s.resource \
        WITH DISTINCT s ORDER BY s.id \
        RETURN {id: toString(s.id), action: coalesce(s.action, []), except: coalesce(s.notaction, []), \
          has_condition: NOT coalesce(s.condition, '') IN ['', '[]', '[{}]']} } AS denials";

/// A statement that denies actions on everything.
#[derive(Debug, Clone, Default, Deserialize)]
struct Denial {
    id: String,
    action: Vec<String>,
    /// Actions that it does not deny. Empty: `action` decides.
    except: Vec<String>,
    has_condition: bool,
}

/// Whether policies of a place decide about administration.
pub(crate) fn is_principal(place: Place) -> bool {
    [USER, ROLE].contains(&place.label)
}

/// Judges whether principals, by id in the database, are administrators if a policy of theirs allows everything.
///
/// # Errors
/// The graph cannot be read.
pub(crate) async fn limits(store: &GraphStore, principals: &[String]) -> Result<HashMap<String, Verdict>, GraphError> {
    let rows = store.rows(parameters::query(READ, [("elements", parameters::texts(principals))])).await?;
    let verdict = |row: &neo4rs::Row| -> Result<(String, Verdict), DeError> {
        let (id, boundary): (String, Option<String>) = (row.get("id")?, row.get("boundary")?);
        let denials: Vec<Denial> = row.get("denials")?;
        let bounded =
            boundary.map_or(Verdict::Open, |it| Verdict::Blocked(format!("{id} has the permissions boundary {it}")));
        let denied = denials.iter().map(|it| it.verdict(&id)).fold(Verdict::Open, Verdict::and);
        Ok((row.get("element")?, bounded.and(denied)))
    };
    Ok(rows.iter().map(verdict).collect::<Result<_, _>>()?)
}

impl Denial {
    /// Rest of full administration. A denial of some actions leaves it, for example of `s3:DeleteBucket`.
    fn verdict(&self, principal: &str) -> Verdict {
        let denies = |names: &[&str]| self.action.iter().any(|it| names.contains(&it.to_lowercase().as_str()));
        let is_except = !self.except.is_empty();
        let leaves_iam = self.except.iter().any(|it| is_of_iam(&it.to_lowercase()));
        let denies_all = denies(&["*", "*:*"]) || (is_except && !leaves_iam);
        if denies_all && !self.has_condition {
            Verdict::Blocked(format!("statement {} denies {principal} everything that makes an administrator", self.id))
        } else if denies_all || is_except || denies(&["iam:*", "sts:*"]) {
            Verdict::May(format!("statement {} denies {principal} a part or under conditions", self.id))
        } else {
            Verdict::Open
        }
    }
}

/// Whether a pattern of actions in small letters names actions of IAM.
fn is_of_iam(pattern: &str) -> bool {
    let service = pattern.split(':').next().unwrap_or_default();
    let prefix = service.split(['*', '?']).next().unwrap_or_default();
    service == "iam" || (service != prefix && "iam".starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(action: &[&str], except: &[&str], has_condition: bool) -> &'static str {
        let owned = |texts: &[&str]| texts.iter().map(|it| (*it).to_owned()).collect();
        let denial = Denial { id: "s".into(), action: owned(action), except: owned(except), has_condition };
        match denial.verdict("p") {
            Verdict::Open => "open",
            Verdict::May(_) => "may",
            Verdict::Blocked(_) => "blocked",
        }
    }

    #[test]
    fn only_a_denial_of_everything_blocks() {
        assert_eq!([judged(&["*"], &[], false), judged(&["*:*"], &[], true)], ["blocked", "may"]);
        assert_eq!([judged(&["IAM:*"], &[], false), judged(&["sts:*"], &[], true)], ["may", "may"]);
        assert_eq!(judged(&["s3:DeleteBucket"], &[], false), "open");
    }

    #[test]
    fn a_denial_of_all_but_iam_does_not_block() {
        assert_eq!(judged(&[], &["s3:*"], false), "blocked");
        for kept in ["iam:*", "iam:GetUser", "*", "i*:Get*"] {
            assert_eq!(judged(&[], &["s3:*", kept], false), "may", "{kept}");
        }
    }

    #[test]
    fn a_boundary_is_read_as_in_the_questions() {
        let plain = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let question = plain(include_str!("../../questions/questions/user_admin.cypher"));
        let wide = "wide.effect = 'Allow' AND any(action IN wide.action WHERE action IN ['*', '*:*']) AND '*' IN wide.resource";
        assert!(question.contains(wide) && plain(READ).contains(wide));
    }
}
