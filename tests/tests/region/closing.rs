//! The end of a quarter, and what an auditor gets of one node.

use koonti_evidence::entry::node::{Entry, Own};
use koonti_tests::{Node, Plan};

/// A closed quarter gives no figures any more; its extracts and seeds are gone, those of
/// other quarters are not.
#[test]
fn a_closed_quarter_is_gone_and_the_others_stay() {
    let quarters: &[&str] = &["2026Q1", "2026Q2", "2026Q3"];
    let node = Node { quarters, ..Node::auto("kainuu", "205") };
    let region = Plan::new().node(node).person("aino", "requester").start();
    let ask = |quarter: &str, sd: u32| region.run_table("aino", &format!("--by sex --sd {sd} --period {quarter}"));
    let first = ask("2026Q2", 5);
    assert_eq!((first.code, ask("2026Q3", 5).code), (0, 0), "{first:?}");
    let both = region.run_table("aino", "--by sex --sd 7 --period 2026Q2,2026Q3");
    assert_eq!(both.code, 0, "{both:?}");
    let disk = region.disk("kainuu");
    let seeds: Vec<u64> = disk.debits().iter().map(|(_, debit)| debit.seed()).collect();
    assert_eq!(seeds, [0, 1, 2], "one each, in order");
    assert!(seeds.iter().all(|seed| disk.has_seed(*seed)));

    region.node("kainuu").words("period close 2026Q2").ends(1).complains("say --yes");
    region.node("kainuu").words("period close 2026Q2 --yes").ok();
    assert!(!disk.has_seed(0), "of the closed quarter alone");
    assert!(disk.has_seed(1) && disk.has_seed(2), "that of both waits for the other");
    let late = ask("2026Q2", 6);
    assert_eq!(late.code, 3, "{late:?}");
    late.complains("has closed one of the periods");
    assert_eq!(ask("2026Q3", 6).code, 0, "the other goes on");
    let again = ask("2026Q2", 5);
    assert_eq!((again.code, &again.out), (0, &first.out), "what was released stays");
    region.node("kainuu").words("period close 2026Q2 --yes").ends(1).complains("closed already");
    let budget = region.node("kainuu").words("budget").ok().out;
    let closed = budget.lines().find(|line| line.contains("2026Q2")).expect("the closed quarter");
    assert!(closed.contains("closed: nothing may be released any more"), "{budget}");
    let quote = region.person("aino").words("table quote --by sex --sd 6 --period 2026Q2 --output json").say().json();
    assert_eq!(quote["nodes"][0]["left_nano_rho"], serde_json::json!([0]), "{quote}");

    // A crash before the order's file was deleted: it comes again, and changes nothing.
    let entries = disk.entries().len();
    let order = disk.config().state.join("inbox/000000000000000000000001-again.json");
    let text = r#"{"do":"close","period":"2026Q2","source":"adult-social-work"}"#;
    std::fs::write(&order, text).expect("an order");
    let taken = || (!order.exists()).then_some(());
    koonti_tests::until("the order is taken", std::time::Duration::from_secs(10), taken);
    assert_eq!(disk.entries().len(), entries, "nothing is closed twice");

    // Nor does an import bring back what could never answer.
    let import = || region.node("kainuu").arg("import");
    import().ok().complains("as they are closed: 2026Q2").complains("with which they stay: 2026Q3");
    let imported = disk.entries().into_iter().rev().find_map(|entry| match entry {
        Entry::Own(Own::Imported { periods, vintage, .. }) => Some((periods, vintage)),
        _ => None,
    });
    let (periods, vintage) = imported.expect("an import");
    assert_eq!(periods, ["2026Q1".parse().expect("a quarter")]);
    let extracts = disk.config().state.join("extracts");
    let kept = |quarter: &str| extracts.join(vintage.short()).join(format!("{quarter}.extract")).exists();
    assert_eq!([kept("2026Q1"), kept("2026Q2"), kept("2026Q3")], [true, false, false]);
    let vintages = || std::fs::read_dir(&extracts).expect("a folder").count();
    let (before, entries) = (vintages(), disk.entries().len());
    koonti_tests::register::write(&region.home("kainuu"), 240, &["2026Q2", "2026Q3"], "205");
    import().ends(1).complains("there is nothing to keep");
    assert_eq!((vintages(), disk.entries().len()), (before, entries), "nothing is kept");
    // An empty register is one by mistake, unless its quarters are named.
    let header = "client;date;born;sex;area;need;D07\n";
    std::fs::write(region.home("kainuu").join("register.csv"), header).expect("a register");
    import().ends(1).complains("has no row of anybody who is counted");
    import().words("--periods 2025Q4").ok().complains("with 2025Q4");

    region.node("kainuu").words("period close 2026Q3 --yes").ok();
    assert!(!(0..4).any(|seed| disk.has_seed(seed)) && disk.has_seed(4), "and now all that were used");

    // What an auditor gets of this node alone.
    let out = region.dir().join("node.tar");
    region.node("kainuu").words("evidence export --out").arg(&out).ok();
    let bytes = std::fs::read(&out).expect("a bundle");
    let files = koonti_evidence::container::read(&bytes, 1000).expect("an archive");
    assert!(files.contains_key("logs/node-kainuu/checkpoint") && files.contains_key("bundle.json"));
    let blobs = files.keys().filter(|name| name.starts_with("blobs/")).count();
    assert_eq!(blobs, 2 + 4, "rules, roster and four releases");
    region.audit();
}
