//! Checkpoints, and what the auditor brings: R02, R03, R04, R06, R07.

use crate::making::{C, Mutant, N0, auditor, files, head, honest, named};
use crate::support::scribe::{COSIGNED, START, checkpoint, cosigners, log_key, note, origin, outside, witness_key};
use crate::support::{Files, log_of, trust};
use koonti_disclosure::Digest;
use koonti_evidence::note::Note;
use koonti_verify::Rule::{self, *};
use serde_json::json;

pub(crate) fn all() -> Vec<Mutant> {
    let mut all = Vec::new();
    for log in [C, N0] {
        let (size, root) = head(&honest(), log);
        let file = format!("logs/{log}/checkpoint");
        let text = String::from_utf8(honest()[&file].clone()).unwrap();
        let change = |what: &str, fails: &[Rule], change: &dyn Fn(String) -> String| {
            files(&format!("{log}-note-{what}"), fails, |files| {
                drop(files.insert(file.clone(), change(text.clone()).into_bytes()))
            })
        };
        let put = |what: &str, fails: &[Rule], note: Note| change(what, fails, &|_| note.to_string());
        let signed = |by: &[String], time| note(log, size, root, by, time);
        let many = cosigners(log);
        all.push(change("gone", &[R02], &|_| String::new()));
        all.push(change("cut", &[R02], &|text| text[..text.len() - 1].to_owned()));
        all.push(change("mark", &[R02], &|text| format!("\u{feff}{text}")));
        all.push(change("control", &[R02], &|text| text.replacen('\n', "\r\n", 1)));
        all.push(change("extension", &[R02], &|text| text.replacen("\n\n", "\nmore\n\n", 1)));
        all.push(change("zero-before-size", &[R02], &|text| {
            text.replacen(&format!("\n{size}\n"), &format!("\n0{size}\n"), 1)
        }));
        all.push(change("other-origin", &[R02], &|text| text.replacen("ita", "itb", 1)));
        all.push(change("no-log-line", &[R02], &|text| {
            text.split_inclusive('\n').filter(|line| !line.starts_with(&format!("\u{2014} {} ", origin(log)))).collect()
        }));
        all.push(change("log-line-twice", &[R02], &|text| {
            let line = text.lines().find(|line| line.starts_with('\u{2014}')).unwrap().to_owned();
            format!("{text}{line}\n")
        }));
        all.push(change("size-one-less", &[R03], &|text| {
            text.replacen(&format!("\n{size}\n"), &format!("\n{}\n", size - 1), 1)
        }));
        all.push(put("of-another-log", &[R02], {
            let other = log_of(3);
            note(&other, size, root, &many, COSIGNED)
        }));
        // A cosignature line under the name of the log's key.
        all.push(change("cosignature-as-signature", &[R02], &|text| {
            let lines: Vec<&str> = text.lines().collect();
            let line = lines[5].replacen("/witness ", " ", 1);
            text.replacen(lines[4], &line, 1)
        }));
        let flipped = |which: usize| {
            let text = text.clone();
            move |_: String| {
                let line = text.lines().nth(which).unwrap();
                let at = line.len() - 10;
                let other = if line.as_bytes()[at] == b'A' { "B" } else { "A" };
                text.replacen(line, &format!("{}{other}{}", &line[..at], &line[at + 1..]), 1)
            }
        };
        all.push(change("signature-flipped", &[R03], &flipped(4)));
        all.push(change("cosignature-flipped", &[R03], &flipped(5)));
        all.push(change("root-flipped", &[R03], &|text| {
            let line = text.lines().nth(2).unwrap();
            let other = if line.starts_with('A') { "B" } else { "A" };
            text.replacen(line, &format!("{other}{}", &line[1..]), 1)
        }));
        all.push(put("of-fewer-entries", &[R05], { note(log, size - 1, root, &many, COSIGNED) }));
        all.push(put("of-another-root", &[R05], note(log, size, Digest([1; 32]), &many, COSIGNED)));
        all.push(put("no-cosignature", &[R04], signed(&[], COSIGNED)));
        all.push(put("cosigned-by-another", &[R04], signed(&[log_of(3), log_of(3)], COSIGNED)));
        if log == C {
            all.push(put("one-too-few", &[R04], signed(&many[..3], COSIGNED)));
            all.push(put("one-many-times", &[R04], signed(&vec![many[0].clone(); 5], COSIGNED)));
        }
        all.push(put("cosigned-before-its-entries", &[R09], signed(&many, START - 250)));
        all.push(Mutant {
            now: Some(COSIGNED + 60),
            ..put("cosigned-later-than-now", &[R04], signed(&many, COSIGNED + 61))
        });
        let pin = |size: u64, root: Digest| Some(json!({origin(log): [size, root]}));
        all.push(auditor(&format!("{log}-pin-of-more"), &[R06], trust(), pin(size + 1, root), None));
        all.push(auditor(
            &format!("{log}-pin-of-another-root"),
            &[R06, R07],
            trust(),
            pin(size, Digest([1; 32])),
            None,
        ));
        all.push(auditor(&format!("{log}-pin-of-another-beginning"), &[R06], trust(), pin(2, Digest([1; 32])), None));
    }
    all.push(auditor(
        "pin-of-no-log",
        &[R06],
        trust(),
        Some(json!({"koonti/ita/node/nobody": [2, Digest([1; 32])]})),
        None,
    ));
    all.push(auditor("governance-of-another", &[R02], format!("governance {}\n", Digest([1; 32])), None, None));
    all.push(auditor("now-before", &[R04], trust(), None, Some(COSIGNED - 1)));
    all.push(auditor("now-late", &[R04], trust(), None, Some(COSIGNED + 2 * 86_400 + 1)));
    let (one, two) = (outside("one"), outside("two"));
    let witnesses = format!("witness one {}\nwitness two {}\ngroup both all one two\n", one.1, two.1);
    all.push(auditor("outside-witness-missing", &[R04], format!("{}{witnesses}quorum one\n", trust()), None, None));
    let with = |files: &mut Files, both: bool| {
        let logs: Vec<String> = std::iter::once(C.to_owned()).chain((0..5).map(log_of)).collect();
        for log in logs {
            let (size, root) = head(files, &log);
            let checkpoint = checkpoint(&log, size, root);
            let mut note = checkpoint.sign(&log_key(&log)).unwrap();
            note.add(checkpoint.cosign(&one.0, COSIGNED).unwrap()).unwrap();
            if both && log != C {
                note.add(checkpoint.cosign(&two.0, COSIGNED).unwrap()).unwrap();
            }
            files.insert(format!("logs/{log}/checkpoint"), note.to_string().into_bytes());
        }
    };
    for (name, both) in [("one-outside-of-two", false), ("two-outside-but-for-one-log", true)] {
        let quorum = format!("{}{witnesses}quorum both\n", trust());
        all.push(Mutant { trust: quorum, ..files(name, &[R04], |files| with(files, both)) });
    }
    // The region's own cosigners stand in its roster only: the same key under two names.
    let key = witness_key(C);
    let twice = format!("{}witness c {}\nquorum c\n", trust(), key.verifier());
    all.push(auditor("a-member-as-outside-witness", &[R04], twice, None, None));
    all.push(own_bundle());
    drop(named("blobs/"));
    all
}

/// A node's own bundle, in which it saw two histories of the coordinator.
fn own_bundle() -> Mutant {
    use crate::making::{bytes, edited};
    use crate::support::scribe::Hooks;
    use crate::support::{archive, build};
    let asked = std::cell::RefCell::new(json!(null));
    let entry = |tag: &str, entry: Vec<u8>| {
        vec![edited(entry, |value| match tag {
            "node-node-000/question-a" => *asked.borrow_mut() = value["asked"].clone(),
            "node-node-000/question-r" => {
                let index = asked.borrow()["index"].clone();
                value["asked"] = json!({"index": index, "root": Digest([1; 32]), "size": asked.borrow()["size"]});
            }
            _ => {}
        })]
    };
    let mut files = build(&Hooks { entry: &entry, blob: &|_, bytes| bytes });
    files.retain(|name, _| name.starts_with("logs/node-node-000/"));
    // What its log names: rules, rosters, its releases.
    for (name, content) in build(&Hooks { entry: &entry, blob: &|_, bytes| bytes }) {
        let hash = name.strip_prefix("blobs/").unwrap_or("-").to_owned();
        let held = crate::making::entries(&files, N0);
        if held.iter().any(|entry| String::from_utf8_lossy(entry).contains(&hash)) && hash != "-" {
            files.insert(name, content);
        }
    }
    bytes("own-bundle-two-histories", &[R07], archive(&files))
}
