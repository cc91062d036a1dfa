//! What machines do to daemons: power cuts, full and failing disks, ends at any moment,
//! ruined indexes, wrong clocks. Whatever it is, nothing acknowledged is lost, nothing is
//! paid or released twice, and an auditor finds nothing wrong.

mod clock;
#[cfg(debug_assertions)]
mod crash;
#[cfg(debug_assertions)]
mod errors;
mod full;
mod index;
mod power;
mod random;
