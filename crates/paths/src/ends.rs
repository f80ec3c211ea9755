//! The two ends of a path: `internet`, `administrator`, or an asset by id, ARN or name. The two words are never names: an asset
//! with such a name is found by its id or ARN. The name of an instance is a tag, so it does not count.

use crate::{
    end::{Asset, From, To},
    hop::{Place, Role, VPC, hops},
    node::{INTERNET, projection},
    reach::starts,
};
use graph::{GraphError, GraphStore, parameters};
use neo4rs::Row;
use std::{collections::BTreeSet, sync::LazyLock};

/// End of a role's path.
const ADMINISTRATOR: &str = "administrator";
/// Number of assets that an error about an ambiguous name lists.
const NAMED: usize = 5;
/// Longest name of an asset, in bytes: ARNs have at most 2,048.
const LONGEST: usize = 2_048;
/// Keys of an asset that have an index.
const KEYS: [&str; 2] = ["id", "arn"];

/// Two ends that have no paths.
#[derive(Debug, thiserror::Error)]
pub enum EndError {
    /// No asset has the id, ARN or name.
    #[error("no asset has the id, ARN or name {0:?}, or none of the kinds that a path leads through: {kinds}; `groma ask` lists questions about other kinds", kinds = kinds())]
    Unknown(String),
    /// Several assets have the id, ARN or name.
    #[error("{name:?} is the name of several assets; use an id or ARN: {}", .found.join(", "))]
    Ambiguous {
        /// Name.
        name: String,
        /// Some of these assets.
        found: Vec<String>,
    },
    /// `administrator` begins no path, and `internet` ends none; a path between the two would be one of any asset.
    #[error("{0}")]
    Ends(&'static str),
    /// No step leads on from the kind of the begin, or none comes to the kind of the end.
    #[error("no path leads from {from} to {to}: the kinds of the two are not connected")]
    Apart {
        /// Kind of the begin.
        from: String,
        /// Kind of the end.
        to: String,
    },
    /// The graph cannot be read.
    #[error(transparent)]
    Graph(#[from] GraphError),
}

/// Labels of all steps.
static LABELS: LazyLock<BTreeSet<&'static str>> =
    LazyLock::new(|| hops().iter().flat_map(|hop| [hop.from.label, hop.to.label]).collect());

fn kinds() -> String {
    LABELS.iter().copied().collect::<Vec<_>>().join(", ")
}

/// Finds the assets of two names.
///
/// # Errors
/// [`EndError`].
pub async fn find(store: &GraphStore, from: &str, to: &str) -> Result<(From, To), EndError> {
    match (from, to) {
        (ADMINISTRATOR, _) => Err(EndError::Ends("no path begins at administrator: give it as the end")),
        (_, INTERNET) => Err(EndError::Ends("no path ends at internet: give it as the begin")),
        (INTERNET, ADMINISTRATOR) => Err(EndError::Ends("name an asset: the begin or the end")),
        _ => {
            let from = if from == INTERNET { From::Internet } else { From::of(asset(store, from).await?) };
            let to = if to == ADMINISTRATOR { To::Administrator } else { To::Asset(Box::new(asset(store, to).await?)) };
            if starts(&from, &to).is_empty() {
                return Err(EndError::Apart { from: from.kind(), to: to.kind() });
            }
            Ok((from, to))
        }
    }
}

impl From {
    /// The range of every address is the internet.
    fn of(asset: Asset) -> Self {
        if asset.node.is_any() { Self::Internet } else { Self::Asset(Box::new(asset)) }
    }

    fn kind(&self) -> String {
        match self {
            Self::Internet => INTERNET.to_owned(),
            Self::Asset(asset) => format!("{} {}", asset.label, asset.node.id),
        }
    }
}

impl To {
    fn kind(&self) -> String {
        match self {
            Self::Administrator => ADMINISTRATOR.to_owned(),
            Self::Asset(asset) => format!("{} {}", asset.label, asset.node.id),
        }
    }
}

/// Finds the asset with an id or ARN, or else the one with a name.
async fn asset(store: &GraphStore, name: &str) -> Result<Asset, EndError> {
    let unknown = || EndError::Unknown(events::printable(&name.chars().take(200).collect::<String>()));
    if name.is_empty() || name.len() > LONGEST {
        return Err(unknown());
    }
    for keys in [&KEYS[..], &["name"]] {
        let mut found = matches(store, keys, name).await?;
        match found.len() {
            0 => {}
            1 => return Ok(found.remove(0)),
            _ => {
                let shown = |asset: &Asset| {
                    let account = asset.account.as_deref().map_or(String::new(), |id| format!(" of {id}"));
                    events::printable(&format!("{} {}{account}", asset.label, asset.node.id))
                };
                let found = found.iter().take(NAMED).map(shown).collect();
                return Err(EndError::Ambiguous { name: name.to_owned(), found });
            }
        }
    }
    Err(unknown())
}

/// Assets with this value of one of the keys. At most six.
async fn matches(store: &GraphStore, keys: &[&str], value: &str) -> Result<Vec<Asset>, GraphError> {
    let pairs = LABELS.iter().flat_map(|label| keys.iter().map(move |key| (label, key)));
    let parts: Vec<String> = pairs
        .filter(|(label, key)| has(label, key))
        .map(|(label, key)| format!("MATCH (n:`{label}` {{`{key}`: $value}}) RETURN n, '{label}' AS label"))
        .collect();
    let text = format!(
        "CALL {{ {} }} WITH n, min(label) AS label ORDER BY label, n.id LIMIT {} \
         RETURN label, {} AS node, [(n)<-[:RESOURCE]-(a:AWSAccount) | a.id][0] AS account",
        parts.join(" UNION "),
        NAMED + 1,
        projection("n"),
    );
    let rows = store.rows(parameters::query(&text, [("value", value.into())])).await?;
    Ok(rows.iter().filter_map(|row| read(row).transpose()).collect::<Result<_, _>>()?)
}

/// Whether nodes of a label have a property. Neo4j plans a search of each pair, which takes time.
fn has(label: &str, property: &str) -> bool {
    let tables = catalog::services().iter().flat_map(catalog::Service::tables);
    let mut own = tables.filter(|table| table.labels().any(|known| known == label));
    property == "id" || own.any(|table| table.properties.iter().any(|known| known == property))
}

fn read(row: &Row) -> Result<Option<Asset>, neo4rs::DeError> {
    let label: String = row.get("label")?;
    let label = LABELS.get(label.as_str()).copied();
    let (node, account) = (row.get("node")?, row.get("account")?);
    Ok(label.map(|label| Asset { label, node, account }))
}

impl Asset {
    /// Places of the asset on a path that begins (`is_begin`) or ends there. The members of a group
    /// send its traffic, and its rules admit traffic to it. A path from a VPC begins at its subnets.
    pub(crate) fn places(&self, is_begin: bool) -> BTreeSet<Place> {
        let ends = hops().iter().map(|hop| if is_begin { hop.from } else { hop.to });
        let is_own = |role| match role {
            Role::Receiver | Role::Open => !is_begin,
            Role::Sender => is_begin,
            Role::Peer => !is_begin || self.label != VPC,
            Role::Plain | Role::Own => true,
        };
        ends.filter(|place| place.label == self.label && is_own(place.role)).collect()
    }
}
