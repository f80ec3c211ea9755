//! TLS certificate of the server: the user's own, or one signed by an authority created only for it.

use super::keys::{make_directory, write_secret};
use anyhow::Context;
use chrono::{DateTime, Datelike, Days, NaiveDate, Utc};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    date_time_ymd,
};
use std::{
    fs,
    path::{Path, PathBuf},
};
use zeroize::Zeroizing;

/// Lifetime of the certificate: the longest that all platforms accept (Apple's are the strictest).
const VALID: Days = Days::new(825);
/// Line before the certificate, for people and for the next run. Readers of PEM skip such lines.
const EXPIRES: &str = "Expires: ";

/// Files for the server and its clients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tls {
    /// Certificate of the server.
    pub certificate: PathBuf,
    /// Private key of the server.
    pub key: PathBuf,
    /// Authority that clients need; `None` if the system knows it.
    pub authority: Option<PathBuf>,
    /// Day on which an own certificate expires; `None` for the user's, and for one of an earlier version.
    pub expires: Option<NaiveDate>,
}

impl Tls {
    /// Uses the user's own files.
    ///
    /// # Errors
    /// Fails if a file does not exist.
    pub fn of_user(certificate: &Path, key: &Path) -> anyhow::Result<Self> {
        let there = |path: &Path| fs::canonicalize(path).with_context(|| format!("cannot read {}", path.display()));
        Ok(Self { certificate: there(certificate)?, key: there(key)?, authority: None, expires: None })
    }
}

/// Returns the certificate in `directory`. Creates one for localhost and these names if there is none.
///
/// # Errors
/// Fails if a name is invalid or a file cannot be written.
pub fn ensure(directory: &Path, names: &[String]) -> anyhow::Result<Tls> {
    let file = |name: &str| directory.join(name);
    let authority = Some(file("ca.pem"));
    let tls = Tls { certificate: file("server.pem"), key: file("server.key"), authority, expires: None };
    if !tls.certificate.exists() {
        make_directory(directory)?;
        let made = make(names).context("cannot create a certificate")?;
        // Written last, because its existence marks the files as complete.
        fs::remove_file(&tls.key).ok();
        write_secret(&tls.key, made.key.as_bytes())?;
        fs::write(file("ca.pem"), made.authority)?;
        fs::write(&tls.certificate, made.certificate)?;
    }
    let text = files::read_text(&tls.certificate, files::SMALL)?;
    let expires = text.lines().find_map(|line| line.strip_prefix(EXPIRES)?.parse().ok());
    Ok(Tls { expires, ..tls })
}

struct Made {
    authority: String,
    certificate: String,
    key: Zeroizing<String>,
}

/// Creates the files. The authority's key is never stored, so it signs only this certificate.
fn make(names: &[String]) -> Result<Made, rcgen::Error> {
    let now = Utc::now();
    let mut authority = params(Vec::new(), now)?;
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    authority.distinguished_name.push(DnType::CommonName, "Authority of one NATS server of Groma");
    let authority_key = KeyPair::generate()?;
    let authority_certificate = authority.self_signed(&authority_key)?;

    let local = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
    let mut server = params(local.into_iter().chain(names.iter().cloned()).collect(), now)?;
    // Servers of a cluster are clients of each other.
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    server.use_authority_key_identifier_extension = true;
    server.distinguished_name.push(DnType::CommonName, "NATS server of Groma");
    let key = KeyPair::generate()?;
    let certificate = server.signed_by(&key, &Issuer::new(authority, authority_key))?;
    Ok(Made {
        authority: authority_certificate.pem(),
        certificate: format!("{EXPIRES}{}\n{}", (now + VALID).date_naive(), certificate.pem()),
        key: Zeroizing::new(key.serialize_pem()),
    })
}

fn params(names: Vec<String>, now: DateTime<Utc>) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name = rcgen::DistinguishedName::new();
    // Valid from yesterday, for clocks that are behind.
    let [before, after] = [now - Days::new(1), now + VALID].map(|day| (day.year(), byte(day.month()), byte(day.day())));
    params.not_before = date_time_ymd(before.0, before.1, before.2);
    params.not_after = date_time_ymd(after.0, after.1, after.2);
    Ok(params)
}

/// Converts a month or a day, which always fit.
fn byte(number: u32) -> u8 {
    u8::try_from(number).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_are_made_once() {
        let directory = tempfile::tempdir().expect("a directory");
        let tls = ensure(directory.path(), &["nats.example.com".to_owned()]).expect("certificates");
        let read = |path: &Path| fs::read_to_string(path).expect("it is there");
        let certificate = read(&tls.certificate);
        assert!(certificate.contains("\n-----BEGIN CERTIFICATE-----"));
        assert!(read(&tls.key).starts_with("-----BEGIN PRIVATE KEY-----"));
        ensure(directory.path(), &[]).expect("the same");
        assert_eq!(read(&tls.certificate), certificate);
        assert_eq!(tls.expires, Utc::now().checked_add_days(VALID).map(|day| day.date_naive()));
    }

    #[test]
    fn a_name_that_is_none_is_refused() {
        assert!(make(&["näts".to_owned()]).is_err());
    }
}
