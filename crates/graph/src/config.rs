//! Address, credentials and connections of the graph database.

use std::{
    fmt,
    path::{Path, PathBuf},
};

/// `--neo4j` and related flags.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Neo4j")]
#[group(skip)]
pub struct Args {
    /// Bolt URI: bolt://host:7687, bolt+s:// with TLS, neo4j:// is read as bolt://
    #[arg(long = "neo4j", env = "NEO4J_URI", value_name = "URI", default_value = "bolt://127.0.0.1:7687")]
    pub uri: String,
    /// User
    #[arg(long = "neo4j-user", env = "NEO4J_USER", value_name = "USER", default_value = "neo4j")]
    pub user: String,
    /// Password; prefer NEO4J_PASSWORD to the command line
    #[arg(long = "neo4j-password", env = "NEO4J_PASSWORD", value_name = "PASSWORD", hide_env_values = true)]
    pub password: Option<Password>,
    /// Database, if it is not the user's default
    #[arg(long = "neo4j-database", env = "NEO4J_DATABASE", value_name = "NAME")]
    pub database: Option<String>,
    /// PEM file of the authority that signed the server's certificate, if the system does not know it; with bolt+s://
    #[arg(long = "neo4j-ca", env = "NEO4J_CA", value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
    /// Connections, and accounts written at the same time
    #[arg(long = "neo4j-connections", env = "GROMA_NEO4J_CONNECTIONS", value_name = "N", default_value_t = 2)]
    pub connections: usize,
}

/// Configuration of [`crate::GraphStore::connect`].
#[derive(Debug, Clone)]
pub struct GraphConfig {
    /// `bolt://…` or `bolt+s://…`.
    pub uri: String,
    /// User name.
    pub user: String,
    /// Password.
    pub password: Password,
    /// Database. `None`: the user's default.
    pub database: Option<String>,
    /// PEM file of the authority that signed the server's certificate. `None`: the system's authorities.
    pub ca_file: Option<PathBuf>,
    /// Number of concurrent writers. The pool has a few more connections.
    pub connections: usize,
}

impl GraphConfig {
    /// One connection to the user's default database, trusting the system's authorities.
    pub fn new(uri: impl Into<String>, user: impl Into<String>, password: impl Into<Password>) -> Self {
        let (uri, user, password) = (uri.into(), user.into(), password.into());
        Self { uri, user, password, database: None, ca_file: None, connections: 1 }
    }
}

/// An invalid configuration value.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ConfigError {
    /// No password was given.
    #[error("no Neo4j password: set NEO4J_PASSWORD")]
    NoPassword,
    /// Not a URI that the driver accepts.
    #[error("{0:?} is not a Neo4j URI: it begins with bolt://, bolt+s://, bolt+ssc://, neo4j:// or neo4j+s://")]
    Uri(String),
    /// The driver would treat it as a file without certificates.
    #[error("--neo4j-ca: {0} contains no readable PEM certificate")]
    Authority(String),
    /// The scheme uses no certificate, or does not check it.
    #[error("--neo4j-ca has no meaning with {0}: it is for bolt+s:// and neo4j+s://")]
    AuthorityUnused(String),
    /// No connection is left for writes.
    #[error("--neo4j-connections is 0: at least one is needed")]
    NoConnections,
}

impl Args {
    /// Checks the values.
    ///
    /// # Errors
    /// All invalid values.
    pub fn validate(self) -> Result<GraphConfig, Vec<ConfigError>> {
        const SCHEMES: [&str; 6] = ["bolt://", "bolt+s://", "bolt+ssc://", "neo4j://", "neo4j+s://", "neo4j+ssc://"];
        let mut errors = Vec::new();
        if !SCHEMES.iter().any(|scheme| self.uri.starts_with(scheme)) {
            errors.push(ConfigError::Uri(self.uri.clone()));
        }
        if let Some(file) = &self.ca_file {
            errors.extend(authority(file, &self.uri));
        }
        if self.connections == 0 {
            errors.push(ConfigError::NoConnections);
        }
        let password = self.password.unwrap_or_else(|| {
            errors.push(ConfigError::NoPassword);
            Password::default()
        });
        if !errors.is_empty() {
            return Err(errors);
        }
        let Self { uri, user, database, ca_file, connections, .. } = self;
        Ok(GraphConfig { uri, user, password, database, ca_file, connections })
    }
}

fn authority(file: &Path, uri: &str) -> Option<ConfigError> {
    if !["bolt+s://", "neo4j+s://"].iter().any(|scheme| uri.starts_with(scheme)) {
        return Some(ConfigError::AuthorityUnused(uri.split("://").next().unwrap_or_default().to_owned()));
    }
    let text = files::read_text(file, files::SMALL).unwrap_or_default();
    (!text.contains("-----BEGIN CERTIFICATE-----")).then(|| ConfigError::Authority(file.display().to_string()))
}

/// Text that does not print.
#[derive(Clone, Default)]
pub struct Password(String);

impl Password {
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Password {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl From<String> for Password {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}
