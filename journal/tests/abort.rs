//! A write that fails ends the process, and loses nothing acknowledged.

use std::env;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Command;

use koonti_journal::{Journal, read};

const CHILD: &str = "KOONTI_JOURNAL_TEST_CHILD";
const SIGABRT: i32 = 6;

#[test]
fn a_failed_append_aborts_the_process() {
    if let Some(path) = env::var_os(CHILD) {
        append_until_refused(Path::new(&path));
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal");
    // Files may grow to 8 blocks; the write beyond them fails with EFBIG.
    let child = Command::new("sh")
        .args(["-c", r#"trap "" XFSZ; ulimit -f 8; exec "$0" --nocapture"#])
        .arg(env::current_exe().unwrap())
        .env(CHILD, &path)
        .output()
        .unwrap();

    let stderr = String::from_utf8(child.stderr).unwrap();
    assert_eq!(child.status.signal(), Some(SIGABRT), "{stderr}");
    let line = format!("cannot append to the journal {}: ", path.display());
    assert_eq!(stderr.lines().filter(|l| l.starts_with(&line)).count(), 1, "{stderr}");
    let stdout = String::from_utf8(child.stdout).unwrap();
    let acknowledged = stdout.matches("acknowledged").count();
    assert!(acknowledged > 0, "{stdout}");
    assert_eq!(read(&path).unwrap().len(), acknowledged);
    assert_eq!(Journal::open(&path).unwrap().1.len(), acknowledged);
}

fn append_until_refused(path: &Path) -> ! {
    let (mut journal, _) = Journal::open(path).unwrap();
    for _ in 0..100 {
        let returned = journal.append(&[b'e'; 300]);
        println!("{}", if returned.is_ok() { "acknowledged" } else { "returned an error" });
    }
    std::process::exit(0)
}
