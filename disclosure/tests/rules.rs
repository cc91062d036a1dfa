//! The rules end to end: ledger, noise and gate, through the public doors only.
//!
//! Each test was seen to fail once against a copy of the code without the rule
//! it names.

use koonti_disclosure::cost::Cost;
use koonti_disclosure::ledger::{DebitError, DebitSink, Entry, Terms};
use koonti_disclosure::policy::{Holdings, Vintage};
use koonti_disclosure::release::Received;
use koonti_disclosure::stream::Seed;
use koonti_disclosure::{
    Codebook, Digest, Exact, Ledger, Name, Period, Permit, Policy, Refusal, Release, TableRequest, Tally, canonical,
};
use std::collections::BTreeMap;

/// A sink in memory; `broken` makes it fail after it has kept the entry.
#[derive(Default)]
struct Memory {
    entries: Vec<Vec<u8>>,
    broken: bool,
}

impl DebitSink for Memory {
    type Error = ();
    fn append_synced(&mut self, entry: &[u8]) -> Result<u64, ()> {
        self.entries.push(entry.to_vec());
        if self.broken { Err(()) } else { Ok(self.entries.len() as u64 - 1) }
    }
}

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

/// A policy with room for `rho` nano-rho and `delta` atto-delta a quarter.
fn policy(rho: u64, delta: u64, each: Option<u64>) -> Policy {
    let mut json = serde_json::json!({
        "k": 5, "approval": "auto",
        "allowance": {"nano_rho_per_period": rho, "atto_delta_per_period": delta, "gate_atto_delta": 100_000_000_000u64},
        "tables": {"measures": ["clients", "score", "events"], "dimensions": ["need", "age_group", "sex", "area"],
            "purposes": ["statistics"], "most_cells": 10_000, "most_per_client": 10},
    });
    if let Some(each) = each {
        json["allowance"]["nano_rho_per_requester"] = each.into();
    }
    serde_json::from_value(json).unwrap()
}

fn request(by: &str, bound: Option<u8>, measure: &str, sd2: u64, period: &str) -> TableRequest {
    let mut json = serde_json::json!({
        "by": [by], "codebook": Codebook::built_in().hash(), "measure": measure, "periods": [period],
        "purpose": "statistics", "region": "ita", "register": "r", "release": "per_node", "v": 1, "variance": [sd2, 1],
    });
    if let Some(bound) = bound {
        json["max_per_client"] = bound.into();
    }
    match measure {
        "score" => json["score"] = "D07".into(),
        "events" => json["max_events"] = 4.into(),
        _ => {}
    }
    TableRequest::parse(&canonical::to_bytes(&json).unwrap(), Codebook::built_in()).unwrap()
}

fn admit(policy: &Policy, request: &TableRequest) -> Result<koonti_disclosure::policy::Admitted, Refusal> {
    admit_to(policy, request, true)
}

/// The same at a node whose register has events or has not.
fn admit_to(
    policy: &Policy,
    request: &TableRequest,
    events: bool,
) -> Result<koonti_disclosure::policy::Admitted, Refusal> {
    let periods = ["2026Q2", "2026Q3"].map(|p| p.parse::<Period>().unwrap());
    let vintages: BTreeMap<Period, Vintage> =
        periods.into_iter().map(|p| (p, Vintage { id: Digest([9; 32]), events })).collect();
    let (region, node, register) = (name("ita"), name("kainuu"), name("r"));
    policy.admit(
        request,
        &Holdings {
            region: &region,
            node: &node,
            register: &register,
            source: &register,
            areas: &["205".to_owned()],
            vintages: &vintages,
            floor: koonti_disclosure::roster::Floor { c: 1, eta: (1, 100), j: 2, k: 5 },
            quorum: None,
        },
    )
}

fn terms(requester: &str, seed: u8) -> Terms {
    Terms {
        requester: name(requester),
        round: Digest([1; 32]),
        nonce: Digest([2; 32]),
        seed: (u64::from(seed), Seed::new([seed; 32])),
        time: 1_800_000_000,
    }
}

fn permit(request: &TableRequest, seed: u8) -> Permit {
    let admitted = admit(&policy(1_000_000_000, 1_000_000_000_000, None), request).unwrap();
    Ledger::default()
        .debit(admitted, terms("aino", seed), &mut Memory::default())
        .unwrap_or_else(|_| panic!("no permit"))
}

/// Releases a table whose cells of the first vector are `counts`, repeated.
fn release(permit: Permit, counts: &[i64], sum: i64) -> Release {
    let cells = permit.request().domain().cells();
    let first: Vec<i64> = (0..cells).map(|c| counts[c % counts.len()]).collect();
    let two = permit.request().score().is_some() || permit.request().max_events().is_some();
    let vectors = if two { vec![first, vec![sum; cells]] } else { vec![first] };
    let noise = permit.draw().unwrap();
    Exact::wrap(Tally { periods: vec![vectors] }).release(permit, noise).unwrap()
}

fn read(release: &Release) -> Received {
    Received::parse(release.bytes()).unwrap()
}

/// Whoever types a rule may type anything; what loads has a hash.
#[test]
fn rules_that_load_have_a_hash() {
    let rules = |pointer: &str, value: serde_json::Value| {
        let mut json: serde_json::Value =
            serde_json::from_slice(&policy(1, 1_000_000_000_000, Some(1)).bytes()).unwrap();
        *json.pointer_mut(pointer).unwrap() = value;
        serde_json::from_value::<Policy>(json).map(|policy| policy.hash()).map_err(|e| e.to_string())
    };
    let largest = (1_u64 << 53) - 1;
    for (pointer, wrong, right) in [
        ("/tables/dimensions", serde_json::json!(["ik\u{e4}ryhm\u{e4}"]), serde_json::json!(["agegroup"])),
        ("/tables/dimensions", serde_json::json!(["sex\n"]), serde_json::json!([])),
        ("/tables/most_cells", (largest + 1).into(), largest.into()),
        ("/allowance/nano_rho_per_requester", u64::MAX.into(), largest.into()),
    ] {
        let why = rules(pointer, wrong).unwrap_err();
        assert!(why.starts_with(pointer.rsplit('/').next().unwrap()), "{why}");
        assert!(rules(pointer, right).is_ok(), "{pointer}");
    }
}

#[test]
fn a_printed_count_is_noisy_with_the_declared_variance() {
    // 309 areas with a count far above any threshold: every cell is printed.
    let request = request("area", None, "clients", 25, "2026Q3");
    let (mut n, mut sum, mut squares) = (0f64, 0f64, 0f64);
    for seed in 0..40 {
        let received = read(&release(permit(&request, seed), &[1_000_000], 0));
        for c in 0..request.domain().cells() {
            let z = (received.value(0, 0, c).expect("far above the gate") - 1_000_000) as f64;
            (n, sum, squares) = (n + 1.0, sum + z, squares + z * z);
        }
    }
    // 12,360 draws: five standard errors around mean 0 and variance 25.
    assert!((sum / n).abs() < 5.0 * 5.0 / n.sqrt(), "mean {}", sum / n);
    let variance = squares / n;
    assert!((variance - 25.0).abs() < 5.0 * 25.0 * (2.0 / n).sqrt(), "variance {variance}");
}

#[test]
fn sums_are_noisy_with_the_declared_variance() {
    let request = request("sex", None, "score", 25, "2026Q3");
    let (mut squares, mut n) = (0f64, 0f64);
    for seed in 0..60 {
        let received = read(&release(permit(&request, seed), &[100_000], 7_000));
        for c in 0..3 {
            let z = (received.value(0, 1, c).unwrap() - 7_000) as f64;
            (squares, n) = (squares + z * z, n + 1.0);
        }
    }
    // sd 5 x range 10; 180 draws, five standard errors.
    assert!((squares / n - 2500.0).abs() < 5.0 * 2500.0 * (2.0f64 / n).sqrt(), "variance {}", squares / n);
}

#[test]
fn events_have_an_interval_of_their_own_and_the_clients_gate_them() {
    let request = request("sex", None, "events", 25, "2026Q3");
    // At most 4 of one client: the noise on events has a standard deviation of 20.
    let received = read(&release(permit(&request, 1), &[1_000, 4, 1_000], 2_500));
    let (clients, events) = (received.value(0, 0, 0).unwrap(), received.value(0, 1, 0).unwrap());
    assert_eq!((received.value(0, 0, 1), received.value(0, 1, 1)), (None, None), "four clients, however many events");
    let tau = received.tau();
    let table = koonti_disclosure::combine::combine(&request, vec![received], vec![]);
    let cell = &table.cells[0];
    assert_eq!((cell.value, cell.clients, cell.sum), (Some(events), Some(clients), None));
    // 1.96 times 20, up.
    assert_eq!((cell.low, cell.high), (Some(events - 40), Some(events + 40)));
    let [value, low, high] = cell.per_client.unwrap();
    assert!(low < 2_500 && 2_500 < high && low < value && value < high, "{low} {value} {high}");
    // Whoever withholds may have up to tau and a draw of clients, with four events each.
    let withheld = &table.cells[1];
    assert_eq!((withheld.low, withheld.high), (Some(0), Some(4 * (tau + 10))));
    assert_eq!((withheld.value, withheld.clients, withheld.per_client), (None, None, None));
    assert_eq!((table.scale, table.cost.nano_rho), (1, 40_000_000), "twice the clients' 1/50");
}

#[test]
fn the_gate_asks_for_k_clients_and_for_tau() {
    let request = request("area", None, "clients", 100, "2026Q3");
    let (mut under_k, mut at_k, mut well_above) = (0, 0, 0);
    for seed in 0..200 {
        // k - 1 and k clients, and 60: tau is 58 for sd 10 and one cell.
        let received = read(&release(permit(&request, seed), &[4, 5, 60], 0));
        for c in 0..request.domain().cells() {
            let shown = received.value(0, 0, c);
            assert!(shown.is_none_or(|y| y >= received.tau()), "a figure under tau");
            match c % 3 {
                0 => under_k += usize::from(shown.is_some()),
                1 => at_k += usize::from(shown.is_some()),
                _ => well_above += usize::from(shown.is_some()),
            }
        }
    }
    // 20,600 draws each: P[Z >= 53] is 6e-8, so a cell of exactly k is not seen.
    assert_eq!((under_k, at_k), (0, 0));
    // Without the gate on tau all would show; P[Z >= -2] is about 0.6.
    assert!((0.5..0.7).contains(&(well_above as f64 / 20_600.0)), "{well_above}");
}

#[test]
fn a_cell_under_k_stays_hidden_though_its_noise_passes_tau() {
    // Such noise comes once in about a million draws: look for it.
    let mut json = serde_json::to_value(policy(1_000_000_000, 1_000_000_000_000_000, None)).unwrap();
    json["allowance"]["gate_atto_delta"] = 1_000_000_000_000u64.into();
    let policy: Policy = serde_json::from_value(json).unwrap();
    let request = request("area", None, "clients", 100, "2026Q3");
    let released = |seed: u32, count: i64| {
        let admitted = admit(&policy, &request).unwrap();
        let mut terms = terms("aino", 0);
        let mut bytes = [0; 32];
        bytes[..4].copy_from_slice(&seed.to_be_bytes());
        terms.seed.1 = Seed::new(bytes);
        let permit = Ledger::default().debit(admitted, terms, &mut Memory::default()).unwrap_or_else(|_| panic!());
        read(&release(permit, &[count], 0))
    };
    let found = (0..40_000).find_map(|seed| {
        let received = released(seed, 1_000_000);
        let needed = 1_000_000 + received.tau() - 4;
        (0..request.domain().cells()).find(|c| received.value(0, 0, *c).is_some_and(|y| y >= needed)).map(|c| (seed, c))
    });
    let (seed, cell) = found.expect("a draw that lifts four clients over tau");
    assert_eq!(released(seed, 4).value(0, 0, cell), None, "four clients are under k");
    assert!(released(seed, 5).value(0, 0, cell).is_some(), "five are not");
}

#[test]
fn a_receiver_takes_nothing_that_a_gate_would_not_make() {
    let request = request("sex", None, "clients", 25, "2026Q3");
    let bytes = release(permit(&request, 1), &[100, 100, 4], 0).bytes().to_vec();
    assert!(Received::parse(&bytes).is_ok());
    let body = bytes.len() - 27;
    let with = |at: usize, value: u8| {
        let mut changed = bytes.clone();
        changed[at] = value;
        Received::parse(&changed).is_err()
    };
    assert!(with(body, 2), "a third status");
    assert!(with(body + 18, 1), "a withheld cell opened as zero");
    assert!(with(body + 26, 7), "a value in a withheld cell");
    assert!(with(body + 1, 0x40), "a value beyond any count");
    assert!(Received::parse(&bytes[..bytes.len() - 1]).is_err());
    let text = |from: &str, to: &str| {
        let at = bytes.windows(from.len()).position(|w| w == from.as_bytes()).expect("in the header");
        let mut changed = bytes.clone();
        changed[at..at + from.len()].copy_from_slice(to.as_bytes());
        Received::parse(&changed).is_err()
    };
    assert!(text("\"tau\":32", "\"tau\":31"), "a threshold one too low");
    assert!(text("\"k\":5", "\"k\":2"), "a k under three");
    assert!(text("\"nano_rho\":20000000", "\"nano_rho\":10000000"), "half the cost");
}

#[test]
fn the_allowance_holds_to_the_last_unit_and_for_everybody() {
    // By sex with variance 25 costs 20,000,000 nano-rho.
    let cost = Cost { nano_rho: 20_000_000, atto_delta: 100_000_000_000 };
    let ask = |policy: &Policy, ledger: &mut Ledger, who: &str, by: &str, period: &str| {
        let admitted = admit(policy, &request(by, None, "clients", 25, period)).unwrap();
        assert_eq!(admitted.cost(), cost);
        let unused = u8::try_from(ledger.seeds_used()).unwrap();
        match ledger.debit(admitted, terms(who, unused), &mut Memory::default()) {
            Ok(_) => Ok(()),
            Err(DebitError::Refused(refusal)) => Err(refusal),
            Err(_) => panic!("neither granted nor refused"),
        }
    };
    let mut ledger = Ledger::default();
    let exact = policy(2 * cost.nano_rho, 1_000_000_000_000, None);
    assert_eq!(ask(&exact, &mut ledger, "aino", "sex", "2026Q3"), Ok(()));
    assert_eq!(ask(&exact, &mut ledger, "bea", "age_group", "2026Q3"), Ok(()));
    assert_eq!(ask(&exact, &mut ledger, "aino", "area", "2026Q3"), Err(Refusal::AllowanceExhausted));
    assert_eq!(ask(&exact, &mut ledger, "aino", "area", "2026Q2"), Ok(()), "each quarter has its own");
    assert_eq!(ledger.spent(&name("r"), "2026Q3".parse().unwrap()).cost.nano_rho, 2 * cost.nano_rho);

    let short = policy(2 * cost.nano_rho - 1, 1_000_000_000_000, None);
    let mut ledger = Ledger::default();
    assert_eq!(ask(&short, &mut ledger, "aino", "sex", "2026Q3"), Ok(()));
    assert_eq!(ask(&short, &mut ledger, "aino", "area", "2026Q3"), Err(Refusal::AllowanceExhausted), "one unit short");

    let gates = policy(1_000_000_000, 2 * cost.atto_delta - 1, None);
    let mut ledger = Ledger::default();
    assert_eq!(ask(&gates, &mut ledger, "aino", "sex", "2026Q3"), Ok(()));
    assert_eq!(
        ask(&gates, &mut ledger, "aino", "area", "2026Q3"),
        Err(Refusal::AllowanceExhausted),
        "delta is capped too"
    );

    let shares = policy(1_000_000_000, 1_000_000_000_000, Some(cost.nano_rho));
    let mut ledger = Ledger::default();
    assert_eq!(ask(&shares, &mut ledger, "aino", "sex", "2026Q3"), Ok(()));
    assert_eq!(ask(&shares, &mut ledger, "aino", "area", "2026Q3"), Err(Refusal::RequesterAllowanceExhausted));
    assert_eq!(ask(&shares, &mut ledger, "bea", "area", "2026Q3"), Ok(()));
}

#[test]
fn one_question_is_debited_once_and_resumed_to_the_same_bytes() {
    let request = request("age_group", None, "clients", 25, "2026Q3");
    let policy = policy(1_000_000_000, 1_000_000_000_000, None);
    let (mut ledger, mut sink) = (Ledger::default(), Memory::default());
    let admitted = || admit(&policy, &request).unwrap();
    let permit = ledger.debit(admitted(), terms("aino", 7), &mut sink).unwrap_or_else(|_| panic!());
    let again = ledger.debit(admitted(), terms("bea", 8), &mut sink);
    assert!(matches!(again, Err(DebitError::AlreadyDebited)));
    assert_eq!(sink.entries.len(), 1);
    assert!(ledger.resume(0, Seed::new([7; 32])).is_err(), "the permit is out");
    let bytes = release(permit, &[100, 4], 0).bytes().to_vec();

    // After a crash: the ledger is folded from the entries.
    let mut ledger = Ledger::default();
    let entry: Entry = canonical::from_bytes(&sink.entries[0]).unwrap();
    ledger.replay(0, &entry).unwrap();
    assert_eq!(ledger.open().count(), 1);
    assert!(matches!(ledger.debit(admitted(), terms("aino", 8), &mut sink), Err(DebitError::AlreadyDebited)));
    let permit = ledger.resume(0, Seed::new([7; 32])).unwrap();
    assert_eq!(release(permit, &[100, 4], 0).bytes(), bytes);
    assert!(ledger.resume(0, Seed::new([7; 32])).is_err(), "given out once");
    ledger.replay(1, &Entry::Abort { debit: 0, time: 0 }).unwrap();
    assert!(ledger.replay(2, &Entry::Abort { debit: 0, time: 0 }).is_err(), "ended once");
    let spent = ledger.spent(&name("r"), "2026Q3".parse().unwrap()).cost;
    assert_eq!(spent.nano_rho, 20_000_000, "an abort gives nothing back");
}

#[test]
fn a_debit_that_could_not_be_written_ends_the_ledger() {
    let policy = policy(1_000_000_000, 1_000_000_000_000, None);
    let admitted = |by| admit(&policy, &request(by, None, "clients", 25, "2026Q3")).unwrap();
    let (mut ledger, mut sink) = (Ledger::default(), Memory { broken: true, ..Memory::default() });
    assert!(matches!(ledger.debit(admitted("sex"), terms("aino", 1), &mut sink), Err(DebitError::Sink(()))));
    sink.broken = false;
    assert!(matches!(ledger.debit(admitted("area"), terms("aino", 1), &mut sink), Err(DebitError::Lost)));
    assert_eq!(sink.entries.len(), 1);
}

/// A seed pays for one draw; a period that is closed or was recovered for none.
#[test]
fn no_seed_serves_twice_and_nothing_leaves_an_ended_period() {
    let policy = policy(1_000_000_000, 1_000_000_000_000, None);
    let admitted = |by, period| admit(&policy, &request(by, None, "clients", 25, period)).unwrap();
    let (mut ledger, mut sink) = (Ledger::default(), Memory::default());
    assert!(ledger.debit(admitted("sex", "2026Q3"), terms("aino", 4), &mut sink).is_ok());
    assert!(ledger.is_used(4) && !ledger.is_used(3) && ledger.seeds_used() == 5);
    let again = ledger.debit(admitted("area", "2026Q3"), terms("aino", 4), &mut sink).err();
    assert!(matches!(again, Some(DebitError::Refused(Refusal::NoSeed))));
    assert_eq!(sink.entries.len(), 1, "nothing was written");
    let twice = Entry::Debit(match canonical::from_bytes(&sink.entries[0]).unwrap() {
        Entry::Debit(debit) => debit,
        _ => panic!("no debit"),
    });
    assert_eq!(ledger.replay(1, &twice).err(), Some(koonti_disclosure::ledger::Error::Seed), "nor is it folded");

    let (source, q3) = (name("r"), "2026Q3".parse().unwrap());
    let closing = ledger.closing(&source, q3, 9);
    let Entry::Closed { nano_rho, debits, .. } = &closing else { panic!("no closing") };
    assert_eq!((*nano_rho, *debits), (20_000_000, 1));
    ledger.replay(2, &closing).unwrap();
    let periods = vec!["2026Q2".parse().unwrap()];
    ledger.replay(3, &Entry::Recovered { periods, source, time: 9 }).unwrap();
    for (period, refusal) in [("2026Q3", Refusal::PeriodClosed), ("2026Q2", Refusal::AllowanceExhausted)] {
        let late = ledger.debit(admitted("area", period), terms("aino", 5), &mut sink).err();
        assert!(matches!(late, Some(DebitError::Refused(found)) if found == refusal), "{period}");
        assert_eq!(ledger.check(&admitted("area", period), &name("aino")).err(), Some(refusal));
    }
}

#[test]
fn admission_refuses_by_rule() {
    let policy = policy(1_000_000_000, 1_000_000_000_000, None);
    let refused = |request: &TableRequest| admit(&policy, request).err();
    assert_eq!(refused(&request("sex", None, "clients", 25, "2026Q1")), Some(Refusal::PeriodNotHeld));
    let changed = |from: &str, to: &str| {
        let text = String::from_utf8(request("sex", None, "clients", 25, "2026Q3").bytes().to_vec()).unwrap();
        let bytes = text.replace(from, to);
        assert_ne!(bytes, text);
        refused(&TableRequest::parse(bytes.as_bytes(), Codebook::built_in()).unwrap())
    };
    let events = request("sex", None, "events", 25, "2026Q3");
    assert_eq!(admit_to(&policy, &events, false).err(), Some(Refusal::MeasureNotHeld));
    assert_eq!(admit_to(&policy, &events, true).err(), None);
    assert_eq!(admit_to(&policy, &request("sex", None, "clients", 25, "2026Q3"), false).err(), None);
    let mut json = serde_json::to_value(&policy).unwrap();
    json["tables"]["measures"] = serde_json::json!(["clients", "score"]);
    let without: Policy = serde_json::from_value(json).unwrap();
    assert_eq!(admit_to(&without, &events, true).err(), Some(Refusal::MeasureNotAllowed));
    // 4 times 20,000 is more noise than can be added exactly.
    let loud = request("sex", None, "events", 400_000_000, "2026Q3");
    assert_eq!(refused(&loud), Some(Refusal::NoiseOutOfRange));
    assert_eq!(changed("\"ita\"", "\"lappi\""), Some(Refusal::RegionMismatch));
    assert_eq!(changed("\"register\":\"r\"", "\"register\":\"s\""), Some(Refusal::RegisterUnknown));
    assert_eq!(changed("per_node", "regional"), Some(Refusal::TooFewNodes));
    assert_eq!(changed("\"statistics\"", "\"knowledge-management\""), Some(Refusal::PurposeNotAllowed));
    assert_eq!(
        changed("\"variance\":[25,1]", "\"variance\":[25,1],\"where\":{\"area\":[\"091\"]}"),
        Some(Refusal::AreaNotServed)
    );
    let mut json = serde_json::to_value(&policy).unwrap();
    json["k"] = 3.into();
    let loose: Policy = serde_json::from_value(json.clone()).unwrap();
    assert_eq!(
        admit(&loose, &request("sex", None, "clients", 25, "2026Q3")).err(),
        Some(Refusal::PolicyLooserThanFloor)
    );
    json["k"] = 2.into();
    assert!(serde_json::from_value::<Policy>(json).is_err(), "k under three is no policy");
}
