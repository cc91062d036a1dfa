//! What others see of a running coordinator on loopback: metrics and health.
//!
//! It holds no client record, so that memory and disk may be shown; but no figure, no
//! question and no requester either. Labels are states and reasons from closed lists.

use crate::clock;
use crate::config::Config;
use crate::region::Region;
use koonti_proto::edge::pki;
use koonti_watch::{Kind, Page, Reason, Watched, machine};
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

/// What can be seen of a coordinator.
pub(crate) struct Sight {
    started: u64,
    state: PathBuf,
    certificates: [PathBuf; 2],
    region: OnceLock<Arc<Region>>,
}

/// What can be seen of an open region: numbers only.
pub(crate) struct Seen {
    pub(crate) nodes: [(&'static str, u64); 3],
    pub(crate) tables: [(&'static str, u64); 3],
    pub(crate) rounds: [(&'static str, u64); 2],
    pub(crate) entries: u64,
    pub(crate) bytes: u64,
    pub(crate) epoch: u64,
    pub(crate) copies: u64,
    pub(crate) copied: u64,
    pub(crate) forks: u64,
}

impl Sight {
    pub(crate) fn new(config: &Config) -> Self {
        let certificates = ["server.crt", "ca.crt"].map(|name| config.key(name));
        Self { started: clock::now(), state: config.state.clone(), certificates, region: OnceLock::new() }
    }

    /// The region is open.
    pub(crate) fn opened(&self, region: Arc<Region>) {
        // There is one region in a process.
        let _ = self.region.set(region);
    }
}

impl Watched for Sight {
    fn metrics(&self) -> Page {
        let mut page = Page::of("koonti-coordinator", env!("CARGO_PKG_VERSION"), self.started);
        let ends = |path: &PathBuf| pki::ends(&std::fs::read_to_string(path).ok()?);
        let [server, authority] = self.certificates.each_ref().map(|path| ends(path).unwrap_or(0));
        let ends = [("server", server), ("authority", authority)].map(|(of, end)| ([("of", of.to_owned())], end));
        let help = "When the certificate ends, Unix seconds.";
        page.all("koonti_coordinator_certificate_end_seconds", Kind::Gauge, help, ends);
        let refusals = koonti_proto::refusals().into_iter().map(|(reason, n)| ([("reason", reason.to_owned())], n));
        let help = "Calls that were answered with a reason why not.";
        page.all("koonti_coordinator_refusals_total", Kind::Counter, help, refusals);
        let mut gauge = |name, help, value: Option<u64>| {
            if let Some(value) = value {
                page.one(name, Kind::Gauge, help, value);
            }
        };
        gauge("koonti_coordinator_resident_bytes", "Memory in use.", machine::resident_bytes());
        gauge("koonti_coordinator_open_files", "Open files and connections.", machine::open_files());
        gauge("koonti_coordinator_disk_free_bytes", "Room beside the state.", machine::free_bytes(&self.state));
        let Some(seen) = self.region.get().map(|region| region.seen()) else { return page };
        gauge("koonti_coordinator_log_entries", "Entries of the coordinator's log.", Some(seen.entries));
        gauge("koonti_coordinator_log_bytes", "Bytes of its journal.", Some(seen.bytes));
        gauge("koonti_coordinator_roster_epoch", "Number of the roster; 0 without one.", Some(seen.epoch));
        gauge("koonti_coordinator_copies", "Nodes whose log is copied here.", Some(seen.copies));
        gauge("koonti_coordinator_copied_entries", "Entries of those copies.", Some(seen.copied));
        gauge("koonti_coordinator_forks", "Proofs of two logs under one name.", Some(seen.forks));
        let by_state = |(state, number): (&str, u64)| ([("state", state.to_owned())], number);
        page.all("koonti_coordinator_nodes", Kind::Gauge, "Nodes.", seen.nodes.map(by_state));
        page.all("koonti_coordinator_tables", Kind::Gauge, "Tables by state.", seen.tables.map(by_state));
        page.all("koonti_coordinator_rounds", Kind::Gauge, "Regional rounds of all time.", seen.rounds.map(by_state));
        page
    }

    fn not_ready(&self) -> Vec<Reason> {
        if self.region.get().is_some() { Vec::new() } else { vec![Reason::Starting] }
    }
}
