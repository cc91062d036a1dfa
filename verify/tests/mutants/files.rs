//! Files under a list that fits: R05, R06, R17, R18, R27, R28.

use crate::making::{C, Mutant, N0, bytes, entries, files, flip, honest, named, rewrite, round};
use crate::support::{Files, archive};
use koonti_disclosure::Digest;
use koonti_verify::Rule::{self, *};

pub(crate) fn all() -> Vec<Mutant> {
    let mut all = Vec::new();
    for log in [C, N0] {
        let prefix = format!("logs/{log}/");
        let change =
            |what: &str, fails: &[Rule], change: &dyn Fn(&mut Files)| files(&format!("{log}-{what}"), fails, change);
        let tile = named(&format!("{prefix}tile/0/"));
        let held = named(&format!("{prefix}tile/entries/"));
        // Without the coordinator's entries no roster is known.
        all.push(change("tile-flipped", &[R05], &|files| flip(files.get_mut(&tile).unwrap(), 40)));
        all.push(change("tile-short", &[R05], &|files| drop(files.get_mut(&tile).unwrap().pop())));
        all.push(change("tile-gone", &[R05], &|files| drop(files.remove(&tile))));
        all.push(change("tile-more", &[R05], &|files| drop(files.insert(format!("{prefix}tile/1/000"), vec![0; 32]))));
        if log == N0 {
            all.push(change("entry-flipped", &[R05], &|files| flip(files.get_mut(&held).unwrap(), 100)));
            all.push(change("entry-longer", &[R05], &|files| files.get_mut(&held).unwrap().push(0)));
            all.push(change("entries-gone", &[R05], &|files| drop(files.remove(&held))));
            all.push(change("length-flipped", &[R05], &|files| flip(files.get_mut(&held).unwrap(), 0)));
        }
    }
    // Rewritten and signed anew after others have seen the log.
    all.push(files("rewritten-node-log", &[R06], |files| {
        rewrite(files, N0, |entries| {
            let seeds = String::from_utf8(entries[5].clone()).unwrap();
            let text = seeds.replacen("[\"", "[\"0", 1);
            let cut = text.find("\",").unwrap();
            entries[5] = [&text[..cut - 1], &text[cut..]].concat().into_bytes();
        });
    }));
    all.push(files("node-log-set-back", &[R06, R10, R18, R20, R29], |files| {
        let genesis = entries(files, N0).len() - entries(files, N0).len() + 8;
        rewrite(files, N0, |entries| entries.truncate(genesis));
    }));
    all.push(files("node-log-left-out", &[R06], |files| {
        files.retain(|name, _| !name.starts_with("logs/node-node-000/"));
    }));
    all.push(files("blob-of-no-log", &[R17], |files| {
        drop(files.insert(format!("blobs/{}", Digest::of(b"x")), b"x".to_vec()))
    }));
    let mut empty = honest();
    empty.clear();
    all.push(bytes("nothing-at-all", &[R27], archive(&empty)));
    let round = round();
    let of = |what: &str, fails: &[Rule], change: &dyn Fn(&mut Files)| files(&format!("round-{what}"), fails, change);
    let at = |file: &str| format!("{round}/{file}");
    for (file, place) in [
        ("adverts", 0),
        ("adverts", 10),
        ("adverts", 34),
        ("adverts", 40),
        ("adverts", 80),
        ("adverts", 110),
        ("adverts", 140),
        ("adverts", 160),
        ("u2", 1),
        ("survivors", 0),
        ("survivors", 3),
        ("survivors", 34),
        ("confirmations", 4),
        ("confirmations", 34),
        ("confirmations", 60),
        ("masked/00000", 0),
        ("masked/00000", 10),
        ("masked/00000", 40),
        ("masked/00000", 100),
        ("own/00000", 0),
        ("own/00002", 31),
        ("mask/00004", 3),
    ] {
        let name = format!("flip-{}-{place}", file.replace('/', "-"));
        all.push(of(&name, &[R28], &|files| flip(files.get_mut(&at(file)).unwrap(), place)));
    }
    all.push(of("flip-masked-hash", &[R28, R29], &|files| flip(files.get_mut(&at("masked/00001")).unwrap(), 41)));
    all.push(of("flip-vector", &[R28], &|files| {
        let file = files.get_mut(&at("masked/00001")).unwrap();
        let last = file.len() - 1;
        flip(file, last);
    }));
    for file in ["adverts", "u2", "survivors", "confirmations", "own/00000", "mask/00004"] {
        all.push(of(&format!("no-{}", file.replace('/', "-")), &[R28], &|files| drop(files.remove(&at(file)))));
    }
    all.push(of("no-masked", &[R28], &|files| drop(files.remove(&at("masked/00003")))));
    all.push(of("gone", &[R28], &|files| files.retain(|name, _| !name.starts_with("rounds/"))));
    all.push(of("both-secrets", &[R28], &|files| drop(files.insert(at("mask/00000"), vec![1; 32]))));
    all.push(of("own-of-dropped", &[R28], &|files| drop(files.insert(at("own/00004"), vec![1; 32]))));
    all.push(of("secret-too-large", &[R28], &|files| drop(files.insert(at("own/00000"), vec![0xff; 32]))));
    all.push(of("three-confirmations", &[R28], &|files| {
        files.get_mut(&at("confirmations")).unwrap().truncate(33 + 3 * 66)
    }));
    all.push(of("adverts-longer", &[R28], &|files| files.get_mut(&at("adverts")).unwrap().push(0)));
    all.push(of("u2-longer", &[R28], &|files| files.get_mut(&at("u2")).unwrap().extend([0, 9])));
    all.push(of("u2-smaller", &[R28], &|files| files.get_mut(&at("u2")).unwrap().truncate(8)));
    all.push(of("vector-short", &[R28], &|files| drop(files.get_mut(&at("masked/00001")).unwrap().pop())));
    all.push(of("vector-long", &[R28], &|files| files.get_mut(&at("masked/00001")).unwrap().push(0)));
    all.push(of("of-no-table", &[R28], &|files| drop(files.insert(format!("rounds/{}/u2", Digest([1; 32])), vec![]))));
    all
}
