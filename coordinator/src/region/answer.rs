//! Answers: checked, stored, and combined into what is published.

use super::{Inner, Region, internal};
use crate::clock;
use crate::error::Error;
use crate::fold::Standing;
use koonti_disclosure::combine::{self, Missing};
use koonti_disclosure::coverage;
use koonti_disclosure::identity::SignedRelease;
use koonti_disclosure::names::hex;
use koonti_disclosure::release::Received as ReceivedRelease;
use koonti_disclosure::{Digest, Name, Refusal, canonical};
use koonti_evidence::entry::coordinator::Entry;
use koonti_proto::Failure;
use koonti_proto::wire::{Received, TableState};

impl Region {
    pub(super) fn take(&self, node: &Name, id: Digest, answer: Received) -> Result<(), Failure> {
        let mut inner = self.inner();
        // Behind the lock, as everywhere: times in the log are in the order of its entries.
        let time = clock::now();
        if let Received::Quote(mut quote) = answer {
            quote.node = node.clone();
            for sender in inner.quotes.get(&id).into_iter().flatten() {
                drop(sender.send(quote.clone()));
            }
            return Ok(());
        }
        let unknown = || Failure::NotFound("this node was not asked this question".to_owned());
        let table = inner.store.fold.tables.get(&id).ok_or_else(unknown)?;
        let standing = *table.nodes.get(node).ok_or_else(unknown)?;
        let open = table.state == TableState::Open;
        match (answer, standing) {
            (Received::Progress(progress), Standing::Open(_)) if open => {
                if let Some(standing) = inner.store.fold.tables.get_mut(&id).and_then(|t| t.nodes.get_mut(node)) {
                    *standing = Standing::Open(progress);
                }
            }
            (Received::Ready(terms), Standing::Open(_)) if open && table.is_regional() => {
                inner.store.append(Entry::Ready { id, node: node.clone(), terms, time }).map_err(internal)?;
            }
            (Received::Refusal(reason), Standing::Open(_) | Standing::Ready(_)) if open => {
                inner.store.append(Entry::Refused { id, node: node.clone(), reason, time }).map_err(internal)?;
            }
            (Received::Release(..), _) if table.is_regional() => {
                return Err(Failure::Invalid(
                    "the table is a regional one: it takes no release of one node".to_owned(),
                ));
            }
            (Received::Release(bytes, signature), standing) => {
                let roster = inner.roster()?;
                let key = roster.node(node).ok_or_else(unknown)?.identity;
                let signed = SignedRelease::verify(bytes, signature, key);
                let signed =
                    signed.map_err(|_| Failure::Invalid("the release is not signed by this node".to_owned()))?;
                let release = ReceivedRelease::parse(signed.bytes()).map_err(|e| Failure::Invalid(e.to_string()))?;
                if release.k() < roster.floor().k {
                    return Err(Failure::Invalid(
                        "the release was made with a smaller k than the region's floor".to_owned(),
                    ));
                }
                if release.node() != node || release.request().id() != id {
                    return Err(Failure::Invalid("the release answers another question".to_owned()));
                }
                let sha256 = Digest::of(signed.bytes());
                match standing {
                    Standing::Released(held) if held == sha256 => return Ok(()),
                    Standing::Released(_) => {
                        tracing::error!(%node, question = %id.short(), "a node has sent a second release");
                        return Err(Failure::Invalid("another release of this question is held".to_owned()));
                    }
                    // Also one that comes after the table was closed is recorded, since it has
                    // left the node; it counts once the table is opened again.
                    Standing::Open(_) | Standing::Refused(_) => {
                        // A release that is not in the node's log is not taken.
                        let unlogged = || Failure::Invalid("the release is not in this node's log".to_owned());
                        let (head, index) = inner.mirrors.release(node, sha256).ok_or_else(unlogged)?;
                        inner.store.put_release(signed.bytes(), signed.signature()).map_err(internal)?;
                        let signature = hex(signed.signature());
                        let node = node.clone();
                        let entry = Entry::Released { head, id, index, node, release: sha256, signature, time };
                        inner.store.append(entry).map_err(internal)?;
                    }
                    Standing::Ready(_) | Standing::Counted => {
                        return Err(Failure::Invalid("the node takes part in a sum of this table".to_owned()));
                    }
                }
            }
            // A late phase or refusal changes nothing.
            _ => return Ok(()),
        }
        let table = inner.store.fold.tables.get(&id);
        if let Some(table) = table.filter(|t| t.state == TableState::Open && t.complete()) {
            if table.is_regional() {
                inner.tend_regional(id).map_err(internal)?;
            } else {
                inner.close(id).map_err(internal)?;
            }
        }
        drop(inner);
        self.tell(id);
        Ok(())
    }
}

impl Inner {
    /// Combines what has come, stores and publishes it.
    pub(super) fn close(&mut self, id: Digest) -> Result<(), Error> {
        let Some(table) = self.store.fold.tables.get(&id) else { return Ok(()) };
        let request = table.request.request().clone();
        let (mut releases, mut missing, mut stated) = (Vec::new(), Vec::new(), Vec::new());
        for (node, standing) in &table.nodes {
            match standing {
                Standing::Released(sha256) => {
                    // It was whole when it was taken; a file that is not any more
                    // must not keep the region's other tables from closing.
                    let bytes = self.store.release(*sha256).map_err(|e| e.to_string());
                    let parse = |bytes: Vec<u8>| ReceivedRelease::parse(&bytes).map_err(|e| e.to_string());
                    match bytes.and_then(parse) {
                        Ok(release) => {
                            stated.push((node.clone(), self.mirrors.stated(node, *sha256)));
                            releases.push(release);
                        }
                        Err(error) => {
                            tracing::error!(%node, %error, "a stored release is gone or altered");
                            missing.push(Missing { node: node.clone(), reason: Refusal::NoAnswer });
                        }
                    }
                }
                Standing::Refused(reason) => missing.push(Missing { node: node.clone(), reason: *reason }),
                Standing::Open(_) | Standing::Ready(_) | Standing::Counted => {
                    missing.push(Missing { node: node.clone(), reason: Refusal::NoAnswer });
                }
            }
        }
        let published = if releases.is_empty() {
            None
        } else {
            let mut table = combine::combine(&request, releases, missing);
            table.coverage = coverage::list(stated);
            let bytes = canonical::to_bytes(&table).map_err(|e| Error::Refused(e.to_string()))?;
            Some(self.store.put_table(&bytes)?)
        };
        tracing::info!(table = %id.short(), published = published.is_some(), "table closed");
        self.store.append(Entry::Closed { counted: Vec::new(), id, published, reason: None, time: clock::now() })
    }
}
