//! SIGTERM and SIGINT: drain first, and go at once when told again.

use crate::exit;
use tokio_util::sync::CancellationToken;

/// A token that is cancelled on SIGTERM or SIGINT. A second signal ends the process at once with status 130. To be called
/// inside the runtime.
pub fn shutdown() -> CancellationToken {
    let token = CancellationToken::new();
    tokio::spawn(watch(token.clone()));
    token
}

async fn watch(token: CancellationToken) {
    if let Err(error) = signals(&token).await {
        tracing::warn!(%error, "cannot watch signals; SIGTERM will not drain this process");
    }
}

#[cfg(unix)]
async fn signals(token: &CancellationToken) -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    loop {
        let name = tokio::select! {
            _ = terminate.recv() => "SIGTERM",
            _ = interrupt.recv() => "SIGINT",
        };
        act(token, name);
    }
}

#[cfg(not(unix))]
async fn signals(token: &CancellationToken) -> std::io::Result<()> {
    loop {
        tokio::signal::ctrl_c().await?;
        act(token, "Ctrl-C");
    }
}

fn act(token: &CancellationToken, signal: &str) {
    if token.is_cancelled() {
        tracing::warn!(signal, "second signal: leaving at once");
        std::process::exit(exit::INTERRUPTED.into());
    }
    tracing::info!(signal, "draining; a second signal leaves at once");
    token.cancel();
}
