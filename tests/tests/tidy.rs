//! Boundaries of the house, read from `cargo metadata` and the sources.
//!
//! A new arrow between crates needs a decision record and a line here. What a
//! crate must not know is checked on its dependencies, and where a dependency
//! cannot tell, on its sources.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Every arrow between crates of the workspace, dev-dependencies aside.
const ARROWS: &[(&str, &[&str])] = &[
    ("koonti-disclosure", &[]),
    ("koonti-journal", &[]),
    ("koonti-watch", &[]),
    ("koonti-tally", &["koonti-disclosure"]),
    ("koonti-secagg", &["koonti-disclosure"]),
    ("koonti-evidence", &["koonti-disclosure"]),
    ("koonti-proto", &["koonti-disclosure", "koonti-secagg"]),
    (
        "koonti-node",
        &[
            "koonti-disclosure",
            "koonti-evidence",
            "koonti-journal",
            "koonti-proto",
            "koonti-secagg",
            "koonti-tally",
            "koonti-watch",
        ],
    ),
    (
        "koonti-coordinator",
        &["koonti-disclosure", "koonti-evidence", "koonti-journal", "koonti-proto", "koonti-secagg", "koonti-watch"],
    ),
    ("koonti", &["koonti-disclosure", "koonti-evidence", "koonti-proto"]),
    ("koonti-verify", &["koonti-disclosure", "koonti-evidence", "koonti-tally"]),
    ("koonti-pages", &["koonti", "koonti-coordinator", "koonti-node", "koonti-verify"]),
];

/// Everything that the pure crates may depend on, directly.
const PURE: &[(&str, &[&str])] = &[
    ("koonti-disclosure", &["ring", "serde", "serde_json", "thiserror", "zeroize"]),
    ("koonti-evidence", &["base64", "koonti-disclosure", "ring", "serde", "serde_json", "thiserror", "zeroize"]),
    ("koonti-secagg", &["curve25519-dalek", "koonti-disclosure", "ring", "thiserror", "x25519-dalek", "zeroize"]),
    ("koonti-tally", &["koonti-disclosure", "ring", "thiserror", "zeroize"]),
];

/// Least versions, for advisories that name them.
const LEAST: &[(&str, (u64, u64, u64), &str)] = &[
    ("h2", (0, 4, 16), "RUSTSEC-2026-0258, empty DATA frames"),
    ("tonic", (0, 12, 3), "RUSTSEC-2024-0376, denial of service on accept"),
    ("rustls", (0, 23, 18), "RUSTSEC-2024-0399, panic on accept"),
    ("rustls-webpki", (0, 103, 13), "RUSTSEC-2026-0098, name constraints"),
    ("ring", (0, 17, 12), "RUSTSEC-2025-0009, AES panic"),
    ("bytes", (1, 11, 1), "RUSTSEC-2026-0007"),
    ("tokio", (1, 44, 2), "RUSTSEC-2025-0023"),
    ("tracing-subscriber", (0, 3, 20), "RUSTSEC-2025-0055, log poisoning"),
    ("crossbeam-epoch", (0, 9, 20), "RUSTSEC-2026-0204"),
];

/// Every crate that is more than tests.
const CRATES: [&str; 11] =
    ["disclosure", "tally", "secagg", "evidence", "verify", "journal", "proto", "watch", "node", "coordinator", "cli"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_owned()
}

/// What cargo says of the workspace, as it is built here: nothing is fetched for others.
fn metadata() -> Value {
    let version = Command::new("rustc").arg("-vV").output().expect("rustc runs");
    let version = String::from_utf8(version.stdout).expect("text");
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).expect("a host");
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--offline", "--filter-platform", host])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// Normal and build dependencies of each workspace crate, by name.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let metadata = metadata();
    let members: BTreeSet<&str> =
        metadata["workspace_members"].as_array().expect("members").iter().filter_map(Value::as_str).collect();
    let mut all = BTreeMap::new();
    for package in metadata["packages"].as_array().expect("packages") {
        if members.contains(package["id"].as_str().expect("id")) {
            let normal = package["dependencies"].as_array().expect("dependencies").iter();
            let names = normal.filter(|d| d["kind"] != "dev").map(|d| d["name"].as_str().expect("name").to_owned());
            all.insert(package["name"].as_str().expect("name").to_owned(), names.collect());
        }
    }
    all
}

fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let start = root().join(folder);
    if start.is_file() {
        let text = std::fs::read_to_string(&start).expect("a source file");
        return vec![(start, text)];
    }
    let mut folders = vec![start];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a source folder").flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let text = std::fs::read_to_string(&path).expect("a source file");
                found.push((path, text));
            }
        }
    }
    assert!(!found.is_empty(), "{folder} has no sources");
    found
}

/// Lines of code that mention one of `words`; comments may.
fn mentions(folder: &str, words: &[&str]) -> Vec<String> {
    let mut lines = Vec::new();
    for (path, text) in sources(folder) {
        for (n, line) in text.lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            if words.iter().any(|word| code.contains(word)) {
                lines.push(format!("{}:{}: {}", path.display(), n + 1, line.trim()));
            }
        }
    }
    lines
}

#[test]
fn arrows_are_the_documented_ones() {
    let dependencies = dependencies();
    for (krate, allowed) in ARROWS {
        let ours = dependencies[*krate].iter().filter(|d| *d == "koonti" || d.starts_with("koonti-"));
        let found: Vec<&str> = ours.map(String::as_str).collect();
        assert_eq!(found, *allowed, "the arrows of {krate}");
    }
    let listed: BTreeSet<&str> = ARROWS.iter().map(|(k, _)| *k).chain(["koonti-tests"]).collect();
    assert_eq!(listed, dependencies.keys().map(String::as_str).collect());
}

#[test]
fn the_pure_crates_know_no_world() {
    let dependencies = dependencies();
    for (krate, allowed) in PURE {
        let found: Vec<&str> = dependencies[*krate].iter().map(String::as_str).collect();
        let extra: Vec<&&str> = found.iter().filter(|d| !allowed.contains(d)).collect();
        assert!(extra.is_empty(), "{krate} depends on {extra:?}");
    }
    let world = [
        "std::fs",
        "std::net",
        "std::time",
        "std::process",
        "std::env",
        "SystemTime",
        "Instant::",
        "SystemRandom",
        "println!",
        "eprintln!",
        "async fn",
        "tokio",
    ];
    let lines =
        ["disclosure/src", "evidence/src", "secagg/src", "tally/src"].map(|folder| mentions(folder, &world)).concat();
    assert!(lines.is_empty(), "{}", lines.join("\n"));
}

#[test]
fn only_proto_names_the_wire() {
    for folder in
        ["disclosure", "tally", "secagg", "evidence", "verify", "journal", "watch", "node", "coordinator", "cli"]
    {
        let lines = mentions(&format!("{folder}/src"), &["tonic::", "rustls::", "prost::", "use tonic", "use rustls"]);
        assert!(lines.is_empty(), "{}", lines.join("\n"));
    }
    let library = std::fs::read_to_string(root().join("proto/src/lib.rs")).expect("proto");
    assert!(library.contains("\nmod v1 {"), "the generated module is private");
}

#[test]
fn only_its_door_names_sled() {
    for folder in
        ["disclosure", "tally", "secagg", "evidence", "verify", "proto", "watch", "node", "coordinator", "cli"]
    {
        let lines = mentions(&format!("{folder}/src"), &["sled::"]);
        assert!(lines.is_empty(), "{}", lines.join("\n"));
    }
}

#[test]
fn exact_values_are_made_at_one_door_and_leave_by_two() {
    let made = [mentions("tally/src", &["Exact::wrap"]), mentions("node/src", &["Exact::wrap"])].concat();
    let outside_tests: Vec<&String> =
        made.iter().filter(|l| !l.contains("test") && !l.contains("neighbours")).collect();
    assert_eq!(outside_tests.len(), 1, "{outside_tests:?}");
    // Releases are signed where they are made, and nowhere else.
    assert_eq!(mentions("node/src", &["sign_release"]).len(), 1);
    // Masks that hide nothing would be a third door: one type hides, in one file.
    let masks: Vec<String> =
        ["disclosure", "tally", "secagg", "evidence", "verify", "journal", "proto", "node", "coordinator", "cli"]
            .iter()
            .flat_map(|krate| mentions(&format!("{krate}/src"), &["Masks for "]))
            .collect();
    assert_eq!(masks.len(), 1, "{masks:?}");
    assert!(masks[0].contains("secagg/src/masks.rs"), "{masks:?}");
    let signed =
        ["node/src", "coordinator/src", "cli/src", "proto/src"].map(|src| mentions(src, &["sign_masked"])).concat();
    assert!(signed.is_empty(), "masked inputs are signed in the round's own crate: {signed:?}");
    assert!(mentions("coordinator/src", &["sign_release", "Exact", "koonti_tally"]).is_empty());
}

/// But for one door, that shows pages on loopback if the operator wants it.
#[test]
fn a_node_listens_nowhere() {
    let lines = mentions("node/src", &["TcpListener", "UnixListener", "UdpSocket", "Socket::", "serve", "Door::"]);
    let [opened, shown] = &lines[..] else { panic!("{}", lines.join("\n")) };
    assert!(opened.ends_with("let door = desk.config().metrics.map(Door::open).transpose()?;"), "{opened}");
    assert!(shown.ends_with("tokio::spawn(door.serve(sight.clone()));"), "{shown}");
    // What it opens is loopback by its type, which is made in one place.
    let made = mentions("watch/src", &["Self(address)", " Loopback("]);
    assert_eq!(made.len(), 2, "{}", made.join("\n"));
    assert!(
        made[0].ends_with("pub struct Loopback(SocketAddr);") && made[1].contains("ip().is_loopback()"),
        "{made:?}"
    );
    let bound = mentions("watch/src", &["::bind(", "UnixListener", "UdpSocket"]);
    assert_eq!(bound.len(), 1, "{}", bound.join("\n"));
    assert!(bound[0].contains("TcpListener::bind(at.0)"), "{bound:?}");
}

/// Memory and disk grow with a register, and time with a count of it.
#[test]
fn what_a_node_shows_is_no_measure_of_its_register() {
    let lines =
        mentions("node/src/sight.rs", &["machine", "Instant", "elapsed", "extracts", "Exact", "Tally", "requester"]);
    assert!(lines.is_empty(), "{}", lines.join("\n"));
}

#[test]
fn privacy_parameters_are_no_floats() {
    let files = [
        "abort.rs",
        "cost.rs",
        "entry.rs",
        "gaussian.rs",
        "ledger.rs",
        "masked.rs",
        "permit.rs",
        "poisson.rs",
        "policy.rs",
        "quorum.rs",
        "release.rs",
        "request.rs",
        "round.rs",
        "stream.rs",
    ];
    let mut found = 0;
    for (path, text) in sources("disclosure/src") {
        let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
        if files.contains(&name) {
            found += 1;
            let code: String = text.lines().map(|l| l.split("//").next().unwrap_or_default()).collect();
            assert!(!code.contains("f64") && !code.contains("f32"), "{name} has a float");
        }
    }
    assert_eq!(found, files.len(), "a file of the list is gone");
}

#[test]
fn unsafe_code_and_open_ends_are_absent() {
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).expect("the manifest");
    assert!(manifest.contains("unsafe_code = \"forbid\""));
    for profile in ["dev", "release"] {
        for krate in ["disclosure", "evidence", "secagg", "tally"] {
            let section = format!("[profile.{profile}.package.koonti-{krate}]");
            let rest = manifest.split(&section).nth(1).unwrap_or_else(|| panic!("no {section}"));
            let body = rest.split("\n[").next().unwrap_or_default();
            assert!(body.contains("overflow-checks = true"), "{section}");
        }
    }
    for krate in CRATES.into_iter().chain(["tests"]) {
        let text = std::fs::read_to_string(root().join(krate).join("Cargo.toml")).expect("a manifest");
        assert!(text.contains("[lints]\nworkspace = true"), "{krate} follows the workspace's lints");
        let marks = mentions(krate, &[concat!("TO", "DO"), concat!("FIX", "ME"), concat!("#[ig", "nore")]);
        assert!(marks.is_empty(), "{}", marks.join("\n"));
    }
}

#[test]
fn every_module_says_what_it_is() {
    for krate in CRATES {
        for (path, text) in sources(&format!("{krate}/src")) {
            assert!(text.starts_with("//!"), "{} has no header", path.display());
        }
    }
}

#[test]
fn dependencies_are_past_their_advisories() {
    let metadata = metadata();
    let mut seen = BTreeSet::new();
    for package in metadata["packages"].as_array().expect("packages") {
        let name = package["name"].as_str().expect("name");
        assert!(!["aws-lc-rs", "openssl", "bincode", "rustls-pemfile"].contains(&name), "{name} is banned");
        if let Some((_, least, why)) = LEAST.iter().find(|(n, _, _)| *n == name) {
            let version = package["version"].as_str().expect("version");
            let mut parts = version.split(['.', '-', '+']).map(|p| p.parse::<u64>().unwrap_or(0));
            let found = (parts.next().unwrap_or(0), parts.next().unwrap_or(0), parts.next().unwrap_or(0));
            assert!(found >= *least, "{name} {version}: {why}");
            seen.insert(name.to_owned());
        }
        if name == "sled" {
            assert_eq!(package["version"], "0.34.7");
        }
    }
    let named: BTreeSet<String> = LEAST.iter().map(|(n, _, _)| (*n).to_owned()).collect();
    assert_eq!(seen, named, "a crate that the list names is gone: drop its line");
}

#[test]
fn the_shipped_configuration_loads() {
    let config = root().join("config");
    let node = koonti_node::config::Config::load(&config.join("node.toml")).expect("node.toml");
    assert_eq!(node.policy, config.join("policy.toml"));
    let policy: koonti_disclosure::Policy =
        koonti_node::config::read_toml(&config.join("policy.toml")).expect("policy.toml");
    assert_eq!((policy.k(), policy.allowance().nano_rho_per_period), (5, 250_000_000));
    koonti_coordinator::config::Config::load(&config.join("coordinator.toml")).expect("coordinator.toml");
    koonti_node::source::Mapping::load(&config.join("register.toml")).expect("register.toml");
    let codebook = std::fs::read_to_string(config.join("codebook.json")).expect("codebook.json");
    let codebook = koonti_disclosure::Codebook::parse(&codebook).expect("a codebook");
    assert_eq!(codebook.hash(), koonti_disclosure::Codebook::built_in().hash());
    for entry in std::fs::read_dir(config.join("codebooks")).expect("codebooks").flatten() {
        let earlier = std::fs::read(entry.path()).expect("an earlier codebook");
        let hash = koonti_disclosure::Digest::of(&earlier);
        assert!(koonti_disclosure::Codebook::of(hash).is_some(), "{} is not known", entry.path().display());
    }
    for entry in std::fs::read_dir(&config).expect("config").flatten() {
        let name = entry.file_name();
        // config/debian/test and config/release/test go through the packages and the archive.
        let known = [
            "node.toml",
            "policy.toml",
            "coordinator.toml",
            "register.toml",
            "codebook.json",
            "codebooks",
            "debian",
            "release",
        ];
        assert!(known.iter().any(|k| name == *k), "{} is not loaded by any test", name.display());
    }
}
