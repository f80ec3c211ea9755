//! A synthetic organization: accounts with regions and listings. The assets are divided evenly.

use anyhow::{Result, ensure};
use events::{
    AssetBatch, AssetEvent, Direction, EdgeFeed, EdgeRow, EdgeTable, Message, NodeFeed, NodeRow, NodeTable, Ownership,
    Property, RecordingHeader, Scope, ScopeFinished, ScopeReport, ScopeStarted, SyncCollected, SyncEvent, SyncId,
    SyncStarted, Value, WorkItem, WorkReport, asset_event::Event, sync_event, value::Kind,
};
use replay::Writer;
use std::{io::Write, ops::Range};

/// Properties per node.
const PROPERTIES: usize = 20;
/// Nodes per batch. Like those of collectors, a batch stays below the server's message limit of 1 MiB.
const BATCH: usize = 500;
const SERVICE: &str = "synthetic";
const ACCOUNT: &str = "SyntheticAccount";

/// Size and state of the organization.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct Organization {
    /// Update tag of the sync
    #[arg(long)]
    tag: i64,
    /// Assets in all accounts
    #[arg(long, default_value_t = 1_000_000)]
    assets: usize,
    /// Accounts
    #[arg(long, default_value_t = 4)]
    accounts: usize,
    /// Regions of an account
    #[arg(long, default_value_t = 2)]
    regions: usize,
    /// Listings of a region
    #[arg(long, default_value_t = 4)]
    listings: usize,
    /// Percentage of assets with a property value that only this sync has
    #[arg(long, default_value_t = 0)]
    changed: usize,
    /// Percentage of assets that no longer exist
    #[arg(long, default_value_t = 0)]
    removed: usize,
}

/// One listing in one region of one account.
#[derive(Clone)]
struct Listing {
    scope: Scope,
    label: String,
    /// Numbers of its assets before any is removed.
    assets: Range<usize>,
}

impl Organization {
    /// Writes a recording of a sync. Batches of all listings alternate, as if collectors ran in parallel.
    pub(crate) fn write<W: Write>(self, output: W) -> Result<()> {
        ensure!(self.accounts > 0 && self.regions > 0 && self.listings > 0, "an organization needs accounts");
        ensure!(self.changed <= 100 && self.removed <= 100, "a percentage is at most 100");
        let header = RecordingHeader { sync: Some(self.sync()), recorded_by: "synthetic".to_owned() };
        let mut writer = Writer::new(output, header)?;
        for account in 0..self.accounts {
            self.write_account(account, &mut writer)?;
        }
        let listings: Vec<_> = (0..self.scopes()).map(|index| self.listing(index)).collect();
        for listing in &listings {
            self.event(&listing.scope, Event::Started(ScopeStarted {}), &mut writer)?;
        }
        let most = listings.iter().map(Listing::batches).max().unwrap_or(0);
        for index in 0..most {
            for listing in listings.iter().filter(|listing| index < listing.batches()) {
                self.event(&listing.scope, Event::Batch(self.batch(listing, index)?), &mut writer)?;
            }
        }
        for listing in &listings {
            self.event(&listing.scope, Event::Finished(self.finished(listing)?), &mut writer)?;
        }
        self.write_progress(&listings, &mut writer)?;
        writer.finish()?.flush()?;
        Ok(())
    }

    fn sync(self) -> SyncId {
        SyncId { id: format!("{:026}", self.tag), update_tag: self.tag }
    }

    fn scopes(self) -> usize {
        self.accounts * self.regions * self.listings
    }

    fn listing(self, index: usize) -> Listing {
        let (place, listing) = (index / self.listings, index % self.listings);
        let (account, region) = (place / self.regions, place % self.regions);
        let scope = Scope {
            account_id: account_id(account),
            region: format!("region-{region}"),
            service: SERVICE.to_owned(),
            listing: format!("ListThings{listing}"),
        };
        let bound = |index: usize| self.assets * index / self.scopes();
        Listing { scope, label: format!("SyntheticThing{listing}"), assets: bound(index)..bound(index + 1) }
    }

    fn exists(self, asset: usize) -> bool {
        asset % 100 >= self.removed
    }

    /// Whether the asset changes: removed assets have the lowest numbers modulo 100, changed ones the highest.
    fn is_changed(self, asset: usize) -> bool {
        asset % 100 >= 100 - self.changed
    }

    fn event<W: Write>(self, scope: &Scope, event: Event, writer: &mut Writer<W>) -> Result<()> {
        let event =
            AssetEvent { sync: Some(self.sync()), scope: Some(scope.clone()), attempt: 1 << 24, event: Some(event) };
        Ok(writer.asset(&event.encode_to_vec())?)
    }

    fn write_account<W: Write>(self, account: usize, writer: &mut Writer<W>) -> Result<()> {
        let scope = account_scope(account);
        let nodes = NodeTable {
            label: ACCOUNT.to_owned(),
            ownership: Ownership::Scope.into(),
            rows: vec![NodeRow { id: account_id(account), values: Vec::new() }],
            ..NodeTable::default()
        };
        let batch = AssetBatch { index: 0, nodes: vec![nodes], edges: Vec::new() };
        let feed = NodeFeed { label: ACCOUNT.to_owned(), listings: vec![format!("{SERVICE}/GetAccount")] };
        let finished = ScopeFinished { batches: 1, assets: 1, nodes: vec![feed], edges: Vec::new() };
        for event in [Event::Started(ScopeStarted {}), Event::Batch(batch), Event::Finished(finished)] {
            self.event(&scope, event, writer)?;
        }
        Ok(())
    }

    fn batch(self, listing: &Listing, index: usize) -> Result<AssetBatch> {
        let from = listing.assets.start + index * BATCH;
        let assets = from..listing.assets.end.min(from + BATCH);
        let existing: Vec<usize> = assets.filter(|asset| self.exists(*asset)).collect();
        let nodes = NodeTable {
            label: listing.label.clone(),
            extra_labels: vec!["Synthetic".to_owned()],
            ownership: Ownership::Scope.into(),
            properties: (0..PROPERTIES).map(property).collect(),
            rows: existing.iter().map(|asset| self.row(*asset)).collect(),
            ..NodeTable::default()
        };
        let edges = vec![self.linked_to(listing, &existing), resource(listing, &existing)];
        Ok(AssetBatch { index: u32::try_from(index)?, nodes: vec![nodes], edges })
    }

    fn row(self, asset: usize) -> NodeRow {
        let version = if self.is_changed(asset) { self.tag } else { 0 };
        let value = |property| format!("value {property} of {asset} in version {version}");
        let values = (0..PROPERTIES).map(|property| Value { kind: Some(Kind::String(value(property))) }).collect();
        NodeRow { id: id(asset), values }
    }

    /// Relationships from every second asset to another one of its listing.
    fn linked_to(self, listing: &Listing, existing: &[usize]) -> EdgeTable {
        let Range { start, .. } = listing.assets;
        let target = |asset: usize| start + (asset - start) / 2;
        let linked = existing.iter().filter(|asset| **asset % 2 == 0 && self.exists(target(**asset)));
        let rows = linked.map(|asset| edge(*asset, id(target(*asset)))).collect();
        edges("LINKED_TO", &listing.label, Direction::Out, &listing.label, rows)
    }

    fn finished(self, listing: &Listing) -> Result<ScopeFinished> {
        let listings = vec![listing.scope.listing_name()];
        let edge_feed = |kind: &str, from: &str| EdgeFeed {
            r#type: kind.to_owned(),
            from_label: from.to_owned(),
            to_label: listing.label.clone(),
            listings: listings.clone(),
        };
        Ok(ScopeFinished {
            batches: u32::try_from(listing.batches())?,
            assets: self.count(listing),
            nodes: vec![NodeFeed { label: listing.label.clone(), listings: listings.clone() }],
            edges: vec![edge_feed("LINKED_TO", &listing.label), edge_feed("RESOURCE", ACCOUNT)],
        })
    }

    fn count(self, listing: &Listing) -> u64 {
        listing.assets.clone().filter(|asset| self.exists(*asset)).count() as u64
    }

    fn write_progress<W: Write>(self, listings: &[Listing], writer: &mut Writer<W>) -> Result<()> {
        let mut send = |event| -> Result<()> {
            let event = SyncEvent { sync: Some(self.sync()), event: Some(event) };
            Ok(writer.sync(&event.encode_to_vec())?)
        };
        let accounts = u32::try_from(self.accounts)?;
        send(sync_event::Event::Started(SyncStarted { accounts, services: vec![SERVICE.to_owned()] }))?;
        for account in 0..self.accounts {
            let scope =
                ScopeReport { scope: Some(account_scope(account)), batches: 1, assets: 1, ..ScopeReport::default() };
            send(sync_event::Event::Reported(self.report(vec![scope])))?;
        }
        for place in listings.chunks(self.listings) {
            let reports = place.iter().map(|listing| -> Result<ScopeReport> {
                Ok(ScopeReport {
                    scope: Some(listing.scope.clone()),
                    batches: u32::try_from(listing.batches())?,
                    assets: self.count(listing),
                    ..ScopeReport::default()
                })
            });
            send(sync_event::Event::Reported(self.report(reports.collect::<Result<_>>()?)))?;
        }
        let scopes = (self.accounts + listings.len()) as u64;
        send(sync_event::Event::Collected(SyncCollected { scopes, whole: true, ..SyncCollected::default() }))
    }

    /// Report of one work item.
    fn report(self, scopes: Vec<ScopeReport>) -> WorkReport {
        let Scope { account_id, region, service, .. } =
            scopes.first().and_then(|report| report.scope.clone()).unwrap_or_default();
        let item = WorkItem { sync: Some(self.sync()), account_id, region, service, ..WorkItem::default() };
        WorkReport { item: Some(item), attempt: 1 << 24, scopes, ..WorkReport::default() }
    }
}

impl Listing {
    fn batches(&self) -> usize {
        self.assets.len().div_ceil(BATCH)
    }
}

fn account_id(account: usize) -> String {
    format!("{:012}", 100_000_000_000 + account)
}

fn account_scope(account: usize) -> Scope {
    Scope {
        account_id: account_id(account),
        region: "global".to_owned(),
        service: SERVICE.to_owned(),
        listing: "GetAccount".to_owned(),
    }
}

fn id(asset: usize) -> String {
    format!("arn:aws:synthetic:eu-west-1:000000000000:thing/{asset:09}")
}

fn property(number: usize) -> Property {
    Property { name: format!("property{number}"), indexed: number == 0 }
}

fn edge(source: usize, target_value: String) -> EdgeRow {
    EdgeRow { source_id: id(source), target_value, values: Vec::new() }
}

/// Relationships from the account to every asset, as in AWS.
fn resource(listing: &Listing, existing: &[usize]) -> EdgeTable {
    let rows = existing.iter().map(|asset| edge(*asset, listing.scope.account_id.clone())).collect();
    edges("RESOURCE", &listing.label, Direction::In, ACCOUNT, rows)
}

fn edges(kind: &str, source: &str, direction: Direction, target: &str, rows: Vec<EdgeRow>) -> EdgeTable {
    EdgeTable {
        r#type: kind.to_owned(),
        source_label: source.to_owned(),
        direction: direction.into(),
        target_label: target.to_owned(),
        target_key: "id".to_owned(),
        properties: Vec::new(),
        rows,
    }
}
