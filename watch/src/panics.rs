//! A panic is told by its place in the source, never by its words.
//!
//! The words may quote what was being read: a field of a register, a figure. Promises:
//! after [`hush_panics`] a panic of any thread is one line with the place; where a build
//! ends at a panic, it ends with exit code 101, as a panic of `main` does anywhere. So
//! SIGABRT means one thing only: the disk has refused an entry of the log.

use std::io::{Write, stderr};

const WHAT: &str = "panicked: this is a bug, please report the place";

/// Hushes the panics of this process. To be called before anything is read.
pub fn hush_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        if tracing::dispatcher::has_been_set() {
            tracing::error!(%place, WHAT);
        } else {
            // There is nobody left to tell when this fails.
            let _ = writeln!(stderr(), "error: {WHAT} place={place}");
        }
        #[cfg(panic = "abort")]
        std::process::exit(101);
    }));
}

/// Where tests let a program panic, in debug builds only: with the words `KOONTI_PANIC`.
pub fn panic_if_told() {
    #[cfg(debug_assertions)]
    if let Ok(words) = std::env::var("KOONTI_PANIC") {
        panic!("{words}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::{Format, Log};
    use std::process::Command;

    /// In a process of its own each: without a log yet, and with one of either form.
    #[test]
    fn a_panic_is_its_place_and_not_its_words() {
        const NAME: &str = "panics::tests::a_panic_is_its_place_and_not_its_words";
        const CHILD: &str = "KOONTI_PANICS_CHILD";
        if let Ok(format) = std::env::var(CHILD) {
            hush_panics();
            match format.as_str() {
                "text" => Log::default().begin(),
                "json" => Log { format: Format::Json, ..Log::default() }.begin(),
                _ => {}
            }
            panic!("{}", ["Kanaria", "lintu"].concat());
        }
        for format in ["none", "text", "json"] {
            let program = std::env::current_exe().expect("this program");
            let child = Command::new(program).args(["--exact", NAME, "--nocapture"]).env(CHILD, format).output();
            let child = child.expect("it runs");
            let said = String::from_utf8_lossy(&[child.stdout, child.stderr].concat()).into_owned();
            assert!(!child.status.success() && !said.contains("Kanarialintu"), "{said}");
            let lines: Vec<&str> = said.lines().filter(|line| line.contains("panics.rs:")).collect();
            assert!(matches!(lines[..], [line] if line.contains(WHAT)), "{said}");
        }
    }
}
