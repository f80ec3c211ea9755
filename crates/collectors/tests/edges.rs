//! Every edge of every collector leads to nodes that a collector makes.

use collectors::ALL;
use std::collections::{BTreeMap, BTreeSet};

/// Labels that edges lead to and no collector makes, each with the reason. Edges to them are held until the label has a
/// collector.
const ELSEWHERE: &[(&str, &str)] = &[
    ("AWSECRImage", "Inspector and functions name images, and ECR has no collector yet"),
    ("AWSECRRepository", "Inspector names repositories, and ECR has no collector yet"),
    ("AWSEKSCluster", "EC2 names clusters of instances, and EKS has no collector yet"),
    ("AWSVpnGateway", "routes name VPN gateways, which Cartography does not have either"),
    ("GCPArtifactRegistryImage", "functions name images by their digest, and Cartography has those of Google Cloud"),
    ("GitHubContainerImage", "functions name images by their digest, and Cartography has those of GitHub"),
    ("GitLabContainerImage", "functions name images by their digest, and Cartography has those of GitLab"),
];

/// Properties by label: those of all tables that give their nodes this label.
fn made(tables: &[catalog::Table]) -> BTreeMap<&str, BTreeSet<&str>> {
    let mut made: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for table in tables {
        for label in table.labels() {
            let properties = table.properties.iter().map(String::as_str).chain(["id"]);
            made.entry(label).or_default().extend(properties);
        }
    }
    made
}

#[test]
fn every_edge_leads_to_a_label_and_a_property_that_a_collector_makes() {
    let services = ALL.iter().map(|collector| collector.describe());
    let tables: Vec<_> = services.flat_map(|service| service.listings).flat_map(|listing| listing.tables).collect();
    let (made, mut elsewhere) = (made(&tables), BTreeSet::new());
    for table in &tables {
        for edge in &table.edges {
            match made.get(edge.label.as_str()) {
                Some(properties) => assert!(
                    properties.contains(edge.key.as_str()),
                    "{} of {} looks for {}.{}, which no collector makes",
                    edge.kind,
                    table.label,
                    edge.label,
                    edge.key
                ),
                None => {
                    elsewhere.insert(edge.label.as_str());
                }
            }
        }
    }
    let listed: BTreeSet<_> = ELSEWHERE.iter().map(|(label, _)| *label).collect();
    assert_eq!(elsewhere, listed, "left: labels that no collector makes; right: the list with their reasons");
}
