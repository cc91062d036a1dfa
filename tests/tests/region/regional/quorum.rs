//! Regions that are too small for a sum.

use super::{QUARTERS, question};
use koonti_tests::{Node, Plan};

/// Four organisations: no regional table, whoever asks for it and however, and never
/// another kind of table instead.
#[test]
fn four_organisations_have_no_regional_tables() {
    let areas = [("etela", "205"), ("ita", "297"), ("keski", "491"), ("lansi", "167")];
    let plan = areas.into_iter().fold(Plan::new(), |plan, (name, area)| plan.node(Node::auto(name, area)));
    let region = plan.person("aino", "requester").start();
    assert!(QUARTERS.contains(&"2026Q3"));
    for command in ["table quote", "table run", "table run --no-wait", "table run --output json"] {
        let said = region.person("aino").words(command).words(&question("2026Q3", "5")).ends(3);
        said.complains("at least five must be in the roster");
        assert_eq!(said.out, "", "{command}");
    }
    let tables = region.person("aino").words("table list --output json").ok().json();
    assert_eq!(tables, serde_json::json!([]), "nothing was asked");
    for (node, _) in areas {
        assert!(region.questions(node).is_empty() && region.disk(node).debits().is_empty(), "{node}");
    }
    let per_node = region.run_table("aino", "--by sex --period 2026Q3 --sd 5");
    assert_eq!((per_node.code, per_node.json()["nodes_counted"].as_u64()), (0, Some(4)), "{per_node:?}");
    assert_eq!(per_node.json()["release"], "per_node");
}
