//! A coordinator's log under the test's own hand, with the region's own keys.

use crate::region::Region;
use koonti_disclosure::identity::SignedRequest;
use koonti_disclosure::names::unhex;
use koonti_disclosure::{Digest, Name, canonical};
use koonti_evidence::entry::{Heads, coordinator};
use koonti_evidence::note::{LogKey, WitnessKey};
use koonti_evidence::origin::{coordinator_origin, cosigner};
use koonti_evidence::tree::leaf_hash;
use koonti_evidence::{Checkpoint, Note, Proof, Tree};
use koonti_proto::wire::{Deposit, Deposited, Logged, Offer};
use std::time::{SystemTime, UNIX_EPOCH};
use zeroize::Zeroizing;

/// Writes a log that asks whatever a test wants asked.
pub struct Scribe {
    log: LogKey,
    witness: WitnessKey,
    tree: Tree,
    heads: Heads,
}

impl Scribe {
    /// With the keys of the region's coordinator.
    ///
    /// # Panics
    /// When they are not there.
    pub fn of(region: &Region) -> Self {
        let keys = region.dir().join("coordinator/keys");
        let seed = |file: &str| {
            let text = std::fs::read_to_string(keys.join(file)).expect("a key file of the coordinator");
            Zeroizing::new(unhex(text.trim()).expect("hex"))
        };
        let origin = coordinator_origin(&"ita".parse().expect("a name"));
        Self {
            log: LogKey::from_seed(&origin, seed("log.key")).expect("a key"),
            witness: WitnessKey::from_seed(&cosigner(&origin), seed("witness.key")).expect("a key"),
            tree: Tree::new(),
            heads: Heads::default(),
        }
    }

    /// Notes how far a node's log has come.
    pub fn heard(&mut self, node: Name, log: &Tree) {
        self.heads.0.insert(node, (log.len(), log.root()));
    }

    /// Cosigns whatever a node shows.
    ///
    /// # Panics
    /// When it is no checkpoint.
    pub fn cosign(&mut self, node: Name, deposit: &Deposit) -> Deposited {
        let mut note = Note::parse(&deposit.checkpoint).expect("a note");
        let checkpoint = Checkpoint::parse(note.text()).expect("a checkpoint");
        // Nodes compare their clocks with it.
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
        note.add(checkpoint.cosign(&self.witness, now).expect("a cosignature")).expect("room for it");
        self.heads.0.insert(node, (checkpoint.size(), checkpoint.root()));
        Deposited { size: checkpoint.size(), checkpoint: note.to_string().into_bytes(), conflict: false }
    }

    /// The offer of a question to all whose logs are known, as the log asks it.
    ///
    /// # Panics
    /// Never: all is made here.
    pub fn asks(&mut self, question: &SignedRequest, deadline: u64) -> Offer {
        let heads = self.heads.bytes();
        let number = self.tree.len();
        let fresh = |what: &str| Digest::of(format!("{what} {number}").as_bytes());
        let (nonce, round) = (fresh("nonce"), fresh("round"));
        let asked = coordinator::Asked {
            deadline,
            heads: Digest::of(&heads),
            nodes: self.heads.0.keys().cloned().collect(),
            nonce,
            phase_timeout_s: 60,
            request: question.json(),
            round,
            time: 0,
        };
        let entry = canonical::to_bytes(&coordinator::Entry::Asked(Box::new(asked))).expect("canonical");
        self.tree.push(leaf_hash(&entry));
        let size = self.tree.len();
        let checkpoint = Checkpoint::new(self.log.verifier().name(), size, self.tree.root()).expect("a checkpoint");
        let proof = Proof {
            index: number,
            hashes: self.tree.inclusion(number, size).expect("an entry"),
            checkpoint: checkpoint.sign(&self.log).expect("a note"),
        };
        let logged = Logged { entry, proof: proof.to_string().into_bytes(), heads };
        Offer { request: question.clone(), round, nonce, quote_only: false, deadline, logged }
    }
}
