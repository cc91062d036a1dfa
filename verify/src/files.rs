//! R01: the archive, its list of files, and their names.

use crate::log::Whose;
use crate::report::{Rule, Sheet};
use crate::share;
use koonti_disclosure::{Digest, Name, canonical};
use koonti_evidence::bundle::{LOG_OF_COORDINATOR, MANIFEST, Manifest};
use koonti_evidence::container;
use std::collections::{BTreeMap, HashMap};

/// The files of the archive, by name.
pub(crate) type Container<'a> = BTreeMap<String, &'a [u8]>;

/// Files of one folder, by the name below it.
pub(crate) type Folder<'a> = BTreeMap<&'a str, &'a [u8]>;

/// The files by what they are.
pub(crate) struct Files<'a> {
    pub(crate) region: Name,
    pub(crate) blobs: HashMap<Digest, &'a [u8]>,
    pub(crate) logs: BTreeMap<Whose, Folder<'a>>,
    pub(crate) rounds: BTreeMap<Digest, Folder<'a>>,
}

/// Reads the archive.
pub(crate) fn open<'a>(bytes: &'a [u8], sheet: &mut Sheet) -> Option<Container<'a>> {
    let read = container::read(bytes, MOST_FILES);
    sheet.check(Rule::R01, read.is_ok(), || read.as_ref().err().map(ToString::to_string).unwrap_or_default());
    read.ok()
}

/// Checks the list and sorts the files; none when anything is wrong.
pub(crate) fn sort<'a>(container: &'a Container<'a>, sheet: &mut Sheet) -> Option<Files<'a>> {
    let manifest = container.get(MANIFEST).and_then(|bytes| canonical::from_bytes::<Manifest>(bytes).ok());
    let manifest = manifest.filter(|manifest| manifest.v == 1);
    sheet.check(Rule::R01, manifest.is_some(), || format!("{MANIFEST} is missing or not a list of files"));
    let Manifest { files: listed, region, .. } = manifest?;
    let mut sound = true;
    for name in listed.keys().filter(|name| !container.contains_key(*name) || *name == MANIFEST) {
        sound &= sheet.check(Rule::R01, false, || format!("{name} is listed and not there"));
    }
    let mut files = Files { region, blobs: HashMap::new(), logs: BTreeMap::new(), rounds: BTreeMap::new() };
    let others: Vec<_> = container.iter().filter(|(name, _)| *name != MANIFEST).collect();
    let hashes = share::over(&others, |(_, bytes)| Digest::of(bytes));
    for ((name, bytes), hash) in others.into_iter().zip(hashes) {
        let good = listed.get(name) == Some(&hash) && files.place(name, bytes, hash).is_some();
        sound &= sheet.check(Rule::R01, good, || format!("{name} is not listed with its hash, or has no place here"));
    }
    sound.then_some(files)
}

impl<'a> Files<'a> {
    fn place(&mut self, name: &'a str, bytes: &'a [u8], hash: Digest) -> Option<()> {
        let (kind, rest) = name.split_once('/')?;
        match kind {
            "blobs" => {
                let named: Digest = rest.parse().ok().filter(|named| *named == hash)?;
                self.blobs.insert(named, bytes);
            }
            "logs" => {
                let (folder, below) = rest.split_once('/')?;
                let whose = match folder {
                    LOG_OF_COORDINATOR => Whose::Coordinator,
                    _ => Whose::Node(folder.strip_prefix("node-")?.parse().ok()?),
                };
                (below == CHECKPOINT || below.starts_with("tile/")).then_some(())?;
                self.logs.entry(whose).or_default().insert(below, bytes);
            }
            "rounds" => {
                let (round, below) = rest.split_once('/')?;
                let place = |text: &str| text.len() == 5 && text.bytes().all(|b| b.is_ascii_digit());
                let known = ["adverts", "u2", "survivors", "confirmations"].contains(&below)
                    || below
                        .split_once('/')
                        .is_some_and(|(kind, at)| ["masked", "own", "mask"].contains(&kind) && place(at));
                known.then_some(())?;
                self.rounds.entry(round.parse().ok()?).or_default().insert(below, bytes);
            }
            _ => return None,
        }
        Some(())
    }
}

/// The name of a log's signed note, below its folder.
pub(crate) const CHECKPOINT: &str = "checkpoint";

/// More than any region has; each takes 512 bytes at the least.
pub(crate) const MOST_FILES: usize = 1 << 24;
