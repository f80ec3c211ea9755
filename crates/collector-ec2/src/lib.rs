//! The EC2 collector: one file per resource type, with the table of its node, the call that lists it and its test. Knows
//! EC2, but neither the bus nor the graph database.
//!
//! Reading order: `registry` names every listing, `clients` has their clients, `subnet` is the simplest type.

mod clients;
mod registry;

// Regions.
mod regions;

// Networks.
mod cidr_block;
mod elastic_ip;
mod internet_gateway;
mod network_acl;
mod network_acl_rule;
mod network_interface;
mod private_ip;
mod route;
mod route_table;
mod route_table_association;
mod security_group;
mod security_group_rule;
mod subnet;
mod vpc;
mod vpc_endpoint;
mod vpc_peering;

// Networks of networks.
mod transit_gateway;
mod transit_gateway_association;
mod transit_gateway_attachment;
mod transit_gateway_propagation;
mod transit_gateway_route;
mod transit_gateway_route_table;

// Instances and their parts.
mod instance;
mod ipv6_address;
mod key_pair;
mod reservation;
mod reserved_instance;
mod volume;

// Sources and creators of instances.
mod auto_scaling_group;
mod image;
mod launch_configuration;
mod launch_template;
mod launch_template_version;
mod snapshot;

// Load balancers.
mod load_balancer;
mod load_balancer_listener;
mod load_balancer_v2;
mod load_balancer_v2_listener;
mod target_group;

// Code for several types.
mod shared;
use shared::{arn, by_name, existing, in_use, instance_facts, mention, noted, route_table_part};

#[cfg(test)]
mod canned;

use clients::Clients;
pub use registry::SERVICE;
