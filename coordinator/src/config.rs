//! `coordinator.toml`: where things are.

use crate::error::Error;
use koonti_disclosure::{Digest, Name};
use serde::Deserialize;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    region: Name,
    governance: Digest,
    listen: SocketAddr,
    enrolment_listen: SocketAddr,
    state: PathBuf,
    keys: PathBuf,
}

/// Where a coordinator's things are.
pub struct Config {
    /// The region's name.
    pub region: Name,
    /// The region's governance key: this coordinator cannot sign with it.
    pub governance: Digest,
    /// Where nodes and people connect.
    pub listen: SocketAddr,
    /// Where newcomers connect.
    pub enrolment_listen: SocketAddr,
    /// Journal, index, releases, tables, roster, invitations.
    pub state: PathBuf,
    /// The region's CA and this server's key.
    pub keys: PathBuf,
}

impl Config {
    /// Reads the file; paths in it are relative to it.
    ///
    /// # Errors
    /// When it cannot be read, or has an unknown or missing key.
    pub fn load(path: &Path) -> Result<Self, Error> {
        let text = std::fs::read_to_string(path).map_err(|e| Error::config(path, e.to_string()))?;
        let file: File = toml::from_str(&text).map_err(|e| Error::config(path, e.to_string().trim_end().to_owned()))?;
        let base = path.parent().unwrap_or(Path::new("."));
        Ok(Self {
            region: file.region,
            governance: file.governance,
            listen: file.listen,
            enrolment_listen: file.enrolment_listen,
            state: base.join(file.state),
            keys: base.join(file.keys),
        })
    }

    /// The journal file.
    pub fn journal(&self) -> PathBuf {
        self.state.join("journal")
    }

    /// The signed roster in force.
    pub fn roster(&self) -> PathBuf {
        self.state.join("roster.json")
    }

    /// Open invitations, one file each.
    pub fn invitations(&self) -> PathBuf {
        self.state.join("invitations")
    }

    /// A key or certificate file.
    pub fn key(&self, name: &str) -> PathBuf {
        self.keys.join(name)
    }
}

/// Reads a text file.
///
/// # Errors
/// With the path.
pub fn read(path: &Path) -> Result<String, Error> {
    std::fs::read_to_string(path).map_err(|e| Error::file(path, &e))
}
