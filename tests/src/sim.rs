//! A disk that loses what was not synced: what a power cut may leave of recorded steps.
//!
//! The steps are those that a process really made, as `journal/src/fault.rs` writes them
//! down. The model is the strict one: only a file's sync makes its bytes durable, and only
//! a directory's sync the names in it. Until then each change, of whatever file, may be on
//! the disk or not; of a write, any sectors, or a beginning that ends at any byte.
//!
//! Left out: modes and times, and files that do not go through that door (the index, which
//! may be lost at any time).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A step that was done, or an acknowledgement.
#[derive(Clone)]
pub struct Step {
    /// Which: see `journal/src/disk.rs`; or `acknowledged`, `kept`.
    pub what: String,
    /// Offset, length or sequence number.
    pub at: u64,
    /// The file or directory.
    pub path: PathBuf,
    /// What was written; of a rename, the new name.
    pub bytes: Vec<u8>,
}

/// Reads a trace.
///
/// # Panics
/// When it is none.
pub fn steps(trace: &Path) -> Vec<Step> {
    let text = std::fs::read_to_string(trace).expect("a trace");
    let step = |line: &str| {
        let [what, at, path, hex] = line.split('\t').collect::<Vec<_>>().try_into().expect("four fields");
        let pairs = hex.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).expect("hex"));
        let bytes = pairs.map(|pair| u8::from_str_radix(pair, 16).expect("hex")).collect();
        Step { what: what.to_owned(), at: at.parse().expect("a number"), path: path.into(), bytes }
    };
    text.lines().map(step).collect()
}

/// What a power cut keeps of what was not synced.
#[derive(Clone, Copy, Debug)]
pub enum Keep {
    /// Nothing.
    Nothing,
    /// Everything, as when only the process dies.
    All,
    /// Bytes, and no names.
    Bytes,
    /// Names, and no bytes.
    Names,
    /// Any of it.
    Some(u64),
}

/// The disk after some steps.
#[derive(Default)]
pub struct Disk {
    files: Vec<Content>,
    now: BTreeMap<PathBuf, Object>,
    durable: BTreeMap<PathBuf, Object>,
    names: Vec<Naming>,
}

/// What is found after a power cut: files with their bytes, and directories.
pub type Image = BTreeMap<PathBuf, Option<Vec<u8>>>;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Object {
    Dir,
    File(usize),
}

#[derive(Default)]
struct Content {
    durable: Vec<u8>,
    pending: Vec<Change>,
}

#[derive(Clone)]
enum Change {
    Write(usize, Vec<u8>),
    Length(usize),
}

struct Naming {
    dir: PathBuf,
    set: Vec<(PathBuf, Option<Object>)>,
}

impl Disk {
    /// Does a step.
    ///
    /// # Panics
    /// When it is about a file that no earlier step has made.
    pub fn apply(&mut self, step: &Step) {
        let path = &step.path;
        match step.what.as_str() {
            "create" => {
                self.files.push(Content::default());
                self.name(path, &[(path, Some(Object::File(self.files.len() - 1)))]);
            }
            "make" => self.name(path, &[(path, Some(Object::Dir))]),
            "write" => self.file(path).pending.push(Change::Write(step.at as usize, step.bytes.clone())),
            "length" => self.file(path).pending.push(Change::Length(step.at as usize)),
            "sync" => {
                let file = self.file(path);
                file.durable = file.now();
                file.pending.clear();
            }
            "rename" => {
                let to = PathBuf::from(String::from_utf8(step.bytes.clone()).expect("a path"));
                let object = self.now.get(path).copied();
                self.name(path, &[(path, None), (&to, object)]);
            }
            "link" => {
                let to = PathBuf::from(String::from_utf8(step.bytes.clone()).expect("a path"));
                let object = self.now.get(path).copied();
                self.name(path, &[(&to, object)]);
            }
            "remove" => self.name(path, &[(path, None)]),
            "names" => {
                let all = std::mem::take(&mut self.names).into_iter();
                let (synced, rest): (Vec<Naming>, Vec<Naming>) = all.partition(|naming| naming.dir == *path);
                self.names = rest;
                synced.iter().for_each(|naming| set(&mut self.durable, naming));
            }
            "acknowledged" | "kept" => {}
            what => panic!("no step: {what}"),
        }
    }

    /// The bytes of a file as a process sees them.
    pub fn bytes(&self, path: &Path) -> Option<Vec<u8>> {
        match self.now.get(path) {
            Some(Object::File(file)) => Some(self.files[*file].now()),
            _ => None,
        }
    }

    /// What a power cut leaves.
    pub fn cut(&self, keep: Keep) -> Image {
        let mut dice = Dice::new(if let Keep::Some(seed) = keep { seed } else { 0 });
        let mut names = self.durable.clone();
        for naming in &self.names {
            let kept = match keep {
                Keep::All | Keep::Names => true,
                Keep::Nothing | Keep::Bytes => false,
                Keep::Some(_) => dice.below(2) == 0,
            };
            if kept {
                set(&mut names, naming);
            }
        }
        let content = |file: &Content, dice: &mut Dice| match keep {
            Keep::All | Keep::Bytes => file.now(),
            Keep::Nothing | Keep::Names => file.durable.clone(),
            Keep::Some(_) => file.some(dice),
        };
        let contents: Vec<Vec<u8>> = self.files.iter().map(|file| content(file, &mut dice)).collect();
        let there = |path: &Path| {
            path.ancestors().skip(1).all(|dir| !self.now.contains_key(dir) || names.get(dir) == Some(&Object::Dir))
        };
        let found = names.iter().filter(|(path, _)| there(path));
        found
            .map(|(path, object)| match object {
                Object::Dir => (path.clone(), None),
                Object::File(file) => (path.clone(), Some(contents[*file].clone())),
            })
            .collect()
    }

    fn file(&mut self, path: &Path) -> &mut Content {
        match self.now.get(path) {
            Some(Object::File(file)) => &mut self.files[*file],
            _ => panic!("{} was not made through the door", path.display()),
        }
    }

    fn name(&mut self, path: &Path, to: &[(&Path, Option<Object>)]) {
        let dir = path.parent().expect("a file lies in a directory").to_owned();
        let naming = Naming { dir, set: to.iter().map(|(path, object)| ((*path).to_owned(), *object)).collect() };
        set(&mut self.now, &naming);
        self.names.push(naming);
    }
}

impl Content {
    fn now(&self) -> Vec<u8> {
        let mut bytes = self.durable.clone();
        self.pending.iter().for_each(|change| change.to(&mut bytes));
        bytes
    }

    fn some(&self, dice: &mut Dice) -> Vec<u8> {
        let mut bytes = self.durable.clone();
        for change in &self.pending {
            match (change, dice.below(4)) {
                (_, 0) => {}
                // The length is written, and some sectors of the bytes.
                (Change::Write(at, written), 1) => {
                    let end = at + written.len();
                    if bytes.len() < end {
                        bytes.resize(end, 0);
                    }
                    for sector in at / SECTOR..=end / SECTOR {
                        let (from, to) = ((sector * SECTOR).max(*at), ((sector + 1) * SECTOR).min(end));
                        if dice.below(2) == 0 && from < to {
                            bytes[from..to].copy_from_slice(&written[from - at..to - at]);
                        }
                    }
                }
                (Change::Write(at, written), 2) => {
                    let part = dice.below(written.len() as u64 + 1) as usize;
                    Change::Write(*at, written[..part].to_vec()).to(&mut bytes);
                }
                (change, _) => change.to(&mut bytes),
            }
        }
        bytes
    }
}

impl Change {
    fn to(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Length(length) => bytes.resize(*length, 0),
            Self::Write(_, written) if written.is_empty() => {}
            Self::Write(at, written) => {
                let end = at + written.len();
                bytes.resize(bytes.len().max(end), 0);
                bytes[*at..end].copy_from_slice(written);
            }
        }
    }
}

fn set(names: &mut BTreeMap<PathBuf, Object>, naming: &Naming) {
    for (path, object) in &naming.set {
        match object {
            Some(object) => drop(names.insert(path.clone(), *object)),
            None => drop(names.remove(path)),
        }
    }
}

/// Puts an image's files of the directory `from` into the new directory `to`.
///
/// # Panics
/// When they cannot be written.
pub fn put(image: &Image, from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for (path, bytes) in image {
        let Ok(inner) = path.strip_prefix(from) else { continue };
        let path = to.join(inner);
        match bytes {
            None => std::fs::create_dir_all(path).expect("a folder"),
            Some(bytes) => std::fs::write(path, bytes).expect("a file"),
        }
    }
}

/// Numbers that look random and follow from a seed.
pub struct Dice(u64);

impl Dice {
    /// With this seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `limit`.
    pub fn below(&mut self, limit: u64) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % limit
    }
}

/// What a disk writes as one.
const SECTOR: usize = 512;
