//! A node's own rules: which questions it answers, and at what cost.
//!
//! The data-protection officer approves a policy; a requester cannot loosen it.
//! [`Policy::admit`] sees the question and what the node holds, never a record,
//! so a refusal says nothing about data. What it admits is an [`Admitted`], and
//! nothing else makes one.

use crate::canonical::{self, Json, LARGEST_INTEGER};
use crate::cost::{self, Cost, Vector};
use crate::names::{Digest, Name};
use crate::period::Period;
use crate::poisson::Poisson;
use crate::quorum::Quorum;
use crate::refusal::Refusal;
use crate::request::{Measure, Purpose, ReleaseKind, TableRequest};
use crate::roster::Floor;
use crate::round::Strictness;
use crate::tail;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The lowest k that any policy may have.
pub const LOWEST_K: u32 = 3;

/// What the gate of one table may cost, in 1e-18: 1e-9 to 1e-6.
pub const GATES: std::ops::RangeInclusive<u64> = 1_000_000_000..=1_000_000_000_000;

/// A node's rules, as `policy.toml` writes them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "PolicyFile", into = "PolicyFile")]
pub struct Policy(PolicyFile);

/// The keys of `policy.toml`, not yet checked: [`Policy`] is made from it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyFile {
    /// The smallest count that may be printed.
    pub k: u32,
    /// Who says yes.
    pub approval: Approval,
    /// How much may be spent.
    pub allowance: Allowance,
    /// How regional tables treat small cells.
    #[serde(default)]
    pub regional: Regional,
    /// Which tables there may be.
    pub tables: Tables,
}

/// How strictly this node wants regional tables to treat small cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Regional {
    /// Nodes that may know one person.
    pub nodes_per_person: u32,
    /// Chance that a table prints a cell below k, as a fraction.
    pub chance_below_k: (u64, u64),
}

impl Default for Regional {
    fn default() -> Self {
        Self { nodes_per_person: 2, chance_below_k: (1, 100) }
    }
}

/// Who says yes to an admitted question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Approval {
    /// A person at the node, for each question.
    Each,
    /// The policy itself: a standing rule.
    Auto,
}

/// How much may be spent. Late or corrected data never refill it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Allowance {
    /// Privacy loss allowed per data source and period, in 1e-9 rho.
    pub nano_rho_per_period: u64,
    /// Failure probability allowed per data source and period, in 1e-18.
    pub atto_delta_per_period: u64,
    /// The share of it that one requester may spend, in 1e-9 rho.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nano_rho_per_requester: Option<u64>,
    /// What the gate of one table costs, in 1e-18.
    pub gate_atto_delta: u64,
}

/// Which tables this node answers for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tables {
    /// What may be measured.
    pub measures: Vec<Measure>,
    /// By what tables may be divided or filtered: ids of the codebook.
    pub dimensions: Vec<String>,
    /// What for.
    pub purposes: Vec<Purpose>,
    /// Most cells of a table, over all its periods.
    pub most_cells: u64,
    /// The largest contribution bound that a question may have.
    pub most_per_client: u8,
}

/// Why a policy is not one.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// k is too small.
    #[error("k must be at least {LOWEST_K}")]
    K,
    /// An allowance is out of range.
    #[error("the allowance must be positive, at most 10 rho and 1e-3 delta a period, and cover at least one gate")]
    Allowance,
    /// The gate's delta is out of range.
    #[error("gate_atto_delta must lie between 1000000000 (1e-9) and 1000000000000 (1e-6)")]
    Gate,
    /// The terms for regional tables are out of range.
    #[error("nodes_per_person must be 1 to 100, and chance_below_k a fraction such as [1, 100], at most 1/2")]
    Regional,
    /// A dimension that no codebook can have.
    #[error("dimensions may hold ids of the codebook only, as `koonti codebook show` lists them")]
    Dimensions,
    /// A number with which the rules would have no hash.
    #[error("{0} may be {LARGEST_INTEGER} at most")]
    Large(&'static str),
}

impl TryFrom<PolicyFile> for Policy {
    type Error = Error;
    fn try_from(file: PolicyFile) -> Result<Self, Error> {
        let a = &file.allowance;
        if file.k < LOWEST_K {
            return Err(Error::K);
        }
        if !GATES.contains(&a.gate_atto_delta) {
            return Err(Error::Gate);
        }
        if !file.strictness().in_range() {
            return Err(Error::Regional);
        }
        // An id that is only misspelt divides nothing; earlier versions have let it be approved.
        if !file.tables.dimensions.iter().all(|id| canonical::is_text(id)) {
            return Err(Error::Dimensions);
        }
        if file.tables.most_cells > LARGEST_INTEGER {
            return Err(Error::Large("most_cells"));
        }
        if a.nano_rho_per_requester > Some(LARGEST_INTEGER) {
            return Err(Error::Large("nano_rho_per_requester"));
        }
        let in_range = (1..=10_000_000_000).contains(&a.nano_rho_per_period)
            && (a.gate_atto_delta..=1_000_000_000_000_000).contains(&a.atto_delta_per_period);
        if in_range { Ok(Self(file)) } else { Err(Error::Allowance) }
    }
}

impl PolicyFile {
    fn strictness(&self) -> Strictness {
        Strictness { eta: self.regional.chance_below_k, j: self.regional.nodes_per_person, k: self.k }
    }
}

impl From<Policy> for PolicyFile {
    fn from(policy: Policy) -> Self {
        policy.0
    }
}

/// An import of the register, as far as admission may know it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Vintage {
    /// Its random id.
    pub id: Digest,
    /// True when each row of the register was an event, so that events can be counted.
    pub events: bool,
}

/// What a node holds, as far as admission may know it: no record, no count.
pub struct Holdings<'a> {
    /// The region the node belongs to.
    pub region: &'a Name,
    /// The node's name.
    pub node: &'a Name,
    /// The register it answers for.
    pub register: &'a Name,
    /// The data source behind the register, whose allowance is spent.
    pub source: &'a Name,
    /// The areas it serves, as municipality codes.
    pub areas: &'a [String],
    /// The first released, else newest, vintage of each imported period.
    pub vintages: &'a BTreeMap<Period, Vintage>,
    /// The region's floor, from the approved roster.
    pub floor: Floor,
    /// The quorum of the approved roster; none when it is too small for one.
    pub quorum: Option<Quorum>,
}

impl Policy {
    /// The smallest count that may be printed.
    pub fn k(&self) -> u32 {
        self.0.k
    }

    /// Who says yes.
    pub fn approval(&self) -> Approval {
        self.0.approval
    }

    /// How much may be spent.
    pub fn allowance(&self) -> Allowance {
        self.0.allowance
    }

    /// All its keys, to be explained.
    pub fn file(&self) -> &PolicyFile {
        &self.0
    }

    /// The policy in canonical form.
    ///
    /// # Panics
    /// Never: it holds names and integers below 2^53.
    pub fn bytes(&self) -> Vec<u8> {
        canonical::to_bytes(&self.0).expect("a policy holds names and integers below 2^53")
    }

    /// The same, to be embedded.
    pub fn json(&self) -> Json {
        Json::written(&self.bytes())
    }

    /// The SHA-256 of the policy in canonical form.
    pub fn hash(&self) -> Digest {
        Digest::of(&self.bytes())
    }

    /// Admits a question, or says why not. Depends on its arguments only; none
    /// of them is computed from records.
    ///
    /// # Errors
    /// The first rule that the question breaks.
    pub fn admit(&self, request: &TableRequest, holdings: &Holdings<'_>) -> Result<Admitted, Refusal> {
        let tables = &self.0.tables;
        let rule = |kept: bool, refusal: Refusal| if kept { Ok(()) } else { Err(refusal) };
        rule(request.region() == holdings.region, Refusal::RegionMismatch)?;
        rule(request.register() == holdings.register, Refusal::RegisterUnknown)?;
        rule(self.0.k >= holdings.floor.k, Refusal::PolicyLooserThanFloor)?;
        rule(tables.purposes.contains(&request.purpose()), Refusal::PurposeNotAllowed)?;
        rule(tables.measures.contains(&request.measure()), Refusal::MeasureNotAllowed)?;
        rule(request.dimensions().all(|d| tables.dimensions.iter().any(|a| a == d)), Refusal::DimensionNotAllowed)?;
        let cells = request.domain().cells() as u64;
        rule(cells * request.periods().len() as u64 <= tables.most_cells, Refusal::TableTooLarge)?;
        rule(request.max_per_client().is_none_or(|b| b <= tables.most_per_client), Refusal::BoundTooLarge)?;
        let served = request.filter("area").is_none_or(|codes| codes.iter().any(|c| holdings.areas.contains(c)));
        // A regional sum wants everybody: those without clients there add zeros and noise.
        rule(served || request.release() == ReleaseKind::Regional, Refusal::AreaNotServed)?;
        let vintages = request
            .periods()
            .iter()
            .map(|p| holdings.vintages.get(p).copied().ok_or(Refusal::PeriodNotHeld))
            .collect::<Result<Vec<Vintage>, _>>()?;
        rule(request.measure() != Measure::Events || vintages.iter().all(|v| v.events), Refusal::MeasureNotHeld)?;
        let vectors = cost::vectors(request).map_err(|_| Refusal::NoiseOutOfRange)?;
        let gate = self.0.allowance.gate_atto_delta;
        let cost = cost::of_period(request, gate).map_err(|_| Refusal::NoiseOutOfRange)?;
        let terms = match request.release() {
            ReleaseKind::PerNode => Terms::PerNode {
                tau: tail::threshold(self.0.k, request.variance(), gate, cost::cells_touched(request)),
            },
            ReleaseKind::Regional => {
                let quorum = holdings.quorum.ok_or(Refusal::TooFewNodes)?;
                let drawable = |v: &Vector| Poisson::new(v.variance, quorum.h()).is_ok();
                rule(vectors.iter().all(drawable), Refusal::NoiseOutOfRange)?;
                let floor = Strictness { eta: holdings.floor.eta, j: holdings.floor.j, k: holdings.floor.k };
                Terms::Regional { strictness: self.0.strictness().strictest(floor) }
            }
        };
        Ok(Admitted {
            terms,
            k: self.0.k,
            node: holdings.node.clone(),
            source: holdings.source.clone(),
            policy: self.hash(),
            allowance: self.0.allowance,
            request: request.clone(),
            vintages: vintages.iter().map(|vintage| vintage.id).collect(),
            vectors,
            cost,
        })
    }
}

/// A question that a node's own policy allows, with its cost.
pub struct Admitted {
    pub(crate) request: TableRequest,
    pub(crate) node: Name,
    pub(crate) source: Name,
    pub(crate) vintages: Vec<Digest>,
    pub(crate) vectors: Vec<Vector>,
    pub(crate) cost: Cost,
    pub(crate) allowance: Allowance,
    pub(crate) k: u32,
    pub(crate) terms: Terms,
    pub(crate) policy: Digest,
}

/// What keeps small cells out of print.
#[derive(Clone, Copy)]
pub(crate) enum Terms {
    /// A gate on this node's own counts.
    PerNode { tau: i64 },
    /// A threshold on the region's noisy sum, at least this strict.
    Regional { strictness: Strictness },
}

impl Admitted {
    /// The question.
    pub fn request(&self) -> &TableRequest {
        &self.request
    }

    /// The cost of each period.
    pub fn cost(&self) -> Cost {
        self.cost
    }

    /// The smallest true count that may be printed.
    pub fn k(&self) -> u32 {
        self.k
    }

    /// The smallest noisy count of this node that may be printed; none in a
    /// regional table, whose threshold is on the region's sum.
    pub fn tau(&self) -> Option<i64> {
        match self.terms {
            Terms::PerNode { tau } => Some(tau),
            Terms::Regional { .. } => None,
        }
    }

    /// How strictly the node wants a regional table to treat small cells.
    pub fn strictness(&self) -> Option<Strictness> {
        match self.terms {
            Terms::PerNode { .. } => None,
            Terms::Regional { strictness } => Some(strictness),
        }
    }

    /// The vintage to count for each period.
    pub fn vintages(&self) -> &[Digest] {
        &self.vintages
    }

    /// The data source whose allowance is spent.
    pub fn source(&self) -> &Name {
        &self.source
    }
}
