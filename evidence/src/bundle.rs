//! The bundle: everything that an auditor needs, in one archive.
//!
//! Written here, read by the verifier. `docs/evidence-format.md` has the names.

use crate::note::Note;
use crate::{container, tiles};
use koonti_disclosure::{Digest, Name, canonical};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The name of the list of files.
pub const MANIFEST: &str = "bundle.json";

/// The folder of the coordinator's log.
pub const LOG_OF_COORDINATOR: &str = "coordinator";

/// The folder of a node's log.
pub fn log_of_node(node: &Name) -> String {
    format!("node-{node}")
}

/// The list of files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// SHA-256 of every other file, by name.
    pub files: BTreeMap<String, Digest>,
    /// The region.
    pub region: Name,
    /// Version of the format.
    pub v: u8,
}

/// An opened round: files below `rounds/<round>/`.
#[derive(Clone, Default)]
pub struct Opened {
    /// The Adverts message.
    pub adverts: Vec<u8>,
    /// The places of U2.
    pub u2: Vec<u8>,
    /// The Survivors message.
    pub survivors: Vec<u8>,
    /// The Confirmations message.
    pub confirmations: Vec<u8>,
    /// By place of U3: the Masked message, then the vector.
    pub masked: BTreeMap<u16, Vec<u8>>,
    /// By place of U3: `sigma_b`.
    pub own: BTreeMap<u16, [u8; 32]>,
    /// By place of U2 without U3: `sigma_m`.
    pub mask: BTreeMap<u16, [u8; 32]>,
}

/// A bundle that is being made.
pub struct Bundle {
    region: Name,
    files: BTreeMap<String, Vec<u8>>,
}

impl Bundle {
    /// An empty one.
    pub fn new(region: Name) -> Self {
        Self { region, files: BTreeMap::new() }
    }

    /// Adds a log: its cosigned checkpoint and the tiles of its entries.
    ///
    /// # Errors
    /// When an entry is too long for a tile.
    pub fn log(&mut self, folder: &str, checkpoint: &Note, entries: &[Vec<u8>]) -> Result<(), tiles::Error> {
        for (name, content) in tiles::write(entries)? {
            self.files.insert(format!("logs/{folder}/{name}"), content);
        }
        self.files.insert(format!("logs/{folder}/checkpoint"), checkpoint.to_string().into_bytes());
        Ok(())
    }

    /// Adds bytes that an entry names.
    pub fn blob(&mut self, bytes: Vec<u8>) {
        self.files.insert(format!("blobs/{}", Digest::of(&bytes)), bytes);
    }

    /// Adds an opened round.
    pub fn round(&mut self, round: Digest, opened: Opened) {
        let mut put = |name: &str, bytes: Vec<u8>| drop(self.files.insert(format!("rounds/{round}/{name}"), bytes));
        put("adverts", opened.adverts);
        put("u2", opened.u2);
        put("survivors", opened.survivors);
        put("confirmations", opened.confirmations);
        for (place, masked) in opened.masked {
            put(&format!("masked/{place:05}"), masked);
        }
        for (place, secret) in opened.own {
            put(&format!("own/{place:05}"), secret.to_vec());
        }
        for (place, secret) in opened.mask {
            put(&format!("mask/{place:05}"), secret.to_vec());
        }
    }

    /// The archive.
    ///
    /// # Errors
    /// When a file is too large for it.
    ///
    /// # Panics
    /// Never: the list holds names and hex.
    pub fn bytes(self) -> Result<Vec<u8>, container::Error> {
        let files = self.files.iter().map(|(name, bytes)| (name.clone(), Digest::of(bytes))).collect();
        let manifest = Manifest { files, region: self.region, v: 1 };
        let mut files = self.files;
        files.insert(MANIFEST.to_owned(), canonical::to_bytes(&manifest).expect("names and hex"));
        container::write(&files)
    }
}
