//! What the journal's entries add up to: members and tables.

use crate::error::Error;
use koonti_disclosure::canonical::Json;
use koonti_disclosure::identity::SignedRequest;
use koonti_disclosure::names::unhex_vec;
use koonti_disclosure::request::ReleaseKind;
use koonti_disclosure::round::{RoundSpec, Strictness};
use koonti_disclosure::{Digest, Name, Progress, Refusal, canonical};
use koonti_evidence::entry::coordinator::{Enrolled, Entry, MemberKind};
use koonti_proto::wire::TableState;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// A table and what its nodes have said.
pub struct Table {
    /// The signed question, as asked last.
    pub request: SignedRequest,
    /// Who asked first.
    pub requester: Name,
    /// The round's id.
    pub round: Digest,
    /// The round's public nonce.
    pub nonce: Digest,
    /// The entry that asked it last, and its index.
    pub asked_entry: Vec<u8>,
    /// Its index.
    pub asked_at: u64,
    /// SHA-256 of the nodes' heads at that moment.
    pub heads: Digest,
    /// When it was first asked.
    pub created: u64,
    /// When it is closed at the latest.
    pub deadline: u64,
    /// The nodes asked and where they stand.
    pub nodes: BTreeMap<Name, Standing>,
    /// Where the table stands.
    pub state: TableState,
    /// SHA-256 of the published bytes.
    pub published: Option<Digest>,
    /// How long each phase of a regional round may take, seconds.
    pub phase_timeout_s: u64,
    /// The regional rounds begun for it, oldest first.
    pub rounds: Vec<Attempt>,
    /// How many of them were begun before it was last asked.
    pub rounds_before: usize,
    /// When it was last asked or failed, Unix seconds.
    pub touched: u64,
    /// True when a release has come after it was closed.
    pub late: bool,
}

/// One regional round.
pub struct Attempt {
    /// What its participants signed.
    pub spec: RoundSpec,
    /// For a retry: the abort certificate.
    pub certificate: Vec<u8>,
    /// None while it runs or when it was opened; else whether masked inputs may
    /// have been made.
    pub failed: Option<bool>,
}

/// Where one node stands with one table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// Not answered yet; the phase is not durable.
    Open(Progress),
    /// Ready for a regional round.
    Ready(Strictness),
    /// Released these bytes.
    Released(Digest),
    /// In the regional sum.
    Counted,
    /// Refused, or silent until the deadline.
    Refused(Refusal),
}

impl Table {
    /// True when no node can still change the table.
    pub fn complete(&self) -> bool {
        !self.nodes.values().any(|s| matches!(s, Standing::Open(_)))
    }

    /// True for a table by secure aggregation.
    pub fn is_regional(&self) -> bool {
        self.request.request().release() == ReleaseKind::Regional
    }

    /// The nodes ready for a round, and their terms.
    pub fn ready(&self) -> impl Iterator<Item = (&Name, Strictness)> {
        self.nodes.iter().filter_map(|(node, standing)| match standing {
            Standing::Ready(terms) => Some((node, *terms)),
            _ => None,
        })
    }

    /// The newest round, while nobody has seen it fail and the table is open.
    pub fn running(&self) -> Option<&Attempt> {
        self.rounds.last().filter(|round| round.failed.is_none() && self.state == TableState::Open)
    }
}

/// The fold.
#[derive(Default)]
pub struct Fold {
    /// Members by kind and name; a later enrolment replaces an earlier one.
    pub members: BTreeMap<(MemberKind, Name), Enrolled>,
    /// With which TLS keys members may call: the newest, and the one that asked for it.
    /// Who is revoked has none.
    pub keys: BTreeMap<(MemberKind, Name), [Digest; 2]>,
    /// Tables by id.
    pub tables: BTreeMap<Digest, Table>,
    /// Table ids in the order in which they were first asked.
    pub order: Vec<Digest>,
    /// Hashes of invitation secrets that have served.
    pub used_secrets: BTreeSet<Digest>,
    /// Number of the newest roster.
    pub epoch: u64,
    /// The time of the newest entry.
    pub time: u64,
}

impl Fold {
    /// Folds all entries.
    ///
    /// # Errors
    /// At the first entry that this version does not understand.
    pub fn of(entries: &[Vec<u8>]) -> Result<Self, Error> {
        let mut fold = Self::default();
        for (seq, bytes) in (0..).zip(entries) {
            let entry = canonical::from_bytes(bytes).map_err(|_| Error::Entry(seq))?;
            fold.note(seq, bytes, entry);
        }
        Ok(fold)
    }

    /// Reads a journal without its lock.
    ///
    /// # Errors
    /// When it is damaged. A missing one is empty.
    pub fn read(path: &Path) -> Result<Self, Error> {
        Self::of(&if path.exists() { koonti_journal::read(path)? } else { Vec::new() })
    }

    /// True for a member that may not call until it is enrolled again.
    pub fn is_revoked(&self, member: &(MemberKind, Name)) -> bool {
        self.members.contains_key(member) && !self.keys.contains_key(member)
    }

    /// Notes one entry. Those about a table of a codebook that this version does not
    /// know are passed over: it could not read the question.
    pub fn note(&mut self, seq: u64, bytes: &[u8], entry: Entry) {
        self.time = self.time.max(entry.time());
        self.take(seq, bytes, entry);
    }

    fn take(&mut self, seq: u64, bytes: &[u8], entry: Entry) -> Option<()> {
        match entry {
            Entry::Roster { epoch, .. } => self.epoch = epoch,
            Entry::Genesis { .. } | Entry::Access { .. } => {}
            Entry::Enrolled(member) => {
                self.used_secrets.insert(member.secret_sha256);
                self.keys.insert((member.kind, member.name.clone()), [member.spki; 2]);
                self.members.insert((member.kind, member.name.clone()), *member);
            }
            Entry::Renewed { by, kind, name, spki, .. } => {
                self.keys.insert((kind, name), [by, spki]);
            }
            Entry::Revoked { kind, name, .. } => {
                self.keys.remove(&(kind, name));
            }
            Entry::Asked(asked) => {
                let request = signed(&asked.request)?;
                let id = request.request().id();
                let nodes = asked.nodes.into_iter().map(|n| (n, Standing::Open(Progress::Offered))).collect();
                if !self.tables.contains_key(&id) {
                    self.order.push(id);
                }
                self.tables.insert(
                    id,
                    Table {
                        requester: request.requester().clone(),
                        request,
                        round: asked.round,
                        nonce: asked.nonce,
                        asked_entry: bytes.to_vec(),
                        asked_at: seq,
                        heads: asked.heads,
                        created: asked.time,
                        deadline: asked.deadline,
                        nodes,
                        state: TableState::Open,
                        published: None,
                        phase_timeout_s: asked.phase_timeout_s,
                        rounds: Vec::new(),
                        rounds_before: 0,
                        touched: asked.time,
                        late: false,
                    },
                );
            }
            Entry::Ready { id, node, terms, .. } => {
                *self.tables.get_mut(&id)?.nodes.get_mut(&node)? = Standing::Ready(terms);
            }
            Entry::RoundBegan { certificate, id, spec, .. } => {
                let spec = RoundSpec::parse(&canonical::to_bytes(&spec).ok()?).ok()?;
                let certificate = certificate.and_then(|hex| unhex_vec(&hex).ok()).unwrap_or_default();
                self.tables.get_mut(&id)?.rounds.push(Attempt { spec, certificate, failed: None });
            }
            Entry::RoundFailed { id, inputs, round, time } => {
                let table = self.tables.get_mut(&id)?;
                table.touched = time;
                table.rounds.iter_mut().find(|r| r.spec.round() == round)?.failed = Some(inputs);
            }
            Entry::Reopened { deadline, heads, id, nodes, nonce, request, round, time } => {
                let table = self.tables.get_mut(&id)?;
                (table.asked_entry, table.asked_at, table.heads) = (bytes.to_vec(), seq, heads);
                (table.nonce, table.round) = (nonce, round);
                table.request = signed(&request)?;
                table.deadline = deadline;
                table.touched = time;
                table.rounds_before = table.rounds.len();
                table.state = TableState::Open;
                for node in nodes {
                    table.nodes.insert(node, Standing::Open(Progress::Offered));
                }
            }
            Entry::Released { id, node, release, .. } => {
                let table = self.tables.get_mut(&id)?;
                table.late |= table.state != TableState::Open;
                *table.nodes.get_mut(&node)? = Standing::Released(release);
            }
            Entry::Refused { id, node, reason, .. } => {
                *self.tables.get_mut(&id)?.nodes.get_mut(&node)? = Standing::Refused(reason);
            }
            Entry::Closed { counted, id, published, reason, .. } => {
                let table = self.tables.get_mut(&id)?;
                table.late = false;
                for (node, standing) in &mut table.nodes {
                    *standing = match *standing {
                        _ if counted.contains(node) => Standing::Counted,
                        Standing::Open(_) => Standing::Refused(Refusal::NoAnswer),
                        Standing::Ready(_) => Standing::Refused(reason.unwrap_or(Refusal::RoundLeft)),
                        said => said,
                    };
                }
                // A retry that failed leaves what was published before.
                table.published = published.or(table.published);
                table.state = if table.published.is_some() { TableState::Published } else { TableState::Refused };
            }
        }
        Some(())
    }
}

fn signed(json: &Json) -> Option<SignedRequest> {
    SignedRequest::parse(json.bytes()).ok()
}
