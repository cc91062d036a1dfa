//! What the journal's entries add up to: members and tables.

use crate::entry::{Enrolled, Entry, MemberKind};
use crate::error::Error;
use koonti_disclosure::identity::SignedRequest;
use koonti_disclosure::{Codebook, Digest, Name, Progress, Refusal, canonical};
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
}

/// Where one node stands with one table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// Not answered yet; the phase is not durable.
    Open(Progress),
    /// Released these bytes.
    Released(Digest),
    /// Refused, or silent until the deadline.
    Refused(Refusal),
}

impl Table {
    /// True when no node can still change the table.
    pub fn complete(&self) -> bool {
        !self.nodes.values().any(|s| matches!(s, Standing::Open(_)))
    }
}

/// The fold.
#[derive(Default)]
pub struct Fold {
    /// Members by kind and name; a later enrolment replaces an earlier one.
    pub members: BTreeMap<(MemberKind, Name), Enrolled>,
    /// Tables by id.
    pub tables: BTreeMap<Digest, Table>,
    /// Table ids in the order in which they were first asked.
    pub order: Vec<Digest>,
    /// Hashes of invitation secrets that have served.
    pub used_secrets: BTreeSet<Digest>,
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
            fold.note(entry);
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

    /// Notes one entry. Those about a table of another codebook are passed over:
    /// this version could not read its question.
    pub fn note(&mut self, entry: Entry) {
        self.take(entry);
    }

    fn take(&mut self, entry: Entry) -> Option<()> {
        match entry {
            Entry::Enrolled(member) => {
                self.used_secrets.insert(member.secret_sha256);
                self.members.insert((member.kind, member.name.clone()), *member);
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
                        created: asked.time,
                        deadline: asked.deadline,
                        nodes,
                        state: TableState::Open,
                        published: None,
                    },
                );
            }
            Entry::Reopened { deadline, id, nodes, request, .. } => {
                let table = self.tables.get_mut(&id)?;
                table.request = signed(&request)?;
                table.deadline = deadline;
                table.state = TableState::Open;
                for node in nodes {
                    table.nodes.insert(node, Standing::Open(Progress::Offered));
                }
            }
            Entry::Released { id, node, release, .. } => {
                *self.tables.get_mut(&id)?.nodes.get_mut(&node)? = Standing::Released(release);
            }
            Entry::Refused { id, node, reason, .. } => {
                *self.tables.get_mut(&id)?.nodes.get_mut(&node)? = Standing::Refused(reason);
            }
            Entry::Closed { id, published, .. } => {
                let table = self.tables.get_mut(&id)?;
                for standing in table.nodes.values_mut() {
                    if let Standing::Open(_) = standing {
                        *standing = Standing::Refused(Refusal::NoAnswer);
                    }
                }
                // A retry that failed leaves what was published before.
                table.published = published.or(table.published);
                table.state = if table.published.is_some() { TableState::Published } else { TableState::Refused };
            }
        }
        Some(())
    }
}

fn signed(value: &serde_json::Value) -> Option<SignedRequest> {
    SignedRequest::parse(&canonical::to_bytes(value).ok()?, Codebook::built_in()).ok()
}
