//! From two invitations to a published table, by the commands people type.

use koonti_tests::{Node, Plan, Region, Run, until};
use serde_json::Value;
use std::path::Path;
use std::time::Duration;

const QUESTION: &str = "--by sex --period 2026Q3 --sd 5";

#[test]
fn from_invitation_to_published_table() {
    let (kainuu, savo) = (Node::each("kainuu", "205"), Node::each("savo", "297"));
    let mut region = Plan::new().node(kainuu.clone()).node(savo.clone()).prepare();
    enrol_nodes(&region, &[&kainuu, &savo]);
    enrol_people(&region);
    approve_rosters(&mut region);
    for node in ["kainuu", "savo"] {
        let imported = region.node(node).arg("import").ok();
        assert!(imported.out.contains("240"), "the operator sees the size of the import: {}", imported.out);
    }
    ask_and_decide(&region);
    let first = publish(&region);
    repeat_is_free(&region, &first);
    read_and_export(&region, &first);
}

/// Both ends show the same fingerprint; an invitation serves once, and only the
/// right secret opens it.
fn enrol_nodes(region: &Region, nodes: &[&Node]) {
    for node in nodes {
        let token = region.invite_node(node);
        let enroll = |token: &str| region.node(node.name).words("enroll --token-file -").input(token);
        enroll(&with_other_secret(&token)).ends(3).complains("no open invitation");
        assert!(!region.home(node.name).join("keys").exists(), "a refused newcomer leaves no keys");
        let fingerprint = region.enroll_node(node.name, &token);
        assert!(fingerprint.len() >= 32, "a fingerprint to compare: {fingerprint}");
        let list = region.coordinator().words("node list").ok().out;
        let row = list.lines().find(|l| l.contains(node.name)).expect("the node is listed");
        assert!(row.contains(&fingerprint) && row.contains(node.area), "{row}");

        enroll(&token).ends(3).complains("it was used");
        // The same invitation at another place.
        let thief = region.home("thief");
        std::fs::create_dir_all(&thief).expect("a folder");
        let toml = std::fs::read_to_string(region.home(node.name).join("node.toml")).expect("a file");
        std::fs::write(thief.join("node.toml"), toml).expect("a file");
        region.node("thief").words("enroll --token-file -").input(&token).ends(3).complains("it was used");
        let again = region.coordinator().words("node list").ok().out;
        assert_eq!(again, list, "a refused invitation changes nothing");
    }
}

fn enrol_people(region: &Region) {
    for name in ["aino", "ville"] {
        let token = region.invite_person(name, "requester");
        region.enroll_into(name, &with_other_secret(&token)).ends(3).complains("no open invitation");
        let fingerprint = region.enroll_person(name, &token);
        let list = region.coordinator().words("person list").ok().out;
        let row = list.lines().find(|l| l.contains(name)).expect("the person is listed");
        assert!(row.contains(&fingerprint) && row.contains("requester"), "{row}");
        region.enroll_into("thief-profile", &token).ends(3);
    }
}

/// The coordinator passes rosters on; the operator approves by hash; nothing
/// older and nothing that governance has not signed is taken.
fn approve_rosters(region: &mut Region) {
    let first = region.next_roster();
    // Before any roster is in force nobody may ask.
    region.person("aino").words("table quote").words(QUESTION).ends(3);
    region.install_roster(&first);
    let hash = hash_of(&first);
    for node in ["kainuu", "savo"] {
        region.start_node(node);
    }
    region.wait_until_connected();
    for node in ["kainuu", "savo"] {
        region.daemon(node).wait_for_log("a new roster waits");
        let approve = |hash: &str| region.node(node).words("roster approve").arg(hash);
        approve("000000000000").ends(1).complains("another hash");
        approve(&hash[..4]).ends(1);
        assert!(region.node(node).words("roster show").ok().out.contains("in force: none"));
        approve(&hash[..12]).ok();
        let shown = region.node(node).words("roster show").ok().out;
        assert!(shown.contains("in force: roster 1") && shown.contains("person aino (requester)"), "{shown}");
    }
    let second = region.next_roster();
    region.install_roster(&second);
    region.coordinator().words("roster install").arg(&first).ends(1).complains("roster 2 is in force");
    for node in ["kainuu", "savo"] {
        region.daemon(node).wait_for_log(&format!("roster={}", &hash_of(&second)[..12]));
        order_another(region, node, &hash);
        region.node(node).words("roster approve").arg(&hash_of(&second)[..12]).ok();
        let older = region.node(node).words("roster approve --yes --file").arg(&first);
        older.ends(1).complains("an older one is not taken");
        let shown = region.node(node).words("roster show").ok().out;
        assert!(shown.contains("in force: roster 2"), "{shown}");
    }
    let forged = region.dir().join("forged.json");
    let text = std::fs::read_to_string(&second).expect("a roster").replace("\"epoch\":2", "\"epoch\":3");
    std::fs::write(&forged, text).expect("a file");
    region.coordinator().words("roster install").arg(&forged).ends(1).complains("not signed");
    region.node("savo").words("roster approve --yes --file").arg(&forged).ends(1).complains("not signed");
}

/// An approval that reaches the daemon after the coordinator has replaced the
/// waiting roster: it approves a hash, and so not the one that waits now.
fn order_another(region: &Region, node: &str, hash: &str) {
    let inbox = region.disk(node).config().state.join("inbox");
    let order = inbox.join("1-late.json");
    std::fs::write(&order, format!(r#"{{"do":"roster","epoch":2,"roster":"{hash}"}}"#)).expect("an order");
    until("the daemon takes the order", Duration::from_secs(5), || (!order.exists()).then_some(()));
    assert!(!inbox.join("1-late.bad").exists(), "the order was understood");
    let shown = region.node(node).words("roster show").ok().out;
    assert!(shown.contains("in force: roster 1"), "{shown}");
}

fn ask_and_decide(region: &Region) {
    let quote = region.person("aino").words("table quote --output json").words(QUESTION).ok().json();
    let quoted = quote["nodes"].as_array().expect("quotes");
    assert_eq!(quoted.len(), 2);
    for node in quoted {
        assert_eq!((&node["refusal"], node["cost_nano_rho"].as_u64()), (&Value::Null, Some(20_000_000)));
    }
    assert!(region.questions("kainuu").is_empty(), "a quote leaves nothing at a node");

    let id = region.ask("aino", QUESTION);
    assert_eq!(quote["id"], id.as_str());
    for node in ["kainuu", "savo"] {
        let waiting = region.wait_for_question(node, &id, "waiting");
        assert_eq!((&waiting["requester"], &waiting["request"]["by"][0]), (&"aino".into(), &"sex".into()));
        let shown = region.node(node).words("requests list").ok().out;
        assert!(shown.contains("clients by sex, 2026Q3") && shown.contains("aino"), "{shown}");
        assert_eq!(region.spent(node, "2026Q3"), 0, "waiting costs nothing");
    }
    region.node("kainuu").words("requests approve").arg(&id[..12]).ok();
    region.node("savo").words("requests refuse").arg(&id[..12]).ok();
    region.wait_for_question("kainuu", &id, "released");
    region.node("kainuu").words("requests refuse").arg(&id[..12]).ends(1).complains("does not wait");
}

/// One node's figures, the other named as missing, with its reason.
fn publish(region: &Region) -> String {
    let said = region.run_table("aino", QUESTION);
    assert_eq!(said.code, 4, "{said:?}");
    said.complains("missing: savo: a person at the node declined");
    let table = said.json();
    assert_eq!(table["nodes_missing"], serde_json::json!(["savo"]));
    assert_eq!(table["missing"], serde_json::json!([{"node": "savo", "reason": "DECLINED_BY_PERSON"}]));
    assert_eq!(table["nodes_counted"], 1);
    let cells = table["cells"].as_array().expect("cells");
    assert_eq!(cells.len(), 3, "two sexes and unknown");
    for cell in cells {
        let sex = cell["codes"]["sex"].as_str().expect("a code");
        if sex == "unknown" {
            assert_eq!((&cell["state"], &cell["value"]), (&"suppressed".into(), &Value::Null));
            continue;
        }
        // 120 of each; eight standard deviations are exceeded once in 10^15 tables.
        let value = cell["value"].as_i64().expect("a figure");
        assert!((value - 120).abs() <= 40, "{value} of 120 with sd 5");
    }
    let releases = region.node("kainuu").words("releases list --output json").ok().json();
    let releases = releases.as_array().expect("releases");
    assert_eq!(releases.len(), 1, "exactly one table has left");
    assert_eq!((&releases[0]["id"], &releases[0]["requester"]), (&table["id"], &"aino".into()));
    let none = region.node("savo").words("releases list --output json").ok().json();
    assert_eq!(none, serde_json::json!([]), "nothing has left the node that declined");
    assert_eq!((region.spent("kainuu", "2026Q3"), region.spent("savo", "2026Q3")), (20_000_000, 0));
    assert!(region.disk("savo").debits().is_empty());
    said.out
}

/// Another person's equal question: the same bytes, and no allowance.
fn repeat_is_free(region: &Region, first: &str) {
    let same = "--by sex,sex --period 2026Q3 --sd 5.00 --where sex=2,1,unknown";
    for (person, question) in [("ville", QUESTION), ("ville", same), ("aino", QUESTION)] {
        let said = region.run_table(person, question);
        assert_eq!(said.code, 4);
        said.complains("at no cost");
        assert_eq!(said.out, first, "{person} gets the same bytes");
    }
    assert_eq!((region.spent("kainuu", "2026Q3"), region.spent("savo", "2026Q3")), (20_000_000, 0));
    assert_eq!(region.disk("kainuu").debits().len(), 1);
    let quote = region.person("ville").words("table quote --output json").words(QUESTION).ok().json();
    let kainuu = quote["nodes"].as_array().and_then(|n| n.iter().find(|n| n["node"] == "kainuu")).expect("a quote");
    assert_eq!(kainuu["answered_before"], true);
}

fn read_and_export(region: &Region, first: &str) {
    let table: Value = serde_json::from_str(first).expect("JSON");
    let id = table["id"].as_str().expect("an id");
    let list = region.person("ville").words("table list --output json").ok().json();
    assert_eq!(list.as_array().map(Vec::len), Some(1));
    assert_eq!(
        (&list[0]["id"], &list[0]["state"], &list[0]["requester"]),
        (&table["id"], &"published".into(), &"aino".into())
    );
    let nodes = region.person("ville").words("nodes list --output json").ok().json();
    for (node, name) in nodes.as_array().expect("nodes").iter().zip(["kainuu", "savo"]) {
        assert_eq!((&node["name"], &node["connected"], &node["in_roster"]), (&name.into(), &true.into(), &true.into()));
    }
    let shown = region.person("ville").words("table show --output json").arg(&id[..8]).ends(4);
    assert_eq!(shown.out, first);
    let export = |file: &Path| region.person("ville").words("table export").arg(id).arg("--out").arg(file);
    let json = region.dir().join("table.json");
    export(&json).ends(4);
    assert_eq!(std::fs::read_to_string(&json).expect("an export"), first);
    let csv = region.dir().join("table.csv");
    export(&csv).ends(4);
    let csv = std::fs::read_to_string(&csv).expect("an export");
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines[0], "period,sex,state,value,low,high,nodes_suppressed,near_threshold");
    assert_eq!(lines.len(), 4);
    for (line, cell) in lines[1..].iter().zip(table["cells"].as_array().expect("cells")) {
        let figure = cell["value"].as_i64().map_or_else(String::new, |v| v.to_string());
        let sex = cell["codes"]["sex"].as_str().expect("a code");
        let state = cell["state"].as_str().expect("a state");
        assert!(line.starts_with(&format!("2026Q3,{sex},{state},{figure},")), "{line} is not {cell}");
    }
    export(&region.dir().join("table.xls")).ends(1).complains(".csv or .json");
}

/// The invitation with one digit of its secret changed.
fn with_other_secret(token: &str) -> String {
    let mut parts: Vec<String> = token.trim().split('.').map(str::to_owned).collect();
    let secret = &mut parts[6];
    let digit = if secret.starts_with('0') { "1" } else { "0" };
    secret.replace_range(..1, digit);
    parts.join(".")
}

/// The hash of a signed roster, as governance announces it.
fn hash_of(roster: &Path) -> String {
    let text = std::fs::read_to_string(roster).expect("a roster");
    let signed: Value = serde_json::from_str(&text).expect("JSON");
    let draft = serde_json::to_string(&signed["roster"]).expect("JSON");
    let key = roster.with_file_name("governance").join("governance.key");
    let said = Run::new("koonti").words("governance sign - --key").arg(key).input(&draft).ok();
    let hash = said.err.split_whitespace().skip_while(|word| *word != "hash").nth(1);
    hash.expect("governance says which hash it signs").to_owned()
}
