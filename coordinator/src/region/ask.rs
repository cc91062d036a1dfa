//! Questions: quoted, asked, and asked again of the nodes that were missing.

use super::{Inner, Region, internal};
use crate::clock;
use crate::error::Error;
use crate::expect;
use crate::fold::{Standing, Table as Held};
use crate::invitation::random;
use koonti_disclosure::identity::SignedRequest;
use koonti_disclosure::quorum::Quorum;
use koonti_disclosure::request::ReleaseKind;
use koonti_disclosure::roster::Roster;
use koonti_disclosure::{Digest, Name, Refusal};
use koonti_evidence::entry::coordinator::{Asked as AskedEntry, Entry};
use koonti_proto::Failure;
use koonti_proto::wire::{Ask, Asked, Logged, Offer, Quote, Table, TableState, ToNode};
use std::time::Duration;
use tokio::sync::mpsc;

/// How long nodes may take to quote.
const QUOTE_TIMEOUT: Duration = Duration::from_secs(5);
/// Shortest and longest time that a requester may give the nodes, seconds.
const TIMEOUTS_S: std::ops::RangeInclusive<u64> = 1..=30 * 86_400;

impl Region {
    pub(super) async fn quote(&self, request: &SignedRequest) -> Result<Asked, Failure> {
        let id = request.request().id();
        let (quoting, mut quotes) = mpsc::unbounded_channel();
        let offer = Offer {
            request: request.clone(),
            round: random().map_err(internal)?,
            nonce: random().map_err(internal)?,
            quote_only: true,
            deadline: clock::now() + QUOTE_TIMEOUT.as_secs(),
            logged: Logged::default(),
        };
        let (mut waiting, mut unreachable, roster): (Vec<Name>, Vec<Name>, Roster) = {
            let mut inner = self.inner();
            let roster = inner.roster()?.clone();
            let nodes = serving(&roster, request)?;
            inner.quotes.entry(id).or_default().push(quoting);
            for node in &nodes {
                inner.send(node, ToNode::Offer(Box::new(offer.clone())));
            }
            let (here, away) = nodes.into_iter().partition(|node| inner.connected.contains_key(node));
            (here, away, roster)
        };
        let mut received: Vec<Quote> = Vec::new();
        let all = async {
            while !waiting.is_empty() {
                let Some(quote) = quotes.recv().await else { break };
                if let Some(at) = waiting.iter().position(|n| *n == quote.node) {
                    waiting.remove(at);
                    received.push(quote);
                }
            }
        };
        // Running out of time leaves the slow ones in `waiting`: that is the answer.
        let _ = tokio::time::timeout(QUOTE_TIMEOUT, all).await;
        drop(quotes);
        // Also those of calls that their callers have left.
        self.inner().quotes.retain(|_, senders| {
            senders.retain(|sender| !sender.is_closed());
            !senders.is_empty()
        });
        unreachable.append(&mut waiting);
        unreachable.sort();
        received.sort_by(|a, b| a.node.cmp(&b.node));
        let expected_withheld_percent = expect::withheld_percent(request.request(), &roster, &received);
        let lone_cells = expect::lone_cells(request.request(), &roster);
        Ok(Asked::Quote { quotes: received, unreachable, expected_withheld_percent, lone_cells })
    }

    pub(super) fn ask(&self, ask: &Ask) -> Result<(Table, bool), Failure> {
        let id = ask.request.request().id();
        let value = ask.request.json();
        let mut inner = self.inner();
        let now = clock::now();
        let deadline = now + ask.timeout_s.clamp(*TIMEOUTS_S.start(), *TIMEOUTS_S.end());
        let nodes = serving(inner.roster()?, &ask.request)?;
        let (round, nonce) = (random().map_err(internal)?, random().map_err(internal)?);
        let known = inner.store.fold.tables.get(&id);
        let late = known.is_some_and(|table| table.late);
        let again: Vec<Name> = match known.map(|t| (t.state, &t.nodes)) {
            None => {
                let heads = inner.put_heads().map_err(internal)?;
                let regional = ask.request.request().release() == ReleaseKind::Regional;
                let asked = AskedEntry {
                    deadline,
                    heads,
                    nodes: nodes.clone(),
                    nonce,
                    phase_timeout_s: if regional {
                        ask.phase_timeout_s.clamp(*TIMEOUTS_S.start(), *TIMEOUTS_S.end())
                    } else {
                        0
                    },
                    request: value,
                    round,
                    time: now,
                };
                inner.store.append(Entry::Asked(Box::new(asked))).map_err(internal)?;
                self.send_offer(&inner, id, &nodes).map_err(internal)?;
                return Ok((inner.view(id)?, false));
            }
            Some((TableState::Open, _)) => return Ok((inner.view(id)?, true)),
            // Later nodes are not added to a regional sum.
            Some((TableState::Published, _)) if !ask.retry_missing || known.is_some_and(Held::is_regional) => {
                return Ok((inner.view(id)?, true));
            }
            // Only nodes that were asked before, and have not released.
            Some((TableState::Published, known)) => {
                nodes.into_iter().filter(|n| matches!(known.get(n), Some(Standing::Refused(_)))).collect()
            }
            Some((TableState::Refused, _)) => nodes,
        };
        // With a release that came late, it is enough to close it anew.
        if !again.is_empty() || late {
            let heads = inner.put_heads().map_err(internal)?;
            let nodes = again.clone();
            let entry = Entry::Reopened { deadline, heads, id, nodes, nonce, request: value, round, time: now };
            inner.store.append(entry).map_err(internal)?;
            inner.load_round(id).map_err(internal)?;
            inner.send_stop(id);
            self.send_offer(&inner, id, &again).map_err(internal)?;
        }
        Ok((inner.view(id)?, true))
    }
}

impl Inner {
    /// Keeps the heads of the nodes' logs as they are now, before a nonce is known.
    fn put_heads(&self) -> Result<Digest, Error> {
        self.store.put_blob(&self.mirrors.heads().bytes())
    }
}

/// The nodes that a question goes to: those serving one of the areas asked for,
/// else all; for a regional table always all.
fn serving(roster: &Roster, request: &SignedRequest) -> Result<Vec<Name>, Failure> {
    let regional = request.request().release() == ReleaseKind::Regional;
    let asked = request.request().filter("area").filter(|_| !regional);
    let serves = |areas: &[String]| asked.is_none_or(|asked| areas.iter().any(|a| asked.contains(a)));
    let nodes: Vec<Name> = roster.nodes().iter().filter(|n| serves(&n.areas)).map(|n| n.name.clone()).collect();
    if regional && Quorum::of(roster).is_err() {
        return Err(Failure::Refused(Refusal::TooFewNodes));
    }
    if nodes.is_empty() { Err(Failure::Refused(Refusal::AreaNotServed)) } else { Ok(nodes) }
}
