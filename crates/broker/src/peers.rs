//! Other brokers on the bus. They share requests, so each must know the same accounts: with different configurations a sync
//! would miss accounts depending on which broker answers.
//!
//! Every broker tells the others its configuration when it starts and regularly from then on. Of two that differ, the
//! younger one does not serve: one that starts waits for the older one to end, as in a rolling update, and then gives up; one
//! that serves already ends. Brokers of two versions may differ although their settings are the same.

use crate::{aws::Aws, config::Scope, plan::Planner, profiles::Profiles};
use anyhow::bail;
use bus::{Bus, Served};
use events::{BrokerPresent, Message, subjects};
use futures::{Stream, StreamExt};
use sha2::{Digest, Sha256};
use std::{
    pin::Pin,
    time::{Duration, Instant},
};
use tokio::time::{MissedTickBehavior, interval, timeout};

/// Time between two announcements of a broker.
const ANNOUNCE_EVERY: Duration = Duration::from_secs(15);
/// How long the others may take to answer the announcement of one that starts.
const SETTLE: Duration = Duration::from_millis(500);
/// How long one that starts waits for a differing one to end: the termination grace period of a Kubernetes pod, twice.
const PATIENCE: Duration = Duration::from_mins(2);
/// Limit of a call that finds out whose the caller's credentials are.
const IDENTITY: Duration = Duration::from_secs(10);

/// What this broker hears of the others, and tells them.
pub struct Peers {
    bus: Bus,
    present: BrokerPresent,
    heard: Pin<Box<dyn Stream<Item = Served> + Send>>,
}

impl Peers {
    /// Waits until no older broker on the bus has another configuration.
    ///
    /// # Errors
    /// One still has after two minutes; or the bus cannot be used.
    pub async fn join(bus: &Bus, aws: &Aws, scope: &Scope) -> anyhow::Result<Self> {
        let broker_id = ulid::Ulid::generate().to_string();
        // A queue of its own, so that every broker hears every other.
        let heard = Box::pin(bus.serve(subjects::BROKER_PRESENT, &broker_id).await?);
        let present = BrokerPresent { broker_id, ..BrokerPresent::default() };
        let mut peers = Self { bus: bus.clone(), present, heard };
        let began = Instant::now();
        while let Some(other) = peers.settle(aws, scope).await {
            if began.elapsed() >= PATIENCE {
                bail!("{}", sentence(&other));
            }
            tracing::warn!(other = other.broker_id, "waiting: {}", sentence(&other));
        }
        Ok(peers)
    }

    /// Announces this broker, and listens for an answer of an older one that differs.
    async fn settle(&mut self, aws: &Aws, scope: &Scope) -> Option<BrokerPresent> {
        self.announce(aws, scope).await;
        let until = tokio::time::Instant::now() + SETTLE;
        let mut older = None;
        while let Ok(Some(message)) = tokio::time::timeout_at(until, self.heard.next()).await {
            older = older.or(self.read(&message).await);
        }
        older
    }

    /// Announces this broker regularly.
    ///
    /// # Errors
    /// An older one has another configuration: this one must not serve any longer.
    pub async fn watch(mut self, aws: &Aws, scope: &Scope) -> anyhow::Result<()> {
        let mut tick = interval(ANNOUNCE_EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = tick.tick() => {
                    // Not before it serves: AWS may be slow.
                    if self.present.caller_account.is_empty() {
                        let found = timeout(IDENTITY, caller_account(aws, scope)).await.ok().flatten();
                        self.present.caller_account = found.unwrap_or_default();
                    }
                    self.announce(aws, scope).await;
                }
                message = self.heard.next() => {
                    // At the end of the connection the broker ends by itself.
                    let Some(message) = message else { return std::future::pending().await };
                    let Some(other) = self.read(&message).await else { continue };
                    // Files may have changed on both sides, and the other one has noticed first.
                    self.announce(aws, scope).await;
                    if differ(&self.present, &other) {
                        bail!("{}", sentence(&other));
                    }
                }
            }
        }
    }

    /// An older broker that differs. A younger one is told of this one at once.
    async fn read(&mut self, message: &Served) -> Option<BrokerPresent> {
        let other = BrokerPresent::decode(message.payload.clone()).ok()?;
        if other.broker_id == self.present.broker_id || !differ(&self.present, &other) {
            return None;
        }
        if other.broker_id < self.present.broker_id {
            return Some(other);
        }
        tracing::warn!(other = other.broker_id, "a broker with another configuration has started and should not serve");
        self.tell().await;
        None
    }

    async fn announce(&mut self, aws: &Aws, scope: &Scope) {
        if let Some(configuration) = fingerprint(aws, scope) {
            self.present.configuration = configuration;
        }
        self.tell().await;
    }

    async fn tell(&mut self) {
        if let Err(error) = self.bus.tell(subjects::BROKER_PRESENT, self.present.encode_to_vec()).await {
            tracing::warn!(%error, "other brokers cannot be told that this one serves");
        }
    }
}

/// Whether two brokers may not serve together.
fn differ(mine: &BrokerPresent, other: &BrokerPresent) -> bool {
    let both_known = !mine.caller_account.is_empty() && !other.caller_account.is_empty();
    mine.configuration != other.configuration || (both_known && mine.caller_account != other.caller_account)
}

fn sentence(other: &BrokerPresent) -> String {
    format!(
        "another broker on this NATS ({}) has a different AWS configuration: give both the same flags, environment and AWS \
         files, or stop one",
        other.broker_id
    )
}

/// SHA-256 of the configuration as it stands in the files now; none while a file cannot be read.
fn fingerprint(aws: &Aws, scope: &Scope) -> Option<Vec<u8>> {
    let profiles = Profiles::load(aws.environment()).ok()?;
    let planner = Planner::new(aws.environment(), &profiles);
    let routes = match scope {
        Scope::Current { profile, .. } => format!("{:?}", planner.caller(profile.as_deref())),
        Scope::Organization(wanted) => format!("{:?}", planner.caller(wanted.profile.as_deref())),
        Scope::Profiles { named } => format!("{:?}", planner.all(named)),
    };
    let text = format!("{scope:?} {:?} {routes}", aws.own_identity());
    Some(Sha256::digest(text.as_bytes()).to_vec())
}

/// The caller's account; none where each profile has its own, or AWS does not say.
async fn caller_account(aws: &Aws, scope: &Scope) -> Option<String> {
    let named = match scope {
        Scope::Current { profile, .. } => profile.as_deref(),
        Scope::Organization(wanted) => wanted.profile.as_deref(),
        Scope::Profiles { .. } => return None,
    };
    let caller = aws.plan(|planner| planner.caller(named)).ok()?;
    let session = aws.before(caller.profile.as_deref(), &caller.source, &caller.roles).await.ok()?;
    aws.identity(caller.profile.as_deref(), session).await.ok().map(|identity| identity.account_id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn present(configuration: &[u8], account: &str) -> BrokerPresent {
        BrokerPresent {
            configuration: configuration.to_vec(),
            caller_account: account.into(),
            ..BrokerPresent::default()
        }
    }

    #[test]
    fn a_caller_that_is_not_known_yet_is_no_difference() {
        assert!(!differ(&present(b"a", ""), &present(b"a", "111111111111")));
        assert!(!differ(&present(b"a", "111111111111"), &present(b"a", "111111111111")));
        assert!(differ(&present(b"a", "111111111111"), &present(b"a", "222222222222")));
        assert!(differ(&present(b"a", ""), &present(b"b", "")));
    }

    #[test]
    fn the_fingerprint_follows_accounts_and_ways_alone() {
        let of = |config: &str, region: &str, scope: &Scope| {
            let folder = tempfile::tempdir().expect("a folder");
            let file = folder.path().join("config");
            std::fs::write(&file, config).expect("it can be written");
            let env = [("AWS_CONFIG_FILE", file.display().to_string()), ("AWS_REGION", region.to_owned())];
            let env: crate::environment::Environment =
                env.iter().map(|(name, value)| (*name, value.as_str())).collect();
            fingerprint(&Aws::new(env, Profiles::default(), crate::OwnIdentity::Keep), scope).expect("it can be read")
        };
        let profiles = Scope::Profiles { named: Vec::new() };
        let spoke = "[profile a]\nrole_arn = arn:aws:iam::222222222222:role/r\nsource_profile = hub\n[profile hub]\n\
            aws_access_key_id = AKIA\naws_secret_access_key = ";
        let one = of(&format!("{spoke}x\n"), "eu-west-1", &profiles);
        assert_eq!(one, of(&format!("{spoke}rotated\n"), "eu-west-1", &profiles), "rotated keys are no difference");
        let more =
            format!("{spoke}x\n[profile b]\nrole_arn = arn:aws:iam::333333333333:role/r\nsource_profile = hub\n");
        assert_ne!(one, of(&more, "eu-west-1", &profiles));
        let named = Scope::Profiles { named: vec!["a".into()] };
        assert_ne!(one, of(&format!("{spoke}x\n"), "eu-west-1", &named));
    }
}
