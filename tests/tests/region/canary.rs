//! Canaries: words that stand in a register and may stand nowhere else.
//!
//! One is each client's key, one is free text in a column that the mapping does not
//! name, one stands where a code should be. After imports that work and imports that do
//! not, and tables, and everything an operator looks at, they are looked for in what was
//! printed, in the pages for monitoring, in what a caller is told who does everything
//! wrong, in every file of node, coordinator and person, in every byte between the two
//! daemons, as a wire has it and as they say it, and in the memory of the running daemons, which is what a core file would
//! hold if there were any, and what a wire had brought.

use super::tap::Tap;
use koonti_proto::access::methods;
use koonti_proto::edge::dial::dial_mutual;
use koonti_tests::relay::Relay;
use koonti_tests::{Node, Plan, Region, root_or_untested};
use std::path::{Path, PathBuf};
use tonic::{Request, Status};

const CANARIES: [&str; 3] = ["Kanarialintu", "Muistiinpano-Kultarinta", "N99-Hemppo"];
const QUESTION: &str = "--by need,sex --max-per-client 2 --period 2026Q3 --sd 5";

#[test]
fn what_stands_in_a_register_stands_nowhere_else() {
    let plan = Plan::new().node(Node::auto("kainuu", "205")).node(Node::auto("savo", "297"));
    let mut region = plan.person("aino", "requester").start();
    region.take_node("kainuu").stop();
    let mut said = Vec::new();
    let plain = std::fs::read_to_string(register(&region)).expect("a register");

    plant(&region, &plain, false);
    said.push(region.node("kainuu").words("import -v").ok());
    plant(&region, &plain, true);
    said.push(region.node("kainuu").words("import -v").ends(1));
    let mapping = region.home("kainuu").join("register.toml");
    let text = std::fs::read_to_string(&mapping).expect("a mapping");
    std::fs::write(&mapping, text.replace("need = \"need\"", "need = \"note\"")).expect("a mapping");
    said.push(region.node("kainuu").words("import -v").ends(1));
    std::fs::write(&mapping, &text).expect("a mapping");
    plant(&region, &plain, false);
    said.push(region.node("kainuu").words("import -v").ok());

    let pages = ["kainuu", "coordinator"].map(|of| region.show_pages(of));
    region.take_coordinator().stop();
    for file in ["kainuu/node.toml", "coordinator/coordinator.toml"].map(|file| region.dir().join(file)) {
        let toml = std::fs::read_to_string(&file).expect("a configuration");
        std::fs::write(&file, format!("log_level = \"debug\"\n{toml}")).expect("a configuration");
    }
    region.start_coordinator();
    let relay = Relay::to(&region.main_url());
    let tap = Tap::between(&region, "kainuu", &relay.url());
    let config = region.home("kainuu").join("node.toml");
    let toml = std::fs::read_to_string(&config).expect("a configuration");
    std::fs::write(&config, toml.replace(&region.main_url(), &tap.url())).expect("a configuration");
    region.start_node("kainuu");
    region.wait_until_node_connected("kainuu");
    let table = region.run_table("aino", QUESTION);
    assert_eq!((table.code, table.json()["nodes_counted"].as_u64()), (0, Some(2)), "{table:?}");
    said.push(table);
    for command in ["check", "budget", "budget --explain", "requests list", "releases list --output json"] {
        said.push(region.node("kainuu").words(command).say());
    }
    region.audit();
    for page in
        pages.iter().flat_map(|pages| ["/metrics", "/health/live", "/health/ready"].map(|path| pages.get(path).1))
    {
        assert!(page.len() > 20 && canary(page.as_bytes()).is_none(), "{page}");
    }
    let told = everything_wrong(&region);
    assert!(told.len() > 60, "{} reasons why not", told.len());
    for status in &told {
        assert_eq!(canary(format!("{status:?}").as_bytes()).or(canary(status.details())), None, "{status:?}");
    }
    for said in tap.heard() {
        assert!(said.len() > 4000 && holds(&said, "2026Q3"), "{} bytes in plain", said.len());
        assert_eq!(canary(&said), None, "said on the wire");
    }
    for bytes in relay.kept() {
        assert!(bytes.len() > 4000, "{} bytes on the wire", bytes.len());
        assert_eq!(canary(&bytes), None, "on the wire");
        // It is encrypted: not even what is no secret stands there.
        assert!(!["kainuu", "2026Q3", "koonti.v1"].iter().any(|word| holds(&bytes, word)), "plain text on the wire");
    }

    for said in &said {
        assert_eq!(canary(said.out.as_bytes()).or(canary(said.err.as_bytes())), None, "{said:?}");
    }
    // It is found where it is, and so is a word that is everywhere.
    assert!(holds(&std::fs::read(register(&region)).expect("a register"), CANARIES[0]));
    if root_or_untested("a daemon's memory holds nothing of a register") {
        for daemon in [region.daemon("kainuu").memory(), region.coordinator_daemon().memory()] {
            assert!(daemon.len() > 1 << 20 && holds(&daemon, "kainuu"), "{} bytes of memory", daemon.len());
            assert_eq!(canary(&daemon), None, "in a daemon's memory");
        }
    }
    let files = files(region.dir());
    assert!(files.len() > 40 && files.iter().any(|file| file.ends_with("logs/kainuu.log")), "{files:?}");
    for file in files.iter().filter(|file| **file != register(&region)) {
        let bytes = std::fs::read(file).unwrap_or_default();
        assert_eq!(canary(&bytes), None, "in {}", file.display());
    }
}

/// What a node, a person and an auditor are told who call every method with nothing,
/// with words and with bytes that mean nothing.
fn everything_wrong(region: &Region) -> Vec<Status> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    let _entered = runtime.enter();
    let mut told = Vec::new();
    for keys in ["savo/keys", "aino", "outi"].map(|of| region.dir().join(of)) {
        let read = |name: &str| std::fs::read_to_string(keys.join(name)).expect("a key file");
        let channel =
            dial_mutual(&region.main_url(), &read("ca.crt"), &read("tls.crt"), &read("tls.key")).expect("a channel");
        for method in methods() {
            let wrong = ["", "nothing of the kind", "\u{1}\u{2}\n".repeat(500).as_str()].map(str::to_owned);
            for message in wrong {
                let mut grpc = tonic::client::Grpc::new(channel.clone());
                let said = runtime.block_on(async {
                    grpc.ready().await.map_err(|e| Status::from_error(e.into()))?;
                    let codec = tonic_prost::ProstCodec::<String, ()>::default();
                    grpc.unary(Request::new(message), method.parse().expect("a path"), codec).await
                });
                told.extend(said.err());
            }
        }
    }
    told
}

fn register(region: &Region) -> PathBuf {
    region.home("kainuu").join("register.csv")
}

/// Clients and free text with canaries; `wrong` puts one where the last row's code should be.
fn plant(region: &Region, plain: &str, wrong: bool) {
    let rows = plain.lines().count();
    let planted = plain.lines().enumerate().map(|(at, line)| match (at, line.strip_prefix("C-")) {
        (_, None) => format!("{line};note\n"),
        (at, Some(rest)) => {
            let rest = if wrong && at + 1 == rows { rest.replacen(";N0", ";N99-Hemppo", 1) } else { rest.to_owned() };
            format!("{}-{rest};{}\n", CANARIES[0], CANARIES[1])
        }
    });
    std::fs::write(register(region), planted.collect::<String>()).expect("a register");
}

/// The canary that bytes hold.
fn canary(bytes: &[u8]) -> Option<&'static str> {
    CANARIES.into_iter().find(|canary| holds(bytes, canary))
}

/// Whether bytes hold a word, in whatever case.
fn holds(bytes: &[u8], word: &str) -> bool {
    String::from_utf8_lossy(&bytes.to_ascii_lowercase()).contains(&word.to_ascii_lowercase())
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}
