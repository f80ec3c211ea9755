//! Accounts, and the graph's own record of a sync.

use crate::world::{World, check};
use expect_test::expect;

#[tokio::test]
async fn accounts_that_nobody_surveys_are_foreign() -> anyhow::Result<()> {
    let make = "CREATE (:AWSAccount {id: '1', inscope: true}), (:AWSAccount {id: '2'}), \
        (:AWSAccount {id: '3', inscope: true, foreign: true}), (:AWSAccount {id: '4', foreign: true})";
    let expected = expect![[r"
        1 null
        2 true
        3 null
        4 true
    "]];
    let question = "MATCH (a:AWSAccount) RETURN a.id AS a, a.foreign AS b ORDER BY a";
    check(&["foreign_accounts"], make, question, expected).await
}

#[tokio::test]
async fn the_organizations_name_wins_and_who_left_has_nothing_of_it() -> anyhow::Result<()> {
    let make = "CREATE (o:AWSOrganization {id: 'o'}), \
        (:AWSAccount {id: '1', org_id: 'o', email: 'e', name: 'profile'})<-[:_module_MEMBER {name: 'named', lastupdated: 50}]-(o), \
        (:AWSAccount {id: '2', org_id: 'o', email: 'e', arn: 'a', name: 'gone', inscope: true, _module_member: true}), \
        (:AWSAccount {id: '3', name: 'never a member'})";
    let expected = expect![[r"
        1 o e null named named true
        2 null null null gone null null
        3 null null null never a member null null
    "]];
    let question = "MATCH (n:AWSAccount) RETURN n.id AS a, n.org_id AS b, n.email AS c, n.arn AS d, n.name AS e, \
        n._ont_name AS f, n._module_member AS g ORDER BY a";
    check(&["organization_members", "organization_leavers"], make, question, expected).await
}

#[tokio::test]
async fn principals_that_nobody_trusts_are_forgotten() -> anyhow::Result<()> {
    let make = "CREATE (:AWSServicePrincipal:AWSPrincipal {id: 'forgotten', lastupdated: 50, _module_scope: 'shared'}), \
        (:AWSServicePrincipal:AWSPrincipal {id: 'fresh', lastupdated: 100, _module_scope: 'shared'}), \
        (:AWSServicePrincipal:AWSPrincipal {id: 'newer', lastupdated: 200, _module_scope: 'shared'}), \
        (:AWSServicePrincipal:AWSPrincipal {id: 'not ours', lastupdated: 50}), \
        (:AWSUser:AWSPrincipal {id: 'kept by its place', lastupdated: 50, _module_scope: '1/global/iam'}), \
        (:AWSServicePrincipal:AWSPrincipal {id: 'trusted', lastupdated: 50, _module_scope: 'shared'}) \
        <-[:TRUSTS_AWS_PRINCIPAL]-(:AWSRole {id: 'role'}), \
        (:AWSRootPrincipal:AWSPrincipal {id: 'root', lastupdated: 50, _module_scope: 'shared'}) \
        <-[:RESOURCE]-(:AWSAccount {id: '1'})";
    let expected = expect![[r"
        fresh
        kept by its place
        newer
        not ours
        root
        trusted
    "]];
    check(&["forgotten_principals"], make, "MATCH (p:AWSPrincipal) RETURN p.id AS a ORDER BY a", expected).await
}

const METADATA: &str = "MATCH (n:ModuleSyncMetadata) RETURN n.id AS a, n:SyncMetadata AS b, n.syncedtype AS c, \
    n.grouptype AS d, n.groupid AS e, n.lastupdated AS f, n.firstseen IS NOT NULL AS g ORDER BY a";

#[tokio::test]
async fn what_was_surveyed_completely_is_said() -> anyhow::Result<()> {
    let scope = |account: &str, service: &str, tag: i64, state: &str| {
        format!("(:GromaScope {{account: '{account}', service: '{service}', tag: {tag}, state: '{state}'}})")
    };
    let make = [
        scope("1", "iam", 100, "finished"),
        scope("1", "iam", 100, "finished"),
        scope("1", "ec2", 100, "finished"),
        scope("2", "iam", 100, "finished"),
        scope("2", "ec2", 100, "failed"),
        scope("3", "iam", 100, "collecting"),
        scope("3", "ec2", 100, "finished"),
        scope("4", "iam", 50, "failed"),
        scope("4", "ec2", 100, "finished"),
        scope("4", "s3", 100, "finished"),
        scope("4", "s3control", 100, "finished"),
        scope("4", "secretsmanager", 100, "finished"),
        scope("4", "sns", 100, "finished"),
    ];
    let older = "(:ModuleSyncMetadata {id: 'AWSAccount_2_AWSAccount', lastupdated: 50, firstseen: 1})";
    let expected = expect![[r"
        AWSAccount_1_AWSAccount true AWSAccount AWSAccount 1 100 true
        AWSAccount_1_AWSPrincipal true AWSPrincipal AWSAccount 1 100 true
        AWSAccount_2_AWSAccount false null null null 50 true
        AWSAccount_2_AWSPrincipal true AWSPrincipal AWSAccount 2 100 true
        AWSAccount_4_AWSAccount true AWSAccount AWSAccount 4 100 true
        AWSAccount_4_AWSS3AccountPublicAccessBlock true AWSS3AccountPublicAccessBlock AWSAccount 4 100 true
        AWSAccount_4_AWSS3Bucket true AWSS3Bucket AWSAccount 4 100 true
        AWSAccount_4_AWSSNSTopic true AWSSNSTopic AWSAccount 4 100 true
        AWSAccount_4_AWSSecretsManagerSecretVersion true AWSSecretsManagerSecretVersion AWSAccount 4 100 true
    "]];
    check(&["sync_metadata"], &format!("CREATE {}, {older}", make.join(", ")), METADATA, expected).await
}

#[tokio::test]
async fn a_sync_that_found_nothing_says_nothing() -> anyhow::Result<()> {
    let world = World::new("CREATE (:AWSAccount {id: '1'})").await?;
    assert_eq!(world.step("sync_metadata", 100).await?.written, 0);
    assert_eq!(world.ask(METADATA).await?, "");
    Ok(())
}
