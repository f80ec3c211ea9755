//! Where the graph is and how hard it is written to.

use std::fmt;

/// `--neo4j` and its companions.
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
    /// Password; better given as NEO4J_PASSWORD than on the command line
    #[arg(long = "neo4j-password", env = "NEO4J_PASSWORD", value_name = "PASSWORD", hide_env_values = true)]
    pub password: Option<Password>,
    /// Database, when it is not the user's default
    #[arg(long = "neo4j-database", env = "NEO4J_DATABASE", value_name = "NAME")]
    pub database: Option<String>,
    /// Connections, and accounts written at the same time
    #[arg(long = "neo4j-connections", env = "GROMA_NEO4J_CONNECTIONS", value_name = "N", default_value_t = 4)]
    pub connections: usize,
}

/// What [`crate::GraphStore::connect`] needs.
#[derive(Debug, Clone)]
pub struct GraphConfig {
    /// `bolt://…` or `bolt+s://…`.
    pub uri: String,
    /// User name.
    pub user: String,
    /// Password.
    pub password: Password,
    /// Database; none for the user's default.
    pub database: Option<String>,
    /// Connections in the pool, and lanes that write at once.
    pub connections: usize,
}

/// A configuration value that cannot be used.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ConfigError {
    /// No password was given.
    #[error("no Neo4j password: set NEO4J_PASSWORD")]
    NoPassword,
    /// Not a URI that the driver takes.
    #[error("{0:?} is not a Neo4j URI: it begins with bolt://, bolt+s://, bolt+ssc://, neo4j:// or neo4j+s://")]
    Uri(String),
    /// No connection to write with.
    #[error("--neo4j-connections is 0: at least one is needed")]
    NoConnections,
}

impl Args {
    /// The configuration, or everything that is wrong with it.
    ///
    /// # Errors
    /// Every bad value at once.
    pub fn validate(self) -> Result<GraphConfig, Vec<ConfigError>> {
        const SCHEMES: [&str; 6] = ["bolt://", "bolt+s://", "bolt+ssc://", "neo4j://", "neo4j+s://", "neo4j+ssc://"];
        let mut errors = Vec::new();
        if !SCHEMES.iter().any(|scheme| self.uri.starts_with(scheme)) {
            errors.push(ConfigError::Uri(self.uri.clone()));
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
        let Self { uri, user, database, connections, .. } = self;
        Ok(GraphConfig { uri, user, password, database, connections })
    }
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
