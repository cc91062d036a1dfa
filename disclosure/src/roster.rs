//! The roster: who is who in a region, signed by its governance key.
//!
//! It is the only who-is-who. The coordinator distributes it and cannot write
//! it; a node's operator approves each epoch by its hash. Names are those of
//! organisations and of the accounts people use, in ASCII.

use crate::canonical::{self, Json};
use crate::identity::{self, check_roster};
use crate::names::{Digest, Name, hex, unhex};
use crate::round::Strictness;
use serde::{Deserialize, Serialize};

/// What a person may do.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Asks for tables and reads them.
    Requester,
    /// Reads evidence, and nothing else.
    Auditor,
}

/// A node of the region.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct NodeEntry {
    /// Municipality codes that it serves, ascending.
    pub areas: Vec<String>,
    /// Its Ed25519 identity key.
    pub identity: Digest,
    /// The key that signs its log's checkpoints.
    pub log: Digest,
    /// Its name.
    pub name: Name,
    /// The key that cosigns the coordinator's checkpoints.
    pub witness: Digest,
}

/// The two Ed25519 keys with which a node or the coordinator takes part in evidence.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LogKeys {
    /// Signs the checkpoints of its own log.
    pub log: Digest,
    /// Cosigns the checkpoints of others' logs.
    pub witness: Digest,
}

/// A person of the region.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PersonEntry {
    /// Their Ed25519 identity key.
    pub identity: Digest,
    /// The account's name.
    pub name: Name,
    /// What they may do.
    pub roles: Vec<Role>,
}

/// The least strict parameters that the region accepts of any node.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Floor {
    /// Nodes that may collude with the coordinator, at least.
    pub c: u32,
    /// Chance that a regional table prints a cell below k, at most.
    pub eta: (u64, u64),
    /// Nodes that may know one person, at least.
    pub j: u32,
    /// Smallest count that may be printed, at least.
    pub k: u32,
}

impl Floor {
    /// What this floor allows and the one before did not, a line each.
    pub fn looser_than(&self, before: &Self) -> Vec<String> {
        let ((num, den), (old_num, old_den)) = (self.eta, before.eta);
        let lines = [
            (self.k < before.k, format!("smallest count: {} -> {}", before.k, self.k)),
            (self.j < before.j, format!("nodes that may know one person: {} -> {}", before.j, self.j)),
            (self.c < before.c, format!("nodes that may collude with the coordinator: {} -> {}", before.c, self.c)),
            (
                u128::from(num) * u128::from(old_den) > u128::from(old_num) * u128::from(den),
                format!("chance of a figure under the smallest count: {old_num}/{old_den} -> {num}/{den}"),
            ),
        ];
        lines.into_iter().filter(|(looser, _)| *looser).map(|(_, line)| format!("looser than before: {line}")).collect()
    }
}

#[derive(Clone, Serialize, Deserialize)]
struct Wire {
    coordinator: LogKeys,
    epoch: u64,
    floor: Floor,
    nodes: Vec<NodeEntry>,
    persons: Vec<PersonEntry>,
    region: Name,
    v: u8,
}

/// A roster in canonical form, not yet signed.
#[derive(Clone)]
pub struct Roster {
    wire: Wire,
    bytes: Vec<u8>,
    hash: Digest,
}

/// A roster with the governance key's signature.
#[derive(Clone)]
pub struct SignedRoster {
    pub(crate) roster: Roster,
    pub(crate) signature: [u8; 64],
}

/// Why a roster is refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The bytes are not a canonical roster.
    #[error("not a roster: {0}")]
    Bytes(#[from] canonical::Error),
    /// Two entries share a name or a key, or entries are out of order.
    #[error("the roster lists a name or key twice, or is out of order")]
    Duplicate,
    /// The region's floor is out of range.
    #[error("the roster's floor is out of range: k at least 3, j 1 to 100, eta above 0 and at most 1/2")]
    Floor,
    /// The signature is not the governance key's.
    #[error("the roster is not signed by the region's governance key")]
    Signature,
}

#[derive(Serialize, Deserialize)]
struct SignedWire {
    roster: Json,
    signature: String,
}

impl Roster {
    /// Builds a roster; entries are sorted here.
    ///
    /// # Errors
    /// When a name or a key stands twice.
    pub fn new(
        region: Name,
        epoch: u64,
        coordinator: LogKeys,
        floor: Floor,
        mut nodes: Vec<NodeEntry>,
        mut persons: Vec<PersonEntry>,
    ) -> Result<Self, Error> {
        nodes.sort_by(|a, b| a.name.cmp(&b.name));
        persons.sort_by(|a, b| a.name.cmp(&b.name));
        Self::from_wire(Wire { coordinator, epoch, floor, nodes, persons, region, v: 1 })
    }

    /// Reads a roster from its canonical bytes.
    ///
    /// # Errors
    /// When they are not canonical, or a name or key stands twice.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        Self::from_wire(canonical::from_bytes(bytes)?)
    }

    fn from_wire(wire: Wire) -> Result<Self, Error> {
        let ascending = |names: Vec<&Name>| names.windows(2).all(|w| w[0] < w[1]);
        let of_nodes = wire.nodes.iter().flat_map(|n| [n.identity, n.log, n.witness]);
        let of_persons = wire.persons.iter().map(|p| p.identity);
        let mut keys: Vec<Digest> =
            [wire.coordinator.log, wire.coordinator.witness].into_iter().chain(of_nodes).chain(of_persons).collect();
        let count = keys.len();
        keys.sort_unstable();
        keys.dedup();
        let ordered = ascending(wire.nodes.iter().map(|n| &n.name).collect())
            && ascending(wire.persons.iter().map(|p| &p.name).collect());
        if !ordered || keys.len() != count || wire.v != 1 {
            return Err(Error::Duplicate);
        }
        if !(Strictness { eta: wire.floor.eta, j: wire.floor.j, k: wire.floor.k }).in_range() {
            return Err(Error::Floor);
        }
        let bytes = canonical::to_bytes(&wire)?;
        Ok(Self { wire, hash: Digest::of(&bytes), bytes })
    }

    /// The canonical bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The SHA-256 of the canonical bytes: what an operator approves.
    pub fn hash(&self) -> Digest {
        self.hash
    }

    /// The region.
    pub fn region(&self) -> &Name {
        &self.wire.region
    }

    /// Counts up with each roster.
    pub fn epoch(&self) -> u64 {
        self.wire.epoch
    }

    /// The keys of the coordinator's evidence.
    pub fn coordinator(&self) -> LogKeys {
        self.wire.coordinator
    }

    /// The region's floor.
    pub fn floor(&self) -> Floor {
        self.wire.floor
    }

    /// The nodes, by name.
    pub fn nodes(&self) -> &[NodeEntry] {
        &self.wire.nodes
    }

    /// The persons, by name.
    pub fn persons(&self) -> &[PersonEntry] {
        &self.wire.persons
    }

    /// The node of this name.
    pub fn node(&self, name: &Name) -> Option<&NodeEntry> {
        self.wire.nodes.iter().find(|n| n.name == *name)
    }

    /// The person of this name.
    pub fn person(&self, name: &Name) -> Option<&PersonEntry> {
        self.wire.persons.iter().find(|p| p.name == *name)
    }

    /// The areas that the region's nodes serve, ascending and distinct.
    pub fn areas(&self) -> Vec<String> {
        let mut areas: Vec<String> = self.wire.nodes.iter().flat_map(|n| n.areas.clone()).collect();
        areas.sort();
        areas.dedup();
        areas
    }
}

impl SignedRoster {
    /// Reads a signed roster and checks the signature of `governance`.
    ///
    /// # Errors
    /// When it is not canonical or not signed by that key.
    pub fn parse(bytes: &[u8], governance: Digest) -> Result<Self, Error> {
        let wire: SignedWire = canonical::from_bytes(bytes)?;
        let roster = Roster::parse(wire.roster.bytes())?;
        let signature = unhex(&wire.signature).map_err(|_| Error::Signature)?;
        Self::of(roster, signature, governance)
    }

    /// Puts a roster and its signature together, as logs name them apart.
    ///
    /// # Errors
    /// When the signature is not that of `governance`.
    pub fn of(roster: Roster, signature: [u8; 64], governance: Digest) -> Result<Self, Error> {
        check_roster(&roster, &signature, governance).map_err(|_: identity::Error| Error::Signature)?;
        Ok(Self { roster, signature })
    }

    /// The canonical bytes, signature included.
    pub fn bytes(&self) -> Vec<u8> {
        let wire = SignedWire { roster: Json::written(self.roster.bytes()), signature: hex(&self.signature) };
        canonical::to_bytes(&wire).expect("a roster and hex")
    }

    /// The governance key's signature.
    pub fn signature(&self) -> &[u8; 64] {
        &self.signature
    }

    /// The roster.
    pub fn roster(&self) -> &Roster {
        &self.roster
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::IdentityKey;

    #[test]
    fn what_a_floor_loosens_is_told_and_what_it_tightens_is_not() {
        let before = Floor { c: 2, eta: (1, 100), j: 3, k: 7 };
        assert!(before.looser_than(&before).is_empty());
        assert!(Floor { c: 3, eta: (1, 200), j: 4, k: 8 }.looser_than(&before).is_empty());
        let told = Floor { c: 1, eta: (2, 100), j: 2, k: 5 }.looser_than(&before);
        assert_eq!(told.len(), 4, "{told:?}");
        assert_eq!(told[0], "looser than before: smallest count: 7 -> 5");
        assert!(told[3].ends_with("1/100 -> 2/100"), "{told:?}");
    }

    #[test]
    fn only_the_governance_key_makes_a_roster() {
        let node = |name: &str, key: u8| NodeEntry {
            areas: vec![],
            identity: Digest([key; 32]),
            log: Digest([key + 100; 32]),
            name: name.parse().unwrap(),
            witness: Digest([key + 200; 32]),
        };
        let floor = Floor { c: 1, eta: (1, 100), j: 2, k: 5 };
        let region: Name = "ita".parse().unwrap();
        let coordinator = LogKeys { log: Digest([50; 32]), witness: Digest([51; 32]) };
        let roster = |nodes| Roster::new(region.clone(), 1, coordinator, floor, nodes, vec![]);
        assert!(roster(vec![node("a", 1), node("b", 1)]).is_err(), "one key for two nodes");
        assert!(roster(vec![node("a", 1), node("a", 2)]).is_err(), "one name for two nodes");
        let key = IdentityKey::from_seed([1; 32]);
        let signed = key.sign_roster(roster(vec![node("b", 2), node("a", 1)]).unwrap()).bytes();
        assert!(SignedRoster::parse(&signed, key.public()).is_ok());
        assert_eq!(SignedRoster::parse(&signed, Digest([9; 32])).err(), Some(Error::Signature));
        let text = String::from_utf8(signed).unwrap().replace("\"epoch\":1", "\"epoch\":2");
        assert_eq!(SignedRoster::parse(text.as_bytes(), key.public()).err(), Some(Error::Signature));
    }
}
