//! The rules, as data: a new rule is a new entry.

use crate::answer;
use graph::{GraphError, GraphStore, parameters};
use neo4rs::Query;
use std::collections::{BTreeSet, HashSet};

/// A principal that may do any of `permissions` on a resource gets an edge to it.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// Relationship type.
    pub edge: &'static str,
    /// Label of the resources, which have an `arn`.
    pub target: &'static str,
    /// Actions in IAM's spelling.
    pub permissions: &'static [&'static str],
    /// Further requirement on the resource.
    pub needs: Option<Needs>,
}

/// An edge that a resource must have for the permission to be useful.
#[derive(Debug, PartialEq, Eq)]
pub struct Needs {
    /// Relationship type, outgoing.
    pub edge: &'static str,
    /// Label of its end node.
    pub to: &'static str,
}

/// Cartography's rules, without its `redshift:*` and `rds:*`. These are patterns, not actions, and policies that allow
/// them allow the listed actions too. Many of the labels come from other collectors; a rule whose label has no nodes
/// costs one query.
pub static RULES: &[Rule] = &[
    Rule::new("CAN_READ", "AWSS3Bucket", &["s3:GetObject"]),
    Rule::new("CAN_WRITE", "AWSS3Bucket", &["s3:PutObject"]),
    Rule::new(
        "CAN_QUERY",
        "AWSDynamoDBTable",
        &["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:GetRecords", "dynamodb:Query", "dynamodb:Scan"],
    ),
    Rule::new(
        "CAN_WRITE",
        "AWSDynamoDBTable",
        &["dynamodb:BatchWriteItem", "dynamodb:DeleteItem", "dynamodb:PutItem", "dynamodb:UpdateItem"],
    ),
    Rule::new("GET_SECRET", "AWSSecretsManagerSecret", &["secretsmanager:GetSecretValue"]),
    Rule::new(
        "CAN_ADMINISTER",
        "AWSRedshiftCluster",
        &["redshift:CreateClusterUser", "redshift:GetClusterCredentials", "redshift:JoinGroup"],
    ),
    Rule::new("CAN_QUERY", "AWSRDSInstance", &["rds-db:connect"]),
    Rule::new(
        "CAN_ADMINISTER",
        "AWSRDSInstance",
        &[
            "rds:DeleteDBInstance",
            "rds:ModifyDBInstance",
            "rds:RebootDBInstance",
            "rds:StartDBInstance",
            "rds:StopDBInstance",
        ],
    ),
    Rule::new("CAN_EXECUTE_COMMAND", "AWSECSTask", &["ecs:ExecuteCommand"]),
    Rule::new("CAN_PASS_ROLE", "AWSRole", &["iam:PassRole"]),
    Rule::new("CAN_EXEC", "AWSCloudFormationStack", &["cloudformation:UpdateStack"]),
    // Sessions open only if the agent has registered the instance.
    Rule {
        needs: Some(Needs { edge: "HAS_INFORMATION", to: "AWSSSMInstanceInformation" }),
        ..Rule::new("CAN_START_SESSION", "AWSEC2Instance", &["ssm:StartSession"])
    },
];

impl Rule {
    const fn new(edge: &'static str, target: &'static str, permissions: &'static [&'static str]) -> Self {
        Self { edge, target, permissions, needs: None }
    }

    /// Cypher that returns the `arn` of each resource of `$account`. It may repeat an ARN, because Neo4j would need all
    /// of them in memory for `DISTINCT`.
    pub(super) fn resources(&self) -> String {
        let needs = match &self.needs {
            Some(Needs { edge, to }) => format!(" AND EXISTS {{ (resource)-[:`{edge}`]->(:`{to}`) }}"),
            None => String::new(),
        };
        format!(
            "MATCH (:AWSAccount {{id: $account}})-[:RESOURCE]->(resource:`{}`) \
             WHERE resource.arn IS NOT NULL{needs} RETURN resource.arn AS arn",
            self.target
        )
    }

    /// Labels that must have nodes for the rule to have an effect.
    pub(super) fn labels(&self) -> impl Iterator<Item = &'static str> + use<> {
        std::iter::once(self.target).chain(self.needs.as_ref().map(|needs| needs.to))
    }
}

/// Returns the rules' labels that have nodes in the graph.
pub(super) async fn present(store: &GraphStore) -> Result<HashSet<String>, GraphError> {
    let rows = store.rows(counts()).await?;
    let present = rows.iter().filter_map(|row| match row.get::<i64>("nodes") {
        Ok(0) => None,
        Ok(_) => Some(row.get("label")),
        Err(error) => Some(Err(error)),
    });
    present.collect::<Result<_, _>>().map_err(answer::unreadable)
}

/// Query for the number of nodes of each label, which Neo4j answers from its statistics.
pub(super) fn counts() -> Query {
    let labels: BTreeSet<&str> = RULES.iter().flat_map(Rule::labels).collect();
    let count = |label| format!("MATCH (n:`{label}`) RETURN '{label}' AS label, count(n) AS nodes");
    let text: Vec<String> = labels.into_iter().map(count).collect();
    parameters::planned_once(&text.join(" UNION ALL "), [])
}

#[cfg(test)]
mod tests {
    use super::RULES;
    use crate::{permissions::ASSUME_ROLE, policy::Asked};
    use std::collections::HashSet;

    #[test]
    fn all_actions_fit_into_a_set() {
        let mut asked = Asked::default();
        asked.add(ASSUME_ROLE);
        for rule in RULES {
            assert!(!asked.add(rule.permissions).is_empty(), "{}", rule.edge);
        }
        assert!(asked.len() <= Asked::MOST as usize);
    }

    #[test]
    fn an_edge_has_one_rule() {
        let shapes: HashSet<_> = RULES.iter().map(|rule| (rule.edge, rule.target)).collect();
        assert_eq!(shapes.len(), RULES.len());
    }

    #[test]
    fn names_are_plain_and_actions_name_their_service() {
        let plain = |name: &str| name.chars().all(|it| it.is_ascii_alphanumeric() || it == '_');
        for rule in RULES {
            let needs = rule.needs.iter().flat_map(|needs| [needs.edge, needs.to]);
            assert!([rule.edge, rule.target].into_iter().chain(needs).all(plain), "{rule:?}");
            assert!(rule.permissions.iter().all(|action| action.contains(':') && !action.contains('*')), "{rule:?}");
        }
    }
}
