//! R05 and the first half of R02: a log as it stands in the bundle.

use crate::files::{CHECKPOINT, Folder};
use crate::report::{Rule, Sheet};
use koonti_disclosure::{Digest, Name};
use koonti_evidence::note::Note;
use koonti_evidence::origin::{coordinator_origin, node_origin};
use koonti_evidence::{Checkpoint, Tree, tiles};
use std::fmt;

/// Whose log it is.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Whose {
    Coordinator,
    Node(Name),
}

impl Whose {
    pub(crate) fn origin(&self, region: &Name) -> String {
        match self {
            Self::Coordinator => coordinator_origin(region),
            Self::Node(node) => node_origin(region, node),
        }
    }
}

impl fmt::Display for Whose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Coordinator => f.write_str("coordinator"),
            Self::Node(node) => write!(f, "node {node}"),
        }
    }
}

/// A log with entries of type `E`.
pub(crate) struct Log<'a, E> {
    pub(crate) whose: Whose,
    /// The signed note, when it is one of this log.
    pub(crate) note: Option<(Note, Checkpoint)>,
    pub(crate) tree: Tree,
    raw: Vec<&'a [u8]>,
    /// As far as they are of a known type.
    pub(crate) entries: Vec<Option<E>>,
    /// True while none of R02, R03, R05 and R08 has failed.
    pub(crate) sound: bool,
    /// True while none of R02, R03 and R05 has failed: sizes and roots can be compared.
    pub(crate) rooted: bool,
    /// Why the tiles are not the checkpoint's.
    untiled: Option<String>,
    /// The time of the newest known cosignature.
    pub(crate) newest: Option<u64>,
}

impl<'a, E: Send> Log<'a, E> {
    /// Reads checkpoint and tiles; entries with `parse`.
    pub(crate) fn read(
        whose: Whose,
        region: &Name,
        folder: &Folder<'a>,
        parse: impl Fn(&[u8]) -> Option<E>,
        sheet: &mut Sheet,
    ) -> Self {
        let mut log = Self {
            whose,
            note: None,
            tree: Tree::new(),
            raw: vec![],
            entries: vec![],
            sound: true,
            rooted: true,
            untiled: None,
            newest: None,
        };
        let note = folder.get(CHECKPOINT).and_then(|bytes| Note::parse(bytes).ok());
        let read = note.and_then(|note| Checkpoint::parse(note.text()).ok().map(|checkpoint| (note, checkpoint)));
        let origin = log.whose.origin(region);
        log.note = read.filter(|(_, checkpoint)| checkpoint.origin() == origin);
        let Some((_, checkpoint)) = &log.note else {
            sheet.check(Rule::R02, false, || format!("{}: no checkpoint of {origin}", log.whose));
            log.give_up();
            return log;
        };
        let tiles = folder.iter().filter(|(name, _)| **name != CHECKPOINT).map(|(name, bytes)| (*name, *bytes));
        let read = tiles::read(&tiles.collect(), checkpoint.size());
        let same = read.as_ref().is_ok_and(|read| read.tree.root() == checkpoint.root());
        log.untiled = read.as_ref().err().map(ToString::to_string);
        if !same && log.untiled.is_none() {
            log.untiled = Some("its root is another".to_owned());
        }
        // Rosters are looked for in what is there, whether or not it is what was signed.
        log.raw = match read.ok().filter(|_| same) {
            Some(read) => {
                log.tree = read.tree;
                read.entries
            }
            None => loose(folder),
        };
        log.entries = log.raw.iter().map(|entry| parse(entry)).collect();
        log
    }

    /// Takes no part in later rules.
    pub(crate) fn give_up(&mut self) {
        (self.sound, self.rooted) = (false, false);
    }

    /// Checks R05, once the checkpoint is known to be the log's.
    pub(crate) fn check_tiles(&mut self, sheet: &mut Sheet) {
        if self.rooted {
            let Self { untiled, whose, .. } = self;
            sheet
                .check(Rule::R05, untiled.is_none(), || format!("{whose}: {}", untiled.as_deref().unwrap_or_default()));
            if self.untiled.is_some() {
                self.give_up();
            }
        }
    }

    /// The entry at an index.
    pub(crate) fn at(&self, index: u64) -> Option<&E> {
        self.entries.get(usize::try_from(index).ok()?)?.as_ref()
    }

    /// Its entries with their indices.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, &E)> {
        (0..).zip(&self.entries).filter_map(|(index, entry)| Some((index, entry.as_ref()?)))
    }

    /// True when a tree of this size and root is a beginning of this log.
    pub(crate) fn begins_with(&self, size: u64, root: Digest) -> bool {
        self.tree.root_at(size) == Some(root)
    }

    pub(crate) fn size(&self) -> u64 {
        self.raw.len() as u64
    }

    /// Where something stands, for a failure.
    pub(crate) fn place(&self, index: u64) -> String {
        format!("{} entry {index}", self.whose)
    }
}

/// The entries of all bundles, as far as they can be told apart.
fn loose<'a>(folder: &Folder<'a>) -> Vec<&'a [u8]> {
    let mut entries = Vec::new();
    for (_, bundle) in folder.iter().filter(|(name, _)| name.starts_with("tile/entries/")) {
        let mut bytes = *bundle;
        while let Some((length, rest)) = bytes.split_first_chunk() {
            let Some((entry, rest)) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length))) else { break };
            entries.push(entry);
            bytes = rest;
        }
    }
    entries
}
