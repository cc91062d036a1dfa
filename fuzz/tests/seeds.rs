//! Every kept seed through its target, with any toolchain.
//!
//! `KOONTI_WRITE_SEEDS=1 cargo test --no-default-features` writes the hand-made ones anew.

use koonti_fuzz::{TARGETS, made};
use std::path::PathBuf;

fn folder(target: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "seeds", target].iter().collect()
}

#[test]
fn kept_seeds_break_no_promise() {
    for (target, run) in TARGETS {
        let mut seeds = 0;
        for entry in std::fs::read_dir(folder(target)).expect("a folder of seeds") {
            let path = entry.expect("a seed").path();
            // Named first: a panic then says on what.
            println!("{}", path.display());
            run(&std::fs::read(path).expect("a seed"));
            seeds += 1;
        }
        assert!((2..=20).contains(&seeds), "{target} has {seeds} seeds");
    }
}

#[test]
fn hand_made_seeds_are_those_of_today() {
    for (target, _) in TARGETS {
        for (name, bytes) in made(target) {
            let path = folder(target).join(name);
            if std::env::var_os("KOONTI_WRITE_SEEDS").is_some() {
                std::fs::create_dir_all(folder(target)).expect("a folder");
                std::fs::write(&path, &bytes).expect("a seed is written");
            }
            let kept = std::fs::read(&path).unwrap_or_default();
            assert!(kept == bytes, "{} is out of date: see the head of this file", path.display());
        }
    }
}
