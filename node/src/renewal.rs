//! The node's certificate, renewed before it ends, while it goes on working.
//!
//! At two thirds of its life the node makes another TLS key, has it certified over its
//! connection, writes key and certificate at one stroke, and lets the connection be made
//! anew. A pair that another command has put there (`koonti-node enroll`) is taken up the
//! same way. Wherever this is cut off, the pair on disk is one that the coordinator takes.
//!
//! It renews nothing whose certificate has ended: for that the coordinator's operator has
//! to invite the node again.

use crate::error::Error;
use crate::{clock, desk::Desk, fault, keys};
use koonti_proto::{Credentials, NodeLink, renew};
use std::path::Path;
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// How often the pair on disk and the clock are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// Shortest wait between two looks, and after an attempt that failed.
const SHORTEST_PAUSE: Duration = Duration::from_secs(1);
/// Longest wait after an attempt that failed.
const LONGEST_PAUSE: Duration = Duration::from_secs(3600);

/// Keeps the certificate good; `anew` is told whenever the connection should be made anew.
/// Ends only when the disk fails.
pub(crate) async fn keep(desk: &Desk, link: &NodeLink, anew: &Notify) -> Error {
    match kept(desk, link, anew).await {
        Ok(never) => match never {},
        Err(error) => error,
    }
}

async fn kept(desk: &Desk, link: &NodeLink, anew: &Notify) -> Result<std::convert::Infallible, Error> {
    let dir = &desk.config().keys;
    let (mut held, mut next_attempt) = (desk.keys().credentials.clone(), Instant::now());
    loop {
        if let Some(found) = put_there(dir, &held) {
            held = found;
            follow(link, &held, anew);
        }
        let life = held.life().map_err(|e| Error::Refused(format!("this node's certificate: {e}")))?;
        let (now, until) = (clock::now(), clock::shown(life.until));
        let due = now >= life.renew_at() && Instant::now() >= next_attempt;
        if due && now > life.until {
            tracing::error!(
                until,
                "this node's certificate has ended: ask the coordinator's operator for an invitation, then `koonti-node enroll`"
            );
            next_attempt = Instant::now() + LONGEST_PAUSE;
        } else if due {
            match renew(desk.config().route(), &held, &desk.keys().identity).await {
                Ok(renewed) => {
                    fault::step("renewal-issued");
                    keys::write_pair(dir, &renewed)?;
                    fault::step("renewal-written");
                    held = renewed;
                    let until = held.life().map_or(0, |life| life.until);
                    tracing::info!(until = clock::shown(until), "this node's certificate is renewed");
                    follow(link, &held, anew);
                }
                Err(failure) => {
                    tracing::warn!(%failure, until, "this node's certificate is not renewed yet; trying again");
                    let left = Duration::from_secs(life.until.saturating_sub(now));
                    next_attempt = Instant::now() + (left / 20).clamp(SHORTEST_PAUSE, LONGEST_PAUSE);
                }
            }
        }
        let until_due = Duration::from_secs(life.renew_at().saturating_sub(now));
        tokio::time::sleep(until_due.clamp(SHORTEST_PAUSE, LOOK_EVERY)).await;
    }
}

/// Another pair of this node than the one held, if such a one is on disk and can be used.
fn put_there(dir: &Path, held: &Credentials) -> Option<Credentials> {
    let found = keys::credentials(dir).ok().filter(|found| found.cert_pem != held.cert_pem)?;
    held.followed_by(found.key_pem, found.cert_pem).ok()
}

fn follow(link: &NodeLink, held: &Credentials, anew: &Notify) {
    match link.dial_anew(held) {
        Ok(()) => anew.notify_one(),
        Err(failure) => tracing::warn!(%failure, "the new certificate cannot be used"),
    }
}
