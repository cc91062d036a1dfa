//! Questions that nobody signed: refused by the coordinator, and by the node
//! itself when the coordinator is the one who cheats.

use koonti_disclosure::identity::{IdentityKey, SignedRequest};
use koonti_disclosure::names::unhex;
use koonti_disclosure::request::{Draft, Measure, Purpose, ReleaseKind};
use koonti_disclosure::{Codebook, Digest, Name, Refusal, TableRequest};
use koonti_node::config::Config;
use koonti_node::desk::{Desk, Next};
use koonti_proto::wire::{Answer, Ask, Asked, Offer};
use koonti_proto::{Credentials, Failure, PeopleLink};
use koonti_tests::{Node, Plan, Region};
use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

fn name(text: &str) -> Name {
    text.parse().expect("a name")
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs()
}

fn request(region: &str, sd: &str) -> TableRequest {
    let draft = Draft {
        register: "adult-social-work".into(),
        measure: Measure::Clients,
        score: None,
        by: vec!["sex".into()],
        periods: vec!["2026Q3".parse().expect("a quarter")],
        release: ReleaseKind::PerNode,
        sd: Some(sd.into()),
        within: None,
        max_per_client: None,
        purpose: Purpose::StructuralSocialWork,
        filter: BTreeMap::new(),
    };
    TableRequest::resolve(&draft, &name(region), &[], Codebook::built_in()).expect("a question")
}

/// The signing key of a person's profile.
fn key(region: &Region, person: &str) -> IdentityKey {
    let text = std::fs::read_to_string(region.home(person).join("identity.key")).expect("a key file");
    IdentityKey::from_seed(unhex(text.trim()).expect("hex"))
}

fn link(region: &Region, person: &str) -> PeopleLink {
    let read = |file: &str| std::fs::read_to_string(region.home(person).join(file)).expect("a key file");
    let credentials = Credentials { ca_pem: read("ca.crt"), cert_pem: read("tls.crt"), key_pem: read("tls.key") };
    PeopleLink::new(&region.main_url(), &credentials).expect("a link")
}

/// The signed question with its bytes changed after signing.
fn altered(signed: &SignedRequest, from: &str, to: &str) -> SignedRequest {
    let text = String::from_utf8(signed.bytes()).expect("UTF-8");
    assert!(text.contains(from), "{from} is not in {text}");
    SignedRequest::parse(text.replace(from, to).as_bytes(), Codebook::built_in()).expect("it still parses")
}

/// Every way to ask as somebody else, with the refusal due.
fn forgeries(region: &Region) -> Vec<(&'static str, SignedRequest, Refusal)> {
    let (aino, ville) = (key(region, "aino"), key(region, "ville"));
    let later = now() + 3600;
    let good = aino.sign_request(request("ita", "5"), name("aino"), later);
    let year = now() + 365 * 86_400;
    vec![
        (
            "signed by another person's key",
            ville.sign_request(request("ita", "5"), name("aino"), later),
            Refusal::SignatureInvalid,
        ),
        ("less noise than signed for", altered(&good, "[25,1]", "[1,1]"), Refusal::SignatureInvalid),
        (
            "a longer life than signed for",
            altered(&good, &format!("\"not_after\":{later}"), &format!("\"not_after\":{year}")),
            Refusal::SignatureInvalid,
        ),
        ("asked as somebody else", altered(&good, "\"aino\"", "\"ville\""), Refusal::SignatureInvalid),
        ("expired", aino.sign_request(request("ita", "5"), name("aino"), now() - 1), Refusal::RequestExpired),
    ]
}

#[test]
fn the_coordinator_takes_no_question_but_the_callers_own() {
    let plan = Plan::new().node(Node::auto("kainuu", "205"));
    let region = plan.person("aino", "requester").person("ville", "requester").start();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    let _entered = runtime.enter();
    let link = link(&region, "aino");
    let ask = |request: SignedRequest, validate_only: bool| {
        let ask = Ask { request, validate_only, timeout_s: 60, retry_missing: false };
        runtime.block_on(link.ask(ask))
    };
    let mut bad = forgeries(&region);
    let (aino, ville) = (key(&region, "aino"), key(&region, "ville"));
    bad.push((
        "another person's question, well signed",
        ville.sign_request(request("ita", "5"), name("ville"), now() + 3600),
        Refusal::SignatureInvalid,
    ));
    bad.push((
        "a question of another region",
        aino.sign_request(request("lansi", "5"), name("aino"), now() + 3600),
        Refusal::SignatureInvalid,
    ));
    for (what, forged, refusal) in bad {
        for validate_only in [true, false] {
            match ask(forged.clone(), validate_only) {
                Err(Failure::Refused(found)) => assert_eq!(found, refusal, "{what}"),
                Err(other) => panic!("{what}: {other}"),
                Ok(_) => panic!("{what}: was accepted"),
            }
        }
    }
    let tables = region.person("aino").words("table list --output json").ok().json();
    assert_eq!(tables, serde_json::json!([]), "nothing was asked");
    assert!(region.questions("kainuu").is_empty(), "and nothing reached the node");
    // The same with everything put right.
    let good = aino.sign_request(request("ita", "5"), name("aino"), now() + 3600);
    assert!(matches!(ask(good, true), Ok(Asked::Quote { .. })));
}

#[test]
fn a_node_takes_no_question_on_its_coordinators_word() {
    let plan = Plan::new().node(Node::auto("kainuu", "205"));
    let mut region = plan.person("aino", "requester").person("ville", "requester").person("outi", "auditor").start();
    // Enrolled with the coordinator, but in no roster that governance has signed.
    let token = region.invite_person("keksitty", "requester");
    region.enroll_person("keksitty", &token);
    region.take_node("kainuu").stop();
    let file = region.home("kainuu").join("node.toml");
    let desk = Desk::open(Config::load(&file).expect("a file")).expect("a desk");
    let offer = |request: SignedRequest| Offer {
        request,
        round: Digest([1; 32]),
        nonce: Digest([2; 32]),
        quote_only: false,
        deadline: now() + 3600,
    };
    let mut bad = forgeries(&region);
    for stranger in ["keksitty", "outi"] {
        let signed = key(&region, stranger).sign_request(request("ita", "5"), name(stranger), now() + 3600);
        bad.push(("somebody who may not ask", signed, Refusal::RequesterUnknown));
    }
    bad.push((
        "another region's question",
        key(&region, "aino").sign_request(request("lansi", "5"), name("aino"), now() + 3600),
        Refusal::RegionMismatch,
    ));
    for (what, forged, refusal) in &bad {
        let id = forged.request().id();
        match desk.receive(&offer(forged.clone())).expect("a whole disk") {
            Next::Answer(Answer::Refusal(found)) => assert_eq!(found, *refusal, "{what}"),
            _ => panic!("{what}: was not refused"),
        }
        assert_eq!(desk.quote(&offer(forged.clone())).refusal, Some(*refusal), "{what}: quoted");
        // Nothing can be computed of it either.
        assert!(!matches!(desk.compute(id).expect("a whole disk"), Answer::Release(_)), "{what}: computed");
    }
    let disk = region.disk("kainuu");
    assert_eq!((disk.debits().len(), disk.release_files().len()), (0, 0), "nothing was paid, nothing was made");

    // The same question with everything put right; afterwards the forgers do not
    // get what is stored either.
    let good = key(&region, "aino").sign_request(request("ita", "5"), name("aino"), now() + 3600);
    let id = good.request().id();
    assert!(matches!(desk.receive(&offer(good.clone())).expect("a whole disk"), Next::Compute));
    assert!(matches!(desk.compute(id).expect("a whole disk"), Answer::Release(_)));
    assert_eq!(disk.debits().len(), 1);
    for (what, forged, refusal) in bad.iter().filter(|(_, forged, _)| forged.request().id() == id) {
        match desk.receive(&offer(forged.clone())).expect("a whole disk") {
            Next::Answer(Answer::Refusal(found)) => assert_eq!(found, *refusal, "{what}: the stored release"),
            _ => panic!("{what}: got the stored release"),
        }
    }
    assert!(matches!(desk.receive(&offer(good)).expect("a whole disk"), Next::Answer(Answer::Release(_))));
    assert_eq!(disk.debits().len(), 1);
}
