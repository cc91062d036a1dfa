//! A region of real processes, for the scenario tests.
//!
//! [`Region`] makes a governance key, a coordinator and nodes in a temporary
//! folder and runs them through the command lines that people use, so that a
//! scenario tests the commands as well. [`disk`] reads what the daemons have
//! written, without asking them.
//!
//! Everything waits for a bounded time and everything started is killed when its
//! handle is dropped. Servers listen on loopback only.

pub mod binaries;
pub mod command;
pub mod daemon;
pub mod disk;
pub mod evil;
pub mod mount;
mod pages;
mod ports;
mod proxy;
pub mod region;
pub mod register;
pub mod relay;
pub mod scribe;
pub mod sim;
mod skips;
mod wait;

pub use command::{Run, Said};
pub use daemon::Daemon;
pub use pages::Pages;
pub use proxy::Proxy;
pub use region::{Approval, Events, Node, Plan, Region, verify};
pub use skips::{not_tested, root_or_untested};
pub use wait::until;
