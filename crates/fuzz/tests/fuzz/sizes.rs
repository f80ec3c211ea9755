//! Every message at its limit, on a server with NATS's default `max_payload` of 1 MiB and on one with 64 KiB: it fits
//! with any content. Parked messages are tested on a server (`crates/bus/tests/nats/sizes.rs`), and batches with the
//! collector that makes them (`crates/collector/tests/run`).

use collector_ec2::SERVICE as EC2;
use events::{
    Account, AccountsAnswer, AccountsRequest, AssetEvent, BrokerPresent, ClientSettings, Failure, FailureClass,
    LeaseAnswer, LeaseRequest, LongWork, LostArea, LostGroup, LostPlaces, LostScope, Message, NewestTagAnswer,
    NewestTagRequest, RunningAnswer, RunningRequest, Scope, ScopeFinished, ScopeReport, ScopeStarted, SealedSession,
    ShortenedIds, SkippedAccount, StalePlace, SyncAbandoned, SyncClosing, SyncCollected, SyncConcluded, SyncEvent,
    SyncFinished, SyncId, SyncProgress, SyncStarted, UnreachableAccount, UnseenScopes, WorkItem, WorkReport,
    asset_event, lease_answer, sync_event,
};
use std::collections::BTreeSet;

/// The longest names of a region and a service.
const REGION: &str = "us-isob-northeast-1";
const SERVICE: &str = "organizations";
/// More accounts than any organization has.
const MANY: usize = 100_000;

fn sync() -> SyncId {
    SyncId { id: "01KAHZ7Q0M8S1J3V5X9T2W4Y6B".to_owned(), update_tag: i64::MAX }
}

fn account(number: usize) -> String {
    format!("{number:012}")
}

fn scope(number: usize) -> Scope {
    let (region, service, listing) =
        (REGION.to_owned(), SERVICE.to_owned(), "DescribeTransitGatewayRouteTables".to_owned());
    Scope { account_id: account(number), region, service, listing }
}

fn failure() -> Failure {
    Failure::new(FailureClass::Service, "é".repeat(MANY))
}

fn accounts(accounts: usize, unreachable: usize, name: &str, most: usize) -> AccountsAnswer {
    let known = |number| Account {
        id: account(number),
        name: name.to_owned(),
        partition: "aws-us-gov".to_owned(),
        home_region: REGION.to_owned(),
    };
    let refused = |number| UnreachableAccount { id: account(number), name: name.to_owned(), failure: Some(failure()) };
    let inactive =
        |number| SkippedAccount { id: account(number), name: name.to_owned(), reason: "suspended".to_owned() };
    let mut answer = AccountsAnswer {
        accounts: (0..accounts).map(known).collect(),
        unreachable: (0..unreachable).map(refused).collect(),
        failure: None,
        skipped: (0..unreachable).map(inactive).collect(),
        skipped_total: u32::MAX,
    };
    broker::size::fit(&mut answer, most);
    answer
}

/// Work with every listing, in an account with an endless name.
fn item(most: usize) -> WorkItem {
    let account = accounts(1, 0, &"é".repeat(10_000), most).accounts.pop().expect("it is named");
    WorkItem {
        sync: Some(sync()),
        kind: 2,
        account_id: account.id,
        account_name: account.name,
        partition: account.partition,
        region: REGION.to_owned(),
        service: SERVICE.to_owned(),
        home_region: account.home_region,
        listings: EC2.listings.iter().map(|listing| listing.name.to_owned()).collect(),
    }
}

fn assets() -> Vec<asset_event::Event> {
    use asset_event::Event;
    let finished = EC2.listings.iter().map(|listing| {
        let (nodes, edges) = EC2.feeds(listing);
        Event::Finished(ScopeFinished { batches: u32::MAX, assets: u64::MAX, nodes, edges })
    });
    finished.chain([Event::Started(ScopeStarted {}), Event::Failed(failure())]).collect()
}

fn report(scopes: usize, regions: usize, most: usize) -> WorkReport {
    let scope = |number| ScopeReport {
        scope: Some(scope(number)),
        batches: u32::MAX,
        assets: u64::MAX,
        failure: Some(failure()),
        service_off: String::new(),
    };
    let mut report = WorkReport {
        item: Some(item(most)),
        attempt: u32::MAX,
        scopes: (0..scopes).map(scope).collect(),
        regions: vec![REGION.to_owned(); regions],
        failure: Some(failure()),
        took_milliseconds: u64::MAX,
    };
    collector::size::fit(&mut report, most);
    report
}

fn collected(names: usize, long: usize, most: usize) -> SyncCollected {
    let work = |number| LongWork {
        account_id: account(number),
        region: REGION.to_owned(),
        service: SERVICE.to_owned(),
        took_milliseconds: u64::MAX,
    };
    let mut collected = SyncCollected {
        scopes: u64::MAX,
        long: (0..long).map(work).collect(),
        whole: true,
        out_of_reach: (0..names).map(|number| format!("{}/{REGION}/{SERVICE}", account(number))).collect(),
    };
    scheduler::size::fit(&mut collected, most);
    collected
}

/// Accounts, each with lost scopes in different areas.
fn lost_places(most: usize) -> LostPlaces {
    let area = |number| LostArea { region: REGION.to_owned(), service: format!("{SERVICE}{number}") };
    let areas = |account: usize| (0..40).filter(|area| (account >> (area % 16)) & 1 == 0).collect();
    let group = |number| LostGroup { accounts: vec![account(number)], areas: areas(number) };
    // More than fits into 1 MiB; into 64 KiB not even the areas do.
    let (areas, groups) = if most < 1 << 20 { (2_000, 1) } else { (40, MANY / 5) };
    LostPlaces { areas: (0..areas).map(area).collect(), groups: (0..groups).map(group).collect(), everything: false }
}

fn finished(most: usize) -> SyncFinished {
    let lost: Vec<_> =
        (0..MANY / 10).map(|number| LostScope { scope: Some(scope(number)), failure: Some(failure()) }).collect();
    let stale = |number| StalePlace {
        account_id: account(number),
        region: REGION.to_owned(),
        service: SERVICE.to_owned(),
        last_seen: i64::MAX,
    };
    let shortened = ShortenedIds { label: "A".repeat(128), count: u64::MAX, example: "e".repeat(1_100) };
    let mut finished = SyncFinished {
        nodes: u64::MAX,
        edges: u64::MAX,
        nodes_removed: u64::MAX,
        edges_removed: u64::MAX,
        targets_missing: u64::MAX,
        lost: lost.clone(),
        analysis: Some(failure()),
        lost_total: u64::MAX,
        rejected: lost.clone(),
        rejected_total: u64::MAX,
        superseded: lost.clone(),
        superseded_total: u64::MAX,
        newest_tag: i64::MAX,
        stale: (0..MANY).map(stale).collect(),
        stale_total: u64::MAX,
        shortened: vec![shortened; 1_000],
        cleanup: Some(failure()),
        not_run: lost,
        not_run_total: u64::MAX,
        lost_places: Some(lost_places(most)),
    };
    graph_writer::cut::fit(&mut finished, most);
    finished
}

fn concluded(most: usize) -> SyncConcluded {
    let unseen = UnseenScopes {
        account_id: account(0),
        account_name: "n".repeat(256),
        region: REGION.to_owned(),
        service: "organizations".to_owned(),
        listing: "ListOrganizationalUnitsForParent".to_owned(),
        listings: u64::MAX,
        failure: Some(failure()),
    };
    let scope = RunningRequest {
        accounts: (0..MANY).map(account).collect(),
        regions: vec![REGION.to_owned(); 40],
        ..RunningRequest::default()
    };
    let mut concluded = SyncConcluded {
        scope: Some(scope),
        complete: true,
        unseen: vec![unseen; MANY],
        unseen_total: u64::MAX,
        accepted_total: u64::MAX,
        whole: true,
        request: "f".repeat(32),
        failure: Some(failure()),
    };
    scheduler::size::fit_concluded(&mut concluded, most);
    concluded
}

fn progress(most: usize) -> Vec<sync_event::Event> {
    use sync_event::Event;
    let services = catalog::services().iter().map(|service| service.name.clone()).collect();
    vec![
        Event::Started(SyncStarted { accounts: u32::MAX, services }),
        Event::Reported(report(30, 0, most)),
        Event::Reported(report(MANY, 0, most)),
        Event::Reported(report(0, MANY, most)),
        Event::Collected(collected(8_000, 5_000, most)),
        Event::Collected(collected(MANY, MANY, most)),
        Event::Finished(finished(most)),
        Event::Abandoned(SyncAbandoned { by: Some(sync()) }),
        Event::Closing(SyncClosing { made: u64::MAX, attempt: u32::MAX }),
        Event::Concluded(concluded(most)),
    ]
}

/// A session of the longest token, with a bundle of as many bytes as the broker reads.
fn lease(most: usize) -> LeaseAnswer {
    let sealed = SealedSession { encapsulated_key: vec![7; 32], ciphertext: vec![7; 8_192] };
    let settings = ClientSettings {
        endpoint_url: "https://vpce.amazonaws.com".repeat(10),
        authorities: vec![vec![7; 500]; 1_400],
        ..ClientSettings::default()
    };
    let mut answer = LeaseAnswer { outcome: Some(lease_answer::Outcome::Sealed(sealed)), settings: Some(settings) };
    broker::size::fit_lease(&mut answer, most);
    answer
}

fn question(most: usize) -> RunningRequest {
    let mut question = RunningRequest {
        accounts: (0..MANY).map(account).collect(),
        regions: vec![REGION.to_owned(); 40],
        services: vec![SERVICE.to_owned(); 20],
        sync_id: sync().id,
    };
    scheduler::size::widen(&mut question, most);
    question
}

fn request() -> LeaseRequest {
    LeaseRequest {
        request_id: "f".repeat(32),
        sync_id: sync().id,
        account_id: account(0),
        service: SERVICE.to_owned(),
        actions: EC2.actions(),
        public_key: vec![7; 32],
        fresh: true,
    }
}

/// Messages of the streams with their sizes.
fn streamed(most: usize) -> Vec<(String, usize)> {
    let assets = assets().into_iter().map(|event| {
        let event = AssetEvent { sync: Some(sync()), scope: Some(scope(0)), attempt: u32::MAX, event: Some(event) };
        (format!("assets {}", events::subjects::asset_kind(&event)), event.encoded_len())
    });
    let progress = progress(most).into_iter().map(|event| {
        let event = SyncEvent { sync: Some(sync()), event: Some(event) };
        (format!("sync {}", events::subjects::sync_kind(&event)), event.encoded_len())
    });
    assets.chain(progress).chain([("work".to_owned(), item(most).encoded_len())]).collect()
}

/// Messages of no stream with their sizes.
fn told(most: usize) -> Vec<(&'static str, usize)> {
    let present =
        BrokerPresent { broker_id: sync().id, configuration: vec![7; 32], caller_account: account(0), serving: true };
    let all = u64::MAX;
    let progress = SyncProgress { accounts: all, items_done: all, items: all, assets: all, writing: true };
    let running =
        RunningAnswer { sync: Some(sync()), silent_seconds: all, other_scope: true, progress: Some(progress) };
    vec![
        ("accounts request", AccountsRequest {}.encoded_len()),
        ("accounts", accounts(5_000, 5_000, "payments", most).encoded_len()),
        ("too many accounts", accounts(MANY, 0, "payments", most).encoded_len()),
        ("lease request", request().encoded_len()),
        ("lease", lease(most).encoded_len()),
        ("running request", question(most).encoded_len()),
        ("running", running.encoded_len()),
        ("newest tag request", NewestTagRequest {}.encoded_len()),
        ("newest tag", NewestTagAnswer { newest_tag: i64::MAX }.encoded_len()),
        ("broker", present.encoded_len()),
    ]
}

#[test]
fn every_message_fits_at_its_limit() {
    // Space that `bus` reserves for the headers of a parked message.
    const RESERVE: usize = 4_096;
    for most in [64 << 10, 1 << 20] {
        for (name, bytes) in streamed(most) {
            assert!(bytes <= most - RESERVE, "{name}: {bytes} bytes of {most}");
        }
        for (name, bytes) in told(most) {
            assert!(bytes <= most, "{name}: {bytes} bytes of {most}");
        }
    }
}

/// A sync of the largest organization that loses everything: 1,000 accounts, 17 regions, 25 listings.
#[test]
fn every_lost_place_is_collected_again_however_many_scopes_were_lost() {
    let names: Vec<Scope> = (0..425_000)
        .map(|number| Scope {
            account_id: account(number / 425),
            region: format!("us-isob-northeast-{}", number / 25 % 17),
            service: "ec2".to_owned(),
            listing: format!("DescribeTransitGatewayRouteTables{}", number % 25),
        })
        .collect();
    let report = |scope: &Scope| ScopeReport { scope: Some(scope.clone()), batches: 1, ..ScopeReport::default() };
    let scopes: scheduler::Scopes = names.iter().map(report).collect();
    let lost = names.into_iter().map(|scope| LostScope { scope: Some(scope), failure: Some(failure()) });
    let mut whole = SyncFinished { lost: lost.collect(), lost_total: 425_000, ..SyncFinished::default() };
    for most in [1 << 20, 64 << 10] {
        // As on a server with smaller messages.
        graph_writer::cut::fit(&mut whole, most);
        assert!(whole.encoded_len() < most / 32 * 10, "{} of {most}", whole.encoded_len());
        assert!(whole.lost.len() < 2_000, "{}", whole.lost.len());
        assert_eq!(scheduler::repeat::places(&whole, &scopes).len(), 17_000);
        let unseen = scheduler::Unseen::of_graph(&whole, &[], &scopes);
        let found: BTreeSet<_> = unseen.iter().map(|it| (it.account_id.clone(), it.region.clone())).collect();
        assert_eq!(found.len(), 17_000);
    }
}

#[test]
fn the_default_limit_cuts_nothing_usual() {
    let most = 1 << 20;
    let kept = collected(8_000, 5_000, most);
    assert_eq!((kept.whole, kept.out_of_reach.len(), kept.long.len()), (true, 8_000, 5_000));
    assert!(matches!(lease(most).outcome, Some(lease_answer::Outcome::Sealed(_))));
    assert_eq!(accounts(5_000, 5_000, "payments", most).accounts.len(), 5_000);
}
