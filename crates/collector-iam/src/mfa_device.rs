//! MFA devices: `ListMFADevices` for each user -> `(:AWSMfaDevice)`.

use crate::{Iam, principals::name};
use aws_sdk_iam::{Client, types::MfaDevice};
use collector::{
    CollectError, Collecting, Details, Edge, Listing, Node, Sink, Value, indexed, one, paged, prop, unless_gone,
};
use futures::{StreamExt, stream};

/// An MFA device of a user.
#[derive(Debug, Clone)]
pub(crate) struct UserDevice {
    /// Result of `ListMFADevices`.
    pub(crate) device: MfaDevice,
    /// ARN of its user.
    pub(crate) user_arn: String,
}

/// MFA devices, virtual and physical.
pub(crate) static MFA_DEVICE: Node<UserDevice> = Node {
    extra_labels: &["MfaDevice"],
    id: |it, _| it.device.serial_number().to_owned(),
    props: &[
        indexed("serialnumber", |it, _| it.device.serial_number().into()),
        prop("username", |it, _| it.device.user_name().into()),
        prop("user_arn", |it, _| (&it.user_arn).into()),
        prop("enabledate", |it, _| Value::spelled(it.device.enable_date())),
        prop("enabledate_dt", |it, _| it.device.enable_date().into()),
    ],
    edges: &[Edge::account(), Edge::incoming("MFA_DEVICE", "AWSUser", "id", |it, _| one(Some(&it.user_arn)))],
    ..Node::of("AWSMfaDevice")
};

/// Listing of all users' devices.
pub(crate) const LISTING: Listing<Iam> = Listing {
    name: "ListMFADevices",
    actions: &["iam:GetAccountAuthorizationDetails", "iam:ListMFADevices"],
    feeds: &[&MFA_DEVICE],
    collect,
};

fn collect<'a>(iam: &'a Iam, sink: &'a mut Sink) -> Collecting<'a> {
    Box::pin(async move {
        let users = iam.principals().await?.users.clone();
        let asked = stream::iter(users).map(|user| asked(iam.sdk.clone(), user));
        let (mut answers, mut details) = (asked.buffer_unordered(Iam::AT_ONCE), Details::default());
        while let Some((devices, user)) = answers.next().await {
            if let Some(devices) = details.take(&user, devices.map(Some))?.read() {
                sink.emit_all(&MFA_DEVICE, &devices).await?;
            }
        }
        details.end()
    })
}

async fn asked(iam: Client, user_arn: String) -> (Result<Vec<UserDevice>, CollectError>, String) {
    (devices(&iam, &user_arn).await, user_arn)
}

/// Lists the devices of a user; empty if the user was deleted.
async fn devices(iam: &Client, user_arn: &str) -> Result<Vec<UserDevice>, CollectError> {
    let mut devices = Vec::new();
    let mut pages = paged!(iam.list_mfa_devices().user_name(name(user_arn)).max_items(1000), marker);
    while let Some(page) = pages.next().await {
        let Some(page) = unless_gone(page)? else { break };
        devices.extend(page.mfa_devices.into_iter().map(|device| UserDevice { device, user_arn: user_arn.to_owned() }));
    }
    Ok(devices)
}

#[cfg(test)]
mod tests {
    use super::{MFA_DEVICE, MfaDevice, UserDevice};
    use crate::testing::time;
    use collector::testing::render;
    use expect_test::expect;

    #[test]
    fn a_full_device_leaves_nothing_null() {
        let device = MfaDevice::builder()
            .serial_number("arn:aws:iam::111111111111:mfa/alice")
            .user_name("alice")
            .enable_date(time())
            .build()
            .expect("full");
        let user_arn = "arn:aws:iam::111111111111:user/people/alice".into();
        expect![[r#"
            (:AWSMfaDevice:MfaDevice {id: "arn:aws:iam::111111111111:mfa/alice"})
              serialnumber (indexed) = "arn:aws:iam::111111111111:mfa/alice"
              username = "alice"
              user_arn = "arn:aws:iam::111111111111:user/people/alice"
              enabledate = "2024-05-01 01:02:03+00:00"
              enabledate_dt = time(1714525323000000)
              <-[:RESOURCE]-(:AWSAccount {id: "111111111111"})
              <-[:MFA_DEVICE]-(:AWSUser {id: "arn:aws:iam::111111111111:user/people/alice"})
        "#]]
        .assert_eq(&render(&MFA_DEVICE, &UserDevice { device, user_arn }, &[]));
    }
}
