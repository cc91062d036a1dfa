//! What a test leaves out on this machine, said where it is seen.

use std::fs::OpenOptions;
use std::io::Write;

/// Says that something goes untested here, and why: a line in the file `KOONTI_SKIPS`,
/// which `.ci/run` prints at its end, or on stderr.
///
/// # Panics
/// When the line cannot be written: a skip that nobody sees is a test that nobody has.
pub fn not_tested(what: &str, why: &str) {
    let line = format!("NOT TESTED: {what}: {why}\n");
    match std::env::var_os("KOONTI_SKIPS") {
        Some(path) => {
            let mut file = OpenOptions::new().create(true).append(true).open(path).expect("the list of skips");
            file.write_all(line.as_bytes()).expect("the list of skips");
        }
        // Written itself, not with `eprintln!`, which the test runner would swallow.
        None => std::io::stderr().write_all(line.as_bytes()).expect("stderr"),
    }
}

/// Whether this runs as root, who alone looks into a daemon; if not, says what goes
/// untested.
pub fn root_or_untested(what: &str) -> bool {
    let root = rustix::process::geteuid().is_root();
    if !root {
        not_tested(what, "not root");
    }
    root
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    /// In a process of its own, under a test runner that swallows what passing tests print.
    #[test]
    fn a_skip_is_seen_though_the_test_passes() {
        const NAME: &str = "skips::tests::a_skip_is_seen_though_the_test_passes";
        const CHILD: &str = "KOONTI_SKIPS_CHILD";
        if std::env::var_os(CHILD).is_some() {
            println!("swallowed");
            return not_tested("the moon", "no rocket");
        }
        let dir = tempfile::tempdir().expect("a folder");
        let list = dir.path().join("skips");
        let run = || {
            let mut command = Command::new(std::env::current_exe().expect("this program"));
            command.args(["--exact", NAME]).env(CHILD, "").env_remove("KOONTI_SKIPS");
            command
        };
        let shown = |mut command: Command| {
            let output = command.output().expect("it runs");
            assert!(output.status.success());
            String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
        };
        let said = shown(run());
        assert!(said.contains("NOT TESTED: the moon: no rocket\n") && !said.contains("swallowed"), "{said}");
        for _ in 0..2 {
            let mut listed = run();
            listed.env("KOONTI_SKIPS", &list);
            assert!(!shown(listed).contains("NOT TESTED"));
        }
        assert_eq!(std::fs::read_to_string(list).expect("a list"), "NOT TESTED: the moon: no rocket\n".repeat(2));
    }
}
