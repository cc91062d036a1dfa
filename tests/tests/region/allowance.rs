//! The last of an allowance, wanted by many at once; and the index, which may be
//! lost at any time.

use koonti_disclosure::ledger::{DebitError, Terms};
use koonti_disclosure::policy::{Admitted, Holdings, Vintage};
use koonti_disclosure::request::{Draft, Measure, Purpose, ReleaseKind};
use koonti_disclosure::stream::Seed;
use koonti_disclosure::{Codebook, Digest, Name, Period, Policy, Refusal, TableRequest};
use koonti_evidence::entry::node::{Entry, Own};
use koonti_node::config::Config;
use koonti_node::desk::{Desk, Next};
use koonti_node::error::Error;
use koonti_node::store::Store;
use koonti_proto::wire::{Answer, Logged, Offer};
use koonti_tests::disk::{NodeDisk, of_debit, truncate_index};
use koonti_tests::{Node, Plan, register, until};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Barrier;
use std::time::Duration;

/// What a table by one exclusive dimension costs with sd 5.
const COST: u64 = 20_000_000;
const FITTING: usize = 7;
/// Seven tables fit; an eighth lacks one nano-rho.
const CAP: u64 = COST * (FITTING as u64 + 1) - 1;
const ASKING: usize = 64;

fn name(text: &str) -> Name {
    text.parse().expect("a name")
}

/// Different questions of equal cost, admitted: one for each municipality.
fn admitted(areas: &[String]) -> Vec<Admitted> {
    let policy: Policy = serde_json::from_value(serde_json::json!({
        "k": 5,
        "approval": "auto",
        "allowance": {
            "nano_rho_per_period": CAP,
            "atto_delta_per_period": 10_000_000_000_000u64,
            "gate_atto_delta": 100_000_000_000u64,
        },
        "tables": {
            "measures": ["clients"], "dimensions": ["area", "sex"], "purposes": ["structural-social-work"],
            "most_cells": 1000, "most_per_client": 1,
        },
    }))
    .expect("a policy");
    let period: Period = "2026Q3".parse().expect("a quarter");
    let vintages = BTreeMap::from([(period, Vintage { id: Digest([1; 32]), events: false })]);
    let (region, node, register) = (name("ita"), name("kainuu"), name("adult-social-work"));
    let holdings = Holdings {
        region: &region,
        node: &node,
        register: &register,
        source: &register,
        areas,
        vintages: &vintages,
        floor: koonti_disclosure::roster::Floor { c: 1, eta: (1, 100), j: 2, k: 5 },
        quorum: None,
    };
    let draft = |area: &String| Draft {
        register: register.to_string(),
        measure: Measure::Clients,
        score: None,
        by: vec!["sex".into()],
        periods: vec![period],
        release: ReleaseKind::PerNode,
        sd: Some("5".into()),
        within: None,
        max_per_client: None,
        max_events: None,
        purpose: Purpose::StructuralSocialWork,
        filter: BTreeMap::from([("area".into(), vec![area.clone()])]),
    };
    let admit = |area| {
        let request = TableRequest::resolve(&draft(area), &region, areas, Codebook::built_in()).expect("a question");
        policy.admit(&request, &holdings).unwrap_or_else(|refusal| panic!("{refusal}"))
    };
    areas.iter().map(admit).collect()
}

#[test]
fn sixty_four_debits_at_once_never_pass_the_cap() {
    let mut region = Plan::new().node(Node::auto("kainuu", "205")).start();
    region.take_node("kainuu").stop();
    let disk = region.disk("kainuu");
    let config = disk.config();
    let area = Codebook::built_in().dimension("area").expect("a dimension");
    let areas: Vec<String> = area.codes()[..ASKING].iter().map(|c| c.code.clone()).collect();
    let questions = admitted(&areas);
    assert!(questions.iter().all(|q| q.cost().nano_rho == COST));
    let store = Store::open(config).expect("a store");
    let barrier = Barrier::new(ASKING);
    let ask = |(n, admitted): (usize, Admitted)| {
        let terms = Terms {
            requester: name("aino"),
            round: Digest([2; 32]),
            nonce: Digest([3; 32]),
            seed: (1000 + n as u64, Seed::new([u8::try_from(n).expect("small"); 32])),
            time: 1,
        };
        barrier.wait();
        match store.debit(admitted, terms) {
            // A permit that nobody uses: the debit stands.
            Ok(permit) => Some(permit.seq()),
            Err(DebitError::Refused(Refusal::AllowanceExhausted)) => None,
            Err(other) => panic!("{other:?}"),
        }
    };
    let paid: Vec<u64> = std::thread::scope(|scope| {
        let threads: Vec<_> = questions.into_iter().enumerate().map(|q| scope.spawn(|| ask(q))).collect();
        threads.into_iter().filter_map(|t| t.join().expect("no panic")).collect()
    });
    assert_eq!(paid.len(), FITTING, "exactly what fits is granted");
    let spent = |store: &Store| {
        let period = "2026Q3".parse().expect("a quarter");
        store.books().fold.ledger.spent(&name("adult-social-work"), period).cost.nano_rho
    };
    assert_eq!(spent(&store), COST * FITTING as u64);
    assert!(spent(&store) <= CAP);

    drop(store);
    let store = Store::open(config).expect("the same store");
    assert_eq!(spent(&store), COST * FITTING as u64, "and so it is after a restart");
    assert_eq!(store.books().fold.ledger.open().count(), FITTING);
    let mut on_disk: Vec<u64> = store.books().fold.ledger.open().map(|(seq, _)| seq).collect();
    on_disk.sort_unstable();
    let mut granted = paid;
    granted.sort_unstable();
    assert_eq!(on_disk, granted);
    let refused: Result<_, DebitError<Error>> = store.debit(
        admitted(&areas).pop().expect("a question"),
        Terms {
            requester: name("ville"),
            round: Digest([2; 32]),
            nonce: Digest([3; 32]),
            seed: (2000, Seed::new([0; 32])),
            time: 2,
        },
    );
    assert!(refused.is_err(), "nothing fits any more, or it was paid before");
}

/// Eight people's worth of different questions at the same time, where two fit.
#[test]
fn eight_tables_at_once_where_two_fit() {
    let region = Plan::new().node(Node::auto("kainuu", "205")).person("aino", "requester").start();
    // 120,000,000 each of 250,000,000.
    let filters = ["18-24", "25-34", "35-44", "45-54", "55-64", "65-", "unknown", "18-24,35-44"];
    let ask = |ages: &str| {
        region
            .run_table("aino", &format!("--by need --period 2026Q3 --sd 5 --max-per-client 5 --where age_group={ages}"))
    };
    let codes: Vec<i32> = std::thread::scope(|scope| {
        let threads: Vec<_> = filters.iter().map(|ages| scope.spawn(|| ask(ages))).collect();
        let said = threads.into_iter().map(|t| t.join().expect("no panic"));
        said.map(|s| {
            assert!(s.code == 0 || s.err.contains("the allowance of one of the periods"), "{s:?}");
            s.code
        })
        .collect()
    });
    let count = |code| codes.iter().filter(|c| **c == code).count();
    assert_eq!((count(0), count(3)), (2, 6), "{codes:?}");
    let disk = region.disk("kainuu");
    assert_eq!((disk.debits().len(), disk.releases().len()), (2, 2));
    assert_eq!(region.spent("kainuu", "2026Q3"), 240_000_000);
    region.audit();
}

/// The register is read again, with twice the clients: the quarter that figures
/// have left from stays with its first extract, and its allowance is not refilled.
#[test]
fn a_second_import_gives_no_second_look() {
    let quarters: &[&str] = &["2026Q2", "2026Q3"];
    let node = Node { quarters, ..Node::auto("kainuu", "205") };
    let region = Plan::new().node(node).person("aino", "requester").start();
    let men = |question: &str| {
        let said = region.run_table("aino", question);
        assert_eq!(said.code, 0, "{said:?}");
        said.json()["cells"][0]["value"].as_i64().expect("a figure")
    };
    assert!((men("--by sex --period 2026Q3 --sd 5") - 120).abs() <= 40);
    register::write(&region.home("kainuu"), 480, quarters, "205");
    // While the daemon runs.
    region.node("kainuu").arg("import").ok().complains("earlier vintage");
    assert_eq!(region.spent("kainuu", "2026Q3"), 20_000_000, "nothing is refilled");
    assert!((men("--by sex --period 2026Q3 --sd 6") - 120).abs() <= 48, "the first extract answers");
    assert!((men("--by sex --period 2026Q2 --sd 6") - 240).abs() <= 48, "a fresh quarter has the newest");
    let debits = region.disk("kainuu").debits();
    let vintage = |n: usize| of_debit(&debits[n].1, "vintages");
    assert_eq!(debits.len(), 3);
    assert_eq!(vintage(0), vintage(1));
    assert_ne!(vintage(0), vintage(2));
    region.audit();
}

/// Between a question and its approval the register is read again, perhaps because
/// somebody may not be counted any more: the older extract answers nothing.
#[test]
fn a_question_is_not_counted_from_an_extract_that_a_newer_one_has_followed() {
    let region = Plan::new().node(Node::each("kainuu", "205")).person("aino", "requester").start();
    let question = "--by sex --period 2026Q3 --sd 5";
    let id = region.ask("aino", question);
    region.wait_for_question("kainuu", &id, "waiting");
    register::write(&region.home("kainuu"), 480, &["2026Q3"], "205");
    region.node("kainuu").arg("import").ok();
    region.node("kainuu").words("requests approve").arg(&id[..12]).ok();
    region.wait_for_question("kainuu", &id, "refused (NOT_LOGGED)");
    assert_eq!((region.spent("kainuu", "2026Q3"), region.disk("kainuu").releases().len()), (0, 0));
    until("the table is closed", Duration::from_secs(10), || {
        let list = region.person("aino").words("table list --output json").ok().json();
        list.as_array()?.iter().find(|table| table["id"] == id && table["state"] == "refused").map(drop)
    });
    // Asked again, it is answered from the newest.
    let again = region.ask("aino", question);
    assert_eq!(again, id);
    region.wait_for_question("kainuu", &id, "waiting");
    region.node("kainuu").words("requests approve").arg(&id[..12]).ok();
    region.wait_for_question("kainuu", &id, "released");
    let table = region.run_table("aino", question).json();
    let men = table["cells"][0]["value"].as_i64().expect("a figure");
    assert!((men - 240).abs() <= 40, "{men}");
    region.audit();
}

/// Another name for the data source is not another allowance: neither the command, nor
/// the daemon, nor an order in the inbox takes it.
#[test]
fn a_renamed_data_source_is_refused_everywhere() {
    let mut region = Plan::new().node(Node::auto("kainuu", "205")).person("aino", "requester").start();
    assert_eq!(region.run_table("aino", "--by sex --period 2026Q3 --sd 5").code, 0);
    let mapping = region.home("kainuu").join("register.toml");
    let text = std::fs::read_to_string(&mapping).expect("a mapping");
    let renamed = text.replace("source = \"adult-social-work\"", "source = \"asw\"");
    assert_ne!(text, renamed);
    std::fs::write(&mapping, &renamed).expect("a mapping");
    let why = "names the data source \"asw\", but this node's log";
    for command in ["import", "import --dry-run"] {
        region.node("kainuu").words(command).ends(1).complains(why);
    }
    let order = region.disk("kainuu").config().state.join("inbox/000000000000000000000001-source.json");
    let imported = serde_json::json!({"do": "import", "commitments": [Digest([1; 32])], "periods": ["2026Q3"],
        "register": "adult-social-work", "source": "asw", "vintage": Digest([2; 32])});
    std::fs::write(&order, imported.to_string()).expect("an order");
    until("the order is looked at", Duration::from_secs(10), || (!order.exists()).then_some(()));
    let bad = order.with_extension("bad");
    assert!(!bad.exists(), "the order was understood");
    let sources = |entry: &Entry| matches!(entry, Entry::Own(Own::Imported { source, .. }) if source.as_str() == "asw");
    assert!(!region.disk("kainuu").entries().iter().any(sources));
    region.take_node("kainuu").stop();
    region.node("kainuu").arg("run").ends(1).complains(why);
    std::fs::write(&mapping, text).expect("a mapping");
    region.start_node("kainuu");
    region.wait_until_connected();
    assert_eq!(region.run_table("aino", "--by sex --period 2026Q3 --sd 6").code, 0);
    region.audit();
}

/// Rules that say yes by themselves do so once they are approved: a question that waits
/// for a person waits on under a file that nobody has approved.
#[test]
fn rules_that_nobody_has_approved_say_yes_to_nothing() {
    let mut region = Plan::new().node(Node::each("kainuu", "205")).person("aino", "requester").start();
    let question = "--by sex --period 2026Q3 --sd 5";
    let id = region.ask("aino", question);
    region.wait_for_question("kainuu", &id, "waiting");
    let policy = region.home("kainuu").join("policy.toml");
    let text = std::fs::read_to_string(&policy).expect("rules");
    let auto = text.replace("approval = \"each\"", "approval = \"auto\"");
    assert_ne!(text, auto);
    for rules in [auto, text] {
        std::fs::write(&policy, rules).expect("rules");
        region.take_node("kainuu").stop();
        region.start_node("kainuu");
        region.wait_until_connected();
    }
    region.wait_for_question("kainuu", &id, "waiting");
    let yes = |entry: &Entry| matches!(entry, Entry::Own(Own::Approved { .. }));
    assert!(!region.disk("kainuu").entries().iter().any(yes));
    region.node("kainuu").words("requests approve").arg(&id[..12]).ok();
    assert_eq!(region.run_table("aino", question).code, 0);
    region.audit();
}

/// The offer that a node's journal holds, as a coordinator would repeat it.
fn offered(disk: &NodeDisk) -> Offer {
    let question = disk.entries().into_iter().find_map(|entry| match entry {
        Entry::Own(Own::Question(question)) => Some(question),
        _ => None,
    });
    let question = question.expect("a question");
    Offer {
        request: question.signed().expect("a signed question"),
        round: question.round,
        nonce: question.nonce,
        quote_only: false,
        deadline: question.deadline,
        // It was answered before: nothing of this is asked for again.
        logged: Logged::default(),
    }
}

/// The sled index is deleted, then cut, at node and coordinator: nothing that
/// anyone sees changes.
#[test]
fn a_lost_index_changes_nothing() {
    let mut region = Plan::new().node(Node::auto("kainuu", "205")).person("aino", "requester").start();
    let question = "--by sex --period 2026Q3 --sd 5";
    let table = region.run_table("aino", question);
    assert_eq!(table.code, 0, "{table:?}");
    let list = |region: &koonti_tests::Region| region.node("kainuu").words("releases list --output json").ok().out;
    let first = list(&region);
    let left = region.disk("kainuu").release_files();
    let states = [region.disk("kainuu").config().state.clone(), region.coordinator_state()];
    let delete: fn(&Path) = |state| std::fs::remove_dir_all(state.join("index")).expect("an index");
    for lose in [delete, truncate_index as fn(&Path)] {
        region.take_node("kainuu").stop();
        region.take_coordinator().stop();
        for state in &states {
            lose(state);
        }
        // The node's own desk, as if the coordinator repeated its offer.
        let disk = region.disk("kainuu");
        let desk = Desk::open(Config::load(&region.home("kainuu").join("node.toml")).expect("a file")).expect("a desk");
        match desk.receive(&offered(&disk)).expect("a whole disk") {
            Next::Answer(Answer::Release(release)) => assert_eq!(release.bytes(), left[0]),
            _ => panic!("a repeat is not answered with the stored release"),
        }
        drop(desk);
        lose(&states[0]);
        region.start_coordinator();
        region.start_node("kainuu");
        region.wait_until_connected();
        let again = region.run_table("aino", question);
        assert_eq!((again.code, &again.out), (0, &table.out));
        assert_eq!(list(&region), first);
        assert_eq!((region.disk("kainuu").debits().len(), region.disk("kainuu").releases().len()), (1, 1));
    }
}
