//! A step on the disk that fails, on real processes: each in turn, with EIO or with a full
//! disk. The daemon ends, says why, and acknowledges nothing that is not there; started
//! again, it finishes.

use koonti_disclosure::Digest;
use koonti_tests::{Daemon, Node, Plan, Region, disk, until};
use std::os::unix::process::ExitStatusExt;
use std::time::Duration;

const QUARTERS: [&str; 3] = ["2026Q1", "2026Q2", "2026Q3"];
const NODES: [&str; 2] = ["kainuu", "savo"];
const SIGABRT: i32 = 6;
/// What a fault point says of itself.
const FIRED: &str = "made to fail: ";

/// How failures showed.
#[derive(Default, Debug)]
struct Met {
    steps: usize,
    aborts: usize,
    ends: usize,
    goes_on: usize,
    io: usize,
    full: usize,
}

/// Every fourth step; `KOONTI_FAULT_STRIDE=1` takes all of them.
#[test]
fn a_node_whose_disk_fails_at_any_step_ends_and_loses_nothing() {
    let [victim, _] = NODES;
    let start = |region: &mut Region, fault: &[(&str, &str)]| {
        region.take_node(victim).stop();
        region.start_node_with(victim, fault);
        region.take_node(victim)
    };
    let met = each_step(4, start, |region| region.start_node(victim));
    assert!(met.aborts > 0 && met.ends > 5 && met.io > 4 && met.full > 2, "{met:?}");
    assert_eq!(met.goes_on, 0, "{met:?}");
}

/// Every eighth step. What a node or a person asks of it may fail alone: it says so, and
/// they ask again.
#[test]
fn a_coordinator_whose_disk_fails_loses_nothing() {
    let start = |region: &mut Region, fault: &[(&str, &str)]| {
        NODES.iter().for_each(|node| region.take_node(node).stop());
        region.take_coordinator().stop();
        let daemon = region.launch_coordinator(fault);
        NODES.iter().for_each(|node| region.start_node(node));
        daemon
    };
    let met = each_step(8, start, |region| {
        // Those that have waited longest would wait longer and longer.
        NODES.iter().for_each(|node| region.take_node(node).kill());
        region.start_coordinator();
        NODES.iter().for_each(|node| region.start_node(node));
    });
    assert!(met.aborts > 0 && met.ends > 1 && met.io > 2 && met.full > 1, "{met:?}");
}

/// One question for each step that fails, until no step is left.
fn each_step(stride: usize, start: impl Fn(&mut Region, &[(&str, &str)]) -> Daemon, mend: impl Fn(&mut Region)) -> Met {
    let stride = std::env::var("KOONTI_FAULT_STRIDE").map_or(stride, |s| s.parse().expect("a number"));
    let node = |name, area| Node { quarters: &QUARTERS, ..Node::auto(name, area) };
    let plan = Plan::new().node(node(NODES[0], "205")).node(node(NODES[1], "297"));
    let mut region = plan.person("aino", "requester").start();
    let (mut met, mut shown, mut past) = (Met::default(), Vec::new(), 0);
    for at in (1..).step_by(stride) {
        let error = if shown.len() % 3 == 2 { "ENOSPC" } else { "EIO" };
        let question = format!("--by sex --period {} --sd {}", QUARTERS[shown.len() % 3], 40 + at);
        let mut daemon = start(&mut region, &[("KOONTI_FAIL_AT", &at.to_string()), ("KOONTI_FAIL_WITH", error)]);
        let ended = ended_or_answered(&region, &mut daemon, &question);
        let log = daemon.log();
        let fired = log.contains(FIRED);
        assert!(fired || !ended, "it ends, and nothing has failed: {log}");
        // A read or write behind the journal says which file; an append, that it was one.
        let told = ["cannot append to the journal", "cannot ", "the index failed behind the journal"];
        assert!(!fired || told.iter().any(|words| log.contains(words)), "nobody minds {error} at {at}: {log}");
        if ended {
            let status = daemon.end().0;
            let aborted = status.signal() == Some(SIGABRT);
            assert!(aborted || status.code() == Some(1), "{status}: {log}");
            assert!(!aborted || log.contains(told[0]), "{log}");
            met.aborts += usize::from(aborted);
            met.ends += usize::from(!aborted);
        } else {
            daemon.stop();
            met.goes_on += usize::from(fired);
        }
        met.steps += usize::from(fired);
        met.io += usize::from(log.contains("Input/output error"));
        met.full += usize::from(log.contains("No space left on device"));
        mend(&mut region);
        let table = region.run_table("aino", &question);
        assert_eq!((table.code, table.json()["nodes_counted"].as_u64()), (0, Some(2)), "failed at {at}: {table:?}");
        shown.push((question, table.out));
        NODES.iter().for_each(|node| region.daemon(node).wait_for_log("connected to the coordinator"));
        past += usize::from(!fired);
        if past == 2 {
            break;
        }
    }
    println!("{met:?}");
    for node in NODES {
        let files = region.disk(node);
        assert_eq!((files.debits().len(), files.releases().len()), (shown.len(), shown.len()), "{node}");
    }
    for (question, table) in &shown {
        assert_eq!(region.run_table("aino", question).out, *table, "{question}");
    }
    region.audit();
    met
}

/// Asks, and waits until the daemon has ended or the table is there.
fn ended_or_answered(region: &Region, daemon: &mut Daemon, question: &str) -> bool {
    let mut id: Option<Digest> = None;
    until("it has ended, or answered", Duration::from_secs(30), || {
        if !daemon.runs() {
            return Some(true);
        }
        if id.is_none() {
            let said = region.person("aino").words("table run --no-wait").words(question).say();
            id = said.out.trim().parse().ok();
        }
        let log = daemon.log();
        if log.contains(FIRED) && log.contains(" ERROR failed error=cannot ") {
            // It has told whoever asked, and goes on.
            return Some(false);
        }
        disk::coordinator(&region.coordinator_state()).tables.get(&id?)?.published?;
        // What is written when nobody waits any more.
        std::thread::sleep(Duration::from_millis(500));
        Some(!daemon.runs())
    })
}
