//! When a certificate ends.

use super::read;
use crate::edge::pem;

/// The last second in which the first certificate of a PEM text is good, Unix time;
/// none where there is no certificate.
pub fn ends(cert_pem: &str) -> Option<u64> {
    let all = pem::certificates(cert_pem).ok()?;
    let ends = read(all.first()?).ok()?.validity().not_after.timestamp();
    u64::try_from(ends).ok()
}
