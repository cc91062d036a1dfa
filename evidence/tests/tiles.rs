//! A log as files: names and contents against the specification and against another
//! implementation, and every kind of damage.

mod support;

use koonti_evidence::tiles::{ENTRY_MOST_BYTES, Error, names, read, write};
use std::collections::{BTreeMap, BTreeSet};
use support::{entry, tree};
use tlog_tiles::{Hash, HashReader, Tile};

type Files = BTreeMap<String, Vec<u8>>;

const SIZES: [u64; 12] = [0, 1, 2, 70, 255, 256, 257, 511, 512, 513, 65_536, 66_000];

fn entries(size: u64) -> Vec<Vec<u8>> {
    (0..size).map(entry).collect()
}

fn borrowed(files: &Files) -> BTreeMap<&str, &[u8]> {
    files.iter().map(|(name, content)| (name.as_str(), content.as_slice())).collect()
}

#[test]
fn a_log_is_read_as_it_was_written() {
    for size in SIZES {
        let entries = entries(size);
        let files = write(&entries).expect("short entries");
        let expected: BTreeSet<String> = names(size).collect();
        assert_eq!(names(size).count(), expected.len(), "no name twice");
        assert!(files.keys().eq(&expected));
        let log = read(&borrowed(&files), size).unwrap_or_else(|e| panic!("{size}: {e}"));
        assert_eq!(log.entries, entries);
        assert_eq!((log.tree.len(), log.tree.root()), (size, tree(size).root()));
    }
}

/// The example of `tlog-tiles`: 273 full and a partial tile of 112 at level 0, one
/// full and a partial one of 17 at level 1, a partial one of 1 at level 2.
#[test]
fn the_example_of_the_specification() {
    let of = |prefix: &str| names(70_000).filter(|name| name.starts_with(prefix)).collect::<Vec<_>>();
    let (hashes, bundles) = (of("tile/0/"), of("tile/entries/"));
    assert_eq!((hashes.len(), bundles.len()), (274, 274));
    assert_eq!((hashes[0].as_str(), hashes[273].as_str()), ("tile/0/000", "tile/0/273.p/112"));
    assert_eq!(bundles[273], "tile/entries/273.p/112");
    assert_eq!(of("tile/1/"), ["tile/1/000", "tile/1/001.p/17"]);
    assert_eq!(of("tile/2/"), ["tile/2/000.p/1"]);
    assert_eq!(names(70_000).count(), 274 + 274 + 2 + 1);
    assert_eq!(names(256).collect::<Vec<_>>(), ["tile/0/000", "tile/1/000.p/1", "tile/entries/000"]);
    let last = names(1_234_067 * 256 + 1).filter(|name| name.starts_with("tile/0/")).last();
    assert_eq!(last.as_deref(), Some("tile/0/x001/x234/067.p/1"));
}

#[test]
fn tlog_tiles_has_the_same_tiles() {
    let mut stored = Stored(Vec::new());
    for index in 0..66_000 {
        let hashes = tlog_tiles::stored_hashes(index, &entry(index), &stored).expect("stored");
        stored.0.extend(hashes);
    }
    for size in SIZES {
        let files = write(&entries(size)).expect("short entries");
        let theirs: Files = Tile::new_tiles(8, 0, size)
            .into_iter()
            .map(|tile| (tile.path().replacen("tile/8/", "tile/", 1), tile.read_data(&stored).expect("stored")))
            .collect();
        let ours = files.iter().filter(|(name, _)| !name.starts_with("tile/entries/"));
        assert!(ours.eq(&theirs), "{size}");
    }
}

#[test]
fn what_is_no_log_of_this_size() {
    let size = 600;
    let good = write(&entries(size)).expect("short entries");
    let check = |change: &dyn Fn(&mut Files)| {
        let mut files = good.clone();
        change(&mut files);
        read(&borrowed(&files), size).err()
    };
    assert_eq!(check(&|_| ()), None);
    for name in good.keys() {
        let missing = check(&|files| drop(files.remove(name)));
        assert_eq!(missing, Some(Error::Missing(name.clone())));
        let expected =
            Some(if name.contains("entries") { Error::Bundle(name.clone()) } else { Error::Tile(name.clone()) });
        assert_eq!(check(&|files| files.get_mut(name).expect("there").push(0)), expected);
        assert_eq!(check(&|files| assert!(files.get_mut(name).expect("there").pop().is_some())), expected);
        assert_eq!(check(&|files| files.get_mut(name).expect("there").clear()), expected);
        // A changed length breaks the bundle, changed bytes the tile over it.
        let flipped = |files: &mut Files| {
            let content = files.get_mut(name).expect("there");
            *content.last_mut().expect("not empty") ^= 1;
        };
        assert!(matches!(check(&flipped), Some(Error::Bundle(_) | Error::Tile(_))), "{name}");
    }
    for name in [
        "tile/0/003",
        "tile/0/002",
        "tile/0/002.p/87",
        "tile/0/2.p/88",
        "tile/0/000.p/255",
        "tile/0/x000/000",
        "tile/00/000",
        "tile/2/000.p/1",
        "tile/entries/003.p/1",
        "tile/entries/000/",
        "/tile/0/000",
        "checkpoint",
        "",
    ] {
        let stray = check(&|files| drop(files.insert(name.to_owned(), Vec::new())));
        assert_eq!(stray, Some(Error::Stray(name.to_owned())));
    }
    // Other sizes call for other files; the largest is refused at once.
    for other in [0, 599, 601, 1 << 40, (1 << 63) - 1, u64::MAX] {
        assert!(matches!(read(&borrowed(&good), other).err(), Some(Error::Missing(_) | Error::Stray(_))), "{other}");
    }
    // Entries that were swapped, or cut elsewhere, do not fit the hashes.
    let swapped = check(&|files| {
        let bundle = write(&[entry(1), entry(0)]).expect("short")["tile/entries/000.p/2"].clone();
        files.get_mut("tile/entries/000").expect("there")[..bundle.len()].copy_from_slice(&bundle);
    });
    assert_eq!(swapped, Some(Error::Tile("tile/0/000".to_owned())));
}

#[test]
fn an_entry_has_at_most_65535_bytes() {
    let longest = vec![7; ENTRY_MOST_BYTES];
    let files = write(&[&longest[..], b""]).expect("just fits");
    assert_eq!(read(&borrowed(&files), 2).expect("a log").entries, [&longest[..], b""]);
    assert_eq!(write(&[vec![], vec![7; ENTRY_MOST_BYTES + 1]]), Err(Error::TooLong(1)));
}

struct Stored(Vec<Hash>);

impl HashReader for Stored {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, tlog_tiles::Error> {
        Ok(indexes.iter().map(|index| self.0[usize::try_from(*index).expect("small")]).collect())
    }
}
