//! Messages altered in ways that know nothing of their meaning.

use crate::script::Script;
use koonti_secagg::message::{ADVERT_BYTES, ENTRY_BYTES};

/// Bytes of kind and round.
const HEADER: usize = 33;
/// Sizes of what stands in lists: bytes, places, shares, signatures, entries, adverts.
const RECORDS: [usize; 6] = [1, 2, 34, 66, ENTRY_BYTES, ADVERT_BYTES];

/// One alteration of a message. It may be none.
pub(crate) fn altered(script: &mut Script<'_>, mut message: Vec<u8>) -> Vec<u8> {
    match script.below(8) {
        0 => flip(script, &mut message),
        1 => message.truncate(script.below(message.len() + 1)),
        2 => {
            let length = script.below(64);
            message.extend_from_slice(script.bytes(length));
        }
        3 => {
            if let Some(record) = record(script, message.len()) {
                message.drain(record);
            }
        }
        4 => {
            if let Some(record) = record(script, message.len()) {
                let end = record.end;
                let again = message[record].to_vec();
                message.splice(end..end, again);
            }
        }
        5 => {
            if let (Some(one), Some(other)) = (record(script, message.len()), record(script, message.len())) {
                let length = one.len().min(other.len());
                let (one_bytes, other_bytes) =
                    (message[one.clone()][..length].to_vec(), message[other.clone()][..length].to_vec());
                message[one.start..][..length].copy_from_slice(&other_bytes);
                message[other.start..][..length].copy_from_slice(&one_bytes);
            }
        }
        6 => {
            if let Some(record) = record(script, message.len()) {
                let bytes = script.bytes(record.len());
                message[record.start..][..bytes.len()].copy_from_slice(bytes);
            }
        }
        _ => {
            if let Some(first) = message.first_mut() {
                *first = script.byte();
            }
        }
    }
    message
}

/// Changes one byte, if there is one.
pub(crate) fn flip(script: &mut Script<'_>, bytes: &mut [u8]) {
    let at = script.below(bytes.len());
    let difference = script.byte().max(1);
    if let Some(byte) = bytes.get_mut(at) {
        *byte ^= difference;
    }
}

/// Where a record of a list may stand, behind the header or behind a set of places.
fn record(script: &mut Script<'_>, length: usize) -> Option<std::ops::Range<usize>> {
    let size = RECORDS[script.below(RECORDS.len())];
    let start = HEADER + 2 * script.below(8) + size * script.below(8);
    (start + size <= length).then_some(start..start + size)
}
