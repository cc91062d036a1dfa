//! The coordinator's keys: files of mode 0600, seeds in hex and PEM.
//!
//! `log.key` signs the checkpoints of its log, `witness.key` cosigns those of the
//! nodes. Whoever loses them begins a new region: a log keeps its keys for ever.
//! `ca.key` with `ca.crt` is the region's authority, which certifies its members.

use crate::config::{Config, read};
use crate::error::Error;
use koonti_disclosure::names::unhex;
use koonti_disclosure::roster::LogKeys;
use koonti_evidence::note::{LogKey, WitnessKey};
use koonti_evidence::origin::{coordinator_origin, cosigner};
use koonti_proto::edge::pki::{self, Authority};
use ring::rand::{SecureRandom, SystemRandom};
use zeroize::Zeroizing;

/// Both keys, loaded.
pub struct Keys {
    /// Signs the coordinator's checkpoints.
    pub log: LogKey,
    /// Cosigns the nodes' checkpoints.
    pub witness: WitnessKey,
}

impl Keys {
    /// Loads both keys.
    ///
    /// # Errors
    /// When a file is missing or holds no key.
    pub fn load(config: &Config) -> Result<Self, Error> {
        let origin = coordinator_origin(&config.region);
        let seed = |name: &str| -> Result<Zeroizing<[u8; 32]>, Error> {
            let path = config.key(name);
            let text = Zeroizing::new(read(&path)?);
            let bytes = unhex(text.trim()).map_err(|e| Error::unusable(&path, e))?;
            Ok(Zeroizing::new(bytes))
        };
        let log = LogKey::from_seed(&origin, seed("log.key")?);
        let witness = WitnessKey::from_seed(&cosigner(&origin), seed("witness.key")?);
        Ok(Self {
            log: log.map_err(|e| Error::unusable(&config.key("log.key"), e))?,
            witness: witness.map_err(|e| Error::unusable(&config.key("witness.key"), e))?,
        })
    }

    /// Their public halves, as the roster lists them.
    pub fn logs(&self) -> LogKeys {
        LogKeys { log: self.log.verifier().public(), witness: self.witness.verifier().public() }
    }
}

/// Loads the region's authority.
///
/// # Errors
/// When a file is missing or holds something else, or the two are no pair.
pub fn authority(config: &Config) -> Result<Authority, Error> {
    let (key, certificate) = (config.key("ca.key"), config.key("ca.crt"));
    let key_pem = Zeroizing::new(read(&key)?);
    Authority::from_pem(&key_pem, &read(&certificate)?).map_err(|error| match error {
        // Nothing is made here: the text is not what could be read.
        pki::Error::Making(_) => Error::unusable(&key, "the key text is not a PEM private key"),
        pki::Error::KeyKind | pki::Error::Authority => Error::unusable(&key, error),
        _ => Error::unusable(&certificate, error),
    })
}

/// Thirty-two fresh secret bytes.
///
/// # Errors
/// When the system's source of randomness fails.
pub fn fresh() -> Result<Zeroizing<[u8; 32]>, Error> {
    let mut bytes = Zeroizing::new([0; 32]);
    SystemRandom::new().fill(&mut *bytes).map_err(|_| Error::Randomness)?;
    Ok(bytes)
}
