//! A finding is the same one after a change that does not matter, and another one after a change that does.

use crate::graph::{Graph, defaults};
use questions::{Answer, Question, find};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Names of a question's findings, with their values.
async fn findings(graph: &Graph, question: &Question) -> anyhow::Result<BTreeSet<String>> {
    let rows = graph.run(&question.limited(), &defaults(question)).await?.rows;
    let answer = Answer::new(question, Vec::new(), 9, rows, 1_000)?;
    Ok(answer.rows.iter().map(|row| answer.finding(row)).collect())
}

/// Number of findings that a change of the graph adds, removes and keeps.
async fn changed(graph: &Graph, name: &str, before: &str, change: &str) -> anyhow::Result<[usize; 3]> {
    let question = find(name).expect("a question");
    graph.empty().await?;
    graph.run(before, &Value::Null).await?;
    let old = findings(graph, question).await?;
    graph.run(change, &json!({})).await?;
    let new = findings(graph, question).await?;
    Ok([new.difference(&old).count(), old.difference(&new).count(), old.intersection(&new).count()])
}

#[tokio::test]
async fn only_changes_that_matter_make_other_findings() -> anyhow::Result<()> {
    let graph = Graph::start().await?;
    let account = "CREATE (a:AWSAccount {id: '111111111111', name: 'one', inscope: true}) CREATE (a)";

    let user = format!(
        "{account}-[:RESOURCE]->(:AWSUser:AWSPrincipal {{id: 'u', arn: 'u'}})-[:POLICY]->(:AWSPolicy {{id: 'p', name: 'p'}})\
         -[:STATEMENT]->(:AWSPolicyStatement {{id: 's', effect: 'Allow', action: ['iam:CreateAccessKey'], resource: ['*']}})"
    );
    let more = "MATCH (s:AWSPolicyStatement) SET s.action = ['iam:PutUserPolicy', 'iam:CreateAccessKey']";
    assert_eq!(changed(&graph, "policy_allows_escalation", &user, more).await?, [1, 1, 0], "a further way");
    let swapped = "MATCH (s:AWSPolicyStatement) SET s.action = ['iam:Get*', 'iam:CreateAccessKey']";
    assert_eq!(changed(&graph, "policy_allows_escalation", &user, swapped).await?, [0, 0, 1]);

    let bucket = format!(
        "{account}-[:RESOURCE]->(:AWSS3Bucket {{id: 'b', name: 'b', region: 'eu-west-1', anonymous_access: true, \
         anonymous_actions: ['s3:GetObject']}})-[:POLICY_STATEMENT]->(:AWSS3PolicyStatement {{id: 'p', effect: 'Allow', \
         principal: '\"*\"', action: ['s3:GetObject']}})"
    );
    let name = "s3_bucket_public";
    let writes = "MATCH (b:AWSS3Bucket)-->(s) SET s.action = ['s3:*'], b.anonymous_actions = ['s3:*']";
    assert_eq!(changed(&graph, name, &bucket, writes).await?, [1, 0, 1], "everyone may write, too");
    let lists = "MATCH (b:AWSS3Bucket)-->(s) SET s.action = s.action + 's3:ListBucket', \
        b.anonymous_actions = b.anonymous_actions + 's3:ListBucket'";
    assert_eq!(changed(&graph, name, &bucket, lists).await?, [0, 0, 1]);
    let by_list = "MATCH (b:AWSS3Bucket) CREATE (b)<-[:APPLIES_TO]-(:AWSS3Acl {id: 'a', permission: 'WRITE', \
        uri: 'http://acs.amazonaws.com/groups/global/AllUsers'})";
    assert_eq!(changed(&graph, name, &bucket, by_list).await?, [1, 0, 1], "everyone may write by the list");
    let ignored =
        format!("{by_list} SET b.ignore_public_acls = true, b.anonymous_actions = ['s3:GetObject', 's3:PutObject']");
    assert_eq!(changed(&graph, name, &bucket, &ignored).await?, [0, 0, 1], "the list is ignored");

    let policy = "CREATE (:AWSAccount {id: '111111111111'}) \
        CREATE (:AWSPolicy {id: 'arn:aws:iam::111111111111:policy/p', name: 'p'})-[:STATEMENT]->(:AWSPolicyStatement \
          {id: 'p/0', effect: 'Allow', notaction: ['iam:*', 'sts:*'], resource: ['*']})";
    let moved = "MATCH (s:AWSPolicyStatement) SET s.id = 'p/1', s.notaction = ['sts:*', 'iam:*']";
    assert_eq!(changed(&graph, "policy_allows_except", policy, moved).await?, [0, 0, 1], "the position does not count");
    let fewer = "MATCH (s:AWSPolicyStatement) SET s.notaction = ['iam:*']";
    assert_eq!(changed(&graph, "policy_allows_except", policy, fewer).await?, [1, 1, 0]);

    let package = format!(
        "{account}-[:MEMBER]->(:AWSInspectorFinding {{id: 'f', region: 'eu-west-1', status: 'ACTIVE', severity: 'HIGH'}})\
         -[:HAS {{fixedinversion: '1.1'}}]->(:AWSInspectorPackage {{id: 'p', name: 'p'}})"
    );
    let fixed_later = "MATCH ()-[has:HAS]->() SET has.fixedinversion = '1.2'";
    assert_eq!(changed(&graph, "package_with_fix", &package, fixed_later).await?, [0, 0, 1], "the fix is no other one");
    Ok(())
}
