//! A connection, with its JetStream context.

use crate::{BusConfig, health::Health, stream_configs::StreamConfigs};
use async_nats::{ConnectOptions, Event, ServerAddr, jetstream};
use percent_encoding::percent_decode_str;
use std::{
    future::{Ready, ready},
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

/// Time limit of the first connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Time limit for the acknowledgement of one publish; then it is sent again.
const ACK_TIMEOUT: Duration = Duration::from_secs(5);
/// Interval between pings to the server. async-nats reconnects after three unanswered pings, so it drops a dead
/// connection after half a minute.
const PING_INTERVAL: Duration = Duration::from_secs(10);

/// A connection to NATS; cheap to clone. It reconnects by itself for as long as it lives.
#[derive(Debug, Clone)]
pub struct Bus {
    pub(crate) client: async_nats::Client,
    pub(crate) jetstream: jetstream::Context,
    pub(crate) streams: Arc<StreamConfigs>,
    pub(crate) publishing: Arc<Health>,
}

/// NATS could not be reached.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// A credentials, key or certificate file cannot be used.
    #[error("cannot read {file}")]
    File {
        /// Path of the file.
        file: String,
        /// Path of the file.
        source: io::Error,
    },
    /// Cause.
    #[error("cannot connect to NATS at {url}: is nats-server running there, with these credentials?")]
    Server {
        /// The URL without user and password.
        url: String,
        /// Cause.
        source: async_nats::ConnectError,
    },
}

impl Bus {
    /// Connects. Does not check the streams: see [`Bus::ensure_streams`].
    ///
    /// # Errors
    /// Returns a [`ConnectError`] if a file cannot be read, or no server accepts the connection.
    pub async fn connect(config: &BusConfig) -> Result<Self, ConnectError> {
        let servers: Vec<&str> = config.url.split(',').map(str::trim).collect();
        #[allow(clippy::disallowed_methods, reason = "the one place where Groma connects to NATS")]
        let client = options(config)?
            .connect(servers)
            .await
            .map_err(|source| ConnectError::Server { url: without_password(&config.url), source })?;
        let jetstream =
            jetstream::ContextBuilder::new().timeout(ACK_TIMEOUT).ack_timeout(ACK_TIMEOUT).build(client.clone());
        let streams = Arc::new(StreamConfigs::new(config));
        Ok(Self { client, jetstream, streams, publishing: Arc::default() })
    }

    /// Whether the connection is up at this moment.
    pub fn is_connected(&self) -> bool {
        self.client.connection_state() == async_nats::connection::State::Connected
    }
}

fn options(config: &BusConfig) -> Result<ConnectOptions, ConnectError> {
    let file = |path: &std::path::Path| path.display().to_string();
    let mut options = ConnectOptions::new()
        .name(&config.client_name)
        .connection_timeout(CONNECT_TIMEOUT)
        .ping_interval(PING_INTERVAL)
        .event_callback(log());
    if let Some(path) = &config.credentials_file {
        let failed = |source| ConnectError::File { file: file(path), source };
        let text = files::read_text(path, files::SMALL).map_err(failed)?;
        options = options.credentials(&text).map_err(failed)?;
    }
    if let Some(path) = &config.nkey_file {
        let failed = |source| ConnectError::File { file: file(path), source };
        let seed = files::read_text(path, files::SMALL).map_err(failed)?;
        options = options.nkey(seed.trim().to_owned());
    }
    if let Some(path) = &config.ca_file {
        // async-nats reads the file itself, without a size limit.
        files::read(path, files::SMALL).map_err(|source| ConnectError::File { file: file(path), source })?;
        options = options.add_root_certificates(path.clone());
    }
    Ok(with_user_of(&config.url, options))
}

/// Adds the user or token of a URL, by the rule of all NATS clients: `user:password@` is a user, a single word before
/// the `@` is a token. async-nats ignores both.
fn with_user_of(url: &str, options: ConnectOptions) -> ConnectOptions {
    let server =
        url.split(',').find_map(|server| server.trim().parse::<ServerAddr>().ok().filter(ServerAddr::has_user_pass));
    let Some(server) = server else { return options };
    let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    match (server.username(), server.password()) {
        (Some(user), Some(password)) => options.user_and_password(decode(user), decode(password)),
        (Some(token), None) => options.token(decode(token)),
        _ => options,
    }
}

/// Logs one line when the connection is lost and one when it is back, regardless of the number of attempts in between.
fn log() -> impl Fn(Event) -> Ready<()> + Send + Sync + 'static {
    let lost = AtomicBool::new(false);
    move |event| {
        match event {
            Event::Connected if lost.swap(false, Relaxed) => tracing::info!("connected to NATS again"),
            Event::Connected => tracing::debug!("connected to NATS"),
            Event::Disconnected if lost.swap(true, Relaxed) => {}
            Event::Disconnected => tracing::warn!("lost the connection to NATS; reconnecting"),
            other => tracing::debug!(%other, "NATS"),
        }
        ready(())
    }
}

/// The URL for messages: without user and password.
fn without_password(url: &str) -> String {
    let strip = |server: &str| match (server.split_once("://"), server.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}://{host}"),
        (None, Some((_, host))) => host.to_owned(),
        _ => server.to_owned(),
    };
    url.split(',').map(|server| strip(server.trim())).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_file_without_an_end_is_refused_and_named() {
        let endless = || Some("/dev/zero".into());
        let config = || BusConfig::new("nats://127.0.0.1:4222", "test");
        for config in [
            BusConfig { credentials_file: endless(), ..config() },
            BusConfig { nkey_file: endless(), ..config() },
            BusConfig { ca_file: endless(), ..config() },
        ] {
            let error = options(&config).expect_err("it never ends");
            assert_eq!(errors::chain(&error), "cannot read /dev/zero: it holds more than 1048576 bytes");
        }
    }

    #[test]
    fn a_shown_url_has_no_password() {
        assert_eq!(without_password("nats://me:secret@host:4222"), "nats://host:4222");
        assert_eq!(without_password("nats://a:4222, tls://u:p@b:4222"), "nats://a:4222,tls://b:4222");
    }
}
