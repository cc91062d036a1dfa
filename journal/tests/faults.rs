//! Every step of a journal's life fails once, with EIO and with a full disk, in a process
//! of its own: it ends or says so, and what it had acknowledged is there.
#![cfg(debug_assertions)]

use std::env;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Command;

use koonti_journal::{Journal, read, write_atomic};

const CHILD: &str = "KOONTI_JOURNAL_FAULTS_CHILD";
const SIGABRT: i32 = 6;

#[test]
fn a_step_that_fails_is_never_acknowledged() {
    if let Some(path) = env::var_os(CHILD) {
        live(Path::new(&path));
    }
    let (mut aborted, mut refused, mut cut) = (0, 0, 0);
    for error in ["EIO", "ENOSPC"] {
        let mut through = false;
        for at in 1..200 {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("journal");
            let child = Command::new(env::current_exe().unwrap())
                .args(["--exact", "a_step_that_fails_is_never_acknowledged", "--nocapture"])
                .envs([("KOONTI_FAIL_AT", at.to_string()), ("KOONTI_FAIL_WITH", error.to_owned())])
                .env(CHILD, &path)
                .output()
                .unwrap();
            let (stdout, stderr) = (String::from_utf8(child.stdout).unwrap(), String::from_utf8(child.stderr).unwrap());
            let case = format!("{error} at step {at}: {}\n{stdout}\n{stderr}", child.status);
            match (child.status.code(), child.status.signal()) {
                (Some(0), _) => {
                    assert!(!stderr.contains("made to fail: "), "nobody minds; {case}");
                    through = true;
                }
                (Some(1), _) => refused += 1,
                (_, Some(SIGABRT)) => {
                    let line = format!("cannot append to the journal {}: ", path.display());
                    assert!(stderr.lines().any(|l| l.starts_with(&line)), "{case}");
                    assert!(stderr.contains("made to fail: "), "{case}");
                    aborted += 1;
                }
                _ => panic!("{case}"),
            }
            let last = |what: &str| stdout.lines().filter_map(|l| l.strip_prefix(what)).next_back();
            let acknowledged = last("acknowledged ").map_or(0, |n| n.parse::<usize>().unwrap() + 1);
            let before = std::fs::metadata(&path).map_or(0, |file| file.len());
            let (mut journal, entries) = Journal::open(&path).unwrap_or_else(|e| panic!("{case}: {e}"));
            cut += usize::from(std::fs::metadata(&path).unwrap().len() < before);
            assert!((acknowledged..=acknowledged + 1).contains(&entries.len()), "{} entries; {case}", entries.len());
            assert!((0..).zip(&entries).all(|(i, found)| *found == entry(i)), "{case}");
            let kept = last("kept ").unwrap_or_default();
            let found = std::fs::read_to_string(dir.path().join("file")).unwrap_or_default();
            let number = |text: &str| text.parse::<usize>().map_or(0, |n| n + 1);
            assert!((number(kept)..=number(kept) + 1).contains(&number(&found)), "kept {kept}, found {found}; {case}");
            journal.append(b"goes on").unwrap();
            assert_eq!(read(&path).unwrap().len(), entries.len() + 1, "{case}");
            if through {
                break;
            }
        }
        assert!(through, "no life without a fault");
    }
    println!("{aborted} aborted, {refused} refused, {cut} torn tails");
    assert!(aborted > 10 && refused > 10 && cut > 3, "{aborted} aborted, {refused} refused, {cut} torn tails");
}

fn entry(number: usize) -> Vec<u8> {
    format!("entry {number} {}", "x".repeat(100 * number)).into_bytes()
}

/// Opens, appends, marks, keeps a file, opens again; says what was acknowledged.
fn live(path: &Path) -> ! {
    let mut next = 0;
    for _ in 0..2 {
        let (mut journal, entries) = demand(Journal::open(path));
        assert_eq!(entries.len(), next);
        for number in next..next + 4 {
            demand(journal.append(&entry(number)));
            println!("\nacknowledged {number}");
            demand(write_atomic(&path.with_file_name("file"), number.to_string().as_bytes(), 0o600));
            println!("\nkept {number}");
        }
        next += 4;
        demand(journal.mark());
    }
    std::process::exit(0)
}

fn demand<T>(done: Result<T, koonti_journal::Error>) -> T {
    done.unwrap_or_else(|error| {
        eprintln!("{error}");
        std::process::exit(1)
    })
}
