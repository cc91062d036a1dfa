//! `kill -9` of any daemon at any moment, while questions are asked, regional ones among
//! them.

use koonti_disclosure::ledger;
use koonti_evidence::entry::node::Entry;
use koonti_tests::sim::Dice;
use koonti_tests::{Node, Plan, Region, disk};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const NODES: [(&str, &str); 5] =
    [("etela", "205"), ("ita", "297"), ("keski", "491"), ("lansi", "167"), ("pohja", "405")];
/// Each pays for a hundred tables per organisation.
const QUARTERS: &[&str] = &["2025Q1", "2025Q2", "2025Q3", "2025Q4", "2026Q1", "2026Q2", "2026Q3"];

const BY: [&str; 3] = ["sex", "age_group", "sex,age_group"];

/// Thirty rounds; `KOONTI_KILL_ROUNDS=500` makes it more, `KOONTI_SEED` repeats a run.
#[test]
fn random_kills_lose_and_double_nothing() {
    let number = |name: &str, usual: u64| std::env::var(name).map_or(usual, |n| n.parse().expect("a number"));
    let rounds = usize::try_from(number("KOONTI_KILL_ROUNDS", 30)).expect("a number of rounds");
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock");
    let seed = number("KOONTI_SEED", u64::from(since.subsec_nanos()));
    println!("{rounds} rounds with KOONTI_SEED={seed}");
    let mut dice = Dice::new(seed);
    let node = |(name, area)| Node { quarters: QUARTERS, ..Node::auto(name, area) };
    let plan = NODES.into_iter().map(node).fold(Plan::new(), Plan::node);
    let mut region = plan.person("aino", "requester").start();
    let mut asked = Vec::new();
    for round in 0..rounds {
        let regional = round % 6 == 5;
        let kind = if regional { "--release regional --phase-timeout 4" } else { "--timeout 600" };
        // Each is another question.
        let (by, quarter) = (BY[round % 3], QUARTERS[round / 3 % QUARTERS.len()]);
        let question = format!("{kind} --by {by} --period {quarter} --sd {}", 40 + round / 21);
        let id = region.ask("aino", &question);
        asked.push(Asked { question, regional, id });
        std::thread::sleep(Duration::from_millis(dice.below(500)));
        match dice.below(7) {
            victim @ 0..5 => {
                let (name, _) = NODES[victim as usize];
                region.take_node(name).kill();
                std::thread::sleep(Duration::from_millis(dice.below(100)));
                region.start_node(name);
            }
            _ => {
                region.take_coordinator().kill();
                std::thread::sleep(Duration::from_millis(dice.below(100)));
                region.start_coordinator();
                // Those that have waited longest would wait longer and longer.
                for (name, _) in NODES {
                    region.take_node(name).kill();
                    region.start_node(name);
                }
            }
        }
    }
    region.wait_until_connected();
    // And one that nobody disturbs.
    let question = "--release regional --by sex --period 2026Q3 --sd 39".to_owned();
    let id = region.ask("aino", &question);
    let table = region.run_table("aino", &question);
    assert_eq!((table.code, table.json()["nodes_counted"].as_u64()), (0, Some(5)), "{table:?}");
    asked.push(Asked { question, regional: true, id });
    finished(&region, &asked);
}

struct Asked {
    question: String,
    regional: bool,
    id: String,
}

/// Every table is there and stays as it is; at each node each question has one debit and
/// one end; nobody used a seed twice; an auditor finds nothing.
fn finished(region: &Region, asked: &[Asked]) {
    let (mut regional_tables, mut disturbed) = (0, 0);
    let last = asked.last().expect("one that nobody has disturbed");
    let tables = disk::coordinator(&region.coordinator_state()).tables;
    let published = tables.iter().filter(|(_, table)| table.published.is_some());
    let published: BTreeSet<String> = published.map(|(id, _)| id.to_string()).collect();
    for Asked { question, regional, id } in asked {
        // A sum that lost too many nodes is lost: asked again, it would be tried for long.
        if *regional && !published.contains(id) {
            continue;
        }
        let table = region.run_table("aino", question);
        if *regional {
            disturbed += usize::from(id != &last.id);
            assert!([0, 4].contains(&table.code), "{question}: {table:?}");
            regional_tables += 1;
        } else {
            assert_eq!((table.code, table.json()["nodes_counted"].as_u64()), (0, Some(5)), "{question}: {table:?}");
        }
        let again = region.run_table("aino", question);
        assert_eq!((again.code, &again.out), (table.code, &table.out), "{question}");
    }
    for (name, _) in NODES {
        let files = region.disk(name);
        let (mut debits, mut ends) = (BTreeMap::new(), BTreeMap::new());
        for entry in files.entries() {
            match entry {
                Entry::Ledger(ledger::Entry::Debit(debit)) => *debits.entry(debit.request_id()).or_insert(0) += 1,
                Entry::Ledger(ledger::Entry::Release { request, .. }) => *ends.entry(request).or_insert(0) += 1,
                _ => {}
            }
        }
        assert!(debits.values().all(|n| *n == 1), "{name} has paid twice");
        assert!(ends.values().all(|n| *n == 1), "{name} has released twice");
        let whole = asked.iter().filter(|asked| !asked.regional).count();
        assert!(ends.len() >= whole, "{name}: {} releases of {whole} questions", ends.len());
        let seeds = files.debits();
        let seeds: BTreeSet<String> =
            seeds.iter().map(|(_, debit)| disk::of_debit(debit, "seed").to_string()).collect();
        assert_eq!(seeds.len(), debits.len(), "{name} has used a seed twice");
    }
    let met = format!("{} questions, {regional_tables} regional tables, {disturbed} of them disturbed", asked.len());
    println!("{met}");
    assert!(asked.len() > 20 && regional_tables > disturbed, "{met}");
    // About one in five; of few it may be none.
    assert!(disturbed > 0 || asked.len() < 200, "{met}");
    region.audit();
}
