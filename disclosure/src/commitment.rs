//! The commitment to an extract: fixes what is counted, and shows nothing of it.

use crate::names::Digest;
use crate::period::Period;
use ring::hmac;

/// Bytes of a salt: without it, the commitment to a small table could be guessed.
pub const SALT_BYTES: usize = 32;

/// HMAC-SHA256 under the salt over label, vintage, period and the extract's bytes:
/// `koonti/v1/extract`, a zero byte, 32 bytes, the period as text, a zero byte.
pub fn of_extract(salt: &[u8; SALT_BYTES], vintage: Digest, period: Period, bytes: &[u8]) -> Digest {
    let mut mac = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, salt));
    for part in [b"koonti/v1/extract\0".as_slice(), &vintage.0, period.to_string().as_bytes(), b"\0", bytes] {
        mac.update(part);
    }
    Digest(mac.sign().as_ref().try_into().expect("HMAC-SHA256 has 32 bytes"))
}
