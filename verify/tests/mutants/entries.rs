//! Entries that say something else, in logs that were signed so: R09 to R29.

use crate::making::{C, Mutant, N0, N1, behind, both, edited, entry, json, other, raw, twice, without};
use crate::support::scribe::{COSIGNED, START, sign, signatures_of_old};
use crate::support::{approvals, person, request, with_header};
use koonti_disclosure::identity::Intent;
use koonti_disclosure::{Digest, TableRequest, names};
use koonti_verify::Rule::{self, *};
use serde_json::{Value, json};

pub(crate) fn all() -> Vec<Mutant> {
    [
        times(),
        crossing(),
        approved(),
        questions(),
        spending(),
        caps(),
        terms(),
        releases(),
        order(),
        tables(),
        rosters(),
        rounds(),
    ]
    .concat()
}

fn at(log: &str, tag: &str) -> String {
    format!("{log}/{tag}")
}

/// Changes a debit and, alike, the header of its release.
fn with_debit(name: &str, fails: &[Rule], (log, which): (&str, &str), change: impl Fn(&mut Value)) -> Mutant {
    let (debit, release) = (format!("{log}/debit-{which}"), format!("{log}/release-{which}"));
    both(
        name,
        fails,
        |tag, bytes| vec![if tag == debit { edited(bytes, &change) } else { bytes }],
        |tag, bytes| if tag == release { with_header(&bytes, &change) } else { bytes },
    )
}

fn times() -> Vec<Mutant> {
    vec![
        entry("time-back", &[R09], &at(C, "access"), |v| v["time"] = json!(START)),
        entry("time-back-by-one", &[R09], &at(N0, "approved-a"), |v| {
            v["time"] = json!(v["time"].as_u64().unwrap() - 2)
        }),
        entry("time-of-node-back", &[R09], &at(N1, "masked-1"), |v| v["time"] = json!(START + 1)),
        entry("time-ahead", &[R09], &at(C, "access"), |v| v["time"] = json!(COSIGNED + 301)),
        entry("time-of-node-ahead", &[R09], &at(N0, "roster-2"), |v| v["time"] = json!(COSIGNED + 301)),
    ]
}

fn crossing() -> Vec<Mutant> {
    let more = |v: &mut Value, by: i64| *v = json!(v.as_i64().unwrap() + by);
    vec![
        entry("question-knows-more", &[R10], &at(N0, "question-a"), |v| more(&mut v["known"], 1)),
        entry("question-knows-less", &[R10], &at(N0, "question-a"), |v| more(&mut v["known"], -1)),
        entry("question-elsewhere", &[R10], &at(N0, "question-a"), |v| more(&mut v["asked"]["index"], -1)),
        entry("question-beyond-its-head", &[R10], &at(N0, "question-a"), |v| v["asked"]["index"] = json!(900)),
        entry("question-of-a-later-deadline", &[R10], &at(N0, "question-a"), |v| more(&mut v["deadline"], 1)),
        entry("question-of-another-nonce", &[R10, R13], &at(N0, "question-a"), |v| other(&mut v["nonce"])),
        entry("question-of-another-round", &[R10, R13], &at(N0, "question-a"), |v| other(&mut v["round"])),
        entry("question-of-another-root", &[R06], &at(N0, "question-a"), |v| other(&mut v["asked"]["root"])),
        entry("question-of-a-later-head", &[R06], &at(N0, "question-a"), |v| more(&mut v["asked"]["size"], 500)),
        entry("regional-question-elsewhere", &[R10, R21], &at(N0, "question-r"), |v| more(&mut v["asked"]["index"], 1)),
        entry("regional-question-of-another-nonce", &[R10], &at(N0, "question-r"), |v| other(&mut v["nonce"])),
        json("question-of-other-words", &[R10], |tag, v| {
            if tag == at(N0, "question-a") {
                v["request"] = signed(&request(false), "aino", "aino", START + 3601, Intent::Ask);
            }
        }),
        entry("not-asked-of-the-node", &[R10, R28], &at(C, "asked-r"), |v| {
            drop(v["nodes"].as_array_mut().unwrap().pop())
        }),
        entry("asked-of-one-more", &[R22], &at(C, "asked-c"), |v| {
            v["nodes"].as_array_mut().unwrap().push(json!("node-002"))
        }),
        entry("released-elsewhere", &[R10], &at(C, "released-a-0"), |v| more(&mut v["index"], -1)),
        entry("released-beyond", &[R10], &at(C, "released-a-0"), |v| v["index"] = json!(5000)),
        entry("released-under-a-head-before-it", &[R06, R10], &at(C, "released-a-1"), |v| {
            more(&mut v["head"]["size"], -1)
        }),
        entry("released-under-another-root", &[R06, R07], &at(C, "released-c-1"), |v| other(&mut v["head"]["root"])),
        entry("heads-that-are-missing", &[R06, R17], &at(C, "asked-c"), |v| v["heads"] = json!(Digest([1; 32]))),
    ]
}

fn approved() -> Vec<Mutant> {
    let policy =
        |name: &str, change: &dyn Fn(&mut Value)| entry(&format!("rules-{name}"), &[R11], &at(N1, "policy-2"), change);
    let by = |who: &[&str], v: &Value| {
        let (after, hash) = (digest(&v["after"]), digest(&v["policy"]));
        approvals(who, |key| key.sign_policy(after, hash))
    };
    let of_old = |who: &[&str], v: &mut Value| {
        v.as_object_mut().unwrap().remove("after");
        v["approvals"] = signatures_of_old(who, "policy", &[digest(&v["policy"])]);
    };
    vec![
        policy("by-one", &|v| v["approvals"] = by(&["liisa"], v)),
        policy("by-nobody", &|v| v["approvals"] = json!([])),
        policy("by-one-twice", &|v| v["approvals"] = by(&["liisa", "liisa"], v)),
        policy("by-a-former-approver", &|v| v["approvals"] = by(&["kai", "liisa"], v)),
        policy("by-two-and-a-stranger", &|v| v["approvals"] = by(&["liisa", "matti", "pia"], v)),
        policy("by-approvers-signatures", &|v| {
            let (after, hash) = (digest(&v["after"]), digest(&v["policy"]));
            v["approvals"] = approvals(&["liisa", "matti"], |key| key.sign_approvers(after, &[hash]));
        }),
        policy("of-another-time", &|v| {
            v["after"] = json!(Digest([1; 32]));
            v["approvals"] = by(&["liisa", "matti"], v);
        }),
        replayed(),
        twice("rules-approved-once-in-force-twice", &[R11], &at(N1, "policy-2")),
        policy("of-an-earlier-version", &|v| of_old(&["liisa", "matti"], v)),
        entry("first-rules-of-an-earlier-version", &[R11], &at("node-node-002", "policy"), |v| {
            of_old(&["kai", "liisa"], v)
        }),
        policy("with-a-flipped-signature", &|v| other(&mut v["approvals"][1]["signature"])),
        policy("out-of-order", &|v| v["approvals"].as_array_mut().unwrap().reverse()),
        without("rules-before-approvers", &[R11], &at("node-node-002", "approvers")),
        with_debit("debit-under-other-rules", &[R11], (N0, "a"), |v| v["policy"] = json!(Digest([1; 32]))),
        entry("regional-debit-under-other-rules", &[R11], &at(N0, "debit-r"), |v| v["policy"] = json!(Digest([1; 32]))),
    ]
}

/// The same rules, approved by the same persons, at another node.
fn replayed() -> Mutant {
    let first = std::cell::RefCell::new(None);
    json("rules-approved-at-another-node", &[R11], |tag, v| {
        if tag == at(N0, "policy") {
            first.replace(Some(v.clone()));
        }
        if tag == at(N1, "policy") {
            let first = first.take().unwrap();
            assert_eq!(first["policy"], v["policy"]);
            (v["after"], v["approvals"]) = (first["after"].clone(), first["approvals"].clone());
        }
    })
}

fn digest(value: &Value) -> Digest {
    value.as_str().unwrap().parse().unwrap()
}

fn signed(request: &TableRequest, who: &str, by: &str, not_after: u64, intent: Intent) -> Value {
    let signed = person(by).sign_request(request.clone(), names_of(who), not_after, intent);
    serde_json::from_slice(signed.bytes()).unwrap()
}

fn names_of(who: &str) -> koonti_disclosure::Name {
    who.parse().unwrap()
}

/// Puts another signed request wherever the regional one stands; `who` is debited.
fn asked_by(name: &str, fails: &[Rule], who: &str, signed: &dyn Fn() -> Value) -> Mutant {
    json(name, fails, |tag, v| {
        if tag.ends_with("/asked-r") || tag.ends_with("/question-r") {
            v["request"] = signed();
        }
        if tag.ends_with("/debit-r") {
            v["requester"] = json!(who);
        }
    })
}

fn questions() -> Vec<Mutant> {
    let r = || request(true);
    let late = START + 3600;
    let mut all = vec![
        asked_by("question-to-be-quoted", &[R12], "aino", &|| signed(&r(), "aino", "aino", late, Intent::Quote)),
        asked_by("question-of-an-auditor", &[R12], "outi", &|| signed(&r(), "outi", "outi", late, Intent::Ask)),
        asked_by("question-of-somebody-later", &[R12], "pia", &|| signed(&r(), "pia", "pia", late, Intent::Ask)),
        asked_by("question-signed-by-another", &[R12], "aino", &|| signed(&r(), "aino", "outi", late, Intent::Ask)),
        asked_by("question-of-nobody", &[R12], "nobody", &|| signed(&r(), "nobody", "aino", late, Intent::Ask)),
        asked_by("question-that-was-over", &[R12], "aino", &|| signed(&r(), "aino", "aino", START + 3, Intent::Ask)),
        asked_by("question-with-a-flipped-signature", &[R12], "aino", &|| {
            let mut signed = signed(&r(), "aino", "aino", late, Intent::Ask);
            other(&mut signed["signature"]);
            signed
        }),
        asked_by("question-with-a-later-end", &[R12], "aino", &|| {
            let mut signed = signed(&r(), "aino", "aino", late, Intent::Ask);
            signed["not_after"] = json!(late + 1);
            signed
        }),
        asked_by("debit-of-another-requester", &[R13], "outi", &|| signed(&r(), "aino", "aino", late, Intent::Ask)),
        without("no-roster-at-the-node", &[R12, R15], &at("node-node-002", "roster")),
        entry("events-of-a-register-without", &[R12], &at(N1, "imported"), |v| {
            v.as_object_mut().unwrap().remove("events").unwrap();
        }),
        entry("register-that-says-it-has-no-events", &[R08], &at(N1, "imported"), |v| v["events"] = json!(false)),
        entry("register-of-another-name", &[R12], &at(N1, "imported"), |v| v["register"] = json!("q")),
        entry("period-not-held", &[R12, R21], &at(N1, "imported"), |v| {
            v["periods"] = json!(["2025Q4", "2026Q2", "2026Q3"]);
        }),
        behind("a-second-data-source", &[R12], &at(N1, "imported"), |v| {
            let mut second = v.clone();
            (second["source"], second["vintage"]) = (json!("q"), json!(Digest([8; 32])));
            second
        }),
        behind("an-older-extract-than-the-newest", &[R12], &at(N1, "imported"), |v| {
            let mut newer = v.clone();
            newer["vintage"] = json!(Digest([8; 32]));
            newer
        }),
        entry("source-of-another-name", &[R12], &at(N1, "imported"), |v| v["source"] = json!("q")),
        with_debit("debit-of-a-vintage-that-is-not", &[R12, R21], (N1, "a"), |v| {
            v["vintages"][0] = json!(Digest([1; 32]))
        }),
    ];
    // Rules that do not admit the question.
    type Change = fn(&mut Value);
    let rules: [(&str, Change); 7] = [
        ("purpose", |v| v["tables"]["purposes"] = json!([])),
        ("measure", |v| v["tables"]["measures"] = json!(["clients"])),
        ("dimension", |v| v["tables"]["dimensions"] = json!(["need"])),
        ("cells", |v| v["tables"]["most_cells"] = json!(2)),
        ("other-purpose", |v| v["tables"]["purposes"] = json!(["knowledge-management"])),
        ("no-measure", |v| v["tables"]["measures"] = json!([])),
        ("no-dimension", |v| v["tables"]["dimensions"] = json!([])),
    ];
    for (what, change) in rules {
        all.push(both(
            &format!("rules-without-the-{what}"),
            &[R12],
            |_, bytes| vec![bytes],
            |tag, bytes| if tag == at(N1, "policy") { edited(bytes, change) } else { bytes },
        ));
    }
    all.push(both(
        "rules-under-the-floor",
        &[R12, R15],
        |_, bytes| vec![bytes],
        |tag, bytes| if tag == at(N1, "policy") { edited(bytes, |v| v["k"] = json!(4)) } else { bytes },
    ));
    all.push(both(
        "rules-that-ask-a-person",
        &[R13],
        |_, bytes| vec![bytes],
        |tag, bytes| if tag == at(N1, "policy") { edited(bytes, |v| v["approval"] = json!("each")) } else { bytes },
    ));
    all
}

fn spending() -> Vec<Mutant> {
    let abort = |v: &Value| json!({"type": "abort", "debit": v["debit"]});
    vec![
        without("debit-without-an-approval", &[R13], &at(N0, "approved-a")),
        without("regional-debit-without-an-approval", &[R13], &at(N0, "approved-r")),
        without("debit-without-a-question", &[R13], &at(N0, "question-a")),
        without("carry-of-an-open-debit", &[R13], &at(N0, "abort")),
        entry("approval-of-another", &[R13], &at(N0, "approved-a"), |v| other(&mut v["request"])),
        entry("debit-of-other-periods", &[R13], &at(N1, "debit-a"), |v| v["periods"] = json!(["2026Q1", "2026Q2"])),
        entry("debit-of-another-node", &[R13], &at(N1, "debit-r"), |v| v["node"] = json!("node-002")),
        behind("abort-behind-a-release", &[R13], &at(N1, "release-a"), abort),
        twice("abort-twice", &[R13], &at(N1, "abort")),
        twice("release-twice", &[R13, R19], &at(N1, "release-r")),
        entry("release-of-no-debit", &[R13], &at(N1, "release-a"), |v| v["debit"] = json!(3)),
        entry("release-of-another-request", &[R13], &at(N1, "release-a"), |v| other(&mut v["request"])),
        entry("abort-of-no-debit", &[R13], &at("node-node-004", "abort"), |v| v["debit"] = json!(900)),
        raw("carry-twice", &[R13, R21], |tag, bytes| {
            if tag == at(N0, "carry") {
                let again = edited(bytes.clone(), |v| v["seed"] = json!(2));
                return vec![bytes, again];
            }
            vec![bytes]
        }),
        behind("a-second-carry-of-another-seed", &[R13, R21], &at(N0, "carry"), |v| {
            let mut again = v.clone();
            again["seed"] = json!(4);
            again
        }),
    ]
}

fn caps() -> Vec<Mutant> {
    let closed = |name: &str, change: &dyn Fn(&mut Value)| {
        entry(&format!("closed-with-{name}"), &[R14], &at(N0, "closed"), change)
    };
    let cap = |name: &str, change: fn(&mut Value)| {
        both(
            &format!("cap-{name}"),
            &[R14],
            |_, bytes| vec![bytes],
            |tag, bytes| if tag == at(N1, "policy") { edited(bytes, change) } else { bytes },
        )
    };
    let ended = |name: &str, kind: &'static str| {
        behind(name, &[R14], &at(N1, "approved-a"), move |_| match kind {
            "closed" => {
                json!({"type": "closed", "atto_delta": 0, "debits": 0, "nano_rho": 0, "period": "2026Q3", "source": "r"})
            }
            _ => json!({"type": "recovered", "periods": ["2026Q3"], "source": "r"}),
        })
    };
    vec![
        closed("less-rho", &|v| v["nano_rho"] = json!(39_999_999)),
        closed("more-rho", &|v| v["nano_rho"] = json!(40_000_001)),
        closed("other-delta", &|v| v["atto_delta"] = json!(1)),
        closed("other-debits", &|v| v["debits"] = json!(2)),
        closed("another-source", &|v| v["source"] = json!("q")),
        closed("another-period", &|v| v["period"] = json!("2026Q2")),
        twice("closed-twice", &[R14], &at(N0, "closed")),
        ended("debit-on-a-closed-period", "closed"),
        ended("debit-on-a-recovered-period", "recovered"),
        behind(
            "carry-to-a-recovered-period",
            &[R14],
            &at(N0, "abort"),
            |_| json!({"type": "recovered", "periods": ["2026Q1", "2026Q2", "2026Q3"], "source": "r"}),
        ),
        cap("rho-by-one", |v| {
            v["allowance"]["nano_rho_per_period"] = json!(59_999_999);
        }),
        cap("of-the-requester-by-one", |v| {
            v["allowance"]["nano_rho_per_requester"] = json!(59_999_999);
        }),
        cap("delta-by-one", |v| v["allowance"]["atto_delta_per_period"] = json!(199_999_999_999u64)),
        with_debit("cost-that-wraps", &[R14, R15], (N1, "a"), |v| v["cost"]["nano_rho"] = json!((1u64 << 53) - 1)),
    ]
}

fn terms() -> Vec<Mutant> {
    let of = |name: &str, change: &dyn Fn(&mut Value)| with_debit(&format!("debit-{name}"), &[R15], (N1, "a"), change);
    let regional = |name: &str, fails: &[Rule], change: &dyn Fn(&mut Value)| {
        entry(&format!("regional-debit-{name}"), fails, &at(N1, "debit-r"), change)
    };
    let less = |v: &mut Value| *v = json!(v.as_i64().unwrap() - 1);
    vec![
        of("one-nano-cheaper", &|v| less(&mut v["cost"]["nano_rho"])),
        of("one-atto-cheaper", &|v| less(&mut v["cost"]["atto_delta"])),
        of("tau-one-lower", &|v| less(&mut v["tau"])),
        with_debit("events-at-the-price-of-clients", &[R15], (N1, "c"), |v| {
            v["cost"]["nano_rho"] = json!(v["cost"]["nano_rho"].as_u64().unwrap() / 2)
        }),
        of("k-one-lower", &|v| less(&mut v["k"])),
        of("for-nothing", &|v| v["cost"] = json!({"nano_rho": 0, "atto_delta": 0})),
        regional("one-nano-cheaper", &[R15], &|v| less(&mut v["cost"]["nano_rho"])),
        regional("one-atto-cheaper", &[R15], &|v| less(&mut v["cost"]["atto_delta"])),
        regional("h-one-lower", &[R15], &|v| less(&mut v["regional"]["h"])),
        regional("k-one-lower", &[R15], &|v| less(&mut v["k"])),
        regional("k-one-higher", &[R15], &|v| v["k"] = json!(6)),
        regional("with-tau", &[R15], &|v| v["tau"] = json!(5)),
        regional("of-another-session", &[R29], &|v| other(&mut v["regional"]["session"])),
        regional("of-another-nonce", &[R26], &|v| other(&mut v["nonce"])),
        regional("of-another-attempt", &[R26], &|v| v["attempt"] = json!(1)),
        regional("of-another-round", &[R26], &|v| other(&mut v["round"])),
        both(
            "gate-of-another-price",
            &[R15],
            |_, bytes| vec![bytes],
            |tag, bytes| match tag {
                "node-node-001/policy" => {
                    edited(bytes, |v| v["allowance"]["gate_atto_delta"] = json!(200_000_000_000u64))
                }
                _ => bytes,
            },
        ),
        both(
            "rules-of-a-greater-k",
            &[R15],
            |_, bytes| vec![bytes],
            |tag, bytes| if tag == at(N1, "policy") { edited(bytes, |v| v["k"] = json!(7)) } else { bytes },
        ),
    ]
}

fn releases() -> Vec<Mutant> {
    let header = |name: &str, change: &dyn Fn(&mut Value)| {
        both(
            &format!("header-of-{name}"),
            &[R18],
            |_, bytes| vec![bytes],
            |tag, bytes| if tag == at(N1, "release-a") { with_header(&bytes, change) } else { bytes },
        )
    };
    let cheaper = |v: &mut Value| v["cost"]["nano_rho"] = json!(1);
    vec![
        header("another-round", &|v| other(&mut v["round"])),
        header("another-attempt", &|v| v["attempt"] = json!(1)).expecting(&[R17]),
        header("other-rules", &|v| other(&mut v["policy"])),
        header("another-vintage", &|v| other(&mut v["vintages"][1])),
        header("another-cost", &cheaper),
        header("another-tau", &|v| v["tau"] = json!(1)),
        header("another-k", &|v| v["k"] = json!(6)),
        header("another-node", &|v| v["node"] = json!("node-009")).expecting(&[R18, R22]),
        entry("released-with-a-flipped-signature", &[R18], &at(C, "released-a-1"), |v| other(&mut v["signature"])),
        entry("released-signed-by-another", &[R18], &at(C, "released-a-1"), |v| {
            v["signature"] = json!(names::hex(&sign([9; 32], "release", b"x")));
        }),
        entry("released-of-another-request", &[R18, R19, R22], &at(C, "released-c-1"), |v| {
            v["id"] = json!(request(false).id())
        }),
        twice("released-twice", &[R19], &at(C, "released-a-1")),
        without("released-left-out", &[R20], &at(C, "released-a-0")),
        without("the-only-one-left-out-of-the-table-too", &[], &at(C, "released-a-2")),
    ]
    .into_iter()
    .filter(|mutant| !mutant.fails.is_empty())
    .collect()
}

fn order() -> Vec<Mutant> {
    vec![
        entry("seed-used-again", &[R21], &at(N1, "debit-r"), |v| v["seed"] = json!(0)),
        entry("seed-used-again-by-a-carry", &[R21], &at(N1, "carry"), |v| v["seed"] = json!(1)),
        entry("seed-never-fixed", &[R21], &at(N1, "debit-a"), |v| v["seed"] = json!(9)),
        entry("seed-fixed-too-late", &[R21], &at(N0, "debit-a"), |v| v["seed"] = json!(4)),
        entry("seed-of-a-carry-fixed-too-late", &[R21], &at(N0, "carry"), |v| v["seed"] = json!(4)),
        entry("debit-of-another-nonce", &[R13, R21], &at(N1, "debit-a"), |v| other(&mut v["nonce"])),
        entry("nonce-before-the-seeds", &[R21], &at(N0, "seeds"), |v| {
            let commitments = v["commitments"].as_array_mut().unwrap();
            commitments.truncate(2);
        })
        .expecting(&[R08, R21]),
    ]
    .into_iter()
    .filter(|mutant| mutant.name != "nonce-before-the-seeds")
    .collect()
}

impl Mutant {
    fn expecting(self, fails: &[Rule]) -> Self {
        Self { fails: fails.to_vec(), ..self }
    }
}

fn tables() -> Vec<Mutant> {
    vec![
        without("refusal-not-logged", &[R22], &at(C, "refused")),
        entry("refusal-of-another-reason", &[R22], &at(C, "refused"), |v| v["reason"] = json!("PERIOD_NOT_HELD")),
        entry("refusal-of-another-node", &[R22], &at(C, "refused"), |v| v["node"] = json!("node-003")),
        entry("counted-others", &[R28], &at(C, "closed-r"), |v| {
            v["counted"] = json!(["node-000", "node-001", "node-002"])
        }),
        entry("counted-nobody", &[R28], &at(C, "closed-r"), |v| drop(v.as_object_mut().unwrap().remove("counted"))),
        entry("coverage-of-another-word", &[R22, R28], &at("node-node-003", "imported"), |v| {
            v["coverage"] = json!("all")
        }),
        entry("coverage-not-stated", &[R22, R28], &at("node-node-003", "imported"), |v| {
            drop(v.as_object_mut().unwrap().remove("coverage"))
        }),
        entry("coverage-stated-and-not-shown", &[R22, R28], &at(N0, "imported"), |v| v["coverage"] = json!("some")),
        entry("reopened-for-another", &[R10, R22], &at(C, "asked-b"), |v| v["nodes"] = json!(["node-003"])),
    ]
}

fn rosters() -> Vec<Mutant> {
    let key = |name: &str, log: &str, field: &'static str| {
        entry(name, &[R24], &at(log, "genesis"), move |v| other(&mut v[field]))
    };
    vec![
        key("genesis-of-another-identity", N0, "identity"),
        key("genesis-of-another-log-key", N0, "log"),
        key("genesis-of-another-witness-key", N0, "witness"),
        key("genesis-of-another-governance", N0, "governance"),
        key("coordinator-of-another-log-key", C, "log"),
        key("coordinator-of-another-witness-key", C, "witness"),
        key("coordinator-of-another-governance", C, "governance"),
        entry("genesis-of-another-node", &[R24], &at(N0, "genesis"), |v| v["node"] = json!("node-003")),
        entry("genesis-of-another-region", &[R24], &at(N0, "genesis"), |v| v["region"] = json!("itb")),
        entry("roster-with-a-flipped-signature", &[R24], &at(N0, "roster"), |v| other(&mut v["signature"])),
        entry("roster-of-another-epoch", &[R24], &at(N1, "roster"), |v| v["epoch"] = json!(3)),
        twice("roster-twice", &[R24], &at(C, "roster")),
        twice("roster-of-node-twice", &[R24], &at(N0, "roster-2")),
        entry("first-roster-not-signed", &[R24], &at(C, "roster"), |v| other(&mut v["signature"])),
        entry("newest-roster-not-signed", &[R02], &at(C, "roster-2"), |v| other(&mut v["signature"])),
        entry("newest-roster-is-missing", &[R02], &at(C, "roster-2"), |v| other(&mut v["roster"])),
        entry("newest-roster-of-another-epoch", &[R24], &at(C, "roster-2"), |v| v["epoch"] = json!(7)),
    ]
}

fn rounds() -> Vec<Mutant> {
    let ready = |name: &str, change: &dyn Fn(&mut Value)| {
        json(&format!("ready-on-{name}"), &[R26], |tag, v| {
            if tag == at(C, "ready") && v["node"] == "node-001" {
                change(&mut v["terms"]);
            }
        })
    };
    let certificate = |v: &Value| v["certificate"].as_str().unwrap().to_owned();
    vec![
        ready("a-greater-k", &|v| v["k"] = json!(6)),
        ready("a-greater-j", &|v| v["j"] = json!(3)),
        ready("a-smaller-eta", &|v| v["eta"] = json!([1, 101])),
        without("retry-without-a-failure", &[R26], &at(C, "round-failed")),
        entry("retry-of-a-round-without-inputs", &[R26], &at(C, "round-failed"), |v| v["inputs"] = json!(false)),
        entry("failure-of-another-round", &[R26], &at(C, "round-failed"), |v| other(&mut v["round"])),
        entry("retry-without-a-certificate", &[R26], &at(C, "round-began-2"), |v| {
            drop(v.as_object_mut().unwrap().remove("certificate"))
        }),
        entry("first-round-with-a-certificate", &[R26], &at(C, "round-began-1"), |v| v["certificate"] = json!("00")),
        entry("round-of-another-request", &[R26], &at(C, "round-began-1"), |v| v["id"] = json!(request(false).id()))
            .expecting(&[R26]),
        entry("carry-to-another-round", &[R26], &at(N1, "carry"), |v| other(&mut v["round"])),
        entry("carry-with-another-nonce", &[R26], &at(N1, "carry"), |v| other(&mut v["nonce"])),
        entry("carry-with-a-flipped-certificate", &[R29], &at(N1, "carry"), |v| other(&mut v["certificate"])),
        entry("carry-with-a-certificate-of-another-session", &[R29], &at(N1, "carry"), |v| {
            let hex = certificate(v);
            v["certificate"] = json!(format!("{}{}", "00".repeat(32), &hex[64..]));
        }),
        entry("carry-with-a-certificate-of-two", &[R29], &at(N1, "carry"), |v| {
            let hex = certificate(v);
            v["certificate"] = json!(format!("{}0002{}", &hex[..64], &hex[68..68 + 2 * 132]));
        }),
        entry("carry-with-a-longer-certificate", &[R29], &at(N1, "carry"), |v| {
            v["certificate"] = json!(format!("{}00", certificate(v)))
        }),
        entry("carry-without-a-certificate", &[R29], &at(N1, "carry"), |v| v["certificate"] = json!("")),
        without("opened-what-was-not-masked", &[R29], &at(N1, "masked-2")),
        entry("masked-something-else", &[R29], &at(N1, "masked-2"), |v| other(&mut v["masked"])),
        entry("masked-in-another-round", &[R29], &at(N1, "masked-2"), |v| other(&mut v["round"])),
        entry("opened-something-else", &[R29], &at(N1, "release-r"), |v| other(&mut v["release"])),
    ]
}
