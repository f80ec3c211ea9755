//! Reserved instances: `DescribeReservedInstances` -> `(:AWSEC2ReservedInstance)`.

use crate::Clients;
use aws_sdk_ec2::types::ReservedInstances;
use collector::{Collecting, Edge, Listing, Node, Sink, Value, prop};

/// Reserved instances.
pub(crate) static RESERVED_INSTANCE: Node<ReservedInstances> = Node {
    extra_labels: &["EC2ReservedInstance"],
    id: |it, _| it.reserved_instances_id().unwrap_or_default().to_owned(),
    props: &[
        prop("region", |_, place| (&place.region).into()),
        prop("availabilityzone", |it, _| it.availability_zone().into()),
        prop("duration", |it, _| it.duration().into()),
        prop("end", |it, _| it.end().map(Value::spelled).into()),
        prop("start", |it, _| it.start().map(Value::spelled).into()),
        prop("count", |it, _| it.instance_count().into()),
        prop("type", |it, _| Value::text(it.instance_type())),
        prop("productdescription", |it, _| Value::text(it.product_description())),
        prop("state", |it, _| Value::text(it.state())),
        prop("currencycode", |it, _| Value::text(it.currency_code())),
        prop("instancetenancy", |it, _| Value::text(it.instance_tenancy())),
        prop("offeringclass", |it, _| Value::text(it.offering_class())),
        prop("offeringtype", |it, _| Value::text(it.offering_type())),
        prop("scope", |it, _| Value::text(it.scope())),
        prop("fixedprice", |it, _| it.fixed_price().and_then(decimal).into()),
    ],
    edges: &[Edge::account()],
    ..Node::of("AWSEC2ReservedInstance")
};

/// Widens the number as AWS wrote it: a plain cast turns 0.1 into 0.10000000149011612.
fn decimal(single: f32) -> Option<f64> {
    single.to_string().parse().ok()
}

/// One call without pages.
pub(crate) const LISTING: Listing<Clients> = Listing {
    name: "DescribeReservedInstances",
    actions: &["ec2:DescribeReservedInstances"],
    feeds: &[&RESERVED_INSTANCE],
    collect,
};

fn collect<'a>(clients: &'a Clients, sink: &'a mut Sink) -> Collecting<'a> {
    Box::pin(async move {
        let answer = clients.ec2.describe_reserved_instances().send().await?;
        sink.emit_all(&RESERVED_INSTANCE, answer.reserved_instances()).await
    })
}

#[cfg(test)]
mod tests {
    use super::{RESERVED_INSTANCE, ReservedInstances};
    use aws_smithy_types::DateTime;
    use collector::testing::render;
    use expect_test::expect;

    #[test]
    fn a_full_reservation_leaves_nothing_null() {
        let reserved = ReservedInstances::builder()
            .reserved_instances_id("ri-1")
            .availability_zone("us-east-1a")
            .duration(31_536_000)
            .start(DateTime::from_secs(1_700_000_000))
            .end(DateTime::from_secs_and_nanos(1_731_536_000, 1_000_000))
            .instance_count(3)
            .instance_type("m7g.large".into())
            .product_description("Linux/UNIX".into())
            .state("active".into())
            .currency_code("USD".into())
            .instance_tenancy("default".into())
            .offering_class("standard".into())
            .offering_type("No Upfront".into())
            .scope("Availability Zone".into())
            .fixed_price(0.1)
            .build();
        expect![[r#"
            (:AWSEC2ReservedInstance:EC2ReservedInstance {id: "ri-1"})
              region = "us-east-1"
              availabilityzone = "us-east-1a"
              duration = 31536000
              end = "2024-11-13 22:13:20.001000+00:00"
              start = "2023-11-14 22:13:20+00:00"
              count = 3
              type = "m7g.large"
              productdescription = "Linux/UNIX"
              state = "active"
              currencycode = "USD"
              instancetenancy = "default"
              offeringclass = "standard"
              offeringtype = "No Upfront"
              scope = "Availability Zone"
              fixedprice = 0.1
              <-[:RESOURCE]-(:AWSAccount {id: "111111111111"})
        "#]]
        .assert_eq(&render(&RESERVED_INSTANCE, &reserved, &[]));
    }
}
