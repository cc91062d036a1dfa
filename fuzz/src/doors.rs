//! Bytes against the doors of the wire: every message that a stranger may send.

use koonti_proto::trial;

/// Reads the bytes as every message there is.
pub fn doors(data: &[u8]) {
    trial::read(data);
}
