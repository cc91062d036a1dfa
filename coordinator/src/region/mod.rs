//! The running region: who is connected, which tables are open, what is
//! published. It implements the doors of `koonti-proto` in domain types.
//!
//! The coordinator combines and publishes what nodes release. It holds no key
//! that could sign a roster, a request or a release, and never sees a value
//! from before a node's gate.

mod answer;
mod ask;
mod doors;
mod enrol;
mod evidence;
mod fetch;
mod renew;
mod rounds;
mod seen;

use crate::clock;
use crate::config::Config;
use crate::error::Error;
use crate::fold::{Standing, Table as Held};
use crate::keys::Keys;
use crate::mirror::Mirrors;
use crate::orders;
use crate::store::Store;
use evidence::Shown;
use koonti_disclosure::names::hex;
use koonti_disclosure::roster::{Roster, SignedRoster};
use koonti_disclosure::{Digest, Name, Progress};
use koonti_evidence::entry::coordinator::Entry;
use koonti_proto::Failure;
use koonti_proto::edge::pki::Authority;
use koonti_proto::wire::{NodeState, Quote, Table, TableState, ToNode};
use rounds::Running;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tokio::sync::{broadcast, mpsc, watch};

/// The region.
pub struct Region {
    config: Config,
    keys: Keys,
    authority: Authority,
    inner: Mutex<Inner>,
    moved: broadcast::Sender<Digest>,
    /// Told when somebody may no longer do what they could.
    changed: watch::Sender<()>,
}

struct Inner {
    store: Store,
    roster: Option<SignedRoster>,
    connected: HashMap<Name, Connection>,
    last_seen: HashMap<Name, (u64, String)>,
    quotes: HashMap<Digest, Vec<mpsc::UnboundedSender<Quote>>>,
    connections: u64,
    /// Regional rounds that run, or whose erasures are collected.
    rounds: BTreeMap<Digest, Running>,
    /// Copies of the nodes' logs.
    mirrors: Mirrors,
    shown: Option<Shown>,
}

struct Connection {
    number: u64,
    to_node: mpsc::UnboundedSender<ToNode>,
    /// The size of the coordinator's log that the node has cosigned last.
    witnessed: u64,
    /// When it was shown the log, until it has cosigned it.
    shown_at: Option<Instant>,
}

impl Region {
    /// Opens the region's store.
    ///
    /// # Errors
    /// When another process has it, or a file is missing or wrong.
    pub fn open(config: Config, authority: Authority) -> Result<Self, Error> {
        let keys = Keys::load(&config)?;
        let store = Store::open(&config, &keys)?;
        let roster = installed_roster(&config)?;
        let mirrors = Mirrors::open(&config.state)?;
        let mut inner = Inner {
            mirrors,
            shown: None,
            store,
            roster,
            connected: HashMap::new(),
            last_seen: HashMap::new(),
            quotes: HashMap::new(),
            connections: 0,
            rounds: BTreeMap::new(),
        };
        inner.log_roster()?;
        orders::work_off(&config, &authority, &mut inner.store)?;
        inner.resume_rounds()?;
        let (moved, changed) = (broadcast::channel(1024).0, watch::channel(()).0);
        Ok(Self { config, keys, authority, inner: Mutex::new(inner), moved, changed })
    }

    /// Closes tables whose deadline has passed, takes in a newly installed roster, and does
    /// what the operator has ordered. Called several times a second.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn tend(&self) -> Result<(), Error> {
        let mut inner = self.inner();
        if orders::work_off(&self.config, &self.authority, &mut inner.store)? {
            self.changed.send_replace(());
        }
        let now = clock::now();
        let regional = |t: &Held| t.state == TableState::Open && t.is_regional();
        let regional: Vec<Digest> =
            inner.store.fold.tables.iter().filter(|(_, t)| regional(t)).map(|(id, _)| *id).collect();
        for id in regional {
            if inner.tend_regional(id)? {
                self.tell(id);
            }
        }
        let due = |t: &Held| t.state == TableState::Open && !t.is_regional() && (t.complete() || t.deadline < now);
        let due: Vec<Digest> = inner.store.fold.tables.iter().filter(|(_, t)| due(t)).map(|(id, _)| *id).collect();
        for id in due {
            inner.close(id)?;
            self.tell(id);
        }
        let held = inner.roster.as_ref().map_or(0, |r| r.roster().epoch());
        if let Some(new) = installed_roster(&self.config)?.filter(|new| new.roster().epoch() > held) {
            tracing::info!(epoch = new.roster().epoch(), "a new roster is in force");
            for connection in inner.connected.values() {
                drop(connection.to_node.send(ToNode::Roster(new.bytes())));
            }
            inner.roster = Some(new);
            inner.log_roster()?;
            self.changed.send_replace(());
        }
        drop(inner);
        self.show_log()
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        // Every change is one journal entry followed by an infallible note.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes the watchers of a table; there may be none.
    fn tell(&self, id: Digest) {
        drop(self.moved.send(id));
    }
}

impl Inner {
    /// Logs the roster in force, once.
    fn log_roster(&mut self) -> Result<(), Error> {
        let Some(signed) = self.roster.as_ref().filter(|r| r.roster().epoch() > self.store.fold.epoch) else {
            return Ok(());
        };
        let (roster, signature) = (signed.roster(), hex(signed.signature()));
        let sha256 = self.store.put_blob(roster.bytes())?;
        let entry = Entry::Roster { epoch: roster.epoch(), roster: sha256, signature, time: clock::now() };
        self.store.append(entry)
    }

    fn roster(&self) -> Result<&Roster, Failure> {
        let none = || Failure::NotFound("no roster is in force yet: governance has to sign one".to_owned());
        self.roster.as_ref().map(SignedRoster::roster).ok_or_else(none)
    }

    fn send(&self, node: &Name, item: ToNode) {
        // A node that is away gets its offers when it attends again.
        if let Some(connection) = self.connected.get(node) {
            drop(connection.to_node.send(item));
        }
    }

    fn view(&self, id: Digest) -> Result<Table, Failure> {
        self.look(id, true)
    }

    fn look(&self, id: Digest, with_figures: bool) -> Result<Table, Failure> {
        let absent = || Failure::NotFound("there is no such table".to_owned());
        let table = self.store.fold.tables.get(&id).ok_or_else(absent)?;
        let published = match table.published {
            Some(_) if with_figures => {
                self.store.table(id).map_err(internal)?.ok_or_else(|| internal("a published table is not indexed"))?
            }
            _ => Vec::new(),
        };
        let nodes = table.nodes.iter().map(|(node, standing)| {
            let (progress, refusal) = match standing {
                Standing::Open(progress) => (*progress, None),
                Standing::Ready(_) => (self.progress(table, node), None),
                Standing::Released(_) | Standing::Counted => (Progress::Released, None),
                Standing::Refused(reason) => (Progress::Refused, Some(*reason)),
            };
            NodeState { node: node.clone(), progress, refusal }
        });
        Ok(Table {
            request: table.request.request().clone(),
            requester: table.requester.clone(),
            state: table.state,
            created: table.created,
            deadline: table.deadline,
            nodes: nodes.collect(),
            published,
        })
    }
}

fn installed_roster(config: &Config) -> Result<Option<SignedRoster>, Error> {
    let path = config.roster();
    match std::fs::read(&path) {
        Ok(bytes) => SignedRoster::parse(&bytes, config.governance).map(Some).map_err(|e| Error::unusable(&path, e)),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(Error::file(&path, &e)),
    }
}

pub(crate) fn internal(error: impl std::fmt::Display) -> Failure {
    tracing::error!(%error, "failed");
    Failure::Internal("the coordinator could not do it: see its log".to_owned())
}
