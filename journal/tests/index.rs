//! Whatever happens to an index, the next start holds what the journal says.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use koonti_journal::{Error, Index, MAX_VALUE_BYTES, Pair, Rebuilt};
use tempfile::TempDir;

/// Overwrites one of 50 keys and adds a key of its own.
fn derive(seq: u64, entry: &[u8]) -> Vec<Pair> {
    vec![
        (format!("last/{:02}", seq % 50).into_bytes(), entry.to_vec()),
        (format!("seq/{seq:05}").into_bytes(), vec![1]),
    ]
}

/// The entries of one journal; another `text` is another journal.
fn journal(text: &str, len: usize) -> Vec<Vec<u8>> {
    (0..len).map(|i| format!("{text} {i} {}", "x".repeat(2000)).into_bytes()).collect()
}

/// The whole content of an index over `entries`, worked out without one.
fn content(entries: &[Vec<u8>]) -> Vec<Pair> {
    let pairs = (0..).zip(entries).flat_map(|(seq, entry)| derive(seq, entry));
    pairs.collect::<std::collections::BTreeMap<_, _>>().into_iter().collect()
}

/// An index over `entries`, closed.
fn built(entries: &[Vec<u8>]) -> (TempDir, PathBuf) {
    let tmp = tempfile::tempdir().unwrap();
    let dir = tmp.path().join("index");
    assert_eq!(reopen(&dir, entries), Rebuilt::Scratch);
    (tmp, dir)
}

/// Opens, asserts that the content is right, and closes.
fn reopen(dir: &Path, entries: &[Vec<u8>]) -> Rebuilt {
    let (index, rebuilt) = Index::open(dir, entries, derive).unwrap();
    assert!(index.scan_prefix(b"").unwrap() == content(entries), "{rebuilt:?}");
    rebuilt
}

fn bad(dir: &Path, n: u32) -> PathBuf {
    dir.with_extension(format!("bad.{n}"))
}

#[test]
fn an_index_follows_its_journal() {
    let entries = journal("a", 8);
    let tmp = tempfile::tempdir().unwrap();
    let dir = tmp.path().join("deep/index");
    assert_eq!(reopen(&dir, &[]), Rebuilt::No);
    assert_eq!(reopen(&dir, &entries[..3]), Rebuilt::CaughtUp(3));
    let (index, rebuilt) = Index::open(&dir, &entries[..5], derive).unwrap();
    assert_eq!(rebuilt, Rebuilt::CaughtUp(2));
    assert!(matches!(Index::open(&dir, &entries[..5], derive), Err(Error::Locked { .. })));

    for (seq, found) in [(4, 4), (6, 6)] {
        let refused = index.put(seq, &[]).unwrap_err();
        assert!(matches!(refused, Error::OutOfOrder { expected: 5, found: f, .. } if f == found));
    }
    let mut pairs = vec![(b"large".to_vec(), vec![0; MAX_VALUE_BYTES + 1])];
    assert!(matches!(index.put(5, &pairs), Err(Error::ValueTooLarge { .. })));
    pairs[0].1.pop();
    index.put(5, &pairs).unwrap();
    assert!(matches!(index.put(5, &pairs), Err(Error::OutOfOrder { expected: 6, .. })));
    assert_eq!(index.get(b"large").unwrap().unwrap().len(), MAX_VALUE_BYTES);
    assert_eq!(index.get(b"larg").unwrap(), None);
    assert_eq!(index.scan_prefix(b"seq/").unwrap().len(), 5);
    drop(index);

    // That was not what `derive` says about entry 5, and the next start sees it.
    assert_eq!(reopen(&dir, &entries), Rebuilt::Scratch);
    assert_eq!(reopen(&dir, &entries), Rebuilt::No);
    let (index, _) = Index::open(&dir, &entries[..], derive).unwrap();
    let more = journal("a", 9);
    index.put(8, &derive(8, &more[8])).unwrap();
    drop(index);
    assert_eq!(reopen(&dir, &more), Rebuilt::No);
}

#[test]
fn an_index_that_is_not_this_journals_is_set_aside() {
    let entries = journal("a", 60);
    let (_tmp, dir) = built(&entries);
    // From the future: the journal is shorter.
    assert_eq!(reopen(&dir, &entries[..59]), Rebuilt::Scratch);
    // Of another journal, from the first entry on.
    assert_eq!(reopen(&dir, &journal("b", 59)), Rebuilt::Scratch);
    // Of a journal that went another way after a backup.
    let mut forked = journal("b", 70);
    forked[58] = entries[58].clone();
    assert_eq!(reopen(&dir, &forked), Rebuilt::Scratch);
    // Of another version of `derive`, which adds less.
    let less = |seq, entry: &[u8]| derive(seq, entry)[..1].to_vec();
    assert_eq!(Index::open(&dir, &forked, less).unwrap().1, Rebuilt::Scratch);
    assert_eq!(reopen(&dir, &forked), Rebuilt::Scratch);
    // Of an opening that took the process down.
    fs::write(dir.with_extension("lock"), "opening\n").unwrap();
    assert_eq!(reopen(&dir, &forked), Rebuilt::Scratch);
    assert_eq!(reopen(&dir, &forked), Rebuilt::No);
    assert!(bad(&dir, 6).is_dir() && !bad(&dir, 7).exists());

    // What is set aside stays bounded.
    for len in [69, 68, 67, 66] {
        assert_eq!(reopen(&dir, &forked[..len]), Rebuilt::Scratch);
    }
    assert!(bad(&dir, 8).is_dir() && !bad(&dir, 9).exists());
}

#[test]
fn a_ruined_index_is_built_again() {
    let entries = journal("a", 600);
    let (_tmp, dir) = built(&entries);
    fs::remove_dir_all(&dir).unwrap();
    assert_eq!(reopen(&dir, &entries), Rebuilt::Scratch);

    let db = fs::read(dir.join("db")).unwrap();
    let zeroed = |from: usize, to: usize| {
        let mut db = db.clone();
        db[from..to].fill(0);
        db
    };
    let ruins = [
        ("emptied", Vec::new()),
        ("cut in half", db[..db.len() / 2].to_vec()),
        ("cut by a byte", db[..db.len() - 1].to_vec()),
        ("zeroed", zeroed(0, db.len())),
        ("zeroed at the start", zeroed(0, 4096)),
        ("zeroed in the middle", zeroed(db.len() / 2, db.len() / 2 + 4096)),
        ("noise", (0..db.len()).map(|i| ((i * i) >> 7) as u8).collect()),
    ];
    for (name, ruin) in &ruins {
        for with_snapshot in [true, false] {
            ruin_with(&dir, ruin, with_snapshot);
            reopen(&dir, &entries);
            assert_eq!(reopen(&dir, &entries), Rebuilt::No, "{name}");
        }
    }
    fs::write(dir.join("conf"), "nonsense").unwrap();
    reopen(&dir, &entries);
    assert!(bad(&dir, 1).is_dir(), "no ruin was noticed");
}

#[test]
fn a_database_that_is_still_closing_is_not_taken_for_a_broken_one() {
    let entries = journal("a", 5);
    let (_tmp, dir) = built(&entries);
    let closing = fs::File::open(dir.join("db")).unwrap();
    closing.lock().unwrap();
    let release = thread::spawn(move || {
        thread::sleep(Duration::from_millis(200));
        drop(closing);
    });
    assert_eq!(reopen(&dir, &entries), Rebuilt::No);
    release.join().unwrap();
}

/// Overwrites the database; without its snapshot it is recovered from its log.
fn ruin_with(dir: &Path, db: &[u8], with_snapshot: bool) {
    fs::write(dir.join("db"), db).unwrap();
    let files = fs::read_dir(dir).unwrap().map(|file| file.unwrap().path());
    let snapshots = files.filter(|path| path.to_string_lossy().contains("snap."));
    for snapshot in snapshots.filter(|_| !with_snapshot) {
        fs::remove_file(snapshot).unwrap();
    }
}
