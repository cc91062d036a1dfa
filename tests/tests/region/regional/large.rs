//! A table with more figures than one message holds, on its way in and out.

use super::halted::{LAST, in_every_phase};
use super::{CHUNK, FIVE, QUARTERS, five, messages, names, rounds, without};
use koonti_disclosure::Codebook;
use koonti_tests::{Region, register, root_or_untested, until};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Need (`ANY` among them), age group, sex, all municipalities; four quarters.
const CELLS: usize = 12 * 7 * 3 * 309 * 4;
/// Words of 32 bits, in chunks of 1 MiB.
const CHUNKS: usize = (4 * CELLS).div_ceil(1 << 20);

/// It is summed, the coordinator is killed with four masked inputs of five on its
/// disk, it is published, and read back.
#[test]
fn a_table_of_three_hundred_thousand_figures() {
    let mut region = five(&[LAST]).start();
    allow_large_tables(&mut region);
    let areas = Codebook::built_in().dimension("area").expect("a dimension").codes().iter();
    let areas: Vec<&str> = areas.map(|code| code.code.as_str()).collect();
    let asked = format!(
        "--release regional --by need,area,age_group,sex --period {} --where area={} --sd 5 --max-per-client 2",
        QUARTERS.join(","),
        areas.join(",")
    );
    let began = Instant::now();
    let id = in_every_phase(&mut region, &format!("{asked} --phase-timeout 60"), CHUNKS, |region, phase| {
        if phase == 2 {
            arrived_inputs_are_not_asked_for_again(region);
        }
    });
    until("it is published", Duration::from_secs(50), || {
        let list = region.person("aino").words("table list --output json").say();
        // While it publishes, the coordinator may have no time for anybody.
        (list.code == 0 && list.json()[0]["state"] == "published").then_some(())
    });
    let (round, ..) = rounds(&region, &id)[0];
    for node in names() {
        let chunks = messages(&region, round).iter().filter(|m| m.node == node && m.bytes[0] == CHUNK).count();
        assert_eq!(chunks, CHUNKS, "{node}");
    }
    let published = std::fs::read_dir(region.coordinator_state().join("tables")).expect("a folder");
    let bytes: u64 = published.map(|e| e.expect("a file").metadata().expect("a length").len()).sum();
    assert!(bytes > 4 << 20, "{bytes} bytes would fit the message about the table");
    let file = region.dir().join("large.csv");
    region.person("ville").words("table export").arg(&id).arg("--out").arg(&file).ok();
    let csv = std::fs::read_to_string(&file).expect("an export");
    figures(&csv);
    assert!(began.elapsed() < Duration::from_secs(60), "{:?}", began.elapsed());
    region.audit();
}

/// The data-protection officers have allowed larger tables.
fn allow_large_tables(region: &mut Region) {
    for node in names() {
        region.take_node(node).stop();
        let path = region.home(node).join("policy.toml");
        let policy = std::fs::read_to_string(&path).expect("a policy");
        let larger = |line| if str::starts_with(line, "most_cells") { "most_cells = 1_000_000" } else { line };
        std::fs::write(&path, policy.lines().map(larger).collect::<Vec<_>>().join("\n")).expect("a policy");
        region.approve_policy(node);
        region.start_node(node);
    }
    region.wait_until_connected();
}

/// Kills the coordinator and starts it again: those whose masked inputs it has send
/// nothing of that size a second time.
fn arrived_inputs_are_not_asked_for_again(region: &mut Region) {
    let four = without(&["ita"]);
    if !root_or_untested("masked inputs that have arrived are not sent again") {
        return;
    }
    let written = |region: &mut Region| -> Vec<u64> { four.iter().map(|n| region.daemon(n).written_bytes()).collect() };
    let before = written(region);
    assert!(before.iter().all(|bytes| *bytes > 4 * CELLS as u64), "{before:?}");
    region.take_coordinator().kill();
    region.start_coordinator();
    for node in &four {
        region.wait_until_node_connected(node);
    }
    std::thread::sleep(Duration::from_secs(1));
    for ((node, before), after) in four.iter().zip(before).zip(written(region)) {
        assert!(after - before < 1 << 19, "{node}: {} bytes more", after - before);
    }
}

/// Every figure that is shown lies near the truth, and every large one is shown.
fn figures(csv: &str) {
    let mut lines = csv.lines();
    let header: Vec<&str> = lines.next().expect("a header").split(',').collect();
    let at = |name: &str| header.iter().position(|h| *h == name).unwrap_or_else(|| panic!("{name} in {header:?}"));
    let [need, area, age, sex, state, value] = ["need", "area", "age_group", "sex", "state", "value"].map(at);
    let (mut count, mut shown) = (0, 0);
    for line in lines {
        count += 1;
        let fields: Vec<&str> = line.split(',').collect();
        let holds = FIVE.iter().find(|(_, of_node, _)| fields[area] == *of_node);
        let truth = holds.map_or(0, |(_, of_node, clients)| {
            let codes: Value = json!({"need": fields[need], "age_group": fields[age], "sex": fields[sex]});
            register::count(*clients, of_node, &codes)
        });
        if fields[state] != "published" {
            assert!(truth < 150, "{truth} are withheld: {line}");
            continue;
        }
        let figure: i64 = fields[value].parse().expect("a figure");
        // Eight times sqrt(25 x 5/3).
        assert!((figure - truth).abs() <= 52, "{truth}: {line}");
        shown += 1;
    }
    assert_eq!(count, CELLS);
    assert!(shown >= 150, "{shown} shown");
}
