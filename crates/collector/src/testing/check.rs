//! Rules that hold for every collector's registry.

use super::{Canned, Request, node_ids, place};
use crate::{Service, Sink, table::Table};
use events::{AssetBatch, identifier::is_valid};
use std::{
    collections::{BTreeSet, HashMap, HashSet},
    fs,
    path::{Path, PathBuf},
};

/// Name and value of the parameter that asks for the largest page of a call. `None`: the call has no pages.
pub type PageSize = Option<(&'static str, &'static str)>;

/// Facts about a service's API that its tables do not contain.
#[derive(Debug, Default)]
pub struct Api<'a> {
    /// Answers to the calls of a listing, in the form of [`Canned`]; further calls get an empty answer. A listing needs them
    /// if it does not make the call of its name without them, or writes rows about an empty answer.
    pub answers: &'a [(&'a str, &'a [&'a str])],
    /// Largest page of most calls.
    pub page_size: PageSize,
    /// Largest pages of other calls.
    pub page_sizes: &'a [(&'a str, PageSize)],
    /// Actions that read although their names do not begin with a verb of reading.
    pub reading: &'a [&'a str],
    /// Calls whose action has another name, with that name.
    pub permissions: &'a [(&'a str, &'a str)],
    /// Two pages of one listing.
    pub two_pages: &'a [TwoPages<'a>],
}

/// A listing with two pages, the second of which is asked for with the token `more`.
#[derive(Debug)]
pub struct TwoPages<'a> {
    /// The listing.
    pub listing: &'a str,
    /// Answers to all its calls.
    pub answers: &'a [&'a str],
    /// Ids of the nodes on both pages.
    pub ids: &'a [&'a str],
}

/// Checks a registry: names, actions and labels are well formed and unique; actions only read; each listing makes only the
/// calls that it declares, its own among them, each with the largest page; both of two pages are read; and no ARN is spelled
/// out in the sources.
///
/// # Panics
/// One of these does not hold.
pub async fn check_service<C>(service: &Service<C>, api: &Api<'_>) {
    check_names(service);
    check_actions(service, api);
    for listing in service.listings {
        check_calls(service, api, listing.name).await;
    }
    for pages in api.two_pages {
        check_pages(service, pages).await;
    }
    assert!(!service.assets.is_empty(), "the README names what a service has");
    for quota in service.quotas {
        assert!(quota.bucket.is_usable(), "{}: {:?}", quota.service, quota.apis);
    }
    no_arn_is_spelled_out();
}

fn check_names<C>(service: &Service<C>) {
    let mut names = HashSet::new();
    let mut indexes = HashMap::new();
    for listing in service.listings {
        assert!(names.insert(listing.name), "two listings are named {}", listing.name);
        let tables = listing.feeds.iter().map(|table| std::ptr::from_ref(*table).cast::<()>().addr());
        assert_eq!(tables.collect::<HashSet<_>>().len(), listing.feeds.len(), "{}: a table twice", listing.name);
        for table in listing.feeds {
            check_table(*table, &mut indexes);
            let is_listed = service.feeds(listing).0.iter().any(|fed| fed.label == table.label());
            assert!(!table.supplements() || !is_listed, "{}: it lists {} itself", listing.name, table.label());
            let others = service.listings.iter().flat_map(|other| service.feeds(other).0);
            assert!(others.into_iter().any(|fed| fed.label == table.label()), "nothing lists {}", table.label());
        }
    }
}

fn check_table(table: &dyn Table, indexes: &mut HashMap<(&'static str, &'static str), bool>) {
    let label = table.label();
    let mut names = HashSet::new();
    for (property, indexed) in table.properties() {
        assert!(is_valid(property) && names.insert(property), "{label}.{property} twice or no identifier");
        let known = *indexes.entry((label, property)).or_insert(indexed);
        assert_eq!(known, indexed, "{label}.{property} is indexed in one table only");
    }
    for edge in table.edges() {
        assert!([edge.kind, edge.from, edge.to].into_iter().all(is_valid), "{edge:?} is no identifier");
    }
    let labels = [vec![label], table.extra_labels()].concat();
    assert!(labels.iter().all(|label| is_valid(label)), "no identifier among {labels:?}");
    assert_eq!(labels.iter().collect::<HashSet<_>>().len(), labels.len(), "a label twice: {labels:?}");
}

fn check_actions<C>(service: &Service<C>, api: &Api<'_>) {
    const VERBS: [&str; 5] = ["BatchGet", "Describe", "Get", "List", "Search"];
    for action in service.actions() {
        let plain = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        let (prefix, name) = action.split_once(':').unwrap_or_default();
        let is_action = plain(prefix) && plain(name) && name.starts_with(char::is_uppercase);
        assert!(is_action, "{action} is not prefix:Action");
        let reads = VERBS.iter().any(|verb| name.starts_with(verb)) || api.reading.contains(&action.as_str());
        assert!(reads, "{action} may change something");
    }
}

async fn check_calls<C>(service: &Service<C>, api: &Api<'_>, name: &str) {
    let answers = api.answers.iter().find(|(listing, _)| *listing == name).map(|(_, answers)| *answers);
    let (requests, batches) = collected(service, name, answers.unwrap_or_default()).await;
    assert!(answers.is_some() || batches.is_empty(), "{name} writes rows about nothing: {batches:?}");
    // Two APIs have an operation of the same name.
    let own = name.trim_end_matches("V2");
    assert!(requests.iter().any(|request| request.operation == own), "{name} is not called: {requests:?}");
    let listing = service.listings.iter().find(|listing| listing.name == name).expect("it is listed");
    let declared: HashSet<&str> = listing.actions.iter().filter_map(|action| Some(action.split_once(':')?.1)).collect();
    for request in &requests {
        let call = request.operation.as_str();
        let action = api.permissions.iter().find(|(name, _)| *name == call).map_or(call, |(_, action)| *action);
        assert!(declared.contains(action), "{name} does not declare {action}");
        let largest = api.page_sizes.iter().find(|(name, _)| *name == call).map_or(api.page_size, |(_, size)| *size);
        let asked = request.page_size();
        let asked = asked.as_ref().map(|(name, size)| (*name, size.as_str()));
        assert_eq!(asked, largest, "{call} asks for the largest page");
    }
}

async fn check_pages<C>(service: &Service<C>, pages: &TwoPages<'_>) {
    let (requests, batches) = collected(service, pages.listing, pages.answers).await;
    let ids: BTreeSet<&str> = node_ids(&batches).collect();
    assert_eq!(ids, pages.ids.iter().copied().collect(), "both pages are read");
    let second =
        requests.iter().filter(|request| [request.body(), request.query()].iter().any(|it| it.contains("more")));
    assert_eq!(second.count(), 1, "the second page is asked for once: {requests:?}");
}

async fn collected<C>(service: &Service<C>, name: &str, answers: &[&str]) -> (Vec<Request>, Vec<AssetBatch>) {
    let listing = service.listings.iter().find(|listing| listing.name == name);
    let listing = listing.unwrap_or_else(|| panic!("there is no listing {name}"));
    let server = Canned::answering(answers);
    let client = (service.connect)(&server.connection());
    let mut sink = Sink::to_memory(place());
    if let Err(error) = (listing.collect)(&client, &mut sink).await {
        panic!("{name}: {error}: {:?}", server.requests());
    }
    (server.requests(), sink.into_batches().await.expect("in memory"))
}

/// An ARN with a fixed partition would be wrong in China and GovCloud: `Place` builds them.
fn no_arn_is_spelled_out() {
    // At run time: another clone with the same target directory may have built this.
    let here = std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo runs this");
    for path in sources(&Path::new(&here).join("src")) {
        let text = fs::read_to_string(&path).expect("a source file");
        let code = text.split("#[cfg(test)]").next().expect("split yields one at least");
        let is_of_tests = path.ends_with("tests.rs") || path.ends_with("testing.rs") || path.ends_with("canned.rs");
        assert!(is_of_tests || !code.contains("\"arn:aws"), "{}", path.display());
    }
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("the sources are there").map(|entry| entry.expect("an entry").path());
    entries.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] }).collect()
}
