//! What a crash, a second process and a decaying disk can do to a journal.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use koonti_journal::{Error, Journal, MAX_ENTRY_BYTES, read};
use tempfile::TempDir;

const ENTRIES: [&[u8]; 3] = [b"first entry", b"second, which is a little longer", b"third"];

/// Where each of the three frames ends, after a header of 8 bytes.
const ENDS: [usize; 3] = [8 + 8 + 11, 27 + 8 + 32, 67 + 8 + 5];

/// A journal of the three entries, marked after the first `marked` of them.
fn three_frames(marked: usize) -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("node.journal");
    let (mut journal, _) = Journal::open(&path).unwrap();
    for (i, entry) in ENTRIES.iter().enumerate() {
        assert_eq!(journal.append(entry).unwrap(), i as u64);
        if i + 1 == marked {
            journal.mark().unwrap();
        }
    }
    assert_eq!(fs::metadata(&path).unwrap().len() as usize, ENDS[2]);
    (dir, path)
}

fn damaged_at(error: &Error) -> Option<u64> {
    match error {
        Error::Damaged { offset, .. } => Some(*offset),
        _ => None,
    }
}

/// Asserts that nobody will read `path`, that all see the damage at `offset`,
/// and that looking at it changed nothing.
fn assert_refused(path: &Path, offset: usize, case: &str) {
    let before = fs::read(path).unwrap();
    let opened = Journal::open(path).unwrap_err();
    assert_eq!(damaged_at(&opened), Some(offset as u64), "{case}: {opened}");
    let seen = read(path).unwrap_err();
    assert_eq!(damaged_at(&seen), Some(offset as u64), "{case}: {seen}");
    assert_eq!(fs::read(path).unwrap(), before, "{case}");
}

#[test]
fn entries_survive_a_reopen() {
    let (_dir, path) = three_frames(0);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let (mut journal, entries) = Journal::open(&path).unwrap();
    assert_eq!(entries, ENTRIES);
    assert_eq!(journal.len(), 3);

    let too_large = journal.append(&vec![0; MAX_ENTRY_BYTES + 1]);
    assert!(matches!(too_large, Err(Error::TooLarge { .. })));
    let largest = vec![0; MAX_ENTRY_BYTES];
    assert_eq!(journal.append(&largest).unwrap(), 3);
    assert_eq!(journal.append(b"").unwrap(), 4);
    drop(journal);
    let (journal, entries) = Journal::open(&path).unwrap();
    assert_eq!(entries[..3], ENTRIES);
    assert_eq!(entries[3..], [largest, Vec::new()]);
    assert_eq!(journal.len(), 5);
}

#[test]
fn a_write_torn_at_any_byte_is_cut_behind_the_mark_and_refused_before_it() {
    for marked in 0..=3 {
        let (_dir, path) = three_frames(marked);
        let whole = fs::read(&path).unwrap();
        let vouched = if marked == 0 { 0 } else { ENDS[marked - 1] };
        for len in 0..=whole.len() {
            let case = format!("marked {marked}, torn at {len}");
            fs::write(&path, &whole[..len]).unwrap();
            let left = ENDS.iter().filter(|&&end| end <= len).count();
            let end = if left == 0 { 8 } else { ENDS[left - 1] };
            if len < vouched {
                assert_refused(&path, end, &case);
                continue;
            }
            assert_eq!(read(&path).unwrap(), ENTRIES[..left], "{case}");
            assert_eq!(fs::read(&path).unwrap(), whole[..len], "read changed it: {case}");
            let (mut journal, entries) = Journal::open(&path).unwrap();
            assert_eq!(entries, ENTRIES[..left], "{case}");
            assert_eq!(fs::read(&path).unwrap(), whole[..end], "{case}");
            assert_eq!(journal.append(b"next").unwrap(), left as u64, "{case}");
            drop(journal);
            assert_eq!(read(&path).unwrap().last().unwrap(), b"next", "{case}");
        }
    }
}

#[test]
fn a_flipped_bit_in_an_earlier_frame_is_refused() {
    let (_dir, path) = three_frames(0);
    let whole = fs::read(&path).unwrap();
    for bit in 8 * 8..ENDS[1] * 8 {
        let mut flipped = whole.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        fs::write(&path, flipped).unwrap();
        let start = if bit / 8 < ENDS[0] { 8 } else { ENDS[0] };
        assert_refused(&path, start, &format!("bit {bit}"));
    }
}

#[test]
fn a_flipped_bit_in_the_last_frame_is_refused_before_the_mark() {
    let (_dir, path) = three_frames(3);
    let whole = fs::read(&path).unwrap();
    for bit in ENDS[1] * 8..ENDS[2] * 8 {
        let mut flipped = whole.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        fs::write(&path, flipped).unwrap();
        assert_refused(&path, ENDS[1], &format!("bit {bit}"));
    }
}

#[test]
fn nothing_is_guessed_about_a_lost_journal_a_bad_mark_or_a_foreign_file() {
    let (dir, path) = three_frames(2);
    fs::remove_file(&path).unwrap();
    assert_eq!(damaged_at(&Journal::open(&path).unwrap_err()), Some(8));

    // In its place, one that has enough entries, but others.
    let (mut journal, _) = Journal::open(&dir.path().join("other")).unwrap();
    (0..3).for_each(|_| assert!(journal.append(b"other").is_ok()));
    fs::rename(dir.path().join("other"), &path).unwrap();
    assert_eq!(damaged_at(&read(&path).unwrap_err()), Some(8 + 3 * 13));

    let (_dir, path) = three_frames(2);
    let mark_path = path.with_extension("journal.mark");
    let mark = fs::read(&mark_path).unwrap();
    for byte in 0..mark.len() {
        let mut flipped = mark.clone();
        flipped[byte] ^= 1;
        for bad in [&flipped[..], &mark[..byte]] {
            fs::write(&mark_path, bad).unwrap();
            let refused = Journal::open(&path);
            assert!(matches!(refused, Err(Error::DamagedMark { .. })), "byte {byte}");
        }
    }

    let (_dir, path) = three_frames(0);
    let mut whole = fs::read(&path).unwrap();
    whole[7] ^= 1;
    fs::write(&path, whole).unwrap();
    assert!(matches!(Journal::open(&path), Err(Error::NotAJournal { .. })));

    let foreign = dir.path().join("notes.txt");
    fs::write(&foreign, "my own").unwrap();
    assert!(matches!(Journal::open(&foreign), Err(Error::NotAJournal { .. })));
    assert_eq!(fs::read(&foreign).unwrap(), b"my own");
}

#[test]
fn a_second_writer_is_locked_out_while_readers_read() {
    let (_dir, path) = three_frames(0);
    let (mut journal, _) = Journal::open(&path).unwrap();
    assert!(matches!(Journal::open(&path), Err(Error::Locked { .. })));
    journal.append(b"fourth").unwrap();
    assert_eq!(read(&path).unwrap().len(), 4);
    // A reader that comes in the middle of an append sees half a frame.
    OpenOptions::new().append(true).open(&path).unwrap().write_all(&[0, 0, 0, 9, 1]).unwrap();
    assert_eq!(read(&path).unwrap().len(), 4);
    drop(journal);
    assert_eq!(Journal::open(&path).unwrap().1.len(), 4);
}
