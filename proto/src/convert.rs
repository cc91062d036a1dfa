//! Between generated messages and domain types: may fail inward, never outward.

use crate::failure::Failure;
use crate::v1;
use crate::wire::{
    Answer, Ask, Deposit, Deposited, Glimpse, Hello, Logged, NodeState, NodeStatus, Offer, Quote, Received,
    RoundMessage, Table, TableState, ToNode,
};
use koonti_disclosure::cost::Cost;
use koonti_disclosure::identity::SignedRequest;
use koonti_disclosure::round::Strictness;
use koonti_disclosure::{Digest, Name, Progress, Refusal, TableRequest};

fn invalid(what: &str) -> Failure {
    Failure::Invalid(format!("{what} is missing or malformed"))
}

fn name(text: &str) -> Result<Name, Failure> {
    text.parse().map_err(|_| invalid("a name"))
}

fn refusal(code: &str) -> Result<Option<Refusal>, Failure> {
    match code {
        "" => Ok(None),
        code => Refusal::from_code(code).map(Some).ok_or_else(|| invalid("a refusal's reason")),
    }
}

fn progress(code: &str) -> Result<Progress, Failure> {
    Progress::from_code(code).ok_or_else(|| invalid("a phase"))
}

pub(crate) fn digest(bytes: &[u8]) -> Result<Digest, Failure> {
    bytes.try_into().map(Digest).map_err(|_| invalid("a 32-byte id"))
}

/// A time that has a canonical form.
fn moment(unix_s: u64) -> Result<u64, Failure> {
    if unix_s < 1 << 53 { Ok(unix_s) } else { Err(invalid("a time")) }
}

pub(crate) fn round_message(bytes: Vec<u8>) -> Result<RoundMessage, Failure> {
    RoundMessage::new(bytes).ok_or_else(|| invalid("a round's message"))
}

fn strictness(m: &v1::Readiness) -> Result<Strictness, Failure> {
    let strictness = Strictness { eta: (m.eta_num, m.eta_den), j: m.j, k: m.k };
    if strictness.in_range() { Ok(strictness) } else { Err(invalid("the terms of a regional table")) }
}

fn signed_request(bytes: &[u8]) -> Result<SignedRequest, Failure> {
    SignedRequest::parse(bytes).map_err(|e| Failure::Invalid(e.to_string()))
}

impl TryFrom<v1::AttendRequest> for Hello {
    type Error = Failure;
    fn try_from(m: v1::AttendRequest) -> Result<Self, Failure> {
        let printable = m.version.len() <= 64 && m.version.bytes().all(|b| b.is_ascii_graphic());
        let version = if printable { m.version } else { return Err(invalid("the version")) };
        let codebook = m.codebook.parse().map_err(|_| invalid("the codebook's hash"))?;
        Ok(Self { version, codebook, witnessed: m.witnessed })
    }
}

impl From<Hello> for v1::AttendRequest {
    fn from(h: Hello) -> Self {
        Self { version: h.version, codebook: h.codebook.to_string(), witnessed: h.witnessed }
    }
}

impl From<ToNode> for v1::AttendResponse {
    fn from(item: ToNode) -> Self {
        use v1::attend_response::Item;
        Self {
            item: Some(match item {
                ToNode::Roster(bytes) => Item::Roster(bytes),
                ToNode::Round(message) => Item::RoundMessage(message.bytes().to_vec()),
                ToNode::Offer(offer) => Item::Offer(v1::Offer {
                    signed_request: offer.request.bytes().to_vec(),
                    round: offer.round.0.to_vec(),
                    nonce: offer.nonce.0.to_vec(),
                    quote_only: offer.quote_only,
                    deadline: offer.deadline,
                    entry: offer.logged.entry,
                    proof: offer.logged.proof,
                    heads: offer.logged.heads,
                }),
                ToNode::Glimpse(glimpse) => Item::Glimpse(v1::Glimpse {
                    checkpoint: glimpse.checkpoint,
                    old_size: glimpse.old_size,
                    consistency: glimpse.consistency.iter().map(|hash| hash.0.to_vec()).collect(),
                }),
            }),
        }
    }
}

impl TryFrom<v1::AttendResponse> for ToNode {
    type Error = Failure;
    fn try_from(m: v1::AttendResponse) -> Result<Self, Failure> {
        use v1::attend_response::Item;
        match m.item.ok_or_else(|| invalid("the item"))? {
            Item::Roster(bytes) => Ok(Self::Roster(bytes)),
            Item::RoundMessage(bytes) => round_message(bytes).map(Self::Round),
            Item::Offer(o) => Ok(Self::Offer(Box::new(Offer {
                request: signed_request(&o.signed_request)?,
                round: digest(&o.round)?,
                nonce: digest(&o.nonce)?,
                quote_only: o.quote_only,
                deadline: moment(o.deadline)?,
                logged: Logged { entry: o.entry, proof: o.proof, heads: o.heads },
            }))),
            Item::Glimpse(g) => Ok(Self::Glimpse(Glimpse {
                checkpoint: g.checkpoint,
                old_size: g.old_size,
                consistency: g.consistency.iter().map(|hash| digest(hash)).collect::<Result<_, _>>()?,
            })),
        }
    }
}

impl From<Deposit> for v1::DepositRequest {
    fn from(d: Deposit) -> Self {
        Self { old_size: d.old_size, entries: d.entries, checkpoint: d.checkpoint, rules: d.rules }
    }
}

impl From<v1::DepositRequest> for Deposit {
    fn from(m: v1::DepositRequest) -> Self {
        Self { old_size: m.old_size, entries: m.entries, checkpoint: m.checkpoint, rules: m.rules }
    }
}

impl From<Deposited> for v1::DepositResponse {
    fn from(d: Deposited) -> Self {
        Self { size: d.size, checkpoint: d.checkpoint, conflict: d.conflict }
    }
}

impl From<v1::DepositResponse> for Deposited {
    fn from(m: v1::DepositResponse) -> Self {
        Self { size: m.size, checkpoint: m.checkpoint, conflict: m.conflict }
    }
}

pub(crate) fn answer_message(request_id: Digest, answer: &Answer) -> v1::AnswerRequest {
    use v1::answer_request::Answer as Wire;
    let answer = match answer {
        Answer::Release(r) => {
            Wire::Release(v1::SignedRelease { release: r.bytes().to_vec(), signature: r.signature().to_vec() })
        }
        Answer::Refusal(r) => Wire::Refusal(r.code().to_owned()),
        Answer::Quote(q) => Wire::Quote(q.clone().into()),
        Answer::Progress(p) => Wire::Progress(p.code().to_owned()),
        Answer::Ready(s) => Wire::Ready(v1::Readiness { k: s.k, j: s.j, eta_num: s.eta.0, eta_den: s.eta.1 }),
    };
    v1::AnswerRequest { request_id: request_id.0.to_vec(), answer: Some(answer) }
}

impl TryFrom<v1::AnswerRequest> for (Digest, Received) {
    type Error = Failure;
    fn try_from(m: v1::AnswerRequest) -> Result<Self, Failure> {
        use v1::answer_request::Answer as Wire;
        let answer = match m.answer.ok_or_else(|| invalid("the answer"))? {
            Wire::Release(r) => {
                let signature = r.signature.as_slice().try_into().map_err(|_| invalid("the signature"))?;
                Received::Release(r.release, signature)
            }
            Wire::Refusal(code) => Received::Refusal(refusal(&code)?.ok_or_else(|| invalid("the reason"))?),
            Wire::Quote(q) => Received::Quote(q.try_into()?),
            Wire::Progress(code) => Received::Progress(progress(&code)?),
            Wire::Ready(terms) => Received::Ready(strictness(&terms)?),
        };
        Ok((digest(&m.request_id)?, answer))
    }
}

impl From<Quote> for v1::NodeQuote {
    fn from(q: Quote) -> Self {
        Self {
            node: q.node.to_string(),
            k: q.k,
            tau: q.tau,
            nano_rho: q.cost.nano_rho,
            atto_delta: q.cost.atto_delta,
            left_nano_rho: q.left_nano_rho,
            refusal: q.refusal.map(|r| r.code().to_owned()).unwrap_or_default(),
            answered_before: q.answered_before,
        }
    }
}

impl TryFrom<v1::NodeQuote> for Quote {
    type Error = Failure;
    fn try_from(m: v1::NodeQuote) -> Result<Self, Failure> {
        Ok(Self {
            node: name(&m.node)?,
            k: m.k,
            tau: m.tau,
            cost: Cost { nano_rho: m.nano_rho, atto_delta: m.atto_delta },
            left_nano_rho: m.left_nano_rho,
            refusal: refusal(&m.refusal)?,
            answered_before: m.answered_before,
        })
    }
}

impl From<Ask> for v1::CreateTableRequest {
    fn from(a: Ask) -> Self {
        Self {
            signed_request: a.request.bytes().to_vec(),
            validate_only: a.validate_only,
            timeout_s: a.timeout_s,
            retry_missing: a.retry_missing,
            phase_timeout_s: a.phase_timeout_s,
        }
    }
}

impl TryFrom<v1::CreateTableRequest> for Ask {
    type Error = Failure;
    fn try_from(m: v1::CreateTableRequest) -> Result<Self, Failure> {
        Ok(Self {
            request: signed_request(&m.signed_request)?,
            validate_only: m.validate_only,
            timeout_s: m.timeout_s,
            retry_missing: m.retry_missing,
            phase_timeout_s: m.phase_timeout_s,
        })
    }
}

/// Largest published table that goes into the message about it.
const MOST_INLINE_BYTES: usize = 4 << 20;

impl From<Table> for v1::Table {
    fn from(t: Table) -> Self {
        Self {
            published_bytes: t.published.len() as u64,
            id: t.request.id().0.to_vec(),
            request: t.request.bytes().to_vec(),
            requester: t.requester.to_string(),
            state: match t.state {
                TableState::Open => v1::TableState::Open,
                TableState::Published => v1::TableState::Published,
                TableState::Refused => v1::TableState::Refused,
            }
            .into(),
            created: t.created,
            deadline: t.deadline,
            nodes: t.nodes.into_iter().map(Into::into).collect(),
            published: if t.published.len() <= MOST_INLINE_BYTES { t.published } else { Vec::new() },
        }
    }
}

impl TryFrom<v1::Table> for Table {
    type Error = Failure;
    fn try_from(m: v1::Table) -> Result<Self, Failure> {
        let state = match m.state() {
            v1::TableState::Open => TableState::Open,
            v1::TableState::Published => TableState::Published,
            v1::TableState::Refused => TableState::Refused,
            v1::TableState::Unspecified => return Err(invalid("the table's state")),
        };
        let request = TableRequest::read(&m.request).map_err(|_| invalid("the request"))?;
        Ok(Self {
            request,
            requester: name(&m.requester)?,
            state,
            created: m.created,
            deadline: m.deadline,
            nodes: m.nodes.into_iter().map(TryInto::try_into).collect::<Result<_, _>>()?,
            published: m.published,
        })
    }
}

impl From<NodeState> for v1::NodeState {
    fn from(s: NodeState) -> Self {
        Self {
            node: s.node.to_string(),
            progress: s.progress.code().to_owned(),
            refusal: s.refusal.map(|r| r.code().to_owned()).unwrap_or_default(),
        }
    }
}

impl TryFrom<v1::NodeState> for NodeState {
    type Error = Failure;
    fn try_from(m: v1::NodeState) -> Result<Self, Failure> {
        Ok(Self { node: name(&m.node)?, progress: progress(&m.progress)?, refusal: refusal(&m.refusal)? })
    }
}

impl From<NodeStatus> for v1::NodeStatus {
    fn from(s: NodeStatus) -> Self {
        Self {
            name: s.name.to_string(),
            areas: s.areas,
            connected: s.connected,
            last_seen: s.last_seen,
            version: s.version,
            in_roster: s.in_roster,
        }
    }
}

impl TryFrom<v1::NodeStatus> for NodeStatus {
    type Error = Failure;
    fn try_from(m: v1::NodeStatus) -> Result<Self, Failure> {
        Ok(Self {
            name: name(&m.name)?,
            areas: m.areas,
            connected: m.connected,
            last_seen: m.last_seen,
            version: m.version,
            in_roster: m.in_roster,
        })
    }
}
