//! A step on the disk that fails, on real processes: each in turn, with EIO or with a full
//! disk. The daemon ends, says why, and acknowledges nothing that is not there; started
//! again, it finishes.

use koonti_disclosure::Digest;
use koonti_tests::{Node, Plan, disk, until};
use std::os::unix::process::ExitStatusExt;
use std::time::Duration;

const QUARTERS: [&str; 3] = ["2026Q1", "2026Q2", "2026Q3"];
const SIGABRT: i32 = 6;

/// How failures showed.
#[derive(Default, Debug)]
struct Met {
    aborts: usize,
    ends: usize,
    io: usize,
    full: usize,
}

/// Every fourth step; `KOONTI_FAULT_STRIDE=1` takes all of them.
#[test]
fn a_node_whose_disk_fails_at_any_step_ends_and_loses_nothing() {
    let stride = std::env::var("KOONTI_FAULT_STRIDE").map_or(4, |s| s.parse().expect("a number"));
    let node = |name, area| Node { quarters: &QUARTERS, ..Node::auto(name, area) };
    let plan = Plan::new().node(node("kainuu", "205")).node(node("savo", "297"));
    let mut region = plan.person("aino", "requester").start();
    let (mut met, mut shown, mut survived) = (Met::default(), Vec::new(), 0);
    for at in (1..).step_by(stride) {
        let error = if shown.len() % 3 == 2 { "ENOSPC" } else { "EIO" };
        let question = format!("--by sex --period {} --sd {}", QUARTERS[shown.len() % 3], 40 + at);
        region.take_node("kainuu").stop();
        region.start_node_with("kainuu", &[("KOONTI_FAIL_AT", &at.to_string()), ("KOONTI_FAIL_WITH", error)]);
        let mut daemon = region.take_node("kainuu");
        let id: Digest = region.ask("aino", &question).parse().expect("an id");
        let failed = until("it has ended, or answered", Duration::from_secs(30), || {
            if !daemon.runs() {
                return Some(true);
            }
            disk::coordinator(&region.coordinator_state()).tables.get(&id)?.published?;
            // What is written when nobody waits any more.
            std::thread::sleep(Duration::from_millis(500));
            Some(!daemon.runs())
        });
        if failed {
            let (status, log) = daemon.end();
            let aborted = status.signal() == Some(SIGABRT);
            assert!(aborted || status.code() == Some(1), "{status}: {log}");
            // A read or write behind the journal says which file; an append, that it was one.
            let said = if aborted { "cannot append to the journal" } else { "cannot " };
            assert!(log.contains(said), "failed at {at} with {error}: {log}");
            met.aborts += usize::from(aborted);
            met.ends += usize::from(!aborted);
            met.io += usize::from(log.contains("Input/output error"));
            met.full += usize::from(log.contains("No space left on device"));
        } else {
            daemon.stop();
        }
        region.start_node("kainuu");
        let table = region.run_table("aino", &question);
        assert_eq!((table.code, table.json()["nodes_counted"].as_u64()), (0, Some(2)), "failed at {at}: {table:?}");
        shown.push((question, table.out));
        region.daemon("kainuu").wait_for_log("connected to the coordinator");
        survived += usize::from(!failed);
        if survived == 2 {
            break;
        }
    }
    println!("{} steps, {met:?}", shown.len());
    assert!(met.aborts > 0 && met.ends > 5 && met.io > 4 && met.full > 2, "{} steps, {met:?}", shown.len());
    let files = region.disk("kainuu");
    assert_eq!((files.debits().len(), files.releases().len()), (shown.len(), shown.len()));
    for (question, table) in &shown {
        assert_eq!(region.run_table("aino", question).out, *table, "{question}");
    }
    region.audit();
}
