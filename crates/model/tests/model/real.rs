//! The real code in the model: the scope's state machine, the scheduler's plan, and the merge of repeats. Only this
//! file uses their types.

use crate::{
    shape::{Listing, Place, SyncNo, Tag},
    world::{Body, Message, Named, Report, RunNo, Why, id},
};
use events::{
    Account, AssetBatch, EdgeRow, EdgeTable, Failure, FailureClass, GLOBAL, LostScope, Scope, ScopeFinished,
    ScopeReport, ScopeStarted, SyncFinished, SyncId, WorkItem, WorkKind, WorkReport, asset_event::Event,
};
use graph_writer::{
    missing::{HeldBatch, Missing},
    run::Run,
    scopes::{Progress, ScopeState, Verdict},
};
use scheduler::{Outcome, Request, RequestArgs, Scopes, Unseen, plan::Plan, repeat};
use std::{
    collections::{BTreeMap, BTreeSet},
    hash::{DefaultHasher, Hash, Hasher},
    sync::{Arc, OnceLock},
};

/// Service of all items: global and part of every plan.
const SERVICE: &str = "sts";

/// A scope's state. Compared and hashed by its digest, because comparisons are far more frequent than changes.
#[derive(Clone)]
pub(crate) struct Known {
    state: Arc<ScopeState>,
    digest: u64,
}

impl Known {
    fn of(state: ScopeState) -> Self {
        Self { digest: digest(&state), state: Arc::new(state) }
    }

    /// State of an unknown scope.
    pub(crate) fn nothing() -> Self {
        Self::of(ScopeState::default())
    }

    /// Applies a message. `bool`: whether its rows are to be written.
    pub(crate) fn step(&self, message: &Message) -> (Self, bool) {
        let (state, verdict) = (*self.state).clone().step(&run(message.run), &event(message));
        (Self::of(state), verdict == Verdict::Apply)
    }

    /// Records the number of a batch's edges that lack an end.
    pub(crate) fn hold(&self, batch: u32, sequence: u64, rows: u64) -> Self {
        let mut state = (*self.state).clone();
        // The labels only determine when a retry is worthwhile.
        let labels = (rows > 0).then(|| "V".to_owned()).into_iter().collect();
        state.hold(batch, sequence, Missing { rows, labels, ..Missing::default() });
        Self::of(state)
    }

    /// Records the number of a held batch's edges that lack an end after a retry.
    pub(crate) fn retried(&self, batch: u32, rows: u64) -> Self {
        let mut state = (*self.state).clone();
        let labels = (rows > 0).then(|| "V".to_owned()).into_iter().collect();
        state.retried(HeldBatch::Index(batch), Missing { rows, labels, ..Missing::default() });
        Self::of(state)
    }

    /// Records that a batch with held edges is gone.
    pub(crate) fn lose(&self) -> Self {
        Self::of(ScopeState { lost: true, ..(*self.state).clone() })
    }

    /// The newest run.
    pub(crate) fn run(&self) -> RunNo {
        let Run { tag, sync, attempt } = &self.state.run;
        let sync = sync.trim_start_matches('s').parse().unwrap_or(SyncNo::MAX);
        RunNo { tag: *tag, sync, attempt: *attempt }
    }

    /// Progress of the newest run.
    pub(crate) fn progress(&self) -> Progress {
        self.state.progress()
    }

    /// Whether the newest run finished.
    pub(crate) fn has_finished(&self) -> bool {
        self.state.finish.is_some()
    }

    /// Oldest tag that the scope has ever had.
    pub(crate) fn since(&self) -> Tag {
        self.state.since
    }

    /// Whether a batch with held edges was gone.
    pub(crate) fn is_lost(&self) -> bool {
        self.state.lost
    }

    /// Sequences of the batches with edges that lack an end.
    pub(crate) fn held(&self) -> impl Iterator<Item = u64> + '_ {
        self.state.held.values().map(|missing| missing.sequence)
    }
}

impl Hash for Known {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.digest.hash(state);
    }
}

impl PartialEq for Known {
    fn eq(&self, other: &Self) -> bool {
        self.digest == other.digest
    }
}

impl Eq for Known {}

impl std::fmt::Debug for Known {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} {:?} applied {:?}", self.run(), self.progress(), self.state.applied)
    }
}

/// Hash of all fields, by the debug format.
fn digest(it: &impl std::fmt::Debug) -> u64 {
    let mut hasher = DefaultHasher::new();
    format!("{it:?}").hash(&mut hasher);
    hasher.finish()
}

fn run(run: RunNo) -> Run {
    Run { tag: run.tag, sync: id(run.sync), attempt: run.attempt }
}

/// The account's 12 digits.
pub(crate) fn account(place: Place) -> String {
    format!("{:012}", place + 1)
}

/// The listing's name.
fn listing_name(listing: Listing) -> String {
    format!("L{listing}")
}

/// The listing's scope in a place.
pub(crate) fn scope(place: Place, listing: Listing) -> Scope {
    let (region, service) = (GLOBAL.to_owned(), SERVICE.to_owned());
    Scope { account_id: account(place), region, service, listing: listing_name(listing) }
}

fn place(account: &str) -> Place {
    account.parse::<usize>().unwrap_or(1) - 1
}

fn event(message: &Message) -> Event {
    match &message.body {
        Body::Started => Event::Started(ScopeStarted {}),
        Body::Batch { index, links, .. } => {
            let edges = EdgeTable { rows: vec![EdgeRow::default(); links.len()], ..EdgeTable::default() };
            Event::Batch(AssetBatch { index: *index, nodes: Vec::new(), edges: vec![edges] })
        }
        Body::Finished { batches, .. } => {
            Event::Finished(ScopeFinished { batches: *batches, ..ScopeFinished::default() })
        }
        Body::Failed => Event::Failed(Failure::new(FailureClass::AccessDenied, "no")),
    }
}

fn request() -> &'static Request {
    static REQUEST: OnceLock<Request> = OnceLock::new();
    REQUEST.get_or_init(|| {
        let (account, types, regions) = (Vec::new(), Vec::new(), Vec::new());
        let args = RequestArgs {
            account,
            services: vec![SERVICE.to_owned()],
            types,
            regions,
            patience: 1,
            ..RequestArgs::default()
        };
        args.validate().expect("a request of the one service that needs no region")
    })
}

/// The scheduler's plan of these places, one item for each.
pub(crate) fn plan(id: &str, tag: Tag, places: &BTreeSet<Place>) -> Plan {
    let account = |place: &Place| Account { id: account(*place), partition: "aws".into(), ..Account::default() };
    let sync = SyncId { id: id.to_owned(), update_tag: tag };
    let (plan, items) = Plan::new(sync, places.iter().map(account).collect(), request().clone());
    assert_eq!(items.len(), places.len(), "one item for each place");
    plan
}

/// Whether a report counts in addition to the earlier ones, and whether the sync is then collected.
pub(crate) fn follow(
    sync: SyncNo,
    tag: Tag,
    places: &BTreeSet<Place>,
    heard: &BTreeMap<Place, Report>,
    place: Place,
    report: &Report,
) -> (bool, bool) {
    let id = &id(sync);
    let mut plan = plan(id, tag, places);
    for (place, report) in heard {
        plan.report(work_report(id, tag, *place, report));
    }
    let reports = |plan: &Plan| plan.reports().map(|report| report.attempt).collect::<Vec<_>>();
    let before = reports(&plan);
    plan.report(work_report(id, tag, place, report));
    (reports(&plan) != before, plan.is_done())
}

fn work_report(id: &str, tag: Tag, place: Place, report: &Report) -> WorkReport {
    let sync = SyncId { id: id.to_owned(), update_tag: tag };
    let item = WorkItem {
        sync: Some(sync),
        kind: WorkKind::Collect.into(),
        account_id: account(place),
        partition: "aws".into(),
        region: GLOBAL.to_owned(),
        service: SERVICE.to_owned(),
        ..WorkItem::default()
    };
    WorkReport { item: Some(item), attempt: report.attempt, ..WorkReport::default() }
}

/// The outcome after a repeat of these places, which reported on these scopes.
pub(crate) fn merge(
    first: &Named,
    repeat: &Named,
    places: &BTreeSet<Place>,
    told: impl Iterator<Item = (Place, Listing)>,
) -> Named {
    let mut outcome = outcome(first);
    let report = |(place, listing)| ScopeReport { scope: Some(scope(place, listing)), ..ScopeReport::default() };
    let again = Outcome { scopes: told.map(report).collect(), ..self::outcome(repeat) };
    outcome.merge(again, &places.iter().map(|place| repeated(*place)).collect());
    let unseen = outcome.unseen.iter();
    unseen
        .map(|unseen| {
            let listing = unseen.listing.trim_start_matches('L').parse().ok();
            let why = match unseen.failure.class() {
                FailureClass::Lost => Why::Lost,
                FailureClass::Internal => Why::Superseded,
                _ => Why::Failed,
            };
            ((place(&unseen.account_id), listing), why)
        })
        .collect()
}

fn repeated(place: Place) -> scheduler::place::Place {
    scheduler::place::Place { account_id: account(place), region: GLOBAL.to_owned(), service: SERVICE.to_owned() }
}

fn outcome(named: &Named) -> Outcome {
    let scope = |place: Place, listing: Option<Listing>| Scope {
        listing: listing.map_or_else(|| "*".to_owned(), listing_name),
        ..scope(place, 0)
    };
    let failure = |why: Why| match why {
        Why::Lost => Failure::new(FailureClass::Lost, "lost"),
        Why::Superseded => Failure::new(FailureClass::Internal, "superseded"),
        Why::Failed => Failure::new(FailureClass::AccessDenied, "no"),
    };
    let named: Vec<_> = named
        .iter()
        .map(|((place, listing), why)| LostScope { scope: Some(scope(*place, *listing)), failure: Some(failure(*why)) })
        .collect();
    let lost = named.iter().filter(|it| it.failure.as_ref().is_some_and(|it| it.class() == FailureClass::Lost));
    Outcome {
        unseen: named.iter().map(unseen).collect(),
        graph: SyncFinished { lost: lost.cloned().collect(), ..SyncFinished::default() },
        ..Outcome::default()
    }
}

fn unseen(named: &LostScope) -> Unseen {
    let Scope { account_id, region, service, listing } = named.scope.clone().unwrap_or_default();
    let failure = named.failure.clone().unwrap_or_default();
    let [account_id, region, service, listing] = [account_id, region, service, listing].map(Arc::from);
    Unseen { account_id, account_name: Arc::default(), region, service, listing, failure: failure.into() }
}

/// Places with lost scopes.
pub(crate) fn lost_places(named: &Named) -> BTreeSet<Place> {
    repeat::places(&outcome(named).graph, &Scopes::default()).iter().map(|it| place(&it.account_id)).collect()
}
