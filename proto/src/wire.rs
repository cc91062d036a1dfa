//! What crosses the wire, in domain types.

use koonti_disclosure::cost::Cost;
use koonti_disclosure::identity::{SignedRelease, SignedRequest};
use koonti_disclosure::masked::CHUNK_BYTES;
use koonti_disclosure::round::Strictness;
use koonti_disclosure::{Digest, Name, Progress, Refusal, TableRequest};

/// A question to one node.
#[derive(Clone)]
pub struct Offer {
    /// The question with its requester's signature.
    pub request: SignedRequest,
    /// The round's id.
    pub round: Digest,
    /// The round's public nonce.
    pub nonce: Digest,
    /// True when only a quote is wanted.
    pub quote_only: bool,
    /// After this time the node does not begin, Unix seconds.
    pub deadline: u64,
    /// Where the coordinator's log asks it; empty for a quote.
    pub logged: Logged,
}

/// An entry of the coordinator's log that asks a question, with what shows it.
#[derive(Clone, Default)]
pub struct Logged {
    /// The entry.
    pub entry: Vec<u8>,
    /// Its `tlog-proof`.
    pub proof: Vec<u8>,
    /// The nodes' heads that it names by hash.
    pub heads: Vec<u8>,
}

/// A checkpoint of the coordinator's log, to be cosigned.
#[derive(Clone)]
pub struct Glimpse {
    /// The signed note.
    pub checkpoint: Vec<u8>,
    /// The size that the node cosigned last; 0 if never.
    pub old_size: u64,
    /// The proof that the log only grew since.
    pub consistency: Vec<Digest>,
}

/// Entries of a node's log.
pub struct Deposit {
    /// How many entries the coordinator is taken to hold.
    pub old_size: u64,
    /// Those that follow.
    pub entries: Vec<Vec<u8>>,
    /// The signed note of the log with them.
    pub checkpoint: Vec<u8>,
    /// The rules that entries among them put in force.
    pub rules: Vec<Vec<u8>>,
}

/// What the coordinator holds of a node's log.
#[derive(Debug)]
pub struct Deposited {
    /// How many entries.
    pub size: u64,
    /// That checkpoint, cosigned; empty when it holds none.
    pub checkpoint: Vec<u8>,
    /// True when the two logs differ.
    pub conflict: bool,
}

/// A node's own log, as the coordinator has cosigned it.
#[derive(Default)]
pub struct Retrieved {
    /// The cosigned checkpoint, a signed note.
    pub checkpoint: Vec<u8>,
    /// The entries under it.
    pub entries: Vec<Vec<u8>>,
    /// Rules and rosters that they name, as far as they are held.
    pub named: Vec<Vec<u8>>,
}

/// What the coordinator sends to an attending node.
#[derive(Clone)]
pub enum ToNode {
    /// The newest signed roster, as bytes: the node checks the signature itself.
    Roster(Vec<u8>),
    /// A question.
    Offer(Box<Offer>),
    /// A message of a regional round.
    Round(RoundMessage),
    /// The state of the coordinator's log.
    Glimpse(Glimpse),
}

/// A message of a regional round: of a known kind, and bounded in size. What it
/// says is read by `koonti-secagg` only.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RoundMessage(Vec<u8>);

/// A chunk, its kind, round and index, and something to spare. Messages of sets of
/// 500 nodes are smaller.
const MOST_ROUND_BYTES: usize = CHUNK_BYTES + 64;

impl RoundMessage {
    /// Takes in bytes that `koonti-secagg` made or that came over the wire.
    pub fn new(bytes: Vec<u8>) -> Option<Self> {
        let known = bytes.len() <= MOST_ROUND_BYTES && koonti_secagg::message::kind(&bytes).is_some();
        known.then_some(Self(bytes))
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

/// What a node says of itself.
#[derive(Clone, Debug)]
pub struct Hello {
    /// Its software version.
    pub version: String,
    /// The hash of its codebook.
    pub codebook: Digest,
    /// The size of the coordinator's log that it has cosigned last; 0 if never.
    pub witnessed: u64,
}

/// A node's answer to an offer.
pub enum Answer {
    /// A gated noisy table.
    Release(SignedRelease),
    /// A refusal.
    Refusal(Refusal),
    /// A quote.
    Quote(Quote),
    /// How far it has come.
    Progress(Progress),
    /// Accepted for a regional round, if it is at least this strict.
    Ready(Strictness),
}

/// A node's answer as the coordinator receives it: the release's signature is
/// not yet checked, since the key stands in the roster.
pub enum Received {
    /// Bytes and signature of a release.
    Release(Vec<u8>, [u8; 64]),
    /// A refusal.
    Refusal(Refusal),
    /// A quote.
    Quote(Quote),
    /// How far the node has come.
    Progress(Progress),
    /// Accepted for a regional round, if it is at least this strict.
    Ready(Strictness),
}

/// What a question would cost at one node.
#[derive(Clone, Debug)]
pub struct Quote {
    /// The node.
    pub node: Name,
    /// Smallest true count that it prints; 0 when refused.
    pub k: u32,
    /// Smallest noisy count that it prints; 0 when refused, or for a regional
    /// table.
    pub tau: i64,
    /// Cost of each period.
    pub cost: Cost,
    /// Allowance left before the question, in the order of the request's periods.
    pub left_nano_rho: Vec<u64>,
    /// Why it would refuse.
    pub refusal: Option<Refusal>,
    /// True when the question is a repeat, and so free.
    pub answered_before: bool,
}

/// A person asks for a table or a quote.
pub struct Ask {
    /// The signed question.
    pub request: SignedRequest,
    /// True for a quote.
    pub validate_only: bool,
    /// How long nodes may take, seconds.
    pub timeout_s: u64,
    /// True to offer a published table once more to the nodes missing in it.
    pub retry_missing: bool,
    /// How long each phase of a regional round may take, seconds.
    pub phase_timeout_s: u64,
}

/// The answer to an [`Ask`].
pub enum Asked {
    /// The table, and whether it existed already.
    Table(Box<Table>, bool),
    /// Quotes by node, and the nodes that did not answer in time.
    Quote {
        /// One for each node that answered.
        quotes: Vec<Quote>,
        /// Nodes that are not connected or too slow.
        unreachable: Vec<Name>,
        /// Share of the table's cells expected to be withheld, percent.
        expected_withheld_percent: u32,
        /// Cells of a regional table that one node alone can fill.
        lone_cells: u64,
    },
}

/// Where a table stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TableState {
    /// Nodes are still answering.
    Open,
    /// Published; see the proto on when the bytes may change.
    Published,
    /// No node released anything.
    Refused,
}

/// How far one node has come with a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeState {
    /// The node.
    pub node: Name,
    /// The phase.
    pub progress: Progress,
    /// Why it refused.
    pub refusal: Option<Refusal>,
}

/// A table as people read it.
#[derive(Clone)]
pub struct Table {
    /// The question; its id is the table's.
    pub request: TableRequest,
    /// Who asked first.
    pub requester: Name,
    /// Where it stands.
    pub state: TableState,
    /// When it was first asked, Unix seconds.
    pub created: u64,
    /// When it is published at the latest, Unix seconds.
    pub deadline: u64,
    /// The nodes asked.
    pub nodes: Vec<NodeState>,
    /// The published table, canonical JSON; empty before.
    pub published: Vec<u8>,
}

/// A node as the coordinator knows it.
#[derive(Clone, Debug)]
pub struct NodeStatus {
    /// Its name.
    pub name: Name,
    /// The areas it serves.
    pub areas: Vec<String>,
    /// True while connected.
    pub connected: bool,
    /// When it was last connected, Unix seconds; 0 if never.
    pub last_seen: u64,
    /// Its software version, empty if never connected.
    pub version: String,
    /// True when it is in the roster in force.
    pub in_roster: bool,
}
