//! Metrics and health, through real processes: what they show, and what they do not.

use koonti_tests::{Node, Pages, Plan, Region, root_or_untested, until};
use std::time::Duration;

const QUESTION: &str = "--by need,sex --max-per-client 2 --period 2026Q3 --sd 5";
/// The only lines of a node's page that may differ between two nodes that were asked the
/// same: those that tell when something began or ends, and how often it connected.
const CLOCKS: [&str; 3] =
    ["koonti_start_time_seconds ", "koonti_node_certificate_end_seconds ", "koonti_node_connections_total "];

/// All that a node's page has: names and labels. An area, a measure, the name of a member
/// or the count of anything in a register would be another line.
const NODE: &str = r#"
koonti_build{program="koonti-node",version="0.1.0"}
koonti_node_allowance_left_percent{source="adult-social-work",period="2026Q3"}
koonti_node_certificate_end_seconds
koonti_node_connected
koonti_node_connections_total
koonti_node_log_bytes
koonti_node_log_confirmed
koonti_node_log_entries
koonti_node_log_entries_not_cosigned
koonti_node_questions{state="aborted"}
koonti_node_questions{state="approved"}
koonti_node_questions{state="expired"}
koonti_node_questions{state="paid"}
koonti_node_questions{state="refused"}
koonti_node_questions{state="released"}
koonti_node_questions{state="waiting"}
koonti_node_roster_epoch
koonti_node_roster_waits
koonti_node_rules_approved
koonti_node_seeds_left
koonti_start_time_seconds
"#;

/// The same of the coordinator's, where one call was refused.
#[cfg(debug_assertions)]
const COORDINATOR: &str = r#"
koonti_build{program="koonti-coordinator",version="0.1.0"}
koonti_coordinator_certificate_end_seconds{of="authority"}
koonti_coordinator_certificate_end_seconds{of="server"}
koonti_coordinator_copied_entries
koonti_coordinator_copies
koonti_coordinator_disk_free_bytes
koonti_coordinator_forks
koonti_coordinator_log_bytes
koonti_coordinator_log_entries
koonti_coordinator_nodes{state="connected"}
koonti_coordinator_nodes{state="cosigned_newest"}
koonti_coordinator_nodes{state="in_roster"}
koonti_coordinator_open_files
koonti_coordinator_refusals_total{reason="DENIED"}
koonti_coordinator_resident_bytes
koonti_coordinator_roster_epoch
koonti_coordinator_rounds{state="begun"}
koonti_coordinator_rounds{state="failed"}
koonti_coordinator_tables{state="open"}
koonti_coordinator_tables{state="published"}
koonti_coordinator_tables{state="refused"}
koonti_start_time_seconds
"#;

/// Names and labels on a page, sorted.
fn names(page: &str) -> String {
    let values = page.lines().filter(|line| !line.starts_with('#'));
    let mut names: Vec<&str> = values.map(|line| line.rsplit_once(' ').expect("a value").0).collect();
    names.sort_unstable();
    format!("\n{}\n", names.join("\n"))
}

/// A page without the lines of [`CLOCKS`], each of which it has.
#[track_caller]
fn timeless(page: &str) -> String {
    for clock in CLOCKS {
        assert_eq!(page.lines().filter(|line| line.starts_with(clock)).count(), 1, "{clock} in {page}");
    }
    page.lines()
        .filter(|line| !CLOCKS.iter().any(|clock| line.starts_with(clock)))
        .fold(String::new(), |all, line| all + line + "\n")
}

#[track_caller]
fn quiet(pages: &Pages) -> String {
    until("everything is cosigned and shown", Duration::from_secs(20), || {
        let page = pages.metrics();
        let level = page.contains("\nkoonti_node_connected 1\n") && page.contains("_not_cosigned 0\n");
        // Twice the same: nothing is under way.
        std::thread::sleep(Duration::from_millis(700));
        (level && page == pages.metrics()).then(|| timeless(&page))
    })
}

#[test]
fn one_client_less_and_the_page_is_the_same() {
    let plan = Plan::new().node(Node::auto("kainuu", "205")).node(Node::auto("pohjan", "297"));
    let mut region = plan.person("aino", "requester").start();
    let nodes = ["kainuu", "pohjan"];
    for node in nodes {
        region.take_node(node).stop();
    }
    let register = region.home("pohjan").join("register.csv");
    let rows = std::fs::read_to_string(&register).expect("a register");
    let (first, rest) =
        rows.split_once('\n').and_then(|(head, rows)| Some((head, rows.split_once('\n')?.1))).expect("rows");
    std::fs::write(&register, format!("{first}\n{rest}")).expect("a register");
    let pages = nodes.map(|node| {
        region.node(node).arg("import").ok();
        let pages = region.show_pages(node);
        region.start_node(node);
        pages
    });
    region.wait_until_connected();
    let before = pages.each_ref().map(quiet);
    assert_eq!(before[0], before[1]);

    let table = region.run_table("aino", QUESTION);
    assert_eq!((table.code, table.json()["nodes_counted"].as_u64()), (0, Some(2)), "{table:?}");
    region.person("aino").words("table quote").words(QUESTION).ok();
    region.run_table("aino", "--by sex --period 2020Q1 --sd 5");
    let after = pages.each_ref().map(quiet);
    assert_eq!(after[0], after[1]);
    assert_eq!(names(&pages[0].metrics()), NODE);
    for line in [
        "koonti_node_questions{state=\"released\"} 1",
        "koonti_node_log_confirmed 1",
        "koonti_node_rules_approved 1",
        "koonti_node_roster_epoch 1",
        "koonti_build{program=\"koonti-node\",version=\"0.1.0\"} 1",
    ] {
        assert!(after[0].lines().any(|l| l == line), "{line} in {}", after[0]);
    }
    assert!(before[0].contains("_left_percent{source=\"adult-social-work\",period=\"2026Q3\"} 100\n"), "{}", before[0]);
    assert!(!after[0].contains("_left_percent{source=\"adult-social-work\",period=\"2026Q3\"} 100\n"), "{}", after[0]);
    let id = table.json()["id"].as_str().expect("an id")[..8].to_owned();
    for never in ["aino", "kainuu", "pohjan", "205", "297", "need", &id] {
        assert!(!after[0].contains(never), "{never} in {}", after[0]);
    }
}

/// Stopped between the count and its tick, a node shows the books of before.
#[cfg(debug_assertions)]
#[test]
fn what_a_count_enters_is_not_shown_before_its_tick() {
    let plan = Plan::new().node(Node::auto("kainuu", "205"));
    let mut region = plan.person("aino", "requester").start();
    let (node, coordinator) = (region.show_pages("kainuu"), region.show_pages("coordinator"));
    region.take_node("kainuu").stop();
    region.take_coordinator().stop();
    region.start_coordinator();
    region.start_node_with("kainuu", &[("KOONTI_STOP_AT", "stored")]);
    region.wait_until_connected();
    let before = quiet(&node);
    assert_eq!(node.get("/health/ready"), (200, "{\"status\":\"ready\",\"reasons\":[]}\n".to_owned()));
    assert_eq!(coordinator.get("/health/ready"), (200, "{\"status\":\"ready\",\"reasons\":[]}\n".to_owned()));

    region.ask("aino", QUESTION);
    region.daemon("kainuu").wait_for_log("stopped at stored");
    let (state, released) = (region.questions("kainuu"), "released");
    assert!(state.iter().any(|question| question["state"] == released), "{state:?}");
    assert_eq!(timeless(&node.metrics()), before, "while the log on the disk has the release");
    assert_eq!(coordinator.value("koonti_coordinator_tables{state=\"open\"}"), 1);
    assert_eq!(coordinator.value("koonti_coordinator_nodes{state=\"connected\"}"), 1);
    region.person("aino").words("evidence fetch --out").arg(region.dir().join("no.tar")).ends(3);
    assert!(coordinator.value("koonti_coordinator_refusals_total{reason=\"DENIED\"}") >= 1);
    assert_eq!(names(&coordinator.metrics()), COORDINATOR);
    for least in
        ["koonti_coordinator_resident_bytes", "koonti_coordinator_open_files", "koonti_coordinator_log_entries"]
    {
        assert!(coordinator.value(least) > 3, "{least}");
    }

    // Nobody to connect to, and a process of which nothing but this page is open.
    region.take_node("kainuu").kill();
    region.take_coordinator().kill();
    region.start_node("kainuu");
    let reasons = "{\"status\":\"not_ready\",\"reasons\":[\"NOT_CONNECTED\",\"LOG_NOT_CONFIRMED\"]}\n";
    until("the door is open", Duration::from_secs(10), || std::net::TcpStream::connect(node.address()).ok());
    assert_eq!(node.get("/health/ready"), (503, reasons.to_owned()));
    assert_eq!(node.get("/health/live"), (200, "{\"status\":\"live\",\"reasons\":[]}\n".to_owned()));
    if root_or_untested("a node listens there only") {
        assert_eq!(region.daemon("kainuu").listens(), [node.address()]);
    }
    let check = region.node("kainuu").words("check --output json").ends(1).json();
    assert!(check.as_array().expect("items").iter().any(|i| i["item"] == "daemon" && i["state"] == "ok"), "{check}");
}

#[test]
fn a_node_listens_nowhere_unless_told_and_then_on_loopback_only() {
    let mut region = Plan::new().node(Node::auto("kainuu", "205")).start();
    if root_or_untested("a node listens nowhere") {
        assert!(region.daemon("kainuu").listens().is_empty());
        assert!(!region.coordinator_daemon().listens().is_empty(), "listeners are found");
    }
    region.take_node("kainuu").stop();
    let refused = |region: &Region, file: &str, listen: &str| {
        let path = region.dir().join(file);
        let text = std::fs::read_to_string(&path).expect("a configuration");
        std::fs::write(&path, format!("{text}\n[metrics]\nlisten = \"{listen}\"\n")).expect("a configuration");
        let run = if file.starts_with("kainuu") { region.node("kainuu") } else { region.coordinator() };
        run.arg("run").ends(64).complains("is not a loopback address").complains("TOML parse error at line");
        std::fs::write(&path, text).expect("a configuration");
    };
    for listen in ["0.0.0.0:9464", "[::]:9464", "192.0.2.1:9464"] {
        refused(&region, "kainuu/node.toml", listen);
        refused(&region, "coordinator/coordinator.toml", listen);
    }
    let check = region.node("kainuu").words("check --output json").ok().json();
    let daemon = check.as_array().expect("items").iter().find(|i| i["item"] == "daemon").expect("the daemon's line");
    assert_eq!(daemon["state"], "warning", "{check}");
}
