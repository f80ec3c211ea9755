//! A database that fails completely, hangs or has little memory loses no rows.

use crate::{
    story::{Story, story, sync, text},
    world::{PATIENCE, World, options},
};
use anyhow::{Context, ensure};
use graph::{GraphError, GraphStore, Limits, Portion};
use graph_writer::Options;
use std::{
    fs::File,
    io::Write,
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use testkit::{Fate, Neo4j, Proxy, Way};

fn batches(tag: i64, batches: usize, rows: usize) -> Story {
    let ids: Vec<String> = (0..batches * rows).map(|n| format!("a{n:06}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    ids.chunks(rows).fold(story(tag, "ListA"), |story, ids| story.nodes("A", ids))
}

/// Edges that Neo4j cannot delete in one transaction of 6 MB.
const HUB: usize = 40_000;

async fn count(neo4j: &Neo4j) -> anyhow::Result<i64> {
    let rows = neo4j.rows("MATCH (n:A) RETURN count(*) AS count").await?;
    rows[0]["count"].as_i64().context("a count")
}

async fn until(what: &str, mut probe: impl AsyncFnMut() -> anyhow::Result<bool>) -> anyhow::Result<()> {
    let deadline = Instant::now() + PATIENCE * 2;
    while !probe().await? {
        ensure!(Instant::now() < deadline, "it does not happen that {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handshake_that_is_not_answered_holds_nothing_up() -> anyhow::Result<()> {
    let world = World::new().await?;
    let (proxy, store) = behind_a_proxy(&world).await?;
    let dead = Arc::new(AtomicBool::new(false));
    let is_dead = dead.clone();
    proxy.judge(move |_, _| if is_dead.load(Ordering::SeqCst) { Fate::Lose } else { Fate::Pass });
    let second = Duration::from_secs(1);
    let limits = Limits { begin: second, statement: second, commit: second, ..Limits::default() };
    let writer = world.writer_on(store.with_limits(limits), Options { ack_wait: second, ..options() }).await?;
    world.survey(&[story(5, "ListB").nodes("B", &["b"])]).await?;
    // From here on connections are accepted but receive no answer.
    dead.store(true, Ordering::SeqCst);
    proxy.cut();
    let before = proxy.accepted();
    let accounts: Vec<Story> = ["1", "2", "3"].into_iter().map(|a| batches(6, 2, 10).account(a)).collect();
    world.publish(accounts.iter().flat_map(Story::events)).await?;
    until("both lanes connect again", async || Ok(proxy.accepted() >= before + 2)).await?;
    dead.store(false, Ordering::SeqCst);
    world.settled().await?;
    assert_eq!((count(&world.neo4j).await?, world.parked().await?), (20, 0));
    writer.stop().await
}

/// Two clients lose their hosts: one between two statements, one before it fetches the rows of a statement. Neo4j
/// considers their connections alive, and by default keeps transactions and locks forever.
#[tokio::test(flavor = "multi_thread")]
async fn transactions_whose_clients_are_gone_do_not_hold_up_the_others() -> anyhow::Result<()> {
    let world = World::new().await?;
    let writer = world.writer().await?;
    world.survey(&[story(5, "ListA").nodes("A", &["a"]), story(5, "ListB").nodes("B", &["b"])]).await?;
    let mut gone = world.store().await?.begin().await?;
    gone.run(neo4rs::query("MATCH (n:A) SET n.held = true")).await?;
    let fetching = lost_before_it_fetches(&world, "MATCH (n:B) SET n.held = true").await?;
    world.survey(&[story(6, "ListA").nodes("A", &["a"]), story(6, "ListB").nodes("B", &["b"])]).await?;
    ensure!(gone.end(Ok(())).await.is_err(), "it was ended");
    fetching.abort();
    let tags = world.neo4j.rows("MATCH (n:A|B) RETURN n.lastupdated AS tag, n.held AS held").await?;
    assert!(tags.iter().all(|row| (row["tag"].as_i64(), row["held"].is_null()) == (Some(6), true)), "{tags:?}");
    assert_eq!(tags.len(), 2);
    writer.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_whose_answer_was_lost_is_given_up() -> anyhow::Result<()> {
    let world = World::new().await?;
    let (proxy, store) = behind_a_proxy(&world).await?;
    let mut waiting = store.begin().await?;
    waiting.run(neo4rs::query("CREATE (:B {id: 'b'})")).await?;
    let mut losses = 1;
    proxy.judge(move |way, _| match way {
        Way::ToClient if losses > 0 => {
            losses -= 1;
            Fate::Lose
        }
        _ => Fate::Pass,
    });
    let given_up = waiting.run(neo4rs::query("MATCH (n:B) RETURN n")).await;
    // Not after its limit, because then the transaction would count as too large.
    assert!(matches!(given_up, Err(neo4rs::Error::ServerUnavailableError(_))), "{given_up:?}");
    drop(waiting);
    assert_eq!(store.rows(neo4rs::query("MATCH (n:B) RETURN n")).await?.len(), 0);
    Ok(())
}

/// Neo4j answers success to a commit after it has undone the transaction with its connection.
#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_arrives_after_the_end_of_its_transaction_is_not_believed() -> anyhow::Result<()> {
    let world = World::new().await?;
    world.neo4j.rows("CREATE (:A {id: 'a'})").await?;
    let (proxy, store) = behind_a_proxy(&world).await?;
    let mut late = store.begin().await?;
    late.run(neo4rs::query("MATCH (n:A) SET n.late = true")).await?;
    proxy.judge(move |way, sent| match way {
        Way::ToServer if sent.windows(COMMIT.len()).any(|part| part == COMMIT) => Fate::Hold,
        _ => Fate::Pass,
    });
    let committing = tokio::spawn(late.end(Ok(())));
    let mut other = world.store().await?.begin().await?;
    other.run(neo4rs::query("MATCH (n:A) SET n.other = true")).await?;
    other.end(Ok(())).await?;
    // By then its connection is closed too.
    tokio::time::sleep(Duration::from_secs(25)).await;
    proxy.judge(|_, _| Fate::Pass);
    proxy.release();
    ensure!(committing.await?.is_err(), "it was undone");
    let rows = world.neo4j.rows("MATCH (n:A) RETURN n.late AS late, n.other AS other").await?;
    assert_eq!((rows[0]["late"].is_null(), rows[0]["other"].as_bool()), (true, Some(true)));
    Ok(())
}

/// Bolt's message COMMIT: a structure without fields, of tag 0x12.
const COMMIT: [u8; 2] = [0xB0, 0x12];

/// Connects to the graph through a proxy that can disturb the connection.
async fn behind_a_proxy(world: &World) -> anyhow::Result<(Proxy, GraphStore)> {
    let port = world.neo4j.uri().rsplit(':').next().context("a port")?.parse()?;
    let proxy = Proxy::start(port).await?;
    let uri = format!("bolt://127.0.0.1:{}", proxy.port());
    let store = GraphStore::connect(&graph::GraphConfig { uri, ..world.config() }).await?;
    Ok((proxy, store))
}

/// Takes a lock, sends a second statement, and is lost before it fetches the rows.
async fn lost_before_it_fetches(world: &World, lock: &'static str) -> anyhow::Result<tokio::task::JoinHandle<()>> {
    let (proxy, store) = behind_a_proxy(world).await?;
    let mut lost = store.begin().await?;
    lost.run(neo4rs::query(lock)).await?;
    let sent = Arc::new(AtomicBool::new(false));
    let is_sent = sent.clone();
    proxy.judge(move |way, _| match way {
        Way::ToServer => Fate::Pass,
        Way::ToClient => {
            is_sent.store(true, Ordering::SeqCst);
            Fate::Hold
        }
    });
    let fetching = tokio::spawn(async move {
        let _open = &proxy;
        lost.run(neo4rs::query("MATCH (n:Nothing) RETURN n")).await.ok();
        std::future::pending::<()>().await;
    });
    until("the statement has reached the server", async || Ok(sent.load(Ordering::SeqCst))).await?;
    Ok(fetching)
}

/// A file system of a given size, unmounted on drop.
struct Disk(PathBuf);

impl Disk {
    /// `None` if this user may not mount.
    fn mount(folder: &Path, size: &str) -> anyhow::Result<Option<Self>> {
        std::fs::create_dir_all(folder)?;
        let done =
            Command::new("mount").args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"]).arg(folder).output();
        Ok(done.is_ok_and(|done| done.status.success()).then(|| Self(folder.to_owned())))
    }

    fn fill(&self) -> anyhow::Result<()> {
        let mut file = File::create(self.0.join("filler"))?;
        while file.write_all(&[0; 4_096]).is_ok() {}
        Ok(())
    }

    fn free(&self) -> anyhow::Result<()> {
        Ok(std::fs::remove_file(self.0.join("filler"))?)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_parks_nothing() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let Some(disk) = Disk::mount(&folder.path().join("disk"), "160m")? else {
        eprintln!("skipped: this user may not mount a file system");
        return Ok(());
    };
    // A full disk leaves an incomplete transaction at the end of Neo4j's log. Without this setting Neo4j does not skip
    // it.
    let skip = "internal.dbms.tx_log.fail_on_corrupted_log_files=false";
    let mut neo4j = Neo4j::start_in(&disk.0, &[skip]).await?;
    let world = World::new().await?;
    let config = graph::GraphConfig { uri: neo4j.uri(), ..world.config() };
    let writer = world.writer_on(GraphStore::connect(&config).await?, options()).await?;
    let listing = batches(5, 60, 300);
    world.survey(&[story(4, "ListB").nodes("B", &["b"])]).await?;
    disk.fill()?;
    world.publish(listing.events()).await?;
    until("Neo4j fails", async || Ok(neo4j.rows("CREATE (:Probe {text: 'x'})").await.is_err())).await?;
    // Long enough for the writer to try and fail: wrongly parked events would be visible by now.
    tokio::time::sleep(Duration::from_secs(30)).await;
    assert_eq!(world.parked().await?, 0);
    disk.free()?;
    neo4j.restart().await?;
    until("everything is applied", async || Ok(count(&neo4j).await.unwrap_or(0) == 18_000)).await?;
    world.collected(&sync(5), &[listing]).await?;
    assert!(world.finished(&sync(5)).await?.lost.is_empty());
    assert_eq!(world.parked().await?, 0);
    writer.stop().await?;
    drop(neo4j);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vanished_node_with_more_edges_than_a_transaction_can_delete_is_removed() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let neo4j = Neo4j::start_in(folder.path(), &["db.memory.transaction.max=6m"]).await?;
    let world = World::new().await?;
    let config = graph::GraphConfig { uri: neo4j.uri(), ..world.config() };
    let writer = world.writer_on(GraphStore::connect(&config).await?, options()).await?;
    let of = |tag, account: &str, ids: &[&str]| story(tag, "ListA").account(account).nodes("A", ids);
    world.survey(&[of(5, "1", &["kept", "own", "common"]), of(5, "2", &["common"])]).await?;
    for hub in ["own", "common"] {
        for _ in 0..HUB / 500 {
            let edges = "UNWIND range(1, 500) AS n CREATE (:Leaf)-[:LINKS {lastupdated: 5}]->(a)";
            neo4j.rows(&format!("MATCH (a:A {{id: '{hub}'}}) {edges}")).await?;
        }
    }
    let delete = neo4j.rows("MATCH (a:A {id: 'own'}) DETACH DELETE a").await;
    ensure!(delete.is_err(), "one transaction can delete the hub");
    let finished = world.survey(&[of(6, "1", &["kept"]), of(6, "2", &[])]).await?;
    assert_eq!((finished.nodes_removed, finished.cleanup, count(&neo4j).await?), (2, None, 1));
    writer.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_needs_more_memory_than_there_is_becomes_smaller() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let neo4j = Neo4j::start_in(folder.path(), &["db.memory.transaction.max=3m"]).await?;
    let world = World::new().await?;
    let config = graph::GraphConfig { uri: neo4j.uri(), ..world.config() };
    let listing = batches(5, 6, 1_000);
    world.publish(listing.events()).await?;
    let writer = world.writer_on(GraphStore::connect(&config).await?, options()).await?;
    world.collected(&sync(5), std::slice::from_ref(&listing)).await?;
    let finished = world.finished(&sync(5)).await?;
    assert!(finished.lost.is_empty(), "{finished:?}");
    assert_eq!((count(&neo4j).await?, world.parked().await?), (6_000, 0));
    writer.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn held_edges_that_need_more_memory_than_there_is_are_drawn_in_pieces() -> anyhow::Result<()> {
    const EDGES: usize = 8_000;
    let folder = tempfile::tempdir()?;
    let neo4j = Neo4j::start_in(folder.path(), &["db.memory.transaction.max=4m"]).await?;
    let world = World::new().await?;
    let config = graph::GraphConfig { uri: neo4j.uri(), ..world.config() };
    let writer = world.writer_on(GraphStore::connect(&config).await?, options()).await?;
    let ids: Vec<String> = (0..EDGES).map(|n| format!("b{n}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let pairs: Vec<(&str, &str)> = ids.iter().map(|id| ("a", *id)).collect();
    let first = story(5, "ListA").nodes("A", &["a"]).edges("TO", "A", "B", &pairs);
    world.publish(first.events()).await?;
    world.settled().await?;
    let targets = ids.chunks(500).fold(story(5, "ListB"), |story, ids| story.nodes("B", ids));
    let finished = world.survey(&[targets, first]).await?;
    assert!(finished.lost.is_empty() && finished.targets_missing == 0, "{finished:?}");
    let rows = neo4j.rows("MATCH (:A)-[r:TO]->(:B) RETURN count(r) AS count").await?;
    assert_eq!((rows[0]["count"].as_u64(), world.parked().await?), (Some(EDGES as u64), 0));
    writer.stop().await
}

/// A statement of more than this many bytes gets no answer in time. One of 1,000 rows of these listings has some
/// 250,000.
const SLOW: usize = 400_000;

/// Such a statement is not repeated.
#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_takes_too_long_becomes_smaller_and_stays_so() -> anyhow::Result<()> {
    let world = World::new().await?;
    let (proxy, store) = behind_a_proxy(&world).await?;
    let (mut sent, muted) = (0, Arc::new(AtomicUsize::new(0)));
    let count_muted = muted.clone();
    proxy.judge(move |way, chunk| {
        sent = if way == Way::ToServer { sent + chunk.len() } else { 0 };
        if sent <= SLOW {
            return Fate::Pass;
        }
        sent = 0;
        count_muted.fetch_add(1, Ordering::SeqCst);
        Fate::Mute
    });
    let ids: Vec<String> = (0..12_000).map(|n| format!("a{n:0100}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let listing = ids.chunks(1_000).fold(story(5, "ListA"), |story, ids| story.nodes("A", ids));
    world.publish(listing.events()).await?;
    // Long enough for every other statement on a busy machine; after ten seconds the connection would count as dead.
    let limits = Limits { statement: Duration::from_secs(9), ..Limits::default() };
    let writer = world.writer_on(store.with_limits(limits), Options { lanes: 1, ..options() }).await?;
    world.settled().await?;
    world.collected(&sync(5), std::slice::from_ref(&listing)).await?;
    assert!(world.finished(&sync(5)).await?.lost.is_empty());
    assert_eq!((count(&world.neo4j).await?, world.parked().await?), (12_000, 0));
    assert_eq!(muted.load(Ordering::SeqCst), 1);
    writer.stop().await
}

/// Neo4j reports it only at the commit.
#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_is_too_large_to_commit_is_parked_alone() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let neo4j = Neo4j::start_in(folder.path(), &["db.memory.transaction.max=2m"]).await?;
    let world = World::new().await?;
    let config = graph::GraphConfig { uri: neo4j.uri(), ..world.config() };
    let store = GraphStore::connect(&config).await?;
    let mut transaction = store.begin().await?;
    let large = "x".repeat(800_000);
    transaction.run(neo4rs::query("CREATE (:Large {text: $text})").param("text", large.as_str())).await?;
    ensure!(transaction.end(Ok(())).await.is_err(), "it can be committed");
    let mut listing = story(5, "ListA").nodes("A", &["a", "b", "c"]);
    listing.last_batch().nodes[0].rows[1].values[1] = text(&large);
    let writer = world.writer_on(store, options()).await?;
    let finished = world.survey(&[listing]).await?;
    assert!(finished.lost.is_empty(), "{finished:?}");
    assert_eq!((count(&neo4j).await?, world.parked().await?), (2, 1));
    writer.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_portion_that_was_too_large_is_remembered() -> anyhow::Result<()> {
    static ROWS: Portion = Portion::new(100_000);
    let folder = tempfile::tempdir()?;
    let neo4j = Neo4j::start_in(folder.path(), &["db.memory.transaction.max=4m"]).await?;
    let world = World::new().await?;
    let store = GraphStore::connect(&graph::GraphConfig { uri: neo4j.uri(), ..world.config() }).await?;
    let tried = std::cell::RefCell::new(Vec::new());
    let create = |size: usize| {
        tried.borrow_mut().push(size);
        neo4rs::query("UNWIND range(1, $size) AS n CREATE (:A {id: n})").param("size", i64::try_from(size).unwrap_or(0))
    };
    let (first, _) = store.in_portion(&ROWS, usize::MAX, create).await?;
    // It did not wait and repeat the same size.
    assert_eq!(tried.borrow()[..2], [100_000, 50_000]);
    tried.borrow_mut().clear();
    store.in_portion(&ROWS, first, create).await?;
    assert_eq!(*tried.borrow(), [first]);
    assert_eq!(count(&neo4j).await?, 2 * i64::try_from(first)?);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_waits_for_a_database_that_answers_late() -> anyhow::Result<()> {
    let world = World::new().await?;
    let port = world.neo4j.uri().rsplit(':').next().context("a port")?.parse()?;
    let proxy = Proxy::start(port).await?;
    let config = graph::GraphConfig { uri: format!("bolt://127.0.0.1:{}", proxy.port()), ..world.config() };
    proxy.hold(Way::ToClient);
    let early = GraphStore::connect(&config).await;
    assert!(matches!(early, Err(GraphError::Unavailable { .. })), "a command does not wait that long");
    let connecting = tokio::spawn(async move { GraphStore::connect_within(&config, Duration::from_mins(1)).await });
    // Longer than a command waits.
    tokio::time::sleep(Duration::from_secs(12)).await;
    proxy.release();
    connecting.await??;
    Ok(())
}
