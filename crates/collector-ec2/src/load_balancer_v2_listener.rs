//! Listeners of application, network and gateway load balancers, `(:AWSELBV2Listener)`: answered by
//! `DescribeListeners`.

use aws_sdk_elasticloadbalancingv2::types::{Listener, MutualAuthenticationAttributes as MutualAuthentication};
use collector::{Edge, Node, Value, one, prop};

/// A listener and the load balancer that it belongs to.
#[derive(Debug, Clone)]
pub(crate) struct V2Listener {
    /// Id of the load balancer: its DNS name.
    pub(crate) load_balancer: String,
    /// The listener.
    pub(crate) listener: Listener,
}

/// Listeners. Cartography looks for the target group outside the actions that name it, and never sets it; Groma takes it
/// from the first action that forwards to a single group.
pub(crate) static LISTENER: Node<V2Listener> = Node {
    extra_labels: &["ELBV2Listener", "Endpoint"],
    id: |it, _| it.listener.listener_arn().unwrap_or_default().to_owned(),
    props: &[
        prop("port", |it, _| it.listener.port().into()),
        prop("protocol", |it, _| Value::text(it.listener.protocol())),
        prop("ssl_policy", |it, _| it.listener.ssl_policy().into()),
        prop("targetgrouparn", |it, _| {
            it.listener.default_actions().iter().find_map(|action| action.target_group_arn()).into()
        }),
        prop("mutual_authentication_mode", |it, _| mutual(it).and_then(MutualAuthentication::mode).into()),
        prop("trust_store_arn", |it, _| mutual(it).and_then(MutualAuthentication::trust_store_arn).into()),
        prop("ignore_client_certificate_expiry", |it, _| {
            mutual(it).and_then(MutualAuthentication::ignore_client_certificate_expiry).into()
        }),
        prop("trust_store_association_status", |it, _| {
            Value::text(mutual(it).and_then(MutualAuthentication::trust_store_association_status))
        }),
        prop("advertise_trust_store_ca_names", |it, _| {
            Value::text(mutual(it).and_then(MutualAuthentication::advertise_trust_store_ca_names))
        }),
    ],
    edges: &[
        Edge::account(),
        Edge::incoming("ELBV2_LISTENER", "AWSLoadBalancerV2", "id", |it, _| one(Some(&it.load_balancer))),
    ],
    ..Node::of("AWSELBV2Listener")
};

fn mutual(it: &V2Listener) -> Option<&MutualAuthentication> {
    it.listener.mutual_authentication()
}

#[cfg(test)]
mod tests {
    use super::{LISTENER, Listener, MutualAuthentication, V2Listener};
    use aws_sdk_elasticloadbalancingv2::types::Action;
    use collector::testing::render;
    use expect_test::expect;

    #[test]
    fn a_full_listener_leaves_nothing_null() {
        let mutual = MutualAuthentication::builder()
            .mode("verify")
            .trust_store_arn("arn:aws:elasticloadbalancing:us-east-1:111111111111:truststore/t/1")
            .ignore_client_certificate_expiry(false)
            .trust_store_association_status("active".into())
            .advertise_trust_store_ca_names("on".into())
            .build();
        let action = |kind: &str| Action::builder().r#type(kind.into());
        let group = "arn:aws:elasticloadbalancing:us-east-1:111111111111:targetgroup/web/1";
        let listener = Listener::builder()
            .listener_arn("arn:aws:elasticloadbalancing:us-east-1:111111111111:listener/app/Web/1/2")
            .port(443)
            .protocol("HTTPS".into())
            .ssl_policy("ELBSecurityPolicy-TLS13-1-2-2021-06")
            .default_actions(action("authenticate-oidc").build())
            .default_actions(action("forward").target_group_arn(group).build())
            .mutual_authentication(mutual)
            .build();
        let listener = V2Listener { load_balancer: "Web-1.us-east-1.elb.amazonaws.com".into(), listener };
        expect![[r#"
            (:AWSELBV2Listener:ELBV2Listener:Endpoint {id: "arn:aws:elasticloadbalancing:us-east-1:111111111111:listener/app/Web/1/2"})
              port = 443
              protocol = "HTTPS"
              ssl_policy = "ELBSecurityPolicy-TLS13-1-2-2021-06"
              targetgrouparn = "arn:aws:elasticloadbalancing:us-east-1:111111111111:targetgroup/web/1"
              mutual_authentication_mode = "verify"
              trust_store_arn = "arn:aws:elasticloadbalancing:us-east-1:111111111111:truststore/t/1"
              ignore_client_certificate_expiry = false
              trust_store_association_status = "active"
              advertise_trust_store_ca_names = "on"
              <-[:RESOURCE]-(:AWSAccount {id: "111111111111"})
              <-[:ELBV2_LISTENER]-(:AWSLoadBalancerV2 {id: "Web-1.us-east-1.elb.amazonaws.com"})
        "#]].assert_eq(&render(&LISTENER, &listener, &[]));
    }
}
