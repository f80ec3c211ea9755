//! Reservations, each the instances of one launch: `(:AWSEC2Reservation)`, part of the answer of `DescribeInstances`.

use aws_sdk_ec2::types::Reservation;
use collector::{Edge, Node, many, prop};

/// Reservations with their instances.
pub(crate) static RESERVATION: Node<Reservation> = Node {
    extra_labels: &["EC2Reservation"],
    id: |it, _| it.reservation_id().unwrap_or_default().to_owned(),
    props: &[
        prop("reservationid", |it, _| it.reservation_id().into()),
        prop("ownerid", |it, _| it.owner_id().into()),
        prop("requesterid", |it, _| it.requester_id().into()),
        prop("region", |_, place| (&place.region).into()),
    ],
    edges: &[
        Edge::account(),
        Edge::incoming("MEMBER_OF_EC2_RESERVATION", "AWSEC2Instance", "id", |it, _| {
            many(it.instances().iter().map(|instance| instance.instance_id()))
        }),
    ],
    ..Node::of("AWSEC2Reservation")
};

#[cfg(test)]
mod tests {
    use super::{RESERVATION, Reservation};
    use aws_sdk_ec2::types::Instance;
    use collector::testing::render;
    use expect_test::expect;

    #[test]
    fn a_full_reservation_leaves_nothing_null() {
        let reservation = Reservation::builder()
            .reservation_id("r-1")
            .owner_id("111111111111")
            .requester_id("222222222222")
            .instances(Instance::builder().instance_id("i-1").build())
            .build();
        expect![[r#"
            (:AWSEC2Reservation:EC2Reservation {id: "r-1"})
              reservationid = "r-1"
              ownerid = "111111111111"
              requesterid = "222222222222"
              region = "us-east-1"
              <-[:RESOURCE]-(:AWSAccount {id: "111111111111"})
              <-[:MEMBER_OF_EC2_RESERVATION]-(:AWSEC2Instance {id: "i-1"})
        "#]]
        .assert_eq(&render(&RESERVATION, &reservation, &[]));
    }
}
