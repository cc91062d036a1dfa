//! What logs and keys are called, from region and name alone.

use koonti_disclosure::Name;

/// The origin of the coordinator's log, and the name of its key.
pub fn coordinator_origin(region: &Name) -> String {
    format!("koonti/{region}/coordinator")
}

/// The origin of a node's log, and the name of its key.
pub fn node_origin(region: &Name, node: &Name) -> String {
    format!("koonti/{region}/node/{node}")
}

/// The name under which the owner of a log cosigns others' checkpoints.
pub fn cosigner(origin: &str) -> String {
    format!("{origin}/witness")
}
