//! Logs being written, with hooks; keys and signatures.

use super::{COORDINATOR, Value, approvals, governance, json, log_of, name, person, roster};
use koonti_disclosure::release::Received;
use koonti_disclosure::{Digest, Name, canonical, names};
use koonti_evidence::Checkpoint;
use koonti_evidence::bundle::Bundle;
use koonti_evidence::note::{LogKey, Note, VerifierKey, WitnessKey};
use koonti_evidence::origin::{coordinator_origin, cosigner, node_origin};
use koonti_evidence::tree::{Tree, leaf_hash};
use std::collections::{BTreeMap, HashMap};
use zeroize::Zeroizing;

pub const START: u64 = 1_770_000_000;
/// When the checkpoints are cosigned.
pub const COSIGNED: u64 = START + 1000;

/// What a mutant changes.
pub struct Hooks<'h> {
    /// An entry by log and tag: what is written in its place.
    pub entry: &'h dyn Fn(&str, Vec<u8>) -> Vec<Vec<u8>>,
    /// A blob by tag.
    pub blob: &'h dyn Fn(&str, Vec<u8>) -> Vec<u8>,
}

impl Hooks<'_> {
    pub const HONEST: Hooks<'static> = Hooks { entry: &|_, bytes| vec![bytes], blob: &|_, bytes| bytes };
}

#[derive(Default)]
pub struct Log {
    pub entries: Vec<Vec<u8>>,
    pub tree: Tree,
}

pub struct Scribe<'h> {
    hooks: &'h Hooks<'h>,
    pub logs: BTreeMap<String, Log>,
    pub blobs: HashMap<Digest, Vec<u8>>,
    pub time: u64,
    /// Seconds from one entry to the next.
    pub pace: u64,
    /// Index, round and nonce of each question.
    pub asked: HashMap<String, (u64, Digest, Digest)>,
    known: HashMap<String, Digest>,
    pub received: Vec<Received>,
    pub debits: HashMap<u16, u64>,
    pub masked: HashMap<u16, Digest>,
    pub policies: HashMap<String, Digest>,
    /// The cap of each node's rules, and how many seeds it fixes.
    pub room: (u64, u64),
}

impl<'h> Scribe<'h> {
    pub fn new(hooks: &'h Hooks<'h>) -> Self {
        Self {
            hooks,
            logs: BTreeMap::new(),
            blobs: HashMap::new(),
            time: START,
            pace: 1,
            asked: HashMap::new(),
            known: HashMap::new(),
            received: vec![],
            debits: HashMap::new(),
            masked: HashMap::new(),
            policies: HashMap::new(),
            room: (1_000_000_000, 4),
        }
    }

    /// Writes an entry, or what the hook makes of it; its index.
    pub fn push(&mut self, log: &str, tag: &str, mut entry: Value) -> u64 {
        self.time += self.pace;
        entry["time"] = self.time.into();
        let bytes = canonical::to_bytes(&entry).unwrap();
        let of = self.logs.entry(log.to_owned()).or_default();
        let index = of.tree.len();
        for bytes in (self.hooks.entry)(&format!("{log}/{tag}"), bytes) {
            of.tree.push(leaf_hash(&bytes));
            of.entries.push(bytes);
        }
        index
    }

    pub fn blob(&mut self, tag: &str, bytes: Vec<u8>) -> Digest {
        let bytes = (self.hooks.blob)(tag, bytes);
        let hash = Digest::of(&bytes);
        self.blobs.insert(hash, bytes);
        hash
    }

    pub fn release(&mut self, tag: &str, bytes: Vec<u8>) -> Digest {
        self.blob(tag, bytes)
    }

    pub fn head(&self, log: &str) -> (u64, Digest) {
        self.logs.get(log).map_or((0, Tree::new().root()), |log| (log.tree.len(), log.tree.root()))
    }

    /// The heads of all nodes' logs, as a blob.
    pub fn heads(&mut self, tag: &str) -> Digest {
        let node = |place| (super::node_name(place), self.head(&log_of(place)));
        let heads: BTreeMap<Name, (u64, Digest)> = (0..super::NODES).map(node).collect();
        let hash = self.blob(tag, canonical::to_bytes(&heads).unwrap());
        self.known.insert(tag.to_owned(), hash);
        hash
    }

    /// The size of a node's log that a question's heads record.
    pub fn known(&self, tag: &str, node: &Name) -> u64 {
        let heads = &self.blobs[&self.known[&format!("heads-{tag}")]];
        let heads: Value = serde_json::from_slice(heads).unwrap_or_default();
        heads[node.as_str()][0].as_u64().unwrap_or(0)
    }

    pub fn roster(&mut self, log: &str, tag: &str, epoch: u64) {
        let signed = governance().sign_roster(roster(epoch));
        let hash = self.blob(tag, signed.roster().bytes().to_vec());
        let signature = sign([200; 32], "roster", &self.blobs[&hash]);
        let kind = if log == COORDINATOR { "roster" } else { "roster-approved" };
        self.push(log, tag, json!({"type": kind, "epoch": epoch, "roster": hash, "signature": names::hex(&signature)}));
    }

    pub fn policy(&mut self, log: &str, tag: &str, policy: &Value, by: &[&str]) {
        let hash = self.blob(&format!("{log}/{tag}"), canonical::to_bytes(policy).unwrap());
        self.policies.insert(log.to_owned(), hash);
        let after = self.approved(log);
        let approvals = approvals(by, |key| key.sign_policy(after, hash));
        self.push(log, tag, json!({"type": "policy-approved", "after": after, "approvals": approvals, "policy": hash}));
    }

    /// The same as earlier versions wrote it.
    pub fn policy_of_old(&mut self, log: &str, policy: &Value, by: &[&str]) {
        let hash = self.blob(&format!("{log}/policy"), canonical::to_bytes(policy).unwrap());
        self.policies.insert(log.to_owned(), hash);
        let approvals = signatures_of_old(by, "policy", &[hash]);
        self.push(log, "policy", json!({"type": "policy-approved", "approvals": approvals, "policy": hash}));
    }

    /// What a log has approved: the next approval names it.
    pub fn approved(&self, log: &str) -> Digest {
        let kinds = ["genesis", "approvers", "policy-approved"];
        let of = |entry: &&Vec<u8>| {
            let entry: Value = serde_json::from_slice(entry).unwrap_or_default();
            kinds.iter().any(|kind| entry["type"] == *kind)
        };
        let chained = |end: Digest, entry: &Vec<u8>| Digest::of(&[end.0, Digest::of(entry).0].concat());
        self.logs[log].entries.iter().filter(of).fold(Digest([0; 32]), chained)
    }

    /// Puts logs and blobs into a bundle.
    pub fn finish(self, bundle: &mut Bundle) {
        for (folder, log) in &self.logs {
            let note = note(folder, log.tree.len(), log.tree.root(), &cosigners(folder), COSIGNED);
            bundle.log(folder, &note, &log.entries).unwrap();
        }
        self.blobs.into_values().for_each(|bytes| bundle.blob(bytes));
    }
}

pub fn log_seed(log: &str) -> [u8; 32] {
    Digest::of(format!("log {log}").as_bytes()).0
}

pub fn witness_seed(log: &str) -> [u8; 32] {
    Digest::of(format!("witness {log}").as_bytes()).0
}

pub fn public(seed: [u8; 32]) -> Digest {
    koonti_disclosure::identity::IdentityKey::from_seed(seed).public()
}

pub fn origin(log: &str) -> String {
    match log.strip_prefix("node-") {
        Some(node) => node_origin(&name("ita"), &name(node)),
        None => coordinator_origin(&name("ita")),
    }
}

pub fn log_key(log: &str) -> LogKey {
    LogKey::from_seed(&origin(log), Zeroizing::new(log_seed(log))).unwrap()
}

pub fn witness_key(log: &str) -> WitnessKey {
    WitnessKey::from_seed(&cosigner(&origin(log)), Zeroizing::new(witness_seed(log))).unwrap()
}

/// Who cosigns a log.
pub fn cosigners(log: &str) -> Vec<String> {
    if log == COORDINATOR { (0..super::NODES).map(log_of).collect() } else { vec![COORDINATOR.to_owned()] }
}

pub fn checkpoint(log: &str, size: u64, root: Digest) -> Checkpoint {
    Checkpoint::new(&origin(log), size, root).unwrap()
}

pub fn note(log: &str, size: u64, root: Digest, by: &[String], time: u64) -> Note {
    let checkpoint = checkpoint(log, size, root);
    let mut note = checkpoint.sign(&log_key(log)).unwrap();
    for cosigner in by {
        note.add(checkpoint.cosign(&witness_key(cosigner), time).unwrap()).unwrap();
    }
    note
}

pub fn outside(which: &str) -> (WitnessKey, VerifierKey) {
    let seed = person(which).seed_hex();
    let seed = Zeroizing::new(names::unhex::<32>(&seed).unwrap());
    let key = WitnessKey::from_seed(&format!("example.org/{which}"), seed).unwrap();
    let verifier = key.verifier().clone();
    (key, verifier)
}

/// Approvals as earlier versions made them: of what is approved alone.
pub fn signatures_of_old(who: &[&str], label: &str, what: &[Digest]) -> Value {
    let message: Vec<u8> = what.iter().flat_map(|digest| digest.0).collect();
    approvals(who, |key| {
        let seed = names::unhex(&key.seed_hex()).unwrap();
        sign(seed, label, &message)
    })
}

pub fn sign(seed: [u8; 32], label: &str, message: &[u8]) -> [u8; 64] {
    let pair = ring::signature::Ed25519KeyPair::from_seed_unchecked(&seed).unwrap();
    let message = [b"koonti/v1/", label.as_bytes(), b"\0", message].concat();
    pair.sign(&message).as_ref().try_into().unwrap()
}
