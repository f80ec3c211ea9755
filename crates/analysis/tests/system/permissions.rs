//! Permissions to assume, pass and use resources.

use crate::world::{TAG, World, check, edges};
use expect_test::expect;
use std::fmt::Write;

/// A graph in short form. `ACCOUNT NAME` lines are roles with the id and ARN `arn:aws:iam::ACCOUNT:role/NAME`. Indented
/// lines below a role describe it: `trusts ACCOUNT NAME`, or a statement `POLICY: Allow ACTION RESOURCE [CONDITION]`.
fn graph(text: &str, more: &str) -> String {
    let mut cypher =
        "UNWIND ['1', '2'] AS id MERGE (:AWSAccount {id: id, inscope: true}) WITH count(*) AS _ ".to_owned();
    let arn = |of: &str| {
        of.split_once(' ').map_or(of.to_owned(), |(account, name)| format!("arn:aws:iam::{account}:role/{name}"))
    };
    let mut role = String::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        match line.strip_prefix("  ") {
            None => {
                role = arn(line);
                let account = &line[..1];
                let _ = write!(
                    cypher,
                    "MERGE (r:AWSRole:AWSPrincipal {{id: '{role}'}}) SET r.arn = r.id WITH r \
                     MATCH (a:AWSAccount {{id: '{account}'}}) MERGE (a)-[:RESOURCE]->(r) WITH count(*) AS _ "
                );
            }
            Some(line) => statement(&mut cypher, &role, line, &arn),
        }
    }
    format!("{cypher} {more} RETURN 1")
}

/// Cypher that adds a statement to the trust policy of a role, as the collector writes it. `condition` is JSON.
fn trusts(role: &str, effect: &str, whom: &str, condition: &str) -> String {
    let says = format!(
        r#"{{"effect":"{effect}","action":["sts:AssumeRole"],"principal":[["AWS","{whom}"]],"condition":{condition}}}"#
    );
    let says = says.replace('\\', r"\\");
    format!(
        "SET {role}._groma_trust = coalesce(left({role}._groma_trust, size({role}._groma_trust) - 1) + ',', '[') + '{says}]'"
    )
}

fn statement(cypher: &mut String, role: &str, line: &str, arn: &dyn Fn(&str) -> String) {
    if let Some(whom) = line.strip_prefix("trusts ") {
        let whom = arn(whom);
        let _ = write!(
            cypher,
            "MERGE (r:AWSRole:AWSPrincipal {{id: '{role}'}}) MERGE (w:AWSRole:AWSPrincipal {{id: '{whom}'}}) \
             MERGE (r)-[:TRUSTS_AWS_PRINCIPAL]->(w) {} WITH count(*) AS _ ",
            trusts("r", "Allow", &whom, "null")
        );
        return;
    }
    let (policy, says) = line.split_once(": ").expect("a policy");
    let mut words = says.splitn(4, ' ');
    let [effect, action, resource] = [0; 3].map(|_| words.next().expect("effect, action, resource"));
    let condition = words.next().map_or("null".to_owned(), |it| format!("'{it}'"));
    let element = |name: &str, text: &str| match text.strip_prefix('!') {
        Some(text) => format!("not{name}: ['{text}']"),
        None => format!("{name}: ['{text}']"),
    };
    let _ = write!(
        cypher,
        "MERGE (r:AWSRole:AWSPrincipal {{id: '{role}'}}) MERGE (p:AWSPolicy {{id: '{policy}'}}) MERGE (r)-[:POLICY]->(p) \
         CREATE (p)-[:STATEMENT]->(s:AWSPolicyStatement {{id: '{line}', effect: '{effect}', {}, {}}}) \
         SET s.condition = {condition} WITH count(*) AS _ ",
        element("action", action),
        element("resource", resource)
    );
}

const STEP: &[&str] = &["permissions"];

#[tokio::test]
async fn a_role_is_assumed_by_whom_it_trusts_and_who_may() -> anyhow::Result<()> {
    let make = graph(
        "
1 caller
  a: Allow sts:Assume* arn:aws:iam::?:role/*
  a: Deny sts:AssumeRole arn:aws:iam::2:role/secret
1 idle
  b: Allow s3:* *
2 target
  trusts 1 caller
  trusts 1 idle
2 secret
  trusts 1 caller
2 closed
2 self
  trusts 2 self
  c: Allow * * [{\"Bool\": {\"aws:MultiFactorAuthPresent\": \"true\"}}]
",
        "MATCH (old:AWSRole {id: 'arn:aws:iam::1:role/idle'}), (closed:AWSRole {id: 'arn:aws:iam::2:role/closed'}) \
         CREATE (old)-[:STS_ASSUMEROLE_ALLOW {lastupdated: 50}]->(closed) \
         CREATE (root:AWSRootPrincipal:AWSPrincipal {id: 'root', arn: 'root'})-[:POLICY]->(p:AWSPolicy {id: 'all'}) \
         CREATE (p)-[:STATEMENT]->(:AWSPolicyStatement {id: 'all', effect: 'Allow', action: ['*'], resource: ['*']}) \
         CREATE (closed)-[:TRUSTS_AWS_PRINCIPAL]->(root)",
    );
    let expected = expect![[r#"
        arn:aws:iam::1:role/caller STS_ASSUMEROLE_ALLOW arn:aws:iam::2:role/target [["lastupdated",100]] true
        arn:aws:iam::2:role/self STS_ASSUMEROLE_ALLOW arn:aws:iam::2:role/self [["lastupdated",100]] true
    "#]];
    check(STEP, &make, &edges("STS_ASSUMEROLE_ALLOW"), expected).await
}

/// Grants that depend on the request, and a trust policy that denies.
#[tokio::test]
async fn certain_and_uncertain_edges_are_told_apart() -> anyhow::Result<()> {
    let make = graph(
        r#"
1 sure
  sure: Allow * *
1 mfa
  mfa: Allow * * [{"Bool": {"aws:MultiFactorAuthPresent": "true"}}]
1 unless
  unless: Allow * *
  unless: Deny * * [{"Bool": {"aws:SecureTransport": "false"}}]
1 never
  never: Allow * *
  never: Deny * *
1 mallory
  mallory: Allow * *
1 app
2 target
  trusts 1 sure
  trusts 1 mfa
  trusts 1 unless
  trusts 1 never
  trusts 1 mallory
2 careful
2 unread
"#,
        &format!(
            "MATCH (t:AWSRole {{id: 'arn:aws:iam::2:role/target'}}) {} WITH count(*) AS _ \
             MATCH (c:AWSRole {{id: 'arn:aws:iam::2:role/careful'}}), (s:AWSRole {{id: 'arn:aws:iam::1:role/sure'}}), \
             (u:AWSRole {{id: 'arn:aws:iam::2:role/unread'}}) \
             CREATE (c)-[:TRUSTS_AWS_PRINCIPAL]->(s), (u)-[:TRUSTS_AWS_PRINCIPAL]->(s) {}",
            trusts("t", "Deny", "arn:aws:iam::1:role/mallory", "null"),
            trusts("c", "Allow", "arn:aws:iam::1:role/sure", r#""[{\"StringEquals\": {\"sts:ExternalId\": \"x\"}}]""#)
        ),
    );
    let question = "MATCH (a)-[r:STS_ASSUMEROLE_ALLOW]->(b) RETURN split(a.id, '/')[1] AS a, split(b.id, '/')[1] AS b, \
        r.certainty AS certainty, coalesce(r.condition, '') AS condition ORDER BY a, b";
    let expected = expect![[r#"
        mfa target may {"allow":["[{\"Bool\": {\"aws:MultiFactorAuthPresent\": \"true\"}}]"],"boundary":[],"deny":[]}
        sure careful may {"allow":[],"boundary":[],"deny":[],"trust":["[{\"StringEquals\": {\"sts:ExternalId\": \"x\"}}]"]}
        sure target must 
        sure unread may {"allow":[],"boundary":[],"deny":[],"unread":["trust policy"]}
        unless target may {"allow":[],"boundary":[],"deny":["[{\"Bool\": {\"aws:SecureTransport\": \"false\"}}]"]}
    "#]];
    check(STEP, &make, question, expected).await?;
    let question = "MATCH (a)-[r:CAN_PASS_ROLE]->(b) WHERE b.id ENDS WITH 'app' \
        RETURN split(a.id, '/')[1] AS a, r.certainty AS certainty, r.has_condition AS conditional ORDER BY a";
    let expected = expect![[r"
        mallory must false
        mfa may true
        sure must false
        unless may true
    "]];
    check(STEP, &make, question, expected).await
}

#[tokio::test]
async fn roles_are_passed_within_an_account() -> anyhow::Result<()> {
    let make = graph(
        r#"
1 admin
  admin: Allow * *
1 careful
  careful: Allow iam:PassRole arn:aws:iam::1:role/app-* [{"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}}]
  careful: Deny iam:* arn:aws:iam::1:role/app-b
1 negative
  negative: Allow !s3:* !arn:aws:iam::1:role/a*
1 none
  none: Allow iam:passrole arn:aws:iam::2:role/*
1 app-a
1 app-b
2 other
"#,
        "MATCH (a:AWSRole {id: 'arn:aws:iam::2:role/other'}), (b:AWSRole {id: 'arn:aws:iam::1:role/admin'}) \
         CREATE (a)-[:CAN_PASS_ROLE {lastupdated: 50}]->(b)",
    );
    let expected = expect![[r#"
        arn:aws:iam::1:role/admin CAN_PASS_ROLE arn:aws:iam::1:role/admin [["lastupdated",100],["has_condition",false],["condition_keys",[]]] false
        arn:aws:iam::1:role/admin CAN_PASS_ROLE arn:aws:iam::1:role/app-a [["lastupdated",100],["has_condition",false],["condition_keys",[]]] false
        arn:aws:iam::1:role/admin CAN_PASS_ROLE arn:aws:iam::1:role/app-b [["lastupdated",100],["has_condition",false],["condition_keys",[]]] false
        arn:aws:iam::1:role/admin CAN_PASS_ROLE arn:aws:iam::1:role/careful [["lastupdated",100],["has_condition",false],["condition_keys",[]]] false
        arn:aws:iam::1:role/admin CAN_PASS_ROLE arn:aws:iam::1:role/negative [["lastupdated",100],["has_condition",false],["condition_keys",[]]] false
        arn:aws:iam::1:role/admin CAN_PASS_ROLE arn:aws:iam::1:role/none [["lastupdated",100],["has_condition",false],["condition_keys",[]]] false
        arn:aws:iam::1:role/careful CAN_PASS_ROLE arn:aws:iam::1:role/app-a [["lastupdated",100],["has_condition",true],["condition_keys",["iam:PassedToService"]],["conditions","[{\"StringEquals\": {\"iam:PassedToService\": \"ec2.amazonaws.com\"}}]"]] false
        arn:aws:iam::1:role/negative CAN_PASS_ROLE arn:aws:iam::1:role/careful [["lastupdated",100],["has_condition",false],["condition_keys",[]]] false
        arn:aws:iam::1:role/negative CAN_PASS_ROLE arn:aws:iam::1:role/negative [["lastupdated",100],["has_condition",false],["condition_keys",[]]] false
        arn:aws:iam::1:role/negative CAN_PASS_ROLE arn:aws:iam::1:role/none [["lastupdated",100],["has_condition",false],["condition_keys",[]]] false
    "#]];
    check(STEP, &make, &edges("CAN_PASS_ROLE"), expected).await
}

/// A principal needs no policy for a role of its own account that names it. It needs one if the role names the account,
/// or belongs to another account.
#[tokio::test]
async fn who_is_trusted_by_name_needs_no_policy() -> anyhow::Result<()> {
    let make = graph(
        "
1 bare
1 denied
  d: Deny sts:* *
1 free
  f: Allow sts:AssumeRole *
1 out
  f: Allow sts:AssumeRole *
1 target
  trusts 1 bare
  trusts 1 denied
2 target
  trusts 1 bare
1 delegating
  trusts 1 bare
2 delegating
",
        &("MATCH (account:AWSAccount {id: '1'}), (out:AWSRole {id: 'arn:aws:iam::1:role/out'}) \
         CREATE (root:AWSRootPrincipal:AWSPrincipal {arn: 'arn:aws:iam::1:root'}), (account)-[:RESOURCE]->(root) \
         CREATE (group:AWSGroup:AWSPrincipal {arn: 'arn:aws:iam::1:group/dev', id: 'g'}), (account)-[:RESOURCE]->(group) \
         WITH root, out, group MATCH (p:AWSPolicy {id: 'f'}) CREATE (group)-[:POLICY]->(p) \
         WITH root, out UNWIND ['1', '2'] AS owner MATCH (role:AWSRole {id: 'arn:aws:iam::' + owner + ':role/delegating'}) \
         CREATE (role)-[:TRUSTS_AWS_PRINCIPAL]->(root) \
         CREATE (role)-[:TRUSTS_AWS_PRINCIPAL]->(out) "
            .to_owned()
            + &trusts("role", "Allow", "arn:aws:iam::1:root", "null")
            + &trusts("role", "Deny", "arn:aws:iam::1:role/out", "null").replacen("SET", " SET", 1)),
    );
    let question = "MATCH (a)-[r:STS_ASSUMEROLE_ALLOW]->(b) \
        RETURN split(a.id, '/')[1] AS a, split(b.id, ':')[4] + ' ' + split(b.id, '/')[1] AS b, r.certainty AS c ORDER BY a, b";
    let expected = expect![[r"
        bare 1 delegating must
        bare 1 target must
        free 1 delegating must
        free 2 delegating must
    "]];
    check(STEP, &make, question, expected).await
}

/// Members have the policies of their group, including a Deny. Variables are those of the member.
#[tokio::test]
async fn members_have_their_groups_policies() -> anyhow::Result<()> {
    let make = graph(
        "
1 alice
1 bob
1 target
",
        "MATCH (account:AWSAccount {id: '1'}) \
         CREATE (group:AWSGroup:AWSPrincipal {arn: 'arn:aws:iam::1:group/dev', id: 'g'}), (account)-[:RESOURCE]->(group) \
         CREATE (group)-[:POLICY]->(p:AWSPolicy {id: 'p'})-[:STATEMENT]->(:AWSPolicyStatement {id: 's', effect: 'Allow', \
           action: ['iam:PassRole'], resource: ['arn:aws:iam::1:role/${aws:username}'], _groma_version: '2012-10-17'}) \
         CREATE (p)-[:STATEMENT]->(:AWSPolicyStatement {id: 'old', effect: 'Allow', action: ['iam:PassRole'], \
           resource: ['arn:aws:iam::1:role/targe${aws:username}'], _groma_version: '2008-10-17'}) \
         WITH account, group UNWIND ['alice', 'bob'] AS name \
         CREATE (user:AWSUser:AWSPrincipal {arn: 'arn:aws:iam::1:user/' + name, id: name}), (account)-[:RESOURCE]->(user), \
           (user)-[:MEMBER_AWS_GROUP]->(group) \
         WITH user WHERE user.id = 'bob' \
         CREATE (user)-[:POLICY]->(own:AWSPolicy {id: 'own'})-[:STATEMENT]->(:AWSPolicyStatement {id: 'deny', effect: 'Deny', \
           action: ['*'], resource: ['arn:aws:iam::1:role/bob']}), \
           (own)-[:STATEMENT]->(:AWSPolicyStatement {id: 'allow', effect: 'Allow', action: ['*'], resource: ['arn:aws:iam::1:role/target']})",
    );
    let question = "MATCH (a)-[r:CAN_PASS_ROLE]->(b) RETURN a.arn AS a, split(b.id, '/')[1] AS b, r.certainty AS certainty, \
        coalesce(r.condition, '') AS condition ORDER BY a, b";
    let expected = expect![[r#"
        arn:aws:iam::1:group/dev alice may {"allow":["[{\"Resource\":[\"arn:aws:iam::1:role/${aws:username}\"]}]"],"boundary":[],"deny":[]}
        arn:aws:iam::1:group/dev bob may {"allow":["[{\"Resource\":[\"arn:aws:iam::1:role/${aws:username}\"]}]"],"boundary":[],"deny":[]}
        arn:aws:iam::1:group/dev target may {"allow":["[{\"Resource\":[\"arn:aws:iam::1:role/${aws:username}\"]}]"],"boundary":[],"deny":[]}
        arn:aws:iam::1:user/alice alice must 
        arn:aws:iam::1:user/bob target must 
    "#]];
    check(STEP, &make, question, expected).await
}

#[tokio::test]
async fn a_boundary_narrows_what_policies_grant() -> anyhow::Result<()> {
    let make = graph(
        "
1 bounded
  admin: Allow * *
1 unknown
  admin: Allow * *
1 elsewhere
  admin: Allow * *
1 target
  boundary: Allow iam:PassRole arn:aws:iam::1:role/target
  storage: Allow s3:* *
",
        "MATCH (b:AWSRole {id: 'arn:aws:iam::1:role/bounded'}), (u:AWSRole {id: 'arn:aws:iam::1:role/unknown'}), \
         (e:AWSRole {id: 'arn:aws:iam::1:role/elsewhere'}) \
         SET b._groma_boundary = 'boundary', u._groma_boundary = 'not in the graph', e._groma_boundary = 'storage'",
    );
    let question = "MATCH (a)-[:CAN_PASS_ROLE]->(b) WHERE NOT a.id ENDS WITH 'target' \
        RETURN split(a.id, '/')[1] AS a, split(b.id, '/')[1] AS b ORDER BY a, b";
    let expected = expect![[r"
        bounded target
        unknown bounded
        unknown elsewhere
        unknown target
        unknown unknown
    "]];
    check(STEP, &make, question, expected).await
}

#[tokio::test]
async fn resources_from_elsewhere_have_their_rules() -> anyhow::Result<()> {
    let make = graph(
        "
1 reader
  reader: Allow s3:Get* arn:aws:s3:::logs/2024/*
  reader: Allow dynamodb:* *
  reader: Deny dynamodb:BatchGetItem *
  reader: Allow ssm:StartSession arn:aws:ec2:*:1:instance/*
",
        "MATCH (a:AWSAccount {id: '1'}) \
         CREATE (a)-[:RESOURCE]->(:AWSS3Bucket {id: 'logs', arn: 'arn:aws:s3:::logs'}) \
         CREATE (a)-[:RESOURCE]->(:AWSS3Bucket {id: 'logs2', arn: 'arn:aws:s3:::logs2'}) \
         CREATE (a)-[:RESOURCE]->(:AWSDynamoDBTable {id: 'table', arn: 'arn:aws:dynamodb:r:1:table/t'}) \
         CREATE (a)-[:RESOURCE]->(:AWSEC2Instance {id: 'bare', arn: 'arn:aws:ec2:r:1:instance/i-1'}) \
         CREATE (a)-[:RESOURCE]->(i:AWSEC2Instance {id: 'managed', arn: 'arn:aws:ec2:r:1:instance/i-2'}) \
         CREATE (i)-[:HAS_INFORMATION]->(:AWSSSMInstanceInformation {id: 'information'}) \
         CREATE (a)-[:RESOURCE]->(:AWSEC2Instance {id: 'nameless'})",
    );
    let question =
        "MATCH (:AWSRole)-[r]->(b) WHERE type(r) STARTS WITH 'CAN' RETURN type(r) AS a, b.id AS b ORDER BY a, b";
    let expected = expect![[r"
        CAN_QUERY table
        CAN_READ logs
        CAN_START_SESSION managed
        CAN_WRITE table
    "]];
    check(STEP, &make, question, expected).await
}

#[tokio::test]
async fn what_is_no_longer_granted_goes() -> anyhow::Result<()> {
    let world = World::new(&graph("\n1 a\n  p: Allow iam:* *\n2 b\n  trusts 1 a\n  q: Allow sts:* *\n", "")).await?;
    world
        .change(
            "MATCH (p:AWSPolicy {id: 'p'}) CREATE (p)-[:STATEMENT]->(:AWSPolicyStatement \
        {id: 'x', effect: 'Allow', action: ['sts:AssumeRole'], resource: ['*']})",
        )
        .await?;
    let counts = world.step("permissions", TAG).await?;
    assert_eq!((counts.written, counts.removed), (2, 0));
    world.change("MATCH (:AWSPolicy {id: 'p'})-[:STATEMENT]->(s) DETACH DELETE s").await?;
    let counts = world.step("permissions", TAG + 1).await?;
    assert_eq!((counts.written, counts.removed), (0, 2));
    Ok(())
}

/// More principals, policies and edges than fit into a page or a batch.
#[tokio::test]
async fn many_principals_are_read_in_pages() -> anyhow::Result<()> {
    let world = World::new(
        "CREATE (a:AWSAccount {id: '1'}), (p:AWSManagedPolicy:AWSPolicy {id: 'arn:aws:iam::aws:policy/x'}) \
         -[:STATEMENT]->(:AWSPolicyStatement {id: 's', effect: 'Allow', action: ['iam:*'], resource: ['*']}) \
         WITH a, p UNWIND range(1, 450) AS n WITH a, p, 'arn:aws:iam::1:role/r' + n AS arn \
         CREATE (a)-[:RESOURCE]->(r:AWSRole:AWSPrincipal {id: arn, arn: arn}) \
         CREATE (r)-[:POLICY]->(i:AWSInlinePolicy:AWSPolicy {id: arn + '/inline_policy/i'}) \
         CREATE (i)-[:STATEMENT]->(:AWSPolicyStatement {id: arn, effect: 'Deny', action: ['iam:*'], \
                                                        notresource: ['arn:aws:iam::1:role/r1*']}) \
         FOREACH (_ IN CASE WHEN arn ENDS WITH '7' THEN [1] ELSE [] END | CREATE (r)-[:POLICY]->(p))",
    )
    .await?;
    // 45 principals may pass the roles 1, 10 to 19 and 100 to 199.
    assert_eq!(world.step("permissions", TAG).await?.written, 45 * 111);
    Ok(())
}
