//! A service without AWS, a broker that grants everything, and a collector that can be stopped or killed.

use anyhow::Context;
use aws_credential_types::Credentials;
use aws_sdk_sts::Client;
use bus::{ASSETS, Bus, BusConfig, SYNCS};
use collector::{CollectError, Listing, Node, Options, RegionDiscovery, Service, prop};
use credentials::{Session, seal};
use events::{
    AssetEvent, ClientSettings, Failure, FailureClass, LeaseAnswer, LeaseRequest, Message, SyncEvent, SyncId, WorkItem,
    WorkKind, WorkReport, asset_event, lease_answer, subjects, sync_event,
};
use futures::StreamExt;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};
use testkit::Nats;
use tokio::{net::TcpListener, sync::Notify, task::JoinHandle};
use tokio_util::sync::CancellationToken;

/// The broker does not answer lease requests for this account.
pub(crate) const SILENT: &str = "888888888888";
/// The broker refuses leases for this account.
pub(crate) const REFUSED: &str = "999999999999";
/// Number of starts of the hanging listing.
pub(crate) static BEGUN: AtomicU32 = AtomicU32::new(0);

static THING: Node<u32> = Node {
    id: |it, place| place.arn("fake", &it.to_string()),
    props: &[prop("number", |it, _| i64::from(*it).into())],
    ..Node::of("AWSThing")
};

/// A text of this many bytes.
static TEXT: Node<usize> = Node {
    id: |it, place| place.arn("text", &it.to_string()),
    props: &[prop("text", |it, _| "x".repeat(*it).into())],
    ..Node::of("AWSText")
};

/// Rows around the message limit.
pub(crate) static LARGE: Service<()> = Service {
    listings: &[
        Listing {
            name: "Large",
            actions: &[],
            feeds: &[&TEXT],
            collect: |(), sink| {
                Box::pin(async move { sink.emit_all(&TEXT, &[500_000, 600_000, 600_001, 1_000_000]).await })
            },
        },
        Listing {
            name: "TooLarge",
            actions: &[],
            feeds: &[&TEXT],
            collect: |(), sink| Box::pin(async move { sink.emit_all(&TEXT, &[10, 2_000_000]).await }),
        },
    ],
    ..Service::regional("large", |_| ())
};

/// Pages that arrive slowly, in total longer than the limit of the test.
pub(crate) static STEADY: Service<()> = Service {
    listings: &[Listing {
        name: "Steady",
        actions: &[],
        feeds: &[&THING],
        collect: |(), sink| {
            Box::pin(async move {
                for number in 0..60 {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    sink.emit(&THING, &number).await?;
                }
                Ok(())
            })
        },
    }],
    ..Service::regional("steady", |_| ())
};

/// Lets the listing of [`SLOW`] continue.
pub(crate) static GO_ON: Notify = Notify::const_new();

/// One row, and no more until the test allows it.
pub(crate) static SLOW: Service<()> = Service {
    listings: &[Listing {
        name: "Slow",
        actions: &[],
        feeds: &[&THING],
        collect: |(), sink| {
            Box::pin(async move {
                sink.emit(&THING, &1).await?;
                GO_ON.notified().await;
                sink.emit(&THING, &2).await
            })
        },
    }],
    ..Service::regional("slow", |_| ())
};

pub(crate) static FAKE: Service<()> = Service {
    listings: &[
        Listing {
            name: "Good",
            actions: &["fake:Good"],
            feeds: &[&THING],
            collect: |(), sink| {
                Box::pin(async move {
                    for number in 0..2_500 {
                        sink.emit(&THING, &number).await?;
                    }
                    Ok(())
                })
            },
        },
        Listing { name: "Empty", actions: &[], feeds: &[&THING], collect: |(), _| Box::pin(async { Ok(()) }) },
        Listing {
            name: "Denied",
            actions: &[],
            feeds: &[],
            collect: |(), sink| {
                Box::pin(async move {
                    sink.emit(&THING, &1).await?;
                    Err(CollectError::new(FailureClass::AccessDenied, "AccessDenied: no"))
                })
            },
        },
        Listing { name: "Panics", actions: &[], feeds: &[], collect: |(), _| Box::pin(async { panic!("a bug") }) },
    ],
    regions: Some(RegionDiscovery {
        ask: |()| Box::pin(async { Ok(vec!["us-east-1".into(), "eu-west-1".into(), "us-east-1".into()]) }),
        actions: &[],
    }),
    ..Service::regional("fake", |_| ())
};

/// Hangs twice, then ends immediately.
pub(crate) static HANGING: Service<()> = Service {
    listings: &[Listing {
        name: "Hangs",
        actions: &[],
        feeds: &[],
        collect: |(), _| {
            Box::pin(async {
                if BEGUN.fetch_add(1, SeqCst) < 2 {
                    std::future::pending::<()>().await;
                }
                Ok(())
            })
        },
    }],
    ..Service::regional("hanging", |_| ())
};

pub(crate) static ENDLESS: Service<()> = Service {
    listings: &[Listing {
        name: "Endless",
        actions: &[],
        feeds: &[],
        collect: |(), _| Box::pin(std::future::pending()),
    }],
    ..Service::regional("endless", |_| ())
};

/// Calls AWS.
pub(crate) static CALLING: Service<Client> = Service {
    listings: &[Listing {
        name: "Calls",
        actions: &[],
        feeds: &[],
        collect: |client, _| {
            Box::pin(async move {
                client.get_caller_identity().send().await?;
                Ok(())
            })
        },
    }],
    ..Service::regional("calling", |connection| Client::new(&connection.sdk))
};

/// An endpoint that accepts connections but never answers.
pub(crate) struct Hung {
    url: String,
    pub(crate) connections: Arc<AtomicU32>,
}

impl Hung {
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let connections = Arc::new(AtomicU32::new(0));
        let counted = connections.clone();
        tokio::spawn(async move {
            let mut held = Vec::new();
            while let Ok(accepted) = listener.accept().await {
                counted.fetch_add(1, SeqCst);
                held.push(accepted);
            }
        });
        Ok(Self { url, connections })
    }
}

pub(crate) fn item(service: &str, kind: WorkKind) -> WorkItem {
    WorkItem {
        sync: Some(SyncId { id: "01S".into(), update_tag: 7 }),
        kind: kind.into(),
        account_id: "111111111111".into(),
        account_name: "spoke".into(),
        partition: "aws".into(),
        region: "eu-west-1".into(),
        service: service.into(),
        home_region: "us-east-1".into(),
        listings: Vec::new(),
    }
}

/// Waits until the condition holds.
pub(crate) async fn until(condition: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !condition() {
        assert!(Instant::now() < deadline, "it did not come");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// A bus with a broker.
pub(crate) struct Stage {
    pub(crate) bus: Bus,
    url: String,
    _nats: Nats,
}

impl Stage {
    pub(crate) async fn new() -> anyhow::Result<Self> {
        Self::with(Nats::start().await?, ClientSettings::default()).await
    }

    /// A stage whose NATS accepts messages of up to 64 KiB.
    pub(crate) async fn of_small_messages() -> anyhow::Result<Self> {
        Self::with(Nats::of_small_messages(64 << 10).await?, ClientSettings::default()).await
    }

    /// A stage whose leases have this endpoint.
    pub(crate) async fn with_endpoint(hung: &Hung) -> anyhow::Result<Self> {
        let settings = ClientSettings { endpoint_url: hung.url.clone(), ..ClientSettings::default() };
        Self::with(Nats::start().await?, settings).await
    }

    async fn with(nats: Nats, settings: ClientSettings) -> anyhow::Result<Self> {
        let bus = Bus::connect(&BusConfig::new(nats.url(), "test")).await?;
        bus.ensure_streams().await?;
        let requests = bus.serve(subjects::LEASE_REQUESTS, "broker").await?;
        tokio::spawn(requests.for_each(move |request| {
            let settings = settings.clone();
            async move {
                let asked = LeaseRequest::decode(request.payload.clone()).expect("a lease request");
                if asked.account_id != SILENT {
                    request.answer(grant(&asked, settings).encode_to_vec()).await;
                }
            }
        }));
        Ok(Self { bus, url: nats.url(), _nats: nats })
    }

    pub(crate) async fn publish(&self, item: &WorkItem) -> anyhow::Result<()> {
        Ok(self.bus.publish(bus::Outgoing::work(item)).await?)
    }

    /// A collector with its own connection.
    pub(crate) fn collect<C: Send + Sync + 'static>(
        &self,
        service: &'static Service<C>,
        options: Options,
    ) -> Collector {
        let (shutdown, url) = (CancellationToken::new(), self.url.clone());
        let token = shutdown.clone();
        let running = tokio::spawn(async move {
            let bus = Bus::connect(&BusConfig::new(url, "collector")).await?;
            collector::run(service, bus, options, token).await
        });
        Collector { running, shutdown }
    }

    /// Returns the first work report.
    pub(crate) async fn report(&self) -> anyhow::Result<WorkReport> {
        self.reports(1).await?.pop().context("no report came")
    }

    /// Returns this number of work reports.
    pub(crate) async fn reports(&self, count: usize) -> anyhow::Result<Vec<WorkReport>> {
        let reports = self.bus.watch(SYNCS, subjects::reports()).await?;
        let mut found = Vec::new();
        for _ in 0..6 + count {
            for delivery in reports.next(1).await? {
                let event = SyncEvent::decode(delivery.payload().clone())?;
                let Some(sync_event::Event::Reported(report)) = event.event else { anyhow::bail!("no report") };
                delivery.settle(bus::Outcome::Ack).await?;
                found.push(report);
            }
            if found.len() == count {
                return Ok(found);
            }
        }
        anyhow::bail!("{} of {count} reports came", found.len())
    }

    /// Events of a listing, in stream order.
    pub(crate) async fn assets(&self, listing: &str) -> anyhow::Result<Vec<AssetEvent>> {
        let filter = format!("groma.v1.assets.*.*.*.*.{listing}.*");
        let events = self.bus.watch(ASSETS, filter).await?;
        let mut found = Vec::new();
        // Stored messages arrive immediately; half a second of silence is the end.
        while let Ok(deliveries) = tokio::time::timeout(Duration::from_millis(500), events.next(100)).await {
            for delivery in deliveries? {
                found.push(AssetEvent::decode(delivery.payload().clone())?);
                delivery.settle(bus::Outcome::Ack).await?;
            }
        }
        Ok(found)
    }

    /// Kinds of a listing's events, as text.
    pub(crate) async fn kinds(&self, listing: &str) -> anyhow::Result<Vec<String>> {
        let words = |event: AssetEvent| match event.event {
            Some(asset_event::Event::Batch(batch)) => format!("batch {}", batch.index),
            Some(asset_event::Event::Finished(it)) => format!("finished {}/{}", it.batches, it.assets),
            Some(asset_event::Event::Started(_)) => "started".to_owned(),
            Some(asset_event::Event::Failed(_)) => "failed".to_owned(),
            None => "nothing".to_owned(),
        };
        Ok(self.assets(listing).await?.into_iter().map(words).collect())
    }

    /// Waits for an event of a listing.
    pub(crate) async fn seen(&self, listing: &str, kind: &str) -> anyhow::Result<()> {
        let deadline = Instant::now() + Duration::from_secs(30);
        while !self.kinds(listing).await?.iter().any(|it| it == kind) {
            anyhow::ensure!(Instant::now() < deadline, "no {kind} of {listing} came");
        }
        Ok(())
    }

    /// Number of messages in a stream.
    pub(crate) async fn held(&self, stream: &str) -> anyhow::Result<u64> {
        let all = self.bus.stream_summaries().await.map_err(|error| anyhow::anyhow!(error))?;
        Ok(all.iter().find(|summary| summary.name == stream).context("no such stream")?.messages)
    }
}

pub(crate) struct Collector {
    running: JoinHandle<anyhow::Result<()>>,
    shutdown: CancellationToken,
}

impl Collector {
    /// Stops the collector like SIGTERM.
    pub(crate) async fn stop(self) -> anyhow::Result<&'static str> {
        self.shutdown.cancel();
        match tokio::time::timeout(Duration::from_secs(10), self.running).await {
            Ok(ended) => ended?.map(|()| "in time"),
            Err(_) => Ok("too late"),
        }
    }

    /// Kills the collector like SIGKILL: nothing is settled.
    pub(crate) async fn kill(self) {
        self.running.abort();
        self.running.await.ok();
    }
}

fn grant(asked: &LeaseRequest, settings: ClientSettings) -> LeaseAnswer {
    let outcome = if asked.account_id == REFUSED {
        lease_answer::Outcome::Refused(Failure::new(FailureClass::AccessDenied, "the role may not be assumed"))
    } else {
        let session = Session::from(&Credentials::new("AKID", "secret", None, None, "test"));
        lease_answer::Outcome::Sealed(seal::seal(&asked.public_key, asked, &session).expect("a good key"))
    };
    LeaseAnswer { outcome: Some(outcome), settings: Some(settings) }
}
