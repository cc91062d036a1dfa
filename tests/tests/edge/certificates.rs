//! Who gets past TLS, as what, and for how long.

use super::Ground;
use super::papers::{Papers, anonymous};
use super::raw::{END_HEADERS, END_STREAM, HEADERS, ROSTER, Raw, call, frame, tcp, tls};
use koonti_proto::edge::pki::{Authority, Kind, SpiffeId, new_key_and_csr};
use koonti_proto::{Credentials, Failure, PeopleLink};
use koonti_tests::Run;
use koonti_tests::region::NAME;
use rcgen::{CertificateParams, DistinguishedName, ExtendedKeyUsagePurpose, Issuer, KeyPair, SanType, date_time_ymd};
use rustls::{ClientConfig, HandshakeKind};
use std::io::{Read, Write};
use std::sync::Arc;
use std::time::Duration;

const FROM: [u8; 4] = [127, 0, 8, 1];

/// A certificate of the region's own authority, changed.
fn minted(ground: &Ground, change: impl FnOnce(&mut CertificateParams)) -> Papers {
    let keys = ground.region.dir().join("coordinator/keys");
    let read = |name: &str| std::fs::read_to_string(keys.join(name)).expect("a key file");
    let authority = KeyPair::from_pem(&read("ca.key")).expect("the authority's key");
    let issuer = Issuer::from_ca_cert_pem(&read("ca.crt"), authority).expect("the authority");
    let key = KeyPair::generate().expect("a key");
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params.subject_alt_names = vec![uri("aino")];
    change(&mut params);
    let cert = params.signed_by(&key, &issuer).expect("a certificate").pem();
    Papers { ca: ground.person.ca.clone(), cert, key: key.serialize_pem() }
}

fn uri(person: &str) -> SanType {
    SanType::URI(format!("spiffe://{NAME}/person/{person}").try_into().expect("ASCII"))
}

/// How far a caller gets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fate {
    /// It is answered by a door.
    Served,
    /// `PERMISSION_DENIED`.
    Denied,
    /// The connection ends before a request is answered.
    NoConnection,
}

fn fate(ground: &Ground, config: ClientConfig, path: &str) -> Fate {
    let Ok(mut raw) = Raw::connect(config, FROM, ground.main) else { return Fate::NoConnection };
    raw.send(&frame(HEADERS, END_HEADERS, 1, &call(path)));
    // An empty message.
    raw.send(&frame(0, END_STREAM, 1, &[0; 5]));
    match raw.wait(Duration::from_secs(5), |frame| frame.kind == HEADERS) {
        // A refusal is one block of headers and the end; an answer begins with a block.
        Some(answer) if answer.flags & END_STREAM == 0 => Fate::Served,
        Some(_) => Fate::Denied,
        None => Fate::NoConnection,
    }
}

/// Every kind of certificate that is not quite right, beside the one that is.
pub(crate) fn who_gets_in(ground: &mut Ground) {
    let ca = ground.person.ca.clone();
    let at = |papers: Papers, path| fate(ground, papers.config(), path);
    assert_eq!(at(ground.person.clone(), ROSTER), Fate::Served);
    assert_eq!(fate(ground, anonymous(&ca), ROSTER), Fate::NoConnection, "no certificate");
    let other = Authority::create(NAME).expect("an authority");
    let (key, csr, _) = new_key_and_csr().expect("a key");
    let id = SpiffeId::new(NAME, Kind::Person, "aino").expect("an identity");
    let cert = other.issue_client(&csr, &id, 1).expect("a certificate").cert_pem;
    assert_eq!(at(Papers { ca, cert, key }, ROSTER), Fate::NoConnection, "another authority of the same name");
    let expired = minted(ground, |params| params.not_after = date_time_ymd(2020, 1, 1));
    assert_eq!(at(expired, ROSTER), Fate::NoConnection, "expired");
    let early = minted(ground, |params| params.not_before = date_time_ymd(2999, 1, 1));
    assert_eq!(at(early, ROSTER), Fate::NoConnection, "not yet valid");
    let two = minted(ground, |params| params.subject_alt_names = vec![uri("aino"), uri("roisto")]);
    assert_eq!(at(two, ROSTER), Fate::NoConnection, "two identities");
    let none = minted(ground, |params| params.subject_alt_names = vec![]);
    assert_eq!(at(none, ROSTER), Fate::NoConnection, "no identity");
    assert_eq!(at(minted(ground, |_| {}), ROSTER), Fate::Denied, "the right name with another key");
    assert_eq!(at(ground.person.clone(), "/koonti.v1.NodeService/Retrieve"), Fate::Denied, "a person as a node");
    assert_eq!(at(ground.node.clone(), "/koonti.v1.TableService/ListTables"), Fate::Denied, "a node as a person");
}

/// A hello that offers TLS 1.2 and nothing newer gets the alert `protocol_version`.
pub(crate) fn no_older_tls(ground: &mut Ground) {
    let suites = [0xc0, 0x2b, 0xc0, 0x2f];
    // supported_groups, signature_algorithms; no supported_versions.
    let extensions = [&[0, 10, 0, 4, 0, 2, 0, 23][..], &[0, 13, 0, 4, 0, 2, 4, 3]].concat();
    let mut hello = vec![3, 3];
    hello.extend([7; 32]);
    hello.push(0);
    hello.extend([0, 4]);
    hello.extend(suites);
    hello.extend([1, 0]);
    hello.extend(u16::try_from(extensions.len()).expect("short").to_be_bytes());
    hello.extend(extensions);
    let length = u16::try_from(hello.len()).expect("short");
    let mut record = vec![22, 3, 1];
    record.extend((length + 4).to_be_bytes());
    record.extend([1, 0]);
    record.extend(length.to_be_bytes());
    record.extend(hello);
    for listener in [ground.main, ground.enrolment] {
        let mut tcp = tcp(FROM, listener).expect("TCP");
        tcp.write_all(&record).expect("sent");
        let mut answer = Vec::new();
        let _ = tcp.read_to_end(&mut answer);
        assert_eq!((answer[0], &answer[answer.len() - 2..]), (21, &[2, 70][..]), "{answer:?}");
    }
}

/// A client that speaks HTTP/1.1, or says nothing of what it speaks.
pub(crate) fn no_other_protocol(ground: &mut Ground) {
    for protocols in [vec![b"http/1.1".to_vec()], vec![]] {
        let mut config = ground.person.config();
        config.alpn_protocols = protocols.clone();
        assert_eq!(fate(ground, config, ROSTER), Fate::NoConnection, "{protocols:?}");
    }
    // The right protocol by name, and another by deed.
    let mut tls = tls(ground.person.config(), FROM, ground.main).expect("TLS");
    tls.write_all(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n").expect("sent");
    let mut answer = Vec::new();
    let _ = tls.read_to_end(&mut answer);
    assert!(!answer.starts_with(b"HTTP/1"), "{answer:?}");
}

/// A client that would resume its session, or send data before the handshake is done.
pub(crate) fn no_resumption(ground: &mut Ground) {
    let mut config = ground.person.config();
    config.resumption = rustls::client::Resumption::in_memory_sessions(8);
    config.enable_early_data = true;
    let store = Arc::new(config);
    for turn in 0..2 {
        let mut raw = Raw::connect(store.clone(), FROM, ground.main).expect("a member");
        raw.send(&frame(HEADERS, END_HEADERS | END_STREAM, 1, &call(ROSTER)));
        assert!(raw.wait(Duration::from_secs(5), |frame| frame.stream == 1).is_some());
        let client = raw.client();
        assert_eq!(
            (client.handshake_kind(), client.tls13_tickets_received()),
            (Some(HandshakeKind::Full), 0),
            "{turn}"
        );
        assert!(!client.is_early_data_accepted());
    }
}

/// Struck from the roster while connected: the next request over the same connection is
/// refused, and so is one over a new one.
pub(crate) fn struck_from_the_roster(ground: &mut Ground) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.expect("a runtime");
    let _entered = runtime.enter();
    let Papers { ca, cert, key } = ground.person.clone();
    let credentials = Credentials { ca_pem: ca, cert_pem: cert, key_pem: key };
    let link = PeopleLink::new(&ground.region.main_url(), &credentials).expect("a link");
    let look = || runtime.block_on(link.roster());
    assert!(look().is_ok());
    let mut draft = ground.region.coordinator().words("roster draft").ok().json();
    let persons = draft["persons"].as_array_mut().expect("persons");
    persons.retain(|person| person["name"] != "roisto");
    let signed = Run::new("koonti").words("governance sign - --key");
    let signed = signed.arg(ground.region.dir().join("governance/governance.key")).input(&draft.to_string()).ok().out;
    let path = ground.region.dir().join("roster-without.json");
    std::fs::write(&path, signed.trim_end()).expect("a file");
    assert!(look().is_ok(), "not yet in force");
    ground.region.install_roster(&path);
    ground.region.coordinator_daemon().wait_for_log("epoch=2");
    for _ in 0..2 {
        assert!(matches!(look(), Err(Failure::Denied(_))), "{:?}", look().map(|_| ()));
    }
    assert_eq!(fate(ground, ground.person.config(), ROSTER), Fate::Denied);
}
