//! What must not compile: the types that keep records from leaving.
//!
//! Each program in `fail/` breaks one promise of the crate's header; the
//! expected error stands beside it, so that it fails for the reason meant.

#[test]
fn forbidden_programs_do_not_compile() {
    let tests = trybuild::TestCases::new();
    tests.compile_fail("tests/fail/*.rs");
}
