//! State shared by a collector's work items, and the session of one.

use crate::{Endpoints, Options, Place, Service, client, evidence::Evidence};
use aws_client::{HttpClients, Proxy};
use bus::Bus;
use credentials::{LeaseRequester, LeasedCredentials};
use events::{ClientSettings, Failure, SyncId};
use std::sync::Arc;
use throttle::Limiters;

/// State shared by all work items of a collector.
pub(crate) struct Worker<C: 'static> {
    pub(crate) service: &'static Service<C>,
    pub(crate) bus: Bus,
    pub(crate) options: Options,
    leases: LeaseRequester,
    http: HttpClients,
    limiters: Limiters,
    evidence: Evidence,
}

impl<C> Worker<C> {
    pub(crate) fn new(service: &'static Service<C>, bus: Bus, options: Options) -> Self {
        let (leases, http) = (LeaseRequester::new(bus.clone()), HttpClients::new(Proxy::OfEnvironment));
        let limiters = Limiters::new(service.name, service.quotas, options.quota_percent);
        let evidence = Evidence::new(options.silence);
        Self { service, bus, options, leases, http, limiters, evidence }
    }
}

/// A work item, with the state that its listings need.
pub(crate) struct Task<'a> {
    pub(crate) sync: &'a SyncId,
    pub(crate) place: &'a Place,
    pub(crate) attempt: u32,
}

/// Leases a session and creates the SDK client of the item.
pub(crate) async fn connect<C>(worker: &Worker<C>, task: &Task<'_>) -> Result<C, Failure> {
    Ok(Leased::acquire(worker, task).await?.client(worker, task.place))
}

/// Session of an account, with the settings of its clients.
pub(crate) struct Leased {
    session: LeasedCredentials,
    settings: ClientSettings,
    endpoints: Arc<Endpoints>,
}

impl Leased {
    /// Leases a session of the item's account.
    pub(crate) async fn acquire<C>(worker: &Worker<C>, task: &Task<'_>) -> Result<Self, Failure> {
        let Worker { service, leases, .. } = worker;
        let (sync, account) = (&task.sync.id, &task.place.account_id);
        let actions = service.actions();
        let lease = LeasedCredentials::acquire(leases.clone(), sync, account, service.name, &actions);
        let (session, settings) = lease.await.map_err(|error| error.failure())?;
        Ok(Self { session, settings, endpoints: worker.evidence.of(sync) })
    }

    /// Creates the SDK client for a place of the account.
    pub(crate) fn client<C>(&self, worker: &Worker<C>, place: &Place) -> C {
        let Worker { service, options, http, limiters, .. } = worker;
        let limiter = limiters.of(&place.account_id, &place.region);
        let (http, endpoints) = (http.of(&self.settings.authorities), self.endpoints.clone());
        let connection =
            client::connection(http, limiter, endpoints, self.session.clone(), &self.settings, options, place);
        (service.connect)(&connection)
    }
}
