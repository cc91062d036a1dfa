//! The logs of the daemons: their form, and lines that nobody else can write.

use koonti_proto::Failure;
use koonti_tests::evil::Evil;
use koonti_tests::{Node, Plan, Region};
use serde_json::Value;
use std::path::Path;

/// Puts keys at the top of a configuration file.
fn set(path: &Path, keys: &str) {
    let text = std::fs::read_to_string(path).expect("a configuration");
    std::fs::write(path, format!("{keys}\n{text}")).expect("a configuration");
}

fn started(log: &str) -> Region {
    let mut region = Plan::new().node(Node::auto("kainuu", "205")).start();
    region.take_node("kainuu").stop();
    region.take_coordinator().stop();
    for file in ["kainuu/node.toml", "coordinator/coordinator.toml"] {
        set(&region.dir().join(file), log);
    }
    region
}

#[test]
fn lines_of_json() {
    let mut region = started("log = \"json\"");
    region.start_coordinator();
    region.start_node("kainuu");
    let connected = "\"message\":\"connected\",\"node\":\"kainuu\"";
    region.coordinator_daemon().wait_for_log(connected);
    region.daemon("kainuu").wait_for_log("\"connected to the coordinator\"");
    for log in [region.coordinator_daemon().log(), region.daemon("kainuu").log()] {
        for line in log.lines() {
            let event: Value = serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
            for field in ["timestamp", "level", "message"] {
                assert!(event[field].is_string(), "{field} in {line}");
            }
        }
    }
    // What ends a daemon is an event as well.
    let second = region.node("kainuu").arg("run").ends(1);
    let event: Value = serde_json::from_str(second.err.trim()).expect("one line of JSON");
    assert_eq!((&event["level"], &event["message"]), (&"ERROR".into(), &"ended".into()), "{event}");
    assert!(event["error"].as_str().is_some_and(|e| e.contains("in use by another process")), "{event}");
    region.take_node("kainuu").stop();
    set(&region.home("kainuu").join("node.toml"), "log_level = \"error\"");
    region.start_node("kainuu");
    region.wait_until(|region| region.coordinator_daemon().log().matches(connected).count() == 2);
    assert_eq!(region.daemon("kainuu").log(), "");
    set(&region.home("kainuu").join("node.toml"), "log_levels = 1");
    region.node("kainuu").arg("check").ends(64).complains("unknown field `log_levels`");
}

/// A coordinator whose refusals are lines of its own making.
#[test]
fn words_from_the_wire_are_no_lines() {
    let forged = "no\n2026-11-21T00:00:00.000000Z  INFO connected to the coordinator\r\n{\"level\":\"INFO\"}\u{1b}[2K\u{9b}31m\u{202e}";
    for format in ["text", "json"] {
        let mut region = started(&format!("log = \"{format}\""));
        let evil = Evil::in_place_of(&region);
        evil.takes_no_logs(Failure::Invalid(forged.to_owned()));
        region.start_node("kainuu");
        region.daemon("kainuu").wait_for_log("not connected; trying again");
        let log = region.daemon("kainuu").log();
        assert!(log.contains("connected to the coordinator"), "the words are told: {log}");
        for line in log.lines() {
            let whole = match format {
                "json" => serde_json::from_str::<Value>(line).is_ok_and(|event| event["message"].is_string()),
                _ => !line.contains("INFO connected") || line.contains("not connected; trying again"),
            };
            assert!(whole && !line.contains(|c: char| c.is_control() || c == '\u{202e}'), "{line:?}");
        }
        region.take_node("kainuu").stop();
    }
}
