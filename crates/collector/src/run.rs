//! Main loop of a collector: takes work items, works on a few at the same time, and returns unfinished ones to the
//! queue.

use crate::{Options, Service, item, progress::Progress, worker::Worker};
use anyhow::Context;
use bus::{Bus, Consumer, Delivery, Outcome, Subscription};
use observe::{ItemEnding, health, metrics};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{task::JoinSet, time::timeout};
use tokio_util::sync::CancellationToken;

/// Pause after an error of the bus.
const PAUSE: Duration = Duration::from_secs(1);
/// After a shutdown, time to wait for an item that is on its way, to return it immediately.
const LAST_DELIVERY: Duration = Duration::from_millis(100);
/// Time limit for returning items to the queue.
const GIVE_BACK: Duration = Duration::from_secs(5);

/// Longest time between two marks of the main loop, or of an item: each is marked at intervals while it waits, so only a
/// task that blocks its thread has no mark. Each exchange with NATS has a limit of seconds.
const TURN: Duration = Duration::from_mins(5);

/// Collects one service until shutdown. Then takes no more work, lets unfinished work end within the drain timeout, and
/// returns the rest to the queue.
///
/// # Errors
/// Fails if the work stream cannot be read at the start. Later outages of the bus are tolerated.
pub async fn run<C: Send + Sync + 'static>(
    service: &'static Service<C>,
    bus: Bus,
    options: Options,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let name = format!("collector {}", service.name);
    let part = health().part(&name);
    let work = Subscription::work(service.name, options.ack_wait);
    let consumer = bus.consume(work.clone()).await.with_context(|| format!("collector {}", service.name))?;
    let consumer = Arc::new(consumer);
    part.is_ready_while(able_to_work(&bus, &consumer));
    tracing::debug!(service = service.name, "collector is ready");
    let worker = Arc::new(Worker::new(service, bus, options.clone()));
    let give_back = CancellationToken::new();
    let mut held = JoinSet::new();
    let mark = health().watch(&name, TURN);
    while !shutdown.is_cancelled() {
        mark.now();
        while held.len() >= options.items {
            // An item without progress is returned to the queue, so this wait ends.
            tokio::select! {
                _ = mark.during(held.join_next()) => {}
                () = shutdown.cancelled() => break,
            }
        }
        for delivery in next(&consumer, options.items - held.len().min(options.items), &shutdown).await {
            held.spawn(hold(worker.clone(), delivery, shutdown.clone(), give_back.clone()));
        }
        while held.try_join_next().is_some() {}
    }
    drop(mark);
    drain(held, &options, &give_back).await;
    Ok(())
}

/// Returns a check that work can be taken.
fn able_to_work(bus: &Bus, consumer: &Arc<Consumer>) -> impl Fn() -> Result<(), String> + Send + Sync + use<> {
    let (connected, consumer) = (process::connected(bus), consumer.clone());
    move || {
        connected()?;
        if consumer.is_failing() { Err("cannot take work from the queue".to_owned()) } else { Ok(()) }
    }
}

/// Waits for up to `most` deliveries. Empty on a timeout or a shutdown.
async fn next(consumer: &Consumer, most: usize, shutdown: &CancellationToken) -> Vec<Delivery> {
    if most == 0 {
        return Vec::new();
    }
    let mut pull = std::pin::pin!(consumer.next(most));
    let pulled = tokio::select! {
        pulled = &mut pull => pulled,
        () = shutdown.cancelled() => timeout(LAST_DELIVERY, pull).await.unwrap_or_else(|_| Ok(Vec::new())),
    };
    match pulled {
        Ok(deliveries) => deliveries,
        Err(error) => {
            tracing::warn!(error = errors::chain(&error), "cannot take work; retrying");
            tokio::select! {
                () = tokio::time::sleep(PAUSE) => {}
                () = shutdown.cancelled() => {}
            }
            Vec::new()
        }
    }
}

/// Works on a delivery and settles it. While there is progress, progress acknowledgements prevent its redelivery to
/// another collector. After too long a silence, the delivery is returned to the queue.
async fn hold<C: Send + Sync + 'static>(
    worker: Arc<Worker<C>>,
    delivery: Delivery,
    shutdown: CancellationToken,
    give_back: CancellationToken,
) {
    let (service, began) = (worker.service.name, Instant::now());
    let is_first = delivery.deliveries() <= 1;
    let _held = metrics().work.taken(service, is_first.then(|| delivery.age()));
    let progress = Progress::begin();
    let mark = health().watch(format!("collector {service}: work item"), TURN);
    let stalled = worker.options.listing_timeout + worker.options.stalled;
    let outcome = if shutdown.is_cancelled() {
        Outcome::Retry(Duration::ZERO)
    } else {
        tokio::select! {
            outcome = mark.during(progress.during(item::work(&worker, &delivery))) => outcome,
            () = give_back.cancelled() => Outcome::Retry(Duration::ZERO),
            () = stay_alive(&delivery, worker.options.ack_wait / 3) => Outcome::Retry(PAUSE),
            () = progress.stalled(stalled) => {
                tracing::warn!(after = ?stalled, "a work item makes no progress; returning it to the queue");
                Outcome::Retry(PAUSE)
            }
        }
    };
    metrics().work.ended(service, ending(&outcome), began.elapsed());
    if let Err(error) = delivery.settle(outcome).await {
        tracing::warn!(error = errors::chain(&error), "cannot settle a work item; it will be redelivered");
    }
}

fn ending(outcome: &Outcome) -> ItemEnding {
    match outcome {
        Outcome::Ack => ItemEnding::Reported,
        Outcome::Retry(_) => ItemEnding::Returned,
        Outcome::Park(_) => ItemEnding::Parked,
    }
}

/// Sends progress acknowledgements. Never returns; the caller drops it when the item makes no progress.
async fn stay_alive(delivery: &Delivery, period: Duration) {
    loop {
        tokio::time::sleep(period).await;
        if let Err(error) = delivery.progress().await {
            tracing::debug!(%error, "cannot extend the ack deadline");
        }
    }
}

async fn drain(mut held: JoinSet<()>, options: &Options, give_back: &CancellationToken) {
    let finish = async |held: &mut JoinSet<()>| while held.join_next().await.is_some() {};
    if timeout(options.drain_timeout, finish(&mut held)).await.is_err() {
        tracing::warn!(items = held.len(), "returning unfinished work to the queue");
        give_back.cancel();
        if timeout(GIVE_BACK, finish(&mut held)).await.is_err() {
            tracing::warn!(
                items = held.len(),
                "cannot return work to the queue; another collector gets it after the ack wait"
            );
        }
    }
}
