//! Roles as separate processes over one NATS, some of them killed.

use crate::{
    inventory,
    world::{World, run},
};
use bus::{Bus, BusConfig, SYNCS};
use std::{process::Stdio, time::Duration};
use testkit::{Nats, Size};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

pub(crate) struct Cluster<'a> {
    pub(crate) world: &'a World,
    pub(crate) nats: Nats,
}

impl Cluster<'_> {
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.world.groma(arguments);
        command.env("NATS_URL", self.nats.url());
        command
    }

    pub(crate) fn start(&self, arguments: &[&str]) -> Child {
        self.command(arguments).spawn().expect("groma starts")
    }

    pub(crate) fn collectors(&self) -> Vec<Child> {
        catalog::services().iter().map(|service| self.start(&["collector", &service.name])).collect()
    }
}

pub(crate) async fn the_graph_is_what_aws_holds(world: &World) {
    let held = inventory::of_aws(world).await;
    for (label, nodes) in &held.nodes {
        let properties = inventory::properties_of(label);
        assert_eq!(inventory::nodes_of_graph(world, label, &properties).await, *nodes, "{label}");
    }
}

#[tokio::test]
async fn every_role_alone_makes_the_same_graph() {
    let world = World::of(Size::Small).await;
    let cluster = Cluster { world: &world, nats: Nats::start().await.expect("nats-server starts") };
    let mut roles = cluster.collectors();
    roles.push(cluster.start(&["broker", "--accounts", "profiles", "--lease-own-identity"]));
    roles.push(cluster.start(&["graph-writer"]));
    let ran = run(cluster.command(&["scheduler"])).await;
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    the_graph_is_what_aws_holds(&world).await;

    let streams = run(cluster.command(&["streams"])).await;
    assert_eq!(streams.status, 0, "{}", streams.stderr);
    for name in ["GROMA_WORK", "GROMA_ASSETS", "GROMA_SYNCS", "GROMA_PARKED", "graph-writer", "collector-ec2"] {
        assert!(streams.stdout.contains(name), "{name} is not in {}", streams.stdout);
    }
}

#[tokio::test]
async fn one_process_collects_every_service() {
    let world = World::of(Size::Small).await;
    let cluster = Cluster { world: &world, nats: Nats::start().await.expect("nats-server starts") };
    let services = catalog::services().iter().map(|service| service.name.as_str());
    let _collector = cluster.start(&["collector"].into_iter().chain(services).collect::<Vec<_>>());
    let _broker = cluster.start(&["broker", "--accounts", "profiles", "--lease-own-identity"]);
    let _writer = cluster.start(&["graph-writer"]);
    let ran = run(cluster.command(&["scheduler"])).await;
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    the_graph_is_what_aws_holds(&world).await;
}

#[tokio::test]
async fn a_killed_writer_and_a_killed_collector_change_nothing() {
    let world = World::of(Size::Small).await;
    world.aws.control("latency", serde_json::json!({"milliseconds": 30})).await.expect("moto slows down");
    let cluster = Cluster { world: &world, nats: Nats::start().await.expect("nats-server starts") };
    let mut roles = cluster.collectors();
    let _broker = cluster.start(&["broker", "--accounts", "profiles", "--lease-own-identity"]);
    let mut writer = cluster.start(&["graph-writer"]);
    let scheduler = tokio::spawn(run(cluster.command(&["scheduler"])));
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    let ec2 = catalog::services().iter().position(|service| service.name == "ec2").expect("it has a collector");
    roles[ec2].kill().await.expect("the collector can be killed");
    writer.kill().await.expect("the writer can be killed");
    let _collector = cluster.start(&["collector", "ec2"]);
    let _writer = cluster.start(&["graph-writer"]);
    let ran = scheduler.await.expect("the scheduler ends");
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    the_graph_is_what_aws_holds(&world).await;
}

#[tokio::test]
async fn a_second_sync_of_the_same_scope_does_not_begin() {
    let world = World::of(Size::Small).await;
    let cluster = Cluster { world: &world, nats: Nats::start().await.expect("nats-server starts") };
    let bus = Bus::connect(&BusConfig::new(cluster.nats.url(), "test")).await.expect("it is there");
    bus.ensure_streams().await.expect("the streams are made");
    let _broker = cluster.start(&["broker", "--accounts", "profiles", "--lease-own-identity"]);
    // Without a collector, it runs until it is killed.
    let mut first = cluster.start(&["scheduler", "--services", "iam"]);
    let sync = started(&bus, 1).await;

    let second = run(cluster.command(&["scheduler"])).await;
    assert_eq!(second.status, 1, "{}", second.stderr);
    assert!(second.stderr.contains("is running") && second.stderr.contains(&sync), "{sync}: {}", second.stderr);
    let mut repeating = cluster.command(&["scheduler", "--every", "1s"]);
    let mut repeating = repeating.stderr(Stdio::piped()).spawn().expect("groma starts");
    let mut lines = BufReader::new(repeating.stderr.take().expect("it is piped")).lines();
    let said = loop {
        let line = lines.next_line().await.expect("it can be read").expect("it goes on");
        if line.contains("skipped") {
            break line;
        }
    };
    assert!(said.contains(&sync), "{said}");
    repeating.kill().await.expect("it runs");

    let mut other = cluster.start(&["scheduler", "--services", "ec2"]);
    started(&bus, 2).await;
    first.kill().await.expect("it runs");
    let _next = cluster.start(&["scheduler", "--services", "iam"]);
    started(&bus, 3).await;
    other.kill().await.expect("it runs");
}

/// Waits until this many syncs have begun, and returns the last one's id.
async fn started(bus: &Bus, count: usize) -> String {
    loop {
        let mut found = Vec::new();
        let mut place = 0;
        while let Some(it) = bus.next_on(SYNCS, "groma.v1.sync.*.started", place).await.expect("the server answers") {
            place = it.sequence;
            found.push(it.subject.split('.').nth(3).expect("a sync").to_owned());
        }
        if found.len() >= count {
            return found.remove(count - 1);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
