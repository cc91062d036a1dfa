//! Bytes of the archive, and its list: R01.

use crate::making::{Mutant, bytes, flip, honest, named, round};
use crate::support::{Files, archive, manifest};
use koonti_disclosure::Digest;
use koonti_evidence::container;
use koonti_verify::Rule::R01;

pub(crate) fn all() -> Vec<Mutant> {
    let whole = archive(&honest());
    let with = |name: &str, change: &dyn Fn(&mut Vec<u8>)| {
        let mut all = whole.clone();
        change(&mut all);
        bytes(&format!("archive-{name}"), &[R01], all)
    };
    let mut all = Vec::new();
    // One bit of each field of the first header.
    for (field, at) in [
        ("name", 0),
        ("mode", 101),
        ("owner", 110),
        ("group", 118),
        ("size", 134),
        ("time", 140),
        ("checksum", 150),
        ("kind", 156),
        ("link", 157),
        ("magic", 258),
        ("version", 264),
        ("user", 266),
        ("group-name", 298),
        ("major", 330),
        ("minor", 338),
        ("prefix", 346),
        ("rest", 505),
        ("content", 512),
    ] {
        all.push(with(&format!("flip-{field}"), &|all| flip(all, at)));
    }
    for (kind, byte) in [("link", b'1'), ("symlink", b'2'), ("folder", b'5'), ("pax", b'x'), ("old", 0)] {
        all.push(with(&format!("is-{kind}"), &|all| {
            all[156] = byte;
            let sum: u32 = all[..512]
                .iter()
                .enumerate()
                .map(|(i, b)| if (148..156).contains(&i) { 32 } else { u32::from(*b) })
                .sum();
            all[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        }));
    }
    all.push(with("empty", &|all| all.clear()));
    all.push(with("no-end", &|all| all.truncate(all.len() - 1024)));
    all.push(with("half-an-end", &|all| all.truncate(all.len() - 512)));
    all.push(with("cut-in-content", &|all| all.truncate(700)));
    all.push(with("cut-in-header", &|all| all.truncate(100)));
    all.push(with("end-only", &|all| *all = vec![0; 1024]));
    all.push(with("more-zeros", &|all| all.resize(all.len() + 512, 0)));
    all.push(with("more-behind", &|all| all.extend_from_slice(b"hidden")));
    all.push(with("not-zero-at-the-end", &|all| *all.last_mut().unwrap() = 1));
    all.push(with("huge-size", &|all| all[124..136].copy_from_slice(b"77777777777\0")));
    all.push(with("twice", &|all| {
        let first = all.clone();
        all.truncate(first.len() - 1024);
        all.extend_from_slice(&first);
    }));
    let of = |name: &str, change: &dyn Fn(&mut Files)| {
        let mut files = honest();
        let list = manifest(&files);
        change(&mut files);
        files.entry("bundle.json".to_owned()).or_insert(list);
        bytes(&format!("list-{name}"), &[R01], container::write(&files).unwrap())
    };
    // One bit of each class of file, under the list of the honest ones.
    let round = round();
    for (class, file) in [
        ("blob", named("blobs/")),
        ("checkpoint", named("logs/coordinator/checkpoint")),
        ("tile", named("logs/coordinator/tile/0/")),
        ("entries", named("logs/coordinator/tile/entries")),
        ("node-checkpoint", named("logs/node-node-000/checkpoint")),
        ("node-entries", named("logs/node-node-000/tile/entries")),
        ("adverts", format!("{round}/adverts")),
        ("u2", format!("{round}/u2")),
        ("survivors", format!("{round}/survivors")),
        ("confirmations", format!("{round}/confirmations")),
        ("masked", format!("{round}/masked/00000")),
        ("own", format!("{round}/own/00000")),
        ("mask", format!("{round}/mask/00004")),
    ] {
        all.push(of(&format!("flip-{class}"), &|files| flip(files.get_mut(&file).unwrap(), 5)));
    }
    all.push(of("missing", &|files| drop(files.insert("bundle.json".to_owned(), vec![]))));
    all.push(of("file-gone", &|files| drop(files.remove(&named("blobs/")))));
    all.push(of("file-more", &|files| drop(files.insert(format!("blobs/{}", Digest::of(b"x")), b"x".to_vec()))));
    let listed = |name: &str, path: &str, content: &[u8]| {
        let mut files = honest();
        files.insert(path.to_owned(), content.to_vec());
        bytes(&format!("path-{name}"), &[R01], archive(&files))
    };
    all.push(listed("blob-of-another-hash", &format!("blobs/{}", Digest([1; 32])), b"x"));
    all.push(listed("blob-in-capitals", &format!("blobs/{}", Digest::of(b"x").to_string().to_uppercase()), b"x"));
    all.push(listed("blob-deep", &format!("blobs/a/{}", Digest::of(b"x")), b"x"));
    all.push(listed("stray", "notes.txt", b"people"));
    all.push(listed("folder", "people/list.csv", b"people"));
    all.push(listed("log-of-nobody", "logs/somebody/checkpoint", b"x"));
    all.push(listed("log-of-a-bad-name", "logs/node-ABC/checkpoint", b"x"));
    all.push(listed("log-file", "logs/coordinator/notes", b"x"));
    all.push(listed("round-file", &format!("{round}/notes"), b"x"));
    all.push(listed("round-place", &format!("{round}/own/1"), b"x"));
    all.push(listed("round-place-long", &format!("{round}/own/000001"), b"x"));
    all.push(listed("round-of-no-hash", "rounds/first/u2", b"x"));
    let list = |name: &str, change: &dyn Fn(String) -> String| {
        let mut files = honest();
        let list = change(String::from_utf8(manifest(&files)).unwrap());
        files.insert("bundle.json".to_owned(), list.into_bytes());
        bytes(&format!("list-{name}"), &[R01], container::write(&files).unwrap())
    };
    all.push(list("version", &|list| list.replace("\"v\":1}", "\"v\":2}")));
    all.push(list("field", &|list| list.replace("\"v\":1}", "\"v\":1,\"w\":1}")));
    all.push(list("space", &|list| list.replace("\"v\":1}", "\"v\": 1}")));
    all.push(list("mark", &|list| format!("\u{feff}{list}")));
    all.push(list("region", &|list| list.replace("\"ita\"", "\"ITA\"")));
    all.push(list("itself", &|list| {
        list.replace("{\"files\":{", &format!("{{\"files\":{{\"a\":\"{}\",", Digest([1; 32])))
    }));
    all
}
