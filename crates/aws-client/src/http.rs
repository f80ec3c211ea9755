//! HTTP clients for HTTPS and plain HTTP, with rustls.

use crate::authorities::{Authorities, trusting};
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_http_client::{
    Connector,
    proxy::ProxyConfig,
    tls::{Provider, TlsContext, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::client::http::{SharedHttpClient, SharedHttpConnector, http_client_fn};
use parking_lot::Mutex;
use std::collections::HashMap;

/// Proxy of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proxy {
    /// The proxy in `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`, as in the AWS CLI.
    OfEnvironment,
    /// No proxy.
    None,
}

/// HTTP clients by the authorities that they trust. Callers with the same timeouts share a client's connections.
#[derive(Debug)]
pub struct HttpClients {
    proxy: Proxy,
    made: Mutex<HashMap<Authorities, SharedHttpClient>>,
}

impl HttpClients {
    /// Starts without clients, and creates each one when it is needed.
    pub fn new(proxy: Proxy) -> Self {
        Self { proxy, made: Mutex::default() }
    }

    /// Returns the client that trusts these authorities; the system's if `authorities` is empty.
    pub fn of(&self, authorities: &[Vec<u8>]) -> SharedHttpClient {
        let mut made = self.made.lock();
        if let Some(client) = made.get(authorities) {
            return client.clone();
        }
        let client = http_client(trusting(authorities), self.proxy);
        made.insert(authorities.to_vec(), client.clone());
        client
    }
}

/// A client with one connector, and so one connection pool, for each pair of connect and read timeout. The SDK's builder
/// would load the system's authorities again for each SDK client, to validate them.
fn http_client(trust: TlsContext, proxy: Proxy) -> SharedHttpClient {
    let connectors = Mutex::<HashMap<_, SharedHttpConnector>>::default();
    http_client_fn(move |settings, _| {
        let build = || {
            let builder = Connector::builder()
                .connector_settings(settings.clone())
                .sleep_impl(TokioSleep::new())
                .proxy_config(match proxy {
                    Proxy::OfEnvironment => ProxyConfig::from_env(),
                    Proxy::None => ProxyConfig::disabled(),
                })
                .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
                .tls_context(trust.clone());
            SharedHttpConnector::new(builder.build())
        };
        let timeouts = (settings.connect_timeout(), settings.read_timeout());
        connectors.lock().entry(timeouts).or_insert_with(build).clone()
    })
}
