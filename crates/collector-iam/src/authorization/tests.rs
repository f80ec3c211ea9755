use super::{GetAccountAuthorizationDetailsOutput, LISTING, ManagedPolicyDetail, Reader, RoleDetail, UserDetail};
use crate::testing::{attached, bounded, inline};
use aws_sdk_iam::types::{PolicyDetail, PolicyVersion};
use collector::{
    CollectError, Sink,
    testing::{node_ids, place, render_batches, run_listing},
};
use expect_test::expect;
use std::collections::HashMap;

const POLICY: &str = "arn:aws:iam::111111111111:policy/forms";
const DOCUMENT: &str = r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;

fn policy(attachments: i32) -> ManagedPolicyDetail {
    let version = PolicyVersion::builder().is_default_version(true).document(DOCUMENT).build();
    ManagedPolicyDetail::builder().arn(POLICY).attachment_count(attachments).policy_version_list(version).build()
}

fn role(trust: &str) -> RoleDetail {
    RoleDetail::builder()
        .arn("arn:aws:iam::111111111111:role/app")
        .assume_role_policy_document(trust)
        .attached_managed_policies(attached(POLICY))
        .build()
}

/// Rows of the pages, and ARNs of policies that are still to be fetched.
async fn read(pages: &[GetAccountAuthorizationDetailsOutput]) -> Result<(String, Vec<String>), CollectError> {
    let mut sink = Sink::to_memory(place());
    let groups = HashMap::from([("admins", "arn:aws:iam::111111111111:group/people/admins")]);
    let mut reader = Reader::new(groups, &mut sink);
    for page in pages {
        reader.page(page).await?;
    }
    let awaited = reader.awaited.into_iter().collect();
    Ok((render_batches(&sink.into_batches().await?), awaited))
}

#[tokio::test]
async fn a_page_becomes_principals_policies_and_statements() {
    let user = UserDetail::builder()
        .arn("arn:aws:iam::111111111111:user/alice")
        .group_list("admins")
        .group_list("made-a-moment-ago")
        .user_policy_list(inline("own"))
        .build();
    let trust = r#"{"Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"}}]}"#;
    let page = GetAccountAuthorizationDetailsOutput::builder();
    let page = page.user_detail_list(user).role_detail_list(role(trust)).policies(policy(1)).build();
    let (rows, awaited) = read(&[page]).await.expect("good pages");
    expect![[r#"
        (:AWSUser:AWSPrincipal:UserAccount {id: "arn:aws:iam::111111111111:user/alice"})
          arn (indexed) = "arn:aws:iam::111111111111:user/alice"
          _groma_boundary = null
        (:AWSInlinePolicy:AWSPolicy {id: "arn:aws:iam::111111111111:user/alice/inline_policy/own"})
          name = "own"
          type = "inline"
          arn (indexed) = null
          _groma_statements = 1
        (:AWSPolicyStatement {id: "arn:aws:iam::111111111111:user/alice/inline_policy/own/statement/1"})
          effect = "Deny"
          action = null
          notaction = ["a"]
          resource = null
          notresource = null
          condition = null
          sid = null
          _groma_version = "2008-10-17"
        (:AWSPolicyStatement {id: "arn:aws:iam::111111111111:policy/forms/statement/1"})
          effect = "Allow"
          action = ["*"]
          notaction = null
          resource = ["*"]
          notresource = null
          condition = null
          sid = null
          _groma_version = "2008-10-17"
        (:AWSServicePrincipal:AWSPrincipal:ServiceAccount {id: "ec2.amazonaws.com"})
          arn (indexed) = "ec2.amazonaws.com"
          type = "Service"
          _ont_name (indexed) = "ec2.amazonaws.com"
          _ont_source = "aws"
        (:AWSRole:AWSPrincipal:PermissionRole {id: "arn:aws:iam::111111111111:role/app"})
          arn (indexed) = "arn:aws:iam::111111111111:role/app"
          roleid (indexed) = null
          name = null
          path = null
          createdate = null
          createdate_dt = null
          _groma_boundary = null
          _groma_trust = "[{\"action\":null,\"condition\":null,\"effect\":\"Allow\",\"notaction\":null,\"notprincipal\":null,\"principal\":[[\"Service\",\"ec2.amazonaws.com\"]],\"version\":\"2008-10-17\"}]"
          _ont_name (indexed) = null
          _ont_type (indexed) = "custom"
          _ont_scope (indexed) = "account"
          _ont_source = "aws"
        (:AWSManagedPolicy:AWSPolicy {id: "arn:aws:iam::111111111111:policy/forms"})
          name = "forms"
          type = "managed"
          arn (indexed) = "arn:aws:iam::111111111111:policy/forms"
          _groma_statements = 1
        (:AWSUser {id: "arn:aws:iam::111111111111:user/alice"})-[:MEMBER_AWS_GROUP]->(:AWSGroup {id: "arn:aws:iam::111111111111:group/people/admins"})
        (:AWSUser {id: "arn:aws:iam::111111111111:user/alice"})-[:MEMBER_OF]->(:AWSGroup {id: "arn:aws:iam::111111111111:group/people/admins"})
        (:AWSUser {id: "arn:aws:iam::111111111111:user/alice"})-[:POLICY]->(:AWSInlinePolicy {id: "arn:aws:iam::111111111111:user/alice/inline_policy/own"})
        (:AWSInlinePolicy {id: "arn:aws:iam::111111111111:user/alice/inline_policy/own"})<-[:RESOURCE]-(:AWSAccount {id: "111111111111"})
        (:AWSPolicyStatement {id: "arn:aws:iam::111111111111:user/alice/inline_policy/own/statement/1"})<-[:STATEMENT]-(:AWSPolicy {id: "arn:aws:iam::111111111111:user/alice/inline_policy/own"})
        (:AWSPolicyStatement {id: "arn:aws:iam::111111111111:policy/forms/statement/1"})<-[:STATEMENT]-(:AWSPolicy {id: "arn:aws:iam::111111111111:policy/forms"})
        (:AWSRole {id: "arn:aws:iam::111111111111:role/app"})<-[:RESOURCE]-(:AWSAccount {id: "111111111111"})
        (:AWSRole {id: "arn:aws:iam::111111111111:role/app"})-[:TRUSTS_AWS_PRINCIPAL _groma_denied=null _groma_conditional=null]->(:AWSPrincipal {arn: "ec2.amazonaws.com"})
        (:AWSRole {id: "arn:aws:iam::111111111111:role/app"})-[:POLICY]->(:AWSManagedPolicy {id: "arn:aws:iam::111111111111:policy/forms"})
    "#]]
    .assert_eq(&rows);
    assert_eq!(awaited, Vec::<String>::new());
}

#[tokio::test]
async fn policies_that_nobody_holds_are_left_out_and_late_ones_are_fetched() {
    let page = GetAccountAuthorizationDetailsOutput::builder;
    let (rows, _) = read(&[page().policies(policy(0)).build()]).await.expect("a good page");
    assert_eq!(rows, "");
    let trust = r#"{"Statement":[]}"#;
    let pages = [page().policies(policy(0)).build(), page().role_detail_list(role(trust)).build()];
    let (_, awaited) = read(&pages).await.expect("good pages");
    assert_eq!(awaited, [POLICY]);
}

/// A boundary may be attached to no principal.
#[tokio::test]
async fn the_policy_of_a_boundary_is_fetched() {
    let user =
        UserDetail::builder().arn("arn:aws:iam::111111111111:user/alice").permissions_boundary(bounded()).build();
    let page = GetAccountAuthorizationDetailsOutput::builder().user_detail_list(user).build();
    let (rows, awaited) = read(&[page]).await.expect("a good page");
    assert!(rows.contains("_groma_boundary = \"arn:aws:iam::111111111111:policy/boundary\""), "{rows}");
    assert_eq!(awaited, ["arn:aws:iam::111111111111:policy/boundary"]);
}

/// `_groma_statements` of a user's inline policy with this document.
async fn statements_of(document: &str) -> (String, bool) {
    let policy = PolicyDetail::builder().policy_name("own").policy_document(document).build();
    let user = UserDetail::builder().arn("arn:aws:iam::111111111111:user/alice").user_policy_list(policy).build();
    let page = GetAccountAuthorizationDetailsOutput::builder().user_detail_list(user).build();
    let mut sink = Sink::to_memory(place());
    let mut reader = Reader::new(HashMap::new(), &mut sink);
    reader.page(&page).await.expect("a good page");
    let failed = reader.details.end().is_err();
    let rows = render_batches(&sink.into_batches().await.expect("in memory"));
    let count = rows.lines().find_map(|line| line.trim().strip_prefix("_groma_statements = "));
    (count.expect("a count").to_owned(), failed)
}

/// A policy without statements grants nothing, and differs from one that cannot be read.
#[tokio::test]
async fn an_empty_policy_is_complete_and_an_unreadable_one_is_a_failure() {
    assert_eq!(statements_of(r#"{"Statement":[]}"#).await, ("0".to_owned(), false));
    assert_eq!(statements_of(r#"{"Statement":{"Effect":"Allow"}}"#).await, ("1".to_owned(), false));
    for unreadable in ["{", "{}", r#"{"Statement":["x"]}"#] {
        assert_eq!(statements_of(unreadable).await, ("null".to_owned(), true), "{unreadable}");
    }
}

/// Result of a listing with two roles and further responses, and the ids of its rows.
async fn listed(answers: &[&str]) -> (Result<(), String>, Vec<String>) {
    let all = [&["", ROLES][..], answers].concat();
    let (ended, batches) = run_listing(&crate::SERVICE, &LISTING, &all).await;
    (ended, node_ids(&batches).map(str::to_owned).collect())
}

/// One role has a trust policy and an inline policy that are not JSON. Both have policies that no page describes.
const ROLES: &str = "<RoleDetailList>\
    <member><Arn>role/a</Arn><AssumeRolePolicyDocument>%7B</AssumeRolePolicyDocument>\
    <RolePolicyList><member><PolicyName>own</PolicyName><PolicyDocument>%7B</PolicyDocument></member></RolePolicyList>\
    <AttachedManagedPolicies><member><PolicyArn>policy/a</PolicyArn></member></AttachedManagedPolicies></member>\
    <member><Arn>role/b</Arn><AssumeRolePolicyDocument>{\"Statement\":[]}</AssumeRolePolicyDocument>\
    <AttachedManagedPolicies><member><PolicyArn>policy/b</PolicyArn></member></AttachedManagedPolicies></member>\
    </RoleDetailList>";
const FOUND: &str = "<Policy><DefaultVersionId>v1</DefaultVersionId></Policy>";
const VERSION: &str = "<PolicyVersion><Document>{\"Statement\":{\"Effect\":\"Allow\"}}</Document></PolicyVersion>";

#[tokio::test]
async fn a_document_that_cannot_be_read_is_named_and_the_others_are_read() {
    let (ended, rows) = listed(&[FOUND, VERSION, FOUND, VERSION]).await;
    let error = "2 items could not be read: role/a, role/a/inline_policy/own; error of role/a: the document is not JSON: \
                 EOF while parsing an object at line 1 column 1";
    assert_eq!(ended, Err(error.to_owned()));
    let expected = [
        "role/a",
        "role/b",
        "role/a/inline_policy/own",
        "policy/a",
        "policy/b",
        "policy/a/statement/1",
        "policy/b/statement/1",
    ];
    assert_eq!(rows, expected);
}

#[tokio::test]
async fn a_policy_that_cannot_be_fetched_does_not_hide_the_others() {
    let (ended, rows) = listed(&["!InternalError no", FOUND, VERSION]).await;
    assert!(ended.expect_err("three failed").starts_with("3 items could not be read"));
    assert!(rows.contains(&"policy/b/statement/1".to_owned()) && !rows.contains(&"policy/a".to_owned()), "{rows:?}");
}

/// A new default version has replaced the first one. A deleted policy is left out.
#[tokio::test]
async fn a_new_default_version_is_asked_for() {
    let (ended, rows) = listed(&[FOUND, "!NoSuchEntity gone", FOUND, VERSION, "!NoSuchEntity gone"]).await;
    assert!(ended.expect_err("two documents").starts_with("2 items could not be read"));
    assert!(rows.contains(&"policy/a".to_owned()) && !rows.contains(&"policy/b".to_owned()), "{rows:?}");
}
