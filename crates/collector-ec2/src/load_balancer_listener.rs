//! Listeners of classic load balancers, `(:AWSELBListener)`: part of the answer of `DescribeLoadBalancers`.

use aws_sdk_elasticloadbalancing::types::{Listener, ListenerDescription, LoadBalancerDescription};
use collector::{Edge, Node, Value, one, prop};

/// A listener and the load balancer that it belongs to.
#[derive(Debug, Clone)]
pub(crate) struct BalancerListener {
    /// Id of the load balancer: its DNS name.
    pub(crate) load_balancer: String,
    /// The listener.
    pub(crate) description: ListenerDescription,
}

/// Listeners of classic load balancers.
pub(crate) static LISTENER: Node<BalancerListener> = Node {
    extra_labels: &["ELBListener", "Endpoint"],
    id: |it, _| {
        let port = it.listener().map(|listener| format!("{}{}", listener.load_balancer_port(), listener.protocol()));
        format!("{}{}", it.load_balancer, port.unwrap_or_default())
    },
    props: &[
        prop("port", |it, _| it.listener().map(Listener::load_balancer_port).into()),
        prop("protocol", |it, _| it.listener().map(Listener::protocol).into()),
        prop("instance_port", |it, _| it.listener().map(Listener::instance_port).into()),
        prop("instance_protocol", |it, _| it.listener().and_then(Listener::instance_protocol).into()),
        prop("policy_names", |it, _| Value::texts(it.description.policy_names())),
    ],
    edges: &[
        Edge::account(),
        Edge::incoming("ELB_LISTENER", "AWSLoadBalancer", "id", |it, _| one(Some(&it.load_balancer))),
    ],
    ..Node::of("AWSELBListener")
};

impl BalancerListener {
    /// The listeners of a load balancer.
    pub(crate) fn of(balancer: &LoadBalancerDescription) -> Vec<Self> {
        let load_balancer = balancer.dns_name().unwrap_or_default();
        let descriptions = balancer.listener_descriptions().iter().cloned();
        descriptions.map(|description| Self { load_balancer: load_balancer.to_owned(), description }).collect()
    }

    fn listener(&self) -> Option<&Listener> {
        self.description.listener()
    }
}

#[cfg(test)]
mod tests {
    use super::{BalancerListener, LISTENER, Listener, ListenerDescription, LoadBalancerDescription};
    use collector::testing::render;
    use expect_test::expect;

    #[test]
    fn a_full_listener_leaves_nothing_null() {
        let listener = Listener::builder()
            .load_balancer_port(443)
            .protocol("HTTPS")
            .instance_port(8080)
            .instance_protocol("HTTP")
            .build()
            .expect("complete");
        let description = ListenerDescription::builder().listener(listener).policy_names("tls-1-2").build();
        let balancer = LoadBalancerDescription::builder()
            .dns_name("Web-1.us-east-1.elb.amazonaws.com")
            .listener_descriptions(description)
            .build();
        expect![[r#"
            (:AWSELBListener:ELBListener:Endpoint {id: "Web-1.us-east-1.elb.amazonaws.com443HTTPS"})
              port = 443
              protocol = "HTTPS"
              instance_port = 8080
              instance_protocol = "HTTP"
              policy_names = ["tls-1-2"]
              <-[:RESOURCE]-(:AWSAccount {id: "111111111111"})
              <-[:ELB_LISTENER]-(:AWSLoadBalancer {id: "Web-1.us-east-1.elb.amazonaws.com"})
        "#]]
        .assert_eq(&render(&LISTENER, &BalancerListener::of(&balancer)[0], &[]));
    }
}
