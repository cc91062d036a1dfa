//! The door out: noise, gate, and the fixed-size bytes of a release.
//!
//! Cell `c` is printed only if its true count is at least k and its noisy count
//! at least tau (hard k and differential privacy together; tau is derived in
//! [`crate::tail`]). The first vector gates all vectors of the table. Everything
//! else is one and the same "suppressed": zero, small and unlucky cells cannot
//! be told apart.
//!
//! Bytes: u32 length of the header, the header as canonical JSON, then for each
//! period, vector and cell in domain order one status byte (0 suppressed, 1
//! published) and one big-endian i64 (0 when suppressed). Their number follows
//! from the request.

use crate::canonical::{self, Json};
use crate::cost::{self, Cost};
use crate::exact::{Exact, Tally};
use crate::ledger::{Debit, Noise, Permit};
use crate::names::{Digest, Name};
use crate::policy;
use crate::request::{ReleaseKind, TableRequest};
use crate::tail;
use serde::{Deserialize, Serialize};

/// A gated noisy table of one node: what may leave.
///
/// Only [`Exact::release`] makes one.
pub struct Release {
    bytes: Vec<u8>,
    debit: u64,
}

/// Why no release could be made. Nothing leaves; the budget stays spent.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// Counts, noise and question do not have the same shape.
    #[error("the tally does not have the shape of the table")]
    Shape,
    /// A sum left 64 bits.
    #[error("a noisy sum left the range of 64 bits")]
    Overflow,
    /// The permit was given for a regional round: its counts leave masked only.
    #[error("the permit is for a regional round")]
    Regional,
    /// The bytes received are not a release.
    #[error("not a release: {0}")]
    Bytes(&'static str),
}

#[derive(Clone, Serialize, Deserialize)]
struct Header {
    attempt: u32,
    cost: Cost,
    k: u32,
    node: Name,
    policy: Digest,
    request: Json,
    round: Digest,
    tau: i64,
    v: u8,
    vintages: Vec<Digest>,
}

impl Exact<Tally> {
    /// Adds the noise, applies the gate and consumes counts, noise and permit.
    ///
    /// # Errors
    /// When the shapes differ or a sum overflows; nothing is released then.
    #[expect(clippy::needless_pass_by_value, reason = "a permit and its noise are used once")]
    pub fn release(self, permit: Permit, noise: Noise) -> Result<Release, Error> {
        let cells = permit.request.domain().cells();
        let tau = permit.debit.tau.ok_or(Error::Regional)?;
        let header = Header {
            attempt: permit.debit.attempt,
            cost: permit.debit.cost,
            k: permit.debit.k,
            node: permit.debit.node.clone(),
            policy: permit.debit.policy,
            request: serde_json::from_slice(permit.request.bytes()).map_err(|_| Error::Shape)?,
            round: permit.debit.round,
            tau,
            v: 1,
            vintages: permit.vintages().to_vec(),
        };
        let header = canonical::to_bytes(&header).map_err(|_| Error::Shape)?;
        let mut bytes = u32::try_from(header.len()).map_err(|_| Error::Shape)?.to_be_bytes().to_vec();
        bytes.extend_from_slice(&header);
        let exact = &self.value().periods;
        if exact.len() != permit.request.periods().len() || noise.periods.len() != exact.len() {
            return Err(Error::Shape);
        }
        for (counts, noise) in exact.iter().zip(&noise.periods) {
            let sized = |vectors: &Vec<Vec<i64>>| {
                vectors.len() == permit.vectors.len() && vectors.iter().all(|v| v.len() == cells)
            };
            if !sized(counts) || !sized(noise) {
                return Err(Error::Shape);
            }
            let gate = |c: usize| -> Result<bool, Error> {
                let noisy = counts[0][c].checked_add(noise[0][c]).ok_or(Error::Overflow)?;
                Ok(counts[0][c] >= i64::from(permit.debit.k) && noisy >= tau)
            };
            for (exact, noise) in counts.iter().zip(noise) {
                for c in 0..cells {
                    // Added before the gate is asked: an overflow may not depend on it.
                    let noisy = exact[c].checked_add(noise[c]).ok_or(Error::Overflow)?;
                    let open = gate(c)?;
                    bytes.push(u8::from(open));
                    bytes.extend_from_slice(&(if open { noisy } else { 0 }).to_be_bytes());
                }
            }
        }
        Ok(Release { bytes, debit: permit.seq() })
    }
}

impl Release {
    /// The bytes that are stored, signed and sent.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The sequence number of the debit that paid for it.
    pub fn debit(&self) -> u64 {
        self.debit
    }
}

/// Largest noisy value that a receiver takes: sums over 500 nodes stay exact.
const LARGEST_VALUE: u64 = 1 << 40;

/// Recomputes what the node says of its own terms.
fn terms_hold(request: &TableRequest, header: &Header) -> Result<(), Error> {
    if request.release() != ReleaseKind::PerNode {
        return Err(Error::Bytes("the question is for a regional table"));
    }
    let gate = header.cost.atto_delta;
    if header.k < policy::LOWEST_K || header.k > 1_000_000 || !policy::GATES.contains(&gate) {
        return Err(Error::Bytes("k or the cost of the gate is out of range"));
    }
    if cost::of_period(request, gate).ok() != Some(header.cost) {
        return Err(Error::Bytes("the cost does not follow from the question"));
    }
    if tail::threshold(header.k, request.variance(), gate, cost::cells_touched(request)) != header.tau {
        return Err(Error::Bytes("the threshold does not follow from k and the gate"));
    }
    Ok(())
}

/// A release as its receiver reads it: every structural rule checked.
#[derive(Clone)]
pub struct Received {
    request: TableRequest,
    header: Header,
    values: Vec<Option<i64>>,
    vectors: usize,
    /// A suppressed cell holds a value.
    hidden: bool,
}

impl Received {
    /// Reads the bytes of a release.
    ///
    /// # Errors
    /// When they are not exactly what [`Exact::release`] writes: header,
    /// length, status bytes, zeros where suppressed, one gate for all vectors,
    /// no printed count under tau, and a tau and a cost that follow from the
    /// question, k and the gate.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let received = Self::read(bytes, |request| TableRequest::read(request.bytes()).ok())?;
        terms_hold(&received.request, &received.header)?;
        received.gate_holds()?;
        Ok(received)
    }

    /// Reads the shape only, for those who judge the rest apart: that terms hold is
    /// not checked here, nor is the gate ([`Received::gate_holds`]). `parse` reads the
    /// question.
    ///
    /// # Errors
    /// When header, question, length, a status byte or the size of a value is wrong.
    pub fn read(bytes: &[u8], parse: impl FnOnce(&Json) -> Option<TableRequest>) -> Result<Self, Error> {
        let (length, rest) = bytes.split_first_chunk::<4>().ok_or(Error::Bytes("too short"))?;
        let length = u32::from_be_bytes(*length) as usize;
        if length > rest.len() {
            return Err(Error::Bytes("the header is cut off"));
        }
        let (header, body) = rest.split_at(length);
        let header: Header = canonical::from_bytes(header).map_err(|_| Error::Bytes("the header is not canonical"))?;
        let request = parse(&header.request).ok_or(Error::Bytes("the question is not one"))?;
        let vectors = cost::vectors(&request).map_err(|_| Error::Bytes("the noise is out of range"))?.len();
        let (periods, cells) = (request.periods().len(), request.domain().cells());
        if (header.v, header.attempt) != (1, 0)
            || header.vintages.len() != periods
            || body.len() != periods * vectors * cells * 9
        {
            return Err(Error::Bytes("the length does not follow from the question"));
        }
        let mut values = Vec::with_capacity(body.len() / 9);
        let mut hidden = false;
        for cell in body.chunks_exact(9) {
            let value = i64::from_be_bytes(cell[1..].try_into().expect("nine bytes"));
            values.push(match cell[0] {
                0 => {
                    hidden |= value != 0;
                    None
                }
                1 if value.unsigned_abs() <= LARGEST_VALUE => Some(value),
                _ => return Err(Error::Bytes("a cell is neither published nor suppressed")),
            });
        }
        Ok(Self { request, header, values, vectors, hidden })
    }

    /// Checks what the gate lets through.
    ///
    /// # Errors
    /// When a suppressed cell is not zero, a printed count lies under tau, or a cell is
    /// printed in one vector only.
    pub fn gate_holds(&self) -> Result<(), Error> {
        if self.hidden {
            return Err(Error::Bytes("a suppressed cell is not zero"));
        }
        for p in 0..self.request.periods().len() {
            for c in 0..self.request.domain().cells() {
                let gate = self.value(p, 0, c);
                if gate.is_some_and(|y| y < self.header.tau) {
                    return Err(Error::Bytes("a printed count lies under the threshold"));
                }
                if (1..self.vectors).any(|v| self.value(p, v, c).is_some() != gate.is_some()) {
                    return Err(Error::Bytes("one cell passes the gate in one vector only"));
                }
            }
        }
        Ok(())
    }

    /// True when the header says exactly what the debit does.
    pub fn is_of(&self, debit: &Debit) -> bool {
        let Header { attempt, cost, k, node, policy, request, round, tau, v: _, vintages } = &self.header;
        *attempt == 0
            && debit.attempt == 0
            && *cost == debit.cost
            && *k == debit.k
            && *node == debit.node
            && *policy == debit.policy
            && *request == debit.request
            && *round == debit.round
            && Some(*tau) == debit.tau
            && *vintages == debit.vintages
    }

    /// How many cells there are, over all periods.
    pub fn cells(&self) -> usize {
        self.values.len() / self.vectors
    }

    /// The noisy value of a cell, none when suppressed.
    pub fn value(&self, period: usize, vector: usize, cell: usize) -> Option<i64> {
        let cells = self.request.domain().cells();
        self.values[(period * self.vectors + vector) * cells + cell]
    }

    /// The question answered.
    pub fn request(&self) -> &TableRequest {
        &self.request
    }

    /// The node that answered.
    pub fn node(&self) -> &Name {
        &self.header.node
    }

    /// The node's k.
    pub fn k(&self) -> u32 {
        self.header.k
    }

    /// The node's threshold.
    pub fn tau(&self) -> i64 {
        self.header.tau
    }

    /// What each period cost at the node.
    pub fn cost(&self) -> Cost {
        self.header.cost
    }

    /// The hash of the policy that admitted the question.
    pub fn policy(&self) -> Digest {
        self.header.policy
    }

    /// The round in which the question was offered.
    pub fn round(&self) -> Digest {
        self.header.round
    }
}
