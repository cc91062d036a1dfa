//! How the daemons' programs end, and what the units make of it.

/// Whoever reads a register may panic at a field of it, in any command.
#[cfg(debug_assertions)]
#[test]
fn a_panic_shows_its_place_and_nothing_that_was_read() {
    for (program, words) in [
        ("koonti-node", "register draft register.csv"),
        ("koonti-node", "import --verbose"),
        ("koonti-node", "run"),
        ("koonti-coordinator", "run"),
    ] {
        let said = koonti_tests::Run::new(program).words(words).env("KOONTI_PANIC", "Kanarialintu").say();
        assert_eq!(said.code, 101, "{said:?}");
        let line = "panicked: this is a bug, please report the place";
        assert!(said.err.lines().count() == 1 && said.err.contains(line) && said.err.contains(".rs:"), "{said:?}");
        assert!(!said.err.contains("Kanarialintu") && said.out.is_empty(), "{said:?}");
    }
}

/// 65 is what `rollback` and `evidence` see of a node's log that wants a person, SIGABRT
/// what `faults::errors` sees of a disk that refuses an entry.
#[test]
fn units_start_nothing_again_that_wants_a_person() {
    for (unit, codes) in [
        (include_str!("../../../config/debian/node/koonti-node.service"), "64 65 SIGABRT"),
        (include_str!("../../../config/debian/coordinator/koonti-coordinator.service"), "64 SIGABRT"),
    ] {
        assert!(unit.lines().any(|line| line == "Restart=on-failure"), "{unit}");
        let kept_down = unit.lines().filter_map(|line| line.strip_prefix("RestartPreventExitStatus="));
        assert_eq!(kept_down.collect::<Vec<_>>(), [codes]);
    }
}
