//! Writes the archive that later versions are tested against: see
//! `tests/tests/region/upgrade.rs`.
//!
//! ```sh
//! cargo run -p koonti-tests --example keep -- tests/fixtures/regions/VERSION.tar.gz
//! ```

use koonti_tests::{Plan, until};
use std::path::PathBuf;
use std::time::Duration;

fn main() {
    let archive = PathBuf::from(std::env::args_os().nth(1).expect("the archive to write"));
    let region = Plan::to_keep().start();
    let per_node = region.ask("aino", "--by sex,need --period 2026Q3 --sd 4 --max-per-client 2");
    region.wait_for_question("saimaa", &per_node, "waiting");
    region.node("saimaa").words("requests approve").arg(&per_node).ok();
    let regional = region.ask("aino", "--release regional --by sex --period 2026Q3 --sd 6");
    region.wait_for_question("saimaa", &regional, "waiting");
    region.node("saimaa").words("requests approve").arg(&regional).ok();
    for (id, file) in [(&per_node, "per-node.json"), (&regional, "regional.json")] {
        let table = until("the table is published", Duration::from_secs(60), || {
            let said = region.person("aino").words("table show --output json").arg(id).say();
            (said.code == 0 && said.json().get("cells").is_some()).then_some(said.out)
        });
        std::fs::write(region.dir().join(file), table).expect("a file");
    }
    region.audit();
    // A question that nobody has decided on yet is open in the archive.
    let open = region.ask("aino", "--by age_group --period 2026Q3 --sd 7 --timeout 2592000");
    region.wait_for_question("saimaa", &open, "waiting");
    for node in ["kainuu", "savo", "karjala", "kymi"] {
        region.wait_for_question(node, &open, "released");
    }
    region.keep(&archive);
}
