//! The node's log, with the coordinator before anything leaves the node.
//!
//! The coordinator holds a copy of every entry and cosigns each checkpoint; what it
//! has cosigned is this node's guard against its own past. A node whose log is
//! shorter than that, or another, has had its state set back or shares its identity
//! with another node: it sends nothing and ends. The coordinator could lie about it;
//! against that only a witness outside helps.

use crate::blobs;
use crate::desk::Desk;
use crate::error::Error;
use crate::outside::{Outside, Refusal};
use koonti_disclosure::{Digest, canonical};
use koonti_evidence::entry::node::Own;
use koonti_evidence::note::{Kind, Note, VerifierKey};
use koonti_evidence::origin::{coordinator_origin, cosigner};
use koonti_evidence::{Checkpoint, checkpoint};
use koonti_proto::wire::{Deposit, Deposited};
use koonti_proto::{Failure, NodeLink};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// Deposits of one node.
pub(crate) struct Deposits {
    desk: Arc<Desk>,
    link: NodeLink,
    outside: Option<Outside>,
    known: Mutex<Known>,
    /// Entries that may be shown at any time: when an entry came would tell how long a
    /// computation took, so those of one in progress wait for its answer's tick.
    shown: AtomicU64,
    /// Entries that the coordinator has cosigned while this process ran.
    cosigned: AtomicU64,
    confirmed: AtomicBool,
}

/// How old the newest cosignature may become.
const HEARTBEAT: Duration = Duration::from_secs(12 * 3600);

/// What this process knows of its log elsewhere, in entries.
#[derive(Default)]
struct Known {
    /// The coordinator has so many.
    held: Option<u64>,
    /// And has cosigned so many.
    cosigned: Option<u64>,
    /// When.
    at: Option<Instant>,
    /// The witness outside has cosigned so many.
    witnessed: u64,
}

/// Why nothing may leave.
#[derive(Debug)]
pub(crate) enum Stop {
    /// Not now.
    Failure(Failure),
    /// Not while this machine's clock and the coordinator's differ.
    Clocks,
    /// Never, with this state.
    State(Error),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Failure(failure) => Self::Failure(failure),
            Refusal::State(error) => Self::State(error),
        }
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::State(error)
    }
}

impl Deposits {
    /// # Errors
    /// When the witness's key in node.toml is none.
    pub(crate) fn new(desk: Arc<Desk>, link: NodeLink) -> Result<Self, Error> {
        let outside = desk.config().witness.as_ref().map(|w| Outside::new(&w.url, &w.key)).transpose()?;
        let shown = AtomicU64::new(desk.store().books().tree().len());
        let (cosigned, confirmed) = (AtomicU64::new(0), AtomicBool::new(false));
        Ok(Self { desk, link, outside, known: Mutex::default(), shown, cosigned, confirmed })
    }

    /// True once the coordinator has confirmed that this log is the one it knows.
    pub(crate) fn confirmed(&self) -> bool {
        self.confirmed.load(Ordering::Acquire)
    }

    /// From now on this log counts as the one that the coordinator knows.
    pub(crate) fn confirm(&self) {
        self.confirmed.store(true, Ordering::Release);
    }

    /// From now on everything that is in the log may be shown.
    pub(crate) fn show(&self) {
        self.shown.store(self.desk.store().books().tree().len(), Ordering::Release);
    }

    /// The coordinator signs anew at the next chance, and so says what time it has.
    pub(crate) async fn renew(&self) {
        self.known.lock().await.at = None;
    }

    /// Entries that may be shown and that the coordinator has not cosigned yet.
    pub(crate) fn behind(&self) -> u64 {
        self.shown.load(Ordering::Acquire).saturating_sub(self.cosigned.load(Ordering::Acquire))
    }

    /// Brings the coordinator's copy level with what may be shown of the log, and with
    /// its first `least` entries in any case, and gets it cosigned; again and again over
    /// the days, so that an auditor sees that it is alive.
    ///
    /// # Errors
    /// When the coordinator cannot be reached, or the log is not the one it knows.
    pub(crate) async fn level(&self, least: u64) -> Result<(), Stop> {
        let mut known = self.known.lock().await;
        let upto = least.max(self.shown.load(Ordering::Acquire));
        loop {
            let store = self.desk.store();
            let fresh = known.at.is_some_and(|at| at.elapsed() < HEARTBEAT) && self.desk.agreed().holds();
            if known.cosigned.is_some_and(|cosigned| cosigned >= upto) && fresh {
                return Ok(());
            }
            let log = &self.desk.keys().log;
            let mut batch = store.batch(known.held, upto, log)?;
            // A witness sees whole logs only: it would take a part for a log set back.
            let whole = batch.checkpoint.size() >= upto;
            if let Some(outside) = self.outside.as_ref().filter(|_| whole) {
                outside.cosign(store, log, &mut batch, &mut known.witnessed).await?;
            }
            let (size, checkpoint) = (batch.checkpoint.size(), batch.checkpoint.clone());
            let rules = rules_of(&batch.entries, &self.desk.config().state);
            // One without entries is always signed anew.
            let sure = batch.entries.is_empty();
            let deposit = Deposit {
                rules,
                old_size: size - batch.entries.len() as u64,
                entries: batch.entries,
                checkpoint: batch.note.to_string().into_bytes(),
            };
            let answer = self.link.deposit(deposit).await?;
            if answer.conflict {
                return Err(self.forked(&answer)?.into());
            }
            if answer.size > store.books().tree().len() {
                return Err(Error::RolledBack { here: size, there: answer.size }.into());
            }
            // Without a checkpoint, a crash came in between there: once more.
            if answer.size == size && !answer.checkpoint.is_empty() {
                let agrees = self.keep(&checkpoint, &answer, sure)?;
                store.deposited(size);
                // Where the times differ, it is asked for a signature of this moment.
                (known.cosigned, known.at) = (Some(size).filter(|_| whole), agrees.then(Instant::now));
                self.cosigned.store(size, Ordering::Release);
            }
            known.held = Some(answer.size);
        }
    }

    /// Checks the coordinator's cosignature and keeps the note. Returns whether the clocks
    /// agree by it.
    fn keep(&self, sent: &Checkpoint, answer: &Deposited, sure: bool) -> Result<bool, Stop> {
        let member = &self.desk.keys().member;
        let refused = |e: &dyn std::fmt::Display| Failure::Invalid(format!("the coordinator's cosignature: {e}"));
        let note = Note::parse(&answer.checkpoint).map_err(|e| refused(&e))?;
        // Before the first roster is approved, its key is not known.
        let witnesses: Vec<VerifierKey> = match self.desk.roster() {
            Some(roster) => {
                let name = cosigner(&coordinator_origin(&member.region));
                vec![VerifierKey::new(&name, Kind::Witness, roster.coordinator().witness).map_err(|e| refused(&e))?]
            }
            None => vec![],
        };
        let log = self.desk.keys().log.verifier();
        let signed = Checkpoint::verify(&note, log, &witnesses).map_err(|e: checkpoint::Error| refused(&e))?;
        if signed.checkpoint != *sent || signed.cosignatures.len() < witnesses.len() {
            return Err(refused(&"it is missing, or of another checkpoint").into());
        }
        self.desk.store().keep_checkpoint(&note)?;
        let time = signed.cosignatures.first().map(|cosignature| cosignature.time);
        let agrees = time.is_none_or(|time| self.desk.agreed().note(time, sure));
        if agrees || !sure { Ok(agrees) } else { Err(Stop::Clocks) }
    }

    /// Keeps what shows the fork: both ends have signed.
    fn forked(&self, answer: &Deposited) -> Result<Error, Error> {
        let state = &self.desk.config().state;
        let hash: Digest = blobs::keep(state, &answer.checkpoint)?;
        Ok(Error::Forked { kept: state.join("blobs").join(hash.to_string()).display().to_string() })
    }
}

/// The rules that these entries put in force, as far as they are still here.
fn rules_of(entries: &[Vec<u8>], state: &Path) -> Vec<Vec<u8>> {
    let rules = |entry: &Vec<u8>| match canonical::from_bytes(entry).ok()? {
        Own::PolicyApproved { policy, .. } => blobs::read(state, policy),
        _ => None,
    };
    entries.iter().filter_map(rules).collect()
}
