//! A power cut after each step that a real node makes on its disk, from its first start to
//! its release, with two kills in between: whatever part of what was not synced is there
//! afterwards, the node goes on as if nothing had been.

use koonti_disclosure::ledger;
use koonti_evidence::entry::node::Entry;
use koonti_journal::{Error, Journal};
use koonti_node::config::Config;
use koonti_node::desk::Desk;
use koonti_node::fold::Fold;
use koonti_tests::sim::{self, Disk, Image, Keep, Step};
use koonti_tests::{Node, Plan, Region};
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

/// Images drawn at random after each step, besides the four that are not.
const DRAWN: u64 = 4;

/// What must not be missing, and what the node wrote in the end.
struct Truth {
    config: Config,
    /// All entries that the node ever wrote.
    entries: Vec<Vec<u8>>,
    /// The debit of each release, and its bytes.
    releases: BTreeMap<u64, Vec<u8>>,
}

/// What has been acknowledged so far.
#[derive(Default)]
struct Promised {
    entries: usize,
    files: BTreeMap<PathBuf, Vec<u8>>,
}

/// What a run must have met: otherwise it has tested nothing.
#[derive(Default, Debug)]
struct Met {
    images: usize,
    torn_tails: usize,
    lost_bytes: usize,
    lost_names: usize,
    resumed: usize,
}

#[test]
fn a_node_survives_every_power_cut() {
    let (region, truth) = recorded();
    let steps = sim::steps(&region.trace());
    no_power_cut_loses_or_doubles_anything(&steps, &truth);
    a_journal_torn_at_any_byte_of_any_write_is_cut_there(&steps, &truth);
    every_rotten_byte_of_a_journal_is_refused(&truth);
}

fn no_power_cut_loses_or_doubles_anything(steps: &[Step], truth: &Truth) {
    let (mut disk, mut promised, mut met) = (Disk::default(), Promised::default(), Met::default());
    let mut judged = BTreeSet::new();
    for (number, step) in steps.iter().enumerate() {
        disk.apply(step);
        promised.note(step, &disk, truth);
        let drawn = (0..DRAWN).map(|i| Keep::Some(number as u64 * DRAWN + i));
        for keep in [Keep::Nothing, Keep::All, Keep::Bytes, Keep::Names].into_iter().chain(drawn) {
            let image = disk.cut(keep);
            let mut hash = DefaultHasher::new();
            (&image, promised.entries, promised.files.len()).hash(&mut hash);
            if judged.insert(hash.finish()) {
                let case = format!("{keep:?} after step {number}, {} {}", step.what, step.path.display());
                judge(&case, &image, &disk, &promised, truth, &mut met);
            }
        }
    }
    println!("{} steps, {met:?}", steps.len());
    assert!(steps.len() > 250 && met.images > 150, "{} steps, {met:?}", steps.len());
    assert!(met.torn_tails > 5 && met.lost_bytes > 20 && met.lost_names > 0 && met.resumed > 5, "{met:?}");
}

fn a_journal_torn_at_any_byte_of_any_write_is_cut_there(steps: &[Step], truth: &Truth) {
    let journal = truth.config.journal();
    let scratch = scratch();
    let path = scratch.path().join("journal");
    let (mut disk, mut torn) = (Disk::default(), 0);
    for step in steps {
        if step.what == "write" && step.path == journal {
            let before = disk.cut(Keep::Nothing).remove(&journal).flatten().unwrap_or_default();
            let whole = opened(&path, &before);
            for length in 0..=step.bytes.len() {
                // The file ends there, or it has its full length and zeros from the next sector on.
                for zeros in [0, step.bytes.len() - length] {
                    let sector = (step.at as usize + length).is_multiple_of(512);
                    if zeros > 0 && !sector && length > 0 {
                        continue;
                    }
                    let mut bytes = before.clone();
                    bytes.resize(before.len().max(step.at as usize + length + zeros), 0);
                    bytes[step.at as usize..][..length].copy_from_slice(&step.bytes[..length]);
                    let found = opened(&path, &bytes);
                    assert!(found.starts_with(&whole) && truth.entries.starts_with(&found), "torn at {length}");
                    torn += 1;
                }
            }
        }
        disk.apply(step);
    }
    println!("{torn} torn writes");
    assert!(torn > 5_000, "{torn} torn writes");
}

/// Rot: every byte of the stored journal, in two ways. Before the mark it is refused;
/// behind it, the last frame alone may be taken for a torn one.
fn every_rotten_byte_of_a_journal_is_refused(truth: &Truth) {
    let scratch = scratch();
    let path = scratch.path().join("journal");
    let (last, others) = truth.entries.split_last().expect("entries");
    let (mut journal, _) = Journal::open(&path).expect("a new journal");
    for entry in others {
        journal.append(entry).expect("it is appended");
    }
    journal.mark().expect("a mark");
    let marked = std::fs::metadata(&path).expect("a journal").len() as usize;
    journal.append(last).expect("it is appended");
    drop(journal);
    let whole = std::fs::read(&path).expect("a journal");
    assert!(whole == std::fs::read(truth.config.journal()).expect("a journal"), "the node's own bytes");
    let (mut refused, mut cut) = (0, 0);
    for at in 0..whole.len() {
        for flip in [1, 0x80] {
            let mut rotten = whole.clone();
            rotten[at] ^= flip;
            std::fs::write(&path, &rotten).expect("a file");
            match koonti_journal::read(&path) {
                Err(Error::Damaged { .. } | Error::NotAJournal { .. }) => refused += 1,
                Err(other) => panic!("byte {at}: {other}"),
                Ok(entries) => {
                    assert!(at >= marked, "byte {at} is before the mark, which is at {marked}");
                    assert_eq!(entries, others, "byte {at}: the last frame alone");
                    cut += 1;
                }
            }
        }
    }
    println!("{} bytes of rot: {refused} refused, {cut} cut", whole.len());
    assert!(refused >= 2 * marked && cut > 100, "{refused} refused, {cut} cut");
    let mark = scratch.path().join("journal.mark");
    let whole = std::fs::read(&mark).expect("a mark");
    for at in 0..whole.len() {
        let mut rotten = whole.clone();
        rotten[at] ^= 1;
        std::fs::write(&mark, &rotten).expect("a file");
        let said = koonti_journal::read(&path).expect_err("a rotten mark");
        assert!(matches!(said, Error::DamagedMark { .. }), "byte {at}: {said}");
    }
}

/// A region in which one node was traced: imported, killed twice while it worked, and done.
fn recorded() -> (Region, Truth) {
    let mut region = Plan::new().node(Node::auto("kainuu", "205")).person("aino", "requester").traced("kainuu").start();
    for (sd, kill_at) in [(40, "9"), (41, "22")] {
        let question = format!("--by sex --period 2026Q3 --sd {sd}");
        region.take_node("kainuu").stop();
        region.start_node_with("kainuu", &[("KOONTI_KILL_AT", kill_at)]);
        region.ask("aino", &question);
        let mut daemon = region.take_node("kainuu");
        koonti_tests::until("it is killed", std::time::Duration::from_secs(20), || (!daemon.runs()).then_some(()));
        region.start_node("kainuu");
        let table = region.run_table("aino", &question);
        assert_eq!(table.code, 0, "{table:?}");
    }
    // A second roster, approved while the node runs.
    let token = region.invite_person("ville", "requester");
    region.enroll_person("ville", &token);
    let roster = region.next_roster();
    region.install_roster(&roster);
    region.approve_roster("kainuu", &roster);
    region.daemon("kainuu").wait_for_log("connected to the coordinator");
    region.take_node("kainuu").stop();
    let config = region.disk("kainuu").config().clone();
    let entries = koonti_journal::read(&config.journal()).expect("a journal");
    let mut releases = BTreeMap::new();
    for released in region.disk("kainuu").releases() {
        let path = config.state.join(format!("releases/{}.release", released.sha256));
        releases.insert(released.debit, std::fs::read(path).expect("a release"));
    }
    assert_eq!(releases.len(), 2);
    (region, Truth { config, entries, releases })
}

impl Promised {
    fn note(&mut self, step: &Step, disk: &Disk, truth: &Truth) {
        match step.what.as_str() {
            "acknowledged" if step.path == truth.config.journal() => {
                assert_eq!(truth.entries[self.entries], step.bytes, "one journal");
                self.entries += 1;
            }
            "kept" => drop(self.files.insert(step.path.clone(), step.bytes.clone())),
            "remove" => drop(self.files.remove(&step.path)),
            // What is overwritten in place is promised when it is synced.
            "write" => drop(self.files.remove(&step.path)),
            "sync" if step.path.extension().is_some_and(|e| e == "seeds") => {
                drop(disk.bytes(&step.path).map(|bytes| self.files.insert(step.path.clone(), bytes)));
            }
            _ => {}
        }
    }
}

fn judge(case: &str, image: &Image, disk: &Disk, promised: &Promised, truth: &Truth, met: &mut Met) {
    met.images += 1;
    let (state, scratch) = (&truth.config.state, scratch());
    let here = scratch.path().join("state");
    for (path, bytes) in &promised.files {
        let found = image.get(path).unwrap_or_else(|| panic!("{case}: {} is lost", path.display()));
        let newer = disk.bytes(path);
        assert!(*found == Some(bytes.clone()) || *found == newer, "{case}: {} is a mixture", path.display());
    }
    met.lost_bytes += usize::from(image.iter().any(|(path, bytes)| bytes.is_some() && *bytes != disk.bytes(path)));
    met.lost_names += usize::from(disk.cut(Keep::All).keys().any(|path| !image.contains_key(path)));
    sim::put(image, state, &here);
    let config = Config { state: here.clone(), ..truth.config.clone() };
    let before = std::fs::metadata(config.journal()).map_or(0, |file| file.len());
    let entries = match image.get(&truth.config.journal()) {
        Some(_) => free(|| Journal::open(&config.journal())).unwrap_or_else(|e| panic!("{case}: {e}")).1,
        None => Vec::new(),
    };
    met.torn_tails += usize::from(std::fs::metadata(config.journal()).map_or(0, |file| file.len()) < before);
    assert!(entries.len() >= promised.entries, "{case}: {} of {} entries", entries.len(), promised.entries);
    assert!(truth.entries.starts_with(&entries), "{case}: another journal");
    if entries.is_empty() {
        return;
    }
    koonti_tests::disk::checkpoint_holds(&here.join("checkpoint"), &config.journal());
    let fold = Fold::of(&entries).unwrap_or_else(|e| panic!("{case}: {e}"));
    let open = fold.ledger.open().count();
    // A start is dear: where a debit is open, where a roster is approved, and at some others.
    if open > 0 || case.contains("roster.json") || met.images.is_multiple_of(8) {
        met.resumed += open;
        resumes(case, &config, &entries, truth);
    }
}

/// The node starts, and finishes what it had paid for: with the bytes that it released
/// without the power cut.
fn resumes(case: &str, config: &Config, entries: &[Vec<u8>], truth: &Truth) {
    let state = config.state.clone();
    let journal = config.journal();
    let desk = free(|| match Desk::open(config.clone()) {
        Err(koonti_node::error::Error::Disk(error)) => Err(error),
        opened => Ok(opened),
    });
    let desk = desk.unwrap_or_else(|e| panic!("{case}: {e}")).unwrap_or_else(|e| panic!("{case}: {e}"));
    desk.resume().unwrap_or_else(|e| panic!("{case}: {e}"));
    drop(desk);
    let after = koonti_journal::read(&journal).expect("a journal");
    assert!(after.starts_with(entries), "{case}: history has changed");
    let fold = Fold::of(&after).expect("a fold");
    assert_eq!(fold.ledger.open().count(), 0, "{case}: a debit is left open");
    let parsed = || after.iter().map(|entry| Entry::parse(entry).expect("an entry"));
    let debits = |all: &[Vec<u8>]| {
        let is_debit = |entry: &&Vec<u8>| matches!(Entry::parse(entry), Ok(Entry::Ledger(ledger::Entry::Debit(_))));
        all.iter().filter(is_debit).count()
    };
    assert_eq!(debits(&after), debits(entries), "{case}: a start pays nothing");
    let mut released = 0;
    for entry in parsed() {
        match entry {
            Entry::Ledger(ledger::Entry::Release { debit, release, .. }) => {
                let path = state.join(format!("releases/{release}.release"));
                let bytes = std::fs::read(path).unwrap_or_else(|e| panic!("{case}: a release is lost: {e}"));
                assert!(bytes == truth.releases[&debit], "{case}: a second, different release");
                released += 1;
            }
            Entry::Ledger(ledger::Entry::Abort { .. }) => panic!("{case}: what was paid for is lost"),
            _ => {}
        }
    }
    assert_eq!(released, debits(&after), "{case}: one release for each debit");
}

fn opened(path: &Path, bytes: &[u8]) -> Vec<Vec<u8>> {
    std::fs::write(path, bytes).expect("a file");
    free(|| Journal::open(path)).unwrap_or_else(|e| panic!("a crash is taken for damage: {e}")).1
}

/// Opens, again while the lock is taken: a process that another test is just starting has
/// this one's open files for a moment.
fn free<T>(open: impl Fn() -> Result<T, Error>) -> Result<T, Error> {
    for _ in 0..500 {
        match open() {
            Err(Error::Locked { .. }) => std::thread::sleep(std::time::Duration::from_millis(2)),
            opened => return opened,
        }
    }
    open()
}

/// In memory where the system has such a folder: thousands of syncs go there.
fn scratch() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    let made = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    made.expect("a folder")
}
