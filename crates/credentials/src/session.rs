//! A session in memory. It is never printed, and it is wiped when dropped.

use aws_credential_types::Credentials;
use events::Message;
use std::{
    fmt,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use zeroize::{Zeroize, Zeroizing};

/// Keys of an AWS session.
#[derive(Clone)]
pub struct Session(events::Session);

impl Session {
    /// Credentials for the AWS SDK. `provider` is the name of the source in the SDK's messages.
    pub fn credentials(&self, provider: &'static str) -> Credentials {
        let token = Some(&self.0.session_token).filter(|token| !token.is_empty());
        Credentials::new(&self.0.access_key_id, &self.0.secret_access_key, token.cloned(), self.expires_at(), provider)
    }

    /// Expiration. `None` for credentials without one, such as a user's long-lived key.
    pub fn expires_at(&self) -> Option<SystemTime> {
        let seconds = u64::try_from(self.0.expires_at).ok().filter(|seconds| *seconds > 0)?;
        UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
    }

    /// Plain text to be sealed. Allocated at its final size, because a growing buffer would leave copies in memory.
    pub(crate) fn to_plain_text(&self) -> Zeroizing<Vec<u8>> {
        let mut plain = Zeroizing::new(Vec::with_capacity(self.0.encoded_len()));
        // Encoding into a `Vec` cannot run out of space.
        self.0.encode_raw(&mut *plain);
        plain
    }

    pub(crate) fn from_plain_text(plain: &Zeroizing<Vec<u8>>) -> Option<Self> {
        let session = Self(events::Session::decode(plain.as_slice()).ok()?);
        let whole = !session.0.access_key_id.is_empty() && !session.0.secret_access_key.is_empty();
        whole.then_some(session)
    }
}

impl From<&Credentials> for Session {
    fn from(credentials: &Credentials) -> Self {
        let end = credentials.expiry().and_then(|end| end.duration_since(UNIX_EPOCH).ok());
        Self(events::Session {
            access_key_id: credentials.access_key_id().to_owned(),
            secret_access_key: credentials.secret_access_key().to_owned(),
            session_token: credentials.session_token().unwrap_or_default().to_owned(),
            expires_at: end.and_then(|end| i64::try_from(end.as_secs()).ok()).unwrap_or(0),
        })
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("expires_at", &self.0.expires_at).finish_non_exhaustive()
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.0.access_key_id.zeroize();
        self.0.secret_access_key.zeroize();
        self.0.session_token.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn nothing_of_a_session_is_printed(secret in "[A-Za-z0-9/+]{16,40}", token in "[A-Za-z0-9/+]{16,80}") {
            let credentials = Credentials::new("AKIDEXAMPLE", &secret, Some(token.clone()), None, "test");
            let session = Session::from(&credentials);
            for text in [format!("{session:?}"), format!("{session:#?}"), format!("{:?}", session.credentials("test"))] {
                prop_assert!(!text.contains(&secret) && !text.contains(&token), "{text}");
            }
        }

        #[test]
        fn a_session_survives_the_way_to_the_sdk_and_back(
            secret in "\\PC{1,40}", token in proptest::option::of("\\PC{1,80}"), seconds in 1_u64..4_000_000_000,
        ) {
            let end = UNIX_EPOCH + Duration::from_secs(seconds);
            let credentials = Credentials::new("AKIDEXAMPLE", secret, token, Some(end), "test");
            let plain = Session::from(&credentials).to_plain_text();
            let back = Session::from_plain_text(&plain).map(|session| session.credentials("test"));
            prop_assert_eq!(back, Some(credentials));
        }
    }

    #[test]
    fn half_a_session_is_none() {
        let half = Session::from(&Credentials::new("AKIDEXAMPLE", "", None, None, "test"));
        assert!(Session::from_plain_text(&half.to_plain_text()).is_none());
    }
}
