//! `groma nats init`: the configuration of a nats-server on which every part of Groma has an identity of its own and
//! reaches only what it needs, over TLS.

pub mod accounts;
pub mod certificates;
pub mod keys;

use crate::UsageError;
use anyhow::Context;
use bus::Part;
use std::{
    collections::BTreeMap,
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
};

/// `groma nats`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What can be done for a NATS server.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Write a closed server's configuration, the keys of all roles and certificates
    ///
    /// Keys and certificates that are there already are kept, so it can be run again, for example after an upgrade.
    Init(InitArgs),
}

/// `groma nats init`.
#[derive(Debug, clap::Args)]
pub struct InitArgs {
    /// Directory to write to; made when it is not there
    #[arg(long, value_name = "DIR")]
    pub dir: PathBuf,
    /// Roles that get a key [default: all]
    #[arg(long, value_name = "ROLE,ROLE", value_delimiter = ',')]
    pub roles: Vec<String>,
    /// Where the server listens
    #[arg(long, value_name = "HOST:PORT", default_value = "0.0.0.0:4222")]
    pub listen: SocketAddr,
    /// Where JetStream keeps its files [default: DIR/jetstream]
    #[arg(long, value_name = "DIR")]
    pub store_dir: Option<PathBuf>,
    /// Name or address, beside localhost, under which clients reach the server; may be given several times
    #[arg(long, value_name = "HOST", conflicts_with = "tls_cert")]
    pub tls_name: Vec<String>,
    /// Certificate of your own for the server, PEM; without it an authority and a certificate are made
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,
    /// Its private key, PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,
}

/// Carries out `groma nats …`.
///
/// # Errors
/// When something cannot be written, or a key that is there cannot be used.
pub fn run(args: Args) -> anyhow::Result<u8> {
    let Command::Init(args) = args.command;
    init(&args)?;
    Ok(role::exit::COMPLETE)
}

/// Every part of Groma that connects to NATS.
pub fn parts() -> Vec<Part> {
    let collectors = catalog::services().iter().map(|service| Part::Collector(service.name.clone()));
    [Part::Scheduler, Part::Broker, Part::GraphWriter, Part::Operator].into_iter().chain(collectors).collect()
}

fn init(args: &InitArgs) -> anyhow::Result<()> {
    let parts = chosen(&args.roles)?;
    fs::create_dir_all(&args.dir).with_context(|| format!("cannot make {}", args.dir.display()))?;
    let dir = fs::canonicalize(&args.dir)?;
    let mut users = BTreeMap::new();
    for part in parts {
        let public_key = keys::ensure(&dir.join("keys"), &part.name())?;
        users.insert(part, public_key);
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

/// The scheduler owns the streams, so that without it there is no bus.
fn chosen(names: &[String]) -> Result<Vec<Part>, UsageError> {
    let all = parts();
    let known = || all.iter().map(Part::name).collect::<Vec<_>>().join(", ");
    let bad: Vec<_> = names
        .iter()
        .filter(|name| all.iter().all(|part| part.name() != **name))
        .map(|name| format!("--roles: there is no role {name:?}; there are {}", known()))
        .collect();
    if !bad.is_empty() {
        return Err(UsageError::new(bad));
    }
    Ok(all
        .into_iter()
        .filter(|part| names.is_empty() || *part == Part::Scheduler || names.contains(&part.name()))
        .collect())
}

fn server(listen: &SocketAddr, store_dir: &Path, tls: &certificates::Tls) -> String {
    let (store_dir, certificate, key) = (store_dir.display(), tls.certificate.display(), tls.key.display());
    format!(
        r#"# Written by `groma nats init`, which writes it anew each time.
listen: "{listen}"
jetstream {{
  store_dir: "{store_dir}"
  # An acknowledged message is on the disk.
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

fn explain<'a>(dir: &Path, port: u16, tls: &certificates::Tls, parts: impl Iterator<Item = &'a Part>) {
    let shown = dir.display();
    println!("nats-server -c {shown}/nats.conf");
    println!("\nEach role is started with the key that bears its name:\n");
    let authority = tls.authority.as_ref().map(|ca| format!("NATS_CA={} ", ca.display())).unwrap_or_default();
    for part in parts {
        let command = match part {
            Part::Collector(service) => format!("collector {service}"),
            Part::Operator => "streams".to_owned(),
            other => other.name(),
        };
        println!("NATS_URL=tls://HOST:{port} {authority}NATS_NKEY={shown}/keys/{}.nk groma {command}", part.name());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_checked_and_the_scheduler_is_always_there() {
        assert_eq!(chosen(&[]).expect("all").len(), parts().len());
        let some = chosen(&["broker".into(), "collector-ec2".into()]).expect("known roles");
        assert_eq!(some, [Part::Scheduler, Part::Broker, Part::Collector("ec2".into())]);
        let error = chosen(&["brocker".into()]).expect_err("no such role").to_string();
        assert!(error.contains("brocker") && error.contains("graph-writer"), "{error}");
    }
}
