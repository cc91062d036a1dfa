//! What earlier versions left on disk goes on with this one. Each archive in
//! `tests/fixtures/regions` was written by the version that it is named after:
//!
//! ```sh
//! cargo run -p koonti-tests --example keep -- tests/fixtures/regions/VERSION.tar.gz
//! ```
//!
//! It holds a region of five nodes that has published a table per organisation and
//! a regional one, with one question still open. Its certificates end some day, so
//! its members are invited anew here.

use koonti_tests::region::AUDITOR;
use koonti_tests::{Node, Region, verify};
use serde_json::Value;
use std::path::{Path, PathBuf};

const NODES: [(&str, &str); 5] =
    [("kainuu", "205"), ("savo", "297"), ("karjala", "167"), ("kymi", "286"), ("saimaa", "491")];

#[test]
fn what_every_earlier_version_left_goes_on() {
    let archives = archives();
    assert!(!archives.is_empty(), "there is an archive");
    for archive in archives {
        eprintln!("{}", archive.display());
        goes_on(&archive);
    }
}

fn goes_on(archive: &Path) {
    let mut region = Region::take_up(archive);
    let then = |file: &str| -> Value {
        serde_json::from_slice(&std::fs::read(region.dir().join(file)).expect("a file")).expect("JSON")
    };
    let (per_node, regional) = (then("per-node.json"), then("regional.json"));

    // The evidence of that time still holds.
    let report = verify(&region.dir().join("evidence.tar"), &region.dir().join("keys.txt"));
    assert_eq!(report.code, 0, "{}", report.out);

    // What left, and what it cost, is read from the old state.
    let before: Vec<u64> = NODES.map(|(node, _)| region.spent(node, "2026Q3")).to_vec();
    assert!(before.iter().all(|spent| *spent > 0));
    for (node, _) in NODES {
        let left = region.node(node).words("releases list --output json").ok().json();
        // The open question waits for the person at saimaa; the others' rules said yes.
        let tables = if node == "saimaa" { 2 } else { 3 };
        assert_eq!(left.as_array().map(Vec::len), Some(tables), "{left}");
    }

    join_again(&mut region);
    for (table, question) in [
        (&per_node, "--by sex,need --period 2026Q3 --sd 4 --max-per-client 2"),
        (&regional, "--release regional --by sex --period 2026Q3 --sd 6"),
    ] {
        let id = table["id"].as_str().expect("an id");
        let shown = region.person("aino").words("table show --output json").arg(id).ok().json();
        assert_eq!(shown["cells"], table["cells"], "figures are as they were published: {question}");
    }
    let after: Vec<u64> = NODES.map(|(node, _)| region.spent(node, "2026Q3")).to_vec();
    assert_eq!(after, before, "nothing was spent, nothing came back");

    // New questions are answered from the old extracts, in both ways.
    for question in [
        "--by need --period 2026Q3 --sd 8 --max-per-client 2",
        "--release regional --by age_group --period 2026Q3 --sd 8",
    ] {
        let id = region.ask("aino", question);
        region.wait_for_question("saimaa", &id, "waiting");
        region.node("saimaa").words("requests approve").arg(&id).ok();
        let table = region.run_table("aino", question).json();
        assert!(
            table["cells"].as_array().is_some_and(|cells| cells.iter().any(|c| c["state"] == "published")),
            "{table}"
        );
        assert_eq!(table["nodes_missing"].as_array().map_or(0, Vec::len), 0, "{table}");
    }
    region.audit();
}

/// Everybody enrols again, as when certificates have ended; people have new identities.
fn join_again(region: &mut Region) {
    region.start_coordinator();
    for (node, area) in NODES {
        let token = region.invite_node(&Node::auto(node, area));
        region.node(node).words("enroll --token-file -").input(&token).ok();
    }
    for (name, roles) in [("aino", "requester"), (AUDITOR, "auditor")] {
        std::fs::remove_dir_all(region.home(name)).expect("the old profile");
        let token = region.invite_person(name, roles);
        region.enroll_person(name, &token);
    }
    let roster = region.next_roster();
    region.install_roster(&roster);
    for (node, _) in NODES {
        region.approve_roster(node, &roster);
        region.start_node(node);
    }
    region.wait_until_connected();
}

fn archives() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/regions");
    let entries = std::fs::read_dir(folder).expect("the archives").map(|entry| entry.expect("an entry").path());
    let mut archives: Vec<_> = entries.filter(|path| path.extension().is_some_and(|e| e == "gz")).collect();
    archives.sort();
    archives
}
