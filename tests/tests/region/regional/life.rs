//! A regional table from the question to the figures, what it costs, and what it
//! leaves behind at node and coordinator.

use super::{
    CHUNK, FIVE, counts, digest, ends, five, ledger, messages, names, question, rounds, running_ledgers_agree, truth,
};
use koonti_disclosure::poisson::ATTO_DELTA;
use koonti_tests::disk::release_files;
use koonti_tests::{Region, register};
use serde_json::{Value, json};

/// 1/50 (1 + 1/25) + 5/2500 for a table by one dimension with sd 5, in 1e-9.
const COST_NANO_RHO: u64 = 22_800_000;
/// Masked words are uniform in 2^32: one lies this near to anything once in 2,000.
const NEAR: i64 = 1_000_000;

#[test]
fn a_regional_table_from_question_to_figures() {
    let region = five(&[]).start();
    quoted(&region);
    let by_sex = question("2026Q3", "5");
    let said = region.run_table("aino", &by_sex);
    assert_eq!(said.code, 0, "{said:?}");
    let table = said.json();
    terms(&table);
    counts(&table, &names());
    let by_need =
        region.run_table("aino", "--release regional --by need,sex --period 2026Q3 --sd 6 --max-per-client 2");
    assert_eq!(by_need.code, 0, "{by_need:?}");
    counts(&by_need.json(), &names());
    intervals(&[&table, &by_need.json()]);

    // For ever the same bytes, for everyone, at no cost.
    let same = "--release regional --by sex,sex --period 2026Q3 --sd 5.00 --where sex=2,1,unknown";
    for (person, question) in [("aino", by_sex.as_str()), ("ville", &by_sex), ("ville", same)] {
        let again = region.run_table(person, question);
        assert_eq!((again.code, &again.out), (0, &said.out), "{person}: {question}");
        again.complains("at no cost");
    }
    spent(&region, &[&table, &by_need.json()]);
    on_record(&region, &[&table, &by_need.json()]);
    unreadable(&region, &[&table, &by_need.json()]);
    running_ledgers_agree(&region, "2026Q3");
    mean_scores(&region);
    beyond_the_allowance_of_two(&region);
    region.audit();
}

/// What it would cost, and whether one organisation alone stands behind figures.
fn quoted(region: &Region) {
    let quote = |line: &str| region.person("aino").words("table quote --output json").words(line).ok();
    let by_age = quote("--release regional --by age_group --period 2026Q3 --sd 5").json();
    assert_eq!(by_age["lone_cells"], 0, "{by_age}");
    let nodes = by_age["nodes"].as_array().expect("nodes");
    let says =
        |node: &Value| (node["refusal"].clone(), node["cost_nano_rho"].as_u64(), node["cost_atto_delta"].as_u64());
    assert_eq!(nodes.len(), 5);
    assert!(nodes.iter().all(|n| says(n) == (Value::Null, Some(COST_NANO_RHO), Some(ATTO_DELTA))), "{by_age}");
    assert_eq!((&by_age["regional"]["u_min"], &by_age["regional"]["n"]), (&json!(4), &json!(5)));
    // Five areas, each served by one node, and the unknown one.
    let by_area = quote("--release regional --by area,sex --period 2026Q3 --sd 5");
    assert_eq!(by_area.json()["lone_cells"], 15, "{}", by_area.out);
    by_area.complains("15 of the 18 figures");
    let two_quarters = quote("--release regional --by area --period 2026Q2,2026Q3 --sd 5");
    assert_eq!(two_quarters.json()["lone_cells"], 10, "in both quarters: {}", two_quarters.out);
    two_quarters.complains("10 of the 12 figures");
    for node in names() {
        assert!(
            region.questions(node).is_empty() && region.disk(node).debits().is_empty(),
            "{node}: a quote leaves nothing"
        );
        assert_eq!(region.spent(node, "2026Q3"), 0);
    }
}

fn terms(table: &Value) {
    let expected = [
        ("release", json!("regional")),
        ("c", json!(1)),
        ("h", json!(3)),
        ("k", json!(5)),
        ("n", json!(5)),
        ("t", json!(4)),
        ("u_min", json!(4)),
        // 25 x 5/3, since all five have added their share.
        ("variance_present", json!([125, 3])),
        // 2 (5 - 1), and 19: less noise than that with a chance of 1 in 300.
        ("threshold", json!(27)),
        ("per_node", json!([])),
        ("cost_nano_rho", json!(COST_NANO_RHO)),
        ("cost_atto_delta", json!(ATTO_DELTA)),
    ];
    for (key, value) in expected {
        assert_eq!(table[key], value, "{key} of {table}");
    }
}

/// An interval is as wide as the noise present demands, and most hold the truth.
fn intervals(tables: &[&Value]) {
    let (mut held, mut all) = (0, 0);
    for table in tables {
        let sd = table["sd_present"].as_f64().expect("a standard deviation");
        for cell in table["cells"].as_array().expect("cells") {
            let figure = |key: &str| cell[key].as_i64();
            let (Some(value), Some(low), Some(high)) = (figure("value"), figure("low"), figure("high")) else {
                continue;
            };
            assert!(value >= table["threshold"].as_i64().expect("a threshold"), "{cell}");
            let half = (high - low) / 2;
            assert_eq!((low, high), (value - half, value + half));
            // The least whole number of clients with 95 % of the noise within it.
            #[expect(clippy::cast_precision_loss, reason = "a small figure")]
            let wide = (half as f64 + 0.5) / sd;
            assert!((1.959..1.961 + 1.0 / sd).contains(&wide), "{half} with {sd}: {cell}");
            held += u32::from((low..=high).contains(&truth(&names(), cell)));
            all += 1;
        }
    }
    // 19 of 20 do; more than half of ten miss it once in 300,000 runs.
    assert!(all >= 10 && 2 * held >= all, "{held} of {all} intervals hold the truth");
}

/// The same is spent everywhere: what the published tables say, once.
fn spent(region: &Region, tables: &[&Value]) {
    let sum = |key: &str| tables.iter().map(|t| t[key].as_u64().expect("a cost")).sum::<u64>();
    let (nano_rho, atto_delta) = (sum("cost_nano_rho"), sum("cost_atto_delta"));
    assert_eq!(atto_delta, 2 * ATTO_DELTA);
    for node in names() {
        let budget = region.node(node).words("budget --output json").ok().json();
        let quarter =
            budget.as_array().and_then(|all| all.iter().find(|b| b["period"] == "2026Q3")).expect("a quarter");
        assert_eq!((&quarter["spent_nano_rho"], &quarter["spent_atto_delta"]), (&json!(nano_rho), &json!(atto_delta)));
        let debits = region.disk(node).debits();
        assert_eq!(debits.len(), tables.len(), "{node}");
        for ((_, debit), table) in debits.iter().zip(tables) {
            let id = table["id"].as_str().expect("an id");
            assert!(debit.is_regional() && debit.request_id() == digest(id));
            assert_eq!(
                json!([debit.cost().nano_rho, debit.cost().atto_delta]),
                json!([table["cost_nano_rho"], table["cost_atto_delta"]])
            );
            assert_eq!(debit.round().to_string(), table["round"], "{node}");
            assert!(!region.disk(node).has_seed(debit.seed()), "{node}: the seed of a sum is not kept");
            ends(region, node, id, &["debit", "release"]);
        }
    }
}

/// What a data-protection officer finds: that masked figures left, and nothing to
/// show.
fn on_record(region: &Region, tables: &[&Value]) {
    for node in names() {
        let list = region.node(node).words("releases list --output json").ok().json();
        let list = list.as_array().expect("releases");
        assert_eq!(list.len(), tables.len(), "{node}");
        for (entry, table) in list.iter().zip(tables) {
            assert_eq!((&entry["id"], &entry["requester"]), (&table["id"], &json!("aino")));
            assert_eq!((&entry["masked"], entry.get("cells")), (&json!("opened"), None), "{node}: {entry}");
            let show = region.node(node).words("releases show").arg(table["id"].as_str().expect("an id"));
            let show = show.ends(1);
            assert_eq!(show.out, "");
            show.complains("left masked");
        }
        assert!(region.disk(node).release_files().is_empty(), "{node} keeps no figures either");
    }
}

/// The coordinator holds nothing from which one node's figures follow: no release,
/// and masked inputs that look like nothing.
fn unreadable(region: &Region, tables: &[&Value]) {
    let state = region.coordinator_state();
    assert!(release_files(&state).is_empty());
    let published = std::fs::read_dir(state.join("tables")).expect("a folder").count();
    assert_eq!(published, tables.len(), "the published tables and no other");
    for table in tables {
        let rounds = rounds(region, table["id"].as_str().expect("an id"));
        assert_eq!(rounds.len(), 1);
        let inputs: Vec<_> = messages(region, rounds[0].0).into_iter().filter(|m| m.bytes[0] == CHUNK).collect();
        assert_eq!(inputs.len(), 5, "one chunk of each node");
        for input in inputs {
            let (_, area, clients) = FIVE.into_iter().find(|(name, ..)| *name == input.node).expect("a node");
            let (words, []) = input.bytes[1 + 32 + 4..].as_chunks::<4>() else { panic!("words of 32 bits") };
            let cells = table["cells"].as_array().expect("cells");
            assert_eq!(words.len(), cells.len());
            let near = |(word, cell): (&[u8; 4], &Value)| {
                let off = i64::from(i32::from_le_bytes(*word)) - register::count(clients, area, &cell["codes"]);
                off.abs() < NEAR
            };
            let near = words.iter().zip(cells).filter(|pair| near(*pair)).count();
            assert!(2 * near < cells.len(), "{}: {near} of {} words are near the truth", input.node, cells.len());
        }
    }
}

/// Means are of sums over all nodes: scores go round 0 to 10 in every register.
fn mean_scores(region: &Region) {
    let said =
        region.run_table("aino", "--release regional --measure score --score D07 --by sex --period 2026Q1 --sd 5");
    assert_eq!(said.code, 0, "{said:?}");
    for (sex, cell) in said.json()["cells"].as_array().expect("cells")[..2].iter().enumerate() {
        let clients = FIVE.into_iter().flat_map(|(.., clients)| 0..clients).filter(|client| client % 2 == sex);
        let scores: Vec<usize> = clients.map(|client| client % 11).collect();
        #[expect(clippy::cast_precision_loss, reason = "small figures")]
        let mean = scores.iter().sum::<usize>() as f64 / scores.len() as f64;
        let value = cell["value"].as_f64().expect("a mean");
        // The noise on a sum of 3,100 scores of -10 to 10, halved, is 32 and more.
        assert!((value - mean).abs() < 0.1, "{value} where it is {mean}: {cell}");
    }
}

/// At two nodes of five the allowance of a quarter is nearly gone: they refuse, three
/// are too few, and nothing is spent anywhere.
fn beyond_the_allowance_of_two(region: &Region) {
    region.person("aino").words("table run --by sex --period 2026Q2 --sd 1.45 --where area=205,297").ok();
    let before: Vec<u64> = names().iter().map(|node| region.spent(node, "2026Q2")).collect();
    assert!(before[0] > 230_000_000 && before[1] == before[0] && before[2..] == [0; 3], "{before:?}");
    let by_sex = question("2026Q2", "5");
    let quote = region.person("aino").words("table quote").words(&by_sex).ok();
    quote.complains("3 of the 5 organisations would take part now, and 4 have to");
    let refused = region.person("aino").words("table run").words(&by_sex).ends(3);
    assert_eq!(refused.out, "");
    refused.complains("too few organisations can take part");
    let list = region.person("aino").words("table list --output json").ok().json();
    assert_eq!((&list[0]["state"], &list[0]["request"]["release"]), (&json!("refused"), &json!("regional")));
    let reasons: Vec<&Value> = list[0]["nodes"].as_array().expect("nodes").iter().map(|n| &n["refusal"]).collect();
    let (poor, few) = (json!("ALLOWANCE_EXHAUSTED"), json!("TOO_FEW_NODES"));
    assert_eq!(reasons, [&poor, &poor, &few, &few, &few]);
    let id = list[0]["id"].as_str().expect("an id");
    assert!(rounds(region, id).is_empty(), "no round was begun");
    for (node, before) in names().into_iter().zip(before) {
        assert_eq!((region.spent(node, "2026Q2"), ledger(region, node, id)), (before, vec![]), "{node}");
    }
}
