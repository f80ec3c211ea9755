//! AWS's configuration (environment variables and both files, as last read) and the clients that follow it.

use crate::{
    clients::Clients,
    environment::Environment,
    plan::Planner,
    profiles::{Profiles, ProfilesError},
    settings::{SettingError, Settings},
};
use aws_client::Authorities;
use parking_lot::RwLock;
use std::sync::Arc;

/// AWS's configuration, with the clients of all requests.
pub struct Setup {
    env: Environment,
    profiles: RwLock<Arc<Profiles>>,
    clients: Clients,
}

impl Setup {
    /// Starts without connections.
    pub fn new(env: Environment, profiles: Profiles) -> Self {
        Self { env, profiles: RwLock::new(Arc::new(profiles)), clients: Clients::default() }
    }

    /// The environment variables.
    pub fn environment(&self) -> &Environment {
        &self.env
    }

    /// Both AWS files, as last read.
    pub fn profiles(&self) -> Arc<Profiles> {
        self.profiles.read().clone()
    }

    /// Clients of STS and Organizations.
    pub fn clients(&self) -> &Clients {
        &self.clients
    }

    /// Checks that explicitly named AWS files exist and are readable by this user.
    ///
    /// # Errors
    /// Returns a [`ProfilesError`] if one is missing or not readable.
    pub fn all_files_there(&self) -> Result<(), ProfilesError> {
        self.profiles.read().all_there()
    }

    /// Reads both files again, because keys may have been rotated and profiles added.
    ///
    /// # Errors
    /// Fails if a file can no longer be read. The previous content then stays.
    pub fn reload(&self) -> Result<(), ProfilesError> {
        let fresh = Profiles::load(&self.env)?;
        fresh.still_open(&self.profiles())?;
        *self.profiles.write() = Arc::new(fresh);
        Ok(())
    }

    /// Calls `with` with a planner for the current configuration.
    pub fn plan<T>(&self, with: impl FnOnce(Planner<'_>) -> T) -> T {
        with(Planner::new(&self.env, &self.profiles()))
    }

    /// Certificate authorities that clients of a profile trust.
    ///
    /// # Errors
    /// Fails if the bundle cannot be used.
    pub fn authorities(&self, profile: Option<&str>) -> Result<Authorities, SettingError> {
        Settings::new(&self.env, &self.profiles(), profile).authorities()
    }

    /// Region in which a profile's clients can reach every account of a partition.
    pub fn home_region(&self, profile: Option<&str>, partition: &str) -> String {
        Settings::new(&self.env, &self.profiles(), profile).home_region(partition).to_owned()
    }
}
