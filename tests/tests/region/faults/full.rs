//! A disk without room: a node ends before it acknowledges what it cannot keep, what it
//! has can be read, and with room it goes on.

use koonti_tests::mount::Mounted;
use koonti_tests::{Node, Plan, Region, not_tested, until};
use std::io::Write;
use std::path::Path;
use std::time::Duration;

const OLD: &str = "--by sex --period 2026Q3 --sd 40";

#[test]
fn a_node_on_a_full_disk_ends_and_goes_on_when_there_is_room() {
    let plan = Plan::new().node(Node::auto("kainuu", "205")).node(Node::auto("savo", "297"));
    let mut region = plan.person("aino", "requester").start();
    let state = region.disk("kainuu").config().state.clone();
    region.take_node("kainuu").stop();
    let kept = region.dir().join("kept");
    std::fs::rename(&state, &kept).expect("a folder");
    std::fs::create_dir(&state).expect("a folder");
    let mounted = match Mounted::memory(&state, 16 * 1024) {
        Ok(mounted) => mounted,
        Err(why) => return not_tested("a full disk", &why),
    };
    copy(&kept, &state);
    region.start_node("kainuu");
    region.wait_until_node_connected("kainuu");
    let old = region.run_table("aino", OLD);
    assert_eq!((old.code, old.json()["nodes_counted"].as_u64()), (0, Some(2)), "{old:?}");

    let ballast = state.join("ballast");
    fill(&ballast);
    let before = koonti_journal::read(&state.join("journal")).expect("a whole journal");
    let mut daemon = region.take_node("kainuu");
    let mut asked = Vec::new();
    until("the node has ended", Duration::from_secs(30), || {
        if asked.len() < 4 {
            let question = format!("--by sex --period 2026Q3 --sd {}", 50 + asked.len());
            region.ask("aino", &question);
            asked.push(question);
        }
        (!daemon.runs()).then_some(())
    });
    let (status, log) = daemon.end();
    assert!(!status.success() && log.contains("No space left on device"), "{status}: {log}");

    // Started again without room it ends again, or it runs until it has to write.
    region.start_node("kainuu");
    let mut daemon = region.take_node("kainuu");
    until("the node has ended", Duration::from_secs(30), || (!daemon.runs()).then_some(()));
    let (status, log) = daemon.end();
    assert!(!status.success() && log.contains("No space left on device"), "{status}: {log}");

    // What was acknowledged is there, and can be read and exported.
    let held = koonti_journal::read(&state.join("journal")).expect("a whole journal");
    assert!(held.starts_with(&before), "what was there before is there");
    let list = region.node("kainuu").words("releases list --output json").ok().json();
    assert!(list.as_array().is_some_and(|all| !all.is_empty()), "{list}");
    region.spent("kainuu", "2026Q3");
    let bundle = region.dir().join("full.tar");
    region.node("kainuu").words("evidence export --out").arg(&bundle).ok();
    assert!(std::fs::metadata(&bundle).expect("a bundle").len() > 1000);
    let said = region.node("kainuu").words("requests list").ok();
    assert!(!said.out.is_empty());

    std::fs::remove_file(&ballast).expect("room");
    region.start_node("kainuu");
    region.wait_until_node_connected("kainuu");
    for question in &asked {
        let table = region.run_table("aino", question);
        assert_eq!((table.code, table.json()["nodes_counted"].as_u64()), (0, Some(2)), "{table:?}");
    }
    assert_eq!(region.run_table("aino", OLD).out, old.out);
    let disk = region.disk("kainuu");
    assert_eq!((disk.debits().len(), disk.releases().len()), (1 + asked.len(), 1 + asked.len()));
    region.audit();
    end(region, mounted);
}

/// Processes first, then the file system, then the folder around it.
fn end(mut region: Region, mounted: Mounted) {
    region.take_node("kainuu").stop();
    drop(mounted);
}

fn fill(path: &Path) {
    let mut file = std::fs::File::create(path).expect("a file");
    for size in [64 * 1024, 512, 1] {
        while file.write_all(&vec![0x55; size]).is_ok() {}
    }
}

fn copy(from: &Path, to: &Path) {
    let copied = std::process::Command::new("cp").arg("-a").arg(from.join(".")).arg(to).status();
    assert!(copied.expect("cp runs").success());
}
