//! Two persons approve a node's rules, once each time.

use koonti_evidence::entry::node::{Entry, Own};
use koonti_tests::{Node, Plan, Region, until};
use serde_json::{Value, json};
use std::time::Duration;

/// What the operator of a node has of approvals that others gave, put into its inbox.
fn replay(region: &Region, node: &str, order: &Value) {
    let path = region.disk(node).config().state.join("inbox/000000000000000000000001-again.json");
    std::fs::write(&path, order.to_string()).expect("an order");
    until("the order is taken", Duration::from_secs(10), || (!path.exists()).then_some(()));
}

/// The order that a `policy-approved` of a node's log came from.
fn order(region: &Region, node: &str, number: usize) -> Value {
    let disk = region.disk(node);
    let approved = disk.entries().into_iter().filter_map(|entry| match entry {
        Entry::Own(Own::PolicyApproved { approvals, policy, .. }) => Some((approvals, policy)),
        _ => None,
    });
    let (approvals, policy) = approved.into_iter().nth(number).expect("an approval");
    let rules = std::fs::read(disk.config().state.join(format!("blobs/{policy}"))).expect("the rules");
    let rules: Value = serde_json::from_slice(&rules).expect("rules");
    json!({"approvals": approvals, "do": "policy", "policy": rules})
}

#[test]
fn an_approval_is_good_once_at_one_node() {
    let plan = Plan::new().node(Node::auto("kainuu", "205")).node(Node::auto("savo", "297"));
    let mut region = plan.person("aino", "requester").start();
    let show = |region: &Region| region.node("kainuu").words("policy show").ok().out;

    // One person after the other, of stricter rules.
    region.take_node("kainuu").stop();
    let home = region.home("kainuu");
    let file = home.join("policy.toml");
    let rules = std::fs::read_to_string(&file).expect("rules").replace("k = 5", "k = 9");
    std::fs::write(&file, &rules).expect("rules");
    let approve =
        |region: &Region, key: &str| region.node("kainuu").words("policy approve --key").arg(home.join(key)).ok();
    let entries = |region: &Region| region.disk("kainuu").entries().len();
    let before = entries(&region);
    let other = region.node("kainuu").words("policy approve --hash 000000 --key").arg(home.join("dpo.key"));
    other.ends(1).complains("these rules have another hash");
    let one = approve(&region, "dpo.key");
    one.complains("counts of this organisation under 9 are never shown").complains("until another does the same");
    approve(&region, "dpo.key").complains("until another does the same");
    // The file is changed in between: what the first has signed is not these.
    std::fs::write(&file, rules.replace("k = 9", "k = 4")).expect("rules");
    approve(&region, "director.key").complains("until another does the same");
    assert_eq!(entries(&region), before, "one person is not two");
    std::fs::write(&file, &rules).expect("rules");
    approve(&region, "dpo.key");
    approve(&region, "director.key").complains("are in force");
    let strict = show(&region);
    assert!(strict.contains(", approved"), "{strict}");

    // At another node the same persons approve the looser rules.
    let (keys, there) = (["dpo.key", "director.key"].map(|key| home.join(key)), region.home("savo"));
    let set = region.node("savo").words("approver set").words(&region.node("kainuu").words("approver list").ok().out);
    set.arg("--by").arg(there.join("dpo.key")).arg("--by").arg(there.join("director.key")).ok();
    region.node("savo").words("policy approve --key").arg(&keys[0]).arg("--key").arg(&keys[1]).ok();

    // Those, the looser ones of before, and what stands, once more.
    region.start_node("kainuu");
    let before = entries(&region);
    for order in [order(&region, "kainuu", 0), order(&region, "savo", 1), order(&region, "kainuu", 1)] {
        replay(&region, "kainuu", &order);
        assert_eq!(entries(&region), before, "{order}");
    }
    assert_eq!(show(&region), strict);
    region.wait_until_connected();
    assert_eq!(region.run_table("aino", "--by sex --period 2026Q3 --sd 5").code, 0);
    region.audit();

    // Whoever looks is told what stands in the way.
    let check = |region: &Region| region.node("kainuu").arg("check").ends(1).out;
    std::fs::write(&file, rules.replace("k = 9", "k = 3")).expect("rules");
    region.approve_policy("kainuu");
    let (said, explained) = (check(&region), region.node("kainuu").words("policy explain").ok().out);
    assert!(said.contains("the region wants k to be at least 5, so every question is refused"), "{said}");
    assert!(explained.contains("The region wants a larger k than these rules have"), "{explained}");
    std::fs::write(&file, "k = 3").expect("rules");
    let said = check(&region);
    assert!(said.contains("cannot be tried: the rules cannot be read"), "{said}");
}
