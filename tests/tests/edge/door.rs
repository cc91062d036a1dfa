//! The two listeners, as an attacker sees them whom they let in.

use super::Ground;
use super::papers::anonymous;
use super::raw::{ROSTER, Raw};
use rustls::ClientConfig;
use std::net::SocketAddr;
use std::sync::Arc;

/// A listener, and who attacks it.
pub(crate) struct Door {
    pub(crate) config: Arc<ClientConfig>,
    pub(crate) from: [u8; 4],
    pub(crate) to: SocketAddr,
    /// A call that its callers may make.
    pub(crate) path: &'static str,
    /// Streams at once on a connection, as the coordinator has it.
    pub(crate) streams: u32,
    /// Frames of one caller at once, and each second, likewise.
    pub(crate) burst: u64,
    pub(crate) per_second: u64,
}

pub(crate) const ENROLL: &str = "/koonti.v1.EnrolmentService/Enroll";
/// Frames of a connection that are read whatever came before, as the coordinator has it.
pub(crate) const FIRST_FRAMES: u64 = 32;

impl Door {
    /// A member's.
    pub(crate) fn main(ground: &Ground, from: [u8; 4]) -> Self {
        let config = ground.person.config().into();
        Self { config, from, to: ground.main, path: ROSTER, streams: 32, burst: 16_384, per_second: 4096 }
    }

    /// A stranger's.
    pub(crate) fn enrolment(ground: &Ground, from: [u8; 4]) -> Self {
        let config = anonymous(&ground.person.ca).into();
        Self { config, from, to: ground.enrolment, path: ENROLL, streams: 4, burst: 1024, per_second: 100 }
    }

    pub(crate) fn connect(&self) -> Raw {
        Raw::connect(self.config.clone(), self.from, self.to).expect("a caller who is let in")
    }
}

/// Attacks both side by side. Each attack comes from an address of its own, since frames
/// of strangers are counted by address.
pub(crate) fn at_both(ground: &Ground, from: [u8; 4], attack: impl Fn(&Door) + Sync) {
    let doors = [Door::main(ground, from), Door::enrolment(ground, from)];
    std::thread::scope(|scope| doors.iter().for_each(|door| drop(scope.spawn(|| attack(door)))));
}
