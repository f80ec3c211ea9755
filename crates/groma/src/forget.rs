//! `groma forget`: counts nodes and edges of places that no survey covers any longer, and removes them with `--yes`.

use crate::{UsageError, replay::since};
use graph::GraphStore;
use graph_writer::{
    forget::{self, Counts, Place, Removed},
    ghosts::{self, Ghosts},
};
use std::{
    collections::BTreeMap,
    fmt::Write,
    time::{Duration, UNIX_EPOCH},
};

/// Flags of `groma forget`.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub struct Args {
    /// Places to forget.
    #[command(flatten)]
    pub choice: Choice,
    /// Forget nodes and edges of Cartography that neither it nor Groma has seen since --older-than
    #[arg(long, requires = "older_than", conflicts_with_all = ["accounts", "places", "stale"])]
    pub cartography: bool,
    /// Remove them; without this flag they are only counted
    #[arg(long)]
    pub yes: bool,
    /// Neo4j.
    #[command(flatten)]
    pub graph: graph::Args,
}

/// Places to forget. A place must match all given flags. Shared nodes belong to no place: `--stale` and `--older-than`
/// select them, too, once nothing refers to them.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub struct Choice {
    /// Forget the accounts with these ids, and their remembered findings unless another flag narrows the selection
    #[arg(long = "account", value_name = "ID", value_delimiter = ',')]
    pub accounts: Vec<String>,
    /// Forget these places: ACCOUNT/REGION, or ACCOUNT/REGION/SERVICE
    #[arg(long = "place", value_name = "PLACE", value_delimiter = ',')]
    pub places: Vec<String>,
    /// Forget places that no sync has seen since this time: `30d`, `2026-01-31`, `2026-01-31T06:00:00Z` or Unix seconds
    #[arg(long, value_name = "WHEN", value_parser = since::parse)]
    pub older_than: Option<i64>,
    /// Forget the places that the last sync of everything did not cover; its report names them
    #[arg(long)]
    pub stale: bool,
}

/// Counts or removes nodes and edges.
///
/// # Errors
/// Fails if no place is selected, or the graph cannot be used.
pub async fn run(args: Args) -> anyhow::Result<u8> {
    let Args { choice, cartography, yes, graph } = args;
    if choice.is_empty() {
        let error = "set --account, --place, --older-than or --stale; several flags narrow the selection";
        return Err(UsageError::new([error.to_owned()]).into());
    }
    let store = GraphStore::connect(&graph.validate().map_err(UsageError::new)?).await?;
    match choice.older_than.filter(|_| cartography) {
        Some(before) => forget_cartography(&store, before, yes).await?,
        None => forget_places(&store, &choice, yes).await?,
    }
    Ok(process::exit::COMPLETE)
}

async fn forget_places(store: &GraphStore, choice: &Choice, yes: bool) -> anyhow::Result<()> {
    let chosen: Vec<Place> = forget::places(store).await?.into_iter().filter(|place| choice.has(place)).collect();
    let counts = forget::count(store, &chosen).await?;
    print!("{}", table(&chosen, &counts));
    if yes && !chosen.is_empty() {
        let Removed { nodes, edges, scopes } = forget::forget(store, &chosen).await?;
        println!("Removed {nodes} nodes and {edges} edges of {} place(s), and {scopes} scopes.", chosen.len());
    }
    let has_findings = forget_findings(store, choice, yes).await?;
    // Places that were just removed may have been the last ones to refer to a node.
    let has_ghosts = forget_ghosts(store, choice, yes).await?;
    if chosen.is_empty() && !has_ghosts && !has_findings {
        println!("The graph holds no such place.");
    } else if !yes {
        println!("Nothing is removed without --yes. Elements that other places see too will stay.");
    }
    Ok(())
}

/// Counts or removes findings that `groma ask --remember` kept of whole accounts. Returns whether there are some.
async fn forget_findings(store: &GraphStore, choice: &Choice, yes: bool) -> anyhow::Result<bool> {
    let accounts = choice.whole_accounts();
    if accounts.is_empty() {
        return Ok(false);
    }
    let count = known_findings::count_of_accounts(store, accounts).await?;
    if count > 0 {
        println!("{count:>8} remembered findings of the account(s)");
    }
    if yes && count > 0 {
        println!("Removed {} remembered findings.", known_findings::forget_accounts(store, accounts).await?);
    }
    Ok(count > 0)
}

/// Counts or removes shared nodes that nothing refers to. Returns whether there are some.
async fn forget_ghosts(store: &GraphStore, choice: &Choice, yes: bool) -> anyhow::Result<bool> {
    let Some(before) = choice.ghosts(ghosts::last_whole_sync(store).await?) else { return Ok(false) };
    let counts = ghosts::count(store, before).await?;
    if counts.is_empty() {
        return Ok(false);
    }
    print!("{}", ghosts_table(&counts));
    if yes {
        println!("Removed {} shared nodes.", ghosts::forget(store, before).await?);
    }
    Ok(true)
}

async fn forget_cartography(store: &GraphStore, before: i64, yes: bool) -> anyhow::Result<()> {
    let counts = forget::count_cartography(store, before).await?;
    println!("written by Cartography and not seen since {}:", time(before));
    print!("{}", lines(&counts));
    if yes {
        let Removed { nodes, edges, .. } = forget::forget_cartography(store, before).await?;
        println!("Removed {nodes} nodes and {edges} edges.");
    } else {
        println!("Nothing is removed without --yes.");
    }
    Ok(())
}

impl Choice {
    fn is_empty(&self) -> bool {
        self.accounts.is_empty() && self.places.is_empty() && self.older_than.is_none() && !self.stale
    }

    fn has(&self, place: &Place) -> bool {
        let within = |outer: &String| {
            place.name.strip_prefix(outer.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        (self.accounts.is_empty() || self.accounts.iter().any(within))
            && (self.places.is_empty() || self.places.iter().any(within))
            && self.older_than.is_none_or(|before| place.last_seen < before)
            && (!self.stale || place.stale)
    }
}

impl Choice {
    /// Accounts that are chosen with all their places.
    fn whole_accounts(&self) -> &[String] {
        let is_part = !self.places.is_empty() || self.older_than.is_some() || self.stale;
        if is_part { &[] } else { &self.accounts }
    }

    /// The time before which a shared node was last seen if it is chosen. `None`: none is.
    fn ghosts(&self, last_whole_sync: i64) -> Option<i64> {
        let is_of_places = !self.accounts.is_empty() || !self.places.is_empty();
        let stale = self.stale.then_some(last_whole_sync);
        let times = [stale, self.older_than];
        times.into_iter().flatten().min().filter(|_| !is_of_places)
    }
}

fn ghosts_table(counts: &BTreeMap<String, Ghosts>) -> String {
    let mut text = "shared nodes that nothing refers to any more:\n".to_owned();
    for (label, Ghosts { count, oldest, newest }) in counts {
        writeln!(text, "{count:>8} {label}, last seen {}", span(*oldest, *newest)).ok();
    }
    text
}

fn span(oldest: i64, newest: i64) -> String {
    if oldest == newest { time(oldest) } else { format!("from {} to {}", time(oldest), time(newest)) }
}

fn table(places: &[Place], counts: &Counts) -> String {
    let mut text = String::new();
    for Place { name, last_seen, .. } in places {
        writeln!(text, "{name}, last seen {}:", time(*last_seen)).ok();
        text.push_str(&counts.get(name).map_or_else(|| lines(&BTreeMap::new()), lines));
    }
    text
}

fn lines(counts: &BTreeMap<String, u64>) -> String {
    if counts.is_empty() {
        return "         nothing\n".to_owned();
    }
    counts.iter().fold(String::new(), |mut text, (kind, count)| {
        writeln!(text, "{count:>8} {kind}").ok();
        text
    })
}

fn time(seconds: i64) -> String {
    let since = Duration::from_secs(u64::try_from(seconds).unwrap_or(0));
    UNIX_EPOCH
        .checked_add(since)
        .map_or_else(|| seconds.to_string(), |at| humantime::format_rfc3339_seconds(at).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }

    fn chosen(line: &[&str]) -> Vec<&'static str> {
        let graph = ["groma", "--neo4j", "bolt://x", "--neo4j-user", "x", "--neo4j-password", "x"];
        let choice = Line::try_parse_from(graph.iter().chain(line)).map(|line| line.args.choice).expect("it is right");
        let place = |name: &str, last_seen, stale| Place { name: name.into(), last_seen, stale };
        let places = [("1/a/ec2", 10, false), ("1/b/ec2", 20, true), ("11/a/ec2", 10, true), ("1/a/iam", 30, false)];
        places.into_iter().filter(|(name, tag, stale)| choice.has(&place(name, *tag, *stale))).map(|it| it.0).collect()
    }

    #[test]
    fn what_is_said_together_narrows_the_places_down() {
        assert_eq!(chosen(&["--account", "1"]), ["1/a/ec2", "1/b/ec2", "1/a/iam"]);
        assert_eq!(chosen(&["--account", "1", "--stale"]), ["1/b/ec2"]);
        assert_eq!(chosen(&["--place", "1/a,11/a/ec2"]), ["1/a/ec2", "11/a/ec2", "1/a/iam"]);
        assert_eq!(chosen(&["--place", "1/a/ec"]), [""; 0]);
        assert_eq!(chosen(&["--older-than", "20"]), ["1/a/ec2", "11/a/ec2"]);
        assert_eq!(chosen(&["--older-than", "20", "--stale"]), ["11/a/ec2"]);
    }

    #[test]
    fn shared_nodes_are_chosen_by_age_and_not_with_an_account() {
        let graph = ["groma", "--neo4j", "bolt://x", "--neo4j-user", "x", "--neo4j-password", "x"];
        let choice = |line: &[&str]| {
            let args = Line::try_parse_from(graph.iter().chain(line)).map(|line| line.args).expect("it is right");
            args.choice.ghosts(30)
        };
        assert_eq!((choice(&["--stale"]), choice(&["--older-than", "20"])), (Some(30), Some(20)));
        assert_eq!(
            (choice(&["--stale", "--older-than", "20"]), choice(&["--account", "1", "--stale"])),
            (Some(20), None)
        );
        assert_eq!(choice(&["--place", "1/a", "--older-than", "20"]), None);
    }

    #[test]
    fn findings_are_forgotten_with_whole_accounts_only() {
        let graph = ["groma", "--neo4j", "bolt://x", "--neo4j-user", "x", "--neo4j-password", "x"];
        let accounts = |line: &[&str]| {
            let args = Line::try_parse_from(graph.iter().chain(line)).map(|line| line.args).expect("it is right");
            args.choice.whole_accounts().to_vec()
        };
        assert_eq!(accounts(&["--account", "1,2"]), ["1", "2"]);
        for more in [&["--stale"][..], &["--older-than", "20"], &["--place", "1/a"]] {
            assert!(accounts(&[&["--account", "1"][..], more].concat()).is_empty(), "{more:?}");
        }
    }

    #[test]
    fn shared_nodes_are_counted_with_their_age() {
        let (oldest, newest) = (1_700_000_000, 1_700_003_600);
        let counts = BTreeMap::from([
            ("AWSManagedPolicy".to_owned(), Ghosts { count: 2, oldest, newest }),
            ("AWSPolicyStatement".to_owned(), Ghosts { count: 7, oldest, newest: oldest }),
        ]);
        let expected = "shared nodes that nothing refers to any more:\n       \
            2 AWSManagedPolicy, last seen from 2023-11-14T22:13:20Z to 2023-11-14T23:13:20Z\n       \
            7 AWSPolicyStatement, last seen 2023-11-14T22:13:20Z\n";
        assert_eq!(ghosts_table(&counts), expected);
    }

    #[test]
    fn every_place_is_named_with_what_is_in_it() {
        let place = |name: &str| Place { name: name.into(), last_seen: 1_700_000_000, stale: true };
        let vpcs = BTreeMap::from([("AWSVpc".to_owned(), 12), ("(:AWSVpc)-[:RESOURCE]->(:A)".to_owned(), 3)]);
        let text = table(&[place("1/r/ec2"), place("2/r/ec2")], &Counts::from([("1/r/ec2".to_owned(), vpcs)]));
        let expected = "1/r/ec2, last seen 2023-11-14T22:13:20Z:\n       3 (:AWSVpc)-[:RESOURCE]->(:A)\n      12 AWSVpc\n\
            2/r/ec2, last seen 2023-11-14T22:13:20Z:\n         nothing\n";
        assert_eq!(text, expected);
    }
}
