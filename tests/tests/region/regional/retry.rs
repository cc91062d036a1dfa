//! Sums that fail after figures were masked: what is spent, who may try again.

use super::{
    ADVERT, CHUNK, ERASED, UNMASK, counts, ends, five, ledger, messages, names, question, rounds,
    running_ledgers_agree, wait_for, without,
};
use koonti_evidence::entry::node::{Entry, Own};
use koonti_tests::{Region, Run, Said};
use std::time::{Duration, Instant};

/// Two of five: without them three are left, and four have to be.
const TWO: [&str; 2] = ["ita", "lansi"];

/// Starts these nodes anew, to stop at a step.
fn stop_at(region: &mut Region, nodes: &[&'static str], step: &str) {
    for node in nodes {
        region.take_node(node).stop();
        region.start_node_with(node, &[("KOONTI_STOP_AT", step)]);
    }
    region.wait_until_connected();
}

/// Waits until these nodes have stopped at the step, and kills them.
fn kill_at(region: &mut Region, nodes: &[&'static str], step: &str) {
    for node in nodes {
        region.daemon(node).wait_for_log(&format!("stopped at {step}"));
    }
    for node in nodes {
        region.take_node(node).kill();
    }
}

fn start(region: &mut Region, nodes: &[&'static str]) {
    for node in nodes {
        region.start_node(node);
    }
    for node in nodes {
        region.wait_until_node_connected(node);
    }
}

/// The nodes that a table counts, by its own list.
fn counted(said: &Said) -> Vec<&'static str> {
    let missing = said.json()["nodes_missing"].clone();
    let is_missing = |name: &str| missing.as_array().is_some_and(|all| all.iter().any(|m| m == name));
    names().into_iter().filter(|name| !is_missing(name)).collect()
}

/// The senders of a kind of message in a round.
fn senders(region: &Region, round: koonti_disclosure::Digest, kind: u8) -> Vec<String> {
    messages(region, round).into_iter().filter(|m| m.bytes[0] == kind).map(|m| m.node).collect()
}

/// A first round that failed with masked inputs, and a second that was opened: by
/// whom, at what cost. Those `unpaid` were killed before their debit.
#[track_caller]
fn opened_at_the_second_try(region: &Region, id: &str, said: &Said, unpaid: &[&str]) {
    let quarter = "2026Q3";
    let counted = counted(said);
    assert!(counted.len() >= 4 && said.code == if counted.len() == 5 { 0 } else { 4 }, "{said:?}");
    counts(&said.json(), &counted);
    let rounds = rounds(region, id);
    let [(first, 0, Some(true)), (second, 1, None)] = rounds[..] else { panic!("{rounds:?}") };
    assert_eq!(said.json()["round"], second.to_string());
    // The survivors have signed that they never open the first; the killed could not.
    let erased = sorted(senders(region, first, ERASED));
    assert_eq!(erased, without(&TWO), "three erasures make a certificate");
    assert!(senders(region, first, UNMASK).is_empty());
    let cost = said.json()["cost_nano_rho"].as_u64().expect("a cost");
    for node in counted {
        let story: &[&str] =
            if unpaid.contains(&node) { &["debit", "release"] } else { &["debit", "abort", "carry", "release"] };
        ends(region, node, id, story);
        assert_eq!(region.spent(node, quarter), cost, "{node} has paid once");
        let entries = region.disk(node).entries();
        let joined = entries.iter().filter_map(|entry| match entry {
            Entry::Own(Own::RoundJoined { round, .. }) => Some(*round),
            _ => None,
        });
        assert_eq!(joined.collect::<Vec<_>>(), [first, second], "{node}");
        let erased = entries.iter().any(|e| matches!(e, Entry::Own(Own::RoundErased { round, .. }) if *round == first));
        assert_eq!(erased, !TWO.contains(&node), "{node}: memory that a kill has wiped needs no erasure");
    }
    running_ledgers_agree(region, quarter);
}

/// Two of five are killed, one with its masked figures made and not sent, one before it
/// has paid. They are back at once: the sum is tried again, with new keys and noise, for
/// the same allowance.
#[test]
fn the_killed_come_back_and_the_sum_is_tried_again() {
    let mut region = five(&[]).start();
    stop_at(&mut region, &["ita"], "masked");
    stop_at(&mut region, &["lansi"], "before-debit");
    let asked = format!("{} --phase-timeout 20", question("2026Q3", "5"));
    let began = Instant::now();
    let id = region.ask("aino", &asked);
    assert_eq!(sorted(wait_for(&region, &id, CHUNK, 3)), without(&TWO), "three arrive");
    kill_at(&mut region, &["ita"], "masked");
    kill_at(&mut region, &["lansi"], "before-debit");
    for node in names() {
        let story: &[&str] = if node == "lansi" { &[] } else { &["debit"] };
        assert_eq!(ledger(&region, node, &id), story, "{node}");
    }
    start(&mut region, &TWO);
    let said = region.run_table("aino", &asked);
    assert!(began.elapsed() < Duration::from_secs(20), "nothing waits for time to pass: {:?}", began.elapsed());
    opened_at_the_second_try(&region, &id, &said, &["lansi"]);
    let again = region.run_table("ville", &asked);
    assert_eq!((again.code, &again.out), (said.code, &said.out));
    region.audit();
}

fn sorted(mut names: Vec<String>) -> Vec<String> {
    names.sort();
    names
}

/// Three regions at the same time: most of it is waiting for nodes that do not come.
#[test]
fn a_sum_that_cannot_be_tried_again_is_refused_in_bounded_time() {
    std::thread::scope(|scope| {
        scope.spawn(the_killed_stay_away_and_come_back_later);
        scope.spawn(two_erasures_are_no_certificate);
        scope.spawn(all_are_killed_after_the_debit);
    });
}

/// Two stay away: refused in bounded time, and what was spent stays spent. Asked again when they are back, the certificate of the survivors still
/// holds: the sum is tried again for the same allowance.
fn the_killed_stay_away_and_come_back_later() {
    let mut region = five(&[]).start();
    stop_at(&mut region, &TWO, "masked");
    let began = Instant::now();
    // Its time to accept is over when it is asked again.
    let asked = question("2026Q3", "5");
    let id = region.ask("aino", &format!("{asked} --timeout 5 --phase-timeout 2"));
    kill_at(&mut region, &TWO, "masked");
    let said = region.run_table("aino", &asked);
    assert!(began.elapsed() < Duration::from_secs(40), "{:?}", began.elapsed());
    assert_eq!((said.code, said.out.as_str()), (3, ""), "{said:?}");
    said.complains("the regional sum could not be opened");
    said.complains("what was spent on it stays spent");
    for node in names() {
        let story: &[&str] = if TWO.contains(&node) { &["debit"] } else { &["debit", "abort"] };
        assert_eq!(ledger(&region, node, &id), story, "{node}");
        assert_eq!(region.spent(node, "2026Q3"), 22_800_000, "{node}: it stays spent");
    }
    let list = region.node("etela").words("releases list --output json").ok().json();
    assert_eq!((&list[0]["masked"], list.as_array().map(Vec::len)), (&"erased".into(), Some(1)));
    // Neither does the coordinator need its memory for it.
    region.take_coordinator().kill();
    region.start_coordinator();
    start(&mut region, &TWO);
    region.wait_until_connected();
    let said = region.run_table("aino", &format!("{asked} --phase-timeout 20"));
    opened_at_the_second_try(&region, &id, &said, &[]);
    region.audit();
}

/// The second try fails as the first did: there is no third.
#[test]
fn there_is_no_third_try() {
    let mut region = five(&[]).start();
    stop_at(&mut region, &TWO, "masked");
    let asked = format!("{} --phase-timeout 20", question("2026Q3", "5"));
    let id = region.ask("aino", &asked);
    kill_at(&mut region, &TWO, "masked");
    for node in TWO {
        region.start_node_with(node, &[("KOONTI_STOP_AT", "masked")]);
    }
    kill_at(&mut region, &TWO, "masked");
    start(&mut region, &TWO);
    let said = region.run_table("aino", &asked);
    assert_eq!((said.code, said.out.as_str()), (3, ""), "{said:?}");
    said.complains("the regional sum could not be opened");
    let rounds = rounds(&region, &id);
    let [(_, 0, Some(true)), (second, 1, Some(true))] = rounds[..] else { panic!("{rounds:?}") };
    assert!(senders(&region, second, UNMASK).is_empty());
    let spent_once = |region: &Region| {
        for node in names() {
            ends(region, node, &id, &["debit", "abort", "carry", "abort"]);
            assert_eq!(region.spent(node, "2026Q3"), 22_800_000, "{node}");
        }
    };
    spent_once(&region);
    let again = region.run_table("ville", &asked);
    assert_eq!((again.code, again.out.as_str()), (3, ""), "{again:?}");
    again.complains("the same question is not drawn again");
    spent_once(&region);
    running_ledgers_agree(&region, "2026Q3");
    region.audit_of_nothing();
}

/// One of the three survivors is killed between its erasure and its signature for it:
/// two signatures are no certificate, and there is no second try.
fn two_erasures_are_no_certificate() {
    let mut region = five(&[]).start();
    stop_at(&mut region, &TWO, "masked");
    stop_at(&mut region, &["etela"], "erased");
    let id = region.ask("aino", &format!("{} --phase-timeout 2", question("2026Q3", "5")));
    kill_at(&mut region, &TWO, "masked");
    start(&mut region, &TWO);
    kill_at(&mut region, &["etela"], "erased");
    start(&mut region, &["etela"]);
    let said = region.run_table("aino", &question("2026Q3", "5"));
    assert_eq!((said.code, said.out.as_str()), (3, ""), "{said:?}");
    said.complains("the regional sum could not be opened");
    let rounds = rounds(&region, &id);
    let [(round, 0, Some(true))] = rounds[..] else { panic!("{rounds:?}") };
    assert_eq!(sorted(senders(&region, round, ERASED)), ["keski", "pohja"], "who was restarted signs nothing");
    for node in names() {
        ends(&region, node, &id, &["debit", "abort"]);
        assert_eq!(region.spent(node, "2026Q3"), 22_800_000, "{node}");
    }
    region.audit_of_nothing();
}

/// Two are killed before anybody has masked anything: a new round needs no
/// certificate, and costs once.
#[test]
fn a_round_that_fails_early_is_begun_anew() {
    let mut region = five(&[]).start();
    stop_at(&mut region, &TWO, "joined");
    let asked = format!("{} --phase-timeout 20", question("2026Q3", "5"));
    let id = region.ask("aino", &asked);
    kill_at(&mut region, &TWO, "joined");
    start(&mut region, &TWO);
    let said = region.run_table("aino", &asked);
    let counted = counted(&said);
    assert!(counted.len() >= 4, "{said:?}");
    counts(&said.json(), &counted);
    let rounds = rounds(&region, &id);
    let [(_, 0, Some(false)), (_, 0, None)] = rounds[..] else { panic!("{rounds:?}") };
    for node in counted {
        ends(&region, node, &id, &["debit", "release"]);
        assert_eq!(region.spent(node, "2026Q3"), 22_800_000, "{node}");
    }
    region.audit();
}

/// All are killed after the debit: there is nobody left to sign anything, no second
/// try and no figure. Nothing is spent twice, and another question is answered.
fn all_are_killed_after_the_debit() {
    let mut region = five(&[]).start();
    stop_at(&mut region, &names(), "debited");
    let asked = format!("{} --phase-timeout 4", question("2026Q3", "5"));
    let began = Instant::now();
    let id = region.ask("aino", &asked);
    kill_at(&mut region, &names(), "debited");
    for node in names() {
        assert_eq!(ledger(&region, node, &id), ["debit"], "{node}");
    }
    start(&mut region, &names());
    let waiting = asks(&region, &asked);
    // All that while others may ask.
    let other = region.run_table("ville", &question("2026Q3", "6"));
    assert_eq!(other.code, 0, "{other:?}");
    counts(&other.json(), &names());
    let said = waiting.join().expect("no panic");
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
    assert_eq!((said.code, said.out.as_str()), (3, ""), "{said:?}");
    said.complains("the regional sum could not be opened");
    let rounds = rounds(&region, &id);
    let [(round, 0, Some(true))] = rounds[..] else { panic!("{rounds:?}") };
    assert_eq!(senders(&region, round, ADVERT).len(), 5);
    for kind in [CHUNK, UNMASK, ERASED] {
        assert!(senders(&region, round, kind).is_empty(), "{kind:#x}: nobody signs for a round before its restart");
    }
    let both = 22_800_000 + other.json()["cost_nano_rho"].as_u64().expect("a cost");
    for node in names() {
        ends(&region, node, &id, &["debit", "abort"]);
        assert_eq!(region.spent(node, "2026Q3"), both, "{node}");
        let erased = |entry: &Entry| matches!(entry, Entry::Own(Own::RoundErased { .. }));
        assert!(!region.disk(node).entries().iter().any(erased), "{node}");
        let list = region.node(node).words("releases list --output json").ok().json();
        assert_eq!(list.as_array().map(Vec::len), Some(1), "{node}: of the failed sum nothing has left");
    }
    region.audit();
}

/// Somebody asks and waits.
fn asks(region: &Region, question: &str) -> std::thread::JoinHandle<Said> {
    let run: Run = region.person("aino").words("table run --output json").words(question);
    std::thread::spawn(|| run.say())
}
