//! The power of a machine goes while questions are answered: its file system is a file, and
//! a copy of that file, with nothing synced, is all that the daemon gets back. ext4 replays
//! its own journal, and the daemon has to find everything that it had told anybody.

use koonti_tests::mount::{Mounted, ext4};
use koonti_tests::sim::Dice;
use koonti_tests::{Daemon, Node, Plan, Region, disk, not_tested};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const QUARTERS: &[&str] = &["2025Q4", "2026Q1", "2026Q2", "2026Q3"];
const NODES: [(&str, &str); 2] = [("kainuu", "205"), ("savo", "297")];

/// Eight cuts; `KOONTI_POWER_CUTS` makes it more.
#[test]
fn a_machine_whose_power_goes_has_what_it_told() {
    let number = |name: &str, usual: u64| std::env::var(name).map_or(usual, |n| n.parse().expect("a number"));
    let cuts = number("KOONTI_POWER_CUTS", 8);
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock");
    let seed = number("KOONTI_SEED", u64::from(since.subsec_nanos()));
    println!("{cuts} power cuts with KOONTI_SEED={seed}");
    let mut dice = Dice::new(seed);
    let node = |(name, area)| Node { quarters: QUARTERS, ..Node::auto(name, area) };
    let plan = NODES.into_iter().map(node).fold(Plan::new(), Plan::node);
    let mut region = plan.person("aino", "requester").start();
    NODES.iter().for_each(|(name, _)| region.take_node(name).stop());
    region.take_coordinator().stop();
    let node_state = region.disk("kainuu").config().state.clone();
    let on_images = Machine::move_to_image(&node_state, region.dir().join("node"))
        .and_then(|node| Ok((node, Machine::move_to_image(&region.coordinator_state(), region.dir().join("coord"))?)));
    let (mut node, mut coordinator) = match on_images {
        Ok(machines) => machines,
        Err(why) => return not_tested("power cuts", &why),
    };
    rustix::fs::sync();

    region.start_coordinator();
    start_nodes(&mut region);
    let (mut asked, mut lost, mut checkpoints) = (Vec::new(), 0, [0; 3]);
    for cut in 0..cuts {
        let question = format!("--by sex --period {} --sd {}", QUARTERS[cut as usize % QUARTERS.len()], 40 + cut);
        region.ask("aino", &question);
        asked.push(question);
        std::thread::sleep(Duration::from_millis(dice.below(450)));
        if cut % 2 == 0 {
            lost += node.cut(region.take_node("kainuu"));
            // What the coordinator has of the log was told, and so must be on the disk.
            let logs = region.coordinator_state().join("logs");
            let told = koonti_journal::read(&logs.join("kainuu.journal")).expect("a copy");
            let found = koonti_journal::read(&node.state.join("journal")).expect("a journal after a power cut");
            assert!(found.starts_with(&told), "{} entries, {} were told", found.len(), told.len());
            let told = disk::checkpoint_holds(&logs.join("kainuu.checkpoint"), &node.state.join("journal"));
            checkpoints[0] += usize::from(told);
        } else {
            lost += coordinator.cut(region.take_coordinator());
            // What it has cosigned of the nodes' logs, and what they have cosigned of its own.
            for (name, _) in NODES {
                let own = region.disk(name).config().state.clone();
                let copy = coordinator.state.join(format!("logs/{name}.journal"));
                let cosigned = disk::checkpoint_holds(&own.join("checkpoint"), &copy);
                let witnessed = disk::checkpoint_holds(&own.join("witnessed.note"), &coordinator.state.join("journal"));
                checkpoints[1] += usize::from(cosigned);
                checkpoints[2] += usize::from(witnessed);
            }
            region.start_coordinator();
            region.take_node("kainuu").kill();
        }
        // They would wait longer and longer.
        region.take_node("savo").kill();
        start_nodes(&mut region);
    }
    println!("{lost} entries were lost that nobody had been told of; {checkpoints:?} checkpoints hold");
    assert!(checkpoints.iter().all(|held| *held > 0), "{checkpoints:?}");
    for question in &asked {
        let table = region.run_table("aino", question);
        assert_eq!((table.code, table.json()["nodes_counted"].as_u64()), (0, Some(2)), "{question}: {table:?}");
        assert_eq!(region.run_table("aino", question).out, table.out);
    }
    for (name, _) in NODES {
        let files = region.disk(name);
        assert_eq!((files.debits().len(), files.releases().len()), (asked.len(), asked.len()), "{name}");
    }
    region.audit();
    region.take_node("kainuu").stop();
    region.take_coordinator().stop();
}

fn start_nodes(region: &mut Region) {
    for (name, _) in NODES {
        region.start_node(name);
    }
    region.wait_until_connected();
}

/// A daemon's state on a file system of its own, in a file.
struct Machine {
    state: PathBuf,
    image: PathBuf,
    mounted: Option<Mounted>,
    cuts: usize,
}

impl Machine {
    fn move_to_image(state: &Path, image: PathBuf) -> Result<Self, String> {
        let kept = image.with_extension("before");
        std::fs::rename(state, &kept).expect("a folder");
        std::fs::create_dir(state).expect("a folder");
        ext4(&image, 48)?;
        let mounted = Some(Mounted::image(&image, state)?);
        copy(&["-a"], &kept.join("."), state);
        Ok(Self { state: state.to_owned(), image, mounted, cuts: 0 })
    }

    /// The power goes. Returns how many entries of the daemon's journal it took.
    fn cut(&mut self, daemon: Daemon) -> usize {
        daemon.pause();
        let before = koonti_journal::read(&self.state.join("journal")).expect("a whole journal").len();
        self.cuts += 1;
        let next = self.image.with_extension(self.cuts.to_string());
        copy(&["--sparse=always"], &self.image, &next);
        daemon.kill();
        self.mounted = None;
        std::fs::remove_file(&self.image).expect("a file");
        self.mounted = Some(Mounted::image(&next, &self.state).expect("the copy is mounted as the file was"));
        self.image = next;
        before.saturating_sub(koonti_journal::read(&self.state.join("journal")).expect("a journal").len())
    }
}

fn copy(how: &[&str], from: &Path, to: &Path) {
    assert!(Command::new("cp").args(how).arg(from).arg(to).status().expect("cp runs").success());
}
