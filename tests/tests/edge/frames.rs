//! Broken, endless and too many HTTP/2 frames, at both listeners.

use super::Ground;
use super::door::at_both;
use super::raw::{
    CONTINUATION, DATA, END_HEADERS, END_STREAM, Frame, GOAWAY, HEADERS, PING, RST_STREAM, Raw, SETTINGS,
    WINDOW_UPDATE, call, field, frame, number,
};
use std::time::Duration;

const SOON: Duration = Duration::from_secs(5);
const PROTOCOL_ERROR: u32 = 1;
const FLOW_CONTROL_ERROR: u32 = 3;
const FRAME_SIZE_ERROR: u32 = 6;
const REFUSED_STREAM: u32 = 7;
const COMPRESSION_ERROR: u32 = 9;
const ENHANCE_YOUR_CALM: u32 = 11;

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
    at_both(ground, [127, 0, 2, 1], |door| {
        let mut raw = door.connect();
        // Forbidden in HTTP/2.
        let block = [call(door.path), field("connection", "close")].concat();
        let requests = (0..20_000u32).map(|n| frame(HEADERS, END_HEADERS | END_STREAM, 2 * n + 1, &block));
        let come = pour(&mut raw, requests);
        let resets = come.iter().filter(|frame| frame.kind == RST_STREAM).count();
        assert_eq!(goodbye(&come), Some(ENHANCE_YOUR_CALM), "after {resets} resets");
        assert!(raw.ended && (1..=300).contains(&resets), "{resets} resets");
    });
}

/// 20,000 good requests, each taken back at once.
pub(crate) fn rapid_reset(ground: &mut Ground) {
    at_both(ground, [127, 0, 2, 2], |door| {
        let mut raw = door.connect();
        let block = call(door.path);
        let requests = (0..20_000u32).map(|n| {
            let stream = 2 * n + 1;
            [frame(HEADERS, END_HEADERS, stream, &block), frame(RST_STREAM, 0, stream, &8u32.to_be_bytes())].concat()
        });
        let come = pour(&mut raw, requests);
        assert_eq!(goodbye(&come), Some(ENHANCE_YOUR_CALM));
        assert!(raw.ended);
    });
}

/// A header block that never ends, in empty pieces and in full ones.
pub(crate) fn continuation_flood(ground: &mut Ground) {
    at_both(ground, [127, 0, 2, 3], |door| {
        for piece in [Vec::new(), field("x", &"y".repeat(16_000))] {
            let mut raw = door.connect();
            let begin = std::iter::once(frame(HEADERS, END_STREAM, 1, &call(door.path)));
            let come = pour(&mut raw, begin.chain((0..20_000).map(|_| frame(CONTINUATION, 0, 1, &piece))));
            assert!(matches!(goodbye(&come), Some(COMPRESSION_ERROR | ENHANCE_YOUR_CALM)), "{:?}", goodbye(&come));
            assert!(raw.ended);
        }
    });
}

/// Headers of many times the 8 KiB that are read: plain ones, and 64 MB out of 16 KiB by
/// way of the table of HPACK. Neither request is served.
pub(crate) fn header_bombs(ground: &mut Ground) {
    at_both(ground, [127, 0, 2, 4], |door| {
        let plain = [call(door.path), field("x", &"y".repeat(12_000))].concat();
        // Into the table once, and then by its index: 4,000 bytes for each byte.
        let mut indexed = [call(door.path), vec![0x40]].concat();
        number(&mut indexed, 1);
        indexed.push(b'x');
        number(&mut indexed, 4000);
        indexed.extend(vec![b'y'; 4000]);
        indexed.resize(16_000, 0xbe);
        for block in [plain, indexed] {
            let mut raw = door.connect();
            raw.send(&frame(HEADERS, END_HEADERS | END_STREAM, 1, &block));
            let answer = raw.wait(SOON, |frame| frame.stream == 1 || frame.kind == GOAWAY).expect("an answer");
            match answer.kind {
                // 431: by HPACK's static table name 8, and a value that is not in it.
                HEADERS => assert!(answer.flags & END_STREAM != 0 && answer.body[0] & 0xbf == 8, "{answer:?}"),
                RST_STREAM | GOAWAY => {
                    assert!(matches!(answer.code(), PROTOCOL_ERROR | ENHANCE_YOUR_CALM), "{answer:?}");
                }
                _ => panic!("{answer:?}"),
            }
        }
    });
}

/// What the standard forbids ends the connection, and says why.
pub(crate) fn broken_rules(ground: &mut Ground) {
    at_both(ground, [127, 0, 2, 5], |door| {
        let most = 0x7fff_ffffu32.to_be_bytes();
        let breaks: &[(&str, Vec<u8>, u32)] = &[
            ("a window over its end", frame(WINDOW_UPDATE, 0, 0, &most), FLOW_CONTROL_ERROR),
            ("a window that does not grow", frame(WINDOW_UPDATE, 0, 0, &[0; 4]), PROTOCOL_ERROR),
            ("a frame over 16 KiB", frame(DATA, 0, 1, &vec![0; 16 * 1024 + 1]), FRAME_SIZE_ERROR),
            ("data on no stream", frame(DATA, 0, 1, b"x"), PROTOCOL_ERROR),
            ("a stream of the server's", frame(HEADERS, END_HEADERS, 2, &call(door.path)), PROTOCOL_ERROR),
            ("a ping of seven bytes", frame(PING, 0, 0, &[0; 7]), PROTOCOL_ERROR),
            ("settings of five bytes", frame(SETTINGS, 0, 0, &[0; 5]), PROTOCOL_ERROR),
        ];
        for (what, bytes, code) in breaks {
            let mut raw = door.connect();
            raw.send(bytes);
            raw.is_told_off(what, *code);
        }
        // The window of one stream: that stream ends and the connection goes on.
        let mut raw = door.connect();
        raw.send(&frame(HEADERS, END_HEADERS, 1, &call(door.path)));
        raw.send(&frame(WINDOW_UPDATE, 0, 1, &most));
        let reset = raw.wait(SOON, |frame| frame.kind == RST_STREAM).expect("a reset");
        assert_eq!((reset.stream, reset.code()), (1, FLOW_CONTROL_ERROR));
        raw.send(&frame(PING, 0, 0, &[7; 8]));
        assert!(raw.wait(SOON, |frame| frame.kind == PING && frame.body == [7; 8]).is_some());
    });
}

/// Eight calls more than there may be, whose messages never come: those eight are refused.
pub(crate) fn too_many_streams(ground: &mut Ground) {
    at_both(ground, [127, 0, 2, 6], |door| {
        let mut raw = door.connect();
        // At once: so none is answered before all have come.
        let calls: Vec<u8> =
            (0..door.streams + 8).flat_map(|n| frame(HEADERS, END_HEADERS, 2 * n + 1, &call(door.path))).collect();
        raw.send(&calls);
        let refused = |frame: &Frame| frame.kind == RST_STREAM && frame.code() == REFUSED_STREAM;
        let streams: Vec<u32> =
            raw.frames(Duration::from_secs(1)).into_iter().filter(refused).map(|f| f.stream).collect();
        assert_eq!(streams, (door.streams..door.streams + 8).map(|n| 2 * n + 1).collect::<Vec<u32>>());
        assert!(!raw.ended);
    });
}

/// Empty pieces of a message that never ends: after a thousand the connection does.
pub(crate) fn empty_data(ground: &mut Ground) {
    at_both(ground, [127, 0, 2, 7], |door| {
        let mut raw = door.connect();
        let begin = std::iter::once(frame(HEADERS, END_HEADERS, 1, &call(door.path)));
        let come = pour(&mut raw, begin.chain((0..20_000).map(|_| frame(DATA, 0, 1, &[]))));
        assert_eq!(goodbye(&come), Some(ENHANCE_YOUR_CALM));
        assert!(raw.ended);
    });
}
