//! The coordinator's own log: what offers show of it, and who cosigns it.

use super::{Inner, Region, internal};
use crate::clock;
use crate::error::Error;
use crate::fold::Table as Held;
use koonti_disclosure::{Digest, Name};
use koonti_evidence::note::{Kind, Note, Signature, VerifierKey};
use koonti_evidence::origin::{cosigner, node_origin};
use koonti_evidence::{Checkpoint, Proof};
use koonti_proto::Failure;
use koonti_proto::wire::{Deposit, Deposited, Glimpse, Logged, Offer, ToNode};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// How long a node may take to cosign before it is shown the log again.
const COSIGNS_WITHIN: Duration = Duration::from_secs(5);

/// The newest checkpoint that was shown to nodes, and who has cosigned it.
pub(super) struct Shown {
    pub(super) checkpoint: Checkpoint,
    pub(super) note: Note,
    /// By node: their signature lines.
    pub(super) cosigned: BTreeMap<Name, Signature>,
}

impl Region {
    pub(super) fn take_deposit(&self, node: &Name, deposit: &Deposit) -> Result<Deposited, Failure> {
        let mut inner = self.inner();
        let entry = inner.roster()?.node(node).ok_or_else(|| Failure::Denied("not in the roster".to_owned()))?;
        let origin = node_origin(&self.config.region, node);
        let key = VerifierKey::new(&origin, Kind::Log, entry.log).map_err(internal)?;
        inner.mirrors.deposit(node, &key, deposit, &self.keys.witness, clock::now())
    }

    pub(super) fn take_cosignature(&self, node: &Name, size: u64, line: &str) -> Result<(), Failure> {
        let mut inner = self.inner();
        let witness =
            inner.roster()?.node(node).map(|n| n.witness).ok_or_else(|| Failure::Denied("not in the roster".into()))?;
        let name = cosigner(&node_origin(&self.config.region, node));
        let key = VerifierKey::new(&name, Kind::Witness, witness).map_err(internal)?;
        let signature = Signature::parse(line).map_err(|e| Failure::Invalid(e.to_string()))?;
        if let Some(connection) = inner.connected.get_mut(node) {
            (connection.witnessed, connection.shown_at) = (size, None);
        }
        let Some(shown) = inner.shown.as_mut().filter(|shown| shown.checkpoint.size() == size) else {
            return Ok(());
        };
        let mut note = shown.note.clone();
        note.add(signature.clone()).map_err(|e| Failure::Invalid(e.to_string()))?;
        let verified = Checkpoint::verify(&note, self.keys.log.verifier(), &[key]);
        if verified.map_or(true, |signed| signed.cosignatures.is_empty()) {
            return Err(Failure::Invalid("the cosignature does not verify".to_owned()));
        }
        shown.cosigned.insert(node.clone(), signature);
        Ok(())
    }

    /// Shows the connected nodes the log as it stands, if it has grown.
    ///
    /// # Errors
    /// When a checkpoint cannot be made.
    pub(super) fn show_log(&self) -> Result<(), Error> {
        let mut inner = self.inner();
        let size = inner.store.tree().len();
        if inner.shown.as_ref().is_none_or(|shown| shown.checkpoint.size() < size) {
            let (checkpoint, note) = self.checkpoint(&inner)?;
            inner.store.mark()?;
            inner.shown = Some(Shown { checkpoint, note, cosigned: BTreeMap::new() });
        }
        let Inner { shown: Some(shown), store, connected, .. } = &mut *inner else { return Ok(()) };
        for (node, connection) in connected {
            // One at a time: the next begins where the node says that it has come to.
            let waiting = connection.shown_at.is_some_and(|at| at.elapsed() < COSIGNS_WITHIN);
            let cosigned = shown.cosigned.contains_key(node);
            let known = connection.witnessed <= size && !cosigned && !waiting;
            let Some(consistency) = known.then(|| store.tree().consistency(connection.witnessed, size)).flatten()
            else {
                continue;
            };
            connection.shown_at = Some(Instant::now());
            let checkpoint = shown.note.to_string().into_bytes();
            let glimpse = Glimpse { checkpoint, old_size: connection.witnessed, consistency };
            drop(connection.to_node.send(ToNode::Glimpse(glimpse)));
        }
        Ok(())
    }

    fn checkpoint(&self, inner: &Inner) -> Result<(Checkpoint, Note), Error> {
        let tree = inner.store.tree();
        let refused = |e: koonti_evidence::checkpoint::Error| Error::Refused(e.to_string());
        let name = self.keys.log.verifier().name();
        let checkpoint = Checkpoint::new(name, tree.len(), tree.root()).map_err(refused)?;
        let note = checkpoint.sign(&self.keys.log).map_err(refused)?;
        Ok((checkpoint, note))
    }

    /// An offer, with what shows where the log asks it.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub(super) fn offer_of(&self, inner: &Inner, table: &Held) -> Result<Offer, Error> {
        let tree = inner.store.tree();
        let (index, size) = (table.asked_at, tree.len());
        let gone = || Error::Refused("the log has no such entry".to_owned());
        let hashes = tree.inclusion(index, size).ok_or_else(gone)?;
        let (_, note) = self.checkpoint(inner)?;
        let proof = Proof { index, hashes, checkpoint: note };
        Ok(Offer {
            request: table.request.clone(),
            round: table.round,
            nonce: table.nonce,
            quote_only: false,
            deadline: table.deadline,
            logged: Logged {
                entry: table.asked_entry.clone(),
                proof: proof.to_string().into_bytes(),
                heads: inner.store.blob(table.heads)?,
            },
        })
    }

    /// Sends the offer of a table to these nodes, as far as they are here.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub(super) fn send_offer(&self, inner: &Inner, id: Digest, nodes: &[Name]) -> Result<(), Error> {
        let Some(table) = inner.store.fold.tables.get(&id) else { return Ok(()) };
        let offer = self.offer_of(inner, table)?;
        for node in nodes {
            inner.send(node, ToNode::Offer(Box::new(offer.clone())));
        }
        Ok(())
    }
}
