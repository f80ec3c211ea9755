//! Associations of route tables, `(:AWSEC2RouteTableAssociation)`: part of the answer of `DescribeRouteTables`.

use aws_sdk_ec2::types::{RouteTable, RouteTableAssociation};
use collector::{Edge, Node, Value, indexed, one, prop};

/// An association, with the id of its table.
#[derive(Debug, Clone)]
pub(crate) struct InTable {
    /// Id of the table.
    pub(crate) route_table_id: String,
    /// The association.
    pub(crate) it: RouteTableAssociation,
}

impl InTable {
    /// The associations of a table.
    pub(crate) fn of(table: &RouteTable) -> Vec<Self> {
        let route_table_id = table.route_table_id().unwrap_or_default();
        let associations = table.associations().iter().cloned();
        associations.map(|it| Self { route_table_id: route_table_id.to_owned(), it }).collect()
    }
}

/// Associations with a subnet, with a gateway, or as the VPC's main table. Cartography reads the state's message from a
/// key that AWS does not send and never sets it; Groma does.
pub(crate) static ASSOCIATION: Node<InTable> = Node {
    extra_labels: &["EC2RouteTableAssociation"],
    id: |row, _| row.it.route_table_association_id().unwrap_or_default().to_owned(),
    props: &[
        indexed("route_table_association_id", |row, _| row.it.route_table_association_id().into()),
        prop("target", |row, _| target(&row.it).unwrap_or("main").into()),
        prop("gateway_id", |row, _| row.it.gateway_id().into()),
        prop("main", |row, _| row.it.main().unwrap_or(false).into()),
        prop("route_table_id", |row, _| (&row.route_table_id).into()),
        prop("subnet_id", |row, _| row.it.subnet_id().into()),
        prop("association_state", |row, _| Value::text(row.it.association_state().and_then(|it| it.state()))),
        prop("association_state_message", |row, _| {
            row.it.association_state().and_then(|it| it.status_message()).into()
        }),
        prop("region", |_, place| (&place.region).into()),
    ],
    edges: &[
        Edge::account(),
        Edge::out("ASSOCIATED_SUBNET", "AWSEC2Subnet", "subnetid", |row, _| one(row.it.subnet_id())),
        // A virtual private gateway is not an internet gateway, and gets no edge.
        Edge::out("ASSOCIATED_IGW_FOR_INGRESS", "AWSInternetGateway", "id", |row, _| {
            one(row.it.gateway_id().filter(|id| id.starts_with("igw-")))
        }),
    ],
    ..Node::of("AWSEC2RouteTableAssociation")
};

/// Whether its table is the VPC's main table: it names neither subnet nor gateway.
pub(crate) fn is_main(it: &RouteTableAssociation) -> bool {
    target(it).is_none()
}

fn target(it: &RouteTableAssociation) -> Option<&str> {
    let there = |id: &&str| !id.is_empty();
    it.subnet_id().filter(there).or(it.gateway_id().filter(there))
}

#[cfg(test)]
mod tests {
    use super::{ASSOCIATION, InTable, RouteTableAssociation};
    use aws_sdk_ec2::types::RouteTableAssociationState;
    use collector::testing::render;
    use expect_test::expect;

    fn in_table(it: RouteTableAssociation) -> InTable {
        InTable { route_table_id: "rtb-1".into(), it }
    }

    #[test]
    fn a_full_association_leaves_nothing_null() {
        // No real association has both a subnet and a gateway.
        let state =
            RouteTableAssociationState::builder().state("failed".into()).status_message("no such subnet").build();
        let association = RouteTableAssociation::builder()
            .route_table_association_id("rtbassoc-1")
            .subnet_id("subnet-1")
            .gateway_id("igw-1")
            .main(false)
            .association_state(state)
            .build();
        expect![[r#"
            (:AWSEC2RouteTableAssociation:EC2RouteTableAssociation {id: "rtbassoc-1"})
              route_table_association_id (indexed) = "rtbassoc-1"
              target = "subnet-1"
              gateway_id = "igw-1"
              main = false
              route_table_id = "rtb-1"
              subnet_id = "subnet-1"
              association_state = "failed"
              association_state_message = "no such subnet"
              region = "us-east-1"
              <-[:RESOURCE]-(:AWSAccount {id: "111111111111"})
              -[:ASSOCIATED_SUBNET]->(:AWSEC2Subnet {subnetid: "subnet-1"})
              -[:ASSOCIATED_IGW_FOR_INGRESS]->(:AWSInternetGateway {id: "igw-1"})
        "#]]
        .assert_eq(&render(&ASSOCIATION, &in_table(association), &[]));
    }

    #[test]
    fn the_main_association_has_neither_subnet_nor_gateway() {
        let association = RouteTableAssociation::builder().route_table_association_id("rtbassoc-1").main(true).build();
        let absent = ["gateway_id", "subnet_id", "association_state", "association_state_message"];
        expect![[r#"
            (:AWSEC2RouteTableAssociation:EC2RouteTableAssociation {id: "rtbassoc-1"})
              route_table_association_id (indexed) = "rtbassoc-1"
              target = "main"
              gateway_id = null
              main = true
              route_table_id = "rtb-1"
              subnet_id = null
              association_state = null
              association_state_message = null
              region = "us-east-1"
              <-[:RESOURCE]-(:AWSAccount {id: "111111111111"})
        "#]]
        .assert_eq(&render(&ASSOCIATION, &in_table(association), &absent));
    }
}
