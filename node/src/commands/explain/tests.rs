//! Every number is said, in every language; every weak setting has its note, and
//! no other; whatever changes in the rules changes what is said.

use super::notes::{self, USUAL_ATTO_DELTA, USUAL_CHANCE, USUAL_GATE_ATTO_DELTA, USUAL_K, USUAL_NANO_RHO, USUAL_NODES};
use super::{Approved, Lang, Line, Note, explained, lines};
use koonti_disclosure::Policy;
use serde_json::{Value, json};

const LANGS: [Lang; 3] = [Lang::Fi, Lang::Sv, Lang::En];

fn shipped() -> Policy {
    toml::from_str(include_str!("../../../../config/policy.toml")).unwrap()
}

/// The shipped rules with one value changed, by its JSON pointer.
fn with(pointer: &str, value: Value) -> Policy {
    let mut rules = written(&shipped());
    let (table, key) = pointer.rsplit_once('/').unwrap();
    rules.pointer_mut(table).unwrap()[key] = value;
    serde_json::from_value(rules).unwrap_or_else(|e| panic!("{pointer}: {e}"))
}

fn written(policy: &Policy) -> Value {
    serde_json::from_slice(&policy.bytes()).unwrap()
}

/// A figure as people read it, thousands apart in whatever way, back to digits.
fn says(line: &Line, number: u64) -> bool {
    let joined = line.says.replace(['\u{a0}', ','], "");
    joined.split(|c: char| !c.is_ascii_digit()).any(|digits| digits == number.to_string())
}

#[test]
fn every_language_says_every_number_of_the_shipped_rules() {
    let numbers: [(&str, &[u64]); 8] = [
        ("k", &[5]),
        ("allowance.nano_rho_per_period", &[250_000_000, 2, 64]),
        ("allowance.atto_delta_per_period", &[100_000]),
        ("allowance.gate_atto_delta", &[10_000_000, 100]),
        ("regional.nodes_per_person", &[2]),
        ("regional.chance_below_k", &[1, 100]),
        ("tables.most_cells", &[20_000]),
        ("tables.most_per_client", &[10]),
    ];
    for lang in LANGS {
        let lines = lines(&shipped(), lang);
        for (key, numbers) in numbers {
            let line = lines.iter().find(|line| line.key == key).unwrap();
            assert!(numbers.iter().all(|n| says(line, *n)), "{lang:?} {key}: {}", line.says);
        }
        let said = |key: &str| lines.iter().find(|line| line.key == key).unwrap().says.clone();
        for law in ["1301/2014", "552/2019", "41"] {
            assert!(said("tables.purposes").contains(law), "{lang:?}");
        }
        let labels = match lang {
            Lang::Fi => {
                "ikäryhmä; kotikunta; vaikuttava tekijä; kotitaloustyyppi; pääasiallinen toiminta; tuen tarve; palvelutehtävä; \
                 sukupuoli"
            }
            Lang::Sv => {
                "åldersgrupp; hemkommun; bidragande faktor; hushållstyp; huvudsaklig verksamhet; stödbehov; serviceuppgift; \
                 kön"
            }
            Lang::En => {
                "age group; home municipality; contributing factor; household type; main type of activity; need for support; \
                 service task; sex"
            }
        };
        assert!(said("tables.dimensions").contains(labels), "{lang:?}");
    }
}

/// The pointer of every value of the rules, the one that may be left out as well.
fn keys(policy: &Policy) -> Vec<String> {
    let mut keys = Vec::new();
    for (name, value) in written(policy).as_object().unwrap() {
        match value.as_object() {
            Some(section) => keys.extend(section.keys().map(|key| format!("/{name}/{key}"))),
            None => keys.push(format!("/{name}")),
        }
    }
    keys
}

#[test]
fn every_key_has_a_line_and_every_change_shows_in_it() {
    let cap = "/allowance/nano_rho_per_requester";
    let before = with(cap, json!(125_000_000));
    let mut explained: Vec<String> = lines(&before, Lang::En).iter().map(|line| line.key.replace('.', "/")).collect();
    explained.iter_mut().for_each(|key| key.insert(0, '/'));
    explained.sort_unstable();
    assert_eq!(explained, keys(&before));

    for pointer in keys(&before) {
        let old = written(&before).pointer(&pointer).unwrap().clone();
        let changes = match old {
            Value::Number(number) => vec![json!(number.as_u64().unwrap() + 1)],
            Value::String(_) => vec![json!("auto")],
            Value::Array(ref items) if items[0].is_u64() => vec![json!([2, 100]), json!([1, 101])],
            Value::Array(items) => vec![json!(items[1..]), json!([])],
            other => panic!("{pointer}: {other}"),
        };
        for (change, lang) in changes.into_iter().flat_map(|change| LANGS.map(|lang| (change.clone(), lang))) {
            let mut rules = written(&before);
            *rules.pointer_mut(&pointer).unwrap() = change;
            let after: Policy = serde_json::from_value(rules).unwrap();
            let said = |policy: &Policy| {
                lines(policy, lang).into_iter().find(|line| pointer[1..].replace('/', ".") == line.key).unwrap().says
            };
            assert_ne!(said(&before), said(&after), "{lang:?} {pointer}");
        }
    }
    assert_ne!(lines(&before, Lang::En)[4].says, lines(&shipped(), Lang::En)[4].says, "with a cap and without");
}

#[test]
fn a_note_stands_where_a_setting_is_weak_and_nowhere_else() {
    let cap = "/allowance/nano_rho_per_requester";
    // Each setting as it is still good, as it is not, and the note.
    let cases = [
        ("/k", json!(USUAL_K), json!(USUAL_K - 1), Note::SmallCount),
        ("/approval", json!("each"), json!("auto"), Note::NobodyAsked),
        ("/allowance/nano_rho_per_period", json!(USUAL_NANO_RHO), json!(USUAL_NANO_RHO + 1), Note::LargeAllowance),
        ("/allowance/atto_delta_per_period", json!(USUAL_ATTO_DELTA), json!(USUAL_ATTO_DELTA + 1), Note::LikelyFailure),
        (cap, json!(USUAL_NANO_RHO - 1), json!(null), Note::NoCap),
        (cap, json!(USUAL_NANO_RHO - 1), json!(USUAL_NANO_RHO), Note::CapLimitsNobody),
        (
            "/allowance/gate_atto_delta",
            json!(USUAL_GATE_ATTO_DELTA),
            json!(USUAL_GATE_ATTO_DELTA + 1),
            Note::LikelyGate,
        ),
        ("/regional/nodes_per_person", json!(USUAL_NODES), json!(USUAL_NODES - 1), Note::OneOrganisation),
        ("/regional/chance_below_k", json!(USUAL_CHANCE), json!([11, 1000]), Note::LikelySmall),
        ("/regional/chance_below_k", json!([10, 1000]), json!([1, 99]), Note::LikelySmall),
        ("/tables/measures", json!(["score"]), json!([]), Note::NothingAnswered),
        ("/tables/dimensions", json!([]), json!(["area", "income"]), Note::NoSuchDimension),
        ("/tables/purposes", json!(["statistics"]), json!([]), Note::NothingAnswered),
        ("/tables/most_cells", json!(1), json!(0), Note::NothingAnswered),
        ("/tables/most_cells", json!(50_000), json!(50_001), Note::OnlyRegional),
    ];
    for (pointer, good, weak, note) in cases {
        let key = pointer[1..].replace('/', ".");
        for lang in LANGS {
            let on_key = |policy: &Policy| lines(policy, lang).into_iter().find(|l| l.key == key).unwrap().note;
            let elsewhere = |policy: &Policy| -> Vec<Option<Note>> {
                lines(policy, lang).into_iter().filter(|line| line.key != key).map(|line| line.note).collect()
            };
            let (good, weak) = (with(pointer, good.clone()), with(pointer, weak.clone()));
            assert_eq!((on_key(&good), on_key(&weak)), (None, Some(note)), "{pointer}");
            assert_eq!(elsewhere(&good), elsewhere(&weak), "{pointer}");
            let text = |policy: &Policy| unwrapped(&explained("policy.toml", policy, Approved::NotYet, lang));
            let note = unwrapped(&notes::text(note, lang));
            assert!(text(&weak).contains(&note) && !text(&good).contains(&note), "{pointer} {note}");
        }
    }
    let found: Vec<Note> = lines(&shipped(), Lang::En).into_iter().filter_map(|line| line.note).collect();
    assert_eq!(found, [Note::NoCap], "what is usual is what is shipped");
}

fn unwrapped(text: &str) -> String {
    text.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn it_ends_with_the_hash_the_standing_and_what_to_type() {
    let (policy, mut seen) = (shipped(), Vec::new());
    let hash = policy.hash();
    for (approved, next) in [
        (Approved::InForce(hash), "koonti-node check"),
        (Approved::BelowFloor(7), "koonti-node roster show"),
        (Approved::Others, "koonti-node policy approve --key dpo.key --key director.key"),
        (Approved::NotYet, "koonti-node policy approve --key dpo.key --key director.key"),
        (Approved::NobodyMay, "koonti-node approver new --out dpo.key"),
    ] {
        for lang in LANGS {
            let text = explained("policy.toml", &policy, approved, lang);
            assert!(text.starts_with("policy.toml: ") && text.ends_with(next), "{text}");
            assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
            let (_, standing) = text.split_once(&hash.to_string()).unwrap();
            assert!(!seen.contains(&standing.to_owned()), "{standing}");
            seen.push(standing.to_owned());
        }
    }
}

#[test]
fn numbers_are_written_as_each_language_writes_them() {
    assert_eq!(LANGS.map(|lang| lang.number(7_u8)), ["7", "7", "7"]);
    assert_eq!(LANGS.map(|lang| lang.number(1_000_u32)), ["1\u{a0}000", "1\u{a0}000", "1,000"]);
    assert_eq!(Lang::En.number(250_000_000_u64), "250,000,000");
}
