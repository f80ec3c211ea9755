//! SIGTERM and SIGINT: the first signal starts draining. A second one, or the drain limit, ends the process
//! immediately.

use crate::exit;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Default time limit for draining.
pub const DRAIN: Duration = Duration::from_mins(2);

/// Returns a token that is cancelled on SIGTERM or SIGINT. A second signal, or the end of [`DRAIN`], ends the process
/// immediately with status 130. Must be called inside the runtime.
pub fn shutdown() -> CancellationToken {
    shutdown_within(DRAIN)
}

/// Like [`shutdown`], with another limit.
pub fn shutdown_within(limit: Duration) -> CancellationToken {
    let token = CancellationToken::new();
    tokio::spawn(watch(token.clone()));
    tokio::spawn(leave_after(token.clone(), limit));
    token
}

async fn leave_after(token: CancellationToken, limit: Duration) {
    overdue(&token, limit).await;
    tracing::warn!(
        "did not end within {limit:?} of the signal: exiting now; other processes take over unfinished work"
    );
    std::process::exit(exit::INTERRUPTED.into());
}

async fn overdue(token: &CancellationToken, limit: Duration) {
    token.cancelled().await;
    tokio::time::sleep(limit).await;
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
        tracing::warn!(signal, "second signal: exiting immediately");
        std::process::exit(exit::INTERRUPTED.into());
    }
    tracing::info!(signal, "draining; a second signal exits immediately");
    token.cancel();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_a_process_that_was_told_to_end_is_overdue() {
        let token = CancellationToken::new();
        let overdue = overdue(&token, Duration::ZERO);
        tokio::pin!(overdue);
        tokio::select! {
            () = &mut overdue => panic!("nobody told it"),
            () = tokio::time::sleep(Duration::from_millis(20)) => {}
        }
        token.cancel();
        overdue.await;
    }
}
