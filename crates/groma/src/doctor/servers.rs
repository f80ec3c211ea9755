//! Checks that Neo4j and NATS are reachable, recent enough and writable.

use super::{
    check::{Check, Status},
    speed,
};
use crate::sync::private_nats::PrivateNats;
use bus::Bus;
use graph::{GraphConfig, GraphError, GraphStore};
use neo4rs::Query;

/// Checks Neo4j: connection with this user, version, permission to create a constraint and a node, and settings that
/// cost speed.
pub async fn neo4j(config: &GraphConfig) -> Vec<Check> {
    let store = match GraphStore::connect(config).await {
        Ok(store) => store,
        Err(error) => return vec![unreachable(config, &error)],
    };
    let mut checks = vec![Check::ok("neo4j", &config.uri, format!("connected as user {}", config.user))];
    checks.push(version(&store, config).await);
    checks.push(rights(&store, config).await);
    checks.extend(speed::settings(&store, config).await);
    checks
}

fn unreachable(config: &GraphConfig, error: &GraphError) -> Check {
    let fix = match error {
        GraphError::TooOld { .. } => "upgrade to the long-term release of Neo4j 5, or a later one",
        GraphError::Refused { .. } => "set NEO4J_USER and NEO4J_PASSWORD to a user of this database",
        _ if config.uri.contains("+s://") => {
            "start it, or correct NEO4J_URI; if the system does not know its certificate authority, set --neo4j-ca"
        }
        _ => "start it, or correct NEO4J_URI",
    };
    Check::bad(Status::Fatal, "neo4j", &config.uri, errors::chain(error), fix)
}

async fn version(store: &GraphStore, config: &GraphConfig) -> Check {
    let text = "CALL dbms.components() YIELD name, versions, edition RETURN versions[0] AS version, edition";
    let rows = match store.rows(Query::new(text.to_owned())).await {
        Ok(rows) => rows,
        Err(error) => {
            return Check::bad(Status::Note, "neo4j version", &config.uri, errors::chain(&error), "");
        }
    };
    let column = |name: &str| rows.first().and_then(|row| row.get::<String>(name).ok());
    match (column("version"), column("edition")) {
        (Some(version), Some(edition)) => Check::ok("neo4j version", &config.uri, format!("{version}, {edition}")),
        _ => Check::bad(Status::Note, "neo4j version", &config.uri, "Neo4j does not report its version", ""),
    }
}

async fn rights(store: &GraphStore, config: &GraphConfig) -> Check {
    for text in [
        "CREATE CONSTRAINT groma_doctor IF NOT EXISTS FOR (n:GromaDoctor) REQUIRE n.id IS UNIQUE",
        "CREATE (n:GromaDoctor {id: 'trial'}) DELETE n",
        "DROP CONSTRAINT groma_doctor IF EXISTS",
    ] {
        if let Err(error) = store.rows(Query::new(text.to_owned())).await {
            let found = format!("{} (statement: {text})", errors::chain(&error));
            let fix = format!("give {} a role that may write and change the schema, such as architect", config.user);
            return Check::bad(Status::Fatal, "neo4j rights", &config.uri, found, fix);
        }
    }
    Check::ok("neo4j rights", &config.uri, "can create and remove constraints and nodes")
}

/// A private bus, on which only this process uses the broker.
pub struct Leasing {
    /// Connection to the private bus.
    pub bus: Bus,
    _private: PrivateNats,
}

/// Checks NATS: the configured server, or a private one as `groma sync` would start. Also returns a private bus for the
/// checks of accounts. On the user's bus, the doctor's broker would answer requests of running collectors.
pub async fn nats(args: &process::BusArgs) -> (Vec<Check>, Option<Leasing>) {
    let mut checks = match args.nats {
        Some(_) => named(args).await,
        None => Vec::new(),
    };
    match private(args).await {
        Ok(leasing) if args.nats.is_none() => (looked_at(&leasing.bus, "private server").await, Some(leasing)),
        Ok(leasing) => (checks, Some(leasing)),
        Err(error) => {
            let (status, fix) = match args.nats {
                Some(_) => (Status::Incomplete, "install nats-server on this machine to check accounts too"),
                None => (Status::Fatal, "install nats-server, or set --nats (NATS_URL)"),
            };
            checks.push(Check::bad(status, "nats", "private server", format!("{error:#}"), fix));
            (checks, None)
        }
    }
}

async fn named(args: &process::BusArgs) -> Vec<Check> {
    let shown = "server of --nats or NATS_URL";
    match Bus::connect(&args.config("groma-doctor")).await {
        Ok(bus) => looked_at(&bus, shown).await,
        Err(error) => {
            let fix = "start it, or correct NATS_URL, NATS_CA and NATS_NKEY or NATS_CREDS";
            vec![Check::bad(Status::Fatal, "nats", shown, errors::chain(&error), fix)]
        }
    }
}

async fn private(args: &process::BusArgs) -> anyhow::Result<Leasing> {
    let private = PrivateNats::start().await?;
    let nats = Some(private.url().to_owned());
    let args = process::BusArgs { nats, nats_creds: None, nats_nkey: None, nats_ca: None, ..args.clone() };
    let bus = Bus::connect(&args.config("groma-doctor")).await?;
    Ok(Leasing { bus, _private: private })
}

async fn looked_at(bus: &Bus, shown: &str) -> Vec<Check> {
    vec![Check::ok("nats", shown, "connected"), jetstream(bus, shown).await]
}

async fn jetstream(bus: &Bus, shown: &str) -> Check {
    if !bus.has_jetstream() {
        let fix = "add a jetstream block with a store_dir to the server's configuration";
        return Check::bad(Status::Fatal, "jetstream", shown, "JetStream is not enabled", fix);
    }
    match bus.try_storage().await {
        Ok(()) => Check::ok("jetstream", shown, "can create a stream and store messages"),
        Err(error) => {
            let fix = "free some storage, reduce --nats-replicas, or on a closed bus use the scheduler's key";
            Check::bad(Status::Fatal, "jetstream", shown, errors::chain(&error), fix)
        }
    }
}
