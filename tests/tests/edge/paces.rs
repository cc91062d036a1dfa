//! Frames that cost the server more than the caller, and break no rule: they are read no
//! faster than one caller's pace, however many connections they come over.

use super::Ground;
use super::door::{Door, FIRST_FRAMES, at_both};
use super::grpc;
use super::probe::WORST;
use super::raw::{DATA, END_HEADERS, END_STREAM, HEADERS, PING, RST_STREAM, Raw, SETTINGS, call, frame};
use std::time::{Duration, Instant};

const CONNECTIONS: u64 = 4;
const LASTS: Duration = Duration::from_millis(2500);

/// Frames that go round: whoever has been read is answered.
struct Flood {
    answered_by: u8,
    piece: Vec<u8>,
    /// Frames in a piece.
    frames: u64,
}

/// Sends as much as will go until it is time; returns how many frames were read.
fn flood(mut raw: Raw, flood: &Flood, until: Instant) -> u64 {
    raw.tolerate_a_full_pipe(Duration::from_millis(300));
    let batch = flood.piece.repeat(usize::try_from(200 / flood.frames).expect("few"));
    let mut answers = 0;
    while Instant::now() < until && raw.send(&batch) {
        let come = raw.frames(Duration::from_millis(2));
        answers += come.iter().filter(|f| f.kind == flood.answered_by && f.flags & 1 == 1).count() as u64;
    }
    answers * flood.frames
}

/// What one caller's connections together may have had read since `began`.
fn most(door: &Door, connections: u64, began: Instant) -> u64 {
    door.burst + connections * FIRST_FRAMES + door.per_second * (began.elapsed().as_secs() + 1)
}

/// PING, SETTINGS, and frames of a kind that nobody knows with a PING behind them.
pub(crate) fn floods_of_small_frames(ground: &mut Ground) {
    let ping = frame(PING, 0, 0, &[1; 8]);
    let unknown = [frame(0xbb, 0, 0, &[]).repeat(9), ping.clone()].concat();
    let floods = [
        Flood { answered_by: PING, piece: ping, frames: 1 },
        Flood { answered_by: SETTINGS, piece: frame(SETTINGS, 0, 0, &[]), frames: 1 },
        Flood { answered_by: PING, piece: unknown, frames: 10 },
    ];
    at_both(ground, [127, 0, 2, 10], |door| {
        let (began, mut read) = (Instant::now(), 0);
        for each in &floods {
            let until = Instant::now() + LASTS;
            let of_it: u64 = std::thread::scope(|scope| {
                let one = || scope.spawn(|| flood(door.connect(), each, until));
                let threads: Vec<_> = (0..CONNECTIONS).map(|_| one()).collect();
                threads.into_iter().map(|thread| thread.join().expect("no panic")).sum()
            });
            assert!(of_it > 0, "nothing is read");
            read += of_it;
        }
        println!("{read} frames of floods read in {:?}", began.elapsed());
        assert!(read <= most(door, 3 * CONNECTIONS, began), "{read} frames were read in {:?}", began.elapsed());
    });
}

/// Requests that are taken back, a few at a time and each few only when the last were
/// accepted, so that HTTP/2 has nothing against it.
pub(crate) fn patient_resets(ground: &mut Ground) {
    // Three requests and their resets, and one that is answered.
    const FRAMES: u64 = 8;
    const CONNECTIONS: u64 = 8;
    let door = Door::enrolment(ground, [127, 0, 2, 11]);
    let (began, block) = (Instant::now(), call(door.path));
    let one = || {
        let mut raw = door.connect();
        let request = |stream| frame(HEADERS, END_HEADERS, stream, &block);
        let reset = |stream| [request(stream), frame(RST_STREAM, 0, stream, &8u32.to_be_bytes())].concat();
        let mut rounds = 0;
        for first in (1u32..).step_by(8) {
            let last = first + 6;
            let message = frame(DATA, END_STREAM, last, &[0; 5]);
            raw.send(&[reset(first), reset(first + 2), reset(first + 4), request(last), message].concat());
            let left = LASTS.saturating_sub(began.elapsed());
            if raw.wait(left, |frame| frame.kind == HEADERS && frame.stream == last).is_none() {
                break;
            }
            rounds += 1;
        }
        assert!(!raw.ended);
        rounds * FRAMES
    };
    let read: u64 = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..CONNECTIONS).map(|_| scope.spawn(one)).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).sum()
    });
    println!("{read} frames of resets read in {:?}", began.elapsed());
    let most = most(&door, CONNECTIONS, began);
    assert!((1..=most).contains(&read), "{read} frames were read in {:?}", began.elapsed());
}

/// One address holds 60 connections at the enrolment and sends 16 kB over each: newcomers
/// behind the same address are served meanwhile and afterwards, as if nothing were.
pub(crate) fn behind_one_address(ground: &mut Ground) {
    let door = Door::enrolment(ground, [127, 0, 11, 1]);
    let began = Instant::now();
    let pings = frame(PING, 0, 0, &[1; 8]).repeat(953);
    let mut held: Vec<Raw> = (0..60).map(|_| door.connect()).collect();
    for raw in &mut held {
        raw.send(&pings);
    }
    let newcomer = || {
        let began = Instant::now();
        assert!(grpc::newcomer(&door.config, door.from, door.to), "a newcomer is turned away");
        assert!(began.elapsed() < WORST, "a newcomer waits for {:?}", began.elapsed());
    };
    for _ in 0..20 {
        newcomer();
        std::thread::sleep(Duration::from_millis(150));
    }
    let answers =
        |raw: &mut Raw| raw.frames(Duration::from_millis(20)).iter().filter(|f| f.kind == PING).count() as u64;
    let read: u64 = held.iter_mut().map(answers).sum();
    let most = most(&door, 60, began);
    println!("{read} frames behind one address read in {:?}", began.elapsed());
    assert!((60..=most).contains(&read), "{read} frames were read");
    drop(held);
    newcomer();
}
