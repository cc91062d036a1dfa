//! How long ten thousand releases take: `cargo run --release -p koonti-verify --example large`.
//!
//! Arguments: tables (five releases each), and a directory for bundle and trust file.

#[path = "../tests/support/mod.rs"]
mod support;

use koonti_disclosure::{Codebook, Refusal, TableRequest, canonical};
use koonti_evidence::bundle::Bundle;
use koonti_verify::verify;
use serde_json::json;
use std::path::PathBuf;
use std::time::Instant;
use support::scribe::{Hooks, Scribe};

fn main() {
    let tables: u64 = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(2000);
    let mut scribe = Scribe::new(&Hooks::HONEST);
    scribe.room = (10_000_000_000, tables);
    // All in one second, before any deadline.
    scribe.pace = 0;
    support::begin(&mut scribe);
    let nodes = [0, 1, 2, 3, 4];
    for number in 0..tables {
        let (request, tag) = (request(number), format!("t{number}"));
        support::ask(&mut scribe, &tag, "asked", &request, &nodes);
        for place in nodes {
            support::take_up(&mut scribe, &tag, &request, place);
            support::answer(&mut scribe, &tag, (&request, number), place);
        }
        support::close(&mut scribe, &format!("closed-{tag}"), &request, &nodes, Refusal::NoAnswer);
    }
    let mut bundle = Bundle::new("ita".parse().expect("a name"));
    scribe.finish(&mut bundle);
    let bytes = bundle.bytes().expect("small files");
    if let Some(dir) = std::env::args_os().nth(2).map(PathBuf::from) {
        std::fs::write(dir.join("evidence.tar"), &bytes).expect("the directory is there");
        std::fs::write(dir.join("keys.txt"), support::trust()).expect("the directory is there");
    }
    let began = Instant::now();
    let report = verify(&bytes, &support::trust(), None, None).expect("the auditor's files are good");
    let took = began.elapsed();
    println!("{} releases, {} cells, {} bytes: {took:?}", report.releases, report.cells, bytes.len());
    assert!(report.passes(), "fails: {:?}", report.failed());
}

fn request(number: u64) -> TableRequest {
    let codebook = Codebook::built_in();
    let codes = codebook.dimension("area").expect("areas").codes().iter().map(|code| code.code.clone());
    let mut areas: Vec<String> = codes.filter(|code| *code != "205").take(19).collect();
    areas.push("205".to_owned());
    areas.sort();
    let json = json!({
        "by": ["area", "sex"], "codebook": codebook.hash(), "measure": "clients", "periods": ["2026Q2"],
        "purpose": "statistics", "region": "ita", "register": "r", "release": "per_node", "v": 1,
        "variance": [400 + number, 1], "where": {"area": areas},
    });
    TableRequest::parse(&canonical::to_bytes(&json).expect("JSON"), codebook).expect("a request")
}
