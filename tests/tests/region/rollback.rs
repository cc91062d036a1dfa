//! State that is set back, and two nodes with one identity: what the coordinator has
//! cosigned of a node's log is the node's guard against its own past.

use koonti_disclosure::ledger;
use koonti_evidence::entry::node::Entry;
use koonti_tests::daemon::Daemon;
use koonti_tests::{Node, Plan, Region};
use std::path::{Path, PathBuf};

const QUESTION: &str = "--by sex --period 2026Q3 --sd 5";
const ANOTHER: &str = "--by sex --period 2026Q3 --sd 6";

fn region() -> Region {
    Plan::new().node(Node::auto("kainuu", "205")).node(Node::auto("savo", "297")).person("aino", "requester").start()
}

/// Copies a folder with all that is in it.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("a folder entry");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).expect("a copy");
        }
    }
}

fn put_back(image: &Path, state: &Path) {
    std::fs::remove_dir_all(state).expect("a folder");
    copy(image, state);
}

/// Copies the node's state while it is stopped; where that is, and where the copy.
fn kept_aside(region: &mut Region) -> (PathBuf, PathBuf) {
    let (state, image) = (region.disk("kainuu").config().state.clone(), region.dir().join("yesterday"));
    region.take_node("kainuu").stop();
    copy(&state, &image);
    region.start_node("kainuu");
    region.wait_until_node_connected("kainuu");
    (state, image)
}

/// Yesterday's copy: the node sends nothing and says what to do; recovered, it knows
/// what it spent, and releases nothing more from the periods that it held.
#[test]
fn a_node_set_back_sends_nothing_until_it_is_recovered() {
    let mut region = region();
    let (state, image) = kept_aside(&mut region);
    let table = region.run_table("aino", QUESTION);
    assert_eq!(table.code, 0, "{table:?}");
    region.take_node("kainuu").stop();
    let newest = region.disk("kainuu").entries().len();
    assert_eq!(region.disk("kainuu").debits().len(), 1);

    put_back(&image, &state);
    assert_eq!(region.disk("kainuu").debits().len(), 0, "it knows nothing of what it spent");
    let held = region.disk("kainuu").entries().len();
    for _ in 0..2 {
        region.start_node("kainuu");
        let said = region.take_node("kainuu").ended(65);
        assert!(said.contains("has been set back") && said.contains("koonti-node recover"), "{said}");
        assert_eq!(region.disk("kainuu").entries().len(), held, "nothing was added to it");
    }

    region.node("kainuu").words("recover --yes").ok().complains("nothing more is released from 2026Q3");
    let entries = region.disk("kainuu").entries();
    assert!(entries.len() > newest - 1, "what the coordinator had cosigned is back");
    assert!(matches!(entries.last(), Some(Entry::Ledger(ledger::Entry::Recovered { .. }))));
    assert_eq!(region.spent("kainuu", "2026Q3"), 20_000_000, "and with it what was spent");
    let budget = region.node("kainuu").words("budget").ok().out;
    assert!(budget.contains("ended by a recovery: nothing may be released any more"), "{budget}");

    region.start_node("kainuu");
    region.wait_until_node_connected("kainuu");
    let again = region.run_table("aino", QUESTION);
    assert_eq!((again.code, &again.out), (0, &table.out), "what was published stays");
    let other = region.run_table("aino", ANOTHER);
    let json = other.json();
    let expected = serde_json::json!([{"node": "kainuu", "reason": "ALLOWANCE_EXHAUSTED"}]);
    assert_eq!((other.code, &json["missing"]), (4, &expected), "{other:?}");
    assert_eq!(region.disk("kainuu").debits().len(), 1);
    region.audit();
}

/// Ended at any step on the disk, a recovery leaves a node that starts no more until it has
/// been repeated, or one that counts what it held as spent.
#[test]
#[cfg(debug_assertions)]
fn a_recovery_cut_short_at_any_step_lets_nothing_out() {
    let mut region = region();
    let (state, image) = kept_aside(&mut region);
    assert_eq!(region.run_table("aino", QUESTION).code, 0);
    region.take_node("kainuu").stop();

    let (mut refused, mut recovered) = (0, 0);
    for at in 1.. {
        put_back(&image, &state);
        let run = region.node("kainuu").words("recover --yes").env("KOONTI_KILL_AT", &at.to_string());
        if run.say().code == 0 {
            break;
        }
        region.start_node("kainuu");
        let ends = region.disk("kainuu").entries().iter().any(
            |entry| matches!(entry, Entry::Ledger(ledger::Entry::Recovered { periods, .. }) if periods.len() == 1),
        );
        if ends {
            region.wait_until_node_connected("kainuu");
            let other = region.run_table("aino", &format!("{ANOTHER} --retry-missing"));
            assert_eq!(other.json()["missing"][0]["reason"], "ALLOWANCE_EXHAUSTED", "at {at}: {other:?}");
            region.take_node("kainuu").stop();
            recovered += 1;
        } else {
            let (status, said) = region.take_node("kainuu").end();
            let set_back = said.contains("koonti-node recover") && status.code() == Some(65);
            assert!(set_back || said.contains("damaged") && status.code() == Some(1), "at {at}, {status}: {said}");
            refused += 1;
        }
        assert_eq!(region.disk("kainuu").debits().len(), usize::from(ends), "at {at}: nothing more is paid");
    }
    assert!(refused > 15 && recovered > 3, "{refused} refused, {recovered} recovered");
}

/// It is asked for; and it takes whatever stands in the log's place, which is set aside and
/// never lost: a whole log, a damaged one, none, or no state at all.
#[test]
fn a_recovery_takes_the_place_of_whatever_is_there() {
    let mut region = region();
    assert_eq!(region.run_table("aino", QUESTION).code, 0);
    region.take_node("kainuu").stop();
    let state = region.disk("kainuu").config().state.clone();
    let journal = state.join("journal");
    let whole = std::fs::read(&journal).expect("a journal");
    let said = region.node("kainuu").words("recover").ends(1);
    said.complains("lacks nothing: there is no need to recover").complains("say --yes");
    assert_eq!(std::fs::read(&journal).expect("a journal"), whole, "nothing was changed");

    let recover = |region: &Region| region.node("kainuu").words("recover --yes").ok();
    let mut damaged = whole.clone();
    damaged[100] ^= 1;
    std::fs::write(&journal, &damaged).expect("a file");
    recover(&region).complains("cannot be used").complains("nothing more is released from 2026Q3");
    std::fs::write(state.join("journal.mark"), "no mark").expect("a file");
    recover(&region);
    std::fs::remove_file(&journal).expect("a file");
    recover(&region);
    let aside = std::fs::read_dir(&state).expect("a folder").filter_map(|entry| {
        let path = entry.expect("an entry").path();
        let name = path.file_name()?.to_str()?;
        (name.contains("set-aside") && !name.ends_with(".mark")).then(|| std::fs::read(&path).expect("a file"))
    });
    let aside: Vec<Vec<u8>> = aside.collect();
    assert!(aside.len() == 3 && aside.contains(&damaged) && aside.contains(&Vec::new()), "{} of three", aside.len());

    std::fs::remove_dir_all(&state).expect("a folder");
    recover(&region).complains("nothing more is released from 2026Q3");
    region.start_node("kainuu");
    region.wait_until_node_connected("kainuu");
    let other = region.run_table("aino", ANOTHER);
    assert_eq!(other.json()["missing"][0]["reason"], "ALLOWANCE_EXHAUSTED", "{other:?}");
    region.audit();
    region.take_node("kainuu").stop();
    // The rules and rosters that its log names are back as well; releases are not, and a
    // bundle without any is one that rule R27 speaks of.
    let (bundle, trust) = (region.dir().join("kainuu.tar"), region.dir().join("keys.txt"));
    region.node("kainuu").words("evidence export --out").arg(&bundle).ok();
    let report = koonti_tests::verify(&bundle, &trust).json();
    let rules = report["rules"].as_array().expect("rules").iter();
    let failed: Vec<_> = rules.filter(|rule| rule["verdict"] == "FAIL").map(|rule| &rule["rule"]).collect();
    assert_eq!(failed, ["R27"], "{report:#}");
}

/// Keys that are lost are not made anew under the same name: not beside the log, not
/// without it, and no roster says otherwise.
#[test]
fn a_name_keeps_its_keys() {
    let mut region = region();
    region.take_node("kainuu").stop();
    let (home, away) = (region.home("kainuu"), region.dir().join("away"));
    std::fs::create_dir(&away).expect("a folder");
    std::fs::rename(home.join("keys"), away.join("keys")).expect("a rename");
    let token = region.invite_node(&Node::auto("kainuu", "205"));
    let enroll = |region: &Region| region.node("kainuu").words("enroll --token-file -").input(&token);
    enroll(&region).ends(1).complains("begun with other keys").complains("joins under another name");
    std::fs::rename(home.join("state"), away.join("state")).expect("a rename");
    enroll(&region).ends(3).complains("a name keeps its keys for ever").complains("node revoke kainuu");
    assert!(!home.join("keys").join("member.json").exists());

    let draft = region.coordinator().words("roster draft").ok().out;
    let known = koonti_disclosure::roster::Roster::parse(draft.trim_end().as_bytes()).expect("a roster");
    let identity = known.nodes()[0].identity.to_string();
    let other = draft.replace(&identity, &"ab".repeat(32));
    let signed = koonti_tests::Run::new("koonti").words("governance sign - --key");
    let signed = signed.arg(region.dir().join("governance/governance.key")).input(&other).ok().out;
    let file = region.dir().join("other.json");
    std::fs::write(&file, signed).expect("a file");
    region.coordinator().words("roster install").arg(&file).ends(1).complains("a name keeps its keys for ever");

    // The keys are found again, and with them everything is as before.
    for folder in ["keys", "state"] {
        drop(std::fs::remove_dir_all(home.join(folder)));
        std::fs::rename(away.join(folder), home.join(folder)).expect("a rename");
    }
    enroll(&region).ok();
    region.start_node("kainuu");
    region.wait_until_node_connected("kainuu");
    assert_eq!(region.run_table("aino", QUESTION).code, 0);
    region.audit();
}

/// A copy of a node with all its keys: the one that the coordinator has heard first
/// stays; the other is refused, and what shows it is kept.
#[test]
fn a_second_node_with_one_identity_is_refused() {
    let mut region = region();
    region.take_node("kainuu").stop();
    let (home, clone) = (region.home("kainuu"), region.dir().join("clone"));
    copy(&home, &clone);
    region.start_node("kainuu");
    region.wait_until_node_connected("kainuu");
    assert_eq!(region.run_table("aino", QUESTION).code, 0);
    region.take_node("kainuu").stop();
    // The clone has a life of its own: its log is no beginning of the other.
    let original = region.dir().join("original");
    std::fs::rename(&home, &original).expect("a rename");
    std::fs::rename(&clone, &home).expect("a rename");
    region.node("kainuu").arg("import").ok();
    region.start_node("kainuu");
    let said = region.take_node("kainuu").ended(65);
    assert!(said.contains("another log of this node"), "{said}");
    let forks = region.coordinator_state().join("forks");
    assert_eq!(std::fs::read_dir(&forks).expect("a folder").count(), 1, "the evidence is kept");

    std::fs::rename(&home, region.dir().join("clone")).expect("a rename");
    std::fs::rename(&original, &home).expect("a rename");
    region.start_node("kainuu");
    region.wait_until_node_connected("kainuu");
    assert_eq!(region.run_table("aino", ANOTHER).code, 0, "the first goes on");
}

/// Node and coordinator are set back together, so that neither could tell: the witness
/// outside tells. And without it nothing leaves.
#[test]
fn a_witness_outside_remembers_what_both_have_forgotten() {
    let mut region = region();
    let dir = region.dir().join("witness");
    let init = region.person("outsider").words("witness init --name auditor.example/witness --dir").arg(&dir).ok();
    let keys = region.person("aino").words("evidence keys").ok().out;
    let logs = region.dir().join("keys.txt");
    std::fs::write(&logs, keys).expect("a file");
    let port = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("a port").port();
    let url = format!("127.0.0.1:{port}");
    let start = |region: &Region| {
        let run = region.person("outsider").words("witness run --dir").arg(&dir).arg("--logs").arg(&logs);
        let mut witness = Daemon::start(run.arg("--listen").arg(&url), &region.dir().join("logs/witness.log"));
        witness.wait_for_log("cosigning 3 logs");
        witness
    };
    let witness = start(&region);
    region.take_node("kainuu").stop();
    let file = region.home("kainuu").join("node.toml");
    let toml = std::fs::read_to_string(&file).expect("a file");
    let section = format!("\n[witness]\nurl = \"http://{url}\"\nkey = \"{}\"\n", init.out.trim());
    std::fs::write(&file, toml + &section).expect("a file");
    region.start_node("kainuu");
    region.wait_until_node_connected("kainuu");
    region.take_node("kainuu").stop();
    region.take_coordinator().stop();
    let states = [region.disk("kainuu").config().state.clone(), region.coordinator_state()];
    let images = [region.dir().join("node-then"), region.dir().join("coordinator-then")];
    for (state, image) in states.iter().zip(&images) {
        copy(state, image);
    }

    region.start_coordinator();
    region.start_node("kainuu");
    region.wait_until_connected();
    assert_eq!(region.run_table("aino", QUESTION).code, 0);
    let cosigned = std::fs::read_to_string(states[0].join("checkpoint")).expect("a note");
    assert!(cosigned.contains("\u{2014} auditor.example/witness "), "{cosigned}");

    // Without the witness the node answers nothing, and spends nothing either that
    // anybody would see.
    witness.kill();
    let alone = region.run_table("aino", &format!("{ANOTHER} --timeout 3"));
    assert_eq!(alone.json()["missing"], serde_json::json!([{"node": "kainuu", "reason": "NO_ANSWER"}]), "{alone:?}");
    let witness = start(&region);

    region.take_node("kainuu").stop();
    region.take_coordinator().stop();
    for (state, image) in states.iter().zip(&images) {
        put_back(image, state);
    }
    region.start_coordinator();
    region.start_node("kainuu");
    let said = region.take_node("kainuu").ended(65);
    assert!(said.contains("has been set back"), "{said}");
    witness.kill();
}
