//! Blobs that were made so before they were named: R06, R11, R16, R17, R21, R22, R24.

use crate::making::{C, Mutant, N1, blob, edited, entries, files, honest, raw};
use crate::support::with_header;
use koonti_disclosure::Digest;
use koonti_evidence::tree::{Tree, leaf_hash};
use koonti_verify::Rule::{self, *};
use serde_json::{Value, json};

pub(crate) fn all() -> Vec<Mutant> {
    let mut all = Vec::new();
    let release = |name: &str, fails: &[Rule], change: &dyn Fn(&mut Vec<u8>, usize)| {
        blob(&format!("release-{name}"), fails, &format!("{N1}/release-a"), |mut bytes| {
            let cells = 4 + u32::from_be_bytes(bytes[..4].try_into().unwrap()) as usize;
            change(&mut bytes, cells);
            bytes
        })
    };
    let put = |bytes: &mut [u8], at: usize, state: u8, value: i64| {
        bytes[at] = state;
        bytes[at + 1..at + 9].copy_from_slice(&value.to_be_bytes());
    };
    // The first cell is published, the third withheld; the sums stand three cells behind.
    all.push(release("under-tau", &[R16], &|b, at| put(b, at, 1, 4)));
    all.push(release("negative", &[R16], &|b, at| put(b, at, 1, -4)));
    all.push(release("withheld-with-a-value", &[R16], &|b, at| put(b, at + 18, 0, 3)));
    all.push(release("withheld-with-a-value-in-the-sums", &[R16], &|b, at| put(b, at + 45, 0, -1)));
    all.push(release("published-in-one-vector", &[R16], &|b, at| put(b, at + 27, 0, 0)));
    all.push(release("published-in-the-sums-only", &[R16], &|b, at| put(b, at + 45, 1, 7)));
    all.push(release("state-two", &[R17], &|b, at| b[at] = 2));
    all.push(release("value-too-large", &[R17], &|b, at| put(b, at, 1, (1 << 40) + 1)));
    all.push(release("value-too-small", &[R17], &|b, at| put(b, at, 1, i64::MIN)));
    all.push(release("short", &[R17], &|b, _| drop(b.pop())));
    all.push(release("long", &[R17], &|b, _| b.push(0)));
    all.push(release("a-cell-more", &[R17], &|b, _| b.extend([0; 9])));
    all.push(release("empty", &[R17], &|b, _| b.clear()));
    all.push(release("of-length-only", &[R17], &|b, _| b.truncate(4)));
    all.push(release("huge-length", &[R17], &|b, _| b[..4].fill(0xff)));
    all.push(release("length-zero", &[R17], &|b, _| b[..4].fill(0)));
    all.push(release("header-with-a-space", &[R17], &|b, at| {
        let header = String::from_utf8(b[4..at].to_vec()).unwrap().replacen(':', ": ", 1);
        *b = [&u32::try_from(header.len()).unwrap().to_be_bytes()[..], header.as_bytes(), &b[at..]].concat();
    }));
    type Change = fn(&mut Value);
    let headers: [(&str, Change); 5] = [
        ("version", |v| v["v"] = json!(2)),
        ("field", |v| v["who"] = json!("people")),
        ("vintages", |v| drop(v["vintages"].as_array_mut().unwrap().pop())),
        ("request", |v| v["request"]["periods"] = json!(["2026Q2"])),
        ("codebook", |v| v["request"]["codebook"] = json!(Digest([1; 32]))),
    ];
    for (name, change) in headers {
        all.push(release(&format!("header-{name}"), &[R17], &|b, _| *b = with_header(b, change)));
    }
    let published = |name: &str, fails: &[Rule], tag: &str, change: &dyn Fn(&mut Value)| {
        blob(&format!("published-{name}"), fails, tag, |bytes| edited(bytes, change))
    };
    let add = |v: &mut Value| *v = json!(v.as_i64().unwrap() + 1);
    all.push(published("another-figure", &[R22], "closed-b", &|v| add(&mut v["cells"][0]["value"])));
    all.push(published("a-narrower-interval", &[R22], "closed-b", &|v| add(&mut v["cells"][0]["low"])));
    all.push(published("another-count", &[R22], "closed-c", &|v| add(&mut v["cells"][0]["value"])));
    all.push(published("without-a-node", &[R22], "closed-b", &|v| {
        drop(v["nodes_counted"].as_array_mut().unwrap().pop())
    }));
    all.push(published("without-the-missing", &[R22], "closed-a", &|v| v["nodes_missing"] = json!([])));
    all.push(published("of-another-reason", &[R22], "closed-a", &|v| {
        v["nodes_missing"][0]["reason"] = json!("NO_ANSWER")
    }));
    all.push(published("of-another-cost", &[R22], "closed-b", &|v| v["cost"]["nano_rho"] = json!(1)));
    all.push(published("a-cell-less", &[R17, R22], "closed-b", &|v| drop(v["cells"].as_array_mut().unwrap().pop())));
    all.push(published("a-field-more", &[R17, R22], "closed-b", &|v| v["people"] = json!(["somebody"])));
    all.push(published("of-another-id", &[R17, R22], "closed-b", &|v| v["id"] = json!(Digest([1; 32]))));
    all.push(published("regional-under-the-threshold", &[R16, R28], "closed-r", &|v| {
        let under = v["regional"]["threshold"].as_i64().unwrap() - 1;
        let cells = v["cells"].as_array_mut().unwrap();
        let cell = cells.iter_mut().find(|cell| cell["state"] == "published").unwrap();
        cell["clients"] = json!(under);
    }));
    all.push(published("regional-of-a-lower-threshold", &[R28], "closed-r", &|v| {
        v["regional"]["threshold"] = json!(1)
    }));
    all.push(published("regional-of-another-sum", &[R28], "closed-r", &|v| v["nodes_missing"] = json!([])));
    all.push(published("regional-a-cell-less", &[R17, R28], "closed-r", &|v| {
        drop(v["cells"].as_array_mut().unwrap().pop())
    }));
    all.push(published("regional-without-terms", &[R17, R28], "closed-r", &|v| {
        drop(v.as_object_mut().unwrap().remove("regional"))
    }));
    // What registers cover: of table a, b and r, nodes 2 and 3 state it; of c nobody does.
    for (tag, rule) in [("closed-b", R22), ("closed-r", R28)] {
        let coverage = |what: &str, fails: &[Rule], change: &dyn Fn(&mut Value)| {
            published(&format!("{tag}-coverage-{what}"), fails, tag, &|v| change(&mut v["coverage"]))
        };
        all.push(published(&format!("{tag}-without-coverage"), &[rule], tag, &|v| {
            drop(v.as_object_mut().unwrap().remove("coverage"))
        }));
        all.push(coverage("of-one-node-less", &[rule], &|v| drop(v.as_array_mut().unwrap().pop())));
        all.push(coverage("larger-than-stated", &[rule], &|v| v[1]["coverage"] = json!("all")));
        all.push(coverage("of-a-node-that-states-none", &[rule], &|v| v[0]["node"] = json!("node-001")));
        all.push(coverage("of-other-periods", &[rule], &|v| v[1]["periods"] = json!(["2026Q2"])));
        all.push(coverage("out-of-order", &[rule], &|v| v.as_array_mut().unwrap().reverse()));
        all.push(coverage("in-another-word", &[R17, rule], &|v| v[1]["coverage"] = json!("half")));
        all.push(coverage("with-a-field-more", &[R17, rule], &|v| v[1]["units"] = json!(3)));
        all.push(coverage("of-nobody", &[R17, rule], &|v| *v = json!([])));
    }
    all.push(published("coverage-that-nobody-stated", &[R22], "closed-c", &|v| {
        v["coverage"] = json!([{"coverage": "all", "node": "node-001", "periods": ["2026Q2"]}])
    }));
    // Heads.
    let beginning = |log: &str, size: usize| {
        let tree: Tree = entries(&honest(), log)[..size].iter().map(|entry| leaf_hash(entry)).collect();
        json!([size, tree.root()])
    };
    all.push(blob("heads-before-the-seeds", &[R21], "heads-a", |bytes| {
        edited(bytes, |v| v["node-001"] = beginning(N1, 5))
    }));
    all.push(blob("heads-before-the-import", &[R21], "heads-a", |bytes| {
        edited(bytes, |v| v["node-001"] = beginning(N1, 3))
    }));
    all.push(blob("heads-of-another-root", &[R06], "heads-a", |bytes| {
        edited(bytes, |v| v["node-001"][1] = json!(Digest([1; 32])))
    }));
    all.push(blob("heads-with-a-space", &[R06], "heads-a", |mut bytes| {
        bytes.insert(1, b' ');
        bytes
    }));
    all.push(blob("heads-without-the-node", &[R10, R21], "heads-c", |bytes| {
        edited(bytes, |v| drop(v.as_object_mut().unwrap().remove("node-001")))
    }));
    // Rules and rosters.
    all.push(blob("rules-with-a-space", &[R11], &format!("{N1}/policy"), |mut bytes| {
        bytes.insert(1, b' ');
        bytes
    }));
    all.push(blob("rules-of-k-two", &[R11], &format!("{N1}/policy"), |bytes| edited(bytes, |v| v["k"] = json!(2))));
    all.push(blob("rules-with-a-field", &[R11], &format!("{N1}/policy"), |bytes| {
        edited(bytes, |v| v["more"] = json!(2))
    }));
    // Blobs that are not there.
    let gone = |name: &str, fails: &[Rule], of: &dyn Fn(&Value) -> Option<String>| {
        let hash = [C, N1]
            .iter()
            .flat_map(|log| entries(&honest(), log))
            .find_map(|entry| of(&serde_json::from_slice(&entry).unwrap()));
        files(name, fails, |files| drop(files.remove(&format!("blobs/{}", hash.clone().unwrap())).unwrap()))
    };
    let text = |v: &Value| v.as_str().map(str::to_owned);
    all.push(gone("no-heads", &[R06], &|v| text(&v["heads"])));
    all.push(gone("no-rules", &[R11], &|v| text(&v["policy"]).filter(|_| v["type"] == "policy-approved")));
    all.push(gone("no-release", &[R18], &|v| text(&v["release"]).filter(|_| v["type"] == "released")));
    all.push(gone("no-published-table", &[R17], &|v| text(&v["published"]).filter(|_| v["type"] == "closed")));
    all.push(gone("no-published-regional-table", &[R17], &|v| {
        text(&v["published"]).filter(|_| v["counted"].is_array())
    }));
    all.push(gone("no-first-roster", &[R24], &|v| text(&v["roster"]).filter(|_| v["type"] == "roster")));
    // One node's release under another's name.
    let held = std::cell::RefCell::new(json!(null));
    all.push(raw("released-swapped", &[R10, R18, R20, R22], |tag, bytes| {
        vec![edited(bytes, |v| match tag {
            "coordinator/released-a-1" => *held.borrow_mut() = v.clone(),
            "coordinator/released-a-2" => {
                v["release"] = held.borrow()["release"].clone();
                v["signature"] = held.borrow()["signature"].clone();
            }
            _ => {}
        })]
    }));
    all
}
