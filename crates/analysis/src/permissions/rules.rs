//! The rules, as data: one more is one more entry.

use crate::answer;
use graph::{GraphError, GraphStore, parameters};
use neo4rs::Query;
use std::collections::{BTreeSet, HashSet};

/// Who may do any of `permissions` on a resource gets an edge to it.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// Type of the edge.
    pub edge: &'static str,
    /// Label of the resources; they have an `arn`.
    pub target: &'static str,
    /// Actions.
    pub permissions: &'static [&'static str],
    /// What the resource must have besides.
    pub needs: Option<Needs>,
}

/// An edge that a resource must have for the permission to be of use.
#[derive(Debug, PartialEq, Eq)]
pub struct Needs {
    /// Type, outwards.
    pub edge: &'static str,
    /// Label at its end.
    pub to: &'static str,
}

/// Those of Cartography, without its `redshift:*` and `rds:*`: these are patterns, not actions, and a policy that allows them
/// allows the listed actions too. Most labels come into a graph from elsewhere; a rule whose label has no nodes costs one
/// query.
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
    // A session opens only where the agent has registered the instance.
    Rule {
        needs: Some(Needs { edge: "HAS_INFORMATION", to: "AWSSSMInstanceInformation" }),
        ..Rule::new("CAN_START_SESSION", "AWSEC2Instance", &["ssm:StartSession"])
    },
];

impl Rule {
    const fn new(edge: &'static str, target: &'static str, permissions: &'static [&'static str]) -> Self {
        Self { edge, target, permissions, needs: None }
    }

    /// Cypher that answers with the `arn` of each resource of `$account`, perhaps several times: Neo4j would keep all of them
    /// in memory to tell them apart.
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

    /// Labels without which it says nothing.
    pub(super) fn labels(&self) -> impl Iterator<Item = &'static str> + use<> {
        std::iter::once(self.target).chain(self.needs.as_ref().map(|needs| needs.to))
    }
}

/// Labels of which the graph has nodes, of those that rules ask for.
pub(super) async fn present(store: &GraphStore) -> Result<HashSet<String>, GraphError> {
    let rows = store.rows(counts()).await?;
    let present = rows.iter().filter_map(|row| match row.get::<i64>("nodes") {
        Ok(0) => None,
        Ok(_) => Some(row.get("label")),
        Err(error) => Some(Err(error)),
    });
    present.collect::<Result<_, _>>().map_err(answer::unreadable)
}

/// How many nodes the labels have, which Neo4j knows without looking at any.
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
