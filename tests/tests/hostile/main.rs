//! A coordinator that lies, against real nodes over the real wire.
//!
//! One test binary, so that linking stays cheap; a test a theme, each with a region
//! of its own. Attacks are counted: their number stands in [`CASES`] and in the
//! documents, and the numbers in front of them are the groups of the design's list.

mod arithmetic;
mod audit;
mod ground;
mod letters;
mod play;
mod replay;
mod restart;
mod sealed;
mod sets;
mod terms;
mod victim;

/// Attacks that are tried.
const CASES: usize = 115;

#[test]
fn the_attacks_are_counted() {
    let of_modules =
        [letters::CASES, replay::CASES, restart::CASES, sealed::CASES, sets::CASES, terms::CASES, victim::CASES];
    assert_eq!(of_modules.iter().sum::<usize>(), CASES);
    println!("{CASES} attacks of a malicious coordinator");
}
