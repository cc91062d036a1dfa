//! What every command promises: exit codes, help, stdout for data only.

use koonti_tests::{Node, Plan, Run};
use std::fs;

/// A floor that governance has set stays in the next draft; who loosens it is told so.
#[test]
fn a_floor_stays_until_it_is_changed_and_who_loosens_it_is_told() {
    let kainuu = Node::auto("kainuu", "205");
    let region = Plan::new().node(kainuu.clone()).prepare();
    region.node("kainuu").words("enroll --token-file -").input(&region.invite_node(&kainuu)).ok();
    let draft = |flags: &str| region.coordinator().words("roster draft").words(flags).ok();
    let sign = |draft: &str, before: &[&str]| {
        let run =
            Run::new("koonti").words("governance sign - --key").arg(region.dir().join("governance/governance.key"));
        before.iter().fold(run, |run, file| run.arg("--before").arg(region.dir().join(file))).input(draft).ok()
    };
    let keep = |file: &str, signed: &str| {
        let path = region.dir().join(file);
        fs::write(&path, signed).expect("a file");
        region.coordinator().words("roster install").arg(&path).ok();
        region.node("kainuu").words("roster approve --yes --file").arg(&path).ok().out
    };
    let floor = |said: &koonti_tests::Said| said.json()["floor"].clone();
    assert_eq!(floor(&draft("")), serde_json::json!({"c": 1, "eta": [1, 100], "j": 2, "k": 5}));
    let strict = draft("--k 7 --known-to 3");
    assert!(!strict.err.contains("looser"), "{}", strict.err);
    keep("strict.json", &sign(&strict.out, &[]).out);
    let plain = draft("");
    assert_eq!(floor(&plain), floor(&strict), "it stays");
    assert!(!sign(&plain.out, &["strict.json"]).err.contains("looser"));
    let loose = draft("--k 5");
    let line = "looser than before: smallest count: 7 -> 5";
    loose.complains(line);
    let signed = sign(&loose.out, &["strict.json"]);
    signed.complains(line);
    let told = keep("loose.json", &signed.out);
    assert!(told.contains(line) && !told.contains("know one person"), "{told}");
}

/// Every exit code, from real commands.
#[test]
fn exit_codes() {
    let wide = Node { quarters: &["2026Q2", "2026Q3"], ..Node::auto("kainuu", "205") };
    let plan = Plan::new().node(wide).node(Node::auto("savo", "297"));
    let region = plan.person("aino", "requester").start();
    let person = |line: &str| region.person("aino").words(line);
    // 0: done, and data on stdout.
    let done = person("table run --by sex --period 2026Q3 --sd 5").ok();
    assert!(!done.out.is_empty());
    let silent = |said: koonti_tests::Said| assert_eq!(said.out, "", "data although it failed: {}", said.err);
    // 1: failed.
    silent(person("table show 000000000000").ends(1));
    silent(person("table export 000000000000 --out x.csv").ends(1));
    silent(region.node("savo").words("requests approve 000000000000").ends(1));
    silent(region.node("savo").words("releases show 000000000000").ends(1));
    silent(Run::new("koonti").arg("--profile").arg(region.dir().join("nowhere")).words("table list").ends(1));
    // One daemon for one state directory.
    silent(region.node("savo").arg("run").ends(1).complains("another process").clone());
    silent(region.coordinator().arg("run").ends(1).complains("cannot listen").clone());
    // 2: wrong usage, of the command or of the question.
    for line in [
        "table run --nonsense",
        "table frobnicate",
        "table run --by sex --period 2026Q5 --sd 5",
        "table run --by sex --period 2026Q3",
        "table run --by sex --period 2026Q3 --sd 5 --within 8",
        "table run --by income --period 2026Q3 --sd 5",
        "table run --by need --period 2026Q3 --sd 5",
        "table run --by sex --period 2026Q3 --sd 5 --where sex=9",
    ] {
        silent(person(line).ends(2));
    }
    silent(Run::new("koonti-node").words("requests approve").ends(2));
    silent(Run::new("koonti-coordinator").words("node invite x").ends(2));
    // 3: refused by the rules, by the roster, by the allowance.
    silent(person("table run --by sex --period 2020Q1 --sd 5").ends(3).complains("has not imported").clone());
    person("table quote --by sex --period 2020Q1 --sd 5").ends(3);
    silent(person("table run --by sex --period 2026Q3 --sd 1").ends(3).complains("allowance").clone());
    silent(person("table run --by sex --period 2026Q3 --sd 5 --purpose statistics").ends(3));
    silent(person("table run --by sex --period 2026Q3 --sd 5 --where area=405").ends(3).complains("areas").clone());
    // 4: partial, the missing named.
    let partial = person("table run --by sex --period 2026Q2 --sd 5").ends(4);
    partial.complains("missing: savo");
    assert!(!partial.out.is_empty(), "what there is, is printed");
    // 64: bad configuration, with its place in the file.
    let bad = |name: &str, file: &str, line: &str| {
        let path = region.home(name).join(file);
        let text = fs::read_to_string(&path).expect("a file");
        fs::write(&path, format!("surprise = 1\n{text}")).expect("a file");
        let run = match name {
            "coordinator" => region.coordinator(),
            "aino" => region.person(name),
            _ => region.node(name),
        };
        let said = run.words(line).ends(64);
        said.complains(file).complains("surprise").complains("line 1");
        silent(said);
        fs::write(&path, text).expect("a file");
        path
    };
    bad("savo", "node.toml", "budget");
    bad("savo", "policy.toml", "budget");
    bad("savo", "register.toml", "import");
    bad("coordinator", "coordinator.toml", "node list");
    bad("aino", "profile.toml", "table list");
    let question = region.dir().join("question.toml");
    fs::write(&question, "register = \"adult-social-work\"\nfree_text = \"select *\"\n").expect("a file");
    silent(region.person("aino").words("table run").arg(&question).ends(64).complains("line 2").clone());
    region.node("nowhere").words("budget").ends(64);
}

/// A command that takes nothing but options, which all may be left out: its
/// usage line is its example.
fn self_evident(help: &str) -> bool {
    let usage = help.lines().find(|l| l.starts_with("Usage:")).expect("a usage line");
    !usage.replace("[OPTIONS]", "").contains(['<', '['])
}

/// Every help page of a program, subcommands included, with its command line.
pub(crate) fn help_pages(program: &str) -> Vec<(String, String)> {
    let mut pages = Vec::new();
    let mut open = vec![String::new()];
    while let Some(line) = open.pop() {
        let page = Run::new(program).words(&line).arg("--help").ok();
        assert_eq!(page.err, "", "{program} {line} --help writes to stderr");
        let commands = page.out.lines().skip_while(|l| *l != "Commands:").skip(1).take_while(|l| !l.is_empty());
        let names = commands.filter(|l| l.starts_with("  ") && !l.starts_with("   "));
        let names = names.filter_map(|l| l.split_whitespace().next()).filter(|n| *n != "help");
        open.extend(names.map(|name| format!("{line} {name}").trim().to_owned()));
        pages.push((format!("{program} {line}").trim().to_owned(), page.out));
    }
    pages
}

#[test]
fn every_command_explains_itself() {
    let mut lacking = Vec::new();
    for (program, least) in [("koonti", 14), ("koonti-node", 14), ("koonti-coordinator", 10)] {
        let pages = help_pages(program);
        assert!(pages.len() >= least, "{program} has only {} help pages", pages.len());
        for (command, help) in pages {
            let leaf = !help.contains("\nCommands:\n");
            let root = command == program;
            if (leaf || root) && !help.contains("Example") && !self_evident(&help) {
                lacking.push(command.clone());
            }
            // A sentence first, and every option explained.
            assert!(help.lines().next().is_some_and(|l| l.len() > 10), "{command}: {help}");
        }
        Run::new(program).arg("--version").ok();
    }
    assert!(lacking.is_empty(), "without an example: {lacking:?}");
}

/// An order holds the journal for a moment: a daemon that is started just then waits.
#[test]
fn a_daemon_waits_for_a_command_that_holds_the_journal() {
    let mut region = Plan::new().node(Node::auto("kainuu", "205")).start();
    region.take_node("kainuu").stop();
    let (journal, _) = koonti_journal::Journal::open(&region.disk("kainuu").config().journal()).expect("a journal");
    region.start_node("kainuu");
    std::thread::sleep(std::time::Duration::from_secs(1));
    assert!(region.daemon("kainuu").runs(), "{}", region.daemon("kainuu").log());
    drop(journal);
    region.daemon("kainuu").wait_for_log("connected to the coordinator");
}
