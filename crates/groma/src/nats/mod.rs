//! `groma nats init`: configuration of a nats-server with TLS on which every role has its own identity and reaches only
//! the subjects that it needs.

pub mod accounts;
pub mod certificates;
pub mod keys;

use crate::UsageError;
use anyhow::Context;
use bus::BusIdentity;
use std::{
    collections::BTreeMap,
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
};

/// Flags of `groma nats`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Command to run.
    #[command(subcommand)]
    pub command: Command,
}

/// Commands of `groma nats`.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Write the configuration of a closed server, the keys of all roles, and certificates
    ///
    /// Existing keys and certificates are kept, so the command can be repeated, for example after an upgrade.
    Init(InitArgs),
}

/// Flags of `groma nats init`.
#[derive(Debug, clap::Args)]
pub struct InitArgs {
    /// Directory for the files; created if missing
    #[arg(long, value_name = "DIR")]
    pub dir: PathBuf,
    /// Roles that get a key [default: all]
    #[arg(long, value_name = "ROLE,ROLE", value_delimiter = ',')]
    pub roles: Vec<String>,
    /// Address on which the server listens
    #[arg(long, value_name = "HOST:PORT", default_value = "0.0.0.0:4222")]
    pub listen: SocketAddr,
    /// Directory for JetStream's files [default: DIR/jetstream]
    #[arg(long, value_name = "DIR")]
    pub store_dir: Option<PathBuf>,
    /// Name or address of the server for its clients, besides localhost. May be repeated
    #[arg(long, value_name = "HOST", conflicts_with = "tls_cert")]
    pub tls_name: Vec<String>,
    /// PEM file with your own certificate for the server [default: create an authority and a certificate]
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,
    /// PEM file with the private key of --tls-cert
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,
}

/// Runs `groma nats …`.
///
/// # Errors
/// Fails if a file cannot be written, or an existing key cannot be used.
pub fn run(args: Args) -> anyhow::Result<u8> {
    let Command::Init(args) = args.command;
    init(&args)?;
    Ok(process::exit::COMPLETE)
}

/// All roles that connect to NATS.
pub fn identities() -> Vec<BusIdentity> {
    let collectors = catalog::services().iter().map(|service| BusIdentity::Collector(service.name.clone()));
    [BusIdentity::Scheduler, BusIdentity::Broker, BusIdentity::GraphWriter, BusIdentity::Operator]
        .into_iter()
        .chain(collectors)
        .collect()
}

fn init(args: &InitArgs) -> anyhow::Result<()> {
    let identities = chosen(&args.roles)?;
    fs::create_dir_all(&args.dir).with_context(|| format!("cannot create {}", args.dir.display()))?;
    let dir = fs::canonicalize(&args.dir)?;
    let mut users = BTreeMap::new();
    for identity in identities {
        let public_key = keys::ensure(&dir.join("keys"), &identity.name())?;
        users.insert(identity, public_key);
    }
    let tls = match (&args.tls_cert, &args.tls_key) {
        (Some(certificate), Some(key)) => certificates::Tls::of_user(certificate, key)?,
        _ => certificates::ensure(&dir.join("tls"), &args.tls_name)?,
    };
    let store_dir = args.store_dir.clone().unwrap_or_else(|| dir.join("jetstream"));
    write(&dir.join("accounts.conf"), &accounts::render(&users))?;
    write(&dir.join("nats.conf"), &server(&args.listen, &store_dir, &tls))?;
    explain(&dir, args.listen.port(), &tls, users.keys());
    Ok(())
}

/// Selects roles. The scheduler is always included, because it owns the streams.
fn chosen(names: &[String]) -> Result<Vec<BusIdentity>, UsageError> {
    let all = identities();
    let known = || all.iter().map(BusIdentity::name).collect::<Vec<_>>().join(", ");
    let bad: Vec<_> = names
        .iter()
        .filter(|name| all.iter().all(|identity| identity.name() != **name))
        .map(|name| format!("--roles: no such role: {name:?}; the roles are {}", known()))
        .collect();
    if !bad.is_empty() {
        return Err(UsageError::new(bad));
    }
    Ok(all
        .into_iter()
        .filter(|identity| names.is_empty() || *identity == BusIdentity::Scheduler || names.contains(&identity.name()))
        .collect())
}

fn server(listen: &SocketAddr, store_dir: &Path, tls: &certificates::Tls) -> String {
    let (store_dir, certificate, key) = (store_dir.display(), tls.certificate.display(), tls.key.display());
    format!(
        r#"# Written by `groma nats init`, which overwrites it.
listen: "{listen}"
jetstream {{
  store_dir: "{store_dir}"
  # Write acknowledged messages to disk.
  sync_interval: always
}}
tls {{
  cert_file: "{certificate}"
  key_file: "{key}"
}}
include "accounts.conf"
"#
    )
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

fn explain<'a>(dir: &Path, port: u16, tls: &certificates::Tls, identities: impl Iterator<Item = &'a BusIdentity>) {
    let shown = dir.display();
    println!("nats-server -c {shown}/nats.conf");
    if let Some(expires) = tls.expires {
        println!("\nThe server's certificate expires on {expires}. To renew it, see docs/operations.md.");
    }
    println!("\nStart each role with the key of its name:\n");
    let authority = tls.authority.as_ref().map(|ca| format!("NATS_CA={} ", ca.display())).unwrap_or_default();
    for identity in identities {
        let command = match identity {
            BusIdentity::Collector(service) => format!("collector {service}"),
            BusIdentity::Operator => "status".to_owned(),
            other => other.name(),
        };
        println!("NATS_URL=tls://HOST:{port} {authority}NATS_NKEY={shown}/keys/{}.nk groma {command}", identity.name());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_checked_and_the_scheduler_is_always_there() {
        assert_eq!(chosen(&[]).expect("all").len(), identities().len());
        let some = chosen(&["broker".into(), "collector-ec2".into()]).expect("known roles");
        assert_eq!(some, [BusIdentity::Scheduler, BusIdentity::Broker, BusIdentity::Collector("ec2".into())]);
        let error = chosen(&["brocker".into()]).expect_err("no such role").to_string();
        assert!(error.contains("brocker") && error.contains("graph-writer"), "{error}");
    }
}
