//! Other brokers on the bus. Brokers share requests, so each must know the same accounts. With different
//! configurations, the accounts of a sync would depend on the broker that replies.
//!
//! Every broker announces its [`fingerprint`] at its start and regularly afterwards. A starting broker does not serve
//! beside one that serves with a different fingerprint. It waits for the other to end, as in a rolling update, and then
//! gives up. Two serving brokers may come to differ, because a file changed or the bus was partitioned. The younger one
//! then ends. Brokers of two versions with the same configuration serve together.

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

/// Interval between announcements.
const ANNOUNCE_EVERY: Duration = Duration::from_secs(15);
/// Time limit for replies to the announcement of a starting broker.
const SETTLE: Duration = Duration::from_millis(500);
/// Pause while waiting for another broker to end.
const PAUSE: Duration = Duration::from_secs(2);
/// Time for which a starting broker waits for a differing one to end: twice the grace period of a Kubernetes pod.
const PATIENCE: Duration = Duration::from_mins(2);
/// Time for which two serving brokers may differ: mounted files do not change everywhere at the same time.
const GRACE: Duration = Duration::from_mins(2);
/// Time limit for looking up the caller's account.
const IDENTITY: Duration = Duration::from_secs(10);
/// Limit of recorded differing brokers, because their ids come from the bus.
const MOST_NAMED: usize = 1_000;
/// Length of a SHA-256 hash.
const FINGERPRINT_BYTES: usize = 32;

/// Announcements of this broker and of the others.
pub struct Peers {
    bus: Bus,
    aws: Arc<Aws>,
    scope: Scope,
    present: BrokerPresent,
    heard: Pin<Box<dyn Stream<Item = Served> + Send>>,
    /// Ids of brokers that were already logged.
    named: HashSet<String>,
}

impl Peers {
    /// Waits until no other serving broker has a different configuration. Of two starting brokers, the older one goes
    /// first.
    ///
    /// # Errors
    /// Fails if another broker still differs after two minutes, or the bus cannot be used.
    pub async fn join(bus: &Bus, aws: Arc<Aws>, scope: &Scope) -> anyhow::Result<Self> {
        let broker_id = ulid::Ulid::generate().to_string();
        // Each broker has its own queue group, so that all of them receive every announcement.
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

    /// Announces this broker and waits for replies. Returns a broker beside which this one must not serve.
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
    /// Fails if an older broker has had a different configuration for two minutes: this one must stop serving.
    pub async fn watch(mut self) -> anyhow::Result<()> {
        let mut tick = interval(ANNOUNCE_EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (aws, scope) = (self.aws.clone(), self.scope.clone());
        // The account may have been unknown at the start, because AWS was slow or down.
        let identity = async {
            loop {
                if let Ok(Some(account)) = timeout(IDENTITY, caller_account(&aws, &scope)).await {
                    return account;
                }
                sleep(ANNOUNCE_EVERY).await;
            }
        };
        let mut identity = std::pin::pin!(identity);
        // Older serving brokers that differ, with the time since when.
        let mut differing: HashMap<String, Instant> = HashMap::new();
        loop {
            tokio::select! {
                _ = tick.tick() => self.announce().await,
                account = &mut identity, if self.present.caller_account.is_empty() => {
                    self.present.caller_account = account;
                    self.tell().await;
                }
                message = self.heard.next() => {
                    // The broker ends by itself if the connection is closed.
                    let Some(message) = message else { return std::future::pending().await };
                    let Some(other) = other(&message.payload, &self.present) else { continue };
                    // A starting broker waits for a reply. Serving brokers receive the regular announcements.
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

    /// Reads the configuration again, because files may have changed, and announces it.
    async fn announce(&mut self) {
        if let Some(configuration) = fingerprint::read(self.aws.clone(), self.scope.clone()).await {
            self.present.configuration = configuration;
        }
        self.tell().await;
    }

    async fn tell(&mut self) {
        if let Err(error) = self.bus.tell(subjects::BROKER_PRESENT, self.present.encode_to_vec()).await {
            tracing::warn!(%error, "cannot announce this broker to the others");
        }
    }
}

/// Decodes the announcement of another broker. Returns `None` for this broker's own, and for invalid ones. Takes no
/// more memory than the payload, without nesting.
pub fn other(payload: &[u8], mine: &BrokerPresent) -> Option<BrokerPresent> {
    let other = BrokerPresent::decode(payload).ok()?;
    let is_sound = ulid::Ulid::from_string(&other.broker_id).is_ok() && other.configuration.len() == FINGERPRINT_BYTES;
    (is_sound && other.broker_id != mine.broker_id).then_some(other)
}

/// Returns a serving broker that differs, or, if none serves, an older starting one that differs.
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

/// Account of the caller. `None` if each profile has its own, or AWS does not tell.
async fn caller_account(aws: &Aws, scope: &Scope) -> Option<String> {
    let named = match scope {
        Scope::Current { profile, .. } => profile.as_deref(),
        Scope::Organization(wanted) => wanted.profile.as_deref(),
        Scope::Profiles { .. } => return None,
    };
    let caller = aws.setup().plan(|planner| planner.caller(named)).ok()?;
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
