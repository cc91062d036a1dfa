//! The coordinator's two listeners against callers who mean ill: raw TCP, raw TLS, raw
//! HTTP/2 frames and raw gRPC messages, at the real process.
//!
//! One region for all attacks. What is asserted besides each attack's own end: a member, a
//! node and a newcomer are served throughout, within [`probe::WORST`], also over new
//! connections; the coordinator's memory grows by no more than the attack may hold
//! ([`MOST_KB`] where nothing is said), and its file descriptors return. The table in
//! `SECURITY.md` names each function here.
//!
//! Attackers come from loopback addresses of their own, so that limits by address do not
//! hit the test's honest callers.

mod certificates;
mod door;
mod flood;
mod frames;
mod grpc;
mod handshakes;
mod paces;
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

/// By how much an attack may make the coordinator's memory grow at its peak, in kilobytes:
/// less than any bomb here swells to.
const MOST_KB: u64 = 16 * 1024;
/// The same for those that hold hundreds of connections.
const CONNECTIONS_KB: u64 = 32 * 1024;
/// A million entries of nothing, 24 bytes each where they are kept.
const MANY_FIELDS_KB: u64 = 64 * 1024;
/// Four messages of 16 MB are held, and one is read and swells eightfold; all twelve of
/// them would be 1.7 GB.
const LONG_MESSAGES_KB: u64 = 256 * 1024;

/// Who attacks what.
struct Ground {
    // Before the region, so that they end before it does.
    members: Probe,
    newcomers: Probe,
    region: Region,
    main: SocketAddr,
    enrolment: SocketAddr,
    /// A requester without scruples.
    person: Papers,
    /// A node without scruples; its daemon does not run.
    node: Papers,
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
        members: Probe::members(
            &region.main_url(),
            &[papers("aino"), Papers::of_keys(&region.home("kainuu").join("keys"))],
        ),
        newcomers: Probe::newcomers(&papers("aino").ca, address(region.enrolment_url())),
        files: 0,
        region,
    };
    ground.members.wait_for_calls(20);
    ground.newcomers.wait_for_calls(5);
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
        ("frames::empty_data", frames::empty_data),
        ("paces::floods_of_small_frames", paces::floods_of_small_frames),
        ("paces::patient_resets", paces::patient_resets),
        ("paces::behind_one_address", paces::behind_one_address),
        ("grpc::long_messages", grpc::long_messages),
        ("grpc::many_fields_and_deep_nesting", grpc::many_fields_and_deep_nesting),
        ("grpc::unknown_fields", grpc::unknown_fields),
        ("grpc::compressed_messages", grpc::compressed_messages),
        ("handshakes::half_a_hello", handshakes::half_a_hello),
        ("handshakes::idle_connections", handshakes::idle_connections),
        ("handshakes::connections_begun", handshakes::connections_begun),
        ("handshakes::idle_newcomers", handshakes::idle_newcomers),
        ("handshakes::idle_members", handshakes::idle_members),
        ("flood::one_caller_is_throttled_alone", flood::one_caller_is_throttled_alone),
        // Late, since memory that was given back would hide what others take.
        ("grpc::many_long_messages", grpc::many_long_messages),
        ("certificates::struck_from_the_roster", certificates::struck_from_the_roster),
        ("what_it_cost", what_it_cost),
    ];
    // All are tried, whatever becomes of one.
    let mut failed = Vec::new();
    for (name, attack) in attacks {
        let (began, before) = (Instant::now(), resident_kb_from_now(&mut ground));
        let attacked = catch_unwind(AssertUnwindSafe(|| attack(&mut ground)));
        let served = catch_unwind(AssertUnwindSafe(|| ground.members.served(name).max(ground.newcomers.served(name))));
        let grown = ground.region.coordinator_daemon().peak_kb().saturating_sub(before);
        println!("{name}: {:?}; slowest honest call {:?}; {grown} kB", began.elapsed(), served.as_ref().ok());
        let most = match *name {
            "grpc::many_long_messages" => LONG_MESSAGES_KB,
            "grpc::many_fields_and_deep_nesting" => MANY_FIELDS_KB,
            name if name.starts_with("handshakes::") => CONNECTIONS_KB,
            _ => MOST_KB,
        };
        if attacked.is_err() || served.is_err() || grown > most {
            failed.push(name);
        }
    }
    assert!(failed.is_empty(), "{failed:?}");
}

/// The coordinator's memory now; its peak counts from here.
fn resident_kb_from_now(ground: &mut Ground) -> u64 {
    let coordinator = ground.region.coordinator_daemon();
    std::fs::write(format!("/proc/{}/clear_refs", coordinator.id()), "5").expect("the peak can be forgotten");
    coordinator.resident_kb()
}

/// What all of it together has cost the coordinator.
fn what_it_cost(ground: &mut Ground) {
    let files = ground.files;
    let coordinator = ground.region.coordinator_daemon();
    until("the attackers' file descriptors are given back", Duration::from_secs(20), || {
        (coordinator.open_files() <= files + 4).then_some(())
    });
    let (soft, hard) = coordinator.open_files_limits();
    assert!(soft >= hard.min(8192), "{soft} of {hard} files");
    assert!(coordinator.runs());
    assert!(!coordinator.log().contains("panicked"), "{}", coordinator.log());
}
