//! Entries that are none: R08.

use crate::making::{C, Mutant, N0, N1, edited, entry, other, raw, twice, without};
use crate::support::scribe::signatures_of_old;
use crate::support::{approvals, keys_of};
use koonti_disclosure::Digest;
use koonti_verify::Rule::R08;
use serde_json::json;

pub(crate) fn all() -> Vec<Mutant> {
    let mut all = Vec::new();
    for tag in [format!("{C}/access"), format!("{N0}/destroyed"), format!("{N1}/round-joined"), format!("{C}/ready")] {
        let named = tag.replace('/', "-");
        let text = |what: &str, change: &dyn Fn(String) -> String| {
            raw(&format!("{named}-{what}"), &[R08], |at, bytes| {
                if at != tag {
                    return vec![bytes];
                }
                vec![change(String::from_utf8(bytes).unwrap()).into_bytes()]
            })
        };
        all.push(text("field", &|t| t.replace("}", ",\"zz\":1}")));
        all.push(text("null", &|t| t.replacen("{\"", "{\"a\":null,\"", 1)));
        all.push(text("float", &|t| t.replacen("\"time\":", "\"time\":1.0,\"x\":", 1)));
        all.push(text("exponent", &|t| t.replacen("\"time\":177", "\"time\":1e3,\"x\":177", 1)));
        all.push(text("minus-zero", &|t| t.replacen("\"time\":", "\"time\":-0,\"x\":", 1)));
        all.push(text("exponent-time", &|t| {
            let at = t.find("\"time\":").unwrap();
            let end = t[at..].find(',').unwrap() + at;
            format!("{}\"time\":1e9{}", &t[..at], &t[end..])
        }));
        all.push(text("key-twice", &|t| t.replacen("\"time\":", "\"time\":1770000001,\"time\":", 1)));
        all.push(text("key-out-of-order", &|t| {
            let at = t.find(",\"type\":").unwrap();
            let end = t[at + 1..].find(['}', ',']).unwrap() + at + 1;
            format!("{{{},{}{}", &t[at + 1..end], &t[1..at], &t[end..])
        }));
        all.push(text("mark", &|t| format!("\u{feff}{t}")));
        all.push(text("space", &|t| t.replacen(':', ": ", 1)));
        all.push(text("newline", &|t| format!("{t}\n")));
        all.push(text("beyond-ascii", &|t| t.replacen("\"time\"", "\"\u{e4}\":1,\"time\"", 1)));
        all.push(text("escaped", &|t| t.replacen("\"type\"", "\"\\u0074ype\"", 1)));
        all.push(text("kind", &|t| t.replacen("\"type\":\"", "\"type\":\"x", 1)));
        all.push(text("empty", &|_| String::new()));
        all.push(text("no-object", &|_| "[]".to_owned()));
        all.push(text("deep", &|_| "[".repeat(60_000)));
        all.push(text("no-time", &|t| t.replacen("\"time\":", "\"times\":", 1)));
    }
    for log in [C, N0] {
        all.push(twice(&format!("{log}-genesis-twice"), &[R08], &format!("{log}/genesis")));
        all.push(entry(&format!("{log}-genesis-version"), &[R08], &format!("{log}/genesis"), |value| {
            value["v"] = json!(2)
        }));
    }
    all.push(without("node-without-genesis", &[R08], &format!("{N1}/genesis")));
    all.push(entry("seeds-with-a-gap", &[R08], &format!("{N0}/seeds-2"), |value| value["first"] = json!(5)));
    all.push(entry("seeds-again", &[R08], &format!("{N0}/seeds-2"), |value| value["first"] = json!(3)));
    all.push(entry("hex-in-capitals", &[R08], &format!("{N0}/destroyed"), |value| {
        value["vintage"] = json!("0909090909090909090909090909090909090909090909090909090909090A0A");
    }));
    all.push(entry("reason-of-no-list", &[R08], &format!("{C}/refused"), |value| value["reason"] = json!("BECAUSE")));
    all.push(entry("coverage-of-no-word", &[R08], &format!("{N0}/imported"), |value| {
        value["coverage"] = json!("half");
    }));
    all.push(entry("name-in-capitals", &[R08], &format!("{C}/access"), |value| value["auditor"] = json!("Outi")));
    // A member calls with a key of its own, and once revoked with none.
    let renewed = |what: &str, change: &dyn Fn(&mut serde_json::Value)| {
        entry(&format!("renewed-{what}"), &[R08], &format!("{C}/renewed-2"), |value| change(value))
    };
    all.push(renewed("by-a-stranger", &|value| other(&mut value["by"])));
    all.push(renewed("of-another-name", &|value| value["name"] = json!("nobody")));
    all.push(renewed("of-the-other-kind", &|value| value["kind"] = json!("person")));
    all.push(twice("revoked-twice", &[R08], &format!("{C}/revoked")));
    all.push(entry("revoked-nobody", &[R08], &format!("{C}/revoked"), |value| value["name"] = json!("nobody")));
    let next = keys_of(&["liisa", "matti"]);
    let after = |value: &serde_json::Value| -> Digest { value["after"].as_str().unwrap().parse().unwrap() };
    let sign = |who: &[&str], value: &serde_json::Value| {
        let after = after(value);
        approvals(who, |key| key.sign_approvers(after, &next))
    };
    let at = format!("{N1}/approvers-2");
    let approvers = |what: &str, change: &dyn Fn(&mut serde_json::Value)| {
        raw(&format!("approvers-{what}"), &[R08], |tag, bytes| {
            vec![if tag == at { edited(bytes, change) } else { bytes }]
        })
    };
    all.push(approvers("by-one", &|value| value["approvals"] = sign(&["kai"], value)));
    all.push(approvers("by-nobody", &|value| value["approvals"] = json!([])));
    all.push(approvers("by-one-twice", &|value| value["approvals"] = sign(&["kai", "kai"], value)));
    all.push(approvers("by-a-stranger", &|value| value["approvals"] = sign(&["kai", "matti"], value)));
    all.push(approvers("by-two-and-a-stranger", &|value| value["approvals"] = sign(&["kai", "liisa", "pia"], value)));
    all.push(approvers("of-rules", &|value| {
        let after = after(value);
        value["approvals"] = approvals(&["kai", "liisa"], |key| key.sign_policy(after, next[0]))
    }));
    all.push(approvers("of-an-earlier-version", &|value| {
        value.as_object_mut().unwrap().remove("after");
        value["approvals"] = signatures_of_old(&["kai", "liisa"], "approvers", &next);
    }));
    all.push(approvers("of-another-time", &|value| {
        value["after"] = json!(Digest([1; 32]));
        value["approvals"] = sign(&["kai", "liisa"], value);
    }));
    all.push(approvers("of-other-keys", &|value| value["keys"] = json!(keys_of(&["liisa", "pia"]))));
    all.push(approvers("only-one-next", &|value| value["keys"] = json!(keys_of(&["liisa"]))));
    all.push(approvers("out-of-order", &|value| value["approvals"].as_array_mut().unwrap().reverse()));
    all.push(raw("first-approvers-approved", &[R08], |tag, bytes| {
        vec![if tag == format!("{N0}/approvers") {
            edited(bytes, |value| value["approvals"] = sign(&["kai", "liisa"], value))
        } else {
            bytes
        }]
    }));
    all
}
