//! The doors of `koonti-proto`: who is calling, and what they are shown.

use super::{Connection, Region};
use crate::clock;
use crate::fold::Standing;
use koonti_disclosure::identity::Intent;
use koonti_disclosure::roster::{Role as RosterRole, SignedRoster};
use koonti_disclosure::{Digest, Name, Refusal};
use koonti_evidence::entry::coordinator::MemberKind;
use koonti_proto::access::{Caller, Registry, Role};
use koonti_proto::edge::pki::{Kind, SpiffeId};
use koonti_proto::wire::{
    Ask, Asked, Deposit, Deposited, Hello, NodeStatus, Received, Retrieved, RoundMessage, Table, TableState, ToNode,
};
use koonti_proto::{Failure, Items, RenewAsk, Rooms};
use std::sync::Arc;
use tokio::sync::{mpsc, watch};
use tokio_stream::StreamExt;
use tokio_stream::wrappers::{BroadcastStream, UnboundedReceiverStream};

impl Registry for Region {
    fn identify(&self, id: &SpiffeId, spki_sha256: &[u8; 32]) -> Option<Caller> {
        let member = self.member(id)?;
        let (kind, name) = member.clone();
        let inner = self.inner();
        inner.store.fold.keys.get(&member).filter(|keys| keys.contains(&Digest(*spki_sha256)))?;
        let member = inner.store.fold.members.get(&member)?;
        let roster = inner.roster.as_ref().map(SignedRoster::roster);
        // The roster decides, and it must mean this very key.
        let roles = match kind {
            MemberKind::Node => {
                let entry = roster.and_then(|r| r.node(&name)).filter(|n| n.identity == member.identity);
                entry.map(|_| Role::Node).into_iter().collect()
            }
            MemberKind::Person => {
                let entry = roster.and_then(|r| r.person(&name)).filter(|p| p.identity == member.identity);
                let role = |r: &RosterRole| match r {
                    RosterRole::Requester => Role::Requester,
                    RosterRole::Auditor => Role::Auditor,
                };
                entry.map(|p| p.roles.iter().map(role).collect()).unwrap_or_default()
            }
        };
        Some(Caller { name, roles })
    }

    fn is_revoked(&self, id: &SpiffeId) -> bool {
        self.member(id).is_some_and(|member| self.inner().store.fold.is_revoked(&member))
    }

    fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }
}

impl Region {
    /// The member that a certificate names; none of another region.
    fn member(&self, id: &SpiffeId) -> Option<(MemberKind, Name)> {
        let kind = if id.kind == Kind::Node { MemberKind::Node } else { MemberKind::Person };
        let ours = id.region == self.config.region.as_str();
        ours.then(|| id.name.parse().ok()).flatten().map(|name| (kind, name))
    }
}

impl Rooms for Region {
    fn attend(self: &Arc<Self>, caller: Caller, hello: Hello) -> Items<ToNode> {
        let (to_node, items) = mpsc::unbounded_channel();
        let mut inner = self.inner();
        inner.connections += 1;
        let number = inner.connections;
        if let Some(roster) = &inner.roster {
            drop(to_node.send(ToNode::Roster(roster.bytes())));
        }
        for table in inner.store.fold.tables.values().filter(|t| t.state == TableState::Open) {
            if matches!(table.nodes.get(&caller.name), Some(Standing::Open(_))) {
                match self.offer_of(&inner, table) {
                    Ok(offer) => drop(to_node.send(ToNode::Offer(Box::new(offer)))),
                    Err(error) => tracing::error!(%error, "an offer cannot be shown"),
                }
            }
        }
        for message in inner.mailbox(&caller.name) {
            drop(to_node.send(ToNode::Round(message)));
        }
        // A later connection of the same node replaces this one, whose stream then ends.
        inner
            .connected
            .insert(caller.name.clone(), Connection { number, to_node, witnessed: hello.witnessed, shown_at: None });
        inner.last_seen.insert(caller.name.clone(), (clock::now(), hello.version));
        drop(inner);
        tracing::info!(node = %caller.name, "connected");
        let leaving = Leaving { region: self.clone(), node: caller.name, number };
        Box::pin(UnboundedReceiverStream::new(items).map(move |item| {
            // Held by the stream for its life.
            let _ = &leaving;
            item
        }))
    }

    async fn answer(&self, caller: Caller, id: Digest, answer: Received) -> Result<(), Failure> {
        tokio::task::block_in_place(|| self.take(&caller.name, id, answer))
    }

    async fn deliver(&self, caller: Caller, message: RoundMessage) -> Result<(), Failure> {
        tokio::task::block_in_place(|| self.take_round_message(&caller.name, &message))
    }

    async fn deposit(&self, caller: Caller, deposit: Deposit) -> Result<Deposited, Failure> {
        tokio::task::block_in_place(|| self.take_deposit(&caller.name, &deposit))
    }

    fn retrieve(&self, caller: Caller) -> Result<Retrieved, Failure> {
        let inner = self.inner();
        let log = inner.mirrors.log(&caller.name).map_err(super::internal)?;
        let (entries, note) = log.ok_or_else(|| Failure::NotFound("no log of this node is held".to_owned()))?;
        let named = inner.rules_and_rosters(&entries);
        Ok(Retrieved { checkpoint: note.to_string().into_bytes(), entries, named })
    }

    fn cosign(&self, caller: Caller, size: u64, signature: String) -> Result<(), Failure> {
        self.take_cosignature(&caller.name, size, &signature)
    }

    async fn renew(&self, caller: Caller, ask: RenewAsk) -> Result<String, Failure> {
        tokio::task::block_in_place(|| self.renew_certificate(&caller.name, &ask))
    }

    async fn evidence(&self, caller: Caller) -> Result<Items<Vec<u8>>, Failure> {
        self.fetch_evidence(&caller.name).await
    }

    async fn create_table(&self, caller: Caller, ask: Ask) -> Result<Asked, Failure> {
        if *ask.request.requester() != caller.name || *ask.request.request().region() != self.config.region {
            return Err(Failure::Refused(Refusal::SignatureInvalid));
        }
        let key = {
            let inner = self.inner();
            inner
                .roster()?
                .person(&caller.name)
                .map(|p| p.identity)
                .ok_or(Failure::Refused(Refusal::RequesterUnknown))?
        };
        ask.request.verify(key).map_err(|_| Failure::Refused(Refusal::SignatureInvalid))?;
        if ask.request.not_after() < clock::now() {
            return Err(Failure::Refused(Refusal::RequestExpired));
        }
        if ask.request.intent() != if ask.validate_only { Intent::Quote } else { Intent::Ask } {
            return Err(Failure::Refused(Refusal::SignatureInvalid));
        }
        if ask.validate_only {
            return self.quote(&ask.request).await;
        }
        let (table, repeat) = tokio::task::block_in_place(|| self.ask(&ask))?;
        Ok(Asked::Table(Box::new(table), repeat))
    }

    fn table(&self, id: &str) -> Result<Table, Failure> {
        let inner = self.inner();
        let matching: Vec<Digest> =
            inner.store.fold.order.iter().filter(|i| id.len() >= 6 && i.to_string().starts_with(id)).copied().collect();
        match matching[..] {
            [id] => inner.view(id),
            [] => Err(Failure::NotFound(format!("no table begins with {id}: give at least six digits of its id"))),
            _ => Err(Failure::NotFound(format!("several tables begin with {id}: give more digits"))),
        }
    }

    fn tables(&self, after: Option<Digest>, most: usize) -> Result<Vec<Table>, Failure> {
        let inner = self.inner();
        let newest_first = inner.store.fold.order.iter().rev().copied();
        let ids: Vec<Digest> = match after {
            None => newest_first.take(most).collect(),
            Some(after) => newest_first.skip_while(|id| *id != after).skip(1).take(most).collect(),
        };
        ids.into_iter().map(|id| inner.look(id, false)).collect()
    }

    fn watch(self: &Arc<Self>, id: Digest) -> Result<Items<Table>, Failure> {
        let moved = BroadcastStream::new(self.moved.subscribe());
        let first = self.inner().view(id)?;
        let region = self.clone();
        // A lagging watcher misses steps, not the end: it reads the state as it is.
        let later = moved
            .filter(move |moved| moved.as_ref().map_or(true, |moved| *moved == id))
            .filter_map(move |_| region.inner().view(id).ok());
        let mut ended = false;
        let all = tokio_stream::once(first).chain(later).take_while(move |table| {
            let go_on = !ended;
            ended = table.state != TableState::Open;
            go_on
        });
        Ok(Box::pin(all))
    }

    fn nodes(&self) -> Vec<NodeStatus> {
        let inner = self.inner();
        let roster = inner.roster.as_ref().map(SignedRoster::roster);
        let mut names: Vec<Name> =
            roster.map(|r| r.nodes().iter().map(|n| n.name.clone()).collect()).unwrap_or_default();
        let enrolled = inner.store.fold.members.keys().filter(|(kind, _)| *kind == MemberKind::Node);
        names.extend(enrolled.map(|(_, name)| name.clone()));
        names.sort();
        names.dedup();
        let status = |name: Name| {
            let entry = roster.and_then(|r| r.node(&name));
            let (last_seen, version) = inner.last_seen.get(&name).cloned().unwrap_or_default();
            NodeStatus {
                areas: entry.map(|n| n.areas.clone()).unwrap_or_default(),
                connected: inner.connected.contains_key(&name),
                in_roster: entry.is_some(),
                last_seen,
                version,
                name,
            }
        };
        names.into_iter().map(status).collect()
    }

    fn roster(&self) -> Vec<u8> {
        self.inner().roster.as_ref().map(SignedRoster::bytes).unwrap_or_default()
    }
}

/// Marks a node as gone when its stream is dropped.
struct Leaving {
    region: Arc<Region>,
    node: Name,
    number: u64,
}

impl Drop for Leaving {
    fn drop(&mut self) {
        let mut inner = self.region.inner();
        if inner.connected.get(&self.node).is_some_and(|c| c.number == self.number) {
            inner.connected.remove(&self.node);
            tracing::info!(node = %self.node, "disconnected");
        }
        if let Some((seen, _)) = inner.last_seen.get_mut(&self.node) {
            *seen = clock::now();
        }
    }
}
