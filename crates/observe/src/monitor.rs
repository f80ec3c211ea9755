//! The server for `/healthz`, `/readyz` and `/metrics`.
//!
//! Limits: 64 connections, one request each, 5 seconds for the whole exchange, 8 KiB of headers. Bodies are not read. A
//! further connection ends the oldest one, so that idle connections cannot keep a probe waiting.

use crate::{Health, Metrics};
use axum::{
    Router,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use hyper::server::conn::http1;
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use std::{collections::VecDeque, io, net::SocketAddr, time::Duration};
use tokio::{
    net::{TcpListener, TcpStream},
    time::timeout,
};
use tokio_util::task::AbortOnDropHandle;

/// Limit of connections at the same time.
const CONNECTIONS: usize = 64;
/// Time limit for a connection.
const LIMIT: Duration = Duration::from_secs(5);
/// Limit of a request's head in bytes: the smallest that hyper accepts.
const HEAD_BYTES: usize = 8 * 1024;
/// Pause after an error of the listening socket, such as too many open files.
const PAUSE: Duration = Duration::from_millis(100);
/// Media type of the metrics.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The server, until dropped.
#[derive(Debug)]
pub struct Monitor {
    address: SocketAddr,
    _serving: AbortOnDropHandle<()>,
}

impl Monitor {
    /// Listens on an address. Must be called inside the runtime of the observed loops: a blocked runtime answers no
    /// request.
    ///
    /// # Errors
    /// Fails if the address cannot be used, for example because its port is in use.
    pub async fn listen(
        address: SocketAddr,
        health: &'static Health,
        metrics: &'static Metrics,
    ) -> Result<Self, io::Error> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let serving = AbortOnDropHandle::new(tokio::spawn(serve(listener, router(health, metrics))));
        Ok(Self { address, _serving: serving })
    }

    /// The address, with its port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

/// axum answers `HEAD` like `GET` without the body, and any other method with 405.
fn router(health: &'static Health, metrics: &'static Metrics) -> Router {
    Router::new()
        .route("/healthz", get(|| async { checked(health.check_loops()) }))
        .route("/readyz", get(|| async { checked(health.check_parts()) }))
        .route("/metrics", get(|| async { scraped(health, metrics) }))
}

fn checked(result: Result<(), Vec<String>>) -> Response {
    match result {
        Ok(()) => (StatusCode::OK, "ok\n").into_response(),
        Err(reasons) => (StatusCode::SERVICE_UNAVAILABLE, reasons.join("\n") + "\n").into_response(),
    }
}

fn scraped(health: &Health, metrics: &Metrics) -> Response {
    metrics.readiness.is(health.check_parts().is_ok());
    match metrics.text() {
        Ok(text) => ([(header::CONTENT_TYPE, OPEN_METRICS)], text).into_response(),
        Err(_) => (StatusCode::INTERNAL_SERVER_ERROR, "a metric cannot be encoded\n").into_response(),
    }
}

async fn serve(listener: TcpListener, router: Router) {
    let mut open = VecDeque::with_capacity(CONNECTIONS);
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                if open.len() >= CONNECTIONS {
                    open.retain(|answering: &AbortOnDropHandle<()>| !answering.is_finished());
                }
                if open.len() >= CONNECTIONS {
                    open.pop_front();
                }
                open.push_back(AbortOnDropHandle::new(tokio::spawn(answer(stream, router.clone()))));
                // Each connection gets its turn before a burst of others may end it.
                tokio::task::yield_now().await;
            }
            Err(error) => {
                tracing::debug!(%error, "cannot accept a connection");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

async fn answer(stream: TcpStream, router: Router) {
    let mut http = http1::Builder::new();
    http.keep_alive(false).max_buf_size(HEAD_BYTES);
    let exchange = http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    match timeout(LIMIT, exchange).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "a connection of a monitor failed"),
        Err(_) => tracing::debug!("a connection of a monitor took too long"),
    }
}
