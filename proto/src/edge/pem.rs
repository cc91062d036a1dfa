//! PEM text of certificates, in and out.
//!
//! Promises: what it writes, it and OpenSSL read back as the same bytes.
//! Does not: look inside a certificate, or touch private keys.

use std::fmt::Write as _;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{Error, PemObject};

/// Returns every certificate in the text, in order.
pub(super) fn certificates(text: &str) -> Result<Vec<CertificateDer<'static>>, Error> {
    CertificateDer::pem_slice_iter(text.as_bytes()).collect()
}

/// Writes one certificate as PEM.
pub(super) fn certificate(der: &[u8]) -> String {
    let base64 = base64(der);
    let mut text = String::from("-----BEGIN CERTIFICATE-----\n");
    // Base64 is ASCII, so every 64-byte cut falls between characters.
    for start in (0..base64.len()).step_by(64) {
        let end = base64.len().min(start + 64);
        let _ = writeln!(text, "{}", &base64[start..end]);
    }
    text.push_str("-----END CERTIFICATE-----\n");
    text
}

pub(super) fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let mut three = [0u8; 3];
        three[..group.len()].copy_from_slice(group);
        let bits = u32::from_be_bytes([0, three[0], three[1], three[2]]);
        for (place, shift) in [18u32, 12, 6, 0].into_iter().enumerate() {
            if place <= group.len() {
                text.push(char::from(ALPHABET[(bits >> shift) as usize & 63]));
            } else {
                text.push('=');
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{certificate, certificates};

    #[test]
    fn what_is_written_reads_back() {
        let bytes: Vec<u8> = (0..=255).chain(0..=255).collect();
        for length in [1, 2, 3, 47, 48, 49, 50, 512] {
            let text = certificate(&bytes[..length]);
            assert!(text.lines().all(|line| line.len() <= 64));
            let back = certificates(&text).expect("own PEM is read");
            assert_eq!(back.len(), 1);
            assert_eq!(back[0].as_ref(), &bytes[..length]);
        }
    }
}
