//! The server's own certificate: read, renewed at two thirds of its life, taken up by the
//! running daemon.
//!
//! `server.key` holds the key and its certificate, so that both change at one stroke;
//! `server.crt` is the certificate once more, for other programs. A pair that a command or
//! the operator puts there is taken up within seconds if it is of the region's authority,
//! goes together and is good now; otherwise the daemon says so and keeps what it has.

use crate::clock;
use crate::config::{Config, read};
use crate::error::Error;
use koonti_disclosure::Digest;
use koonti_proto::Credentials;
use koonti_proto::edge::pki::{Authority, Life, check_server, server_names, shown};
use koonti_proto::edge::server::ServerCertificate;
use zeroize::Zeroizing;

/// The pair on disk.
///
/// # Errors
/// When a file is missing.
pub(crate) fn load(config: &Config) -> Result<Credentials, Error> {
    let (ca_pem, pair_pem) = (read(&config.key("ca.crt"))?, read(&config.key("server.key"))?);
    match Credentials::of_pair(ca_pem.clone(), &pair_pem) {
        Some(pair) => Ok(pair),
        // As an earlier version wrote it.
        None => Ok(Credentials { ca_pem, cert_pem: read(&config.key("server.crt"))?, key_pem: pair_pem }),
    }
}

/// How long a pair is good, and for which names.
///
/// # Errors
/// When its certificate cannot be read.
pub(crate) fn certifies(config: &Config, pair: &Credentials) -> Result<(Life, Vec<String>), Error> {
    let unusable = |e| Error::unusable(&config.key("server.key"), e);
    Ok((pair.life().map_err(unusable)?, server_names(&pair.cert_pem).map_err(unusable)?))
}

/// Puts a new pair for these names there.
///
/// # Errors
/// When a name is none, or the disk fails.
pub(crate) fn issue(config: &Config, authority: &Authority, names: &[String]) -> Result<Credentials, Error> {
    let issued = authority.issue_server_lasting(names, config.server_certificate_life)?;
    let pair = Credentials { ca_pem: authority.cert_pem(), cert_pem: issued.cert_pem, key_pem: issued.key_pem };
    let text = Zeroizing::new(pair.pair_pem());
    koonti_journal::write_atomic(&config.key("server.key"), text.as_bytes(), 0o600)?;
    koonti_journal::write_atomic(&config.key("server.crt"), pair.cert_pem.as_bytes(), 0o600)?;
    Ok(pair)
}

/// What the running daemon serves with.
pub(crate) struct Served {
    certificate: ServerCertificate,
    /// In use.
    life: Life,
    names: Vec<String>,
    /// SHA-256 of what was looked at last: in use, or refused.
    seen: Digest,
}

impl Served {
    /// # Errors
    /// When the pair on disk cannot be used.
    pub(crate) fn load(config: &Config) -> Result<Self, Error> {
        let pair = load(config)?;
        let certificate = ServerCertificate::new(&pair.cert_pem, &pair.key_pem);
        let certificate = certificate.map_err(|e| Error::unusable(&config.key("server.key"), e))?;
        let (life, names) = certifies(config, &pair)?;
        Ok(Self { certificate, life, names, seen: digest(&pair) })
    }

    /// To serve with.
    pub(crate) fn certificate(&self) -> ServerCertificate {
        self.certificate.clone()
    }

    /// Takes up a new pair, and makes one when it is time. Called every few seconds.
    ///
    /// # Errors
    /// When the disk fails.
    pub(crate) fn tend(&mut self, config: &Config, authority: &Authority) -> Result<(), Error> {
        match load(config) {
            Ok(pair) if digest(&pair) != self.seen => self.take(&pair),
            Ok(_) => {}
            // Perhaps somebody is at it.
            Err(error) => tracing::debug!(%error, "the server's certificate cannot be read"),
        }
        if clock::now() >= self.life.renew_at() {
            let pair = issue(config, authority, &self.names)?;
            self.take(&pair);
        }
        Ok(())
    }

    fn take(&mut self, pair: &Credentials) {
        let fits = check_server(&pair.ca_pem, &pair.cert_pem, &pair.key_pem)
            .map_err(|e| e.to_string())
            .and_then(|()| {
                Ok((pair.life().map_err(|e| e.to_string())?, server_names(&pair.cert_pem).map_err(|e| e.to_string())?))
            })
            .and_then(|read| {
                self.certificate.replace(&pair.cert_pem, &pair.key_pem).map(|()| read).map_err(|e| e.to_string())
            });
        match fits {
            Ok((life, names)) => {
                tracing::info!(
                    until = shown(life.until),
                    names = names.join(","),
                    "the server's certificate is renewed"
                );
                (self.life, self.names) = (life, names);
            }
            Err(why) => tracing::error!(why, "the certificate in server.key cannot be used: the one before stays"),
        }
        self.seen = digest(pair);
    }
}

fn digest(pair: &Credentials) -> Digest {
    Digest::of(Zeroizing::new(pair.pair_pem()).as_bytes())
}
