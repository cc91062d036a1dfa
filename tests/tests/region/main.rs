//! Scenarios in a region of real processes.
//!
//! One test binary, so that linking stays cheap. Each scenario has a region of
//! its own.

mod allowance;
mod approvals;
mod bad_input;
mod canary;
mod certificates;
mod closing;
mod commands;
mod coverage;
mod dialects;
mod earlier;
mod ends;
mod events;
mod evidence;
mod faults;
#[cfg(debug_assertions)]
mod kill;
mod life;
mod logs;
mod outputs;
mod proxy;
mod queue;
mod regional;
mod rollback;
mod signatures;
mod tap;
mod unseen;
mod upgrade;
mod watched;
mod wire;
#[cfg(debug_assertions)]
mod writes;
