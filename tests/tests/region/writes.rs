//! `kill -9` before, in and after every write that a daemon makes durable.
//!
//! One region, one daemon, one question for each point: the daemon is killed there,
//! started again, and has to finish as if nothing had been. A torn half is among what
//! it finds. At the end the auditor's verifier has to find nothing wrong in the logs
//! of everybody, and every table is still the one that was shown first.

use koonti_disclosure::Digest;
use koonti_tests::disk::{self, of_debit};
use koonti_tests::{Daemon, Node, Plan, Region, Said, until};
use std::collections::BTreeSet;
use std::time::Duration;

/// More than one, since each pays for so many gates only.
const QUARTERS: [&str; 3] = ["2026Q1", "2026Q2", "2026Q3"];
const NODES: [&str; 2] = ["kainuu", "savo"];

#[test]
fn a_coordinator_killed_at_any_write_loses_nothing() {
    let points = each_point(|region, at, question| {
        stop_nodes(region);
        region.take_coordinator().stop();
        let mut daemon = region.launch_coordinator(&[("KOONTI_KILL_AT", at)]);
        start_nodes(region);
        let killed = ask_until_dead(region, &mut daemon, question);
        drop(daemon);
        checkpoints_hold(region);
        // Some may be just starting, and those cannot be stopped in good order.
        NODES.iter().for_each(|node| region.take_node(node).kill());
        region.start_coordinator();
        start_nodes(region);
        killed
    });
    assert!(points > 60, "it makes more writes than {points} points tell");
}

#[test]
fn a_node_killed_at_any_write_loses_nothing() {
    let points = each_point(|region, at, question| {
        region.take_node(NODES[0]).stop();
        region.start_node_with(NODES[0], &[("KOONTI_KILL_AT", at)]);
        let mut daemon = region.take_node(NODES[0]);
        let killed = ask_until_dead(region, &mut daemon, question);
        drop(daemon);
        checkpoints_hold(region);
        region.start_node(NODES[0]);
        killed
    });
    assert!(points > 50, "it makes more writes than {points} points tell");
}

/// Stopped and started, they connect at once; they would wait longer and longer.
fn stop_nodes(region: &mut Region) {
    NODES.iter().for_each(|node| region.take_node(node).stop());
}

fn start_nodes(region: &mut Region) {
    NODES.iter().for_each(|node| region.start_node(node));
}

/// Runs `kill` for one point after the other, until the daemon lives through a whole
/// table. Returns how many points there are.
fn each_point(mut kill: impl FnMut(&mut Region, &str, &str) -> bool) -> usize {
    let [one, two] = NODES;
    let node = |name, area| Node { quarters: &QUARTERS, ..Node::auto(name, area) };
    let plan = Plan::new().node(node(one, "205")).node(node(two, "297"));
    let mut region = plan.person("aino", "requester").start();
    let mut shown: Vec<(String, Said)> = Vec::new();
    for at in 1.. {
        assert!(at < 1000, "it never lives through a table");
        let question = format!("--by sex --period {} --sd {}", QUARTERS[at % QUARTERS.len()], 40 + at);
        let killed = kill(&mut region, &at.to_string(), &question);
        let table = region.run_table("aino", &question);
        assert_eq!((table.code, table.json()["nodes_counted"].as_u64()), (0, Some(2)), "killed at {at}: {table:?}");
        shown.push((question, table));
        // Who is just starting cannot be stopped in good order.
        NODES.iter().for_each(|node| region.daemon(node).wait_for_log("connected to the coordinator"));
        if !killed {
            break;
        }
    }
    finished(&region, &shown);
    shown.len()
}

/// Asks, and waits until the daemon has died or the table is complete and deposited.
fn ask_until_dead(region: &Region, daemon: &mut Daemon, question: &str) -> bool {
    let mut id: Option<Digest> = None;
    until("the daemon is dead, or the table is there", Duration::from_secs(30), || {
        if !daemon.runs() {
            return Some(true);
        }
        if id.is_none() {
            let said = region.person("aino").words("table run --no-wait").words(question).say();
            id = said.out.trim().parse().ok();
            return None;
        }
        let fold = disk::coordinator(&region.coordinator_state());
        let table = fold.tables.get(&id?)?;
        let level = NODES.iter().all(|node| region.disk(node).releases().len() == region.disk(node).debits().len());
        if table.published.is_none() || !level {
            return None;
        }
        // What is written when nobody waits any more.
        std::thread::sleep(Duration::from_millis(300));
        Some(!daemon.runs())
    })
}

/// No signed checkpoint is ahead of the entries that it is of.
fn checkpoints_hold(region: &Region) {
    let state = region.coordinator_state();
    for node in NODES {
        let own = region.disk(node).config().state.clone();
        disk::checkpoint_holds(&own.join("checkpoint"), &own.join("journal"));
        let logs = state.join("logs");
        disk::checkpoint_holds(&logs.join(format!("{node}.checkpoint")), &logs.join(format!("{node}.journal")));
    }
}

/// One debit and one release for each question at each node, every table as it was
/// shown first, and evidence in which nothing is wrong.
fn finished(region: &Region, shown: &[(String, Said)]) {
    for node in NODES {
        let disk = region.disk(node);
        let asked: BTreeSet<String> = disk.debits().iter().map(|(_, debit)| debit.request_id().to_string()).collect();
        assert_eq!((disk.debits().len(), disk.releases().len()), (shown.len(), shown.len()), "{node}");
        assert_eq!(asked.len(), shown.len(), "{node} has paid for each question once");
        let seeds: BTreeSet<String> = disk.debits().iter().map(|(_, d)| of_debit(d, "seed").to_string()).collect();
        assert_eq!(seeds.len(), shown.len(), "{node} has used no seed twice");
    }
    for (question, table) in shown {
        assert_eq!(region.run_table("aino", question).out, table.out, "{question}");
    }
    region.audit();
}
