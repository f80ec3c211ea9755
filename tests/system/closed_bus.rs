//! A NATS closed by `groma nats init`: each role can do its work on it, and nothing else.

#![allow(clippy::disallowed_methods, reason = "an intruder does not use our crate")]

use crate::world::{World, groma, run};
use async_nats::{ConnectOptions, RequestErrorKind, jetstream};
use bus::{Bus, BusConfig, Subscription};
use futures::StreamExt;
use std::{
    collections::BTreeSet,
    fs::{self, File},
    path::PathBuf,
    time::Duration,
};
use testkit::{Nats, Size};
use tokio::{
    process::{Child, Command},
    time::timeout,
};

/// Longer than a message takes from one client to another.
const MOMENT: Duration = Duration::from_millis(300);
/// A parameter of the organization.
const PARAMETER: &str = "/orders/password";

/// A server as `groma nats init` configures it.
pub(crate) struct ClosedBus {
    nats: Nats,
}

impl ClosedBus {
    pub(crate) async fn start() -> Self {
        // As in every process of Groma: TLS needs a cryptography provider.
        process::init(&process::LogArgs::default());
        let nats = Nats::configured(|dir, port| {
            let bus = dir.join("bus");
            let mut init = std::process::Command::new(env!("CARGO_BIN_EXE_groma"));
            init.args(["nats", "init", "--listen", &format!("127.0.0.1:{port}"), "--dir"]).arg(&bus);
            let output = init.output()?;
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            Ok(bus.join("nats.conf"))
        });
        Self { nats: nats.await.expect("nats-server takes the configuration as it is written") }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.nats.dir().join("bus").join(name)
    }

    fn url(&self) -> String {
        format!("tls://localhost:{}", self.nats.port())
    }

    fn seed(&self, role: &str) -> String {
        fs::read_to_string(self.file(&format!("keys/{role}.nk"))).expect("the role has a key")
    }

    /// Sets a command's connection to the bus as this role.
    pub(crate) fn admit(&self, command: &mut Command, role: &str) {
        command.env("NATS_URL", self.url()).env("NATS_CA", self.file("tls/ca.pem"));
        command.env("NATS_NKEY", self.file(&format!("keys/{role}.nk")));
    }

    pub(crate) fn config(&self, role: &str) -> BusConfig {
        BusConfig {
            nkey_file: Some(self.file(&format!("keys/{role}.nk"))),
            ca_file: Some(self.file("tls/ca.pem")),
            ..BusConfig::new(self.url(), format!("test-{role}"))
        }
    }

    /// A scheduler that has just started, with one message on each of its streams.
    pub(crate) async fn prepared(&self) -> Bus {
        let bus = Bus::connect(&self.config("scheduler")).await.expect("the scheduler may connect");
        bus.ensure_streams().await.expect("the scheduler makes the streams");
        for subscription in [
            Subscription::work("ec2", bus::ACK_WAIT),
            Subscription::work("iam", bus::ACK_WAIT),
            Subscription::assets(bus::GRAPH_WRITER, bus::ACK_WAIT),
            Subscription::collected(bus::GRAPH_WRITER, bus::ACK_WAIT),
        ] {
            bus.consume(subscription).await.expect("the scheduler makes the consumers");
        }
        for subject in ["groma.v1.work.iam.1.global.s", "groma.v1.assets.s.1.global.iam.ListUsers.started"] {
            bus.publish(bus::Outgoing::new(subject.into(), subject.into(), "x")).await.expect("it is the scheduler's");
        }
        bus
    }

    /// Connects a custom client with a role's key.
    async fn intruder(&self, role: &str) -> async_nats::Client {
        let options = ConnectOptions::with_nkey(self.seed(role)).add_root_certificates(self.file("tls/ca.pem"));
        let client = options.connect(self.url()).await;
        client.expect("the key opens the server")
    }
}

/// Name, number of messages and number of consumers of each stream.
async fn contents(bus: &Bus) -> Vec<(String, u64, usize)> {
    let streams = bus.stream_summaries().await.expect("the streams are there");
    streams.into_iter().map(|stream| (stream.name, stream.messages, stream.consumers.len())).collect()
}

/// Whether a request on this subject reaches any client.
async fn reaches(client: &async_nats::Client, subject: &str) -> bool {
    match timeout(Duration::from_secs(2), client.request(subject.to_owned(), "{}".into())).await {
        Ok(Err(error)) if error.kind() == RequestErrorKind::NoResponders => false,
        Ok(Ok(_)) | Err(_) => true,
        Ok(Err(error)) => panic!("{subject}: {error}"),
    }
}

#[tokio::test]
async fn every_role_reaches_what_it_needs_and_nothing_else() {
    let closed = ClosedBus::start().await;
    let scheduler = closed.prepared().await;
    let before = contents(&scheduler).await;
    // The operator may publish these, because they may be parked: see below.
    let streamed = [
        "groma.v1.sync.s.started",
        "groma.v1.sync.s.collected",
        "groma.v1.work.ec2.1.eu-west-1.s",
        "groma.v1.assets.s.1.global.iam.ListUsers.batch",
        "groma.v1.sync.s.reported.iam",
    ];
    let everybodys = [
        "groma.v1.parked.GROMA_PARKED",
        "groma.broker.v1.lease.iam.111111111111",
        "$JS.API.STREAM.PURGE.GROMA_ASSETS",
        "$JS.API.STREAM.DELETE.GROMA_ASSETS",
        "$JS.API.STREAM.CREATE.MINE",
        "$JS.API.STREAM.UPDATE.GROMA_ASSETS",
        "$JS.API.STREAM.NAMES",
        "$JS.API.STREAM.MSG.DELETE.GROMA_ASSETS",
        "$JS.API.STREAM.MSG.GET.GROMA_WORK",
        "$JS.API.STREAM.PURGE.GROMA_PARKED",
        "$JS.API.CONSUMER.CREATE.GROMA_ASSETS.mine.groma.v1.assets.>",
        "$JS.API.CONSUMER.CREATE.GROMA_SYNCS.mine.groma.v1.sync.>",
        "$JS.API.CONSUMER.DURABLE.CREATE.GROMA_WORK.mine",
        "$JS.API.CONSUMER.DELETE.GROMA_ASSETS.graph-writer",
        "$JS.API.CONSUMER.MSG.NEXT.GROMA_WORK.collector-iam",
        "$JS.API.DIRECT.GET.GROMA_SYNCS",
        "groma.graph.v1.newest-tag",
        "$JS.ACK.GROMA_WORK.collector-iam.1.1.1.1.1",
        "GROMA.API.STREAM.DELETE.GROMA_ASSETS",
        "$SYS.REQ.SERVER.PING",
    ];
    for role in ["collector-ec2", "graph-writer", "broker", "operator"] {
        let intruder = closed.intruder(role).await;
        let streamed = streamed.iter().filter(|_| role != "operator");
        for subject in everybodys.iter().chain(streamed) {
            assert!(!reaches(&intruder, subject).await, "{role} reaches {subject}");
        }
    }
    for (role, subject) in [
        ("collector-ec2", "groma.v1.sync.s.finished"),
        ("collector-ec2", "groma.broker.v1.accounts"),
        ("collector-ec2", "$JS.API.STREAM.INFO.GROMA_ASSETS"),
        ("collector-ec2", "$JS.API.DIRECT.GET.GROMA_ASSETS"),
        ("collector-ec2", "$JS.API.STREAM.MSG.GET.GROMA_ASSETS"),
        ("operator", "$JS.API.STREAM.MSG.GET.GROMA_ASSETS"),
        ("collector-ec2", "$JS.API.CONSUMER.MSG.NEXT.GROMA_ASSETS.graph-writer"),
        ("graph-writer", "groma.broker.v1.lease.ec2.111111111111"),
        ("graph-writer", "groma.v1.assets.s.1.eu-west-1.ec2.DescribeVpcs.batch"),
        ("graph-writer", "$JS.API.CONSUMER.MSG.NEXT.GROMA_WORK.collector-ec2"),
        ("operator", "$JS.API.DIRECT.GET.GROMA_ASSETS"),
        ("operator", "$JS.API.STREAM.MSG.DELETE.GROMA_WORK"),
        ("operator", "groma.broker.v1.accounts"),
        ("collector-ec2", "$JS.API.STREAM.MSG.GET.GROMA_PARKED"),
        ("graph-writer", "$JS.API.STREAM.MSG.DELETE.GROMA_PARKED"),
        ("broker", "$JS.API.STREAM.INFO.GROMA_ASSETS"),
    ] {
        assert!(!reaches(&closed.intruder(role).await, subject).await, "{role} reaches {subject}");
    }
    assert_eq!(contents(&scheduler).await, before, "nothing was added, taken or removed");
    // Proves that the subjects above fail for lack of permission only.
    for (role, subject) in [
        ("collector-ec2", "groma.v1.assets.s.1.eu-west-1.ec2.DescribeVpcs.batch"),
        ("collector-ec2", "groma.v1.sync.s.reported.ec2"),
        ("collector-ec2", "$JS.API.CONSUMER.INFO.GROMA_WORK.collector-ec2"),
        ("graph-writer", "groma.v1.sync.s.finished"),
        ("graph-writer", "$JS.API.DIRECT.GET.GROMA_ASSETS"),
        ("graph-writer", "$JS.API.STREAM.MSG.GET.GROMA_ASSETS"),
        ("operator", "$JS.API.STREAM.INFO.GROMA_ASSETS"),
        ("operator", "$JS.API.STREAM.MSG.GET.GROMA_PARKED"),
        ("operator", "groma.v1.work.ec2.1.eu-west-1.s"),
    ] {
        assert!(reaches(&closed.intruder(role).await, subject).await, "{role} does not reach {subject}");
    }
}

#[tokio::test]
async fn nobody_overhears_or_answers_in_anothers_name() {
    let closed = ClosedBus::start().await;
    let _scheduler = closed.prepared().await;
    let mut overheard = Vec::new();
    for role in ["collector-iam", "graph-writer", "operator", "broker"] {
        let spy = closed.intruder(role).await;
        let ears = spy.subscribe(">").await.expect("one may listen in one's own account");
        let false_broker = spy.queue_subscribe("groma.broker.v1.lease.>", "broker".into()).await.expect("the same");
        spy.flush().await.expect("the server has both");
        overheard.push((role, spy, ears, false_broker));
    }
    let collector = closed.intruder("collector-ec2").await;
    let asked = collector.request("groma.broker.v1.lease.ec2.111111111111", "who hears this?".into());
    assert!(
        timeout(MOMENT, asked).await.is_err(),
        "only the one with the broker's key heard, and does not answer here"
    );
    assert!(reaches(&collector, "groma.v1.assets.s.1.eu-west-1.ec2.DescribeVpcs.batch").await);
    for (role, _spy, ears, false_broker) in &mut overheard {
        let heard = timeout(MOMENT, ears.next()).await.ok().flatten().map(|message| message.subject.to_string());
        let expected = (*role == "broker").then(|| "groma.broker.v1.lease.ec2.111111111111".to_owned());
        assert_eq!(heard, expected, "{role} overhears");
        assert_eq!(timeout(MOMENT, false_broker.next()).await.is_ok(), *role == "broker", "{role} is asked");
    }
}

/// The server publishes an answer to any reply subject that the client chooses, and an empty one deletes a stream.
#[tokio::test]
async fn an_answer_cannot_be_aimed_at_the_streams() {
    let closed = ClosedBus::start().await;
    let scheduler = closed.prepared().await;
    let before = contents(&scheduler).await;
    let collector = closed.intruder("collector-ec2").await;
    let next = "$JS.API.CONSUMER.MSG.NEXT.GROMA_WORK.collector-ec2";
    for target in [
        "$JS.API.STREAM.DELETE.GROMA_ASSETS",
        "GROMA.API.STREAM.DELETE.GROMA_ASSETS",
        "groma.v1.assets.s.1.global.iam.ListUsers.batch",
        "groma.v1.sync.s.collected",
    ] {
        let pull = r#"{"batch": 1, "no_wait": true}"#;
        collector.publish_with_reply(next, target, pull.into()).await.expect("it is sent");
    }
    collector.flush().await.expect("the server has them");
    tokio::time::sleep(MOMENT).await;
    assert_eq!(contents(&scheduler).await, before);

    // Within one account this works in spite of user permissions, so each role has its own account.
    let owner = closed.intruder("scheduler").await;
    owner
        .publish_with_reply(next, "$JS.API.STREAM.DELETE.GROMA_PARKED", r#"{"no_wait": true}"#.into())
        .await
        .expect("sent");
    owner.flush().await.expect("the server has it");
    tokio::time::sleep(MOMENT).await;
    let gone = jetstream::new(owner).get_stream("GROMA_PARKED").await;
    assert!(gone.is_err(), "the server no longer does this: accounts are still right, this note is not");
}

#[tokio::test]
async fn without_a_key_or_the_right_authority_there_is_no_way_in() {
    let closed = ClosedBus::start().await;
    let stranger = BusConfig { nkey_file: None, ..closed.config("scheduler") };
    assert!(Bus::connect(&stranger).await.is_err(), "no key");
    let gullible = BusConfig { ca_file: None, ..closed.config("scheduler") };
    assert!(Bus::connect(&gullible).await.is_err(), "a certificate that nobody vouches for");
    let other_key = closed.nats.dir().join("other.nk");
    let seed = nkeys::KeyPair::new_user().seed().expect("a seed");
    fs::write(&other_key, seed).expect("it can be written");
    let other = BusConfig { nkey_file: Some(other_key), ..closed.config("scheduler") };
    assert!(Bus::connect(&other).await.is_err(), "a key of nobody's");
}

/// Roles as processes, each with its own key and the most detailed log level.
struct Cluster<'a> {
    world: &'a World,
    closed: &'a ClosedBus,
    running: Vec<Child>,
}

impl Cluster<'_> {
    fn command(&self, role: &str, arguments: &[&str]) -> Command {
        let needs_graph = role == "graph-writer" || arguments.contains(&"status");
        let mut command = groma(arguments);
        if needs_graph {
            command.envs(self.world.graph_env());
        }
        if role == "broker" {
            command.envs(&self.world.organization.env);
        }
        self.closed.admit(&mut command, role);
        command.env("GROMA_LOG", "trace");
        command
    }

    fn log(&self, role: &str) -> PathBuf {
        self.closed.nats.dir().join(format!("{role}.log"))
    }

    fn start(&mut self, role: &str, arguments: &[&str]) {
        let log = File::create(self.log(role)).expect("a log can be written");
        let mut command = self.command(role, arguments);
        command.stdout(log.try_clone().expect("one more handle")).stderr(log);
        self.running.push(command.spawn().expect("groma starts"));
    }

    async fn stop(&mut self) {
        for child in &mut self.running {
            child.kill().await.expect("it runs");
        }
    }
}

#[tokio::test]
async fn a_sync_on_a_closed_bus_is_complete_and_shows_no_secret() {
    let world = World::of(Size::Small).await;
    let closed = ClosedBus::start().await;
    let mut cluster = Cluster { world: &world, closed: &closed, running: Vec::new() };
    let services: Vec<_> = catalog::services().iter().map(|service| service.name.as_str()).collect();
    for service in &services {
        cluster.start(&format!("collector-{service}"), &["collector", service]);
    }
    cluster.start("broker", &["broker", "--accounts", "profiles", "--lease-own-identity"]);
    cluster.start("graph-writer", &["graph-writer"]);
    // Errors must not show secrets either.
    let refused = serde_json::json!({"service": "ec2", "action": "DescribeVolumes", "code": "UnauthorizedOperation",
        "status": 403, "message": "You are not authorized"});
    world.aws.fault(refused).await.expect("moto takes a rule");
    let first = run(cluster.command("scheduler", &["scheduler"])).await;
    assert_eq!(first.status, 3, "{}", tail(&first.stderr));
    let status = run(cluster.command("operator", &["status"])).await;
    assert_eq!(status.status, 3, "{}\n{}", status.stdout, tail(&status.stderr));
    for line in [
        "last survey: ",
        "DescribeSnapshots and 1 more listing",
        "last complete survey of everything: none on this bus",
    ] {
        assert!(status.stdout.contains(line), "{line} is not in {}", status.stdout);
    }
    world.aws.clear_faults().await.expect("moto forgets it");
    let second = run(cluster.command("scheduler", &["scheduler"])).await;
    assert_eq!(second.status, 0, "{}", tail(&second.stderr));
    let status = run(cluster.command("operator", &["status", "--json"])).await;
    assert_eq!(status.status, 0, "{}\n{}", status.stdout, tail(&status.stderr));
    let known = status.json();
    assert_eq!(known["bus"]["last_survey"]["complete"], true, "{known}");
    assert_eq!(
        (&known["graph"]["incomplete"], &known["bus"]["unfinished_syncs"]),
        (&serde_json::json!(0), &serde_json::json!([])),
        "{known}"
    );
    crate::roles::the_graph_is_what_aws_holds(&world).await;
    let streams = run(cluster.command("operator", &["streams"])).await;
    assert_eq!(streams.status, 0, "{}", tail(&streams.stderr));
    cluster.stop().await;

    let secrets = secrets(&world, &closed, &services).await;
    assert!(secrets.len() > 20, "there were sessions");
    let mut said: Vec<(String, Vec<u8>)> = vec![
        ("scheduler".into(), [first.stdout, first.stderr, second.stdout, second.stderr].concat().into_bytes()),
        ("status".into(), [status.stdout, status.stderr].concat().into_bytes()),
        ("streams".into(), [streams.stdout, streams.stderr].concat().into_bytes()),
        ("nats-server".into(), fs::read(closed.nats.dir().join("nats-server.log")).expect("it has a log")),
        ("nats.conf".into(), fs::read(closed.file("nats.conf")).expect("it is there")),
        ("accounts.conf".into(), fs::read(closed.file("accounts.conf")).expect("it is there")),
    ];
    let collectors = services.iter().map(|service| format!("collector-{service}"));
    for role in collectors.chain(["broker".into(), "graph-writer".into()]) {
        let log = fs::read(cluster.log(&role)).expect("it has a log");
        assert!(log.len() > 1_000, "{role} logged all there is to log");
        said.push((role, log));
    }
    said.extend(stored(&closed).await);
    let everything = "MATCH (n) OPTIONAL MATCH (n)-[r]->() RETURN properties(n) AS n, properties(r) AS r";
    let graph = serde_json::to_vec(&world.neo4j.rows(everything).await.expect("the graph can be read")).expect("JSON");
    assert!(holds(&graph, PARAMETER.as_bytes()), "parameters have their names");
    said.push(("the graph".into(), graph));
    for (place, bytes) in &said {
        let shown = secrets.iter().find(|secret| holds(bytes, secret.as_bytes()));
        assert!(shown.is_none(), "{place} shows {}…", &shown.map_or("", |secret| &secret[..6]));
    }
}

/// All secrets: of sessions, of the hub, of Neo4j and of the roles, and those in the accounts.
async fn secrets(world: &World, closed: &ClosedBus, services: &[&str]) -> BTreeSet<String> {
    let sessions = world.aws.sessions().await.expect("moto remembers");
    let mut secrets: BTreeSet<String> = sessions.into_iter().flat_map(|[_, secret, token]| [secret, token]).collect();
    let files = fs::read_to_string(world.organization.dir.join("credentials")).expect("the hub's key");
    let keys = files.lines().filter(|line| line.starts_with("aws_secret_access_key"));
    let before = secrets.len();
    secrets.extend(keys.filter_map(|line| line.split('=').nth(1)).map(|key| key.trim().to_owned()));
    assert!(secrets.len() > before, "the hub has a key");
    secrets.insert(world.neo4j.password().to_owned());
    let planted = world.organization.planted.clone();
    assert!(value_of_parameter(world).await.contains(&planted), "it is in the accounts");
    secrets.insert(planted);
    let collectors = services.iter().map(|service| format!("collector-{service}"));
    let roles = ["scheduler", "broker", "graph-writer", "operator"].map(str::to_owned);
    secrets.extend(collectors.chain(roles).map(|role| closed.seed(&role).trim().to_owned()));
    secrets
}

/// Value of a parameter, which only its account's owner reads.
async fn value_of_parameter(world: &World) -> String {
    let (account, region) = (world.account("alpha"), &world.organization.regions[0]);
    let parameters = serde_json::json!({"Name": PARAMETER, "WithDecryption": true});
    world.aws.call(account, region, "ssm", "get_parameter", parameters).await.expect("moto has it").to_string()
}

/// Every message of every stream: subject, headers and bytes.
async fn stored(closed: &ClosedBus) -> Vec<(String, Vec<u8>)> {
    let jetstream = jetstream::new(closed.intruder("scheduler").await);
    let mut all = Vec::new();
    for name in [bus::WORK, bus::ASSETS, bus::SYNCS, bus::PARKED] {
        let mut stream = jetstream.get_stream(name).await.expect("the stream is there");
        let state = stream.info().await.expect("the server answers").state.clone();
        for sequence in state.first_sequence..=state.last_sequence {
            if let Ok(message) = stream.direct_get(sequence).await {
                let text = format!("{} {:?}", message.subject, message.headers);
                all.push((format!("{name} {sequence}"), [text.as_bytes(), &message.payload].concat()));
            }
        }
    }
    assert!(all.len() > 50, "there was a sync");
    all
}

fn holds(bytes: &[u8], secret: &[u8]) -> bool {
    bytes.windows(secret.len()).any(|window| window == secret)
}

fn tail(text: &str) -> String {
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(30)..].join("\n")
}
