//! Settings of Neo4j that make syncs slower. None of them keeps a sync from working.

use super::check::{Check, Status};
use graph::{GraphConfig, GraphStore};
use neo4rs::{DeError, Query, Row};

const GIB: u64 = 1 << 30;
const MIB: u64 = 1 << 20;
/// HotSpot's own thresholds for its second compiler (`-XX:+PrintFlagsFinal`).
const THRESHOLDS: [(&str, u64); 4] = [
    ("Tier4InvocationThreshold", 5_000),
    ("Tier4MinInvocationThreshold", 600),
    ("Tier4CompileThreshold", 15_000),
    ("Tier4BackEdgeThreshold", 40_000),
];
/// Collectors of `-XX:+UseSerialGC`, by the names of their beans.
const SERIAL: [&str; 2] = ["Copy", "MarkSweepCompact"];
/// Plans that Neo4j has to keep: a sync with cleanup and analysis runs about 400 statements.
const PLANS: u64 = 500;

const JVM: &str = "CALL dbms.queryJmx('java.lang:type=Runtime') YIELD attributes AS runtime \
    CALL dbms.queryJmx('java.lang:type=Memory') YIELD attributes AS memory \
    CALL dbms.queryJmx('java.lang:type=OperatingSystem') YIELD attributes AS system \
    CALL dbms.queryJmx('java.lang:type=GarbageCollector,name=*') YIELD attributes AS collector \
    RETURN runtime.InputArguments.value AS arguments, memory.HeapMemoryUsage.value.properties.max AS heap, \
    system.AvailableProcessors.value AS processors, collect(collector.Name.value) AS collectors";
const SETTINGS: &str = "SHOW SETTINGS YIELD name, value WHERE value IS NOT NULL AND name IN \
    ['server.memory.pagecache.size', 'server.memory.query_cache.per_db_cache_num_entries'] RETURN name, value";
const NODES: &str = "MATCH (n) RETURN count(n) AS nodes";

/// The Java process.
#[derive(Debug, Default)]
struct Jvm {
    arguments: Vec<String>,
    /// Bytes.
    heap: u64,
    processors: u64,
    collectors: Vec<String>,
}

/// Settings of the database; `None` where Neo4j chooses by itself.
#[derive(Debug, Default)]
struct Settings {
    /// Bytes.
    page_cache: Option<u64>,
    /// Number of plans.
    plans: Option<u64>,
}

/// Something slow and its remedy.
#[derive(Debug, PartialEq, Eq)]
struct Slow {
    found: String,
    fix: String,
}

/// Reads the settings and names those that cost speed, for a graph of the present size.
pub async fn settings(store: &GraphStore, config: &GraphConfig) -> Vec<Check> {
    let nodes = rows(store, NODES).await.ok().and_then(|rows| rows.first()?.get::<u64>("nodes").ok()).unwrap_or(0);
    let jvm = rows(store, JVM).await.and_then(|rows| jvm(&rows));
    let settings = rows(store, SETTINGS).await.and_then(|rows| of_rows(&rows));
    let mut checks = Vec::new();
    let mut slow = Vec::new();
    match &jvm {
        Ok(jvm) => slow.extend(jvm.slow(nodes)),
        Err(reason) => checks.push(denied(config, "Java's options, heap and collector", reason)),
    }
    match &settings {
        Ok(settings) => slow.extend(settings.slow(nodes)),
        Err(reason) => checks.push(denied(config, "page cache and plan cache", reason)),
    }
    let is_complete = checks.is_empty() && slow.is_empty();
    checks.extend(slow.into_iter().map(|Slow { found, fix }| Check::bad(Status::Note, NAME, &config.uri, found, fix)));
    if is_complete {
        checks.push(Check::ok(NAME, &config.uri, "none of those that are known to cost speed"));
    }
    checks
}

const NAME: &str = "neo4j settings";

/// Once: for a user without the privilege, or a server without the procedure, no repeat helps.
async fn rows(store: &GraphStore, text: &str) -> Result<Vec<Row>, String> {
    let mut transaction = store.begin().await.map_err(|error| error.to_string())?;
    let rows = transaction.rows(Query::new(text.to_owned())).await;
    transaction.undo().await;
    rows.map_err(|error| error.to_string())
}

fn denied(config: &GraphConfig, what: &str, reason: &str) -> Check {
    let fix = format!(
        "to have them checked, let {} execute SHOW SETTINGS and dbms.queryJmx: GRANT SHOW SETTING * ON DBMS and GRANT \
         EXECUTE ADMIN PROCEDURES ON DBMS",
        config.user
    );
    Check::bad(Status::Note, NAME, &config.uri, format!("{what} cannot be read: {reason}"), fix)
}

fn jvm(rows: &[Row]) -> Result<Jvm, String> {
    let row = rows.first().ok_or("no answer")?;
    let read = |row: &Row| -> Result<Jvm, DeError> {
        Ok(Jvm {
            arguments: row.get("arguments")?,
            heap: u64::try_from(row.get::<i64>("heap")?).unwrap_or(0),
            processors: u64::try_from(row.get::<i64>("processors")?).unwrap_or(1),
            collectors: row.get("collectors")?,
        })
    };
    read(row).map_err(|error| error.to_string())
}

fn of_rows(rows: &[Row]) -> Result<Settings, String> {
    let mut settings = Settings::default();
    for row in rows {
        let read = || -> Result<(String, String), DeError> { Ok((row.get("name")?, row.get("value")?)) };
        let (name, value) = read().map_err(|error| error.to_string())?;
        match name.as_str() {
            "server.memory.pagecache.size" => settings.page_cache = bytes(&value),
            _ => settings.plans = value.parse().ok(),
        }
    }
    // A user without the privilege gets no rows, and no error. The plan cache has a default.
    if settings.plans.is_none() {
        return Err("this user sees no settings".to_owned());
    }
    Ok(settings)
}

/// `256.00MiB` as `SHOW SETTINGS` writes it.
fn bytes(text: &str) -> Option<u64> {
    const UNITS: [(&str, u64); 5] = [("TiB", 1 << 40), ("GiB", GIB), ("MiB", MIB), ("KiB", 1 << 10), ("B", 1)];
    let (number, unit) = UNITS.iter().find_map(|(name, unit)| Some((text.strip_suffix(name)?, *unit)))?;
    let (whole, hundredths) = number.split_once('.').unwrap_or((number, "0"));
    let hundredths = format!("{hundredths:0<2}").get(..2)?.parse::<u64>().ok()?;
    Some(whole.parse::<u64>().ok()? * unit + hundredths * unit / 100)
}

/// Heap and page cache for a graph of this size, in bytes (docs/scaling.md).
fn wanted(nodes: u64) -> (u64, u64) {
    match nodes {
        0..=100_000 => (GIB, 256 * MIB),
        100_001..=1_000_000 => (2 * GIB, GIB),
        _ => (4 * GIB, nodes.div_ceil(1_000_000).saturating_mul(GIB)),
    }
}

/// Whether a size falls short by more than a tenth: Java does not count all of its heap.
fn is_short(size: u64, wanted: u64) -> bool {
    size < wanted / 10 * 9
}

impl Jvm {
    fn slow(&self, nodes: u64) -> Vec<Slow> {
        self.compiler().into_iter().chain(self.collector()).chain(self.small_heap(nodes)).collect()
    }

    fn compiler(&self) -> Option<Slow> {
        let late: Vec<&str> = self.arguments.iter().map(String::as_str).filter(|argument| is_late(argument)).collect();
        (!late.is_empty()).then(|| Slow {
            found: format!(
                "Java's second compiler starts late or never ({}): a first sync takes up to twice as long",
                late.join(" ")
            ),
            fix: "remove these from Neo4j's Java options (server.jvm.additional); after `just demo`, run `just up`"
                .into(),
        })
    }

    fn collector(&self) -> Option<Slow> {
        let is_serial = self.collectors.iter().any(|name| SERIAL.contains(&name.as_str()));
        (is_serial && self.processors > 1).then(|| Slow {
            found: format!("Java collects garbage with one of {} processors", self.processors),
            fix: "give Neo4j the Java option -XX:+UseParallelGC (server.jvm.additional)".into(),
        })
    }

    fn small_heap(&self, nodes: u64) -> Option<Slow> {
        let (wanted, _) = wanted(nodes);
        is_short(self.heap, wanted).then(|| Slow {
            found: format!("the heap has {} MiB, for a graph of {nodes} nodes", self.heap / MIB),
            fix: format!("set server.memory.heap.max_size to {}g or more", wanted / GIB),
        })
    }
}

impl Settings {
    fn slow(&self, nodes: u64) -> Vec<Slow> {
        let (_, wanted) = wanted(nodes);
        let cache = self.page_cache.filter(|size| is_short(*size, wanted)).map(|size| Slow {
            found: format!("the page cache has {} MiB, for a graph of {nodes} nodes", size / MIB),
            fix: format!("set server.memory.pagecache.size to {}m or more", wanted / MIB),
        });
        let plans = self.plans.filter(|plans| *plans < PLANS).map(|plans| Slow {
            found: format!("Neo4j keeps the plans of {plans} statements, and a sync has about 400"),
            fix: "set server.memory.query_cache.per_db_cache_num_entries to its default, 1000".into(),
        });
        cache.into_iter().chain(plans).collect()
    }
}

/// Whether a Java option keeps the second compiler from code that runs often.
fn is_late(argument: &str) -> bool {
    let Some(option) = argument.strip_prefix("-XX:") else { return argument == "-Xint" };
    let Some((name, value)) = option.split_once('=') else { return false };
    match name {
        "TieredStopAtLevel" => value.parse::<u64>().is_ok_and(|level| level < 4),
        "CompileThresholdScaling" => value.parse::<f64>().is_ok_and(|scale| scale > 1.0),
        _ => THRESHOLDS.iter().any(|(known, own)| name == *known && value.parse::<u64>().is_ok_and(|it| it > *own)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jvm(arguments: &[&str]) -> Jvm {
        let arguments = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        Jvm { arguments, heap: 4 * GIB, processors: 2, collectors: vec!["PS Scavenge".into(), "PS MarkSweep".into()] }
    }

    #[test]
    fn sizes_are_read_as_neo4j_writes_them() {
        let sizes = ["256.00MiB", "1.50GiB", "512.00KiB", "0B", "7.8MiB", "much"].map(bytes);
        let expected =
            [Some(256 * MIB), Some(GIB + GIB / 2), Some(512 * 1024), Some(0), Some(7 * MIB + 80 * MIB / 100)];
        assert_eq!(sizes[..5], expected);
        assert_eq!(sizes[5], None);
    }

    #[test]
    fn a_compiler_that_starts_late_is_slow() {
        for (argument, is_slow) in [
            ("-XX:Tier4InvocationThreshold=200000", true),
            ("-XX:Tier4InvocationThreshold=5000", false),
            ("-XX:TieredStopAtLevel=1", true),
            ("-XX:TieredStopAtLevel=4", false),
            ("-XX:CompileThresholdScaling=40.0", true),
            ("-Xint", true),
            ("-Xmx1g", false),
            ("-XX:+UseG1GC", false),
        ] {
            assert_eq!(jvm(&[argument]).slow(0).len(), usize::from(is_slow), "{argument}");
        }
    }

    #[test]
    fn one_collector_thread_is_slow_where_there_are_more_processors() {
        let serial = |processors| Jvm { collectors: SERIAL.map(str::to_owned).to_vec(), processors, ..jvm(&[]) };
        assert_eq!((serial(1).slow(0).len(), serial(2).slow(0).len()), (0, 1));
    }

    #[test]
    fn memory_is_measured_by_the_graph() {
        let heap = |heap, nodes| Jvm { heap, ..jvm(&[]) }.slow(nodes).len();
        assert_eq!((heap(989 * MIB, 100_000), heap(989 * MIB, 100_001), heap(2 * GIB, 1_000_000)), (0, 1, 0));
        let cache = |page_cache, nodes| Settings { page_cache, plans: Some(1_000) }.slow(nodes).len();
        assert_eq!(
            (cache(Some(256 * MIB), 1_000), cache(Some(256 * MIB), 1_000_000), cache(None, u64::MAX)),
            (0, 1, 0)
        );
        assert_eq!(Settings { page_cache: None, plans: Some(100) }.slow(0).len(), 1);
    }
}
