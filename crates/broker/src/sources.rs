//! Sources of the first credentials of a route.

use crate::{
    credential_process,
    environment::StaticKeys,
    files, metadata,
    refusal::{Kind, Refusal},
    route::{File, Searched, Source, Sso, WebIdentity},
    setup::Setup,
    single_flight::{self, SingleFlight},
};
use aws_config::{
    ecs::EcsCredentialsProvider, imds::credentials::ImdsCredentialsProvider, provider_config::ProviderConfig,
    sso::SsoCredentialsProvider,
};
use aws_credential_types::{
    Credentials,
    provider::{ProvideCredentials, SharedCredentialsProvider, error::CredentialsError},
};
use aws_types::region::Region;
use parking_lot::Mutex;
use std::{
    collections::HashMap,
    time::{Duration, SystemTime},
};

/// Time limit of an SDK provider, including its own retries. It ends before a collector stops waiting for its lease (30
/// s), with time left for the following STS call. Commands have their own limit: [`credential_process::TIMEOUT`].
const TIMEOUT: Duration = Duration::from_secs(20);

/// Providers and their cached credentials.
pub struct Sources {
    /// Time limit of a provider.
    timeout: Duration,
    /// Reused, because some have their own cache.
    providers: Mutex<HashMap<Source, SharedCredentialsProvider>>,
    given: SingleFlight<Source, Credentials>,
}

impl Default for Sources {
    fn default() -> Self {
        Self { timeout: TIMEOUT, providers: Mutex::default(), given: SingleFlight::default() }
    }
}

impl Sources {
    /// Returns the credentials of a source, cached until shortly before they expire. Keys in files and variables are
    /// read each time, so that rotated keys are used once the files are read again. `with_token` calls STS with the token
    /// of a web identity.
    ///
    /// # Errors
    /// Fails if the source has no credentials, with the reason.
    pub async fn credentials<'a, F: Future<Output = Result<Credentials, Refusal>>>(
        &self,
        setup: &Setup,
        of_profile: Option<&str>,
        source: &'a Source,
        with_token: impl Fn(&'a WebIdentity) -> F,
    ) -> Result<Credentials, Refusal> {
        match source {
            Source::Environment => environment(setup).ok_or_else(|| missing(source)),
            Source::Keys { profile, file } => keys(setup, profile, *file).ok_or_else(|| missing(source)),
            Source::WebIdentity(identity) => {
                let fetch = || async { Ok(with_end(with_token(identity).await?)) };
                self.given.get(source, fetch).await
            }
            _ => {
                let fetch = || async {
                    let given = self.ask(setup, of_profile, source).await;
                    Ok(with_end(given.map_err(|error| not_given(&error, source))?))
                };
                self.given.get(source, fetch).await
            }
        }
    }

    /// Drops cached credentials, because AWS rejected them as expired.
    pub fn forget(&self, of: impl Fn(&Source) -> bool) {
        self.providers.lock().retain(|source, _| !of(source));
        self.given.forget(of);
    }

    async fn ask(
        &self,
        setup: &Setup,
        of_profile: Option<&str>,
        source: &Source,
    ) -> Result<Credentials, CredentialsError> {
        if let Source::Process { profile } = source {
            let profiles = setup.profiles();
            let command = profiles.set(profile, "credential_process");
            let gone = || CredentialsError::not_loaded("the profile no longer has a credential_process");
            return credential_process::run(command.ok_or_else(gone)?).await;
        }
        let provider = self.provider(setup, of_profile, source)?;
        let given = tokio::time::timeout(self.timeout, provider.provide_credentials()).await;
        given.unwrap_or_else(|_| Err(CredentialsError::provider_timed_out(self.timeout)))
    }

    fn provider(
        &self,
        setup: &Setup,
        of_profile: Option<&str>,
        source: &Source,
    ) -> Result<SharedCredentialsProvider, CredentialsError> {
        let authorities = setup.authorities(of_profile).map_err(CredentialsError::invalid_configuration)?;
        let mut providers = self.providers.lock();
        let made = providers.entry(source.clone()).or_insert_with(|| sdk_provider(setup, &authorities, source));
        Ok(made.clone())
    }
}

/// Creates the SDK provider of this source. The SDK's default chain would prefer keys in the environment.
fn sdk_provider(setup: &Setup, authorities: &[Vec<u8>], source: &Source) -> SharedCredentialsProvider {
    let direct = metadata::of_endpoint(setup.clients().direct(authorities));
    let config = ProviderConfig::without_region().with_http_client(direct);
    match source {
        Source::Sso(sso) => {
            let config = config.with_http_client(setup.clients().http(authorities));
            let Sso { account_id, role_name, region, start_url, session, .. } = sso;
            let region = Region::new(region.clone());
            let mut builder = SsoCredentialsProvider::builder()
                .configure(&config.with_region(Some(region.clone())))
                .account_id(account_id)
                .role_name(role_name)
                .region(region)
                .start_url(start_url);
            builder.set_session_name(session.clone());
            SharedCredentialsProvider::new(builder.build())
        }
        Source::EcsContainer => {
            SharedCredentialsProvider::new(EcsCredentialsProvider::builder().configure(&config).build())
        }
        _ => SharedCredentialsProvider::new(ImdsCredentialsProvider::builder().configure(&config).build()),
    }
}

fn environment(setup: &Setup) -> Option<Credentials> {
    Some(of_keys(setup.environment().keys().ok()?, "Environment"))
}

fn keys(setup: &Setup, profile: &str, file: File) -> Option<Credentials> {
    let profiles = setup.profiles();
    let keys = profiles.static_keys(profile, file).filter(|keys| !keys.id.is_empty() && !keys.secret.is_empty())?;
    Some(of_keys(keys, "Profile"))
}

fn of_keys(StaticKeys { id, secret, token }: StaticKeys<'_>, provider: &'static str) -> Credentials {
    Credentials::new(id, secret, token.map(str::to_owned), None, provider)
}

fn not_given(error: &CredentialsError, source: &Source) -> Refusal {
    let mut refusal = Refusal::of_source(error, source);
    if matches!((error, source), (CredentialsError::ProviderTimedOut(_), Source::Sso(_))) {
        refusal.kind = Kind::Unreachable;
    }
    let nowhere = match source {
        Source::Ec2InstanceMetadata { last_resort: Some(Searched::Everywhere) } => {
            "no keys in the environment, no profile, no web identity, no container role"
        }
        Source::Ec2InstanceMetadata { last_resort: Some(Searched::Profile) } => {
            "none in the named profile, no container role"
        }
        _ => return refusal,
    };
    // Most machines are not instances, so unreachable instance metadata is not a network problem.
    let kind = if refusal.kind == Kind::Unreachable { Kind::SourceMissing } else { refusal.kind };
    Refusal::new(kind, format!("no AWS credentials found: {nowhere}; and {}", refusal.sentence))
}

fn missing(source: &Source) -> Refusal {
    Refusal::new(Kind::SourceMissing, format!("{source} are missing"))
}

fn with_end(credentials: Credentials) -> (Credentials, Option<SystemTime>) {
    let until = single_flight::replace_at(credentials.expiry());
    (credentials, until)
}

/// Reads the token of a web identity. Never cached, because the token is rotated.
///
/// # Errors
/// Fails if the file cannot be read.
pub fn token(identity: &WebIdentity) -> Result<zeroize::Zeroizing<String>, Refusal> {
    let text = files::read_text(&identity.token_file, files::TOKEN).map_err(|error| {
        let file = identity.token_file.display();
        Refusal::new(Kind::SourceMissing, format!("cannot read the web identity token {file}: {error}"))
    })?;
    Ok(zeroize::Zeroizing::new(text.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{environment::Environment, profiles::Profiles};
    use aws_credential_types::provider::future;

    /// A portal that takes the question and never answers.
    #[derive(Debug)]
    struct Hanging;

    impl ProvideCredentials for Hanging {
        fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
        where
            Self: 'a,
        {
            future::ProvideCredentials::new(std::future::pending())
        }
    }

    #[tokio::test]
    async fn a_portal_that_never_answers_is_given_up_within_the_limit_that_is_said() {
        let setup = Setup::new(Environment::default(), Profiles::default());
        let sources = Sources { timeout: Duration::from_secs(1), ..Sources::default() };
        let source = Source::Sso(Sso {
            profile: "audit".into(),
            account_id: "222222222222".into(),
            role_name: "Audit".into(),
            region: "eu-west-1".into(),
            start_url: "https://example.awsapps.com/start".into(),
            session: None,
        });
        let hanging = SharedCredentialsProvider::new(Hanging);
        sources.providers.lock().insert(source.clone(), hanging);
        let with_token = |_: &WebIdentity| std::future::pending();
        let refusal = sources.credentials(&setup, None, &source, with_token).await.expect_err("nothing is given");
        assert_eq!(refusal.kind, Kind::Unreachable);
        assert!(refusal.sentence.contains("timed out after 1 second"), "{refusal}");
    }

    #[test]
    fn every_source_is_given_up_before_a_collector_stops_waiting() {
        for limit in [Sources::default().timeout, credential_process::TIMEOUT] {
            assert!(limit < credentials::requester::ANSWER_TIMEOUT, "{limit:?}");
        }
    }
}
