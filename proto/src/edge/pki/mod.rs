//! Certificates: the region's authority, the identities it signs, and how
//! each end reads the other's.
//!
//! Promises: ECDSA P-256 keys from ring only; a private key is made where it is
//! used and only the authority's and the server's ever leave here as text; a
//! client's certificate carries one identity, chosen by the caller of
//! [`Authority::issue_client`] and never by the one who asks.
//!
//! Does not: keep keys or certificates, revoke (the registry does, by the key's
//! SHA-256), or check dates and chains (rustls does, in the handshake).

mod authority;
mod ends;
mod spiffe;

use std::fmt::Write as _;
use std::net::IpAddr;

use rcgen::{CertificateParams, DistinguishedName, KeyPair, PublicKeyData as _};
use ring::digest;
use rustls::pki_types::{CertificateDer, ServerName};
use x509_parser::prelude::{ASN1Time, FromDer as _, GeneralName, X509Certificate};

pub use authority::{Authority, IssuedClient, IssuedServer};
pub use ends::ends;
pub use spiffe::{Kind, SpiffeId};

use super::tls::CredentialError;
use super::{pem, tls};

/// What can go wrong with certificates.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A part of an identity is not 1 to 63 of `a-z`, `0-9` and `-`.
    #[error("{0:?} is not 1 to 63 of a-z, 0-9 and -")]
    Part(String),
    /// A text is not `spiffe://<region>/<node|person>/<name>`.
    #[error("{0:?} is not spiffe://<region>/<node|person>/<name>")]
    Id(String),
    /// A certificate does not name exactly one identity.
    #[error("a certificate must hold exactly one URI name, not {0}")]
    NotOneUri(usize),
    /// The bytes are not one X.509 certificate.
    #[error("not an X.509 certificate")]
    Certificate,
    /// The authority's certificate and key do not belong together, or it may not sign.
    #[error("the authority's certificate and key do not belong together")]
    Authority,
    /// The identity is of another region than the authority.
    #[error("region {asked:?} is not this authority's region {own:?}")]
    ForeignRegion {
        /// The region in the identity.
        asked: String,
        /// The authority's region.
        own: String,
    },
    /// The request is not PEM, not a request, or not signed by its own key.
    #[error("the certificate request is not valid: {0}")]
    Request(rcgen::Error),
    /// The key is not ECDSA P-256.
    #[error("the key is not an ECDSA P-256 key")]
    KeyKind,
    /// A server certificate needs at least one name, each a DNS name or IP address.
    #[error("{0:?} is not a DNS name or an IP address")]
    ServerName(String),
    /// A life in days is outside 1 to 3650.
    #[error("a certificate lives 1 to 3650 days, not {0}")]
    Days(u32),
    /// A life in seconds is outside a second to 3650 days.
    #[error("a certificate lives a second to 3650 days, not {0} s")]
    Life(u64),
    /// The authority's text cannot be read.
    #[error(transparent)]
    Credential(#[from] CredentialError),
    /// The system gave no randomness.
    #[error("the system gave no randomness")]
    Randomness,
    /// A key or certificate could not be made.
    #[error("could not make a key or certificate: {0}")]
    Making(#[from] rcgen::Error),
}

/// Makes a key and a request to certify it: PKCS#8 PEM, request PEM, and the
/// SHA-256 of the public key's SubjectPublicKeyInfo.
///
/// The request names nobody: the authority decides the name.
///
/// # Errors
/// [`Error::Making`] when the system gives no randomness.
pub fn new_key_and_csr() -> Result<(String, String, [u8; 32]), Error> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    let request = params.serialize_request(&key)?.pem()?;
    let spki_sha256 = sha256(&key.subject_public_key_info());
    Ok((key.serialize_pem(), request, spki_sha256))
}

/// Reads the identity in a peer's leaf certificate and the SHA-256 of its key's
/// SubjectPublicKeyInfo.
///
/// Names of other kinds than URI are ignored. Dates, signature and chain are not
/// looked at: only a certificate that rustls accepted may come here.
///
/// # Errors
/// [`Error::Certificate`] when the bytes are not exactly one certificate,
/// [`Error::NotOneUri`], [`Error::Id`] or [`Error::Part`] when it does not hold
/// exactly one valid identity.
pub fn peer_identity(leaf_der: &[u8]) -> Result<(SpiffeId, [u8; 32]), Error> {
    let leaf = read(leaf_der)?;
    let names = leaf.subject_alternative_name().map_err(|_| Error::Certificate)?;
    let mut uris = Vec::new();
    for name in names.iter().flat_map(|names| &names.value.general_names) {
        match name {
            GeneralName::URI(uri) => uris.push(*uri),
            // Might be a second URI that another reader understands.
            GeneralName::Invalid(..) => return Err(Error::Certificate),
            _ => {}
        }
    }
    let [uri] = uris[..] else {
        return Err(Error::NotOneUri(uris.len()));
    };
    Ok((uri.parse()?, sha256(leaf.public_key().raw)))
}

/// From when until when a certificate is good, Unix seconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Life {
    /// Its first second.
    pub from: u64,
    /// Its last second.
    pub until: u64,
}

impl Life {
    /// When it is time to renew: at two thirds.
    pub fn renew_at(self) -> u64 {
        self.from + self.until.saturating_sub(self.from) / 3 * 2
    }

    /// Reads the dates of the first certificate in a PEM text.
    ///
    /// # Errors
    /// [`Error::Credential`] or [`Error::Certificate`] when there is none.
    pub fn of_pem(cert_pem: &str) -> Result<Self, Error> {
        let leaf = first(cert_pem)?;
        let leaf = read(&leaf)?;
        let dates = leaf.validity();
        let seconds = |time: i64| u64::try_from(time).map_err(|_| Error::Certificate);
        Ok(Self { from: seconds(dates.not_before.timestamp())?, until: seconds(dates.not_after.timestamp())? })
    }
}

/// The names, DNS and IP, in a server's certificate, in their order.
///
/// # Errors
/// [`Error::Credential`] or [`Error::Certificate`] when there is no certificate.
pub fn server_names(cert_pem: &str) -> Result<Vec<String>, Error> {
    let leaf = first(cert_pem)?;
    let leaf = read(&leaf)?;
    let names = leaf.subject_alternative_name().map_err(|_| Error::Certificate)?;
    let name = |name: &GeneralName<'_>| match name {
        GeneralName::DNSName(dns) => Some((*dns).to_owned()),
        GeneralName::IPAddress(bytes) => match bytes.len() {
            4 => <[u8; 4]>::try_from(*bytes).ok().map(|b| IpAddr::from(b).to_string()),
            16 => <[u8; 16]>::try_from(*bytes).ok().map(|b| IpAddr::from(b).to_string()),
            _ => None,
        },
        _ => None,
    };
    Ok(names.iter().flat_map(|names| &names.value.general_names).filter_map(name).collect())
}

/// Checks that a server's certificate is of this authority, goes with its key, and is good
/// now.
///
/// # Errors
/// What does not hold.
pub fn check_server(ca_pem: &str, cert_pem: &str, key_pem: &str) -> Result<(), Error> {
    let names = server_names(cert_pem)?;
    let name = names.first().ok_or_else(|| Error::ServerName(String::new()))?;
    let name = ServerName::try_from(name.as_str()).map_err(|_| Error::ServerName(name.clone()))?;
    Ok(tls::check_server(ca_pem, cert_pem, key_pem, &name)?)
}

/// The SHA-256 of the DER of an authority's one certificate: what an invitation pins.
///
/// # Errors
/// [`Error::Credential`] when the text does not hold exactly one.
pub fn authority_sha256(ca_pem: &str) -> Result<[u8; 32], Error> {
    Ok(sha256(&tls::authority(ca_pem)?))
}

/// A time as certificates are shown: `Dec 29 11:22:32 2026 +00:00`.
pub fn shown(time: u64) -> String {
    let time = i64::try_from(time).ok().and_then(|time| ASN1Time::from_timestamp(time).ok());
    time.map_or_else(|| "a time out of reach".to_owned(), |time| time.to_string())
}

/// Reads the identity in the first certificate of a PEM text, and the SHA-256 of its key,
/// as [`peer_identity`] does.
///
/// # Errors
/// As there; [`Error::Credential`] when the text holds none.
pub fn identity_of_pem(cert_pem: &str) -> Result<(SpiffeId, [u8; 32]), Error> {
    peer_identity(&first(cert_pem)?)
}

fn first(cert_pem: &str) -> Result<CertificateDer<'static>, Error> {
    let all = pem::certificates(cert_pem).map_err(CredentialError::CertificateText)?;
    Ok(all.into_iter().next().ok_or(CredentialError::NoCertificate)?)
}

/// Returns a short fingerprint for two people to compare by telephone: the first
/// 128 bits of the SHA-256 over the parts, each after its length as a 32-bit
/// big-endian number, as eight groups of four hex digits.
///
/// The lengths keep `["ab", "c"]` and `["a", "bc"]` apart. 128 bits are enough
/// against someone who must match a fingerprint already read out.
pub fn fingerprint(parts: &[&[u8]]) -> String {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in parts {
        // No part comes near 4 GiB; saturating keeps this total.
        let length = u32::try_from(part.len()).unwrap_or(u32::MAX);
        context.update(&length.to_be_bytes());
        context.update(part);
    }
    let digest = context.finish();
    let mut text = String::with_capacity(39);
    for (place, pair) in digest.as_ref()[..16].chunks(2).enumerate() {
        if place > 0 {
            text.push(' ');
        }
        for byte in pair {
            let _ = write!(text, "{byte:02x}");
        }
    }
    text
}

/// SHA-256 of the bytes.
pub(super) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    out
}

/// Reads exactly one certificate, with nothing after it.
pub(super) fn read(der: &[u8]) -> Result<X509Certificate<'_>, Error> {
    match X509Certificate::from_der(der) {
        Ok(([], certificate)) => Ok(certificate),
        _ => Err(Error::Certificate),
    }
}
