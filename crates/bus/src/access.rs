//! Subjects that each role of Groma may reach on a closed bus: the calls of this crate, and no other.
//!
//! On a closed bus every role has its own NATS account. Messages cross accounts only on the subjects listed here.
//! Permissions of users in one common account would not suffice: a client that pulls from a consumer chooses the reply
//! subject, and the server publishes to it with its own permissions. An empty message to `$JS.API.STREAM.DELETE.…`
//! deletes a stream. Between accounts the server replaces the reply subject with its own.

use crate::{
    stream_configs::{ASSETS, PARKED, SYNCS, WORK},
    subscription::{ACK_WAIT, GRAPH_WRITER, Subscription},
};
use events::subjects;

/// A role with its own NATS identity.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum BusIdentity {
    /// Owns the streams and their consumers. Publishes work and the beginning and end of collection.
    Scheduler,
    /// Answers requests for accounts and leases. Has no access to streams.
    Broker,
    /// Consumes the work of one service, leases its sessions, and publishes its events and reports.
    Collector(String),
    /// Consumes events, publishes the end of a sync, and answers requests for the newest tag.
    GraphWriter,
    /// A person. Sees the size of the streams, the syncs and the parked messages, and can send parked messages back. For
    /// that, the operator may publish on every stream.
    Operator,
}

/// Role that exports a subject from its NATS account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// The scheduler: streams and the JetStream API.
    Scheduler,
    /// The broker: requests for accounts and leases.
    Broker,
    /// The graph-writers: requests for the newest tag.
    GraphWriter,
}

/// A subject to which a role may send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// Role that receives the messages.
    pub owner: Owner,
    /// NATS subject or pattern.
    pub subject: String,
    /// Whether one request can have several replies.
    pub many_answers: bool,
}

impl BusIdentity {
    /// Name in files and flags, e.g. `collector-ec2`.
    pub fn name(&self) -> String {
        match self {
            Self::Scheduler => "scheduler".to_owned(),
            Self::Broker => "broker".to_owned(),
            Self::Collector(service) => format!("collector-{service}"),
            Self::GraphWriter => "graph-writer".to_owned(),
            Self::Operator => "operator".to_owned(),
        }
    }

    /// Every subject that the role may reach outside its own account.
    pub fn accesses(&self) -> Vec<Access> {
        match self {
            Self::Scheduler => {
                vec![of_broker(subjects::ACCOUNTS_REQUEST), asking(Owner::GraphWriter, subjects::NEWEST_TAG_REQUEST)]
            }
            Self::Broker => Vec::new(),
            Self::Collector(service) => of_collector(service),
            Self::GraphWriter => of_graph_writer(),
            Self::Operator => of_operator(),
        }
    }
}

fn of_collector(service: &str) -> Vec<Access> {
    let mut all = consuming(&Subscription::work(service, ACK_WAIT));
    all.extend([
        publishing(subjects::assets_of(service)),
        publishing(subjects::reports_of(service)),
        of_broker(&subjects::leases_of(service)),
    ]);
    all
}

fn of_graph_writer() -> Vec<Access> {
    let mut all = consuming(&Subscription::assets(GRAPH_WRITER, ACK_WAIT));
    all.extend(consuming(&Subscription::collected(GRAPH_WRITER, ACK_WAIT)));
    all.extend([
        publishing(subjects::syncs_of_kind("closing")),
        publishing(subjects::syncs_of_kind("finished")),
        // The writer reads held edges by sequence, from the leader if the replica lacks them, and looks up reports by
        // subject.
        api(&format!("DIRECT.GET.{ASSETS}")),
        api(&format!("STREAM.MSG.GET.{ASSETS}")),
        api(&format!("STREAM.INFO.{ASSETS}")),
        api(&format!("STREAM.MSG.GET.{SYNCS}")),
    ]);
    all
}

fn of_operator() -> Vec<Access> {
    let streams = [WORK, ASSETS, SYNCS, PARKED];
    let seeing = |stream: &&str| [api(&format!("STREAM.INFO.{stream}")), api(&format!("CONSUMER.LIST.{stream}"))];
    let mut all: Vec<_> = streams.iter().flat_map(seeing).collect();
    all.extend(["GET", "DELETE"].map(|what| api(&format!("STREAM.MSG.{what}.{PARKED}"))));
    // `groma status` reads the results of surveys and asks running syncs for their progress.
    all.extend([api(&format!("STREAM.MSG.GET.{SYNCS}")), of_scheduler(subjects::RUNNING_REQUEST.to_owned())]);
    all.extend([subjects::WORK, subjects::ASSETS, subjects::SYNCS].map(|subject| publishing(subject.to_owned())));
    all
}

/// Subjects for joining a durable consumer, pulling, settling and parking.
fn consuming(subscription: &Subscription) -> Vec<Access> {
    let Subscription { stream, durable, .. } = subscription;
    vec![
        api(&format!("CONSUMER.INFO.{stream}.{durable}")),
        Access { many_answers: true, ..api(&format!("CONSUMER.MSG.NEXT.{stream}.{durable}")) },
        of_scheduler(format!("$JS.ACK.{stream}.{durable}.>")),
        publishing(subjects::parked(stream)),
    ]
}

fn publishing(subject: String) -> Access {
    of_scheduler(subject)
}

fn api(call: &str) -> Access {
    of_scheduler(format!("$JS.API.{call}"))
}

fn of_scheduler(subject: String) -> Access {
    Access { owner: Owner::Scheduler, subject, many_answers: false }
}

fn of_broker(subject: &str) -> Access {
    asking(Owner::Broker, subject)
}

fn asking(owner: Owner, subject: &str) -> Access {
    Access { owner, subject: subject.to_owned(), many_answers: false }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn subjects_of(identity: &BusIdentity) -> BTreeSet<String> {
        identity.accesses().into_iter().map(|access| access.subject).collect()
    }

    #[test]
    fn a_collector_reaches_its_own_service_alone() {
        let (ec2, iam) =
            (subjects_of(&BusIdentity::Collector("ec2".into())), subjects_of(&BusIdentity::Collector("iam".into())));
        let shared: Vec<_> = ec2.intersection(&iam).collect();
        assert_eq!(shared, ["groma.v1.parked.GROMA_WORK"]);
    }

    #[test]
    fn a_writer_may_ask_the_leader_of_every_stream_whose_absences_it_believes() {
        let writer = subjects_of(&BusIdentity::GraphWriter);
        for stream in [ASSETS, SYNCS] {
            assert!(writer.contains(&format!("$JS.API.STREAM.MSG.GET.{stream}")), "{stream}");
        }
    }

    #[test]
    fn nobody_reaches_the_same_subject_twice() {
        // The server would deliver a request twice if two patterns covered its subject.
        for identity in [BusIdentity::Collector("ec2".into()), BusIdentity::GraphWriter, BusIdentity::Operator] {
            assert_eq!(subjects_of(&identity).len(), identity.accesses().len(), "{identity:?}");
            assert!(identity.accesses().iter().all(|it| !it.subject.contains('*') || !it.subject.starts_with("$JS")));
        }
    }
}
