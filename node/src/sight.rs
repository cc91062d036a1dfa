//! What others see of a running node on loopback: metrics and health.
//!
//! Every value is a function of questions, rules, ledger and connection, and of nothing
//! else; the books are shown as they were when the worker last stood between two
//! questions, that is not before the tick of the last answer: when an entry came would
//! tell how long a count took. There is no memory, disk or processor time here, for
//! those follow the register's size, and no requester, table or figure.

use crate::clock;
use crate::deposit::Deposits;
use crate::desk::Desk;
use crate::fold::{Fold, Known, Standing};
use koonti_disclosure::{Name, Period};
use koonti_proto::edge::pki;
use koonti_watch::{Kind, Page, Reason, Watched};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What can be seen of a node.
pub(crate) struct Sight {
    desk: Arc<Desk>,
    deposits: Arc<Deposits>,
    started: u64,
    connected: AtomicBool,
    connections: AtomicU64,
    books: Mutex<Books>,
}

/// The books as they may be shown.
#[derive(Default)]
struct Books {
    entries: u64,
    bytes: u64,
    seeds: u64,
    questions: BTreeMap<&'static str, u64>,
    /// Percent of each open quarter's allowance.
    left: Vec<(Name, Period, u64)>,
    epoch: u64,
    roster_waits: bool,
    approved: bool,
}

/// Connected, until it is dropped.
pub(crate) struct Connected<'a>(&'a AtomicBool);

impl Drop for Connected<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

impl Sight {
    pub(crate) fn new(desk: Arc<Desk>, deposits: Arc<Deposits>) -> Self {
        let (connected, connections) = (AtomicBool::new(false), AtomicU64::new(0));
        let sight = Self { desk, deposits, started: clock::now(), connected, connections, books: Mutex::default() };
        sight.look();
        sight
    }

    /// The connection to the coordinator stands.
    pub(crate) fn connected(&self) -> Connected<'_> {
        self.connections.fetch_add(1, Ordering::Relaxed);
        self.connected.store(true, Ordering::Release);
        Connected(&self.connected)
    }

    /// From now on the books are shown as they are. Called where all entries may be.
    pub(crate) fn look(&self) {
        let config = self.desk.config();
        if config.metrics.is_none() {
            return;
        }
        let books = self.desk.store().books();
        let mut shown = Books {
            entries: books.tree().len(),
            bytes: std::fs::metadata(config.journal()).map_or(0, |file| file.len()),
            seeds: books.fold.unused_seeds(u64::MAX).count() as u64,
            questions: ["waiting", "expired", "approved", "refused", "paid", "released", "aborted"]
                .map(|s| (s, 0))
                .into(),
            left: self.left(&books.fold),
            epoch: books.fold.roster.map_or(0, |(epoch, _)| epoch),
            roster_waits: config.pending_roster().exists(),
            approved: books.fold.policy == Some(self.desk.policy().hash()),
        };
        for known in books.fold.questions.values() {
            *shown.questions.entry(state(known)).or_default() += 1;
        }
        drop(books);
        *self.books() = shown;
    }

    fn left(&self, fold: &Fold) -> Vec<(Name, Period, u64)> {
        let (mapping, cap) = (self.desk.mapping(), self.desk.policy().allowance().nano_rho_per_period);
        let held = fold.holdings(&mapping.register, &mapping.source).into_keys();
        let open = held.filter(|period| !fold.is_closed(&mapping.source, *period));
        let percent = |period| {
            let left = fold.ledger.spent(&mapping.source, period).left_nano_rho(cap);
            u64::try_from(u128::from(left) * 100 / u128::from(cap.max(1))).unwrap_or(0)
        };
        open.map(|period| (mapping.source.clone(), period, percent(period))).collect()
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        // Books are replaced whole.
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn state(known: &Known) -> &'static str {
    match known.standing {
        Standing::Waiting if known.in_time() => "waiting",
        Standing::Waiting => "expired",
        Standing::Approved(_) => "approved",
        Standing::Refused(_) => "refused",
        Standing::Debited => "paid",
        Standing::Released => "released",
        Standing::Aborted => "aborted",
    }
}

impl Watched for Sight {
    fn metrics(&self) -> Page {
        let mut page = Page::of("koonti-node", env!("CARGO_PKG_VERSION"), self.started);
        let mut gauge = |name, help, value| page.one(name, Kind::Gauge, help, value);
        let connected = self.connected.load(Ordering::Acquire);
        gauge("koonti_node_connected", "1 while the coordinator is connected.", connected.into());
        let confirmed = self.deposits.confirmed();
        gauge("koonti_node_log_confirmed", "1 once the coordinator has confirmed this log.", confirmed.into());
        let behind = self.deposits.behind();
        gauge("koonti_node_log_entries_not_cosigned", "Entries that the coordinator has not cosigned.", behind);
        let certificate = std::fs::read_to_string(self.desk.config().keys.join("tls.crt")).ok();
        let ends = certificate.as_deref().and_then(pki::ends).unwrap_or(0);
        gauge("koonti_node_certificate_end_seconds", "When this node's certificate ends, Unix seconds.", ends);
        let books = self.books();
        gauge("koonti_node_log_entries", "Entries of this node's log.", books.entries);
        gauge("koonti_node_log_bytes", "Bytes of its journal.", books.bytes);
        gauge("koonti_node_seeds_left", "Seeds for noise that are fixed in the log and unused.", books.seeds);
        gauge("koonti_node_roster_epoch", "Number of the roster in force; 0 without one.", books.epoch);
        gauge("koonti_node_roster_waits", "1 while a newer roster waits for approval.", books.roster_waits.into());
        gauge("koonti_node_rules_approved", "1 if two persons approved the rules it runs with.", books.approved.into());
        let connections = self.connections.load(Ordering::Relaxed);
        page.one("koonti_node_connections_total", Kind::Counter, "Connections made since the start.", connections);
        let questions = books.questions.iter().map(|(state, number)| ([("state", (*state).to_owned())], *number));
        page.all("koonti_node_questions", Kind::Gauge, "Questions by where they stand.", questions);
        let left = books.left.iter().map(|(source, period, percent)| {
            ([("source", source.to_string()), ("period", period.to_string())], *percent)
        });
        let help = "Allowance left of each open quarter, percent, rounded down.";
        page.all("koonti_node_allowance_left_percent", Kind::Gauge, help, left);
        page
    }

    fn not_ready(&self) -> Vec<Reason> {
        let books = self.books();
        let all = [
            (self.connected.load(Ordering::Acquire), Reason::NotConnected),
            (self.deposits.confirmed(), Reason::LogNotConfirmed),
            (books.epoch > 0, Reason::NoRoster),
            (books.approved, Reason::RulesNotApproved),
        ];
        all.into_iter().filter(|(met, _)| !met).map(|(_, reason)| reason).collect()
    }
}
