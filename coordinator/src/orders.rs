//! How commands reach a running coordinator: small files in `state/orders`.
//!
//! A command writes an order and waits for the answer beside it. If no daemon holds the
//! journal's lock, the command takes the lock and works the order off itself; else the
//! daemon does within a second, and one that starts does before it serves anybody. Whoever
//! can write the state directory is the operator: the files have mode 0600, and there is no
//! other authority.

use crate::clock;
use crate::config::Config;
use crate::enrolment;
use crate::error::Error;
use crate::invitation::{self, Invitation};
use crate::keys::{Keys, authority};
use crate::store::Store;
use koonti_disclosure::{Name, canonical};
use koonti_evidence::entry::coordinator::{Entry, MemberKind};
use koonti_proto::Failure;
use koonti_proto::edge::pki::Authority;
use koonti_proto::offline::{Reply, Request};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// What the operator wants done.
#[derive(Clone, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
pub(crate) enum Order {
    /// A member may not call any more.
    Revoke {
        /// Node or person.
        kind: MemberKind,
        /// Its name.
        name: Name,
    },
    /// A newcomer's request was carried in.
    Enrol {
        /// Node or person, as the operator takes it.
        kind: MemberKind,
        /// The request, as `koonti-node enroll --offline` writes it.
        request: String,
    },
}

/// What came of it.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Outcome {
    Done(String),
    Refused(String),
}

/// Longest wait for a running daemon.
const LONGEST: Duration = Duration::from_secs(10);

/// Has an order carried out; returns what it yields.
///
/// # Errors
/// When it is refused, or neither way works within ten seconds.
pub(crate) fn hand_in(config: &Config, order: &Order) -> Result<String, Error> {
    let dir = dir(config);
    koonti_journal::create_dir_private(&dir)?;
    let path = dir.join(format!("{:020}-{}.json", clock::now(), invitation::random()?.short()));
    let answer = path.with_extension("answer");
    let bytes = canonical::to_bytes(order).expect("names, integers and hex");
    koonti_journal::write_atomic(&path, &bytes, 0o600)?;
    let start = Instant::now();
    while start.elapsed() < LONGEST {
        if let Ok(bytes) = std::fs::read(&answer) {
            std::fs::remove_file(&answer).map_err(|e| Error::file(&answer, &e))?;
            return match canonical::from_bytes(&bytes) {
                Ok(Outcome::Done(text)) => Ok(text),
                Ok(Outcome::Refused(why)) => Err(Error::Refused(why)),
                Err(e) => Err(Error::Refused(format!("{}: {e}", answer.display()))),
            };
        }
        match Store::open(config, &Keys::load(config)?) {
            Ok(mut store) => {
                let authority = authority(config)?;
                work_off(config, &authority, &mut store)?;
            }
            Err(Error::Disk(koonti_journal::Error::Locked { .. })) => std::thread::sleep(Duration::from_millis(50)),
            Err(error) => return Err(error),
        }
    }
    let why = "the running coordinator did not take the order within ten seconds: give it as the user that it runs as, and see its log";
    Err(Error::Refused(why.to_owned()))
}

/// Works off all orders, oldest first; true when somebody may no longer do what they could.
///
/// # Errors
/// When the disk fails.
pub(crate) fn work_off(config: &Config, authority: &Authority, store: &mut Store) -> Result<bool, Error> {
    let mut less = false;
    for path in waiting(&dir(config)) {
        let order = std::fs::read(&path).map_err(|e| Error::file(&path, &e))?;
        let outcome = match canonical::from_bytes(&order) {
            Ok(Order::Revoke { kind, name }) => {
                less = true;
                revoke(config, store, kind, name)?
            }
            Ok(Order::Enrol { kind, request }) => enrol(config, authority, store, kind, &request),
            Err(e) => refused(&format!("not an order: {e}")),
        };
        let bytes = canonical::to_bytes(&outcome).expect("text");
        koonti_journal::write_atomic(&path.with_extension("answer"), &bytes, 0o600)?;
        std::fs::remove_file(&path).map_err(|e| Error::file(&path, &e))?;
    }
    Ok(less)
}

/// From the next request on.
fn revoke(config: &Config, store: &mut Store, kind: MemberKind, name: Name) -> Result<Outcome, Error> {
    // One that is open would let it in again.
    Invitation::void(config, kind, &name)?;
    let member = (kind, name);
    if store.fold.is_revoked(&member) {
        return Ok(Outcome::Refused(format!("{} is revoked already", member.1)));
    }
    if !store.fold.members.contains_key(&member) {
        return Ok(Outcome::Refused(format!(
            "nobody of the name {} is enrolled; an open invitation is void",
            member.1
        )));
    }
    let (kind, name) = member;
    tracing::warn!(%name, "revoked by the operator");
    store.append(Entry::Revoked { kind, name: name.clone(), time: clock::now() })?;
    Ok(Outcome::Done(name.to_string()))
}

/// As over the network; yields the reply to carry back.
fn enrol(config: &Config, authority: &Authority, store: &mut Store, kind: MemberKind, request: &str) -> Outcome {
    let ask = match Request::parse(request.as_bytes(), &config.region) {
        Ok(ask) => ask,
        Err(e) => return refused(&format!("the request: {e}")),
    };
    if ask.is_node != (kind == MemberKind::Node) {
        let other = if ask.is_node {
            "a node: use `koonti-coordinator node sign`"
        } else {
            "a person: use `koonti-coordinator person sign`"
        };
        return Outcome::Refused(format!("the request is of {other}"));
    }
    match enrolment::take(config, authority, store, &ask) {
        Ok(certificate_pem) => {
            let reply = Reply::new(&config.region, &ask.name, &certificate_pem, &authority.cert_pem());
            Outcome::Done(String::from_utf8_lossy(&reply.bytes()).into_owned())
        }
        Err(Failure::Denied(why) | Failure::Invalid(why)) => refused(&why),
        Err(failure) => refused(&failure.to_string()),
    }
}

/// A refusal may quote the order, and an answer takes printable ASCII only.
fn refused(why: &str) -> Outcome {
    Outcome::Refused(why.chars().map(|c| if matches!(c, ' '..='~') { c } else { '?' }).collect())
}

fn dir(config: &Config) -> PathBuf {
    config.state.join("orders")
}

/// Orders without an answer, oldest first. There may be no such directory yet.
fn waiting(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut orders: Vec<PathBuf> = entries.filter(|path| path.extension().is_some_and(|e| e == "json")).collect();
    orders.sort();
    orders
}
