//! A cluster of three nats-servers with JetStream.

use crate::{Nats, ports};
use std::fs;

/// A cluster of three servers, each of which can be killed and restarted alone.
pub struct NatsCluster {
    /// The servers.
    pub servers: Vec<Nats>,
}

impl NatsCluster {
    /// Starts three servers as one cluster. They elect a leader within some seconds; until then JetStream rejects
    /// requests.
    ///
    /// # Errors
    /// Same as [`Nats::start`].
    pub async fn start() -> anyhow::Result<Self> {
        let routes = (0..3).map(|_| ports::free()).collect::<anyhow::Result<Vec<u16>>>()?;
        let all: Vec<String> = routes.iter().map(|port| format!("nats://127.0.0.1:{port}")).collect();
        let mut servers = Vec::new();
        for (number, route) in routes.iter().enumerate() {
            let all = all.join(", ");
            let write = |dir: &std::path::Path, port: u16| {
                let file = dir.join("nats.conf");
                let text = format!(
                    "listen: \"127.0.0.1:{port}\"\nserver_name: \"n{number}\"\njetstream {{ store_dir: \"{}\" }}\n\
                     cluster {{ name: \"groma\", listen: \"127.0.0.1:{route}\", routes: [{all}] }}\n",
                    dir.display()
                );
                fs::write(&file, text)?;
                Ok(file)
            };
            servers.push(Nats::configured(write).await?);
        }
        Ok(Self { servers })
    }

    /// URLs of all servers: `nats://127.0.0.1:…,nats://127.0.0.1:…,nats://127.0.0.1:…`.
    pub fn urls(&self) -> String {
        self.servers.iter().map(Nats::url).collect::<Vec<_>>().join(",")
    }
}
