//! Logging to standard error, as text or as JSON lines.

use std::io::IsTerminal;
use tracing::{Level, Metadata};
use tracing_subscriber::{EnvFilter, filter::filter_fn, fmt, layer::SubscriberExt, util::SubscriberInitExt};

/// Lines of level info from Groma, and warnings from its libraries. neo4rs logs the parameters of a query at `trace`;
/// async-nats repeats messages of the bus.
const DEFAULT_FILTER: &str = "warn,async_nats=error,groma=info,bus=info,broker=info,credentials=info,throttle=info,\
    collector=info,scheduler=info,graph_writer=info,process=info";

/// Flags for logging.
#[derive(clap::Args, Debug, Clone, Default)]
#[command(next_help_heading = "Logging")]
pub struct LogArgs {
    /// Level or tracing filter, e.g. `debug` or `warn,collector=debug`
    #[arg(long = "log", env = "GROMA_LOG", value_name = "FILTER", value_parser = parse_filter, global = true)]
    pub filter: Option<String>,
    /// Format of log lines on standard error
    #[arg(
        long = "log-format",
        env = "GROMA_LOG_FORMAT",
        value_name = "FORMAT",
        value_enum,
        default_value_t,
        global = true
    )]
    pub format: LogFormat,
}

/// Format of log lines.
#[derive(clap::ValueEnum, Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// Plain text
    #[default]
    Text,
    /// One JSON object per line
    Json,
}

fn parse_filter(text: &str) -> Result<String, String> {
    EnvFilter::builder().parse(text).map(|_| text.to_owned()).map_err(|error| error.to_string())
}

/// Starts logging, and installs the TLS provider of the process: two are linked, and a library panics if it must
/// choose. Call it once, first of all; further calls have no effect.
pub fn init(log: &LogArgs) {
    // An error means that a provider is already installed.
    rustls::crypto::aws_lc_rs::default_provider().install_default().ok();
    let filter = EnvFilter::new(log.filter.as_deref().unwrap_or(DEFAULT_FILTER));
    let registry = tracing_subscriber::registry().with(filter).with(filter_fn(may_be_logged));
    let lines = fmt::layer().with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal());
    let result = match log.format {
        LogFormat::Text => registry.with(lines).try_init(),
        LogFormat::Json => registry.with(lines.json().flatten_event(true)).try_init(),
    };
    if let Err(error) = result {
        tracing::debug!(%error, "logging is already set up");
    }
}

/// Applies in addition to the user's filter. At `trace` the AWS SDK logs whole requests and responses, with tokens that
/// it does not treat as secret, such as Identity Center's.
fn may_be_logged(metadata: &Metadata<'_>) -> bool {
    *metadata.level() != Level::TRACE || !metadata.target().starts_with("aws_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_filter_is_a_filter() {
        assert!(parse_filter(DEFAULT_FILTER).is_ok());
        assert!(parse_filter("debug").is_ok());
        assert!(parse_filter("collector=loud").is_err());
    }

    #[test]
    fn the_default_filter_names_crates_that_exist() {
        // At run time: another clone with the same target directory may have built this.
        let here = std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo runs this");
        for target in DEFAULT_FILTER.split(',').filter_map(|directive| directive.strip_suffix("=info")) {
            let folder = std::path::Path::new(&here).join("..").join(target.trim().replace('_', "-"));
            assert!(folder.is_dir(), "{target} is no crate");
        }
    }

    #[test]
    fn init_twice_is_harmless() {
        init(&LogArgs::default());
        init(&LogArgs { format: LogFormat::Json, ..LogArgs::default() });
        assert!(rustls::crypto::CryptoProvider::get_default().is_some());
    }
}
