//! A region in one archive: five nodes with keys from fixed seeds, a table of a score per
//! organisation that one node first refuses, a regional table whose first round was
//! given up, a closed quarter, new approvers, a second roster.
//!
//! Hooks see every entry and blob before it is hashed, so that a mutant's later roots,
//! indices and signatures are those of a dishonest log that is careful.

#![allow(dead_code, missing_docs, unreachable_pub, clippy::type_complexity, reason = "every test uses a part")]

#[path = "../../../secagg/tests/support/mod.rs"]
pub mod play;
pub mod scribe;

use koonti_disclosure::combine::{Missing, Published, combine};
use koonti_disclosure::coverage::{Coverage, Covered, list};
use koonti_disclosure::identity::{IdentityKey, Intent};
use koonti_disclosure::ledger::Terms;
use koonti_disclosure::masked::Layout;
use koonti_disclosure::policy::{Holdings, Vintage};
use koonti_disclosure::regional::{self, Sum};
use koonti_disclosure::release::Received;
use koonti_disclosure::request::Measure;
use koonti_disclosure::roster::{Floor, LogKeys, NodeEntry, PersonEntry, Role, Roster};
use koonti_disclosure::stream::Seed;
use koonti_disclosure::{
    Codebook, Digest, Exact, Ledger, Name, Policy, Refusal, TableRequest, Tally, canonical, names,
};
use koonti_evidence::bundle::{Bundle, Opened};
use koonti_evidence::container;
use koonti_secagg::coordinator::{Phase, Round};
use koonti_secagg::message::Kind;
use play::{Memory, Play, Region, identity, identity_seed, name, node_name};
use scribe::{Hooks, Scribe, log_seed, public, witness_seed};
use serde_json::{Value, json};
use std::collections::BTreeMap;

pub const SEED: u64 = 7;
pub const NODES: u16 = 5;
pub const COORDINATOR: &str = "coordinator";

/// The files of a bundle, all but the list.
pub type Files = BTreeMap<String, Vec<u8>>;

pub fn governance() -> IdentityKey {
    IdentityKey::from_seed([200; 32])
}

pub fn person(which: &str) -> IdentityKey {
    IdentityKey::from_seed(Digest::of(which.as_bytes()).0)
}

pub fn trust() -> String {
    format!("governance {}\n", governance().public())
}

pub fn log_of(place: u16) -> String {
    format!("node-{}", node_name(place))
}

pub fn roster(epoch: u64) -> Roster {
    let keys = |log: &str| LogKeys { log: public(log_seed(log)), witness: public(witness_seed(log)) };
    let node = |place: u16| {
        let LogKeys { log, witness } = keys(&log_of(place));
        let identity = identity(SEED, place).public();
        NodeEntry { areas: vec!["205".to_owned()], identity, log, name: node_name(place), witness }
    };
    let floor = Floor { c: 1, eta: (1, 100), j: 2, k: 5 };
    let mut persons = vec![
        PersonEntry { identity: person("aino").public(), name: name("aino"), roles: vec![Role::Requester] },
        PersonEntry { identity: person("outi").public(), name: name("outi"), roles: vec![Role::Auditor] },
    ];
    if epoch > 1 {
        persons.push(PersonEntry { identity: person("pia").public(), name: name("pia"), roles: vec![Role::Requester] });
    }
    Roster::new(name("ita"), epoch, keys(COORDINATOR), floor, (0..NODES).map(node).collect(), persons).unwrap()
}

pub fn policy(k: u32, approval: &str, rho: u64) -> Value {
    json!({
        "k": k, "approval": approval,
        "allowance": {"nano_rho_per_period": rho, "atto_delta_per_period": 1_000_000_000_000_000u64,
            "gate_atto_delta": 100_000_000_000u64, "nano_rho_per_requester": rho},
        "regional": {"chance_below_k": [1, 100], "nodes_per_person": 2},
        "tables": {"measures": ["clients", "score", "events"], "dimensions": ["need", "age_group", "sex", "area"],
            "purposes": ["statistics"], "most_cells": 50_000, "most_per_client": 10},
    })
}

pub fn request(regional: bool) -> TableRequest {
    let mut json = json!({
        "by": ["sex"], "codebook": Codebook::built_in().hash(), "measure": "score", "score": "D07",
        "periods": ["2026Q2", "2026Q3"], "purpose": "statistics", "region": "ita", "register": "r",
        "release": "per_node", "v": 1, "variance": [25, 1],
    });
    if regional {
        json["release"] = "regional".into();
        json["periods"] = json!(["2026Q1"]);
    }
    TableRequest::parse(&canonical::to_bytes(&json).unwrap(), Codebook::built_in()).unwrap()
}

pub fn signed(request: &TableRequest, who: &str, intent: Intent) -> Value {
    let signed = person(who).sign_request(request.clone(), name(who), scribe::START + 3600, intent);
    serde_json::from_slice(signed.bytes()).unwrap()
}

/// Two persons' approvals of rules.
pub fn approvals(who: &[&str], sign: impl Fn(&IdentityKey) -> [u8; 64]) -> Value {
    let mut all: Vec<(Digest, String)> =
        who.iter().map(|who| (person(who).public(), names::hex(&sign(&person(who))))).collect();
    all.sort();
    all.iter().map(|(key, signature)| json!({"key": key, "signature": signature})).collect()
}

pub fn keys_of(who: &[&str]) -> Vec<Digest> {
    let mut keys: Vec<Digest> = who.iter().map(|who| person(who).public()).collect();
    keys.sort();
    keys
}

/// Builds the files; logs go through the hooks.
pub fn build(hooks: &Hooks<'_>) -> Files {
    let mut s = Scribe::new(hooks);
    begin(&mut s);
    per_node(&mut s);
    let opened = regional_table(&mut s);
    end(&mut s);
    let mut bundle = Bundle::new(name("ita"));
    s.finish(&mut bundle);
    for (round, opened) in opened {
        bundle.round(round, opened);
    }
    read(&bundle.bytes().unwrap())
}

/// The files of an archive, all but the list.
pub fn read(archive: &[u8]) -> Files {
    let files = container::read(archive, 10_000).unwrap();
    files.into_iter().filter(|(name, _)| name != "bundle.json").map(|(name, bytes)| (name, bytes.to_vec())).collect()
}

/// The archive of files, with their list.
pub fn archive(files: &Files) -> Vec<u8> {
    let mut all = files.clone();
    all.insert("bundle.json".to_owned(), manifest(files));
    container::write(&all).unwrap()
}

pub fn manifest(files: &Files) -> Vec<u8> {
    let list: BTreeMap<&String, Digest> = files.iter().map(|(name, bytes)| (name, Digest::of(bytes))).collect();
    canonical::to_bytes(&json!({"files": list, "region": "ita", "v": 1})).unwrap()
}

fn enrolled(s: &mut Scribe<'_>, tag: &str, who: &str, secret: &str) {
    let role = if who == "aino" { "requester" } else { "auditor" };
    s.push(
        COORDINATOR,
        tag,
        json!({"type": "enrolled", "areas": [], "identity": person(who).public(), "kind": "person", "name": who,
            "roles": [role], "secret_sha256": Digest::of(secret.as_bytes()), "spki": Digest([3; 32])}),
    );
}

pub fn begin(s: &mut Scribe<'_>) {
    let governance = governance().public();
    let keys = |log: &str| (public(log_seed(log)), public(witness_seed(log)));
    let (log, witness) = keys(COORDINATOR);
    s.push(
        COORDINATOR,
        "genesis",
        json!({"type": "genesis", "governance": governance, "log": log, "region": "ita",
        "software": "0.1.0", "v": 1, "witness": witness}),
    );
    for who in ["aino", "outi"] {
        enrolled(s, "enrolled-person", who, who);
    }
    for place in 0..NODES {
        let (log, witness) = keys(&log_of(place));
        s.push(COORDINATOR, "enrolled-node", json!({"type": "enrolled", "areas": ["205"], "identity": identity(SEED, place).public(),
            "kind": "node", "log": log, "name": node_name(place), "roles": [], "secret_sha256": Digest([place as u8; 32]),
            "spki": Digest([4; 32]), "witness": witness}));
    }
    for (tag, by, spki) in [("renewed", [4; 32], [10; 32]), ("renewed-2", [10; 32], [11; 32])] {
        let (by, spki) = (Digest(by), Digest(spki));
        s.push(
            COORDINATOR,
            tag,
            json!({"type": "renewed", "by": by, "kind": "node", "name": node_name(0), "spki": spki}),
        );
    }
    s.push(COORDINATOR, "revoked", json!({"type": "revoked", "kind": "person", "name": "outi"}));
    enrolled(s, "enrolled-again", "outi", "again");
    s.roster(COORDINATOR, "roster", 1);
    for place in 0..NODES {
        let log = &log_of(place);
        let (key, witness) = keys(log);
        s.push(
            log,
            "genesis",
            json!({"type": "genesis", "governance": governance, "identity": identity(SEED, place).public(),
            "log": key, "node": node_name(place), "region": "ita", "software": "0.1.0", "v": 1, "witness": witness}),
        );
        let mut approvers = json!({"type": "approvers", "approvals": [], "keys": keys_of(&["kai", "liisa"])});
        let rules = policy(5, "auto", s.room.0);
        // Two logs go back to a version whose approvals did not say what they follow.
        if place < 3 {
            approvers["after"] = json!(s.approved(log));
            s.push(log, "approvers", approvers);
            s.policy(log, "policy", &rules, &["kai", "liisa"]);
        } else {
            s.push(log, "approvers", approvers);
            s.policy_of_old(log, &rules, &["kai", "liisa"]);
        }
        let mut imported = json!({"type": "imported", "commitments": [Digest([5; 32]), Digest([6; 32]), Digest([7; 32])],
            "events": true,
            "periods": ["2026Q1", "2026Q2", "2026Q3"], "register": "r", "source": "r", "vintage": Digest([9; 32])});
        if let Some(coverage) = stated(&node_name(place)) {
            imported["coverage"] = json!(coverage);
        }
        s.push(log, "imported", imported);
        s.roster(log, "roster", 1);
        let commitments: Vec<Digest> =
            (0..s.room.1).map(|n| Seed::new([n.to_be_bytes()[7]; 32]).commitment(n)).collect();
        for (batch, first) in commitments.chunks(500).zip((0u64..).step_by(500)) {
            s.push(log, "seeds", json!({"type": "seeds", "commitments": batch, "first": first}));
        }
    }
}

/// What the operators of some nodes state of their registers.
fn stated(node: &Name) -> Option<Coverage> {
    match node.as_str() {
        "node-002" => Some(Coverage::All),
        "node-003" => Some(Coverage::Pilot),
        _ => None,
    }
}

/// The list of a table over these nodes.
fn covered(request: &TableRequest, counted: &[Name]) -> Vec<Covered> {
    let of = |node: &Name| {
        let coverage = stated(node);
        (node.clone(), request.periods().iter().filter_map(|period| Some((*period, coverage?))).collect())
    };
    list(counted.iter().map(of))
}

/// Asks a table; the entry's index.
pub fn ask(s: &mut Scribe<'_>, tag: &str, kind: &str, request: &TableRequest, nodes: &[u16]) -> u64 {
    let heads = s.heads(&format!("heads-{tag}"));
    let round = Digest::of(format!("round {tag}").as_bytes());
    let nonce = Digest::of(format!("nonce {tag}").as_bytes());
    let nodes: Vec<Name> = nodes.iter().map(|place| node_name(*place)).collect();
    let mut entry = json!({"type": kind, "deadline": scribe::START + 900, "heads": heads, "nodes": nodes, "nonce": nonce,
        "request": signed(request, "aino", Intent::Ask), "round": round});
    match kind {
        "asked" => entry["phase_timeout_s"] = json!(0),
        _ => entry["id"] = json!(request.id()),
    }
    let index = s.push(COORDINATOR, &format!("asked-{tag}"), entry);
    s.asked.insert(tag.to_owned(), (index, round, nonce));
    index
}

/// A node takes a question up and says yes.
pub fn take_up(s: &mut Scribe<'_>, tag: &str, request: &TableRequest, place: u16) {
    let (index, round, nonce) = s.asked[tag];
    let log = log_of(place);
    let head = s.head(COORDINATOR);
    let known = s.known(tag, &node_name(place));
    s.push(&log, &format!("question-{tag}"), json!({"type": "question",
        "asked": {"index": index, "root": head.1, "size": head.0}, "deadline": scribe::START + 900, "known": known, "nonce": nonce,
        "request": signed(request, "aino", Intent::Ask), "round": round}));
    s.push(&log, &format!("approved-{tag}"), json!({"type": "approved", "by": "policy", "request": request.id()}));
}

/// The debit that the ledger writes, and the release that it pays for.
fn debit_and_release(
    place: u16,
    request: &TableRequest,
    (round, nonce): (Digest, Digest),
    policy: &Policy,
) -> (Value, Vec<u8>) {
    let vintages = ["2026Q1", "2026Q2", "2026Q3"]
        .map(|p| (p.parse().unwrap(), Vintage { id: Digest([9; 32]), events: true }))
        .into();
    let (roster, node, register) = (roster(1), node_name(place), name("r"));
    let holdings = Holdings {
        region: roster.region(),
        node: &node,
        register: &register,
        source: &register,
        areas: &["205".to_owned()],
        vintages: &vintages,
        floor: roster.floor(),
        quorum: None,
    };
    let admitted = policy.admit(request, &holdings).unwrap();
    let mut journal = Memory::default();
    let seed = (0, Seed::new([place as u8 + 1; 32]));
    let terms = Terms { requester: name("aino"), round, nonce, seed, time: scribe::START };
    let permit = Ledger::default().debit(admitted, terms, &mut journal).unwrap_or_else(|_| panic!("no permit"));
    let debit = serde_json::from_slice(&journal.0[0]).unwrap();
    let noise = permit.draw().unwrap();
    // One cell is far above the gate, one in the middle, one empty.
    let counts = |_| match request.measure() {
        Measure::Score => vec![vec![100 + i64::from(place), 20, 0], vec![30, -4, 0]],
        _ => vec![vec![100; request.domain().cells()], vec![250; request.domain().cells()]],
    };
    let tally = Tally { periods: request.periods().iter().map(counts).collect() };
    (debit, Exact::wrap(tally).release(permit, noise).unwrap().bytes().to_vec())
}

pub fn answer(s: &mut Scribe<'_>, tag: &str, (request, seed): (&TableRequest, u64), place: u16) {
    let (_, round, nonce) = s.asked[tag];
    let log = log_of(place);
    let policy: Policy = serde_json::from_value(policy(5, "auto", s.room.0)).unwrap();
    let (mut debit, release) = debit_and_release(place, request, (round, nonce), &policy);
    let hash = s.policies.get(&log).copied().unwrap_or(Digest([0; 32]));
    (debit["policy"], debit["seed"]) = (json!(hash), json!(seed));
    let release = with_header(&release, |header| header["policy"] = json!(hash));
    let release = s.blob(&format!("{log}/release-{tag}"), release);
    let at = s.push(&log, &format!("debit-{tag}"), debit);
    let entry = json!({"type": "release", "debit": at, "release": release, "request": request.id()});
    let index = s.push(&log, &format!("release-{tag}"), entry);
    let bytes = s.blobs[&release].clone();
    let signature = scribe::sign(identity_seed(SEED, place), "release", &bytes);
    let head = s.head(&log);
    let before = s.head(COORDINATOR).0;
    let entry = json!({"type": "released", "head": {"root": head.1, "size": head.0}, "id": request.id(),
        "index": index, "node": node_name(place), "release": release, "signature": names::hex(&signature)});
    s.push(COORDINATOR, &format!("released-{tag}-{place}"), entry);
    let taken = s.head(COORDINATOR).0 > before;
    s.received.extend(
        Received::read(&bytes, |request| TableRequest::parse(request.bytes(), Codebook::built_in()).ok())
            .ok()
            .filter(|_| taken),
    );
}

/// A release whose header was changed.
pub fn with_header(release: &[u8], change: impl Fn(&mut Value)) -> Vec<u8> {
    let (length, rest) = release.split_first_chunk::<4>().unwrap();
    let (header, cells) = rest.split_at(u32::from_be_bytes(*length) as usize);
    let mut header = serde_json::from_slice(header).unwrap();
    change(&mut header);
    let header = canonical::to_bytes(&header).unwrap();
    [&u32::try_from(header.len()).unwrap().to_be_bytes()[..], &header, cells].concat()
}

/// A score per organisation; node 4 refuses, is asked again, and answers. Then a
/// smaller table of two nodes, of events.
fn per_node(s: &mut Scribe<'_>) {
    let request = request(false);
    ask(s, "a", "asked", &request, &[0, 1, 2, 3, 4]);
    for place in 0..4 {
        take_up(s, "a", &request, place);
        answer(s, "a", (&request, 0), place);
    }
    s.push(&log_of(4), "refused", json!({"type": "refused", "reason": "NO_SEED", "request": request.id()}));
    s.push(
        COORDINATOR,
        "refused",
        json!({"type": "refused", "id": request.id(), "node": node_name(4), "reason": "NO_SEED"}),
    );
    close(s, "closed-a", &request, &[0, 1, 2, 3, 4], Refusal::NoSeed);
    ask(s, "b", "reopened", &request, &[4]);
    take_up(s, "b", &request, 4);
    answer(s, "b", (&request, 0), 4);
    close(s, "closed-b", &request, &[0, 1, 2, 3, 4], Refusal::NoAnswer);
    let small = small_request();
    ask(s, "c", "asked", &small, &[0, 1]);
    for place in 0..2 {
        take_up(s, "c", &small, place);
        answer(s, "c", (&small, 3), place);
    }
    close(s, "closed-c", &small, &[0, 1], Refusal::NoAnswer);
}

pub fn small_request() -> TableRequest {
    let json = json!({
        "by": [], "codebook": Codebook::built_in().hash(), "max_events": 4, "measure": "events", "periods": ["2026Q2"],
        "purpose": "statistics", "region": "ita", "register": "r", "release": "per_node", "v": 1, "variance": [25, 1],
    });
    TableRequest::parse(&canonical::to_bytes(&json).unwrap(), Codebook::built_in()).unwrap()
}

pub fn close(s: &mut Scribe<'_>, tag: &str, request: &TableRequest, asked: &[u16], reason: Refusal) {
    let of_request = |r: &&Received| r.request().id() == request.id() && r.tau() < 1 << 40;
    let received: Vec<Received> = s.received.iter().filter(of_request).cloned().collect();
    let absent = |node: &Name| !received.iter().any(|r| r.node() == node);
    let missing = asked.iter().map(|place| node_name(*place)).filter(absent);
    let reason_of = |node: &Name| if *node == node_name(4) { reason } else { Refusal::NoAnswer };
    let missing = missing.map(|node| Missing { reason: reason_of(&node), node }).collect();
    let table = combine(request, received, missing);
    let coverage = covered(request, &table.nodes_counted);
    let published = s.blob(tag, canonical::to_bytes(&Published { coverage, ..table }).unwrap());
    s.push(COORDINATOR, tag, json!({"type": "closed", "id": request.id(), "published": published}));
}

/// A regional table: all mask, the round is given up, and tried again without node 4.
fn regional_table(s: &mut Scribe<'_>) -> Vec<(Digest, Opened)> {
    let (request, roster) = (request(true), roster(1));
    let layout = Layout::of(&request).unwrap();
    let region = Region { roster: roster.clone(), request: request.clone(), layout: layout.clone(), seed: SEED };
    ask(s, "r", "asked", &request, &[0, 1, 2, 3, 4]);
    for place in 0..NODES {
        take_up(s, "r", &request, place);
    }
    for place in 0..NODES {
        s.push(
            COORDINATOR,
            "ready",
            json!({"type": "ready", "id": request.id(), "node": node_name(place),
            "terms": {"eta": [1, 100], "j": 2, "k": 5}}),
        );
    }
    let (spec, players) = (region.spec(0, None), region.players());
    let round = Round::new(spec.clone(), layout.clone(), roster.clone(), None);
    let mut play = Play { region, players, round };
    began(s, &play, None);
    play_to_masks(s, &mut play, &[]);
    let erased: Vec<Vec<u8>> = play.players.iter_mut().map(|player| player.erase().unwrap()).collect();
    for (place, message) in (0..).zip(&erased) {
        let debit = s.debits[&place];
        s.push(&log_of(place), "abort", json!({"type": "abort", "debit": debit}));
        s.push(&log_of(place), "round-erased", json!({"type": "round-erased", "round": spec.round()}));
        play.give(place, message).unwrap();
    }
    s.push(
        COORDINATOR,
        "round-failed",
        json!({"type": "round-failed", "id": request.id(), "inputs": true, "round": spec.round()}),
    );
    let certificate = play.round.certificate().unwrap();
    let retry = play.region.spec(1, Some(spec.round()));
    play.round = Round::new(retry.clone(), layout, roster.clone(), Some(&certificate));
    let hex = names::hex(certificate.bytes());
    began(s, &play, Some(&hex));
    let inputs = play_to_masks(s, &mut play, &[4]);
    play.phase(&[4]).unwrap();
    play.phase(&[4]).unwrap();
    for place in 0..4 {
        let (debit, masked) = (s.debits[&place], s.masked[&place]);
        s.push(
            &log_of(place),
            "release-r",
            json!({"type": "release", "debit": debit, "release": masked, "request": request.id()}),
        );
    }
    let survivors: Vec<Name> = (0..4).map(node_name).collect();
    let vectors = &play.round.opened().unwrap().sums;
    let missing = vec![Missing { node: node_name(4), reason: Refusal::RoundLeft }];
    let sum = Sum { spec: &retry, survivors: survivors.clone(), missing, vectors };
    let table = Published { coverage: covered(&request, &survivors), ..regional::publish(&request, sum) };
    let published = s.blob("closed-r", canonical::to_bytes(&table).unwrap());
    s.push(
        COORDINATOR,
        "closed-r",
        json!({"type": "closed", "counted": survivors, "id": request.id(), "published": published}),
    );
    let t = play.round.transcript().unwrap();
    let opened = Opened {
        adverts: t.adverts,
        u2: t.u2.iter().flat_map(|place| place.to_be_bytes()).collect(),
        survivors: t.survivors,
        confirmations: t.confirmations,
        masked: inputs,
        own: t.own.into_iter().collect(),
        mask: t.mask.into_iter().collect(),
    };
    vec![(retry.round(), opened)]
}

fn began(s: &mut Scribe<'_>, play: &Play, certificate: Option<&str>) {
    let spec: Value = serde_json::from_slice(play.round.spec().bytes()).unwrap();
    let mut entry = json!({"type": "round-began", "id": play.region.request.id(), "spec": spec});
    if let Some(certificate) = certificate {
        entry["certificate"] = certificate.into();
    }
    let tag = if certificate.is_some() { "round-began-2" } else { "round-began-1" };
    s.push(COORDINATOR, tag, entry);
}

/// Plays a round until the masked inputs are in; the inputs by place.
fn play_to_masks(s: &mut Scribe<'_>, play: &mut Play, silent: &[u16]) -> BTreeMap<u16, Vec<u8>> {
    let (id, round) = (play.region.request.id(), play.round.spec().round());
    for place in 0..NODES {
        s.push(&log_of(place), "round-joined", json!({"type": "round-joined", "request": id, "round": round}));
    }
    play.phase(&[]).unwrap();
    play.phase(&[]).unwrap();
    assert!(play.round.phase() == Phase::Masked);
    let mut inputs: BTreeMap<u16, Vec<u8>> = BTreeMap::new();
    for (place, message) in play.answers(silent) {
        match koonti_secagg::message::kind(&message) {
            Some(Kind::Masked) => {
                let journal = &play.players[usize::from(place)].journal.0;
                let mut paid: Value = serde_json::from_slice(journal.last().unwrap()).unwrap();
                let log = log_of(place);
                if paid["type"] == "debit" {
                    paid["seed"] = json!(1);
                    paid["policy"] = json!(s.policies[&log]);
                    let at = s.push(&log, "debit-r", paid);
                    s.debits.insert(place, at);
                } else {
                    paid["seed"] = json!(2);
                    paid["debit"] = json!(s.debits[&place]);
                    s.push(&log, "carry", paid);
                }
                let head = koonti_secagg::message::Masked::parse(&message).unwrap().1;
                let masked = koonti_disclosure::masked::chunks_hash(&head.chunks);
                s.masked.insert(place, masked);
                let tag = if silent.is_empty() { "masked-1" } else { "masked-2" };
                s.push(&log, tag, json!({"type": "masked", "masked": masked, "request": id, "round": round}));
                inputs.insert(place, message.clone());
            }
            Some(Kind::Chunk) => inputs.get_mut(&place).unwrap().extend(&message[37..]),
            _ => {}
        }
        play.give(place, &message).unwrap();
    }
    play.round.advance().unwrap();
    inputs
}

/// What else happens in a year.
fn end(s: &mut Scribe<'_>) {
    let log = log_of(1);
    let next = keys_of(&["liisa", "matti"]);
    s.policy(&log_of(3), "policy-2", &policy(6, "each", 1_000_000_000), &["kai", "liisa"]);
    let after = s.approved(&log);
    let by = approvals(&["kai", "liisa"], |key| key.sign_approvers(after, &next));
    s.push(&log, "approvers-2", json!({"type": "approvers", "after": after, "approvals": by, "keys": next}));
    s.policy(&log, "policy-2", &policy(6, "each", 1_000_000_000), &["liisa", "matti"]);
    s.policy(&log_of(3), "policy-2", &policy(6, "each", 1_000_000_000), &["kai", "liisa"]);
    let first = log_of(0);
    s.push(&first, "seeds-2", json!({"type": "seeds", "commitments": [Digest([8; 32])], "first": 4}));
    s.push(
        &first,
        "closed",
        json!({"type": "closed", "atto_delta": 100_000_000_000u64, "debits": 1, "nano_rho": 40_000_000,
        "period": "2026Q3", "source": "r"}),
    );
    s.push(
        &first,
        "destroyed",
        json!({"type": "destroyed", "periods": ["2026Q3"], "seeds": [0], "vintage": Digest([9; 32])}),
    );
    s.push(&first, "recovered", json!({"type": "recovered", "periods": ["2026Q2"], "source": "r"}));
    s.roster(COORDINATOR, "roster-2", 2);
    s.roster(&first, "roster-2", 2);
    s.push(COORDINATOR, "access", json!({"type": "access", "auditor": "outi"}));
}
