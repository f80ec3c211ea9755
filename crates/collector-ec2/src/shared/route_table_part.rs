//! Parts of a transit gateway route table.

use aws_sdk_ec2::types::TransitGatewayRouteTable;

/// A part, together with its table. AWS's response does not name the table.
#[derive(Debug, Clone)]
pub(crate) struct PartOf<T> {
    /// Id of the route table.
    pub(crate) table_id: String,
    /// Id of the table's transit gateway.
    pub(crate) transit_gateway_id: Option<String>,
    /// The route, association or propagation.
    pub(crate) part: T,
}

impl<T> PartOf<T> {
    /// A part of this table.
    pub(crate) fn new(table: &TransitGatewayRouteTable, part: T) -> Self {
        let table_id = table.transit_gateway_route_table_id().unwrap_or_default().to_owned();
        Self { table_id, transit_gateway_id: table.transit_gateway_id().map(str::to_owned), part }
    }
}
