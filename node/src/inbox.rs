//! How commands reach a running node: small files in `state/inbox`.
//!
//! `koonti-node requests approve` and the like write a file and, if no daemon
//! holds the store, work it off themselves; otherwise the daemon does within a
//! second. Whoever can write the state directory is the operator: the files
//! have mode 0600 and no other authority.

use crate::config::Config;
use crate::error::Error;
use crate::fold::{Fold, Standing};
use crate::keys::Keys;
use crate::store::{Books, Store};
use crate::{blobs, clock, extracts, seeds};
use koonti_disclosure::canonical::Json;
use koonti_disclosure::coverage::Coverage;
use koonti_disclosure::names::hex;
use koonti_disclosure::roster::SignedRoster;
use koonti_disclosure::{Digest, Name, Period, Refusal, canonical};
use koonti_evidence::entry::Approval;
use koonti_evidence::entry::node::{By, Own};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// What the operator wants done.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
pub(crate) enum Order {
    /// Answer a waiting question.
    Approve {
        /// The question.
        request: Digest,
    },
    /// Do not answer a waiting question.
    Decline {
        /// The question.
        request: Digest,
    },
    /// A new vintage is written and may be used.
    Import {
        /// The commitment to the extract of each.
        commitments: Vec<Digest>,
        /// What it covers of the organisation, if that is stated.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        coverage: Option<Coverage>,
        /// True when each row of the register was an event.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        events: bool,
        /// The quarters that it holds.
        periods: Vec<Period>,
        /// The register that it was read from.
        register: Name,
        /// The data source behind it.
        source: Name,
        /// Its id.
        vintage: Digest,
    },
    /// A period is closed, and its extracts and seeds are deleted.
    Close {
        /// The period.
        period: Period,
        /// The data source.
        source: Name,
    },
    /// These keys approve the node's rules from now on.
    Approvers {
        /// By at least two of those before; empty for the first.
        approvals: Vec<Approval>,
        /// The keys, ascending.
        keys: Vec<Digest>,
    },
    /// Rules are in force from now on.
    Policy {
        /// By at least two approvers, keys ascending.
        approvals: Vec<Approval>,
        /// The rules, canonical.
        policy: Json,
    },
    /// The pending roster becomes the one in force.
    Roster {
        /// Its epoch.
        epoch: u64,
        /// Its hash.
        roster: Digest,
    },
}

/// What an order led to.
pub(crate) enum Done {
    /// This question may be computed now.
    Compute(Digest),
    /// This question is declined.
    Declined(Digest),
    /// Another roster is in force.
    Roster,
    /// Nothing further.
    Nothing,
}

/// Hands an order to the node: directly when no daemon runs, else through the
/// inbox. Returns true when a daemon took it.
///
/// # Errors
/// When neither works within ten seconds.
pub(crate) fn hand_in(config: &Config, order: &Order) -> Result<bool, Error> {
    let dir = config.state.join("inbox");
    koonti_journal::create_dir_private(&config.state)?;
    koonti_journal::create_dir_private(&dir)?;
    let name = Digest(crate::keys::random()?).short();
    let path = dir.join(format!("{:024}-{name}.json", clock::nanoseconds()));
    let bytes = canonical::to_bytes(order).expect("names, integers and hex");
    koonti_journal::write_atomic(&path, &bytes, 0o600)?;
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(10) {
        match Store::open(config) {
            Ok(store) => {
                if clock::leaps(store.books().fold.time) {
                    return Err(Error::Leap);
                }
                work_off(config, &store)?;
                return Ok(false);
            }
            Err(Error::Disk(koonti_journal::Error::Locked { .. })) => {}
            Err(error) => return Err(error),
        }
        if path.with_extension("bad").exists() {
            let why = "the running node cannot read the order: give it as the user that the node runs as";
            return Err(Error::Refused(why.into()));
        }
        if !path.exists() {
            return Ok(true);
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let why = "the running node did not take the order within ten seconds: see its log; it will take it when it can";
    Err(Error::Refused(why.into()))
}

/// Works off all orders, oldest first.
///
/// # Errors
/// When the disk fails.
pub(crate) fn work_off(config: &Config, store: &Store) -> Result<Vec<Done>, Error> {
    let mut done = Vec::new();
    for path in files(&config.state.join("inbox")) {
        let order = std::fs::read(&path).ok().and_then(|bytes| canonical::from_bytes::<Order>(&bytes).ok());
        match order {
            Some(order) => done.push(work(config, store, order)?),
            None => {
                tracing::warn!("an order in the inbox cannot be read by this process and is set aside");
                std::fs::rename(&path, path.with_extension("bad")).map_err(|e| Error::file(&path, &e))?;
                continue;
            }
        }
        koonti_journal::remove(&path)?;
    }
    Ok(done)
}

/// Closes a quarter of a data source for ever, and destroys what it leaves.
///
/// # Errors
/// When the disk fails.
pub(crate) fn close(config: &Config, books: &mut Books, source: &Name, period: Period) -> Result<(), Error> {
    let time = clock::now();
    let closing = books.fold.ledger.closing(source, period, time);
    books.append_ledger(&closing)?;
    let held = books.fold.vintages.iter().filter(|((_, s, p), _)| s == source && *p == period);
    let vintages: Vec<Digest> = held.flat_map(|(_, all)| all.iter().map(|(_, vintage)| vintage.id)).collect();
    let mut seeds = books.fold.seeds_of(source, period);
    for vintage in vintages {
        let seeds = std::mem::take(&mut seeds);
        books.append(Own::Destroyed { periods: vec![period], seeds, time, vintage })?;
    }
    for destroyed in &books.fold.destroyed {
        destroy(&config.state, destroyed)?;
    }
    Ok(())
}

fn work(config: &Config, store: &Store, order: Order) -> Result<Done, Error> {
    let mut books = store.books();
    let time = clock::now();
    let open = |standing| matches!(standing, Standing::Waiting | Standing::Refused(Refusal::DeclinedByPerson));
    let waiting = |id: &Digest| books.fold.questions.get(id).is_some_and(|known| open(known.standing));
    match order {
        Order::Approve { request } if waiting(&request) => {
            books.append(Own::Approved { by: By::Person, request, time })?;
            Ok(Done::Compute(request))
        }
        Order::Decline { request } if waiting(&request) => {
            books.append(Own::Refused { reason: Refusal::DeclinedByPerson, request, time })?;
            Ok(Done::Declined(request))
        }
        Order::Approve { .. } | Order::Decline { .. } => Ok(Done::Nothing),
        // A crash before its file was deleted: it is done already.
        Order::Import { vintage, .. } if books.fold.holds(vintage) => Ok(Done::Nothing),
        Order::Close { period, ref source } if books.fold.is_closed(source, period) => Ok(Done::Nothing),
        Order::Import { commitments, coverage, events, periods, register, source, vintage } => {
            if let Err(error) = books.fold.of_source(&source) {
                tracing::warn!(%error, "an import is not taken");
                return Ok(Done::Nothing);
            }
            books.append(Own::Imported { commitments, coverage, events, periods, register, source, time, vintage })?;
            Ok(Done::Nothing)
        }
        Order::Close { period, source } => {
            close(config, &mut books, &source, period)?;
            Ok(Done::Nothing)
        }
        // An approval is good once: one of another time or node, and one that was worked off
        // before a crash, does not follow what the log has approved.
        Order::Approvers { approvals, keys } => {
            let Fold { approvers, chain, .. } = &books.fold;
            let after = Some(chain.end());
            if chain.names_approvers(approvers, after, &keys, &approvals) {
                books.append(Own::Approvers { after, approvals, keys, time })?;
            } else {
                tracing::warn!("an approval of approvers in the inbox is not one for now: nothing was changed");
            }
            Ok(Done::Nothing)
        }
        Order::Policy { approvals, policy } => {
            let bytes = policy.bytes();
            let hash = Digest::of(bytes);
            let Fold { approvers, chain, .. } = &books.fold;
            let after = Some(chain.end());
            if chain.approves_policy(approvers, after, hash, &approvals) {
                blobs::keep(&config.state, bytes)?;
                books.append(Own::PolicyApproved { after, approvals, policy: hash, time })?;
            } else {
                tracing::warn!("an approval of rules in the inbox is not one for now: nothing was changed");
            }
            Ok(Done::Nothing)
        }
        Order::Roster { epoch, roster } => {
            // What was approved is a hash: the coordinator may have replaced the
            // file since, and then nothing is approved.
            let governance = Keys::load(&config.keys)?.member.governance;
            let read = |path: &Path| SignedRoster::parse(&std::fs::read(path).ok()?, governance).ok();
            let approved =
                read(&config.pending_roster()).filter(|r| r.roster().hash() == roster && r.roster().epoch() == epoch);
            let newer = books.fold.roster.is_none_or(|(held, _)| epoch > held);
            let Some(approved) = approved.filter(|_| newer) else { return Ok(Done::Nothing) };
            // The file first: after a crash in between, the order is still there.
            koonti_journal::write_atomic(&config.roster(), &approved.bytes(), 0o600)?;
            blobs::keep(&config.state, approved.roster().bytes())?;
            books.append(Own::RosterApproved { epoch, roster, signature: hex(approved.signature()), time })?;
            Ok(Done::Roster)
        }
    }
}

/// Deletes what the log says is deleted. Again is harmless: it may have been cut short.
pub(crate) fn destroy(state: &Path, destroyed: &(Digest, Vec<Period>, Vec<u64>)) -> Result<(), Error> {
    let (vintage, periods, seeds) = destroyed;
    for period in periods {
        extracts::delete(state, *vintage, *period)?;
    }
    seeds.iter().try_for_each(|seed| seeds::wipe(state, *seed))
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> =
        entries.map(|e| e.path()).filter(|p| p.extension().is_some_and(|e| e == "json")).collect();
    files.sort();
    files
}
