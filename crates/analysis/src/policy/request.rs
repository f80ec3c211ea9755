//! A request: its caller and its resource.

use super::{Caller, Known};

/// A resource, identified by its ARN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resource<'a> {
    /// ARN of the resource.
    pub arn: &'a str,
    /// Id of its account, if known: ARNs of buckets do not contain it.
    pub account: Option<&'a str>,
}

impl<'a> Resource<'a> {
    /// Creates a resource in an account.
    pub fn of_account(arn: &'a str, account: &'a str) -> Self {
        Self { arn, account: Some(account) }
    }

    /// Region of its ARN. Global resources have none, and ARNs of buckets do not contain it.
    fn region(self) -> Option<&'a str> {
        self.arn.split(':').nth(3).filter(|region| !region.is_empty())
    }
}

impl<'a> From<&'a str> for Resource<'a> {
    fn from(arn: &'a str) -> Self {
        Self { arn, account: arn.split(':').nth(4).filter(|account| !account.is_empty()) }
    }
}

/// A request as far as the graph knows it.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Caller; `None` for any caller.
    pub caller: Option<&'a Caller>,
    /// Requested resource.
    pub resource: Resource<'a>,
}

impl<'a> Request<'a> {
    /// Creates a request of any caller.
    pub fn of_anybody(resource: impl Into<Resource<'a>>) -> Self {
        Self { caller: None, resource: resource.into() }
    }

    /// Returns the value of a context key; keys are case-insensitive (IAM user guide, "AWS global condition context
    /// keys"). A regional resource is requested in its own region. For a role the region is unknown: STS has endpoints
    /// in all regions, and a role is passed in a request to another service.
    pub fn value(&self, key: &str) -> Known<'a> {
        let key = key.to_lowercase();
        let known = |value: Option<&'a str>| value.map_or(Known::Unknown, Known::Is);
        match key.as_str() {
            "aws:resourceaccount" => known(self.resource.account),
            "aws:requestedregion" => known(self.resource.region()),
            "aws:resourceorgid" => known(self.caller.filter(|_| self.is_local()).and_then(Caller::organization)),
            _ => self.caller.map_or(Known::Unknown, |caller| caller.value(&key)),
        }
    }

    /// Whether caller and resource belong to the same account.
    fn is_local(&self) -> bool {
        self.caller.is_some_and(|caller| caller.account().is_some() && caller.account() == self.resource.account)
    }
}

#[cfg(test)]
mod tests {
    use super::{Caller, Known, Request, Resource};

    #[test]
    fn the_graph_knows_account_organization_and_region() {
        let alice = Caller::of_arn("arn:aws:iam::111111111111:user/alice");
        let member = alice.clone().in_organization(Some("o-1".to_owned()));
        let of = |caller: &Caller, resource: Resource<'_>, key: &str| match (Request { caller: Some(caller), resource })
            .value(key)
        {
            Known::Is(value) => value.to_owned(),
            other => format!("{other:?}"),
        };
        let (task, role) = ("arn:aws:ecs:eu-west-1:111111111111:task/t", "arn:aws:iam::222222222222:role/r");
        assert_eq!(of(&alice, task.into(), "aws:RequestedRegion"), "eu-west-1");
        assert_eq!(of(&alice, role.into(), "aws:RequestedRegion"), "Unknown", "STS has many endpoints");
        assert_eq!(of(&alice, "arn:aws:s3:::logs".into(), "AWS:requestedregion"), "Unknown");
        assert_eq!(of(&alice, role.into(), "aws:ResourceAccount"), "222222222222");
        assert_eq!(of(&alice, "arn:aws:s3:::logs".into(), "aws:ResourceAccount"), "Unknown");
        let bucket = Resource::of_account("arn:aws:s3:::logs", "111111111111");
        assert_eq!(of(&alice, bucket, "aws:ResourceAccount"), "111111111111");
        assert_eq!(of(&alice, task.into(), "aws:PrincipalOrgID"), "Unknown");
        assert_eq!(of(&member, task.into(), "aws:PrincipalOrgID"), "o-1");
        assert_eq!(of(&member, task.into(), "aws:ResourceOrgID"), "o-1");
        assert_eq!(of(&member, role.into(), "aws:ResourceOrgID"), "Unknown", "of another account");
        let service = Caller::of_arn("ec2.amazonaws.com");
        assert_eq!(of(&service, "t".into(), "aws:ResourceOrgID"), "Unknown");
    }
}
