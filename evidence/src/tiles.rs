//! A log as files, after C2SP `tlog-tiles`: hash tiles and entry bundles.
//!
//! [`write()`] gives the files of a whole log, [`read`] takes exactly those back: no
//! file more or less, every width as the size has it, every hash tile as the entries
//! give it. Of partial tiles there are those of this size only, none of former ones.
//!
//! Entries are opaque here, at most [`ENTRY_MOST_BYTES`] long. Whether the tree is
//! the log's, a checkpoint says: compare [`Log::tree`] with it.

use crate::tree::{Tree, leaf_hash};
use koonti_disclosure::Digest;
use std::collections::{BTreeMap, BTreeSet};

/// The longest entry, in bytes: its length is written as 16 bits.
pub const ENTRY_MOST_BYTES: usize = u16::MAX as usize;

/// A log that was read from its files.
pub struct Log<'a> {
    /// The tree over the entries.
    pub tree: Tree,
    /// The entries, in order.
    pub entries: Vec<&'a [u8]>,
}

/// Why files are not a log.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Error {
    /// An entry is too long.
    #[error("entry {0} is longer than {ENTRY_MOST_BYTES} bytes")]
    TooLong(usize),
    /// A file of a log of this size is not there.
    #[error("{0} is missing")]
    Missing(String),
    /// A file has no place in a log of this size.
    #[error("{0} does not belong to a log of this size")]
    Stray(String),
    /// A bundle does not hold exactly the entries that its name says.
    #[error("{0} does not hold exactly the entries that its name says")]
    Bundle(String),
    /// A hash tile is not the one that the entries give.
    #[error("{0} is not the tile that the entries give")]
    Tile(String),
}

/// The names of all files of a log of `size` entries, relative to its folder:
/// `tile/<level>/<index>` and `tile/entries/<index>`, with `.p/<width>` at the end
/// where a tile is partial. Made one by one, since a size may be hostile.
pub fn names(size: u64) -> impl Iterator<Item = String> {
    tiles(size).map(|tile| tile.name())
}

/// The files of a log of the given entries, by name.
///
/// # Errors
/// When an entry is too long.
pub fn write<E: AsRef<[u8]>>(entries: &[E]) -> Result<BTreeMap<String, Vec<u8>>, Error> {
    if let Some(long) = entries.iter().position(|entry| entry.as_ref().len() > ENTRY_MOST_BYTES) {
        return Err(Error::TooLong(long));
    }
    let tree: Tree = entries.iter().map(|entry| leaf_hash(entry.as_ref())).collect();
    let file = |tile: Tile| {
        let content = match tile.level {
            Some(level) => tile.hashes(&tree, level),
            None => bundle(&entries[tile.first()..tile.first() + tile.width]),
        };
        (tile.name(), content)
    };
    Ok(tiles(tree.len()).map(file).collect())
}

/// Reads a log of `size` entries from its files, by name.
///
/// # Errors
/// When a file is missing, does not belong, or differs from what [`write()`] gives.
pub fn read<'a>(files: &BTreeMap<&str, &'a [u8]>, size: u64) -> Result<Log<'a>, Error> {
    // Ends at the first missing file, so a huge size costs nothing.
    let mut expected = BTreeSet::new();
    for name in names(size) {
        if !files.contains_key(name.as_str()) {
            return Err(Error::Missing(name));
        }
        expected.insert(name);
    }
    if let Some(stray) = files.keys().find(|name| !expected.contains(**name)) {
        return Err(Error::Stray((*stray).to_owned()));
    }
    let mut entries = Vec::new();
    for tile in tiles(size).filter(|tile| tile.level.is_none()) {
        let name = tile.name();
        entries.extend(unbundle(files[name.as_str()], tile.width).ok_or(Error::Bundle(name))?);
    }
    let tree: Tree = entries.iter().map(|entry| leaf_hash(entry)).collect();
    for tile in tiles(size) {
        let name = tile.name();
        if tile.level.is_some_and(|level| files[name.as_str()] != tile.hashes(&tree, level)) {
            return Err(Error::Tile(name));
        }
    }
    Ok(Log { tree, entries })
}

/// A hash tile of a level, or an entry bundle.
struct Tile {
    level: Option<usize>,
    index: u64,
    width: usize,
}

impl Tile {
    fn name(&self) -> String {
        let row = self.level.map_or_else(|| "entries".to_owned(), |level| level.to_string());
        let mut path = format!("{:03}", self.index % 1000);
        let mut rest = self.index / 1000;
        while rest > 0 {
            path = format!("x{:03}/{path}", rest % 1000);
            rest /= 1000;
        }
        let partial = if self.width < WIDTH { format!(".p/{}", self.width) } else { String::new() };
        format!("tile/{row}/{path}{partial}")
    }

    /// The place of its first hash or entry in its row.
    fn first(&self) -> usize {
        usize::try_from(self.index).expect("the row is in memory") * WIDTH
    }

    fn hashes(&self, tree: &Tree, level: usize) -> Vec<u8> {
        tree.complete(HEIGHT * level, self.first(), self.width).iter().flat_map(|Digest(bytes)| *bytes).collect()
    }
}

/// All tiles of a log of `size` entries: hashes from level 0 up, then entries.
fn tiles(size: u64) -> impl Iterator<Item = Tile> {
    let levels = (0..u64::BITS as usize / HEIGHT).map(move |level| (Some(level), size >> (HEIGHT * level)));
    let rows = levels.take_while(|(_, count)| *count > 0).chain([(None, size)]);
    rows.flat_map(|(level, count)| {
        let tile = move |index: u64| {
            let left = count - index * WIDTH as u64;
            Tile { level, index, width: left.min(WIDTH as u64) as usize }
        };
        (0..count.div_ceil(WIDTH as u64)).map(tile)
    })
}

/// Entries, each behind its length as big-endian 16 bits.
fn bundle<E: AsRef<[u8]>>(entries: &[E]) -> Vec<u8> {
    let mut out = Vec::new();
    for entry in entries.iter().map(AsRef::as_ref) {
        let length = u16::try_from(entry.len()).expect("lengths were checked");
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(entry);
    }
    out
}

/// Exactly `width` entries; none when there are more, fewer or other bytes.
fn unbundle(mut bytes: &[u8], width: usize) -> Option<Vec<&[u8]>> {
    let mut entries = Vec::new();
    for _ in 0..width {
        let (length, rest) = bytes.split_first_chunk()?;
        let (entry, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        entries.push(entry);
        bytes = rest;
    }
    bytes.is_empty().then_some(entries)
}

/// Rows of the tree from one level of tiles to the next.
const HEIGHT: usize = 8;

/// Hashes or entries of a full tile.
const WIDTH: usize = 1 << HEIGHT;
