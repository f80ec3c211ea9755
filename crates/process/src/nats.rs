//! Flags for the bus, and the connection with these flags.

use anyhow::Context;
use bus::{Bus, BusConfig, Storage};
use clap::{builder::TypedValueParser, error::ErrorKind};
use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    time::Duration,
};

/// Default URL of NATS.
pub const DEFAULT_URL: &str = "nats://127.0.0.1:4222";

/// Flags for NATS and its streams.
#[derive(clap::Args, Debug, Clone)]
#[command(next_help_heading = "NATS")]
pub struct BusArgs {
    /// NATS server, `nats://HOST:PORT` or `tls://…`; several separated by commas [default: nats://127.0.0.1:4222; `groma sync` starts a private one, `groma status` uses none]
    #[arg(long, env = "NATS_URL", value_name = "URL", hide_env_values = true, value_parser = ServerUrl)]
    pub nats: Option<String>,
    /// File with NATS credentials (JWT and seed)
    #[arg(long, env = "NATS_CREDS", value_name = "FILE", conflicts_with = "nats_nkey")]
    pub nats_creds: Option<PathBuf>,
    /// File with an nkey seed, or folder with one of each role as `groma nats init` writes them
    #[arg(long, env = "NATS_NKEY", value_name = "PATH")]
    pub nats_nkey: Option<PathBuf>,
    /// PEM file of the authority that signed the server's certificate
    #[arg(long, env = "NATS_CA", value_name = "FILE")]
    pub nats_ca: Option<PathBuf>,
    /// Number of replicas of each stream: 1, 3 or 5
    #[arg(long, env = "GROMA_NATS_REPLICAS", value_name = "N", default_value = "1", value_parser = parse_replicas)]
    pub nats_replicas: usize,
    /// Storage of the streams
    #[arg(long, env = "GROMA_NATS_STORAGE", value_name = "WHERE", value_enum, default_value_t)]
    pub nats_storage: StorageArg,
    /// Days to keep asset events for replays
    #[arg(long, env = "GROMA_ASSETS_MAX_AGE", value_name = "DAYS", default_value = "7", value_parser = days())]
    pub assets_max_age: u32,
    /// Maximum size of the stored asset events in bytes; the oldest are deleted first [default: no limit]
    #[arg(long, env = "GROMA_ASSETS_MAX_BYTES", value_name = "BYTES", value_parser = bytes())]
    pub assets_max_bytes: Option<i64>,
}

/// Storage of the streams.
#[derive(clap::ValueEnum, Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StorageArg {
    /// On disk: survives a restart of the server
    #[default]
    File,
    /// In memory: lost when the server stops
    Memory,
}

impl BusArgs {
    /// Configuration for [`Bus::connect`]. `client_name` is the name of this process in NATS.
    pub fn config(&self, client_name: &str) -> BusConfig {
        BusConfig {
            credentials_file: self.nats_creds.clone(),
            nkey_file: self.nats_nkey.as_deref().map(|path| key_file(path, client_name)),
            ca_file: self.nats_ca.clone(),
            replicas: self.nats_replicas,
            storage: match self.nats_storage {
                StorageArg::File => Storage::File,
                StorageArg::Memory => Storage::Memory,
            },
            assets_max_age: Duration::from_hours(24 * u64::from(self.assets_max_age)),
            assets_max_bytes: self.assets_max_bytes.unwrap_or(-1),
            ..BusConfig::new(self.nats.as_deref().unwrap_or(DEFAULT_URL), client_name)
        }
    }
}

/// The file itself, or that of the client's role in a folder.
fn key_file(path: &Path, client_name: &str) -> PathBuf {
    let role = client_name.strip_prefix("groma-").unwrap_or(client_name);
    if path.is_dir() { path.join(format!("{role}.nk")) } else { path.to_owned() }
}

/// Connects to NATS and creates the streams or brings them up to date.
///
/// # Errors
/// Fails if NATS cannot be reached or has no JetStream. The error chain reads as one sentence.
pub async fn connect(args: &BusArgs, client_name: &str) -> anyhow::Result<Bus> {
    let bus = Bus::connect(&args.config(client_name)).await?;
    bus.ensure_streams().await.context("connected to NATS, but its streams are not available")?;
    Ok(bus)
}

/// Parses the URL of a server. Unlike clap's own parsers it never repeats a bad value, which may contain a password.
#[derive(Clone)]
struct ServerUrl;

impl TypedValueParser for ServerUrl {
    type Value = String;

    fn parse_ref(&self, cmd: &clap::Command, _: Option<&clap::Arg>, value: &OsStr) -> Result<String, clap::Error> {
        let text = value.to_str().filter(|text| text.split(',').map(str::trim).all(is_server));
        text.map(str::to_owned).ok_or_else(|| {
            let message = "--nats (or NATS_URL) must be nats://HOST:PORT or tls://HOST:PORT\n";
            clap::Error::raw(ErrorKind::InvalidValue, message).with_cmd(cmd)
        })
    }
}

fn is_server(text: &str) -> bool {
    const SCHEMES: [&str; 4] = ["nats", "tls", "ws", "wss"];
    match text.split_once("://") {
        Some((scheme, rest)) => SCHEMES.contains(&scheme) && !rest.is_empty(),
        None => !text.is_empty(),
    }
}

fn parse_replicas(text: &str) -> Result<usize, &'static str> {
    match text {
        "1" => Ok(1),
        "3" => Ok(3),
        "5" => Ok(5),
        _ => Err("must be 1, 3 or 5"),
    }
}

fn days() -> clap::builder::RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(1..=3_650)
}

fn bytes() -> clap::builder::RangedI64ValueParser<i64> {
    clap::value_parser!(i64).range(1..)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser, Debug)]
    struct Command {
        #[command(flatten)]
        bus: BusArgs,
    }

    fn parse(args: &[&str]) -> Result<BusArgs, String> {
        let args = ["groma"].iter().chain(args);
        Command::try_parse_from(args).map(|command| command.bus).map_err(|error| error.to_string())
    }

    #[test]
    fn flags_become_the_configuration() {
        let flags = ["--nats", "tls://u:p@a:1,b:2", "--nats-replicas", "3", "--nats-storage", "memory"];
        let config = parse(&flags).expect("good flags").config("me");
        assert_eq!((config.url.as_str(), config.replicas, config.storage), ("tls://u:p@a:1,b:2", 3, Storage::Memory));
        let config =
            parse(&["--nats", "h", "--assets-max-age", "2", "--assets-max-bytes", "9"]).expect("good").config("me");
        assert_eq!((config.assets_max_age, config.assets_max_bytes), (Duration::from_hours(48), 9));
    }

    #[test]
    fn a_folder_of_keys_has_one_for_each_role() {
        let folder = std::env::temp_dir();
        let (name, file) = ("groma-collector-ec2", Path::new("/etc/groma/broker.nk"));
        assert_eq!(key_file(&folder, name), folder.join("collector-ec2.nk"));
        assert_eq!(key_file(file, name), file);
    }

    #[test]
    fn a_bad_url_is_named_but_not_repeated() {
        for url in ["http://me:secret@host", "nats://", "", "nats://me:secret@host,"] {
            let error = parse(&["--nats", url]).expect_err("a bad URL");
            assert!(error.contains("--nats"), "{error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn limits_are_checked() {
        for flags in [["--nats-replicas", "2"], ["--assets-max-age", "0"], ["--assets-max-bytes", "0"]] {
            assert!(parse(&flags).is_err(), "{flags:?}");
        }
    }

    #[tokio::test]
    async fn no_server_is_one_sentence_without_the_password() {
        let args = parse(&["--nats", "nats://me:secret@127.0.0.1:1"]).expect("good flags");
        let error = errors::chain(connect(&args, "test").await.expect_err("no server listens there").as_ref());
        assert!(error.starts_with("cannot connect to NATS at nats://127.0.0.1:1"), "{error}");
        assert!(!error.contains("secret"), "{error}");
    }
}
