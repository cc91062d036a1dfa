//! Questions that nobody signed: refused by the coordinator, and by the node
//! itself when the coordinator is the one who cheats.

use koonti_disclosure::identity::{IdentityKey, Intent, SignedRequest};
use koonti_disclosure::names::unhex;
use koonti_disclosure::request::{Draft, Measure, Purpose, ReleaseKind};
use koonti_disclosure::{Codebook, Name, Refusal, TableRequest};
use koonti_node::config::Config;
use koonti_node::desk::{Desk, Next};
use koonti_proto::wire::{Answer, Ask, Asked};
use koonti_proto::{Credentials, Failure, PeopleLink};
use koonti_tests::scribe::Scribe;
use koonti_tests::{Node, Plan, Region};
use std::cell::RefCell;
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
        max_events: None,
        purpose: Purpose::StructuralSocialWork,
        filter: BTreeMap::new(),
    };
    TableRequest::resolve(&draft, &name(region), &[], Codebook::built_in()).expect("a question")
}

/// The signing key of a person's profile.
pub(super) struct Key(IdentityKey);

impl Key {
    pub(super) fn of(region: &Region, person: &str) -> Self {
        let text = std::fs::read_to_string(region.home(person).join("identity.key")).expect("a key file");
        Self(IdentityKey::from_seed(unhex(text.trim()).expect("hex")))
    }

    /// Signs a question as `requester`, for an hour.
    pub(super) fn sign(&self, requester: &str, request: TableRequest, intent: Intent) -> SignedRequest {
        self.0.sign_request(request, name(requester), now() + 3600, intent)
    }
}

pub(super) fn link(region: &Region, person: &str) -> PeopleLink {
    let read = |file: &str| std::fs::read_to_string(region.home(person).join(file)).expect("a key file");
    let credentials = Credentials { ca_pem: read("ca.crt"), cert_pem: read("tls.crt"), key_pem: read("tls.key") };
    PeopleLink::new(&region.main_url(), &credentials).expect("a link")
}

/// The signed question with its bytes changed after signing.
fn altered(signed: &SignedRequest, from: &str, to: &str) -> SignedRequest {
    let text = String::from_utf8(signed.bytes().to_vec()).expect("UTF-8");
    assert!(text.contains(from), "{from} is not in {text}");
    SignedRequest::parse(text.replace(from, to).as_bytes()).expect("it still parses")
}

/// Every way to ask as somebody else, with the refusal due.
fn forgeries(region: &Region, intent: Intent) -> Vec<(&'static str, SignedRequest, Refusal)> {
    let (aino, ville) = (Key::of(region, "aino"), Key::of(region, "ville"));
    let request = || request("ita", "5");
    let good = aino.sign("aino", request(), intent);
    let not_after = |time: u64| format!("\"not_after\":{time}");
    let longer = altered(&good, &not_after(good.not_after()), &not_after(good.not_after() + 86_400));
    vec![
        ("signed by another person's key", ville.sign("aino", request(), intent), Refusal::SignatureInvalid),
        ("less noise than signed for", altered(&good, "[25,1]", "[1,1]"), Refusal::SignatureInvalid),
        ("a longer life than signed for", longer, Refusal::SignatureInvalid),
        ("asked as somebody else", altered(&good, "\"aino\"", "\"ville\""), Refusal::SignatureInvalid),
        ("expired", aino.0.sign_request(request(), name("aino"), now() - 1, intent), Refusal::RequestExpired),
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
        let ask = Ask { request, validate_only, timeout_s: 60, retry_missing: false, phase_timeout_s: 10 };
        runtime.block_on(link.ask(ask))
    };
    let (aino, ville) = (Key::of(&region, "aino"), Key::of(&region, "ville"));
    for (validate_only, intent, other) in [(true, Intent::Quote, Intent::Ask), (false, Intent::Ask, Intent::Quote)] {
        let mut bad = forgeries(&region, intent);
        let invalid = Refusal::SignatureInvalid;
        bad.push(("another person's question, well signed", ville.sign("ville", request("ita", "5"), intent), invalid));
        bad.push(("a question of another region", aino.sign("aino", request("lansi", "5"), intent), invalid));
        bad.push(("signed for the other purpose", aino.sign("aino", request("ita", "5"), other), invalid));
        for (what, forged, refusal) in bad {
            match ask(forged, validate_only) {
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
    let good = |intent| aino.sign("aino", request("ita", "5"), intent);
    assert!(matches!(ask(good(Intent::Quote), true), Ok(Asked::Quote { .. })));
    assert!(matches!(ask(good(Intent::Ask), false), Ok(Asked::Table(..))));
}

#[test]
fn a_node_takes_no_question_on_its_coordinators_word() {
    let plan = Plan::new().node(Node::auto("kainuu", "205"));
    let mut region = plan.person("aino", "requester").person("ville", "requester").start();
    // Enrolled with the coordinator, but in no roster that governance has signed.
    let token = region.invite_person("keksitty", "requester");
    region.enroll_person("keksitty", &token);
    region.take_node("kainuu").stop();
    let file = region.home("kainuu").join("node.toml");
    let desk = Desk::open(Config::load(&file).expect("a file")).expect("a desk");
    let scribe = RefCell::new(Scribe::of(&region));
    let kainuu: Name = "kainuu".parse().expect("a name");
    scribe.borrow_mut().heard(kainuu, desk.store().books().tree());
    let offer = |request: SignedRequest| scribe.borrow_mut().asks(&request, now() + 3600);
    let aino = Key::of(&region, "aino");
    let mut bad = forgeries(&region, Intent::Ask);
    for stranger in ["keksitty", "outi"] {
        let signed = Key::of(&region, stranger).sign(stranger, request("ita", "5"), Intent::Ask);
        bad.push(("somebody who may not ask", signed, Refusal::RequesterUnknown));
    }
    let foreign = aino.sign("aino", request("lansi", "5"), Intent::Ask);
    bad.push(("another region's question", foreign, Refusal::RegionMismatch));
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
    // A person who only asked what it would cost has not asked.
    let quoted = aino.sign("aino", request("ita", "5"), Intent::Quote);
    match desk.receive(&offer(quoted.clone())).expect("a whole disk") {
        Next::Answer(Answer::Refusal(Refusal::SignatureInvalid)) => {}
        _ => panic!("a signature for a quote was taken for a question"),
    }
    assert_eq!(desk.quote(&offer(quoted)).refusal, None, "and yet it is a good one");
    let disk = region.disk("kainuu");
    assert_eq!((disk.debits().len(), disk.release_files().len()), (0, 0), "nothing was paid, nothing was made");

    // The same question with everything put right; afterwards the forgers do not
    // get what is stored either.
    let good = aino.sign("aino", request("ita", "5"), Intent::Ask);
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
