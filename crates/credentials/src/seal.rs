//! Sealing a session to the key of one request: HPKE (RFC 9180) in base mode with X25519-HKDF-SHA256, HKDF-SHA256 and
//! ChaCha20-Poly1305.
//!
//! An observer of the whole bus learns no secret: the private key never leaves the requesting process. The seal covers
//! the whole request, so an answer opens only for the requested account, service and actions.

use crate::Session;
use events::{LeaseRequest, SealedSession};
use hpke::{
    Deserializable, Kem as _, OpModeR, OpModeS, Serializable, aead::ChaCha20Poly1305, kdf::HkdfSha256,
    kem::X25519HkdfSha256,
};
use std::fmt;
use zeroize::Zeroizing;

type Kem = X25519HkdfSha256;
type PrivateKey = <Kem as hpke::Kem>::PrivateKey;
type PublicKey = <Kem as hpke::Kem>::PublicKey;
type EncappedKey = <Kem as hpke::Kem>::EncappedKey;

/// Separates these seals from other uses of the same algorithms. Changes with the version of the contract.
const INFO: &[u8] = b"groma.v1 lease";

/// A session could not be sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The request's key is invalid.
    #[error("the request's public key is not an X25519 key")]
    PublicKey,
}

/// An answer could not be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// The answer is sealed for another request, or was altered.
    #[error("the answer is not sealed for this request")]
    NotForThisRequest,
    /// The answer opens, but holds no session.
    #[error("the sealed answer holds no session")]
    NoSession,
}

/// A key pair for one request.
pub struct OneTimeKey {
    private: PrivateKey,
    public: PublicKey,
}

impl OneTimeKey {
    /// Generates a pair from the system's random numbers.
    pub fn generate() -> Self {
        let (private, public) = Kem::gen_keypair();
        Self { private, public }
    }

    /// The public key, as sent in the request.
    pub fn public_key(&self) -> Vec<u8> {
        self.public.to_bytes().to_vec()
    }

    /// Opens the answer to `request`.
    ///
    /// # Errors
    /// Returns an [`OpenError`]: the same one for every kind of alteration.
    pub fn open(self, request: &LeaseRequest, sealed: &SealedSession) -> Result<Session, OpenError> {
        let encapsulated =
            EncappedKey::from_bytes(&sealed.encapsulated_key).map_err(|_| OpenError::NotForThisRequest)?;
        let plain = hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, Kem>(
            &OpModeR::Base,
            &self.private,
            &encapsulated,
            INFO,
            &sealed.ciphertext,
            &context(request),
        )
        .map_err(|_| OpenError::NotForThisRequest)?;
        Session::from_plain_text(&Zeroizing::new(plain)).ok_or(OpenError::NoSession)
    }
}

impl fmt::Debug for OneTimeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OneTimeKey").finish_non_exhaustive()
    }
}

/// Seals a session to the key of a request.
///
/// # Errors
/// Fails if `public_key` is not a valid X25519 key.
pub fn seal(public_key: &[u8], request: &LeaseRequest, session: &Session) -> Result<SealedSession, SealError> {
    let public = PublicKey::from_bytes(public_key).map_err(|_| SealError::PublicKey)?;
    let (encapsulated, ciphertext) = hpke::single_shot_seal::<ChaCha20Poly1305, HkdfSha256, Kem>(
        &OpModeS::Base,
        &public,
        INFO,
        &session.to_plain_text(),
        &context(request),
    )
    .map_err(|_| SealError::PublicKey)?;
    Ok(SealedSession { encapsulated_key: encapsulated.to_bytes().to_vec(), ciphertext })
}

/// All fields of the request, each with its length, so that different requests never give the same bytes.
fn context(request: &LeaseRequest) -> Vec<u8> {
    // `fresh` does not change the content of the lease, and earlier versions of the broker do not know it.
    let LeaseRequest { request_id, sync_id, account_id, service, actions, public_key, fresh: _ } = request;
    let fixed = [request_id, sync_id, account_id, service].map(String::as_bytes);
    let actions = actions.iter().map(String::as_bytes);
    let mut bytes = Vec::new();
    for part in fixed.into_iter().chain([public_key.as_slice()]).chain(actions) {
        bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
        bytes.extend_from_slice(part);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_credential_types::Credentials;
    use proptest::prelude::*;

    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

    fn session() -> Session {
        Session::from(&Credentials::new("ASIAEXAMPLE", SECRET, Some("token".into()), None, "test"))
    }

    fn asked(key: &OneTimeKey) -> LeaseRequest {
        LeaseRequest {
            request_id: "r1".into(),
            sync_id: "s1".into(),
            account_id: "111111111111".into(),
            service: "ec2".into(),
            actions: vec!["ec2:DescribeVpcs".into()],
            public_key: key.public_key(),
            fresh: false,
        }
    }

    fn sealed() -> (OneTimeKey, LeaseRequest, SealedSession) {
        let key = OneTimeKey::generate();
        let request = asked(&key);
        let sealed = seal(&request.public_key, &request, &session()).expect("the key is one");
        (key, request, sealed)
    }

    #[test]
    fn the_one_who_asked_reads_it() {
        let (key, request, sealed) = sealed();
        let opened = key.open(&request, &sealed).expect("it is sealed for this request");
        assert_eq!(opened.credentials("test"), session().credentials("test"));
    }

    #[test]
    fn nobody_else_does() {
        let (_, request, sealed) = sealed();
        assert_eq!(OneTimeKey::generate().open(&request, &sealed).err(), Some(OpenError::NotForThisRequest));
    }

    #[test]
    fn an_answer_to_another_question_does_not_open() {
        let alterations: [fn(&mut LeaseRequest); 6] = [
            |request| request.request_id = "r2".into(),
            |request| request.sync_id = "s2".into(),
            |request| request.account_id = "222222222222".into(),
            |request| request.service = "iam".into(),
            |request| request.actions.push("ec2:DescribeSubnets".into()),
            |request| request.public_key[0] ^= 1,
        ];
        for alter in alterations {
            let (key, mut request, sealed) = sealed();
            alter(&mut request);
            assert_eq!(key.open(&request, &sealed).err(), Some(OpenError::NotForThisRequest), "{request:?}");
        }
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let (_, request, _) = sealed();
        for bad in [&[] as &[u8], &[1; 31], &[0; 32]] {
            assert_eq!(seal(bad, &request, &session()).err(), Some(SealError::PublicKey));
        }
    }

    #[test]
    fn nothing_secret_is_printed() {
        let (key, request, sealed) = sealed();
        let text = format!("{key:?} {request:?} {sealed:?}");
        assert!(!text.contains(SECRET) && text.contains("OneTimeKey { .. }"), "{text}");
    }

    proptest! {
        #[test]
        fn an_altered_answer_does_not_open(at in any::<proptest::sample::Index>(), flip in 1_u8..=255) {
            let (key, request, mut sealed) = sealed();
            let keys = sealed.encapsulated_key.len();
            let at = at.index(keys + sealed.ciphertext.len());
            // X25519 ignores the highest bit of a key, so flipping only that bit changes nothing.
            prop_assume!(at != keys - 1 || flip != 0x80);
            match at.checked_sub(keys) {
                Some(at) => sealed.ciphertext[at] ^= flip,
                None => sealed.encapsulated_key[at] ^= flip,
            }
            prop_assert_eq!(key.open(&request, &sealed).err(), Some(OpenError::NotForThisRequest));
        }

        #[test]
        fn any_bytes_are_refused_without_a_panic(key in any::<Vec<u8>>(), text in any::<Vec<u8>>()) {
            let own = OneTimeKey::generate();
            let request = asked(&own);
            let sealed = SealedSession { encapsulated_key: key, ciphertext: text };
            prop_assert!(own.open(&request, &sealed).is_err());
        }
    }
}
