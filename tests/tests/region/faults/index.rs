//! Whatever happens to the index of a real node, the next start builds it again, answers
//! new questions, and has the same answer to the old one.

use koonti_disclosure::Digest;
use koonti_journal::Index;
use koonti_node::keys::Keys;
use koonti_node::store::Store;
use koonti_tests::sim::Dice;
use koonti_tests::{Node, Plan, Region, disk};
use std::path::{Path, PathBuf};

const OLD: &str = "--by sex --period 2026Q3 --sd 40";

/// What is done to the index, by name; the folder, and that of another node.
type Ruin = (&'static str, fn(&Path, &Path));

const RUINS: [Ruin; 8] = [
    ("deleted", |index, _| std::fs::remove_dir_all(index).expect("an index")),
    ("cut in half", |index, _| disk::truncate_index(index.parent().expect("a state"))),
    ("zeroed", |index, _| each_file(index, |bytes| bytes.fill(0))),
    ("flipped at random", |index, _| {
        let mut dice = Dice::new(7);
        each_file(index, |bytes| {
            for _ in 0..=bytes.len() / 200 {
                let at = dice.below(bytes.len().max(1) as u64) as usize;
                bytes.get_mut(at).into_iter().for_each(|byte| *byte ^= 1 << dice.below(8));
            }
        });
    }),
    ("of another node", |index, other| {
        std::fs::remove_dir_all(index).expect("an index");
        let copied = std::process::Command::new("cp").arg("-a").arg(other).arg(index).status();
        assert!(copied.expect("cp runs").success());
    }),
    ("ahead of the journal", |index, _| {
        std::fs::remove_dir_all(index).expect("an index");
        let entries = vec![b"an entry".to_vec(); 2_000];
        let pairs = |seq: u64, _: &[u8]| vec![(seq.to_be_bytes().to_vec(), vec![1])];
        drop(Index::open(index, &entries, pairs).expect("an index"));
    }),
    ("a file", |index, _| {
        std::fs::remove_dir_all(index).expect("an index");
        std::fs::write(index, "no folder").expect("a file");
    }),
    ("full of folders", |index, _| {
        for name in ["db", "conf"] {
            std::fs::remove_file(index.join(name)).expect("a file");
            std::fs::create_dir(index.join(name)).expect("a folder");
        }
    }),
];

#[test]
fn a_node_whose_index_is_ruined_goes_on() {
    let plan = Plan::new().node(Node::auto("kainuu", "205")).node(Node::auto("savo", "297"));
    let mut region = plan.person("aino", "requester").start();
    let id = region.ask("aino", OLD);
    let old = region.run_table("aino", OLD);
    assert_eq!(old.code, 0, "{old:?}");
    region.take_node("savo").stop();
    region.take_node("kainuu").stop();
    let other = region.disk("savo").config().state.join("index");
    let spare = region.dir().join("index-of-savo");
    assert!(std::process::Command::new("cp").arg("-a").arg(&other).arg(&spare).status().expect("cp runs").success());
    region.start_node("savo");
    let first = stored(&region, &id);
    for (number, (name, ruin)) in RUINS.iter().enumerate() {
        println!("{name}");
        let index = region.disk("kainuu").config().state.join("index");
        ruin(&index, &spare);
        region.start_node("kainuu");
        region.wait_until_node_connected("kainuu");
        let table = region.run_table("aino", &format!("--by sex --period 2026Q3 --sd {}", 50 + number));
        assert_eq!((table.code, table.json()["nodes_counted"].as_u64()), (0, Some(2)), "{name}: {table:?}");
        region.take_node("kainuu").stop();
        assert!(stored(&region, &id) == first, "{name}: the old answer has changed");
        assert!(index.is_dir(), "{name}: there is no index");
    }
    let state = region.disk("kainuu").config().state.clone();
    let aside = |n: &u32| state.join(format!("index.bad.{n}")).exists();
    assert!((1..=8).filter(aside).count() >= 4, "what was ruined was set aside");
    assert_eq!(region.disk("kainuu").debits().len(), 1 + RUINS.len());
    region.start_node("kainuu");
    assert_eq!(region.run_table("aino", OLD).out, old.out);
    region.audit();
}

/// What the node's own store finds under a question, by its index.
fn stored(region: &Region, id: &str) -> Vec<u8> {
    let config = region.disk("kainuu").config().clone();
    let key = Keys::load(&config.keys).expect("keys").identity.public();
    // A process that another test is just starting has this one's open files for a moment.
    let store =
        koonti_tests::until("the store is free", std::time::Duration::from_secs(10), || match Store::open(&config) {
            Err(koonti_node::error::Error::Disk(koonti_journal::Error::Locked { .. })) => None,
            opened => Some(opened.expect("the store opens")),
        });
    let id: Digest = id.parse().expect("an id");
    let release = store.release(id, key).expect("the index answers").expect("it was released");
    release.bytes().to_vec()
}

fn each_file(dir: &Path, mut ruin: impl FnMut(&mut Vec<u8>)) {
    let files: Vec<PathBuf> = std::fs::read_dir(dir).expect("an index").map(|e| e.expect("a file").path()).collect();
    for path in files.into_iter().filter(|path| path.is_file()) {
        let mut bytes = std::fs::read(&path).expect("a file");
        ruin(&mut bytes);
        std::fs::write(&path, bytes).expect("a file");
    }
}
