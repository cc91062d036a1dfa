//! Broken, endless and too many HTTP/2 frames.

use super::Ground;
use super::papers::anonymous;
use super::raw::{
    CONTINUATION, DATA, END_HEADERS, END_STREAM, Frame, GOAWAY, HEADERS, PING, ROSTER, RST_STREAM, Raw, SETTINGS,
    WINDOW_UPDATE, call, field, frame, number,
};
use std::time::{Duration, Instant};

const FROM: [u8; 4] = [127, 0, 2, 1];
const SOON: Duration = Duration::from_secs(5);
const PROTOCOL_ERROR: u32 = 1;
const FLOW_CONTROL_ERROR: u32 = 3;
const FRAME_SIZE_ERROR: u32 = 6;
const REFUSED_STREAM: u32 = 7;
const COMPRESSION_ERROR: u32 = 9;
const ENHANCE_YOUR_CALM: u32 = 11;

fn connect(ground: &Ground) -> Raw {
    Raw::connect(ground.person.config(), FROM, ground.main).expect("a certified caller")
}

/// Sends pieces until all are sent or the server has closed; returns what came.
fn pour(raw: &mut Raw, pieces: impl Iterator<Item = Vec<u8>>) -> Vec<Frame> {
    let mut come = Vec::new();
    let mut batch = Vec::new();
    for piece in pieces {
        batch.extend(piece);
        if batch.len() > 8 * 1024 {
            let sent = raw.send(&batch);
            batch.clear();
            come.extend(raw.frames(Duration::from_millis(1)));
            if !sent || raw.ended {
                break;
            }
        }
    }
    raw.send(&batch);
    come.extend(raw.frames(SOON));
    come
}

fn goodbye(frames: &[Frame]) -> Option<u32> {
    frames.iter().rfind(|frame| frame.kind == GOAWAY).map(Frame::code)
}

/// 20,000 requests that h2 itself must reset: the connection ends after 256 of them.
pub(crate) fn malformed_requests(ground: &mut Ground) {
    let mut raw = connect(ground);
    // Forbidden in HTTP/2.
    let block = [call(ROSTER), field("connection", "close")].concat();
    let requests = (0..20_000u32).map(|n| frame(HEADERS, END_HEADERS | END_STREAM, 2 * n + 1, &block));
    let come = pour(&mut raw, requests);
    let resets = come.iter().filter(|frame| frame.kind == RST_STREAM).count();
    assert_eq!(goodbye(&come), Some(ENHANCE_YOUR_CALM), "after {resets} resets");
    assert!(raw.ended && (1..=300).contains(&resets), "{resets} resets");
}

/// 20,000 good requests, each taken back at once.
pub(crate) fn rapid_reset(ground: &mut Ground) {
    let mut raw = connect(ground);
    let block = call(ROSTER);
    let requests = (0..20_000u32).map(|n| {
        let stream = 2 * n + 1;
        [frame(HEADERS, END_HEADERS, stream, &block), frame(RST_STREAM, 0, stream, &8u32.to_be_bytes())].concat()
    });
    let come = pour(&mut raw, requests);
    assert_eq!(goodbye(&come), Some(ENHANCE_YOUR_CALM));
    assert!(raw.ended);
}

/// A header block that never ends, in empty pieces and in full ones.
pub(crate) fn continuation_flood(ground: &mut Ground) {
    for piece in [Vec::new(), field("x", &"y".repeat(16_000))] {
        let mut raw = connect(ground);
        let begin = std::iter::once(frame(HEADERS, END_STREAM, 1, &call(ROSTER)));
        let come = pour(&mut raw, begin.chain((0..20_000).map(|_| frame(CONTINUATION, 0, 1, &piece))));
        assert!(matches!(goodbye(&come), Some(COMPRESSION_ERROR | ENHANCE_YOUR_CALM)), "{:?}", goodbye(&come));
        assert!(raw.ended);
    }
}

/// Headers of many times the 8 KiB that are read: plain ones, and 64 MB out of 16 KiB by
/// way of the table of HPACK. Neither request is served.
pub(crate) fn header_bombs(ground: &mut Ground) {
    let plain = [call(ROSTER), field("x", &"y".repeat(12_000))].concat();
    // Into the table once, and then by its index: 4,000 bytes for each byte.
    let mut indexed = [call(ROSTER), vec![0x40]].concat();
    number(&mut indexed, 1);
    indexed.push(b'x');
    number(&mut indexed, 4000);
    indexed.extend(vec![b'y'; 4000]);
    indexed.resize(16_000, 0xbe);
    for block in [plain, indexed] {
        let mut raw = connect(ground);
        raw.send(&frame(HEADERS, END_HEADERS | END_STREAM, 1, &block));
        let answer = raw.wait(SOON, |frame| frame.stream == 1 || frame.kind == GOAWAY).expect("an answer");
        match answer.kind {
            // 431: by HPACK's static table name 8, and a value that is not in it.
            HEADERS => assert!(answer.flags & END_STREAM != 0 && answer.body[0] & 0xbf == 8, "{answer:?}"),
            RST_STREAM | GOAWAY => assert!(matches!(answer.code(), PROTOCOL_ERROR | ENHANCE_YOUR_CALM), "{answer:?}"),
            _ => panic!("{answer:?}"),
        }
    }
}

/// What the standard forbids ends the connection, and says why.
pub(crate) fn broken_rules(ground: &mut Ground) {
    let most = 0x7fff_ffffu32.to_be_bytes();
    let breaks: &[(&str, Vec<u8>, u32)] = &[
        ("a window over its end", frame(WINDOW_UPDATE, 0, 0, &most), FLOW_CONTROL_ERROR),
        ("a window that does not grow", frame(WINDOW_UPDATE, 0, 0, &[0; 4]), PROTOCOL_ERROR),
        ("a frame over 16 KiB", frame(DATA, 0, 1, &vec![0; 16 * 1024 + 1]), FRAME_SIZE_ERROR),
        ("data on no stream", frame(DATA, 0, 1, b"x"), PROTOCOL_ERROR),
        ("a stream of the server's", frame(HEADERS, END_HEADERS, 2, &call(ROSTER)), PROTOCOL_ERROR),
        ("a ping of seven bytes", frame(PING, 0, 0, &[0; 7]), PROTOCOL_ERROR),
        ("settings of five bytes", frame(SETTINGS, 0, 0, &[0; 5]), PROTOCOL_ERROR),
    ];
    for (what, bytes, code) in breaks {
        let mut raw = connect(ground);
        raw.send(bytes);
        raw.is_told_off(what, *code);
    }
    // The window of one stream: that stream ends and the connection goes on.
    let mut raw = connect(ground);
    raw.send(&frame(HEADERS, END_HEADERS, 1, &call(ROSTER)));
    raw.send(&frame(WINDOW_UPDATE, 0, 1, &most));
    let reset = raw.wait(SOON, |frame| frame.kind == RST_STREAM).expect("a reset");
    assert_eq!((reset.stream, reset.code()), (1, FLOW_CONTROL_ERROR));
    raw.send(&frame(PING, 0, 0, &[7; 8]));
    assert!(raw.wait(SOON, |frame| frame.kind == PING && frame.body == [7; 8]).is_some());
}

/// 40 calls whose messages never come: the 33rd and what follows is refused.
pub(crate) fn too_many_streams(ground: &mut Ground) {
    let mut raw = connect(ground);
    // At once: so none is answered before all have come.
    let calls: Vec<u8> = (0..40u32).flat_map(|n| frame(HEADERS, END_HEADERS, 2 * n + 1, &call(ROSTER))).collect();
    raw.send(&calls);
    let refused = |frame: &Frame| frame.kind == RST_STREAM && frame.code() == REFUSED_STREAM;
    let streams: Vec<u32> = raw.frames(Duration::from_secs(1)).into_iter().filter(refused).map(|f| f.stream).collect();
    assert_eq!(streams, (32..40).map(|n| 2 * n + 1).collect::<Vec<u32>>());
    assert!(!raw.ended);
}

/// Frames that cost the server more than the caller: they are read no faster than one
/// caller's pace, however many connections they come over.
pub(crate) fn floods_of_small_frames(ground: &mut Ground) {
    // What may come at once, and what may come over time: as the coordinator has it.
    const BURST: u64 = 16_384;
    const PER_SECOND: u64 = 4096;
    let acknowledged: [(u8, Vec<u8>); 2] = [(PING, frame(PING, 0, 0, &[1; 8])), (SETTINGS, frame(SETTINGS, 0, 0, &[]))];
    let began = Instant::now();
    let mut answered = 0;
    for (kind, one) in acknowledged {
        let mut floods: Vec<Raw> = (0..4).map(|_| connect(ground)).collect();
        let batch = one.repeat(200);
        let until = Instant::now() + Duration::from_millis(2500);
        std::thread::scope(|scope| {
            let threads: Vec<_> = floods
                .iter_mut()
                .map(|raw| {
                    let batch = &batch;
                    scope.spawn(move || {
                        raw.tolerate_a_full_pipe(Duration::from_millis(300));
                        let mut acks = 0u64;
                        while Instant::now() < until && raw.send(batch) {
                            let come = raw.frames(Duration::from_millis(2));
                            acks += come.iter().filter(|f| f.kind == kind && f.flags & 1 == 1).count() as u64;
                        }
                        acks
                    })
                })
                .collect();
            answered += threads.into_iter().map(|thread| thread.join().expect("no panic")).sum::<u64>();
        });
    }
    let most = BURST + PER_SECOND * (began.elapsed().as_secs() + 1);
    println!("{answered} frames of a flood answered in {:?}", began.elapsed());
    assert!((1..=most).contains(&answered), "{answered} frames were read in {:?}", began.elapsed());
    // Empty DATA, and of a kind that nobody knows: passed over as slowly, and kept nowhere.
    for piece in [frame(DATA, 0, 1, &[]), frame(0xbb, 0, 0, &[])] {
        let mut raw = connect(ground);
        raw.send(&frame(HEADERS, END_HEADERS, 1, &call("/koonti.v1.TableService/CreateTable")));
        let until = Instant::now() + Duration::from_millis(1500);
        let (batch, mut sent) = (piece.repeat(900), 0u64);
        raw.tolerate_a_full_pipe(Duration::from_millis(500));
        while Instant::now() < until && raw.send(&batch) {
            sent += 900;
        }
        assert!(sent > 0);
    }
}

/// The enrolment listener asks for no certificate and takes no more abuse.
pub(crate) fn strangers_at_the_enrolment(ground: &mut Ground) {
    let connect = || Raw::connect(anonymous(&ground.person.ca), FROM, ground.enrolment).expect("a stranger");
    let path = "/koonti.v1.EnrolmentService/Enroll";
    let mut raw = connect();
    let calls: Vec<u8> = (0..8u32).flat_map(|n| frame(HEADERS, END_HEADERS, 2 * n + 1, &call(path))).collect();
    raw.send(&calls);
    let refused = |frame: &Frame| frame.kind == RST_STREAM && frame.code() == REFUSED_STREAM;
    let streams = raw.frames(Duration::from_secs(1)).into_iter().filter(refused).count();
    assert_eq!(streams, 4, "of eight streams at once");
    let mut raw = connect();
    let block = [call(path), field("connection", "close")].concat();
    let requests = (0..2_000u32).map(|n| frame(HEADERS, END_HEADERS | END_STREAM, 2 * n + 1, &block));
    let come = pour(&mut raw, requests);
    assert_eq!(goodbye(&come), Some(ENHANCE_YOUR_CALM));
    assert!(raw.ended);
}
