//! The queue of questions: nodes that are away, a coordinator that is killed,
//! deadlines, late answers.

use koonti_disclosure::Digest;
use koonti_tests::disk::{self, of_debit};
use koonti_tests::{Node, Plan, Region, until};
use serde_json::Value;
use std::time::Duration;

const QUESTION: &str = "--by sex --period 2026Q3 --sd 5";

/// The round's nonce of a table, from the coordinator's journal.
fn nonce(region: &Region, id: &str) -> Digest {
    let id: Digest = id.parse().expect("an id");
    disk::coordinator(&region.coordinator_state()).tables.get(&id).expect("a table").nonce
}

/// A question is asked while one node is away and a person at the other has not
/// decided; the coordinator dies; the person decides; everyone comes back.
#[test]
fn a_question_outlives_its_coordinator_and_its_nodes() {
    let plan = Plan::new().node(Node::each("paikalla", "205")).node(Node::auto("poissa", "297"));
    let mut region = plan.person("aino", "requester").start();
    region.take_node("poissa").stop();
    let id = region.ask("aino", QUESTION);
    region.wait_for_question("paikalla", &id, "waiting");
    let asked = nonce(&region, &id);
    // Somebody waits for the table all the while.
    let run = region.person("aino").words("table run --output json").words(QUESTION);
    let waiting = std::thread::spawn(|| run.say());
    std::thread::sleep(Duration::from_millis(500));

    region.take_coordinator().kill();
    region.node("paikalla").words("requests approve").arg(&id).ok();
    // The answer is computed and kept while nobody is there to take it.
    region.wait_for_question("paikalla", &id, "released");
    let kept = region.disk("paikalla").release_files();
    assert_eq!(kept.len(), 1);

    region.start_coordinator();
    assert_eq!(nonce(&region, &id), asked, "a restart starts no new round");
    region.wait_until_node_connected("paikalla");
    let shown = region.person("aino").words("table show --output json").arg(&id).ok().json();
    assert_eq!(shown[0]["state"], "open", "the table waits for the node that is away");
    region.start_node("poissa");
    let said = region.run_table("aino", QUESTION);
    assert_eq!((said.code, said.json()["nodes_counted"].as_u64()), (0, Some(2)), "{said:?}");
    let waited = waiting.join().expect("no panic");
    assert_eq!((waited.code, &waited.out), (0, &said.out), "who waited has it too: {waited:?}");

    assert_eq!(nonce(&region, &id), asked);
    for node in ["paikalla", "poissa"] {
        let debits = region.disk(node).debits();
        assert_eq!(debits.len(), 1, "{node} has paid once");
        assert_eq!(of_debit(&debits[0].1, "nonce"), asked.to_string(), "{node} drew with the round's nonce");
    }
    let held = disk::release_files(&region.coordinator_state());
    assert!(held.contains(&kept[0]), "what was computed while the coordinator was dead is what it holds");
    region.audit();
}

/// A deadline passes with one node away: the rest is published, the node named.
/// Later it is brought in; the other's release is neither changed nor paid again.
#[test]
fn a_missing_node_is_named_and_brought_in_later() {
    let plan = Plan::new().node(Node::auto("ajoissa", "205")).node(Node::auto("poissa", "297"));
    let mut region = plan.person("aino", "requester").start();
    region.take_node("poissa").stop();
    let quote = region.person("aino").words("table quote").words(QUESTION).ends(4);
    quote.complains("not reached: poissa");
    let question = format!("{QUESTION} --timeout 4");
    let partial = region.run_table("aino", &question);
    assert_eq!(partial.code, 4, "{partial:?}");
    let missing = |table: &Value| table["missing"].clone();
    assert_eq!(missing(&partial.json()), serde_json::json!([{"node": "poissa", "reason": "NO_ANSWER"}]));
    partial.complains("missing: poissa: the node did not answer before the deadline");
    let released = region.disk("ajoissa").releases();
    let first = region.disk("ajoissa").release_files();
    let rounds = nonce(&region, partial.json()["id"].as_str().expect("an id"));

    // Asked again without the flag, nobody is asked anew, also when the node is back.
    region.start_node("poissa");
    region.wait_until_node_connected("poissa");
    let again = region.run_table("aino", &question);
    assert_eq!((again.code, &again.out), (4, &partial.out));
    assert!(region.disk("poissa").debits().is_empty());

    let whole = region.run_table("aino", &format!("{QUESTION} --retry-missing"));
    assert_eq!(whole.code, 0, "{whole:?}");
    assert_eq!((missing(&whole.json()), whole.json()["nodes_counted"].as_u64()), (serde_json::json!([]), Some(2)));
    assert_eq!(region.disk("ajoissa").releases(), released);
    assert_eq!(region.disk("ajoissa").release_files(), first);
    for node in ["ajoissa", "poissa"] {
        assert_eq!((region.disk(node).debits().len(), region.spent(node, "2026Q3")), (1, 20_000_000), "{node}");
    }
    assert!(disk::release_files(&region.coordinator_state()).contains(&first[0]));
    // What the late node fixed before it was asked, it fixed before this nonce.
    assert_ne!(nonce(&region, whole.json()["id"].as_str().expect("an id")), rounds);

    // The regional figures are sums of what the nodes released, node by node.
    let value = |table: &Value, sex: usize| table["cells"][sex]["value"].as_i64().expect("a figure");
    let late = region.node("poissa").words("releases list --output json").ok().json();
    for sex in 0..2 {
        let added = late[0]["cells"][sex]["value"].as_i64().expect("a figure");
        assert_eq!(value(&whole.json(), sex), value(&partial.json(), sex) + added);
    }
    region.audit();
}

/// A person approves after the deadline has passed: nothing is spent.
#[test]
fn an_approval_after_the_deadline_spends_nothing() {
    let plan = Plan::new().node(Node::each("hidas", "205"));
    let mut region = plan.person("aino", "requester").start();
    let said = region.run_table("aino", &format!("{QUESTION} --timeout 3"));
    assert_eq!(said.code, 3, "{said:?}");
    said.complains("did not answer before the deadline");
    let id = region.questions("hidas")[0]["id"].as_str().expect("an id").to_owned();
    region.wait_for_question("hidas", &id, "expired");
    region.node("hidas").words("requests approve").arg(&id).say();
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!((region.disk("hidas").debits().len(), region.spent("hidas", "2026Q3")), (0, 0));
    // Asked again, it waits again; approved while the daemon is off, it is
    // answered when it runs.
    let again = region.ask("aino", QUESTION);
    assert_eq!(again, id);
    region.wait_for_question("hidas", &id, "waiting");
    region.take_node("hidas").stop();
    region.node("hidas").words("requests approve").arg(&id).ok().complains("when it runs");
    region.wait_for_question("hidas", &id, "approved");
    assert_eq!(region.spent("hidas", "2026Q3"), 0);
    region.start_node("hidas");
    assert_eq!(region.run_table("aino", QUESTION).code, 0);
    assert_eq!(region.disk("hidas").debits().len(), 1);
    region.audit();
}

/// A person who has declined is not asked again, and may change their mind: the
/// next retry brings the node in.
#[test]
fn a_person_may_change_their_mind() {
    let plan = Plan::new().node(Node::auto("nopea", "205")).node(Node::each("tarkka", "297"));
    let region = plan.person("aino", "requester").start();
    let id = region.ask("aino", QUESTION);
    region.wait_for_question("tarkka", &id, "waiting");
    region.node("tarkka").words("requests refuse").arg(&id).ok();
    assert_eq!(region.run_table("aino", QUESTION).code, 4);
    let retry = format!("{QUESTION} --retry-missing");
    let said = region.run_table("aino", &retry);
    assert_eq!(said.code, 4, "asked again, the node says no by itself: {said:?}");
    said.complains("missing: tarkka: a person at the node declined");
    assert_eq!(region.spent("tarkka", "2026Q3"), 0);
    region.node("tarkka").words("requests approve").arg(&id).ok();
    region.wait_for_question("tarkka", &id, "released");
    let said = region.run_table("aino", &retry);
    assert_eq!((said.code, said.json()["nodes_counted"].as_u64()), (0, Some(2)), "{said:?}");
    for node in ["nopea", "tarkka"] {
        assert_eq!((region.disk(node).debits().len(), region.spent(node, "2026Q3")), (1, 20_000_000), "{node}");
    }
    region.audit();
}

/// A person's refusal stands for the offer it was made for, also when the
/// coordinator is away and repeats the offer afterwards.
#[test]
fn a_refusal_made_while_the_coordinator_is_away_stands() {
    let plan = Plan::new().node(Node::each("tarkka", "205"));
    let mut region = plan.person("aino", "requester").start();
    let id = region.ask("aino", QUESTION);
    region.wait_for_question("tarkka", &id, "waiting");
    region.take_coordinator().kill();
    region.node("tarkka").words("requests refuse").arg(&id).ok();
    region.wait_for_question("tarkka", &id, "refused (DECLINED_BY_PERSON)");
    // Its answer dies with it, so that the coordinator has to offer once more.
    region.take_node("tarkka").kill();
    region.start_coordinator();
    region.start_node("tarkka");
    region.wait_until_node_connected("tarkka");
    let said = region.run_table("aino", &format!("{QUESTION} --timeout 20"));
    assert_eq!(said.code, 3, "{said:?}");
    said.complains("a person at the node declined");
    let standing = || region.questions("tarkka")[0]["state"].clone();
    until("the refusal stands", Duration::from_secs(5), || {
        (standing() == "refused (DECLINED_BY_PERSON)").then_some(())
    });
    region.audit_of_nothing();
}
