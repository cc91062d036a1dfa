//! Where the cases play: one region that runs, and folders of a node and a person to
//! spoil, a fresh copy for each case.

use super::Tried;
use koonti_disclosure::Digest;
use koonti_tests::{Node, Plan, Region, Run, until};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// One row of the page.
pub(crate) type Case = fn(&Stage) -> Tried;

/// Stands in fields that are wrong, and must stand in no message.
pub(crate) const WORD: &str = "Kanarialintu";

/// A personal identity code, which some fields are instead.
pub(crate) const IDENTITY: &str = "131052-308T";

/// The node whose folder is copied, enrolled and imported.
const NODE: &str = "kainuu";

/// One region for all cases.
pub(crate) struct Stage {
    pub(crate) region: Region,
    /// A table that the region has published.
    pub(crate) table: String,
    copies: Cell<u32>,
}

/// A folder to spoil.
pub(crate) struct Bench<'a> {
    stage: &'a Stage,
    pub(crate) home: PathBuf,
}

impl Stage {
    pub(crate) fn new() -> Self {
        let mut region = Plan::new()
            .node(Node::auto(NODE, "205"))
            .node(Node::each("savo", "297"))
            .person("aino", "requester")
            .start();
        let table = region.ask("aino", "--by sex --where area=205 --period 2026Q3 --sd 5");
        until("the table is published", Duration::from_secs(30), || {
            let said = region.person("aino").words("table show --output json").arg(&table).say();
            (said.code == 0 && said.json().get("cells").is_some()).then_some(())
        });
        // Its folder is copied at rest.
        region.take_node(NODE).stop();
        region.evidence();
        Self { region, table, copies: Cell::new(0) }
    }

    /// The folder of a node that has released a table.
    pub(crate) fn node(&self) -> Bench<'_> {
        self.copy(NODE, &["."])
    }

    /// The folder of a node before it is enrolled.
    pub(crate) fn new_node(&self) -> Bench<'_> {
        self.copy(NODE, &["node.toml", "policy.toml", "register.toml", "register.csv"])
    }

    /// The profile of a person.
    pub(crate) fn person(&self) -> Bench<'_> {
        self.copy("aino", &["."])
    }

    /// The folder of the coordinator, at another address.
    pub(crate) fn coordinator(&self) -> Bench<'_> {
        self.copy("coordinator", &["."])
    }

    /// An empty folder.
    pub(crate) fn nothing(&self) -> Bench<'_> {
        self.copy("coordinator", &[])
    }

    fn copy(&self, of: &str, what: &[&str]) -> Bench<'_> {
        self.copies.set(self.copies.get() + 1);
        let home = self.region.dir().join(format!("case-{}", self.copies.get()));
        std::fs::create_dir(&home).expect("a folder");
        for path in what {
            let from = self.region.home(of).join(path);
            let copied = Command::new("cp").arg("-a").arg(from).arg(&home).status();
            assert!(copied.expect("cp runs").success());
        }
        Bench { stage: self, home }
    }
}

impl Bench<'_> {
    /// Writes a file of the folder.
    pub(crate) fn write(self, file: &str, bytes: impl AsRef<[u8]>) -> Self {
        std::fs::write(self.home.join(file), bytes).expect("a file");
        self
    }

    /// Replaces a text in a file, which must be there.
    pub(crate) fn edit(self, file: &str, from: &str, to: &str) -> Self {
        let path = self.home.join(file);
        let text = std::fs::read_to_string(&path).expect("a file");
        assert!(text.contains(from), "{from} is not in {file}: {text}");
        self.write(file, text.replacen(from, to, 1))
    }

    /// Changes the byte at a place of a file.
    pub(crate) fn flip(self, file: &str, at: usize) -> Self {
        let mut bytes = std::fs::read(self.home.join(file)).expect("a file");
        bytes[at] ^= 0x55;
        self.write(file, bytes)
    }

    /// Runs `koonti-node` with this folder.
    pub(crate) fn node(&self, words: &str) -> Tried {
        self.tries(Run::new("koonti-node").arg("--config").arg(self.home.join("node.toml")).words(words))
    }

    /// Runs `koonti-coordinator` with this folder.
    pub(crate) fn coordinator(&self, words: &str) -> Tried {
        self.tries(Run::new("koonti-coordinator").arg("--config").arg(self.home.join("coordinator.toml")).words(words))
    }

    /// Runs `koonti` with this folder as the profile.
    pub(crate) fn person(&self, words: &str) -> Tried {
        self.tries(Run::new("koonti").arg("--profile").arg(&self.home).words(words))
    }

    /// Runs a command and compares the folder before and after.
    pub(crate) fn tries(&self, run: Run) -> Tried {
        let before = tree(&self.home);
        let said = run.say();
        Tried { said, as_before: tree(&self.home) == before }
    }

    /// A file of the folder.
    pub(crate) fn path(&self, file: &str) -> PathBuf {
        self.home.join(file)
    }

    /// The table that the region has published.
    pub(crate) fn table(&self) -> &str {
        &self.stage.table
    }

    /// The one file in a folder whose name ends so.
    pub(crate) fn only(&self, folder: &str, ending: &str) -> String {
        let mut found: Vec<String> =
            tree(&self.home.join(folder)).into_keys().filter(|f| f.ends_with(ending)).collect();
        assert_eq!(found.len(), 1, "{found:?}");
        format!("{folder}/{}", found.remove(0))
    }
}

/// Every file with its bytes' hash. The index is left out: it follows from the journal.
fn tree(dir: &Path) -> BTreeMap<String, Digest> {
    let mut files = BTreeMap::new();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path.strip_prefix(dir).expect("inside").to_string_lossy().into_owned();
            if name.split('/').any(|part| part.starts_with("index")) {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else {
                files.insert(name, Digest::of(&std::fs::read(&path).expect("a file")));
            }
        }
    }
    files
}
