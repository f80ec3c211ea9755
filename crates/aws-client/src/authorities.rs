//! Certificate authorities for AWS endpoints: those of the system, or a custom bundle (`AWS_CA_BUNDLE`) instead, as in
//! the AWS CLI and boto3. They travel with the settings of a lease, so that a collector needs no file.

use aws_smithy_http_client::tls::{TlsContext, TrustStore};
use base64::{Engine, engine::general_purpose::STANDARD};
use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};
use std::fmt::Write;

/// Certificates in DER.
pub type Authorities = Vec<Vec<u8>>;

/// Limit of the certificates in bytes. Above any system's bundle (Mozilla's has 150 kB), and below NATS's default
/// message limit of a megabyte.
const MOST_BYTES: usize = 700_000;

/// A bundle that cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BundleError {
    /// The file is not PEM.
    #[error("it is not a PEM file")]
    NotPem,
    /// The file is PEM without certificates, for example a key.
    #[error("it holds no certificate")]
    Empty,
    /// The certificates would not fit into a lease.
    #[error("it holds more than {MOST_BYTES} bytes of certificates")]
    TooLarge,
}

/// Reads the certificates of a PEM file. Skips certificates that clients cannot use, as OpenSSL does.
///
/// # Errors
/// Returns a [`BundleError`] if no usable certificate is left, or they are too large.
pub fn of_pem(text: &[u8]) -> Result<Authorities, BundleError> {
    let all: Vec<CertificateDer<'_>> =
        CertificateDer::pem_slice_iter(text).collect::<Result<_, _>>().map_err(|_| BundleError::NotPem)?;
    let authorities: Authorities = all.iter().filter(|der| is_usable(der)).map(|der| der.to_vec()).collect();
    match authorities.iter().map(Vec::len).sum::<usize>() {
        0 => Err(BundleError::Empty),
        bytes if bytes > MOST_BYTES => Err(BundleError::TooLarge),
        _ => Ok(authorities),
    }
}

fn is_usable(der: &[u8]) -> bool {
    RootCertStore::empty().add(CertificateDer::from(der)).is_ok()
}

/// Trusts only the certificates that the SDK accepts without a panic. If none is left, the client trusts no endpoint.
pub(crate) fn trusting(authorities: &[Vec<u8>]) -> TlsContext {
    if authorities.is_empty() {
        return TlsContext::default();
    }
    let usable = authorities.iter().filter(|der| is_usable(der));
    let store = usable.fold(TrustStore::empty(), |store, der| store.with_pem_certificate(pem(der)));
    TlsContext::builder().with_trust_store(store).build().unwrap_or_default()
}

fn pem(der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let mut pem = "-----BEGIN CERTIFICATE-----\n".to_owned();
    for line in text.as_bytes().chunks(64) {
        // Writing to a `String` cannot fail, and base64 is ASCII.
        let _ = writeln!(pem, "{}", String::from_utf8_lossy(line));
    }
    pem + "-----END CERTIFICATE-----\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair};

    fn authority() -> (String, KeyPair) {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        (params.self_signed(&key).expect("a certificate").pem(), key)
    }

    #[test]
    fn a_bundle_is_its_certificates() {
        let ((first, key), (second, _)) = (authority(), authority());
        let both = of_pem(format!("# ours\n{first}\n{second}").as_bytes()).expect("two of them");
        assert_eq!(both.len(), 2);
        assert_eq!(of_pem(pem(&both[1]).as_bytes()).expect("the same"), both[1..]);
        assert_eq!(of_pem(key.serialize_pem().as_bytes()), Err(BundleError::Empty));
        assert_eq!(of_pem(b"nothing of the kind"), Err(BundleError::Empty));
        assert_eq!(of_pem(b"-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n"), Err(BundleError::NotPem));
        assert_eq!(of_pem(pem(b"no certificate").as_bytes()), Err(BundleError::Empty));
    }

    #[test]
    fn whom_nobody_can_trust_makes_no_panic() {
        let _ = trusting(&[b"no certificate".to_vec()]);
        let _ = trusting(&[]);
    }
}
