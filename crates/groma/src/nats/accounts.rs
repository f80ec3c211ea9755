//! NATS accounts of a closed server: one for each role, connected only by the subjects of [`bus::access`].

use bus::{Access, BusIdentity, Owner};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
};

/// Time limit of the broker's replies. The broker tries the role of every account before it lists the accounts.
const BROKER_ANSWERS_WITHIN: &str = "5m";
/// Time limit of a graph-writer's replies. It retries its query for 20 s, so the limit is above the server's default of
/// 2 s.
const GRAPH_WRITER_ANSWERS_WITHIN: &str = "1m";
/// Prefix under which other roles see the scheduler's JetStream API. Under its own prefix, the server would also answer
/// for their accounts, which have no JetStream.
const API: (&str, &str) = ("$JS.API.", "GROMA.API.");

/// Roles that may send to a subject, and its kind of reply.
#[derive(Default)]
struct Export {
    many_answers: bool,
    to: BTreeSet<String>,
}

/// Renders the `accounts` block for these roles and their public keys.
pub fn render(users: &BTreeMap<BusIdentity, String>) -> String {
    let mut text = "# Written by `groma nats init`, which overwrites it. Contains only public keys.\n".to_owned();
    text.push_str("accounts {\n");
    for (identity, public_key) in users {
        account(&mut text, identity, public_key, users);
    }
    text.push_str("}\n");
    text
}

fn account(text: &mut String, identity: &BusIdentity, public_key: &str, users: &BTreeMap<BusIdentity, String>) {
    writeln!(text, "  {} {{", name(identity)).ok();
    writeln!(text, "    users: [{{ nkey: {public_key} }}]").ok();
    match identity {
        BusIdentity::Scheduler => text.push_str("    jetstream: enabled\n"),
        _ => writeln!(text, "    mappings: {{ \"{}>\": \"{}>\" }}", API.0, API.1).unwrap_or_default(),
    }
    list(text, "exports", exports(identity, users).iter().map(|(subject, export)| offered(identity, subject, export)));
    list(text, "imports", identity.accesses().iter().filter(|access| is_there(access, users)).map(wanted));
    text.push_str("  }\n");
}

fn list(text: &mut String, name: &str, lines: impl Iterator<Item = String>) {
    let lines: Vec<_> = lines.collect();
    if !lines.is_empty() {
        writeln!(text, "    {name}: [\n      {}\n    ]", lines.join("\n      ")).ok();
    }
}

/// Subjects that a role exports: its own ones to which other roles have access.
fn exports(owner: &BusIdentity, users: &BTreeMap<BusIdentity, String>) -> BTreeMap<String, Export> {
    let mut exports: BTreeMap<String, Export> = BTreeMap::new();
    for identity in users.keys() {
        for access in identity.accesses().into_iter().filter(|access| identity_of(access.owner) == *owner) {
            let export = exports.entry(access.subject).or_default();
            export.many_answers |= access.many_answers;
            export.to.insert(name(identity));
        }
    }
    exports
}

fn offered(owner: &BusIdentity, subject: &str, Export { many_answers, to }: &Export) -> String {
    let accounts = to.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
    let answers = if *many_answers { "response_type: stream, " } else { "" };
    let within = match owner {
        BusIdentity::Broker => format!("response_threshold: \"{BROKER_ANSWERS_WITHIN}\", "),
        BusIdentity::GraphWriter => format!("response_threshold: \"{GRAPH_WRITER_ANSWERS_WITHIN}\", "),
        _ => String::new(),
    };
    format!("{{ service: \"{subject}\", {answers}{within}accounts: [{accounts}] }}")
}

fn wanted(access: &Access) -> String {
    let (owner, subject) = (name(&identity_of(access.owner)), &access.subject);
    let to = subject.strip_prefix(API.0).map(|call| format!(", to: \"{}{call}\"", API.1)).unwrap_or_default();
    format!("{{ service: {{ account: {owner}, subject: \"{subject}\" }}{to} }}")
}

fn is_there(access: &Access, users: &BTreeMap<BusIdentity, String>) -> bool {
    users.contains_key(&identity_of(access.owner))
}

fn identity_of(owner: Owner) -> BusIdentity {
    match owner {
        Owner::Scheduler => BusIdentity::Scheduler,
        Owner::Broker => BusIdentity::Broker,
        Owner::GraphWriter => BusIdentity::GraphWriter,
    }
}

/// NATS account of a role, e.g. `COLLECTOR_EC2`.
fn name(identity: &BusIdentity) -> String {
    identity.name().replace('-', "_").to_uppercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_imports_what_the_owner_exports_to_it() {
        let collector = BusIdentity::Collector("ec2".to_owned());
        let users = [BusIdentity::Scheduler, BusIdentity::Broker, BusIdentity::GraphWriter, collector]
            .map(|identity| (identity, "UKEY".to_owned()))
            .into();
        let text = render(&users);
        for line in [
            r#"{ service: "groma.v1.assets.*.*.*.ec2.>", accounts: [COLLECTOR_EC2] }"#,
            r#"{ service: { account: SCHEDULER, subject: "groma.v1.assets.*.*.*.ec2.>" } }"#,
            r#"{ service: "$JS.API.CONSUMER.MSG.NEXT.GROMA_WORK.collector-ec2", response_type: stream, accounts: [COLLECTOR_EC2] }"#,
            r#"to: "GROMA.API.CONSUMER.MSG.NEXT.GROMA_WORK.collector-ec2" }"#,
            r#"{ service: "groma.broker.v1.accounts", response_threshold: "5m", accounts: [SCHEDULER] }"#,
            r#"{ service: "groma.graph.v1.newest-tag", response_threshold: "1m", accounts: [SCHEDULER] }"#,
            r#"{ service: { account: GRAPH_WRITER, subject: "groma.graph.v1.newest-tag" } }"#,
        ] {
            assert!(text.contains(line), "{line} is not in {text}");
        }
        assert_eq!(text.matches("jetstream: enabled").count(), 1);
    }

    #[test]
    fn without_a_broker_nobody_imports_from_it() {
        let users = BTreeMap::from([(BusIdentity::Scheduler, "UKEY".to_owned())]);
        assert!(!render(&users).contains("BROKER"));
    }
}
