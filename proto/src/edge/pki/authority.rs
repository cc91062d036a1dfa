//! The region's authority: one key, one self-signed certificate, two kinds of
//! certificate it signs.
//!
//! Promises: signs only ECDSA P-256 keys; takes nothing from a request but its
//! key, and that only when the request is signed by it; signs identities of its
//! own region only; a client's certificate cannot serve and a server's cannot
//! call; serial numbers are random, so a renewal never repeats one.
//!
//! Does not: keep a list of what it signed (the coordinator's registry does), or
//! renew itself: its certificate is made for ten years, and as rustls does not
//! look at the dates of a trusted root, replacing it is a matter of governance.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PublicKeyData, SanType,
    SerialNumber, date_time_ymd,
};
use ring::rand::{SecureRandom as _, SystemRandom};
use rustls::pki_types::{CertificateDer, ServerName};

use super::{Error, SpiffeId, read, sha256, spiffe};
use crate::edge::{pem, tls};

/// The region's certificate authority.
pub struct Authority {
    region: String,
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
}

/// A server's certificate and the key made for it.
pub struct IssuedServer {
    /// The certificate, then the authority's, as PEM.
    pub cert_pem: String,
    /// The private key, PKCS#8 PEM.
    pub key_pem: String,
}

/// A client's certificate.
#[derive(Clone, Debug)]
pub struct IssuedClient {
    /// The certificate, then the authority's, as PEM.
    pub cert_pem: String,
    /// SHA-256 of the certified key's SubjectPublicKeyInfo.
    pub spki_sha256: [u8; 32],
}

impl Authority {
    /// Makes the authority of a region: a new key and its certificate.
    ///
    /// # Errors
    /// [`Error::Part`] for a bad region name, [`Error::Making`] or
    /// [`Error::Randomness`] when the system gives no randomness.
    pub fn create(region: &str) -> Result<Self, Error> {
        spiffe::check_part(region)?;
        let key = KeyPair::generate()?;
        let mut params = valid_for(of_days(DAYS_MAX)?)?;
        params.distinguished_name.push(DnType::OrganizationName, "koonti");
        params.distinguished_name.push(DnType::CommonName, region);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let certificate = params.self_signed(&key)?.into();
        Ok(Self { region: region.to_owned(), issuer: Issuer::new(params, key), certificate })
    }

    /// Restores an authority from what [`Self::key_pem`] and [`Self::cert_pem`] gave.
    ///
    /// # Errors
    /// [`Error::Authority`] when the two do not belong together or the certificate
    /// may not sign, [`Error::KeyKind`] for another kind of key, and what reading
    /// PEM can give.
    pub fn from_pem(key_pem: &str, cert_pem: &str) -> Result<Self, Error> {
        let key = KeyPair::from_pem(key_pem)?;
        if key.algorithm() != &PKCS_ECDSA_P256_SHA256 {
            return Err(Error::KeyKind);
        }
        let certificate = tls::authority(cert_pem)?;
        let parsed = read(&certificate)?;
        if !parsed.is_ca() || parsed.public_key().raw != key.subject_public_key_info() {
            return Err(Error::Authority);
        }
        let region = parsed
            .subject()
            .iter_common_name()
            .next()
            .and_then(|name| name.as_str().ok())
            .ok_or(Error::Authority)?
            .to_owned();
        spiffe::check_part(&region)?;
        let issuer = Issuer::from_ca_cert_der(&certificate, key)?;
        Ok(Self { region, issuer, certificate })
    }

    /// Returns the private key as PKCS#8 PEM. Whoever has it is the region.
    pub fn key_pem(&self) -> String {
        self.issuer.key().serialize_pem()
    }

    /// Returns the certificate as PEM.
    pub fn cert_pem(&self) -> String {
        pem::certificate(&self.certificate)
    }

    /// Returns the SHA-256 of the certificate's DER: what an invitation pins.
    pub fn cert_sha256(&self) -> [u8; 32] {
        sha256(&self.certificate)
    }

    /// Makes a key and a certificate to serve under the names, DNS or IP.
    ///
    /// # Errors
    /// [`Error::ServerName`] for no name or a bad one (wildcards are bad),
    /// [`Error::Days`] for a life outside 1 to 3650 days.
    pub fn issue_server(&self, names: &[String], days: u32) -> Result<IssuedServer, Error> {
        self.issue_server_lasting(names, of_days(days)?)
    }

    /// Does what [`Authority::issue_server`] does, for any length of life.
    ///
    /// # Errors
    /// As there; [`Error::Life`] for a life outside a second to 3650 days.
    pub fn issue_server_lasting(&self, names: &[String], life: Duration) -> Result<IssuedServer, Error> {
        if names.is_empty() {
            return Err(Error::ServerName(String::new()));
        }
        let mut params = leaf(life, ExtendedKeyUsagePurpose::ServerAuth)?;
        for name in names {
            params.subject_alt_names.push(server_name(name)?);
        }
        let key = KeyPair::generate()?;
        Ok(IssuedServer { cert_pem: self.sign(&params, &key)?, key_pem: key.serialize_pem() })
    }

    /// Signs the key in a request for one identity, after checking that the request
    /// is signed by that key.
    ///
    /// Subject, names and extensions in the request are ignored: the certificate
    /// carries the one URI name `uri`, client authentication and `days` of life,
    /// and starts five minutes in the past for clocks that run late (a tenth of its
    /// life, if that is less).
    ///
    /// # Errors
    /// [`Error::Request`] for a bad request, [`Error::KeyKind`] for another key than
    /// ECDSA P-256, [`Error::ForeignRegion`], [`Error::Part`] or [`Error::Days`] for
    /// a bad identity or life.
    pub fn issue_client(&self, csr_pem: &str, uri: &SpiffeId, days: u32) -> Result<IssuedClient, Error> {
        self.issue_client_lasting(csr_pem, uri, of_days(days)?)
    }

    /// Does what [`Authority::issue_client`] does, for any length of life.
    ///
    /// # Errors
    /// As there; [`Error::Life`] for a life outside a second to 3650 days.
    pub fn issue_client_lasting(&self, csr_pem: &str, uri: &SpiffeId, life: Duration) -> Result<IssuedClient, Error> {
        spiffe::check_part(&uri.name)?;
        if uri.region != self.region {
            return Err(Error::ForeignRegion { asked: uri.region.clone(), own: self.region.clone() });
        }
        let request = CertificateSigningRequestParams::from_pem(csr_pem).map_err(Error::Request)?;
        let key = &request.public_key;
        if !is_p256(key) {
            return Err(Error::KeyKind);
        }
        let mut params = leaf(life, ExtendedKeyUsagePurpose::ClientAuth)?;
        let uri = uri.to_string().try_into()?;
        params.subject_alt_names.push(SanType::URI(uri));
        Ok(IssuedClient { cert_pem: self.sign(&params, key)?, spki_sha256: sha256(&key.subject_public_key_info()) })
    }

    fn sign(&self, params: &CertificateParams, key: &impl PublicKeyData) -> Result<String, Error> {
        let leaf = params.signed_by(key, &self.issuer)?;
        Ok(pem::certificate(leaf.der()) + &self.cert_pem())
    }
}

fn leaf(life: Duration, usage: ExtendedKeyUsagePurpose) -> Result<CertificateParams, Error> {
    let mut params = valid_for(life)?;
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![usage];
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}

fn of_days(days: u32) -> Result<Duration, Error> {
    if !(1..=DAYS_MAX).contains(&days) {
        return Err(Error::Days(days));
    }
    Ok(DAY * days)
}

fn valid_for(life: Duration) -> Result<CertificateParams, Error> {
    if !(Duration::from_secs(1)..=DAY * DAYS_MAX).contains(&life) {
        return Err(Error::Life(life.as_secs()));
    }
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now = date_time_ymd(1970, 1, 1) + Duration::from_secs(since_epoch.as_secs());
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.not_before = now - CLOCK_SLACK.min(life / 10);
    params.not_after = now + life;
    params.serial_number = Some(serial()?);
    Ok(params)
}

/// A random serial number of 126 bits: positive, and never short.
fn serial() -> Result<SerialNumber, Error> {
    let mut bytes = [0; 16];
    SystemRandom::new().fill(&mut bytes).map_err(|_| Error::Randomness)?;
    bytes[0] = bytes[0] & 0x3f | 0x40;
    Ok(SerialNumber::from_slice(&bytes))
}

fn server_name(name: &str) -> Result<SanType, Error> {
    let bad = || Error::ServerName(name.to_owned());
    match ServerName::try_from(name).map_err(|_| bad())? {
        ServerName::IpAddress(address) => Ok(SanType::IpAddress(address.into())),
        ServerName::DnsName(dns) => Ok(SanType::DnsName(dns.as_ref().try_into()?)),
        _ => Err(bad()),
    }
}

/// rcgen takes the algorithm from the request's signature, not from its key: the
/// length of the point tells a P-256 key from a P-384 key.
fn is_p256(key: &impl PublicKeyData) -> bool {
    key.algorithm() == &PKCS_ECDSA_P256_SHA256 && key.der_bytes().len() == 65
}

/// The longest life of a certificate, in days.
const DAYS_MAX: u32 = 3650;
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// How far in the past a certificate starts, at most.
const CLOCK_SLACK: Duration = Duration::from_secs(5 * 60);
