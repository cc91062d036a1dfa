//! Regional rounds in the ledger, at the second door and on the published table.
//!
//! Each test was seen to fail once against a copy of the code without the rule it
//! names.

use koonti_disclosure::abort::{self, Certificate};
use koonti_disclosure::combine::State;
use koonti_disclosure::cost::Cost;
use koonti_disclosure::identity::{IdentityKey, RoundLabel, check_masked};
use koonti_disclosure::ledger::{DebitError, DebitSink, Entry, Joining, Terms};
use koonti_disclosure::masked::{CLAMP, Layout, Masks, Ring};
use koonti_disclosure::poisson::Poisson;
use koonti_disclosure::policy::{Admitted, Holdings, Vintage};
use koonti_disclosure::quorum::Quorum;
use koonti_disclosure::regional::{Sum, publish};
use koonti_disclosure::roster::{Floor, LogKeys, NodeEntry, Roster};
use koonti_disclosure::round::{Choice, RoundSpec, Strictness};
use koonti_disclosure::stream::{Context, Seed, VectorKey};
use koonti_disclosure::{
    Codebook, Digest, Exact, Ledger, Name, Period, Permit, Policy, Refusal, TableRequest, Tally, canonical,
};
use std::collections::BTreeMap;

/// A sink in memory.
#[derive(Default)]
struct Memory(Vec<Vec<u8>>);

impl DebitSink for Memory {
    type Error = ();
    fn append_synced(&mut self, entry: &[u8]) -> Result<u64, ()> {
        self.0.push(entry.to_vec());
        Ok(self.0.len() as u64 - 1)
    }
}

/// Masks that hide nothing and count their calls.
struct Bare(Digest, u32);

impl Masks for Bare {
    fn round(&self) -> Digest {
        self.0
    }
    fn set(&self) -> Digest {
        Digest([8; 32])
    }
    fn add(&mut self, w: u32, _: Ring, _: &mut [u8]) {
        assert_eq!(w, self.1, "each vector once, in order");
        self.1 += 1;
    }
}

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

fn key(place: u8) -> IdentityKey {
    IdentityKey::from_seed([place + 1; 32])
}

/// A region of `n` nodes; place p has `key(p)`.
fn roster(n: u8, epoch: u64) -> Roster {
    let node = |p: u8| NodeEntry {
        areas: vec![],
        identity: key(p).public(),
        log: Digest([p; 32]),
        name: name(&format!("node-{p:03}")),
        witness: Digest([100 + p; 32]),
    };
    let coordinator = LogKeys { log: Digest([200; 32]), witness: Digest([201; 32]) };
    let floor = Floor { c: 1, eta: (1, 100), j: 2, k: 5 };
    Roster::new(name("ita"), epoch, coordinator, floor, (0..n).map(node).collect(), vec![]).unwrap()
}

fn request(measure: &str, sd2: u64) -> TableRequest {
    let mut json = serde_json::json!({
        "by": ["sex"], "codebook": Codebook::built_in().hash(), "measure": measure, "periods": ["2026Q2", "2026Q3"],
        "purpose": "statistics", "region": "ita", "register": "r", "release": "regional", "v": 1, "variance": [sd2, 1],
    });
    match measure {
        "score" => json["score"] = "D07".into(),
        "events" => json["max_events"] = 10.into(),
        _ => {}
    }
    TableRequest::parse(&canonical::to_bytes(&json).unwrap(), Codebook::built_in()).unwrap()
}

fn admit(request: &TableRequest, roster: &Roster) -> Result<Admitted, Refusal> {
    let policy: Policy = serde_json::from_value(serde_json::json!({
        "k": 7, "approval": "auto", "regional": {"nodes_per_person": 3, "chance_below_k": [1, 50]},
        "allowance": {"nano_rho_per_period": 250_000_000u64, "atto_delta_per_period": 10_000_000_000_000u64, "gate_atto_delta": 100_000_000_000u64},
        "tables": {"measures": ["clients", "score", "events"], "dimensions": ["sex"], "purposes": ["statistics"], "most_cells": 10_000, "most_per_client": 10},
    }))
    .unwrap();
    let periods = ["2026Q2", "2026Q3"].map(|p| p.parse::<Period>().unwrap());
    policy.admit(
        request,
        &Holdings {
            region: &name("ita"),
            node: &name("node-000"),
            register: &name("r"),
            source: &name("r"),
            areas: &[],
            vintages: &periods
                .into_iter()
                .map(|p| (p, Vintage { id: Digest([9; 32]), events: true }))
                .collect::<BTreeMap<_, _>>(),
            floor: roster.floor(),
            quorum: Quorum::of(roster).ok(),
        },
    )
}

fn spec(request: &TableRequest, roster: &Roster, previous: Option<Digest>) -> RoundSpec {
    spec_with(request, roster, previous, Strictness { eta: (1, 100), j: 3, k: 7 }, 3)
}

fn spec_with(
    request: &TableRequest,
    roster: &Roster,
    previous: Option<Digest>,
    strictness: Strictness,
    nonce: u8,
) -> RoundSpec {
    let choice =
        Choice { request: request.id(), nonce: Digest([nonce; 32]), deadlines: [1, 2, 3, 4, 5], strictness, previous };
    RoundSpec::new(roster, &choice).unwrap()
}

struct Book {
    ledger: Ledger,
    sink: Memory,
}

impl Book {
    fn new() -> Self {
        Self { ledger: Ledger::default(), sink: Memory::default() }
    }

    fn join(
        &mut self,
        request: &TableRequest,
        roster: &Roster,
        spec: &RoundSpec,
        certificate: Option<&Certificate>,
    ) -> Result<Permit, DebitError<()>> {
        let joining = Joining {
            requester: name("aino"),
            spec,
            session: session(spec),
            roster,
            certificate,
            seed: (self.sink.0.len() as u64, Seed::new([5; 32])),
            time: 1,
        };
        self.ledger.join(admit(request, roster).unwrap(), joining, &mut self.sink)
    }

    fn abort(&mut self, debit: u64) {
        let entry = Entry::Abort { debit, time: 2 };
        let seq = self.sink.append_synced(&canonical::to_bytes(&entry).unwrap()).unwrap();
        self.ledger.replay(seq, &entry).unwrap();
    }

    fn spent(&self) -> Cost {
        self.ledger.spent(&name("r"), "2026Q3".parse().unwrap()).cost
    }

    /// The ledger that a restart folds from the entries.
    fn folded(&self) -> Ledger {
        let mut ledger = Ledger::default();
        for (seq, bytes) in (0..).zip(&self.sink.0) {
            ledger.replay(seq, &canonical::from_bytes(bytes).unwrap()).unwrap();
        }
        ledger
    }
}

/// Made of keys that are not there; in any case another than the round.
fn session(spec: &RoundSpec) -> Digest {
    Digest::of(&spec.round().0)
}

fn certificate(
    session: Digest,
    places: impl Iterator<Item = u8>,
    roster: &Roster,
) -> Result<Certificate, abort::Error> {
    let erasures: Vec<_> = places.map(|p| (u16::from(p), key(p).sign_round(RoundLabel::Abort, &session.0))).collect();
    Certificate::new(session, &erasures, roster)
}

#[test]
fn a_certificate_needs_enough_true_signatures_of_distinct_nodes() {
    let roster = roster(12, 1);
    let session = Digest([1; 32]);
    // n + c - t + 1 = 12 + 2 - 8 + 1
    assert!(certificate(session, 0..7, &roster).is_ok());
    assert_eq!(certificate(session, 0..6, &roster), Err(abort::Error::TooFew));
    let sign = |p: u8, session: Digest| (u16::from(p), key(p).sign_round(RoundLabel::Abort, &session.0));
    let good: Vec<_> = (0..7).map(|p| sign(p, session)).collect();
    let with = |at: usize, one| {
        let mut erasures = good.clone();
        erasures[at] = one;
        Certificate::new(session, &erasures, &roster)
    };
    assert_eq!(with(3, sign(2, session)), Err(abort::Error::Bytes), "one node twice");
    assert_eq!(with(3, (3, sign(4, session).1)), Err(abort::Error::Signature), "another's signature");
    assert_eq!(with(3, sign(3, Digest([2; 32]))), Err(abort::Error::Signature), "of another session");
    assert_eq!(
        with(3, (3, key(3).sign_round(RoundLabel::Survivors, &session.0))),
        Err(abort::Error::Signature),
        "of another kind"
    );
    assert_eq!(with(6, (12, sign(12, session).1)), Err(abort::Error::Bytes), "no such place");
    assert_eq!(with(2, sign(8, session)), Err(abort::Error::Bytes), "out of order");
    let bytes = certificate(session, 3..12, &roster).unwrap().bytes().to_vec();
    assert_eq!(Certificate::parse(&bytes, &roster).unwrap().session(), session);
    for cut in 0..bytes.len() {
        assert!(Certificate::parse(&bytes[..cut], &roster).is_err());
    }
    assert!(Certificate::parse(&[bytes, vec![0]].concat(), &roster).is_err());
}

#[test]
fn a_question_is_debited_for_one_round_and_carries_over_once() {
    let (roster, request) = (roster(12, 1), request("clients", 25));
    let mut book = Book::new();
    let first = spec(&request, &roster, None);
    let permit = book.join(&request, &roster, &first, None).unwrap();
    let (seq, cost) = (permit.seq(), book.spent());
    assert!(cost.nano_rho > 0 && cost.atto_delta > 0);
    assert_eq!(permit.regional_round(), Some(first.round()));
    // While it is open, and with a certificate or without, there is no second one.
    let retry = spec(&request, &roster, Some(first.round()));
    let proof = certificate(session(&first), 0..7, &roster).unwrap();
    let again = |book: &mut Book, spec: &RoundSpec, proof: Option<&Certificate>| {
        book.join(&request, &roster, spec, proof).map(|p| p.seq())
    };
    assert!(matches!(again(&mut book, &retry, Some(&proof)), Err(DebitError::AlreadyDebited)));
    book.abort(seq);
    assert!(book.ledger.may_carry(request.id()));
    let other = certificate(Digest([1; 32]), 0..7, &roster).unwrap();
    let of_round = certificate(first.round(), 0..7, &roster).unwrap();
    let stranger = spec(&request, &roster, Some(Digest([1; 32])));
    for (spec, proof) in [
        (&first, None),
        (&retry, None),
        (&first, Some(&proof)),
        (&retry, Some(&other)),
        (&retry, Some(&of_round)),
        (&stranger, Some(&other)),
        (&stranger, Some(&proof)),
    ] {
        assert!(matches!(again(&mut book, spec, proof), Err(DebitError::AlreadyDebited)));
    }
    // With the right one it carries over: no second debit, another round and attempt.
    let carried = book.join(&request, &roster, &retry, Some(&proof)).unwrap();
    assert_eq!((carried.seq(), carried.regional_round()), (seq, Some(retry.round())));
    assert_eq!(book.spent(), cost, "one debit");
    assert!(!book.ledger.may_carry(request.id()));
    // Once: a retry of the retry is none.
    book.abort(seq);
    assert!(!book.ledger.may_carry(request.id()));
    let third = spec(&request, &roster, Some(retry.round()));
    let proof = certificate(session(&retry), 0..7, &roster).unwrap();
    assert!(matches!(again(&mut book, &third, Some(&proof)), Err(DebitError::AlreadyDebited)));
    let mut folded = Book { ledger: book.folded(), sink: Memory(book.sink.0.clone()) };
    assert_eq!(folded.spent(), cost, "a restart folds the same");
    assert!(matches!(again(&mut folded, &third, Some(&proof)), Err(DebitError::AlreadyDebited)));
}

/// A node that was set back has marked its periods as spent: what it had paid for before
/// opens nothing more.
#[test]
fn nothing_carries_over_to_a_period_that_has_ended() {
    let (roster, request) = (roster(12, 1), request("clients", 25));
    let (periods, source, time) = (request.periods().to_vec(), name("r"), 9);
    let closing = Book::new().ledger.closing(&source, periods[0], time);
    for (ends, reason) in
        [(Entry::Recovered { periods, source, time }, Refusal::AllowanceExhausted), (closing, Refusal::PeriodClosed)]
    {
        let mut book = Book::new();
        let first = spec(&request, &roster, None);
        let seq = book.join(&request, &roster, &first, None).unwrap().seq();
        book.abort(seq);
        assert!(book.ledger.may_carry(request.id()));
        book.ledger.replay(seq + 2, &ends).unwrap();
        assert!(!book.ledger.may_carry(request.id()));
        let retry = spec(&request, &roster, Some(first.round()));
        let proof = certificate(session(&first), 0..7, &roster).unwrap();
        let refused = book.join(&request, &roster, &retry, Some(&proof)).err();
        assert!(matches!(refused, Some(DebitError::Refused(found)) if found == reason));
    }
}

#[test]
fn a_certificate_of_another_roster_carries_nothing() {
    let request = request("clients", 25);
    let (first_roster, next) = (roster(12, 1), roster(12, 2));
    let mut book = Book::new();
    let first = spec(&request, &first_roster, None);
    let seq = book.join(&request, &first_roster, &first, None).unwrap().seq();
    book.abort(seq);
    let retry = spec(&request, &next, Some(first.round()));
    let proof = certificate(session(&first), 0..7, &next).unwrap();
    assert!(matches!(book.join(&request, &next, &retry, Some(&proof)), Err(DebitError::AlreadyDebited)));
}

#[test]
fn a_crashed_round_may_carry_over_and_its_permit_is_never_given_again() {
    let (roster, request) = (roster(12, 1), request("clients", 25));
    let mut book = Book::new();
    let seq = book.join(&request, &roster, &spec(&request, &roster, None), None).unwrap().seq();
    let mut ledger = book.folded();
    assert!(ledger.resume(seq, Seed::new([5; 32])).is_err(), "its secrets are gone");
    assert_eq!(ledger.open().filter(|(_, debit)| debit.is_regional()).count(), 1);
    assert_eq!(
        ledger.first_vintage(&name("r"), "2026Q2".parse().unwrap()),
        Some(Digest([9; 32])),
        "pinned by the debit"
    );
}

#[test]
fn a_round_is_checked_against_roster_and_rules() {
    let (roster, request) = (roster(12, 1), request("clients", 25));
    let admitted = admit(&request, &roster).unwrap();
    let own = admitted.strictness().unwrap();
    assert_eq!(own, Strictness { eta: (1, 100), j: 3, k: 7 }, "the strictest of policy and floor");
    assert_eq!(spec(&request, &roster, None).check(&admitted, &roster), Ok(()));
    let with = |strictness| spec_with(&request, &roster, None, strictness, 3).check(&admitted, &roster);
    assert_eq!(with(Strictness { k: 6, ..own }), Err(Refusal::RoundLooser));
    assert_eq!(with(Strictness { j: 2, ..own }), Err(Refusal::RoundLooser));
    assert_eq!(with(Strictness { eta: (2, 100), ..own }), Err(Refusal::RoundLooser));
    assert_eq!(with(Strictness { k: 9, j: 4, eta: (1, 1000) }), Ok(()));
    let of_roster = |other: &Roster| spec(&request, other, None).check(&admitted, &roster);
    assert_eq!(of_roster(&self::roster(12, 2)), Err(Refusal::RoundMismatch));
    assert_eq!(of_roster(&self::roster(11, 1)), Err(Refusal::RoundMismatch));
    assert_eq!(
        spec(&self::request("clients", 16), &roster, None).check(&admitted, &roster),
        Err(Refusal::RoundMismatch)
    );
    // The right roster's hash beside another roster's numbers.
    let own = String::from_utf8(spec(&request, &roster, None).bytes().to_vec()).unwrap();
    let other = String::from_utf8(spec(&request, &self::roster(11, 1), None).bytes().to_vec()).unwrap();
    let mixed = other.replace(&self::roster(11, 1).hash().to_string(), &roster.hash().to_string());
    assert_ne!(mixed, own);
    let mixed = RoundSpec::parse(mixed.as_bytes()).unwrap();
    assert_eq!(mixed.check(&admitted, &roster), Err(Refusal::RoundMismatch));
    // Numbers that do not follow from n are no specification at all.
    let text = String::from_utf8(spec(&request, &roster, None).bytes().to_vec()).unwrap();
    assert!(RoundSpec::parse(text.as_bytes()).is_ok());
    for (from, to) in [
        ("\"t\":8", "\"t\":7"),
        ("\"u_min\":11", "\"u_min\":8"),
        ("\"h\":9", "\"h\":11"),
        ("\"c\":2", "\"c\":1"),
        ("\"k\":7", "\"k\":2"),
        ("\"attempt\":0", "\"attempt\":1"),
        ("[1,2,3,4,5]", "[1,2,2,4,5]"),
        ("\"n\":12", "\"n\":4"),
        ("\"v\":1", "\"v\":2"),
    ] {
        let altered = text.replacen(from, to, 1);
        assert_ne!(altered, text);
        assert!(RoundSpec::parse(altered.as_bytes()).is_err(), "{to}");
    }
    assert_eq!(admit(&request, &self::roster(4, 1)).err(), Some(Refusal::TooFewNodes));
}

#[test]
fn each_door_takes_only_its_own_permits() {
    let (roster, request) = (roster(12, 1), request("clients", 25));
    let spec = spec(&request, &roster, None);
    let exact = || Exact::wrap(Tally { periods: vec![vec![vec![100; 3]]; 2] });
    let regional = || Book::new().join(&request, &roster, &spec, None).unwrap();
    let permit = regional();
    let noise = permit.draw().unwrap();
    assert!(exact().release(permit, noise).is_err(), "a regional permit opens no gate");
    let permit = regional();
    let noise = permit.draw().unwrap();
    assert!(exact().mask(permit, noise, Bare(Digest([1; 32]), 0)).is_err(), "masks of another round");
    let terms = Terms {
        requester: name("aino"),
        round: spec.round(),
        nonce: spec.nonce(),
        seed: (0, Seed::new([5; 32])),
        time: 1,
    };
    let mut sink = Memory::default();
    let refused = Ledger::default().debit(admit(&request, &roster).unwrap(), terms, &mut sink);
    assert!(refused.is_err() && sink.0.is_empty(), "a regional question is debited for no release");
    let permit = regional();
    let noise = permit.draw().unwrap();
    let input = exact().mask(permit, noise, Bare(spec.round(), 0)).unwrap();
    let signature = key(0).sign_masked(&input);
    let check = |bytes| check_masked((spec.round(), Digest([8; 32])), bytes, input.hash(), &signature, key(0).public());
    assert!(check(input.bytes().len() as u64).is_ok() && check(1).is_err());
}

#[test]
fn a_masked_input_is_the_clamped_count_with_its_own_share_of_noise() {
    // A score from 0 to 10, and at most 10 events of a client: companions of the same size.
    ["score", "events"].into_iter().for_each(masked_input);
}

fn masked_input(measure: &str) {
    let (roster, request) = (roster(12, 1), request(measure, 25));
    let spec = spec(&request, &roster, None);
    let permit = Book::new().join(&request, &roster, &spec, None).unwrap();
    let noise = permit.draw().unwrap();
    let most = CLAMP * 10;
    let period = vec![vec![5, 2 * CLAMP, -7], vec![-40, 3 * most, -3 * most]];
    let exact = Exact::wrap(Tally { periods: vec![period.clone(), period] });
    let input = exact.mask(permit, noise, Bare(spec.round(), 0)).unwrap();
    let layout = Layout::of(&request).unwrap();
    assert_eq!(layout.vectors(), [(Ring::Bits32, 3), (Ring::Bits64, 3), (Ring::Bits32, 3), (Ring::Bits64, 3)]);
    assert_eq!(input.bytes().len(), layout.bytes());
    // The same shares from the public parts: a stream of its own for each vector,
    // period, cell and sign.
    let context = Context {
        node: &name("node-000"),
        request: request.id(),
        vintages: &[Digest([9; 32]); 2],
        round: spec.round(),
        attempt: 0,
    };
    let vectors = koonti_disclosure::cost::vectors(&request).unwrap();
    let mut at = 0;
    for p in 0..2u16 {
        for (v, expected) in (0u32..).zip([[5, CLAMP, -7], [-40, most, -most]]) {
            let key = VectorKey::derive(&Seed::new([5; 32]), &spec.nonce(), &context, v);
            let share = Poisson::new(vectors[v as usize].variance, spec.quorum().h()).unwrap();
            for (cell, exact) in (0u64..).zip(expected) {
                let noise = share.share(&mut key.cell(0, p, cell), &mut key.cell(1, p, cell)).unwrap();
                let width = if v == 0 { 4 } else { 8 };
                let mut word = [if (exact + noise) < 0 { 0xff } else { 0 }; 8];
                word[..width].copy_from_slice(&input.bytes()[at..at + width]);
                assert_eq!(i64::from_le_bytes(word), exact + noise, "period {p}, vector {v}, cell {cell}");
                at += width;
            }
        }
    }
}

/// A published table of one sum, with `survivors` nodes of 12.
fn published(request: &TableRequest, survivors: usize, vectors: &[Vec<i64>]) -> koonti_disclosure::combine::Published {
    let roster = roster(12, 1);
    let spec = spec(request, &roster, None);
    let survivors = roster.nodes()[..survivors].iter().map(|n| n.name.clone()).collect();
    publish(request, Sum { spec: &spec, survivors, missing: vec![], vectors })
}

#[test]
fn a_cell_is_published_from_the_threshold_on() {
    let request = request("clients", 25);
    let table = published(&request, 12, &[vec![0; 3], vec![0; 3]]);
    let terms = table.regional.unwrap();
    // 25 * 12 / 9
    assert_eq!(terms.variance_present, (100, 3));
    let t = terms.threshold;
    assert!(t > 3 * 6, "J (k - 1) and a margin: {t}");
    let table = published(&request, 12, &[vec![t - 1, t, -4], vec![t + 100, 1_000_000, 0]]);
    let states: Vec<State> = table.cells.iter().map(|c| c.state).collect();
    use State::{Published as P, Suppressed as S};
    assert_eq!(states, [S, P, S, P, P, S]);
    assert_eq!((table.cells[0].value, table.cells[0].low, table.cells[0].high), (None, None, None));
    assert_eq!(table.cells[1].value, Some(t));
    assert!(table.cells[1].near_threshold && !table.cells[3].near_threshold);
    let half = table.cells[1].high.unwrap() - t;
    assert!((11..=12).contains(&half), "1.96 sqrt(100/3) = 11.3: {half}");
    // More survivors, more noise, a higher threshold.
    let fewer = published(&request, 11, &[vec![0; 3], vec![0; 3]]).regional.unwrap();
    assert!(fewer.threshold <= t && fewer.variance_present == (275, 9));
}

#[test]
fn cells_below_k_are_printed_as_rarely_as_promised() {
    // Every cell has J (k - 1) client relationships, the most that k - 1 persons
    // can make: a table prints one with a chance of at most eta.
    let request = request("clients", 25);
    let worst = 3 * 6;
    let share = Poisson::new(request.variance(), 9).unwrap();
    let (tables, mut printed) = (4_000u64, 0u32);
    for table in 0..tables {
        let context =
            Context { node: &name("any"), request: request.id(), vintages: &[], round: Digest([7; 32]), attempt: 0 };
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&table.to_be_bytes());
        let mut vectors = vec![vec![worst; 3]; 2];
        for node in 0..12 {
            let key = VectorKey::derive(&Seed::new(seed), &Digest([2; 32]), &context, node);
            for (p, vector) in (0u16..).zip(&mut vectors) {
                for (cell, word) in (0u64..).zip(vector) {
                    *word += share.share(&mut key.cell(0, p, cell), &mut key.cell(1, p, cell)).unwrap();
                }
            }
        }
        let table = published(&request, 12, &vectors);
        printed += u32::from(table.cells.iter().any(|c| c.state == State::Published));
    }
    // eta = 1/100: 40 of 4,000, five standard errors above; and not far below.
    assert!(printed <= 40 + 32, "{printed} of {tables}");
    assert!(printed >= 8, "the margin is no larger than it has to be: {printed} of {tables}");
}

#[test]
fn events_of_a_regional_table() {
    let request = request("events", 25);
    let sums = vec![vec![1_000, 30, 0], vec![2_500, 90, 5_000], vec![100, 30, 0], vec![-70, 90, 0]];
    let table = published(&request, 12, &sums);
    let cell = &table.cells[0];
    assert_eq!((cell.value, cell.clients, cell.share), (Some(2_500), Some(1_000), None));
    // 1.96 times 10 times the root of 25 * 12 / 9 is 113.2.
    assert_eq!((cell.low, cell.high), (Some(2_500 - 113), Some(2_500 + 113)));
    let [value, low, high] = cell.per_client.unwrap();
    assert!(value == 2_500 && (2_380..2_395).contains(&low) && (2_605..2_620).contains(&high), "{low} {high}");
    assert_eq!(table.cells[2].state, State::Suppressed, "no clients, whatever the events");
    assert_eq!(table.cells[3].value, Some(-70), "a noisy sum is published as it is");
    assert_eq!(table.scale, 1);
    assert_eq!(table.regional.unwrap().variance_present, (100, 3), "of the clients");
}

#[test]
fn means_and_shares_of_a_regional_table() {
    let request = request("score", 25);
    let sums = vec![vec![1_000, 30, 0], vec![2_000, 90, 0], vec![1_000, 30, 0], vec![-2_000, 90, 0]];
    let table = published(&request, 12, &sums);
    // 1,000 clients with a sum of 2x - 10 of 2,000: a mean of 6 on 0 to 10.
    assert_eq!(
        (table.cells[0].value, table.cells[0].clients, table.cells[0].sum),
        (Some(6_000), Some(1_000), Some(2_000))
    );
    assert_eq!(table.cells[3].value, Some(4_000));
    assert_eq!(table.cells[2].state, State::Suppressed);
    let json = serde_json::json!({
        "by": ["need"], "codebook": Codebook::built_in().hash(), "max_per_client": 3, "measure": "clients",
        "periods": ["2026Q3"], "purpose": "statistics", "region": "ita", "register": "r", "release": "regional", "v": 1,
        "variance": [25, 1],
    });
    let request = TableRequest::parse(&canonical::to_bytes(&json).unwrap(), Codebook::built_in()).unwrap();
    let cells = request.domain().cells();
    let mut counts = vec![250; cells];
    counts[cells - 1] = 1_000;
    let table = published(&request, 12, &[counts]);
    let [value, low, high] = table.cells[0].share.unwrap();
    assert!(value == 2_500 && (2_370..2_400).contains(&low) && (2_600..2_630).contains(&high), "{low} {high}");
    assert_eq!(table.cells[cells - 1].share, None, "the whole is no share of itself");
}
