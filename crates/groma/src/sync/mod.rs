//! `groma sync`: broker, collectors, scheduler and graph-writer in this process, over a NATS of the user or a private
//! one that ends with the process.

pub mod private_nats;
pub mod progress;
pub mod report;
pub mod roles;

use crate::survey_args::{SurveyArgs, SurveyConfig};
use anyhow::{Context, bail};
use broker::Broker;
use bus::{Bus, RequestError};
use events::{AccountsRequest, Message, subjects};
use graph::GraphStore;
use private_nats::PrivateNats;
use scheduler::{Outcome, Phase, Progress, SurveyError};
use std::{
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering::SeqCst},
    time::{Duration, Instant},
};
use tokio_util::sync::CancellationToken;

/// Flags of `groma sync`.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub struct Args {
    /// Scope of the survey, and its graph.
    #[command(flatten)]
    pub survey: SurveyArgs,
    /// Print the report as JSON
    #[arg(long)]
    pub json: bool,
}

/// Surveys once, prints the report and returns the exit status.
///
/// # Errors
/// Fails if nothing could be done.
pub async fn run(args: Args) -> anyhow::Result<u8> {
    let json = args.json;
    let config = args.survey.validate()?;
    let shutdown = process::shutdown();
    let began = Instant::now();
    let Some(stage) = shutdown.run_until_cancelled(Stage::set(&config)).await else {
        eprintln!("interrupted {}", Phase::Beginning);
        return Ok(process::exit::INTERRUPTED);
    };
    match survey(stage?, config, &shutdown).await {
        Ok(outcome) => report::print(&[(outcome, began.elapsed())], report::SURVEYED, json, false),
        Err(Ended { error, kept }) => end(error, kept.as_deref()),
    }
}

/// Resources of a survey in this process.
struct Stage {
    store: GraphStore,
    broker: Broker,
    private: Option<PrivateNats>,
    bus: Bus,
}

impl Stage {
    async fn set(config: &SurveyConfig) -> anyhow::Result<Self> {
        let store = GraphStore::connect(&config.graph).await?;
        let mut bus_args = config.bus.clone();
        let private = match bus_args.nats {
            Some(_) => None,
            None => Some(PrivateNats::start().await?),
        };
        let broker = config.broker.clone();
        let broker = broker::build(if private.is_some() { broker.on_private_bus() } else { broker })?;
        if let Some(private) = &private {
            bus_args.nats = Some(private.url().to_owned());
        }
        let bus = process::connect(&bus_args, "groma-sync").await?;
        if private.is_none() {
            refuse_second_broker(&bus).await?;
        }
        Ok(Self { store, broker, private, bus })
    }
}

/// A survey that ended early.
struct Ended {
    error: anyhow::Error,
    /// Folder of the kept streams, with collected events that are not yet written.
    kept: Option<PathBuf>,
}

async fn survey(stage: Stage, config: SurveyConfig, shutdown: &CancellationToken) -> Result<Outcome, Ended> {
    let Stage { store, broker, private, bus } = stage;
    let services: Vec<_> = config.request.services.iter().map(|service| service.name.as_str()).collect();
    let (ready, is_ready) = tokio::sync::oneshot::channel();
    let writing = (store, (&config.graph).into());
    let mut roles = roles::Roles::start(&bus, broker, &services, &config.collector, writing, ready);
    let progress = progress::Bar::new();
    let unwritten = Unwritten::default();
    let show = |step: Progress| {
        unwritten.note(&step);
        progress.show(&step);
    };
    let surveying = async {
        // Another broker may answer until this one is ready.
        is_ready.await.ok();
        scheduler::survey(&bus, config.request, shutdown, show).await
    };
    let outcome = tokio::select! {
        outcome = surveying => outcome.map_err(SurveyError::for_main),
        failure = roles.failed() => Err(failure),
    };
    progress.clear();
    roles.stop().await;
    match (outcome, private) {
        (Ok(outcome), private) => {
            if let Some(private) = private {
                private.stop().await;
            }
            Ok(outcome)
        }
        (Err(error), Some(private)) if unwritten.is_whole(&error) => Err(Ended { error, kept: private.keep().await }),
        (Err(error), _) => Err(Ended { error, kept: None }),
    }
}

/// Whether the streams hold everything of a sync that the graph lacks: from the end of its collection until the graph
/// is finished. A following sync of lost scopes has nothing to keep until it is collected.
#[derive(Default)]
struct Unwritten(AtomicBool);

impl Unwritten {
    fn note(&self, step: &Progress) {
        self.0.store(*step == Progress::Writing, SeqCst);
    }

    /// Returns the state at this end of the survey.
    fn is_whole(&self, error: &anyhow::Error) -> bool {
        match error.downcast_ref() {
            Some(SurveyError::Interrupted(phase)) => *phase == Phase::Writing,
            _ => self.0.load(SeqCst),
        }
    }
}

/// Prints why a survey ended early and how to continue.
fn end(error: anyhow::Error, kept: Option<&Path>) -> anyhow::Result<u8> {
    let is_interrupted = matches!(error.downcast_ref(), Some(SurveyError::Interrupted(_)));
    match kept {
        Some(folder) if is_interrupted => {
            eprintln!("interrupted after everything was collected: {}", how_to_go_on(folder));
        }
        Some(folder) => return Err(error.context(how_to_go_on(folder))),
        None if is_interrupted => eprintln!("{error}"),
        None => return Err(error),
    }
    Ok(process::exit::INTERRUPTED)
}

fn how_to_go_on(folder: &Path) -> String {
    let folder = folder.display();
    format!(
        "the collected events are kept in {folder}: `groma replay --kept {folder}` writes them into the graph; delete the \
         folder afterwards"
    )
}

/// Fails if a broker already serves this NATS, because it would answer for accounts outside this command line.
async fn refuse_second_broker(bus: &Bus) -> anyhow::Result<()> {
    let request = AccountsRequest {}.encode_to_vec();
    match bus.ask(subjects::ACCOUNTS_REQUEST, request, Duration::from_secs(1)).await {
        Err(RequestError::NobodyThere { .. }) => Ok(()),
        Ok(_) | Err(RequestError::TimedOut { .. }) => bail!(
            "a broker already serves this NATS: run `groma scheduler` to survey its accounts, or omit --nats (and \
             NATS_URL) to survey yours over a private one"
        ),
        Err(error) => Err(error).context("NATS does not answer"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_streams_of_a_repeat_are_not_whole_before_it_has_collected() {
        let unwritten = Unwritten::default();
        let work = Progress::Work { done: 0, all: 1, assets: 0 };
        for (step, is_whole) in [
            (Progress::Accounts { reachable: 1, unreachable: 0 }, false),
            (work.clone(), false),
            (Progress::Writing, true),
            (work, false),
            (Progress::Writing, true),
        ] {
            unwritten.note(&step);
            assert_eq!(unwritten.is_whole(&anyhow::anyhow!("Neo4j is gone")), is_whole, "{step:?}");
        }
        for (phase, is_whole) in [(Phase::Collecting, false), (Phase::Writing, true), (Phase::Repeating, false)] {
            let interrupted = SurveyError::Interrupted(phase).for_main();
            assert_eq!(unwritten.is_whole(&interrupted), is_whole, "{phase:?}");
        }
    }
}
