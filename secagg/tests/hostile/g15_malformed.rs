//! 15: messages of a wrong length, kind, round or order, messages of 2 MiB, and
//! messages that come late. Each has its named end; none costs memory or a panic.

use crate::cases::Cases;
use crate::stage::Tape;
use koonti_secagg::Abort;
use koonti_secagg::message::kind;

const N: u16 = 5;
const NAMES: [&str; 5] = ["Start", "Adverts", "Inbox", "Survivors", "Confirmations"];

/// What a truncated message must end in; none when it is a smaller set that suffices.
fn truncated(step: usize, length: usize) -> Option<Abort> {
    let (piece, too_few) = match step {
        1 => (178, Abort::TooSmall),
        3 => (2, Abort::TooSmall),
        4 => (66, Abort::TooFewConfirmations),
        // An inbox says how many it has.
        _ => return Some(Abort::Invalid),
    };
    let pieces = length.checked_sub(33).filter(|rest| rest % piece == 0).map(|rest| rest / piece);
    match pieces {
        None => Some(Abort::Invalid),
        Some(0..=3) => Some(too_few),
        // u_min and t are 4 of 5.
        Some(_) => None,
    }
}

#[test]
fn g15_every_length() {
    let mut cases = Cases::of("g15_every_length");
    let tape = Tape::whole(N);
    for (step, name) in NAMES.iter().enumerate().skip(1) {
        let message = &tape.heard[0][step];
        // Of the entries of an inbox, a good part.
        let some =
            |length: &usize| step != 2 || *length < 120 || length.is_multiple_of(5) || length + 20 > message.len();
        let mut lengths = (0..message.len()).filter(some);
        let wrong = lengths.find(|length| tape.ends(0, step, &message[..*length]) != truncated(step, *length));
        cases.ends(format!("{name} cut short"), &wrong, &None);
    }
}

#[test]
fn g15_bytes_too_many() {
    let mut cases = Cases::of("g15_bytes_too_many");
    let tape = Tape::whole(N);
    for (step, name) in NAMES.iter().enumerate().skip(1) {
        let message = &tape.heard[0][step];
        for more in [1, 2, 33, 65, 145] {
            let longer = [message.as_slice(), &vec![0; more]].concat();
            let end = tape.ends(0, step, &longer);
            cases.ends(format!("{name} and {more} zeros"), &end, &Some(Abort::Invalid));
        }
        // A whole piece once more: the places no longer ascend.
        let piece = [0, 178, 146, 2, 66][step];
        let again = [message.as_slice(), &message[message.len() - piece..]].concat();
        cases.ends(format!("{name}, its end twice"), &tape.ends(0, step, &again), &Some(Abort::Invalid));
    }
}

/// Every first byte, in every state.
#[test]
fn g15_every_kind() {
    let mut cases = Cases::of("g15_every_kind");
    let tape = Tape::whole(N);
    for (step, name) in NAMES.iter().enumerate().skip(1) {
        let message = &tape.heard[0][step];
        let end = |first: u8| {
            let mut message = message.clone();
            message[0] = first;
            tape.ends(0, step, &message)
        };
        let some = |first: &u8| step == 1 || *first < 0x20 || first % 16 == 1;
        let unknown = (0..=255).filter(|first| kind(&[*first]).is_none() || *first >= 0x11).filter(some);
        let mut ends = unknown.map(end);
        cases.holds(format!("unknown, or a node's, for {name}"), ends.all(|end| end == Some(Abort::Invalid)));
        for other in [1, 6].into_iter().chain(2..=5).filter(|first| usize::from(*first) != step + 1) {
            // One that was heard is a second one; one that was not is out of turn.
            let heard = (2..=5).contains(&other) && usize::from(other) <= step;
            let expected = if heard { Abort::SecondSet } else { Abort::OutOfTurn };
            cases.ends(format!("kind {other} for {name}"), &end(other), &Some(expected));
        }
        cases.ends(format!("nothing for {name}"), &tape.ends(0, step, &[]), &Some(Abort::Invalid));
    }
}

/// Every bit of the round.
#[test]
fn g15_of_another_round() {
    let mut cases = Cases::of("g15_of_another_round");
    let tape = Tape::whole(N);
    for (step, name) in NAMES.iter().enumerate().skip(1) {
        let mut ends = (8..33 * 8).step_by(3).map(|bit| {
            let mut message = tape.heard[0][step].clone();
            message[bit / 8] ^= 1 << (bit % 8);
            tape.ends(0, step, &message)
        });
        cases.holds(name, ends.all(|end| end == Some(Abort::Invalid)));
    }
}

/// Every order of the four messages but the right one.
#[test]
fn g15_every_other_order() {
    let mut cases = Cases::of("g15_every_other_order");
    let tape = Tape::whole(N);
    for code in 0..256usize {
        let order = [code & 3, code >> 2 & 3, code >> 4 & 3, code >> 6 & 3].map(|step| step + 1);
        let mut player = tape.node(0, 1);
        let mut next = 1;
        let mut end = None;
        for step in order {
            match player.hear(&tape.play.region, &tape.heard[0][step]) {
                // In turn, or again.
                Ok(_) if step == next => next += 1,
                Ok(_) => assert!(step < next),
                Err(abort) => {
                    end = Some(abort);
                    break;
                }
            }
        }
        let skips = {
            let mut next = 1;
            order.iter().any(|step| {
                next += usize::from(*step == next);
                *step >= next
            })
        };
        assert_eq!(end, skips.then_some(Abort::OutOfTurn), "{order:?}");
        let mut sorted = order;
        sorted.sort_unstable();
        if sorted == [1, 2, 3, 4] && order != sorted {
            cases.ends(format!("{order:?}"), &end, &Some(Abort::OutOfTurn));
        }
    }
}

/// Each message in the state of each other.
#[test]
fn g15_phases_skipped() {
    let mut cases = Cases::of("g15_phases_skipped");
    for n in [5, 9] {
        let tape = Tape::whole(n);
        for heard in 1..=4 {
            for (step, name) in NAMES.iter().enumerate().skip(heard + 1) {
                let end = tape.ends(0, heard, &tape.heard[0][step]);
                cases.ends(format!("{name} in state {heard}"), &end, &Some(Abort::OutOfTurn));
            }
            // Start and Stop are the caller's.
            let start = tape.ends(0, heard, &tape.heard[0][0]);
            cases.ends(format!("Start in state {heard}"), &start, &Some(Abort::OutOfTurn));
            let stop = koonti_secagg::message::stop_message(tape.round());
            cases.ends(format!("Stop in state {heard}"), &tape.ends(0, heard, &stop), &Some(Abort::OutOfTurn));
        }
        for (step, name) in NAMES.iter().enumerate().skip(1) {
            for answer in &tape.said[0][step] {
                let end = tape.ends(0, 1, answer);
                cases.ends(format!("a node's own, answer to {name}"), &end, &Some(Abort::Invalid));
            }
        }
    }
}

/// The coordinator takes its time: each message a second after its deadline.
#[test]
fn g15_too_late() {
    let mut cases = Cases::of("g15_too_late");
    for n in [5, 9] {
        let tape = Tape::whole(n);
        for (step, name) in NAMES.iter().enumerate().skip(1) {
            let deadline = tape.play.round.spec().deadline(step);
            let mut player = tape.node(0, step);
            let end = player.take_at(&tape.heard[0][step], deadline + 1).err();
            cases.ends(format!("{name}, n = {n}"), &end, &Some(Abort::TooLate));
            assert!(player.take(&tape.heard[0][step]).is_err(), "turning the clock back does not help");
            assert!(tape.node(0, step).take_at(&tape.heard[0][step], deadline).is_ok());
        }
        // The last deadline counts for the release of shares, however early U3 was signed.
        let mut player = tape.node(0, 4);
        let end = player.take_at(&tape.heard[0][4], u64::MAX).err();
        cases.ends(format!("at the end of time, n = {n}"), &end, &Some(Abort::TooLate));
    }
}

const LARGE: usize = 2 << 20;

/// Messages of 2 MiB for the state after `step` messages.
fn large(tape: &Tape, step: usize) -> Vec<(String, Vec<u8>, Abort)> {
    let (name, message) = (NAMES[step], &tape.heard[0][step]);
    let header = &message[..33];
    let fill = |byte: u8| [header, &vec![byte; LARGE - 33]].concat();
    let piece = [0, 178, 146, 2, 66][step];
    let mut ascending = header.to_vec();
    // As many places as there are, in order: a well-formed list of nobody we know.
    let count = ((LARGE - 33) / piece).min(65_535);
    if step == 2 {
        ascending.extend_from_slice(&[0xff, 0xff]);
        (0..65_535u16).for_each(|place| ascending.extend_from_slice(&place.to_be_bytes()));
    }
    for place in 0..count as u16 {
        if ascending.len() > LARGE - piece {
            break;
        }
        ascending.extend_from_slice(&place.to_be_bytes());
        ascending.resize(ascending.len() + piece - 2, 0);
    }
    let end = if step == 4 { Abort::TooFewConfirmations } else { Abort::Invalid };
    let repeated = message[message.len() - piece..].repeat(LARGE / piece);
    vec![
        (format!("{name} of zeros"), fill(0), Abort::Invalid),
        (format!("{name} of ones"), fill(0xff), Abort::Invalid),
        (format!("{name} of one piece"), [header, &repeated].concat(), Abort::Invalid),
        (format!("{name} of all places"), ascending, end),
    ]
}

#[test]
fn g15_two_mebibytes() {
    let mut cases = Cases::of("g15_two_mebibytes");
    let tape = Tape::whole(N);
    for step in 1..5 {
        for (what, message, expected) in large(tape, step) {
            cases.ends(what, &tape.ends(0, step, &message), &Some(expected));
        }
        let unknown = vec![0x7f; LARGE];
        cases.ends(format!("unknown in state {step}"), &tape.ends(0, step, &unknown), &Some(Abort::Invalid));
    }
}

/// Peak memory of this process in KiB, where the system says so.
fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// A hundred messages of 2 MiB are taken in a process of its own, so that no other
/// test's memory is counted.
#[test]
fn g15_memory_stays_bounded() {
    let mut cases = Cases::of("g15_memory_stays_bounded");
    const CHILD: &str = "KOONTI_HOSTILE_MEMORY";
    if std::env::var_os(CHILD).is_some() {
        let tape = Tape::whole(N);
        let all: Vec<_> = (1..5).flat_map(|step| large(tape, step).into_iter().map(move |m| (step, m))).collect();
        let before = peak();
        for _ in 0..7 {
            for (step, (_, message, expected)) in &all {
                assert_eq!(tape.ends(0, *step, message), Some(*expected));
            }
        }
        let grown = peak().zip(before).map_or(0, |(after, before)| after - before);
        // A parsed list is no larger than its message, and is dropped.
        assert!(grown < 12 << 10, "{grown} KiB for messages of 2 MiB");
    } else {
        let mut child = std::process::Command::new(std::env::current_exe().unwrap());
        child.args(["--exact", "g15_malformed::g15_memory_stays_bounded"]).env(CHILD, "1");
        let output = child.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"));
    }
    cases.holds("a hundred messages of 2 MiB", true);
}
