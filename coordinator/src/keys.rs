//! The coordinator's keys for evidence: files of mode 0600, seeds in hex.
//!
//! `log.key` signs the checkpoints of its log, `witness.key` cosigns those of the
//! nodes. Whoever loses them begins a new region: a log keeps its keys for ever.

use crate::config::{Config, read};
use crate::error::Error;
use koonti_disclosure::names::unhex;
use koonti_disclosure::roster::LogKeys;
use koonti_evidence::note::{LogKey, WitnessKey};
use koonti_evidence::origin::{coordinator_origin, cosigner};
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
            let bytes = unhex(text.trim()).map_err(|e| Error::config(&path, e.to_string()))?;
            Ok(Zeroizing::new(bytes))
        };
        let refused = |e: koonti_evidence::note::Error| Error::Refused(e.to_string());
        Ok(Self {
            log: LogKey::from_seed(&origin, seed("log.key")?).map_err(refused)?,
            witness: WitnessKey::from_seed(&cosigner(&origin), seed("witness.key")?).map_err(refused)?,
        })
    }

    /// Their public halves, as the roster lists them.
    pub fn logs(&self) -> LogKeys {
        LogKeys { log: self.log.verifier().public(), witness: self.witness.verifier().public() }
    }
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
