//! Answers to lease requests, and certificate bundles.

use aws_client::authorities;
use credentials::{Lease, OneTimeKey};
use events::LeaseRequest;

#[test]
fn lease_answer() {
    fuzz::Target::new("lease_answer").well_formed(fuzz::messages::lease_answer).check(|bytes| {
        let key = OneTimeKey::generate();
        let request = LeaseRequest { public_key: key.public_key(), ..LeaseRequest::default() };
        let error = Lease::open(key, &request, bytes).expect_err("it is not sealed for this request");
        assert!(error.failure().error.len() <= 2_000);
    });
}

const PEM: &[&[u8]] = &[
    b"-----BEGIN CERTIFICATE-----\n",
    b"-----END CERTIFICATE-----\n",
    b"-----BEGIN PRIVATE KEY-----\n",
    b"-----END PRIVATE KEY-----\n",
    b"-----BEGIN ",
    b"-----",
    b"\n",
    b"\r\n",
    b"MIIB",
    b"MAMCAQE=\n",
    b"MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA\n",
    b"=",
    b"!",
    b"# a comment\n",
];

#[test]
fn bundle() {
    fuzz::Target::new("bundle").words(PEM).check(|bytes| {
        if let Ok(certificates) = authorities::of_pem(bytes) {
            assert!(!certificates.is_empty());
            assert!(certificates.iter().map(Vec::len).sum::<usize>() <= bytes.len());
        }
    });
}

#[test]
fn a_bundle_of_nothing_but_beginnings_takes_memory_in_proportion() {
    let bytes = b"-----BEGIN CERTIFICATE-----\nMAMCAQE=\n-----END CERTIFICATE-----\n".repeat(60_000);
    let cost = fuzz::cost(|| assert!(authorities::of_pem(&bytes).is_err()));
    assert!(cost.bytes < 8 * bytes.len() as u64, "{} bytes for {}", cost.bytes, bytes.len());
}
