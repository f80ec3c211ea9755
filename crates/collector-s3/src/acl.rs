//! Grants of access control lists: `GetBucketAcl` -> `(:AWSS3Acl)-[:APPLIES_TO]->(:AWSS3Bucket)`.

use crate::settings::Setting;
use aws_sdk_s3::{
    operation::get_bucket_acl::GetBucketAclOutput,
    types::{Grant, Grantee, Owner, Type},
};
use collector::{Edge, Node, Place, Value, one, prop};
use sha2::{Digest, Sha256};

/// A grant with the owner of its bucket. Grantees are users and groups; S3 turns a grantee's email address into a user
/// (Amazon S3 User Guide, "Access control list (ACL) overview").
#[derive(Debug, Clone)]
pub(crate) struct BucketGrant {
    bucket: String,
    owner: Option<Owner>,
    grantee: Grantee,
    permission: Option<String>,
}

impl BucketGrant {
    fn owner(&self) -> Option<&str> {
        self.owner.as_ref()?.display_name()
    }

    fn owner_id(&self) -> Option<&str> {
        self.owner.as_ref()?.id()
    }

    /// The grantee, if it is of this type.
    fn grantee(&self, kind: &Type) -> Option<&Grantee> {
        Some(&self.grantee).filter(|grantee| grantee.r#type() == kind)
    }

    fn display_name(&self) -> Option<&str> {
        self.grantee(&Type::CanonicalUser)?.display_name()
    }

    fn grantee_id(&self) -> Option<&str> {
        self.grantee(&Type::CanonicalUser)?.id()
    }

    fn uri(&self) -> Option<&str> {
        self.grantee(&Type::Group)?.uri()
    }

    /// Hash of the account and all properties, without the bucket: as in Cartography, equal grants of several buckets are
    /// one node, which applies to each of them.
    fn node_id(&self, place: &Place) -> String {
        let parts = [
            Some(place.account_id.as_str()),
            self.owner(),
            self.owner_id(),
            Some(self.grantee.r#type().as_str()),
            self.display_name(),
            self.grantee_id(),
            self.uri(),
            self.permission.as_deref(),
        ];
        let text = parts.map(|part| part.unwrap_or("None")).join(":");
        events::hex(&Sha256::digest(text.as_bytes()))
    }
}

/// Grants to users and groups.
pub(crate) static ACL: Node<BucketGrant> = Node {
    extra_labels: &["S3Acl"],
    id: BucketGrant::node_id,
    props: &[
        prop("owner", |it, _| it.owner().into()),
        prop("ownerid", |it, _| it.owner_id().into()),
        prop("type", |it, _| Value::text(Some(it.grantee.r#type()))),
        prop("displayname", |it, _| it.display_name().into()),
        prop("granteeid", |it, _| it.grantee_id().into()),
        prop("uri", |it, _| it.uri().into()),
        prop("permission", |it, _| it.permission.as_ref().into()),
    ],
    edges: &[Edge::account(), Edge::out("APPLIES_TO", "AWSS3Bucket", "id", |it, _| one(Some(&it.bucket)))],
    ..Node::of("AWSS3Acl")
};

/// Grants of a bucket's access control list.
pub(crate) fn grants(acl: &Setting<GetBucketAclOutput>) -> Vec<BucketGrant> {
    let Some(list) = &acl.value else { return Vec::new() };
    let grant = |grant: &Grant| {
        let grantee = grant.grantee().filter(|it| [Type::CanonicalUser, Type::Group].contains(it.r#type()))?;
        Some(BucketGrant {
            bucket: acl.bucket.clone(),
            owner: list.owner().cloned(),
            grantee: grantee.clone(),
            permission: grant.permission().map(|permission| permission.as_str().to_owned()),
        })
    };
    list.grants().iter().filter_map(grant).collect()
}

/// Groups that stand for everyone: the second has everyone with an AWS account.
const EVERYONE: [&str; 2] =
    ["http://acs.amazonaws.com/groups/global/AllUsers", "http://acs.amazonaws.com/groups/global/AuthenticatedUsers"];

/// Actions on a bucket and its objects that a grant allows to everyone. `None`: it grants nothing to everyone.
pub(crate) fn open_actions(grant: &BucketGrant) -> Option<&'static [&'static str]> {
    EVERYONE.contains(&grant.uri()?).then(|| actions(grant.permission.as_deref().unwrap_or_default()))
}

/// Actions of a permission ("Mapping of ACL permissions and access policy permissions", Amazon S3 User Guide).
fn actions(permission: &str) -> &'static [&'static str] {
    const READ_TO_WRITE_ACP: &[&str] = &[
        "s3:ListBucket",
        "s3:ListBucketVersions",
        "s3:ListBucketMultipartUploads",
        "s3:PutObject",
        "s3:GetBucketAcl",
        "s3:PutBucketAcl",
    ];
    match permission {
        "READ" => &READ_TO_WRITE_ACP[..3],
        "WRITE" => &READ_TO_WRITE_ACP[3..4],
        "READ_ACP" => &READ_TO_WRITE_ACP[4..5],
        "WRITE_ACP" => &READ_TO_WRITE_ACP[5..],
        "FULL_CONTROL" => READ_TO_WRITE_ACP,
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::{ACL, BucketGrant, EVERYONE, GetBucketAclOutput, Grant, Grantee, Owner, Type, grants, open_actions};
    use crate::settings::testing::of_logs;
    use collector::testing::render;
    use expect_test::expect;

    fn granted(grantee: Grantee, permission: &str) -> BucketGrant {
        let owner = Owner::builder().display_name("operations").id("0123abcd").build();
        let grant = Grant::builder().grantee(grantee).permission(permission.into()).build();
        let list = GetBucketAclOutput::builder().owner(owner).grants(grant).build();
        grants(&of_logs(Some(list))).pop().expect("one grant")
    }

    fn grantee(kind: Type) -> Grantee {
        Grantee::builder()
            .r#type(kind)
            .display_name("auditors")
            .id("4567cdef")
            .uri(EVERYONE[0])
            .email_address("auditors@example.com")
            .build()
            .expect("full")
    }

    #[test]
    fn a_full_grant_to_a_user_has_no_uri() {
        expect![[r#"
            (:AWSS3Acl:S3Acl {id: "2c782e3b6c6bf93c21499426b2eef6c1dd636584bc68afdba767770cc99f8d59"})
              owner = "operations"
              ownerid = "0123abcd"
              type = "CanonicalUser"
              displayname = "auditors"
              granteeid = "4567cdef"
              uri = null
              permission = "READ"
              <-[:RESOURCE]-(:AWSAccount {id: "111111111111"})
              -[:APPLIES_TO]->(:AWSS3Bucket {id: "logs"})
        "#]]
        .assert_eq(&render(&ACL, &granted(grantee(Type::CanonicalUser), "READ"), &["uri"]));
    }

    #[test]
    fn a_full_grant_to_a_group_has_nothing_but_its_uri() {
        expect![[r#"
            (:AWSS3Acl:S3Acl {id: "b65a8f50097938c2feab31f92e56b64e95c05d3bd7cd2e9c8b78777ac00f156b"})
              owner = "operations"
              ownerid = "0123abcd"
              type = "Group"
              displayname = null
              granteeid = null
              uri = "http://acs.amazonaws.com/groups/global/AllUsers"
              permission = "WRITE"
              <-[:RESOURCE]-(:AWSAccount {id: "111111111111"})
              -[:APPLIES_TO]->(:AWSS3Bucket {id: "logs"})
        "#]]
        .assert_eq(&render(&ACL, &granted(grantee(Type::Group), "WRITE"), &["displayname", "granteeid"]));
    }

    #[test]
    fn other_grantees_are_left_out() {
        let grant = Grant::builder().grantee(grantee(Type::AmazonCustomerByEmail)).build();
        let list = GetBucketAclOutput::builder().grants(grant).build();
        assert!(grants(&of_logs(Some(list))).is_empty());
    }

    #[test]
    fn full_control_is_all_permissions_together() {
        let open =
            |permission| open_actions(&granted(grantee(Type::Group), permission)).expect("for everyone").to_vec();
        assert_eq!(open("FULL_CONTROL"), ["READ", "WRITE", "READ_ACP", "WRITE_ACP"].map(open).concat());
        assert_eq!(open("READ"), ["s3:ListBucket", "s3:ListBucketVersions", "s3:ListBucketMultipartUploads"]);
        assert_eq!(["WRITE", "WRITE_ACP"].map(open).concat(), ["s3:PutObject", "s3:PutBucketAcl"]);
        assert_eq!(open("SOMETHING_NEW"), [""; 0]);
    }

    #[test]
    fn a_grant_to_some_is_not_open() {
        assert_eq!(open_actions(&granted(grantee(Type::CanonicalUser), "READ")), None);
        let logs = Grantee::builder().r#type(Type::Group).uri("http://acs.amazonaws.com/groups/s3/LogDelivery");
        assert_eq!(open_actions(&granted(logs.build().expect("full"), "READ")), None);
    }
}
