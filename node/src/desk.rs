//! The desk: what a running node knows and holds while it answers.
//!
//! What happens to one offer, from top to bottom: admit (policy) -> approve (a person or
//! the standing rule) ([`question`]) -> debit (ledger, synced) -> draw the noise -> open
//! the extract -> tally -> gate -> sign and store ([`release`]). A question for a regional
//! table ends, once approved, in "ready"; what follows is a round ([`crate::rounds`]).
//! Whatever the desk says depends on the offer, the policy, the roster and the ledger; the
//! extract is opened after the last point at which it could say no.

mod question;
mod release;
mod seeds;

use crate::clock::Agreed;
use crate::config::Config;
use crate::error::Error;
use crate::keys::Keys;
use crate::source::Mapping;
use crate::store::Store;
use crate::{clock, inbox, window};
use koonti_disclosure::roster::{Roster, SignedRoster};
use koonti_disclosure::{Digest, Policy, TableRequest};
use std::sync::{PoisonError, RwLock};

pub use question::Next;

/// The desk of a running node.
pub struct Desk {
    config: Config,
    keys: Keys,
    policy: Policy,
    mapping: Mapping,
    roster: RwLock<Option<Roster>>,
    store: Store,
    agreed: Agreed,
}

impl Desk {
    /// Opens the desk of an enrolled node and takes its store's lock.
    ///
    /// # Errors
    /// When a file is missing or wrong, or another process runs this node.
    pub fn open(config: Config) -> Result<Self, Error> {
        let keys = Keys::load(&config.keys)?;
        let policy = crate::config::read_toml(&config.policy)?;
        let mapping = Mapping::load(&config.register)?;
        let store = Store::open(&config)?;
        store.books().fold.of_source(&mapping.source)?;
        let roster = match approved_roster(&config, &keys, &store) {
            // An approval that was cut short has left the newer file, and its order.
            Err(_) if !clock::leaps(store.books().fold.time) => {
                inbox::work_off(&config, &store)?;
                approved_roster(&config, &keys, &store)?
            }
            roster => roster?,
        };
        Ok(Self { config, keys, policy, mapping, roster: RwLock::new(roster), store, agreed: Agreed::default() })
    }

    /// What is known of the coordinator's clock.
    pub(crate) fn agreed(&self) -> &Agreed {
        &self.agreed
    }

    /// Closes the quarters whose audit window is over.
    ///
    /// # Errors
    /// When the disk fails.
    pub(crate) fn close_what_is_over(&self) -> Result<(), Error> {
        let mut books = self.store.books();
        let agreed = self.agreed.newest();
        for (source, period) in window::over(&books.fold, clock::now(), agreed, self.config.audit_quarters) {
            inbox::close(&self.config, &mut books, &source, period)?;
            tracing::info!(%source, %period, "the audit window is over: the quarter is closed, its extracts and seeds are gone");
        }
        Ok(())
    }

    /// Deletes again what the log says is deleted: a stop may have come in between.
    ///
    /// # Errors
    /// When the disk fails.
    pub(crate) fn destroy(&self) -> Result<(), Error> {
        let destroyed = self.store.books().fold.destroyed.clone();
        destroyed.iter().try_for_each(|destroyed| crate::inbox::destroy(&self.config.state, destroyed))
    }

    /// Where things are.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The node's secrets.
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// The node's store.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The rules that the node runs with.
    pub(crate) fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The mapping of its register.
    pub(crate) fn mapping(&self) -> &Mapping {
        &self.mapping
    }

    /// Takes in a roster that the coordinator has sent: a newer one is kept for
    /// the operator's approval. Returns its hash if it is new.
    ///
    /// # Errors
    /// When it is not signed by the governance key, or of another region.
    pub fn offer_roster(&self, bytes: &[u8]) -> Result<Option<Digest>, Error> {
        let signed = SignedRoster::parse(bytes, self.keys.member.governance)?;
        let roster = signed.roster();
        if *roster.region() != self.keys.member.region {
            return Err(Error::Refused("the roster is of another region".into()));
        }
        let approved = self.store.books().fold.roster;
        if approved.is_some_and(|(epoch, _)| roster.epoch() <= epoch) {
            return Ok(None);
        }
        let path = self.config.pending_roster();
        if std::fs::read(&path).is_ok_and(|held| held == bytes) {
            return Ok(None);
        }
        koonti_journal::write_atomic(&path, bytes, 0o600)?;
        Ok(Some(roster.hash()))
    }

    /// Reads the approved roster anew, after the operator has approved one.
    ///
    /// # Errors
    /// When the file on disk is not the approved one.
    pub fn reload_roster(&self) -> Result<(), Error> {
        let roster = approved_roster(&self.config, &self.keys, &self.store)?;
        *self.roster.write().unwrap_or_else(PoisonError::into_inner) = roster;
        Ok(())
    }

    /// The roster that the operator approved.
    pub(crate) fn roster(&self) -> Option<Roster> {
        self.roster.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// How long an answer takes, whatever the data: a tick that follows from the
/// question alone. An answer that is not ready leaves at the next tick.
pub fn tick(request: &TableRequest) -> std::time::Duration {
    let periods = request.periods().len() as u64;
    let cells = request.domain().cells() as u64 * periods;
    std::time::Duration::from_millis(150 + 100 * periods + cells / 100)
}

/// The roster that the journal says was approved: another file in its place, as
/// from a backup, is not taken.
fn approved_roster(config: &Config, keys: &Keys, store: &Store) -> Result<Option<Roster>, Error> {
    let Some((epoch, hash)) = store.books().fold.roster else { return Ok(None) };
    let path = config.roster();
    let bytes = std::fs::read(&path).map_err(|e| Error::file(&path, &e))?;
    let signed = SignedRoster::parse(&bytes, keys.member.governance)?;
    let roster = signed.roster();
    if (roster.epoch(), roster.hash()) != (epoch, hash) || *roster.region() != keys.member.region {
        let why = format!(
            "{}: is not the roster that was approved (number {epoch}): approve the newest again",
            path.display()
        );
        return Err(Error::Refused(why));
    }
    Ok(Some(roster.clone()))
}
