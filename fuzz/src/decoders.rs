//! Bytes against what reads questions, rosters, releases and tables: none panics, and
//! what has one encoding is written as the same bytes again.

use crate::support::identity;
use koonti_disclosure::combine::{Published, combine};
use koonti_disclosure::identity::{IdentityKey, SignedRequest};
use koonti_disclosure::release::Received;
use koonti_disclosure::roster::{Roster, SignedRoster};
use koonti_disclosure::{Digest, TableRequest, canonical};
use std::sync::OnceLock;

static GOVERNANCE: OnceLock<Digest> = OnceLock::new();

/// The region's governance key.
pub(crate) fn governance() -> IdentityKey {
    identity(0, 999)
}

/// Reads the bytes as everything that they may be.
pub fn decoders(data: &[u8]) {
    read(data);
}

/// In how many ways they could be read.
pub(crate) fn read(data: &[u8]) -> usize {
    let mut readings = 0;
    if let Ok(request) = TableRequest::read(data) {
        assert!(request.bytes() == data && request.id() == Digest::of(data), "another question");
        readings += 1;
    }
    if let Ok(request) = SignedRequest::parse(data) {
        assert!(request.bytes() == data, "another signed question");
        readings += 1;
    }
    if let Ok(roster) = Roster::parse(data) {
        assert!(roster.bytes() == data && roster.hash() == Digest::of(data), "another roster");
        readings += 1;
    }
    let governance = *GOVERNANCE.get_or_init(|| governance().public());
    if let Ok(roster) = SignedRoster::parse(data, governance) {
        assert!(roster.bytes() == data, "another signed roster");
        readings += 1;
    }
    if let Ok(published) = canonical::from_bytes::<Published>(data) {
        assert!(canonical::to_bytes(&published).is_ok_and(|bytes| bytes == data), "another table");
        readings += 1;
    }
    if let Ok(received) = Received::parse(data) {
        // Every cell can be asked for, and none lies under the threshold.
        for period in 0..received.request().periods().len() {
            for cell in 0..received.request().domain().cells() {
                assert!(received.value(period, 0, cell).is_none_or(|value| value >= received.tau()));
            }
        }
        // A coordinator adds it up with others.
        let request = received.request().clone();
        let published = combine(&request, vec![received.clone(), received], vec![]);
        let bytes = canonical::to_bytes(&published).expect("what is published has a canonical form");
        assert!(canonical::from_bytes::<Published>(&bytes).is_ok_and(|again| again == published), "another table");
        readings += 1;
    }
    readings
}
