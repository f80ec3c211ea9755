//! Other brokers on the bus. They share requests, so each must know the same accounts: with different configurations a sync
//! would miss accounts depending on which broker answers.
//!
//! Every broker tells the others its [`fingerprint`] when it starts and regularly from then on. One that starts does not serve
//! beside one that serves and differs: it waits for it to end, as in a rolling update, and then gives up. If two differ that
//! serve already, because a file has changed or the bus was in two parts, the younger one ends. Brokers of two versions
//! with the same configuration serve together.

use crate::{aws::Aws, config::Scope, fingerprint};
use anyhow::bail;
use bus::{Bus, Served};
use events::{BrokerPresent, Message, subjects};
use futures::{Stream, StreamExt};
use std::{
    collections::{HashMap, HashSet},
    pin::Pin,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::time::{MissedTickBehavior, interval, sleep, timeout, timeout_at};

/// Time between two announcements of a broker.
const ANNOUNCE_EVERY: Duration = Duration::from_secs(15);
/// How long the others may take to answer the announcement of one that starts.
const SETTLE: Duration = Duration::from_millis(500);
/// Pause of one that waits for another to end.
const PAUSE: Duration = Duration::from_secs(2);
/// How long one that starts waits for a differing one to end: twice the grace period of a Kubernetes pod.
const PATIENCE: Duration = Duration::from_mins(2);
/// How long two that serve may differ: a mounted file does not change everywhere at the same time.
const GRACE: Duration = Duration::from_mins(2);
/// Limit of finding out whose the caller's credentials are.
const IDENTITY: Duration = Duration::from_secs(10);
/// Limit of differing brokers that are remembered: ids come from the bus.
const MOST_NAMED: usize = 1_000;
/// Length of a SHA-256.
const FINGERPRINT_BYTES: usize = 32;

/// What this broker hears of the others, and tells them.
pub struct Peers {
    bus: Bus,
    aws: Arc<Aws>,
    scope: Scope,
    present: BrokerPresent,
    heard: Pin<Box<dyn Stream<Item = Served> + Send>>,
    /// Brokers that were warned of.
    named: HashSet<String>,
}

impl Peers {
    /// Waits until no other broker that serves has another configuration. Of two that start, the older one goes first.
    ///
    /// # Errors
    /// One still has after two minutes; or the bus cannot be used.
    pub async fn join(bus: &Bus, aws: Arc<Aws>, scope: &Scope) -> anyhow::Result<Self> {
        let broker_id = ulid::Ulid::generate().to_string();
        // With a queue for each broker, all of them receive every announcement.
        let heard = Box::pin(bus.serve(subjects::BROKER_PRESENT, &broker_id).await?);
        let caller_account = timeout(IDENTITY, caller_account(&aws, scope)).await.ok().flatten().unwrap_or_default();
        let present = BrokerPresent { broker_id, caller_account, ..BrokerPresent::default() };
        let mut peers = Self { bus: bus.clone(), aws, scope: scope.clone(), present, heard, named: HashSet::new() };
        let began = Instant::now();
        while let Some(other) = peers.settle().await {
            if began.elapsed() >= PATIENCE {
                bail!("{}", sentence(&other));
            }
            if peers.named.len() < MOST_NAMED && peers.named.insert(other.broker_id.clone()) {
                tracing::warn!(other = other.broker_id, "waiting: {}", sentence(&other));
            }
            sleep(PAUSE).await;
        }
        peers.present.serving = true;
        peers.announce().await;
        Ok(peers)
    }

    /// Announces this broker, and listens for one beside which it may not serve.
    async fn settle(&mut self) -> Option<BrokerPresent> {
        self.announce().await;
        let until = tokio::time::Instant::now() + SETTLE;
        let mut heard = Vec::new();
        while let Ok(Some(message)) = timeout_at(until, self.heard.next()).await {
            heard.extend(other(&message.payload, &self.present));
        }
        in_the_way(&self.present, &heard)
    }

    /// Announces this broker regularly.
    ///
    /// # Errors
    /// An older one has had another configuration for two minutes: this one must not serve any longer.
    pub async fn watch(mut self) -> anyhow::Result<()> {
        let mut tick = interval(ANNOUNCE_EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (aws, scope) = (self.aws.clone(), self.scope.clone());
        // Not found out at the start: AWS may be slow or down.
        let identity = async {
            loop {
                if let Ok(Some(account)) = timeout(IDENTITY, caller_account(&aws, &scope)).await {
                    return account;
                }
                sleep(ANNOUNCE_EVERY).await;
            }
        };
        let mut identity = std::pin::pin!(identity);
        // Older brokers that serve and differ, with the time since when.
        let mut differing: HashMap<String, Instant> = HashMap::new();
        loop {
            tokio::select! {
                _ = tick.tick() => self.announce().await,
                account = &mut identity, if self.present.caller_account.is_empty() => {
                    self.present.caller_account = account;
                    self.tell().await;
                }
                message = self.heard.next() => {
                    // At the end of the connection the broker ends by itself.
                    let Some(message) = message else { return std::future::pending().await };
                    let Some(other) = other(&message.payload, &self.present) else { continue };
                    // One that starts waits for an answer; those that serve hear of each other by and by.
                    if !other.serving {
                        self.announce().await;
                    }
                    if !differ(&self.present, &other) {
                        differing.remove(&other.broker_id);
                        continue;
                    }
                    if self.named.len() < MOST_NAMED && self.named.insert(other.broker_id.clone()) {
                        tracing::warn!(other = other.broker_id, "{}", sentence(&other));
                    }
                    let is_older = other.serving && other.broker_id < self.present.broker_id;
                    if is_older && (differing.len() < MOST_NAMED || differing.contains_key(&other.broker_id)) {
                        let since = differing.entry(other.broker_id.clone()).or_insert_with(Instant::now);
                        if since.elapsed() >= GRACE {
                            bail!("{}", sentence(&other));
                        }
                    }
                }
            }
        }
    }

    /// Reads the configuration anew, because files may have changed, and tells it.
    async fn announce(&mut self) {
        if let Some(configuration) = fingerprint::read(self.aws.clone(), self.scope.clone()).await {
            self.present.configuration = configuration;
        }
        self.tell().await;
    }

    async fn tell(&mut self) {
        if let Err(error) = self.bus.tell(subjects::BROKER_PRESENT, self.present.encode_to_vec()).await {
            tracing::warn!(%error, "other brokers cannot be told of this one");
        }
    }
}

/// Another broker's announcement; `None` for this one's, and for what no broker says. It takes no more memory than its
/// bytes, and nests nothing.
pub fn other(payload: &[u8], mine: &BrokerPresent) -> Option<BrokerPresent> {
    let other = BrokerPresent::decode(payload).ok()?;
    let is_sound = ulid::Ulid::from_string(&other.broker_id).is_ok() && other.configuration.len() == FINGERPRINT_BYTES;
    (is_sound && other.broker_id != mine.broker_id).then_some(other)
}

/// A broker that differs and serves. Where none serves, an older one that differs and starts too.
fn in_the_way(mine: &BrokerPresent, heard: &[BrokerPresent]) -> Option<BrokerPresent> {
    let differing = |other: &&BrokerPresent| differ(mine, other);
    let serving = heard.iter().find(|other| other.serving && differing(other));
    let starting = heard.iter().find(|other| other.broker_id < mine.broker_id && differing(other));
    let is_served = heard.iter().any(|other| other.serving);
    serving.or(starting.filter(|_| !is_served)).cloned()
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

/// The caller's account; none where each profile has its own, or AWS does not say.
async fn caller_account(aws: &Aws, scope: &Scope) -> Option<String> {
    let named = match scope {
        Scope::Current { profile, .. } => profile.as_deref(),
        Scope::Organization(wanted) => wanted.profile.as_deref(),
        Scope::Profiles { .. } => return None,
    };
    let caller = aws.plan(|planner| planner.caller(named)).ok()?;
    let profile = caller.profile.as_deref();
    let ask = || async {
        let session = aws.before(profile, &caller.source, &caller.roles).await?;
        aws.identity(profile, session).await
    };
    aws.renewing(Some(&caller.source), ask).await.ok().map(|identity| identity.account_id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn present(id: &str, configuration: &[u8], account: &str, serving: bool) -> BrokerPresent {
        let (broker_id, caller_account) = (id.to_owned(), account.to_owned());
        BrokerPresent { broker_id, configuration: configuration.to_vec(), caller_account, serving }
    }

    #[test]
    fn a_caller_that_is_not_known_yet_is_no_difference() {
        let of = |configuration: &[u8], account: &str| present("x", configuration, account, true);
        assert!(!differ(&of(b"a", ""), &of(b"a", "111111111111")));
        assert!(!differ(&of(b"a", "111111111111"), &of(b"a", "111111111111")));
        assert!(differ(&of(b"a", "111111111111"), &of(b"a", "222222222222")));
        assert!(differ(&of(b"a", ""), &of(b"b", "")));
    }

    #[test]
    fn one_that_serves_goes_first_and_then_the_older() {
        let mine = present("M", b"mine", "", false);
        let serving = |id: &str, configuration: &[u8]| present(id, configuration, "", true);
        let starting = |id: &str, configuration: &[u8]| present(id, configuration, "", false);
        let blocked = |heard: &[BrokerPresent]| in_the_way(&mine, heard).map(|other| other.broker_id);
        assert_eq!(blocked(&[]), None);
        assert_eq!(blocked(&[serving("A", b"mine"), serving("Z", b"mine")]), None);
        assert_eq!(blocked(&[serving("Z", b"other")]).as_deref(), Some("Z"), "whatever the clocks say");
        assert_eq!(blocked(&[starting("A", b"other")]).as_deref(), Some("A"));
        assert_eq!(blocked(&[starting("Z", b"other")]), None);
        let beside = [starting("A", b"other"), serving("B", b"mine")];
        assert_eq!(blocked(&beside), None, "a waiting broker does not block others");
    }
}
