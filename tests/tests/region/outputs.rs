//! Plain words: what people see has no Greek letter, no nano-rho and no L0.
//!
//! Exact terms stand in `docs/privacy.md`, in JSON keys and behind `--explain`;
//! decision records are for those who build. And an idle node is small.

use super::commands::help_pages;
use koonti_tests::{Node, Plan, Run};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The first line with a word that only the privacy page may use.
fn unplain(text: &str) -> Option<&str> {
    let greek = |c: char| ('\u{370}'..='\u{3ff}').contains(&c) || ('\u{1f00}'..='\u{1fff}').contains(&c);
    let word = |line: &str, word: &str| line.split(|c: char| !c.is_alphanumeric()).any(|w| w == word);
    text.lines().find(|line| {
        let lower = line.to_lowercase();
        line.contains(greek) || lower.contains("nano-rho") || lower.contains("nanorho") || word(line, "L0")
    })
}

#[track_caller]
fn assert_plain(what: &str, text: &str) {
    if let Some(line) = unplain(text) {
        panic!("{what}: {line}");
    }
}

#[test]
fn the_words_are_found_where_they_are() {
    for bad in ["sd \u{3c3} = 5", "120 nano-rho left", "the bound L0 is 3", "a\nNano-Rho\nb"] {
        assert!(unplain(bad).is_some(), "{bad}");
    }
    assert!(unplain("k = 5, XL0 and 10\u{b5}s, \u{e4}\u{f6}\u{e5}").is_none());
}

#[test]
fn help_and_pages_are_plain() {
    for program in ["koonti", "koonti-node", "koonti-coordinator"] {
        for (command, help) in help_pages(program) {
            assert_plain(&command, &help);
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut pages = vec![root.join("README.md")];
    pages.extend(markdown(&root.join("docs")));
    pages.retain(|page| page.exists() && !page.ends_with("docs/privacy.md"));
    for page in pages {
        let text = std::fs::read_to_string(&page).expect("a page");
        assert_plain(&page.display().to_string(), &text);
    }
}

/// Pages directly in a folder: `docs/decisions` is for those who build.
fn markdown(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten().map(|e| e.path());
    entries.filter(|p| p.extension().is_some_and(|e| e == "md")).collect()
}

#[test]
fn outputs_are_plain_and_an_idle_node_is_small() {
    let plan = Plan::new().node(Node::auto("kainuu", "205")).node(Node::each("savo", "297"));
    let mut region = plan.person("aino", "requester").start();
    let question = "--by sex,need --period 2026Q3 --sd 5 --max-per-client 2";
    let id = region.ask("aino", question);
    region.wait_for_question("savo", &id, "waiting");
    let waiting = region.node("savo").words("requests list").ok();
    region.node("savo").words("requests approve").arg(&id).ok();
    let answered = std::time::Instant::now();
    let mut said = vec![("waiting", waiting)];
    let person = |line: &str| region.person("aino").words(line);
    said.push(("table run", person("table run").words(question).ok()));
    said.push((
        "score",
        person("table run --measure score --score D07 --by sex --period 2026Q3 --sd 6").words("--timeout 3").say(),
    ));
    said.push(("quote", person("table quote").words(question).ok()));
    said.push((
        "quote 2",
        person("table quote --by age_group,need,area --period 2026Q3 --sd 4 --max-per-client 1").say(),
    ));
    said.push(("refused", person("table run --by sex --period 2026Q3 --sd 0.5").say()));
    said.push(("noise", person("table run --by sex --period 2026Q3 --sd 0.0001").say()));
    for line in ["table list", "nodes list", "codebook show", "codebook show scores", "codebook show need --lang fi"] {
        said.push(("people", person(line).ok()));
    }
    for lang in ["fi", "sv", "en"] {
        said.push(("table show", person("table show --lang").arg(lang).arg(&id).ok()));
    }
    said.push(("csv", person("table show --output csv").arg(&id).ok()));
    for node in ["kainuu", "savo"] {
        for line in ["budget", "releases list", "requests list", "roster show", "check", "releases list --output csv"] {
            said.push(("node", region.node(node).words(line).say()));
        }
        for line in ["policy explain", "policy explain --lang fi", "policy explain --lang sv"] {
            said.push(("policy explain", region.node(node).words(line).ok()));
        }
        said.push(("releases show", region.node(node).words("releases show").arg(&id).ok()));
    }
    for line in ["node list", "person list", "roster draft --k 7"] {
        said.push(("coordinator", region.coordinator().words(line).ok()));
    }
    for (what, said) in &said {
        let data = if said.out.starts_with('{') { "" } else { &said.out };
        assert_plain(what, data);
        assert_plain(what, &said.err);
    }
    for name in ["kainuu", "savo"] {
        assert_plain("a node's log", &region.daemon(name).log());
    }
    assert_plain("the coordinator's log", &region.coordinator_daemon().log());

    // A node that has released and is idle since.
    std::thread::sleep(Duration::from_secs(3).saturating_sub(answered.elapsed()));
    for name in ["kainuu", "savo"] {
        let resident = region.daemon(name).resident_kb();
        println!("{name}: {resident} kB resident");
        assert!(resident < LIMIT_KB, "{name}: {resident} kB resident");
    }
}

const LIMIT_KB: u64 = 30 * 1024;

/// The demo: all of it once more, as a newcomer runs it.
#[test]
fn the_demo_works_and_is_plain() {
    let demo = Run::new("koonti").words("demo --nodes 6 --seed 3").ok();
    assert_plain("demo", &demo.out);
    assert_plain("demo", &demo.err);
    assert!(demo.out.contains("the same bytes, at no cost"), "{}", demo.out);
}
