//! Wrong clocks, on real processes under `faketime`'s library: nothing is gained by them,
//! nothing is closed, and no time stands in a log that was not.

use koonti_tests::{Node, Plan, Region, not_tested};
use std::path::Path;
use std::time::Duration;

const OLD: &str = "--by sex --period 2026Q3 --sd 40";
/// The clocks of the two machines.
const DIFFER: &str = "clock and the coordinator's differ by more than five minutes";

#[test]
fn a_wrong_clock_gains_nothing_and_closes_nothing() {
    let Some(library) = library() else {
        return not_tested("wrong clocks", "faketime is not installed");
    };
    let mut region = Plan::new().node(Node::auto("kainuu", "205")).person("aino", "requester").start();
    let old = region.run_table("aino", OLD);
    assert_eq!(old.code, 0, "{old:?}");
    let spent = region.spent("kainuu", "2026Q3");
    region.take_node("kainuu").stop();
    let entries = region.disk("kainuu").entries().len();

    // A year off: no certificate holds, so the node does not even connect.
    for off in ["-365d", "+365d"] {
        run_with(&mut region, &library, off);
        region.daemon("kainuu").wait_for_log("not connected; trying again");
        std::thread::sleep(Duration::from_millis(700));
        region.take_node("kainuu").stop();
        assert_eq!(region.disk("kainuu").entries().len(), entries, "{off}: nothing is closed, nothing is written");
        let said = at(region.node("kainuu").words("budget --output json"), &library, off).ok().json();
        assert!(said.to_string().contains(&format!("\"spent_nano_rho\":{spent}")), "{off}: {said}");
    }
    // What an operator orders then is not stamped with that time: it waits for the right one.
    let close = || region.node("kainuu").words("period close 2026Q3 --yes");
    at(close(), &library, "+365d").ends(1).complains("more than 100 days ahead of the newest entry");
    assert_eq!(region.disk("kainuu").entries().len(), entries);
    let inbox = region.disk("kainuu").config().state.join("inbox");
    let orders = || std::fs::read_dir(&inbox).expect("an inbox").map(|e| e.expect("an order").path());
    assert_eq!(orders().count(), 1, "the order is kept");
    orders().for_each(|order| std::fs::remove_file(order).expect("an order"));

    // Minutes off, certificates hold: the coordinator's clock says that they differ.
    for off in ["+20m", "+2d"] {
        run_with(&mut region, &library, off);
        let table = region.run_table("aino", &format!("--timeout 2 {}", asked(off)));
        assert!(table.code != 0 && !table.out.contains("\"value\""), "{off}: nobody has answered: {table:?}");
        let log = region.take_node("kainuu").ended(1);
        assert!(log.contains(DIFFER), "{off}: {log}");
    }
    assert_eq!(region.disk("kainuu").debits().len(), 1, "nothing was paid");

    // Set right, everything goes on, and asked again with time enough it is answered.
    region.start_node("kainuu");
    region.wait_until_node_connected("kainuu");
    let table = region.run_table("aino", "--by sex --period 2026Q3 --sd 60");
    assert_eq!(table.code, 0, "{table:?}");
    assert_eq!(region.run_table("aino", OLD).out, old.out);
    assert!(region.spent("kainuu", "2026Q3") > spent, "and nothing was given back");

    // The coordinator's clock, two days ahead: its nodes see that, and end.
    region.take_coordinator().stop();
    let preload = library.to_str().expect("a path");
    let wrong = region.launch_coordinator(&[("LD_PRELOAD", preload), ("FAKETIME", "+2d"), MONOTONIC]);
    let log = region.take_node("kainuu").ended(1);
    assert!(log.contains(DIFFER), "{log}");
    drop(wrong);
    region.start_coordinator();
    region.start_node("kainuu");
    region.wait_until_node_connected("kainuu");
    region.audit();
    assert!(times(&region).is_sorted(), "times in the log move forward");
}

const MONOTONIC: (&str, &str) = ("FAKETIME_DONT_FAKE_MONOTONIC", "1");

fn asked(off: &str) -> String {
    format!("--by sex --period 2026Q3 --sd {}", 70 + off.len() + usize::from(off.starts_with('+')) * 10)
}

fn run_with(region: &mut Region, library: &Path, off: &str) {
    let preload = library.to_str().expect("a path");
    region.start_node_with("kainuu", &[("LD_PRELOAD", preload), ("FAKETIME", off), MONOTONIC]);
}

fn at(run: koonti_tests::Run, library: &Path, off: &str) -> koonti_tests::Run {
    run.env("LD_PRELOAD", library.to_str().expect("a path")).env("FAKETIME", off).env(MONOTONIC.0, MONOTONIC.1)
}

fn times(region: &Region) -> Vec<u64> {
    let journal = region.disk("kainuu").config().journal();
    let entries = koonti_journal::read(&journal).expect("a journal");
    let time = |entry: &Vec<u8>| {
        let value: serde_json::Value = serde_json::from_slice(entry).expect("an entry");
        value["time"].as_u64().or_else(|| value["debit"]["time"].as_u64()).unwrap_or_else(|| panic!("no time: {value}"))
    };
    entries.iter().map(time).collect()
}

/// The library of Debian's `faketime`.
fn library() -> Option<std::path::PathBuf> {
    let folders = std::fs::read_dir("/usr/lib").ok()?.flatten().map(|folder| folder.path());
    let mut found = folders.map(|folder| folder.join("faketime/libfaketimeMT.so.1"));
    found.find(|path| path.exists())
}
