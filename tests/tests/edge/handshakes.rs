//! Connections that say nothing, half of something, or come by the thousand.

use super::Ground;
use super::papers::anonymous;
use super::raw::{Raw, tcp, tls};
use koonti_tests::until;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// The beginning of a TLS record that never comes.
const HALF: [u8; 7] = [22, 3, 1, 2, 0, 1, 0];
/// What one address may have open without a certificate.
const MOST_OF_ADDRESS: usize = 64;
/// What all together may.
const MOST: usize = 512;

/// Whether the other end has closed it.
fn is_closed(tcp: &mut TcpStream) -> bool {
    tcp.set_nonblocking(true).expect("a mode");
    loop {
        match tcp.read(&mut [0; 1024]) {
            Ok(0) => return true,
            Ok(_) => {}
            Err(e) => return e.kind() != std::io::ErrorKind::WouldBlock,
        }
    }
}

fn open(connections: &mut Vec<TcpStream>) -> usize {
    connections.retain_mut(|tcp| !is_closed(tcp));
    connections.len()
}

/// 300 half handshakes of one address: 64 stay, for five seconds; who comes from the same
/// address with a certificate gets in all the same.
pub(crate) fn half_a_hello(ground: &mut Ground) {
    let from = [127, 0, 3, 1];
    let began = Instant::now();
    let mut slow = Vec::new();
    for _ in 0..300 {
        let mut tcp = tcp(from, ground.main).expect("TCP");
        // It may be closed already.
        let _ = tcp.write_all(&HALF);
        slow.push(tcp);
    }
    std::thread::sleep(Duration::from_millis(300));
    let staying = open(&mut slow);
    assert!(staying <= MOST_OF_ADDRESS && staying > 0, "{staying} stay");
    // After a second they give way; by themselves they would stay for five.
    let member = || Raw::connect(ground.person.config(), from, ground.main).ok();
    until("a member at the same address", Duration::from_secs(3), member);
    until("all are closed", Duration::from_secs(10), || (open(&mut slow) == 0).then_some(()));
    assert!(began.elapsed() > Duration::from_secs(4));
}

/// 3,000 connections of 100 addresses that say nothing at all: 512 stay at most, and
/// members get in.
pub(crate) fn idle_connections(ground: &mut Ground) {
    let before = ground.region.coordinator_daemon().open_files();
    let mut idle = Vec::new();
    for n in 0..3000u32 {
        let last = u8::try_from(n % 100 + 1).expect("small");
        idle.extend(tcp([127, 0, 4, last], ground.main));
        if n % 300 == 299 {
            let files = ground.region.coordinator_daemon().open_files();
            // A few may be in the middle of being closed.
            assert!(files <= before + MOST + 64, "{files} files");
        }
    }
    std::thread::sleep(Duration::from_millis(300));
    let staying = open(&mut idle);
    assert!(staying <= MOST && staying > 100, "{staying} stay");
    // Of an address that has none yet: somebody gives way at once.
    Raw::connect(ground.person.config(), [127, 0, 4, 200], ground.main).expect("a member");
    drop(idle);
}

/// 3,000 connections begun and left by one address: 1,024 are taken, the rest is closed
/// before anything is read. Another address does not notice.
pub(crate) fn connections_begun(ground: &mut Ground) {
    let from = [127, 0, 5, 1];
    let begin = |many: u32| (0..many).for_each(|_| drop(tcp(from, ground.main)));
    begin(3000);
    // One more is due every 33 ms: a slow machine takes longer than that for each of the ten.
    let is_refused = |_: &u32| {
        begin(200);
        Raw::connect(ground.person.config(), from, ground.main).is_err()
    };
    let refused = (0..10).filter(is_refused).count();
    assert!(refused >= 5, "{refused} of ten are refused");
    Raw::connect(ground.person.config(), [127, 0, 5, 2], ground.main).expect("another address");
}

/// Strangers who hold connections at the enrolment listener: 64 of one address, 256 in
/// all, and after five seconds a newcomer gets a place.
pub(crate) fn idle_newcomers(ground: &mut Ground) {
    let ca = ground.person.ca.clone();
    let began = Instant::now();
    let mut idle = Vec::new();
    for n in 0..360u32 {
        let last = u8::try_from(n / 90 + 1).expect("small");
        idle.extend(tls(anonymous(&ca), [127, 0, 6, last], ground.enrolment).map(|tls| tls.sock));
    }
    let staying = open(&mut idle);
    assert!((200..=256).contains(&staying), "{staying} stay");
    let token = ground.region.invite_person("tulokas", "requester");
    std::thread::sleep(Duration::from_secs(6).saturating_sub(began.elapsed()));
    ground.region.enroll_person("tulokas", &token);
    assert!(open(&mut idle) < staying, "somebody gave way");
}

/// One member's connections: 16, whatever it does with them.
pub(crate) fn idle_members(ground: &mut Ground) {
    let connect = || Raw::connect(ground.person.config(), [127, 0, 7, 1], ground.main);
    // Connections of attacks before this one may not have been given back yet.
    let a_place = || until("a connection", Duration::from_secs(10), || connect().ok());
    let mut idle: Vec<Raw> = (0..16).map(|_| a_place()).collect();
    assert!(connect().is_err(), "a seventeenth connection");
    Raw::connect(ground.node.config(), [127, 0, 7, 1], ground.main).expect("another member at the same address");
    idle.pop();
    a_place();
}
