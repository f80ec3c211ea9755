//! The flag for the server of health and metrics, and the server with this flag.

use crate::UsageError;
use bus::Bus;
use observe::{Monitor, health, metrics};
use std::net::SocketAddr;

/// Flags for monitoring.
#[derive(clap::Args, Debug, Clone, Default)]
#[command(next_help_heading = "Monitoring")]
pub struct MonitorArgs {
    /// Address on which to serve /healthz, /readyz and /metrics, e.g. 0.0.0.0:9464 [default: none]
    #[arg(long, env = "GROMA_MONITOR", value_name = "ADDRESS")]
    pub monitor: Option<SocketAddr>,
}

impl MonitorArgs {
    /// Starts the server if there is an address. It ends when the result is dropped.
    ///
    /// # Errors
    /// Returns a [`UsageError`] if the address cannot be used, for example because its port is in use.
    pub async fn start(&self) -> anyhow::Result<Option<Monitor>> {
        let Some(address) = self.monitor else { return Ok(None) };
        let failed = |error| UsageError::new([format!("cannot listen on --monitor {address}: {error}")]);
        let monitor = Monitor::listen(address, health(), metrics()).await.map_err(failed)?;
        tracing::info!(address = %monitor.address(), "serving /healthz, /readyz and /metrics");
        Ok(Some(monitor))
    }
}

/// Returns a check that the bus is connected, for [`observe::Part::is_ready_while`].
pub fn connected(bus: &Bus) -> impl Fn() -> Result<(), String> + Send + Sync + use<> {
    let bus = bus.clone();
    move || if bus.is_connected() { Ok(()) } else { Err("no connection to NATS".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser, Debug)]
    struct Command {
        #[command(flatten)]
        monitor: MonitorArgs,
    }

    fn parse(args: &[&str]) -> Result<MonitorArgs, clap::Error> {
        Command::try_parse_from(["groma"].iter().chain(args)).map(|command| command.monitor)
    }

    #[tokio::test]
    async fn nothing_listens_without_an_address() {
        assert!(parse(&[]).expect("no flag").start().await.expect("nothing to fail").is_none());
        assert!(parse(&["--monitor", "9464"]).is_err());
    }

    #[tokio::test]
    async fn a_port_in_use_is_a_usage_error_that_names_the_flag() {
        let args = parse(&["--monitor", "127.0.0.1:0"]).expect("an address");
        let first = args.start().await.expect("a free port").expect("it listens");
        let taken = first.address().to_string();
        let error = parse(&["--monitor", &taken]).expect("an address").start().await.expect_err("it is in use");
        assert!(error.is::<UsageError>());
        assert!(error.to_string().starts_with(&format!("cannot listen on --monitor {taken}: ")), "{error}");
    }
}
