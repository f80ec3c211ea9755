//! The EC2 collector: one file per resource type, each a table of what the graph gets, the call that lists it and its
//! test. Knows EC2 and nothing of the bus or the graph database.
//!
//! Reading order: [`registry`] names every listing, [`clients`] what they call, [`subnet`] is the plainest type.

pub mod clients;
pub mod registry;

// Where to look.
pub mod regions;

// Networks.
pub mod cidr_block;
pub mod elastic_ip;
pub mod internet_gateway;
pub mod network_acl;
pub mod network_acl_rule;
pub mod network_interface;
pub mod private_ip;
pub mod route;
pub mod route_table;
pub mod route_table_association;
pub mod security_group;
pub mod security_group_rule;
pub mod subnet;
pub mod vpc;
pub mod vpc_endpoint;
pub mod vpc_peering;

// Networks of networks.
pub mod transit_gateway;
pub mod transit_gateway_association;
pub mod transit_gateway_attachment;
pub mod transit_gateway_propagation;
pub mod transit_gateway_route;
pub mod transit_gateway_route_table;

// Instances and what belongs to them.
pub mod instance;
pub mod instance_facts;
pub mod ipv6_address;
pub mod key_pair;
pub mod reservation;
pub mod reserved_instance;
pub mod volume;

// What instances are made from, and what makes them.
pub mod auto_scaling_group;
pub mod image;
pub mod launch_configuration;
pub mod launch_template;
pub mod launch_template_version;
pub mod snapshot;

// What stands before instances.
pub mod load_balancer;
pub mod load_balancer_listener;
pub mod load_balancer_v2;
pub mod load_balancer_v2_listener;
pub mod target_group;

// What several types share.
pub mod arn;
pub mod by_name;
pub mod existing;
pub mod in_use;
pub mod mention;

#[cfg(test)]
mod canned;

pub use clients::Clients;
pub use registry::SERVICE;
