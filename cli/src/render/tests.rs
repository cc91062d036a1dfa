//! A regional table in every form; the forms of a table per organisation are
//! held by the scenarios.

use super::*;
use koonti_disclosure::combine::Missing;
use koonti_disclosure::coverage::{Coverage, Covered};
use koonti_disclosure::request::{Draft, Measure, Purpose, ReleaseKind};
use koonti_disclosure::{Codebook, Refusal};
use std::collections::BTreeMap;

fn request() -> TableRequest {
    let draft = Draft {
        register: "adult-social-work".into(),
        measure: Measure::Clients,
        score: None,
        by: vec!["need".into()],
        periods: vec!["2026Q1".parse().unwrap()],
        release: ReleaseKind::Regional,
        sd: Some("5".into()),
        within: None,
        max_per_client: Some(5),
        max_events: None,
        purpose: Purpose::StructuralSocialWork,
        filter: BTreeMap::from([("need".into(), vec!["N01".into(), "N02".into()])]),
    };
    TableRequest::resolve(&draft, &"ita".parse().unwrap(), &[], Codebook::built_in()).unwrap()
}

/// Needs N01 (shown), N02 (withheld) and ANY, of eleven nodes of twelve.
fn table() -> Published {
    let cell = |need: &str, value: Option<i64>, share: Option<[i64; 3]>| Cell {
        clients: None,
        codes: BTreeMap::from([("need".into(), need.into()), ("period".into(), "2026Q1".into())]),
        high: value.map(|v| v + 11),
        low: value.map(|v| v - 11),
        near_threshold: value.is_some_and(|v| v < 40),
        nodes_suppressed: 0,
        per_client: None,
        share,
        state: if value.is_some() { State::Published } else { State::Suppressed },
        sum: None,
        value,
    };
    let request = request();
    Published {
        cells: vec![
            cell("N01", Some(35), Some([2917, 1953, 3920])),
            cell("N02", None, None),
            cell("ANY", Some(120), None),
        ],
        cost: koonti_disclosure::cost::Cost { nano_rho: 136_800_000, atto_delta: 1 },
        coverage: Vec::new(),
        id: request.id(),
        nodes_counted: (0..11).map(|i| format!("node-{i}").parse().unwrap()).collect(),
        nodes_missing: vec![Missing { node: "kainuu".parse().unwrap(), reason: Refusal::RoundLeft }],
        per_node: Vec::new(),
        regional: Some(RegionalTerms {
            c: 2,
            eta: (1, 100),
            h: 9,
            j: 2,
            k: 5,
            n: 12,
            round: Digest([7; 32]),
            t: 8,
            threshold: 30,
            u_min: 11,
            variance_present: (275, 9),
        }),
        request: serde_json::from_slice(request.bytes()).unwrap(),
        scale: 1,
        v: 1,
    }
}

#[test]
fn json_has_the_terms_of_the_sum() {
    let json = json(&table(), &request());
    let expected = [
        ("release", json!("regional")),
        ("sd", json!(5)),
        ("threshold", json!(30)),
        ("variance_present", json!([275, 9])),
        ("nodes_counted", json!(11)),
        ("nodes_missing", json!(["kainuu"])),
        ("missing", json!([{"node": "kainuu", "reason": "ROUND_LEFT"}])),
        ("per_node", json!([])),
        ("round", json!("07".repeat(32))),
    ];
    for (name, value) in expected {
        assert_eq!(json[name], value, "{name}");
    }
    let numbers = ["c", "h", "j", "k", "n", "t", "u_min"].map(|name| json[name].as_u64().unwrap());
    assert_eq!(numbers, [2, 9, 2, 5, 12, 8, 11]);
    assert!((json["sd_present"].as_f64().unwrap() - 5.5277).abs() < 1e-4);
    assert_eq!(json["cells"][0]["share"], json!({"value": 29.17, "low": 19.53, "high": 39.2}));
    assert_eq!((json["cells"][1].get("share"), &json["cells"][1]["value"]), (None, &Value::Null));
}

#[test]
fn csv_has_shares_in_percent() {
    let mut bytes = Vec::new();
    csv(&mut bytes, &table(), &request()).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines,
        [
            "period,need,state,value,low,high,nodes_suppressed,near_threshold,share,share_low,share_high",
            "2026Q1,N01,published,35,24,46,0,true,29.17,19.53,39.20",
            "2026Q1,N02,suppressed,,,,0,false,,,",
            "2026Q1,ANY,published,120,109,131,0,false,,,",
        ]
    );
}

#[test]
fn footnotes_say_what_the_figures_are() {
    let notes = footnotes::footnotes(&table(), &request());
    for said in [
        "Organisations counted: 11 of 12; 1 of 3 figures withheld (33 %).",
        "Missing: kainuu, the organisation left the round",
        "Figures are shown from 30 on",
        "not a count of persons",
        "nobody is known to more than 2 organisations",
        "standard deviation of 5.5; 5.0 was asked for",
        "counted, and no others",
    ] {
        assert!(notes.contains(said), "{said} is not in\n{notes}");
    }
}

#[test]
fn what_registers_cover_is_shown_where_it_is_stated() {
    let covered = |coverage, node: &str| Covered {
        coverage,
        node: node.parse().unwrap(),
        periods: vec!["2026Q1".parse().unwrap()],
    };
    let silent = table();
    assert!(json(&silent, &request()).get("coverage").is_none());
    assert!(!footnotes::footnotes(&silent, &request()).contains("state"), "nothing is said of what nobody states");
    let coverage = vec![covered(Coverage::All, "node-0"), covered(Coverage::Pilot, "node-1")];
    let table = Published { coverage, ..table() };
    assert_eq!(json(&table, &request())["coverage"][1]["coverage"], "pilot");
    let notes = footnotes::footnotes(&table, &request());
    let said = "as they state themselves: covers all units: node-0; covers a pilot only: node-1; not stated: node-2, ";
    assert!(notes.contains(said), "{notes}");
    let mut bytes = Vec::new();
    csv(&mut bytes, &table, &request()).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    assert!(text.lines().nth(1).unwrap().ends_with(",39.20,all: node-0; pilot: node-1"), "{text}");
}

#[test]
fn events_stand_beside_their_clients() {
    let mut request: Value = serde_json::from_slice(request().bytes()).unwrap();
    (request["measure"], request["max_events"]) = (json!("events"), json!(12));
    let request = TableRequest::parse(&canonical::to_bytes(&request).unwrap(), Codebook::built_in()).unwrap();
    let mut table = table();
    (table.cells[0].value, table.cells[0].clients) = (Some(70), Some(35));
    table.cells[0].per_client = Some([2000, 1512, 2731]);
    table.cells[0].share = None;
    let json = json(&table, &request);
    assert_eq!(json["cells"][0]["per_client"], json!({"value": 2.0, "low": 1.512, "high": 2.731}));
    assert_eq!((&json["cells"][0]["clients"], json["cells"][0].get("sum")), (&json!(35), None));
    assert_eq!(json["cells"][1].get("per_client"), None);
    let mut bytes = Vec::new();
    csv(&mut bytes, &table, &request).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].ends_with("share_high,clients,per_client,per_client_low,per_client_high"), "{text}");
    assert!(lines[1].ends_with(",,,,35,2.00,1.51,2.73") && lines[2].ends_with("false,,,,,,,"), "{text}");
    let notes = footnotes::footnotes(&table, &request);
    assert!(notes.contains("At most 12 events per client and figure") && notes.contains("12 times that"), "{notes}");
}
