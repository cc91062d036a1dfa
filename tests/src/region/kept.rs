//! A region kept in an archive, and taken up again: what an earlier version left on
//! disk is what a later one has to go on with.
//!
//! An archive holds the folder of a stopped region, keys included (they protect
//! synthetic registers only), without logs. Taking it up gives it ports of its own;
//! nothing else of it is changed. Certificates in it may have ended.

use super::{Plan, Region};
use crate::ports::Port;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

impl Region {
    /// Stops every daemon and writes the folder to `archive` (tar, gzip).
    ///
    /// # Panics
    /// When that fails.
    pub fn keep(mut self, archive: &Path) {
        self.nodes.clear();
        self.coordinator = None;
        std::fs::remove_dir_all(self.dir().join("logs")).expect("the logs are there");
        let tar = Command::new("tar")
            .args(["--sort=name", "--owner=0", "--group=0", "--numeric-owner", "-czf"])
            .arg(archive)
            .arg("-C")
            .arg(self.dir())
            .arg(".")
            .status();
        assert!(tar.expect("tar runs").success());
    }

    /// Takes up the region in `archive`, made with this plan; nothing runs yet.
    ///
    /// # Panics
    /// When that fails.
    pub fn take_up(archive: &Path) -> Self {
        let folder = tempfile::Builder::new().prefix("koonti-region-").tempdir().expect("a temporary folder");
        let tar = Command::new("tar").arg("-xzf").arg(archive).arg("-C").arg(folder.path()).status();
        assert!(tar.expect("tar runs").success());
        std::fs::create_dir(folder.path().join("logs")).expect("a folder");
        let ports = [Port::take(), Port::take()];
        let (main_port, enrolment_port) = (ports[0].number, ports[1].number);
        let coordinator = folder.path().join("coordinator/coordinator.toml");
        let old = ["listen", "enrolment_listen"].map(|key| listens(&coordinator, key));
        for file in configurations(folder.path()) {
            let text = std::fs::read_to_string(&file).expect("a configuration");
            let text = text.replace(&old[0], &format!("127.0.0.1:{main_port}"));
            let text = text.replace(&old[1], &format!("127.0.0.1:{enrolment_port}"));
            std::fs::write(&file, text).expect("a configuration");
        }
        let rosters = (1..).take_while(|n| folder.path().join(format!("roster-{n}.json")).exists()).count();
        Self {
            coordinator: None,
            nodes: BTreeMap::new(),
            _ports: ports,
            main_port,
            enrolment_port,
            traced: None,
            rosters: u32::try_from(rosters).expect("few"),
            folder,
        }
    }
}

impl Plan {
    /// The region that is kept of each version: five nodes, so that it has a regional
    /// table, and one of them where a person approves.
    pub fn to_keep() -> Self {
        use super::Node;
        Self::new()
            .node(Node::auto("kainuu", "205"))
            .node(Node::auto("savo", "297"))
            .node(Node::auto("karjala", "167"))
            .node(Node::auto("kymi", "286"))
            .node(Node::each("saimaa", "491"))
            .person("aino", "requester")
    }
}

/// The address under `key` of the coordinator's configuration.
fn listens(coordinator: &Path, key: &str) -> String {
    let text = std::fs::read_to_string(coordinator).expect("the coordinator's configuration");
    let line = text.lines().find_map(|line| line.strip_prefix(key)?.trim_start().strip_prefix('='));
    line.expect("an address").trim().trim_matches('"').to_owned()
}

/// Every TOML file in the folders of the region's members.
fn configurations(region: &Path) -> Vec<PathBuf> {
    let members = std::fs::read_dir(region).expect("a folder").map(|entry| entry.expect("an entry").path());
    let files = members.filter(|path| path.is_dir()).flat_map(|member| std::fs::read_dir(member).expect("a folder"));
    let files = files.map(|entry| entry.expect("an entry").path());
    files.filter(|path| path.extension().is_some_and(|e| e == "toml")).collect()
}
