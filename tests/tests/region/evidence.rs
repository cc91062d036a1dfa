//! What auditors get, who else gets it, and what the verifier says of real bundles.

use koonti_disclosure::names::unhex;
use koonti_tests::{Node, Plan, Region, Run, Said, verify};
use serde_json::Value;

const QUESTION: &str = "--by sex --period 2026Q3 --sd 5";

fn region() -> Region {
    let plan = Plan::new().node(Node::auto("kainuu", "205")).node(Node::auto("savo", "297"));
    plan.person("aino", "requester").start()
}

fn with(verdict: &str, report: &Value) -> Vec<String> {
    let rules = report["rules"].as_array().expect("rules").iter().filter(|rule| rule["verdict"] == verdict);
    rules.map(|rule| rule["rule"].as_str().expect("a name").to_owned()).collect()
}

#[test]
fn an_auditor_checks_a_region_and_nobody_else_gets_its_evidence() {
    let mut region = region();
    assert_eq!(region.run_table("aino", QUESTION).code, 0);
    assert_eq!(region.run_table("aino", "--by need --max-per-client 2 --period 2026Q3 --sd 6").code, 0);
    let out = region.dir().join("no.tar");
    region.person("aino").words("evidence fetch --out").arg(&out).ends(3);
    region.person("outi").words("table run").words(QUESTION).ends(3);
    let (bundle, trust) = region.evidence();
    let said = verify(&bundle, &trust);
    assert_eq!(said.code, 0, "{said:?}");
    let report = said.json();
    assert_eq!(with("FAIL", &report), Vec::<String>::new());
    assert_eq!(with("NOT CHECKABLE", &report), ["R26", "R28", "R29"], "there is no regional table in it");
    assert_eq!(report["releases"], 4);

    // Another governance key: nothing in it is believed.
    let stranger = region.dir().join("stranger.txt");
    std::fs::write(&stranger, format!("governance {}\n", "00".repeat(32))).expect("a file");
    let said = verify(&bundle, &stranger);
    assert!(said.code == 5 && with("FAIL", &said.json()).contains(&"R02".to_owned()), "{said:?}");

    // On the premises: releases computed again; an extract that is not the one that was
    // fixed is found out.
    region.take_node("kainuu").stop();
    let (node, home) = (region.dir().join("node.tar"), region.home("kainuu"));
    region.node("kainuu").words("evidence export --out").arg(&node).ok();
    let replay = || {
        let run = Run::new("koonti-verify").arg("replay").arg(&node).arg("--state").arg(home.join("state"));
        run.arg("--keys").arg(region.disk("kainuu").config().keys.clone()).words("--output json").say()
    };
    let said = replay();
    assert_eq!(said.code, 0, "{said:?}");
    let checked = |said: &Said| -> Vec<u64> {
        said.json().as_array().expect("rules").iter().map(|rule| rule["checked"].as_u64().expect("a count")).collect()
    };
    let entries = region.disk("kainuu").entries().len() as u64;
    assert_eq!(checked(&said), [64, 1, 2, 2, entries], "seeds, extracts, releases twice, entries");
    let config = region.disk("kainuu").config().keys.join("seal.key");
    let key = std::fs::read_to_string(&config).expect("a key");
    assert!(unhex::<32>(key.trim()).is_ok());
    std::fs::write(&config, "11".repeat(32)).expect("a file");
    let blind = replay();
    assert_eq!((blind.code, checked(&blind)), (0, vec![0, 0, 0, 0, entries]), "another key opens nothing");
    std::fs::write(&config, key).expect("a file");
    let release = std::fs::read_dir(home.join("state/releases")).expect("a folder").next().expect("a release");
    let release = release.expect("a file").path();
    let mut bytes = std::fs::read(&release).expect("a release");
    let last = bytes.len() - 9;
    bytes[last] ^= 1;
    std::fs::write(&release, bytes).expect("a file");
    let said = replay();
    assert_eq!(said.code, 5, "a stored release that shows other cells: {said:?}");
}

/// The coordinator's state is set back and goes on with another past: the nodes have
/// cosigned the first, and stop.
#[test]
fn a_coordinator_that_rewrites_its_log_is_found_out() {
    let mut region = region();
    let image = region.dir().join("then");
    region.take_coordinator().stop();
    let copied = std::process::Command::new("cp").arg("-a").arg(region.coordinator_state()).arg(&image).status();
    assert!(copied.expect("cp runs").success());
    region.start_coordinator();
    region.wait_until_connected();
    assert_eq!(region.run_table("aino", QUESTION).code, 0);
    region.evidence();
    region.take_coordinator().stop();
    std::fs::remove_dir_all(region.coordinator_state()).expect("a folder");
    std::fs::rename(&image, region.coordinator_state()).expect("a rename");
    region.start_coordinator();
    region.wait_until_connected();
    for sd in 10..16 {
        let said =
            region.person("aino").words("table run --no-wait --by sex --period 2026Q3 --sd").arg(sd.to_string()).say();
        assert!(said.code == 0, "{said:?}");
    }
    let said = region.take_node("kainuu").ended(65);
    assert!(said.contains("the coordinator's log is not the one that this node cosigned"), "{said}");
    let said = region.take_node("savo").ended(65);
    assert!(said.contains("tell the region's auditor"), "{said}");
}
