//! No core files, and no reading of this process's memory by others.
//!
//! A core file of an import or a tally would hold client records, one of a daemon
//! its keys and the seeds of noise. Promises: once [`unseen`] has returned, the
//! system writes no core of this process, whatever its settings are, and lets
//! nobody but its administrator read its memory or attach to it. What it cannot
//! do: hide anything from the administrator.

use rustix::process::{DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit};

/// The system does not let this process protect its memory.
#[derive(Debug, thiserror::Error)]
#[error("the system does not let this program protect its memory: {0}; it does not run unprotected")]
pub struct Unprotected(#[from] rustix::io::Errno);

/// Protects the memory of this process for the rest of its life.
///
/// # Errors
/// When the system does not let it; nothing may be read or loaded then.
pub fn unseen() -> Result<(), Unprotected> {
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    // A unit may have set it already, and have forbidden the call.
    if getrlimit(Resource::Core) != none {
        setrlimit(Resource::Core, none)?;
    }
    // The limit does not hold for a core that is piped into a program; this does.
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    Ok(())
}
