//! The container: only what was written is read, and another tar reads it too.

mod support;

use koonti_evidence::container::{Error, read, write};
use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command, Stdio};
use support::Seeded;

fn files(names: &[&str]) -> BTreeMap<String, Vec<u8>> {
    names.iter().zip(0..).map(|(name, n)| ((*name).to_owned(), vec![n; 300 * usize::from(n)])).collect()
}

fn long_name() -> String {
    format!("{}/{}", ["folder-of-thirty-characters-xx"; 5].join("/"), "n".repeat(100))
}

fn sample() -> BTreeMap<String, Vec<u8>> {
    files(&[
        "bundle.json",
        "logs/00ff/checkpoint",
        "logs/00ff/tile/0/x001/234.p/5",
        "proofs/a+b_C.tlog-proof",
        &long_name(),
    ])
}

#[test]
fn what_is_written_is_read() {
    for files in [BTreeMap::new(), files(&["a"]), files(&["a", "b"]), sample()] {
        let bytes = write(&files).expect("good names");
        assert_eq!(bytes.len() % 512, 0);
        let back = read(&bytes, files.len()).expect("as written");
        assert!(back.iter().map(|(n, c)| (n.as_str(), *c)).eq(files.iter().map(|(n, c)| (n.as_str(), c.as_slice()))));
        if !files.is_empty() {
            assert_eq!(read(&bytes, files.len() - 1), Err(Error::TooMany(files.len() - 1)));
        }
    }
    assert_eq!(write(&files(&[])).expect("empty"), [0; 1024]);
}

#[test]
fn no_other_bytes_are_read() {
    let files = files(&["a", "b/c", "d"]);
    let good = write(&files).expect("good names");
    // Every byte of headers, padding and end, in three ways; contents are free.
    let content = |at: usize| (1024..1324).contains(&at) || (2048..2648).contains(&at);
    let contents = (0..good.len()).filter(|at| content(*at)).count();
    assert_eq!(contents, 900);
    for at in (0..good.len()).filter(|at| !content(*at)) {
        for change in [1, 0x20, 0xff] {
            let mut bytes = good.clone();
            bytes[at] ^= change;
            assert!(read(&bytes, 9).is_err(), "byte {at} ^ {change}");
        }
    }
    for end in 0..good.len() {
        assert!(read(&good[..end], 9).is_err(), "cut at {end}");
    }
    for more in [1, 511, 512, 1024, 9216] {
        assert!(matches!(read(&[&good[..], &vec![0; more]].concat(), 9), Err(Error::Stray(_))), "{more} zeros more");
    }
    assert!(read(&[&good[..], &good[..]].concat(), 9).is_err(), "a second archive behind");
    let mut random = Seeded(3);
    for _ in 0..2000 {
        let mut bytes = good.clone();
        for _ in 0..3 {
            let at = random.place(bytes.len());
            bytes[at] = u8::try_from(random.below(256)).expect("a byte");
        }
        // What is read at all is written again as the same bytes.
        if let Ok(back) = read(&bytes, 9) {
            let back: BTreeMap<String, &[u8]> = back.into_iter().collect();
            assert_eq!(write(&back).expect("as read"), bytes);
        }
    }
}

#[test]
fn names_stay_inside_in_order_and_once() {
    let long = "n".repeat(101);
    let deep = format!("{}/n", "p".repeat(156));
    let full = format!("{}/{}", "p".repeat(155), "n".repeat(100));
    let bad = [
        "", "/", "/a", "a/", "a//b", ".", "..", "../a", "a/..", "a/../b", "./a", "a/./b", "a b", "a\\b", "a\nb", "c:a",
        "\u{e4}", "a\0b", &long, &deep, &full,
    ];
    for name in bad {
        assert_eq!(write(&files(&[name])), Err(Error::Name(name.to_owned())), "{name:?}");
    }
    for name in ["n".repeat(100), format!("{}/{}", "p".repeat(154), "n".repeat(100)), format!("p/{}", "n".repeat(100))]
    {
        let files = files(&[&name]);
        assert!(read(&write(&files).expect("a good name"), 1).expect("as written").contains_key(&name));
    }
    assert_eq!(write(&files(&["a", "a-b", "a/b"])), Err(Error::Folder("a".to_owned())));

    // Archives put together from others, so that all headers are good ones.
    let one = |name: &str| {
        let bytes = write(&BTreeMap::from([(name.to_owned(), b"x")])).expect("a good name");
        bytes[..1024].to_vec()
    };
    let joined = |names: [&str; 2]| [one(names[0]), one(names[1]), vec![0; 1024]].concat();
    assert!(read(&joined(["a", "b"]), 9).is_ok());
    assert_eq!(read(&joined(["b", "a"]), 9), Err(Error::Order("a".to_owned())));
    assert_eq!(read(&joined(["a", "a"]), 9), Err(Error::Order("a".to_owned())));
    assert_eq!(read(&joined(["a", "a/b"]), 9), Err(Error::Folder("a".to_owned())));
}

/// Headers that others write, with good checksums.
#[test]
fn what_other_archives_have_is_refused() {
    let good = write(&files(&["a", "b"])).expect("good names");
    let with = |at: usize, field: &[u8]| {
        let mut bytes = good.clone();
        bytes[at..at + field.len()].copy_from_slice(field);
        bytes[148..156].fill(b' ');
        let sum: u32 = bytes[..512].iter().map(|b| u32::from(*b)).sum();
        bytes[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        read(&bytes, 9).map(|files| files.len())
    };
    assert_eq!(with(0, b"a"), Ok(2));
    // Types: old file, links, devices, folder, pipe, long names, extended headers.
    for kind in b"\x0012345678LKxgSDVM" {
        assert_eq!(with(156, &[*kind]), Err(Error::Header(0)), "type {kind}");
    }
    for (at, field) in [
        (100, &b"0000644\0"[..]),
        (100, b"0004444\0"),
        (108, b"0001750\0"),
        (116, b"0001750\0"),
        (124, b"00000000000 "),
        (124, b"\x80\0\0\0\0\0\0\0\0\0\0\0"),
        (124, b"+0000000000\0"),
        (124, b"-0000000001\0"),
        (136, b"14730000000\0"),
        (157, b"b"),
        (257, b"ustar  \0"),
        (257, b"\0\0\0\0\0\0\0\0"),
        (265, b"root"),
        (297, b"root"),
        (329, b"0000001\0"),
        (345, b"b\0x"),
        (500, b"x"),
        (1, b"\0x"),
    ] {
        assert_eq!(with(at, field), Err(Error::Header(0)), "{at}");
    }
    assert!(matches!(with(0, b"/"), Err(Error::Name(_))));
    assert!(matches!(with(0, b".."), Err(Error::Name(_))));
    assert!(matches!(with(345, b".."), Err(Error::Name(_))));
    // Sizes past the end, up to the largest that eleven digits can state.
    assert_eq!(with(124, b"77777777777\0"), Err(Error::Cut));
    assert_eq!(with(124, b"00000100000\0"), Err(Error::Cut));
}

/// Python's `tarfile` lists the same names and bytes, as regular files of mode 0444.
#[test]
fn another_tar_reads_it() {
    const SCRIPT: &str = "\
import hashlib, io, sys, tarfile
with tarfile.open(fileobj=io.BytesIO(sys.stdin.buffer.read())) as tar:
    for m in tar:
        assert m.isreg() and (m.mode, m.uid, m.gid, m.mtime) == (0o444, 0, 0, 0)
        print(m.name, hashlib.sha256(tar.extractfile(m).read()).hexdigest())
";
    let files = sample();
    let started = Command::new("python3").args(["-c", SCRIPT]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let Ok(mut python) = started else {
        assert!(std::env::var_os("CI").is_none(), "python3 is needed in CI");
        eprintln!("not checked: there is no python3 here");
        return;
    };
    python.stdin.take().expect("piped").write_all(&write(&files).expect("good names")).expect("it reads");
    let output = python.wait_with_output().expect("it ends");
    let hash = |content: &[u8]| koonti_disclosure::Digest::of(content);
    let expected: String = files.iter().map(|(name, content)| format!("{name} {}\n", hash(content))).collect();
    assert_eq!(String::from_utf8_lossy(&output.stdout), expected);
}
