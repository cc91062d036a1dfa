//! Invitations, keys, certificates and rosters.

use super::Tried;
use super::stage::{Bench, Case, Stage};
use koonti_tests::{Node, Run};
use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, Issuer, KeyPair, SanType, date_time_ymd};
use std::os::unix::fs::PermissionsExt;

/// A node that takes up an invitation.
fn enrols(stage: &Stage, token: &str) -> Tried {
    let bench = stage.new_node();
    let run = Run::new("koonti-node").arg("--config").arg(bench.path("node.toml"));
    bench.tries(run.words("enroll --token-file -").input(token))
}

/// A good invitation of a new node.
fn invitation(stage: &Stage) -> String {
    stage.region.invite_node(&Node::auto("uusi", "491"))
}

/// An invitation with another first digit in one of its parts.
fn altered(stage: &Stage, part: usize) -> Tried {
    let token = invitation(stage);
    let mut parts: Vec<String> = token.trim().split('.').map(str::to_owned).collect();
    let digit = if parts[part].starts_with('1') { "2" } else { "1" };
    parts[part].replace_range(..1, digit);
    enrols(stage, &parts.join("."))
}

/// A roster that an operator is asked to approve.
fn roster(bench: &Bench<'_>, bytes: &[u8]) -> Tried {
    let path = bench.path("offered.json");
    std::fs::write(&path, bytes).expect("a file");
    bench.node(&format!("roster approve --yes --file {}", path.display()))
}

/// The roster in force.
fn in_force(stage: &Stage) -> Vec<u8> {
    std::fs::read(stage.region.dir().join("roster-1.json")).expect("the roster")
}

/// A key of the node's and a certificate that has ended.
fn expired(stage: &Stage) -> String {
    let keys = stage.region.dir().join("coordinator/keys");
    let read = |name: &str| std::fs::read_to_string(keys.join(name)).expect("a key file of the coordinator");
    let authority = KeyPair::from_pem(&read("ca.key")).expect("the authority's key");
    let issuer = Issuer::from_ca_cert_pem(&read("ca.crt"), authority).expect("the authority");
    let mut params = CertificateParams::default();
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params.subject_alt_names = vec![SanType::URI("spiffe://ita/node/kainuu".try_into().expect("ASCII"))];
    params.not_after = date_time_ymd(2020, 1, 1);
    let key = KeyPair::generate().expect("a key");
    let certificate = params.signed_by(&key, &issuer).expect("a certificate").pem();
    [key.serialize_pem(), certificate].concat()
}

pub(super) const CASES: &[(&str, Case)] = &[
    ("T01", |s| enrols(s, "koonti1.abc")),
    ("T02", |s| enrols(s, "")),
    ("T03", |s| enrols(s, &s.region.invite_person("uolevi", "requester"))),
    ("T04", |s| {
        let token = invitation(s);
        // A second one voids the first.
        invitation(s);
        enrols(s, &token)
    }),
    ("T05", |s| altered(s, 6)),
    ("T06", |s| altered(s, 4)),
    ("T07", |s| s.coordinator().coordinator("node invite Kainuu --areas 205")),
    ("T08", |s| s.coordinator().coordinator("node invite kainuu --areas 999x")),
    ("T09", |s| s.coordinator().coordinator("person invite aino --role king")),
    ("K01", |s| s.new_node().node("run")),
    ("K02", |s| {
        let bench = s.node();
        std::fs::set_permissions(bench.path("keys/seal.key"), std::fs::Permissions::from_mode(0o644)).expect("a mode");
        bench.node("run")
    }),
    ("K03", |s| s.node().write("keys/identity.key", "00\n").node("run")),
    ("K04", |s| s.node().write("keys/tls.key", "not a key\n").node("run")),
    ("K05", |s| {
        let bench = s.node();
        let other = s.region.home("savo").join("keys/tls.key");
        std::fs::copy(other, bench.path("keys/tls.key")).expect("a key");
        bench.node("run")
    }),
    ("K06", |s| {
        let bench = s.node();
        let key = bench.path("dpo.key");
        bench.node(&format!("policy approve --key {0} --key {0}", key.display()))
    }),
    ("K07", |s| {
        let bench = s.node();
        let key = bench.path("dpo.key");
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).expect("a mode");
        bench.node(&format!("policy approve --key {}", key.display()))
    }),
    ("K08", |s| {
        let bench = s.node();
        let [one, two] = ["dpo.key", "strange.key"].map(|key| bench.path(key));
        bench.node(&format!("approver new --out {}", two.display()));
        bench.node(&format!("policy approve --key {} --key {}", one.display(), two.display()))
    }),
    ("K10", |s| {
        let bench = s.node();
        let key = bench.path("dpo.key");
        bench.node(&format!("policy approve --hash 000000 --key {}", key.display()))
    }),
    ("K09", |s| s.node().node("approver set 00 11")),
    ("K11", |s| s.node().write("keys/log.key", "ab".repeat(32)).node("run")),
    ("K12", |s| {
        let bench = s.node();
        std::fs::rename(bench.path("keys"), bench.path("lost")).expect("a rename");
        let run = Run::new("koonti-node").arg("--config").arg(bench.path("node.toml"));
        bench.tries(run.words("enroll --token-file -").input(&s.region.invite_node(&Node::auto("kainuu", "205"))))
    }),
    ("K13", |s| {
        let bench = s.new_node().edit("node.toml", "keys = \"keys\"", "keys = \"state/keys\"");
        let run = Run::new("koonti-node").arg("--config").arg(bench.path("node.toml"));
        bench.tries(run.words("enroll --token-file -").input(&invitation(s)))
    }),
    ("K14", |s| s.coordinator().write("keys/ca.key", "not a key\n").coordinator("run")),
    ("K15", |s| s.coordinator().write("keys/ca.crt", "not a certificate\n").coordinator("run")),
    ("K16", |s| s.coordinator().write("keys/log.key", "zz\n").coordinator("roster draft")),
    ("K17", |s| s.coordinator().write("keys/server.key", "not a key\n").coordinator("run")),
    ("K18", |s| s.node().write("keys/ca.crt", "not a certificate\n").node("run")),
    ("K19", |s| s.node().write("keys/log.key", "zz\n").node("run")),
    ("K20", |s| s.node().write("keys/witness.key", "00\n").node("run")),
    ("K21", |s| s.node().write("keys/member.json", "{}").node("run")),
    ("K22", |s| {
        let pair = expired(s);
        s.node().write("keys/tls.key", pair).node("check")
    }),
    ("G01", |s| roster(&s.node(), b"not a roster")),
    ("G02", |s| roster(&s.node(), &in_force(s))),
    ("G03", |s| {
        let text = String::from_utf8(in_force(s)).expect("JSON").replace("\"aino\"", "\"eino\"");
        roster(&s.node(), text.as_bytes())
    }),
    ("G04", |s| {
        let bench = s.node();
        bench.write("state/roster.json", "{}").node("run")
    }),
    ("G05", |s| {
        let bench = s.coordinator().write("draft.json", "{}");
        let key = s.region.dir().join("governance/governance.key");
        let draft = bench.path("draft.json");
        bench.tries(Run::new("koonti").words("governance sign").arg(draft).arg("--key").arg(key))
    }),
    ("G06", |s| {
        let bench = s.coordinator();
        let draft = s.region.coordinator().words("roster draft").ok().out;
        bench.tries(Run::new("koonti").words("governance sign - --key").arg(bench.path("no.key")).input(&draft))
    }),
    ("G08", |s| s.coordinator().write("state/roster.json", "{}").coordinator("roster draft")),
    ("G07", |s| {
        let bench = s.coordinator().write("roster.json", in_force(s));
        let roster = bench.path("roster.json");
        bench.coordinator(&format!("roster install {}", roster.display()))
    }),
    ("T10", |s| {
        let bench = s.new_node().write("reply.json", "{}");
        let reply = bench.path("reply.json");
        bench.node(&format!("enroll --reply {}", reply.display()))
    }),
    ("T11", |s| {
        let bench = s.coordinator().write("request.json", "not a request");
        let request = bench.path("request.json");
        let out = bench.path("reply.json");
        bench.coordinator(&format!("node sign {} --out {}", request.display(), out.display()))
    }),
    ("T12", |s| s.coordinator().coordinator("node revoke nobody")),
];
