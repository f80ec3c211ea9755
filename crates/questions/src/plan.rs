//! Judges the plans of queries: a question must not get slower than the assets that it is about.

use crate::question::Question;
use serde_json::Value;

/// Operators that read more than a label, or combine everything with everything.
const REJECTED: [&str; 4] =
    ["AllNodesScan", "CartesianProduct", "DirectedAllRelationshipsScan", "UndirectedAllRelationshipsScan"];
/// Operators that run their right side for each row of their left.
const FOR_EACH_ROW: [&str; 3] = ["Apply", "NestedLoop", "Foreach"];
const SCAN: &str = "NodeByLabelScan";
/// Comparisons that an index answers.
const SOUGHT: [&str; 3] = [" = ", " IN ", " STARTS WITH "];
/// Label of accounts. An account leads to all its assets, so a plan that begins with the accounts reads all of them.
const ACCOUNT: &str = "AWSAccount";

/// An operator of a plan, with its inputs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operator {
    kind: String,
    details: String,
    inputs: Vec<Operator>,
}

impl Operator {
    /// Reads the plan of Neo4j's HTTP API.
    pub fn read(plan: &Value) -> Self {
        let text = |name: &str| plan[name].as_str().unwrap_or_default();
        // The kind has the name of the database: `NodeByLabelScan@neo4j`.
        let kind = text("operatorType").split('@').next().unwrap_or_default().to_owned();
        let inputs = plan["children"].as_array().into_iter().flatten().map(Self::read).collect();
        Self { kind, details: text("Details").to_owned(), inputs }
    }
}

/// Returns the reasons to reject a plan. `is_indexed` says whether a label's property has an index.
///
/// Rejected are operators that read the whole graph or multiply two sets, and these scans of a label: for each row of another
/// set; of the accounts, unless they are the assets; and of nodes whose indexed property is compared. Other scans remain,
/// because a question about all assets of a label reads the label once.
pub fn objections(plan: &Operator, question: &Question, is_indexed: &dyn Fn(&str, &str) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    Judge { question, is_indexed, above: Vec::new(), found: &mut found }.visit(plan, false);
    found
}

struct Judge<'a> {
    question: &'a Question,
    is_indexed: &'a dyn Fn(&str, &str) -> bool,
    /// Details of the operators between this one and the result.
    above: Vec<&'a str>,
    found: &'a mut Vec<String>,
}

impl<'a> Judge<'a> {
    fn visit(&mut self, plan: &'a Operator, is_repeated: bool) {
        let Operator { kind, details, inputs } = plan;
        if REJECTED.contains(&kind.as_str()) {
            self.found.push(format!("{kind} {details}"));
        }
        if kind.ends_with("LabelScan") || kind.contains("LabelsScan") {
            self.scan(kind, details, is_repeated);
        }
        self.above.push(details);
        for (at, input) in inputs.iter().enumerate() {
            let is_right = at > 0 && FOR_EACH_ROW.iter().any(|name| kind.ends_with(name));
            self.visit(input, is_repeated || is_right);
        }
        self.above.pop();
    }

    /// Judges the scan `variable:Label`.
    fn scan(&mut self, kind: &str, details: &str, is_repeated: bool) {
        let Some((variable, label)) = details.split_once(':').filter(|_| kind == SCAN) else {
            return self.found.push(format!("{kind} {details}"));
        };
        let label = label.trim_matches('`');
        if is_repeated {
            self.found.push(format!("{kind} {details} for each row"));
        }
        if label == ACCOUNT && self.question.asset != ACCOUNT {
            self.found.push(format!("{kind} {details}, and then all their assets"));
        }
        let compared = self.above.iter().flat_map(|details| compared(details, variable));
        let sought: Vec<String> = compared.filter(|property| (self.is_indexed)(label, property)).collect();
        self.found.extend(sought.iter().map(|property| format!("{kind} {details} although {property} has an index")));
    }
}

/// Properties of a variable that a filter compares with values that an index finds.
fn compared(details: &str, variable: &str) -> Vec<String> {
    let prefix = format!("{variable}.");
    let properties = details.match_indices(&prefix).filter_map(|(at, _)| {
        let is_whole = !details[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
        let rest = &details[at + prefix.len()..];
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        let after = rest[end..].trim_start_matches(']');
        let is_sought = SOUGHT.iter().any(|operator| after.starts_with(operator));
        (is_whole && is_sought).then(|| rest[..end].to_owned())
    });
    properties.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::testing::old_keys;
    use serde_json::json;

    fn of(plan: &Value) -> Vec<String> {
        let indexed = |label: &str, property: &str| label == "AWSAccountAccessKey" && property == "accesskeyid";
        objections(&Operator::read(plan), &old_keys(), &indexed)
    }

    fn plan(kind: &str, details: &str, children: &[Value]) -> Value {
        json!({"operatorType": format!("{kind}@neo4j"), "Details": details, "children": children})
    }

    fn scan() -> Value {
        plan("NodeByLabelScan", "key:AWSAccountAccessKey", &[])
    }

    #[test]
    fn a_list_of_the_assets_begins_with_their_scan() {
        assert_eq!(of(&plan("Filter", "key.status = $a", &[scan()])), Vec::<String>::new());
    }

    #[test]
    fn what_would_be_slow_is_rejected() {
        let accounts = plan("NodeByLabelScan", "account:AWSAccount", &[]);
        let seek = plan("NodeUniqueIndexSeek", "UNIQUE user:AWSUser(id) WHERE id = $a", &[]);
        for (plan, reason) in [
            (plan("AllNodesScan", "n", &[]), "AllNodesScan n"),
            (plan("CartesianProduct", "", &[seek.clone(), seek.clone()]), "CartesianProduct "),
            (accounts, "NodeByLabelScan account:AWSAccount, and then all their assets"),
            (plan("Apply", "", &[seek, scan()]), "NodeByLabelScan key:AWSAccountAccessKey for each row"),
            (
                plan("Filter", "cache[key.accesskeyid] IN $a AND other_key.id = $b", &[scan()]),
                "NodeByLabelScan key:AWSAccountAccessKey although accesskeyid has an index",
            ),
            (plan("UnionNodeByLabelsScan", "n:A|B", &[]), "UnionNodeByLabelsScan n:A|B"),
        ] {
            assert_eq!(of(&plan), [reason]);
        }
    }
}
