//! The coordinator's two listeners against callers who mean ill: raw TCP, raw TLS, raw
//! HTTP/2 frames and raw gRPC messages, at the real process.
//!
//! One region for all attacks, since what is asserted besides each attack's own end is
//! what all of them together may cost: a member and a node are served throughout, within
//! [`probe::WORST`], also over new connections; the coordinator's memory stays within
//! [`MOST_KB`], and its file descriptors return. The table in `SECURITY.md` names each
//! function here.
//!
//! Attackers come from loopback addresses of their own, so that limits by address do not
//! hit the test's honest callers.

mod certificates;
mod flood;
mod frames;
mod grpc;
mod handshakes;
mod papers;
mod probe;
mod raw;

use koonti_tests::{Node, Plan, Region, until};
use papers::Papers;
use probe::Probe;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

/// The coordinator's memory, at its peak over all attacks, in kilobytes.
const MOST_KB: u64 = 512 * 1024;

/// Who attacks what.
struct Ground {
    region: Region,
    main: SocketAddr,
    enrolment: SocketAddr,
    /// A requester without scruples.
    person: Papers,
    /// A node without scruples; its daemon does not run.
    node: Papers,
    probe: Probe,
    /// What the coordinator had open before.
    files: usize,
}

/// What somebody does; demands what becomes of it.
type Attack = fn(&mut Ground);

#[test]
fn hostile_callers_cost_the_others_nothing() {
    let plan = Plan::new().node(Node::auto("kainuu", "205")).node(Node::auto("roskala", "297"));
    let plan = plan.person("aino", "requester").person("roisto", "requester").person("tulva", "requester");
    // As many systems start a daemon: it has to raise the limit itself.
    let files = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: Some(1024), maximum: files.maximum }).expect("a lower limit");
    let mut region = plan.start();
    setrlimit(Resource::Nofile, Rlimit { current: files.maximum, ..files }).expect("a higher limit");
    region.take_node("roskala").stop();
    let address = |url: String| -> SocketAddr { url.trim_start_matches("https://").parse().expect("an address") };
    let papers = |name: &str| Papers::of_keys(&region.home(name));
    let mut ground = Ground {
        main: address(region.main_url()),
        enrolment: address(region.enrolment_url()),
        person: papers("roisto"),
        node: Papers::of_keys(&region.home("roskala").join("keys")),
        probe: Probe::start(
            &region.main_url(),
            &[papers("aino"), Papers::of_keys(&region.home("kainuu").join("keys"))],
        ),
        files: 0,
        region,
    };
    ground.probe.wait_for_calls(20);
    ground.files = ground.region.coordinator_daemon().open_files();
    let attacks: &[(&str, Attack)] = &[
        ("certificates::who_gets_in", certificates::who_gets_in),
        ("certificates::no_older_tls", certificates::no_older_tls),
        ("certificates::no_other_protocol", certificates::no_other_protocol),
        ("certificates::no_resumption", certificates::no_resumption),
        ("frames::malformed_requests", frames::malformed_requests),
        ("frames::rapid_reset", frames::rapid_reset),
        ("frames::continuation_flood", frames::continuation_flood),
        ("frames::header_bombs", frames::header_bombs),
        ("frames::broken_rules", frames::broken_rules),
        ("frames::too_many_streams", frames::too_many_streams),
        ("frames::floods_of_small_frames", frames::floods_of_small_frames),
        ("frames::strangers_at_the_enrolment", frames::strangers_at_the_enrolment),
        ("grpc::long_messages", grpc::long_messages),
        ("grpc::many_long_messages", grpc::many_long_messages),
        ("grpc::many_fields_and_deep_nesting", grpc::many_fields_and_deep_nesting),
        ("grpc::unknown_fields", grpc::unknown_fields),
        ("grpc::compressed_messages", grpc::compressed_messages),
        ("handshakes::half_a_hello", handshakes::half_a_hello),
        ("handshakes::idle_connections", handshakes::idle_connections),
        ("handshakes::connections_begun", handshakes::connections_begun),
        ("handshakes::idle_newcomers", handshakes::idle_newcomers),
        ("handshakes::idle_members", handshakes::idle_members),
        ("flood::one_caller_is_throttled_alone", flood::one_caller_is_throttled_alone),
        ("certificates::struck_from_the_roster", certificates::struck_from_the_roster),
        ("what_it_cost", what_it_cost),
    ];
    // All are tried, whatever becomes of one.
    let mut failed = Vec::new();
    for (name, attack) in attacks {
        let began = Instant::now();
        let attacked = catch_unwind(AssertUnwindSafe(|| attack(&mut ground)));
        let served = catch_unwind(AssertUnwindSafe(|| ground.probe.served(name)));
        let kb = ground.region.coordinator_daemon().resident_kb();
        println!("{name}: {:?}; slowest honest call {:?}; {kb} kB", began.elapsed(), served.as_ref().ok());
        if attacked.is_err() || served.is_err() {
            failed.push(name);
        }
    }
    assert!(failed.is_empty(), "{failed:?}");
}

/// What all of it together has cost the coordinator.
fn what_it_cost(ground: &mut Ground) {
    let files = ground.files;
    let coordinator = ground.region.coordinator_daemon();
    let peak = coordinator.peak_kb();
    println!("peak {peak} kB; {files} files before");
    assert!(peak <= MOST_KB, "{peak} kB");
    until("the attackers' file descriptors are given back", Duration::from_secs(20), || {
        (coordinator.open_files() <= files + 4).then_some(())
    });
    let (soft, hard) = coordinator.open_files_limits();
    assert!(soft >= hard.min(8192), "{soft} of {hard} files");
    assert!(coordinator.runs());
    assert!(!coordinator.log().contains("panicked"), "{}", coordinator.log());
}
