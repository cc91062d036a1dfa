//! The running region: who is connected, which tables are open, what is
//! published. It implements the doors of `koonti-proto` in domain types.
//!
//! The coordinator combines and publishes what nodes release. It holds no key
//! that could sign a roster, a request or a release, and never sees a value
//! from before a node's gate.

use crate::clock;
use crate::config::Config;
use crate::entry::{Asked as AskedEntry, Enrolled, Entry, MemberKind};
use crate::error::Error;
use crate::expect;
use crate::fold::{Standing, Table as Held};
use crate::invitation::{Invitation, random};
use crate::store::Store;
use koonti_disclosure::combine::{self, Missing};
use koonti_disclosure::identity::{Intent, SignedRelease, SignedRequest};
use koonti_disclosure::release::Received as ReceivedRelease;
use koonti_disclosure::roster::{Role as RosterRole, Roster, SignedRoster};
use koonti_disclosure::{Codebook, Digest, Name, Progress, Refusal, canonical};
use koonti_proto::access::{Caller, Registry, Role};
use koonti_proto::edge::pki::{Authority, Kind, SpiffeId};
use koonti_proto::wire::{Ask, Asked, Hello, NodeState, NodeStatus, Offer, Quote, Received, Table, TableState, ToNode};
use koonti_proto::{EnrolAsk, EnrolmentRooms, Failure, Items, Rooms};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{broadcast, mpsc};
use tokio_stream::StreamExt;
use tokio_stream::wrappers::{BroadcastStream, UnboundedReceiverStream};

/// How long nodes may take to quote.
const QUOTE_TIMEOUT: Duration = Duration::from_secs(5);
/// Shortest and longest time that a requester may give the nodes, seconds.
const TIMEOUTS_S: std::ops::RangeInclusive<u64> = 1..=30 * 86_400;
/// Life of a member's certificate, days.
const CERTIFICATE_DAYS: u32 = 30;

/// The region.
pub struct Region {
    config: Config,
    authority: Authority,
    inner: Mutex<Inner>,
    moved: broadcast::Sender<Digest>,
}

struct Inner {
    store: Store,
    roster: Option<SignedRoster>,
    connected: HashMap<Name, Connection>,
    last_seen: HashMap<Name, (u64, String)>,
    quotes: HashMap<Digest, Vec<mpsc::UnboundedSender<Quote>>>,
    connections: u64,
}

struct Connection {
    number: u64,
    to_node: mpsc::UnboundedSender<ToNode>,
}

impl Region {
    /// Opens the region's store.
    ///
    /// # Errors
    /// When another process has it, or a file is missing or wrong.
    pub fn open(config: Config, authority: Authority) -> Result<Self, Error> {
        let store = Store::open(&config)?;
        let roster = installed_roster(&config)?;
        let inner = Inner {
            store,
            roster,
            connected: HashMap::new(),
            last_seen: HashMap::new(),
            quotes: HashMap::new(),
            connections: 0,
        };
        Ok(Self { config, authority, inner: Mutex::new(inner), moved: broadcast::channel(1024).0 })
    }

    /// Closes tables whose deadline has passed and takes in a newly installed
    /// roster. Called several times a second.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn tend(&self) -> Result<(), Error> {
        let now = clock::now();
        let mut inner = self.inner();
        let due = |t: &Held| t.state == TableState::Open && (t.complete() || t.deadline < now);
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
        }
        Ok(())
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        // Every change is one journal entry followed by an infallible note.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes the watchers of a table; there may be none.
    fn tell(&self, id: Digest) {
        drop(self.moved.send(id));
    }

    async fn quote(&self, request: &SignedRequest) -> Result<Asked, Failure> {
        let id = request.request().id();
        let (quoting, mut quotes) = mpsc::unbounded_channel();
        let offer = Offer {
            request: request.clone(),
            round: random().map_err(internal)?,
            nonce: random().map_err(internal)?,
            quote_only: true,
            deadline: clock::now() + QUOTE_TIMEOUT.as_secs(),
        };
        let (mut waiting, roster) = {
            let mut inner = self.inner();
            let roster = inner.roster()?.clone();
            let nodes = serving(&roster, request);
            inner.quotes.entry(id).or_default().push(quoting);
            for node in &nodes {
                inner.send(node, ToNode::Offer(Box::new(offer.clone())));
            }
            (nodes, roster)
        };
        let mut received: Vec<Quote> = Vec::new();
        let all = async {
            while !waiting.is_empty() {
                let Some(quote) = quotes.recv().await else { break };
                if let Some(at) = waiting.iter().position(|n| *n == quote.node) {
                    waiting.remove(at);
                    received.push(quote);
                }
            }
        };
        // Running out of time leaves the slow ones in `waiting`: that is the answer.
        let _ = tokio::time::timeout(QUOTE_TIMEOUT, all).await;
        drop(quotes);
        // Also those of calls that their callers have left.
        self.inner().quotes.retain(|_, senders| {
            senders.retain(|sender| !sender.is_closed());
            !senders.is_empty()
        });
        received.sort_by(|a, b| a.node.cmp(&b.node));
        let expected_withheld_percent = expect::withheld_percent(request.request(), &roster, &received);
        Ok(Asked::Quote { quotes: received, unreachable: waiting, expected_withheld_percent })
    }

    fn ask(&self, ask: &Ask) -> Result<(Table, bool), Failure> {
        let id = ask.request.request().id();
        let now = clock::now();
        let deadline = now + ask.timeout_s.clamp(*TIMEOUTS_S.start(), *TIMEOUTS_S.end());
        let value = serde_json::from_slice(&ask.request.bytes()).expect("canonical bytes are JSON");
        let mut inner = self.inner();
        let nodes = serving(inner.roster()?, &ask.request);
        let known = inner.store.fold.tables.get(&id);
        let again: Vec<Name> = match known.map(|t| (t.state, &t.nodes)) {
            None => {
                if nodes.is_empty() {
                    return Err(Failure::Refused(Refusal::AreaNotServed));
                }
                let round = random().map_err(internal)?;
                let nonce = random().map_err(internal)?;
                let asked = AskedEntry { deadline, nodes: nodes.clone(), nonce, request: value, round, time: now };
                inner.store.append(Entry::Asked(Box::new(asked))).map_err(internal)?;
                inner.offer(id, &nodes);
                return Ok((inner.view(id)?, false));
            }
            Some((TableState::Open, _)) => return Ok((inner.view(id)?, true)),
            Some((TableState::Published, _)) if !ask.retry_missing => return Ok((inner.view(id)?, true)),
            // Only nodes that were asked before, and have not released.
            Some((TableState::Published, known)) => {
                nodes.into_iter().filter(|n| matches!(known.get(n), Some(Standing::Refused(_)))).collect()
            }
            Some((TableState::Refused, _)) => nodes,
        };
        if !again.is_empty() {
            let entry = Entry::Reopened { deadline, id, nodes: again.clone(), request: value, time: now };
            inner.store.append(entry).map_err(internal)?;
            inner.offer(id, &again);
        }
        Ok((inner.view(id)?, true))
    }

    fn take(&self, node: &Name, id: Digest, answer: Received) -> Result<(), Failure> {
        let time = clock::now();
        let mut inner = self.inner();
        if let Received::Quote(mut quote) = answer {
            quote.node = node.clone();
            for sender in inner.quotes.get(&id).into_iter().flatten() {
                drop(sender.send(quote.clone()));
            }
            return Ok(());
        }
        let unknown = || Failure::NotFound("this node was not asked this question".to_owned());
        let table = inner.store.fold.tables.get(&id).ok_or_else(unknown)?;
        let standing = *table.nodes.get(node).ok_or_else(unknown)?;
        let open = table.state == TableState::Open;
        match (answer, standing) {
            (Received::Progress(progress), Standing::Open(_)) if open => {
                if let Some(standing) = inner.store.fold.tables.get_mut(&id).and_then(|t| t.nodes.get_mut(node)) {
                    *standing = Standing::Open(progress);
                }
            }
            (Received::Refusal(reason), Standing::Open(_)) if open => {
                inner.store.append(Entry::Refused { id, node: node.clone(), reason, time }).map_err(internal)?;
            }
            (Received::Release(bytes, signature), standing) => {
                let roster = inner.roster()?;
                let key = roster.node(node).ok_or_else(unknown)?.identity;
                let signed = SignedRelease::verify(bytes, signature, key);
                let signed =
                    signed.map_err(|_| Failure::Invalid("the release is not signed by this node".to_owned()))?;
                let release = ReceivedRelease::parse(signed.bytes(), Codebook::built_in())
                    .map_err(|e| Failure::Invalid(e.to_string()))?;
                if release.k() < roster.floor().k {
                    return Err(Failure::Invalid(
                        "the release was made with a smaller k than the region's floor".to_owned(),
                    ));
                }
                if release.node() != node || release.request().id() != id {
                    return Err(Failure::Invalid("the release answers another question".to_owned()));
                }
                let sha256 = Digest::of(signed.bytes());
                match standing {
                    Standing::Released(held) if held == sha256 => return Ok(()),
                    Standing::Released(_) => {
                        tracing::error!(%node, question = %id.short(), "a node has sent a second release");
                        return Err(Failure::Invalid("another release of this question is held".to_owned()));
                    }
                    Standing::Open(_) if open => {
                        inner.store.put_release(signed.bytes(), signed.signature()).map_err(internal)?;
                        let entry = Entry::Released { id, node: node.clone(), release: sha256, time };
                        inner.store.append(entry).map_err(internal)?;
                    }
                    _ => {
                        return Err(Failure::NotFound(
                            "the table is closed; ask for it with --retry-missing".to_owned(),
                        ));
                    }
                }
            }
            // A late phase or refusal changes nothing.
            _ => return Ok(()),
        }
        if inner.store.fold.tables.get(&id).is_some_and(|t| t.state == TableState::Open && t.complete()) {
            inner.close(id).map_err(internal)?;
        }
        drop(inner);
        self.tell(id);
        Ok(())
    }

    fn enrol(&self, ask: &EnrolAsk) -> Result<String, Failure> {
        let kind = if ask.is_node { MemberKind::Node } else { MemberKind::Person };
        let now = clock::now();
        // One lock over look-up, entry and removal: a secret serves once.
        let mut inner = self.inner();
        let invitation = Invitation::find(&self.config, kind, &ask.name, ask.secret, now);
        let invitation = invitation.ok_or_else(|| {
            let why = "no open invitation of this name has this secret: it was used, replaced or has expired; ask for a new one";
            Failure::Denied(why.to_owned())
        })?;
        let secret_sha256 = Digest::of(&ask.secret.0);
        if inner.store.fold.used_secrets.contains(&secret_sha256) {
            return Err(Failure::Denied("this invitation has been used: ask for a new one".to_owned()));
        }
        let others = inner.store.fold.members.iter().filter(|(key, _)| **key != (kind, ask.name.clone()));
        if others.map(|(_, member)| member.identity).any(|identity| identity == ask.identity) {
            return Err(Failure::Denied("another member has this identity key".to_owned()));
        }
        let wire_kind = if ask.is_node { Kind::Node } else { Kind::Person };
        let id = SpiffeId::new(self.config.region.as_str(), wire_kind, ask.name.as_str()).map_err(internal)?;
        let issued = self.authority.issue_client(&ask.csr_pem, &id, CERTIFICATE_DAYS);
        let issued = issued.map_err(|e| Failure::Invalid(e.to_string()))?;
        let member = Enrolled {
            areas: invitation.areas.clone(),
            identity: ask.identity,
            kind,
            name: ask.name.clone(),
            roles: invitation.roles.clone(),
            secret_sha256,
            spki: Digest(issued.spki_sha256),
            time: now,
        };
        inner.store.append(Entry::Enrolled(Box::new(member))).map_err(internal)?;
        invitation.remove(&self.config).map_err(internal)?;
        let fingerprint = koonti_proto::edge::pki::fingerprint(&[&ask.identity.0, &issued.spki_sha256]);
        tracing::info!(name = %ask.name, %fingerprint, "enrolled: compare the fingerprint by telephone");
        Ok(issued.cert_pem)
    }
}

impl Inner {
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

    fn offer(&self, id: Digest, nodes: &[Name]) {
        if let Some(table) = self.store.fold.tables.get(&id) {
            for node in nodes {
                self.send(node, offer(table));
            }
        }
    }

    fn view(&self, id: Digest) -> Result<Table, Failure> {
        self.look(id, true)
    }

    fn look(&self, id: Digest, with_figures: bool) -> Result<Table, Failure> {
        let absent = || Failure::NotFound("there is no such table".to_owned());
        let table = self.store.fold.tables.get(&id).ok_or_else(absent)?;
        let published = match table.published {
            Some(_) if with_figures => self.store.table(id).map_err(internal)?.unwrap_or_default(),
            _ => Vec::new(),
        };
        let nodes = table.nodes.iter().map(|(node, standing)| {
            let (progress, refusal) = match standing {
                Standing::Open(progress) => (*progress, None),
                Standing::Released(_) => (Progress::Released, None),
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

    /// Combines what has come, stores and publishes it.
    fn close(&mut self, id: Digest) -> Result<(), Error> {
        let Some(table) = self.store.fold.tables.get(&id) else { return Ok(()) };
        let request = table.request.request().clone();
        let (mut releases, mut missing) = (Vec::new(), Vec::new());
        for (node, standing) in &table.nodes {
            match standing {
                Standing::Released(sha256) => {
                    // It was whole when it was taken; a file that is not any more
                    // must not keep the region's other tables from closing.
                    let bytes = self.store.release(*sha256).map_err(|e| e.to_string());
                    let parse = |bytes: Vec<u8>| {
                        ReceivedRelease::parse(&bytes, Codebook::built_in()).map_err(|e| e.to_string())
                    };
                    match bytes.and_then(parse) {
                        Ok(release) => releases.push(release),
                        Err(error) => {
                            tracing::error!(%node, %error, "a stored release is gone or altered");
                            missing.push(Missing { node: node.clone(), reason: Refusal::NoAnswer });
                        }
                    }
                }
                Standing::Refused(reason) => missing.push(Missing { node: node.clone(), reason: *reason }),
                Standing::Open(_) => missing.push(Missing { node: node.clone(), reason: Refusal::NoAnswer }),
            }
        }
        let published = if releases.is_empty() {
            None
        } else {
            let table = combine::combine(&request, releases, missing);
            let bytes = canonical::to_bytes(&table).map_err(|e| Error::Refused(e.to_string()))?;
            Some(self.store.put_table(&bytes)?)
        };
        tracing::info!(table = %id.short(), published = published.is_some(), "table closed");
        self.store.append(Entry::Closed { id, published, time: clock::now() })
    }
}

impl Registry for Region {
    fn identify(&self, id: &SpiffeId, spki_sha256: &[u8; 32]) -> Option<Caller> {
        if id.region != self.config.region.as_str() {
            return None;
        }
        let name: Name = id.name.parse().ok()?;
        let kind = if id.kind == Kind::Node { MemberKind::Node } else { MemberKind::Person };
        let inner = self.inner();
        let member = inner.store.fold.members.get(&(kind, name.clone())).filter(|m| m.spki.0 == *spki_sha256)?;
        let roster = inner.roster.as_ref().map(SignedRoster::roster);
        // The roster decides, and it must mean this very key.
        let roles = match kind {
            MemberKind::Node => {
                let entry = roster.and_then(|r| r.node(&name)).filter(|n| n.identity == member.identity);
                entry.map(|_| Role::Node).into_iter().collect()
            }
            MemberKind::Person => {
                let entry = roster.and_then(|r| r.person(&name)).filter(|p| p.identity == member.identity);
                let role = |r: &RosterRole| match r {
                    RosterRole::Requester => Role::Requester,
                    RosterRole::Auditor => Role::Auditor,
                };
                entry.map(|p| p.roles.iter().map(role).collect()).unwrap_or_default()
            }
        };
        Some(Caller { name, roles })
    }
}

impl Rooms for Region {
    fn attend(self: &Arc<Self>, caller: Caller, hello: Hello) -> Items<ToNode> {
        let (to_node, items) = mpsc::unbounded_channel();
        let mut inner = self.inner();
        inner.connections += 1;
        let number = inner.connections;
        if let Some(roster) = &inner.roster {
            drop(to_node.send(ToNode::Roster(roster.bytes())));
        }
        for table in inner.store.fold.tables.values().filter(|t| t.state == TableState::Open) {
            if matches!(table.nodes.get(&caller.name), Some(Standing::Open(_))) {
                drop(to_node.send(offer(table)));
            }
        }
        // A later connection of the same node replaces this one, whose stream then ends.
        inner.connected.insert(caller.name.clone(), Connection { number, to_node });
        inner.last_seen.insert(caller.name.clone(), (clock::now(), hello.version));
        drop(inner);
        tracing::info!(node = %caller.name, "connected");
        let leaving = Leaving { region: self.clone(), node: caller.name, number };
        Box::pin(UnboundedReceiverStream::new(items).map(move |item| {
            // Held by the stream for its life.
            let _ = &leaving;
            item
        }))
    }

    async fn answer(&self, caller: Caller, id: Digest, answer: Received) -> Result<(), Failure> {
        tokio::task::block_in_place(|| self.take(&caller.name, id, answer))
    }

    async fn create_table(&self, caller: Caller, ask: Ask) -> Result<Asked, Failure> {
        if *ask.request.requester() != caller.name || *ask.request.request().region() != self.config.region {
            return Err(Failure::Refused(Refusal::SignatureInvalid));
        }
        let key = {
            let inner = self.inner();
            inner
                .roster()?
                .person(&caller.name)
                .map(|p| p.identity)
                .ok_or(Failure::Refused(Refusal::RequesterUnknown))?
        };
        ask.request.verify(key).map_err(|_| Failure::Refused(Refusal::SignatureInvalid))?;
        if ask.request.not_after() < clock::now() {
            return Err(Failure::Refused(Refusal::RequestExpired));
        }
        if ask.request.intent() != if ask.validate_only { Intent::Quote } else { Intent::Ask } {
            return Err(Failure::Refused(Refusal::SignatureInvalid));
        }
        if ask.validate_only {
            return self.quote(&ask.request).await;
        }
        let (table, repeat) = tokio::task::block_in_place(|| self.ask(&ask))?;
        Ok(Asked::Table(Box::new(table), repeat))
    }

    fn table(&self, id: &str) -> Result<Table, Failure> {
        let inner = self.inner();
        let matching: Vec<Digest> =
            inner.store.fold.order.iter().filter(|i| id.len() >= 6 && i.to_string().starts_with(id)).copied().collect();
        match matching[..] {
            [id] => inner.view(id),
            [] => Err(Failure::NotFound(format!("no table begins with {id}: give at least six digits of its id"))),
            _ => Err(Failure::NotFound(format!("several tables begin with {id}: give more digits"))),
        }
    }

    fn tables(&self, after: Option<Digest>, most: usize) -> Result<Vec<Table>, Failure> {
        let inner = self.inner();
        let newest_first = inner.store.fold.order.iter().rev().copied();
        let ids: Vec<Digest> = match after {
            None => newest_first.take(most).collect(),
            Some(after) => newest_first.skip_while(|id| *id != after).skip(1).take(most).collect(),
        };
        ids.into_iter().map(|id| inner.look(id, false)).collect()
    }

    fn watch(self: &Arc<Self>, id: Digest) -> Result<Items<Table>, Failure> {
        let moved = BroadcastStream::new(self.moved.subscribe());
        let first = self.inner().view(id)?;
        let region = self.clone();
        // A lagging watcher misses steps, not the end: it reads the state as it is.
        let later = moved
            .filter(move |moved| moved.as_ref().map_or(true, |moved| *moved == id))
            .filter_map(move |_| region.inner().view(id).ok());
        let mut ended = false;
        let all = tokio_stream::once(first).chain(later).take_while(move |table| {
            let go_on = !ended;
            ended = table.state != TableState::Open;
            go_on
        });
        Ok(Box::pin(all))
    }

    fn nodes(&self) -> Vec<NodeStatus> {
        let inner = self.inner();
        let roster = inner.roster.as_ref().map(SignedRoster::roster);
        let mut names: Vec<Name> =
            roster.map(|r| r.nodes().iter().map(|n| n.name.clone()).collect()).unwrap_or_default();
        let enrolled = inner.store.fold.members.keys().filter(|(kind, _)| *kind == MemberKind::Node);
        names.extend(enrolled.map(|(_, name)| name.clone()));
        names.sort();
        names.dedup();
        let status = |name: Name| {
            let entry = roster.and_then(|r| r.node(&name));
            let (last_seen, version) = inner.last_seen.get(&name).cloned().unwrap_or_default();
            NodeStatus {
                areas: entry.map(|n| n.areas.clone()).unwrap_or_default(),
                connected: inner.connected.contains_key(&name),
                in_roster: entry.is_some(),
                last_seen,
                version,
                name,
            }
        };
        names.into_iter().map(status).collect()
    }

    fn roster(&self) -> Vec<u8> {
        self.inner().roster.as_ref().map(SignedRoster::bytes).unwrap_or_default()
    }
}

impl EnrolmentRooms for Region {
    async fn enroll(&self, ask: EnrolAsk) -> Result<String, Failure> {
        tokio::task::block_in_place(|| self.enrol(&ask))
    }
}

/// Marks a node as gone when its stream is dropped.
struct Leaving {
    region: Arc<Region>,
    node: Name,
    number: u64,
}

impl Drop for Leaving {
    fn drop(&mut self) {
        let mut inner = self.region.inner();
        if inner.connected.get(&self.node).is_some_and(|c| c.number == self.number) {
            inner.connected.remove(&self.node);
            tracing::info!(node = %self.node, "disconnected");
        }
        if let Some((seen, _)) = inner.last_seen.get_mut(&self.node) {
            *seen = clock::now();
        }
    }
}

/// The nodes that a question goes to: those serving one of the areas asked for,
/// else all.
fn serving(roster: &Roster, request: &SignedRequest) -> Vec<Name> {
    let asked = request.request().filter("area");
    let serves = |areas: &[String]| asked.is_none_or(|asked| areas.iter().any(|a| asked.contains(a)));
    roster.nodes().iter().filter(|n| serves(&n.areas)).map(|n| n.name.clone()).collect()
}

fn offer(table: &Held) -> ToNode {
    ToNode::Offer(Box::new(Offer {
        request: table.request.clone(),
        round: table.round,
        nonce: table.nonce,
        quote_only: false,
        deadline: table.deadline,
    }))
}

fn installed_roster(config: &Config) -> Result<Option<SignedRoster>, Error> {
    let path = config.roster();
    match std::fs::read(&path) {
        Ok(bytes) => Ok(Some(SignedRoster::parse(&bytes, config.governance)?)),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(Error::file(&path, &e)),
    }
}

fn internal(error: impl std::fmt::Display) -> Failure {
    tracing::error!(%error, "failed");
    Failure::Internal("the coordinator could not do it: see its log".to_owned())
}
