//! Who may call what: every method of the compiled protos, every kind of caller.
//!
//! Calls carry an empty message. One that is let in fails on its content or
//! succeeds; one that is not is `PERMISSION_DENIED`, or never leaves TLS.

use koonti_proto::Token;
use koonti_proto::access::{RULES, Role, methods};
use koonti_proto::edge::dial::{dial_mutual, dial_pinned};
use koonti_proto::edge::pki::{Authority, Kind, SpiffeId, new_key_and_csr};
use koonti_tests::region::NAME;
use koonti_tests::{Node, Plan, Region};
use std::path::Path;
use tonic::transport::Channel;
use tonic::{Code, Request, Status};

/// What became of a call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fate {
    /// It reached the door behind the access table.
    LetIn,
    /// `PERMISSION_DENIED`.
    Denied,
    /// There is no such method here.
    Absent,
    /// The connection was not made.
    NoConnection,
}

/// Three PEM texts.
struct Papers {
    ca: String,
    cert: String,
    key: String,
}

impl Papers {
    fn of_keys(dir: &Path) -> Self {
        let read = |name: &str| std::fs::read_to_string(dir.join(name)).expect("a key file");
        Self { ca: read("ca.crt"), cert: read("tls.crt"), key: read("tls.key") }
    }

    /// A certificate that `authority` signs for a person, with a new key.
    fn issued(authority: &Authority, ca: &str, region: &str, person: &str) -> Self {
        let (key, csr, _) = new_key_and_csr().expect("a key");
        let id = SpiffeId::new(region, Kind::Person, person).expect("an identity");
        let cert = authority.issue_client(&csr, &id, 1).expect("a certificate").cert_pem;
        Self { ca: ca.to_owned(), cert, key }
    }

    fn dial(&self, url: &str) -> Channel {
        dial_mutual(url, &self.ca, &self.cert, &self.key).expect("a channel")
    }
}

async fn call(channel: &Channel, path: &str) -> Fate {
    let mut grpc = tonic::client::Grpc::new(channel.clone());
    let made: Result<(), Status> = async {
        grpc.ready().await.map_err(|e| Status::from_error(e.into()))?;
        let codec = tonic_prost::ProstCodec::<(), ()>::default();
        let path = path.parse().expect("a path");
        grpc.unary(Request::new(()), path, codec).await.map(drop)
    }
    .await;
    match made.as_ref().map_err(Status::code) {
        Ok(()) | Err(Code::InvalidArgument | Code::NotFound) => Fate::LetIn,
        Err(Code::PermissionDenied) => Fate::Denied,
        Err(Code::Unimplemented) => Fate::Absent,
        // A server that answers with a status has no source on this side.
        Err(_) if made.as_ref().is_err_and(|s| std::error::Error::source(s).is_some()) => Fate::NoConnection,
        Err(code) => panic!("{path}: {code:?}: {made:?}"),
    }
}

/// Demands that exactly the methods of `roles` let the caller in.
#[track_caller]
fn walk(runtime: &tokio::runtime::Runtime, who: &str, channel: &Channel, roles: &[Role], otherwise: Fate) {
    for method in methods() {
        let rule = RULES.iter().find(|(path, _)| **path == method);
        let expected = match rule {
            Some((_, may)) if may.iter().any(|role| roles.contains(role)) => Fate::LetIn,
            None if otherwise == Fate::Denied => Fate::Absent,
            _ => otherwise,
        };
        assert_eq!(runtime.block_on(call(channel, &method)), expected, "{who} calls {method}");
    }
    // Default deny: a method that nobody has written a rule for.
    let invented = runtime.block_on(call(channel, "/koonti.v1.TableService/ReadRegister"));
    assert_eq!(invented, otherwise, "{who} calls a method without a rule");
}

#[test]
fn every_method_is_denied_to_everyone_but_its_roles() {
    let plan = Plan::new().node(Node::auto("kainuu", "205")).person("aino", "requester");
    let mut region = plan.start();
    let token = region.invite_person("uusi", "requester,auditor");
    region.enroll_person("uusi", &token);
    let stranger = Node::auto("uusi-solmu", "297");
    region.write_node(&stranger);
    let token = region.invite_node(&stranger);
    region.enroll_node(stranger.name, &token);

    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    let _entered = runtime.enter();
    let url = region.main_url();
    let paths = methods();
    for method in &paths {
        let ruled = RULES.iter().any(|(path, _)| path == method);
        assert!(ruled || method.starts_with("/koonti.v1.EnrolmentService/"), "{method} has no rule");
    }
    // What must never change by accident.
    let may = |path: &str| RULES.iter().find(|(p, _)| *p == path).map(|(_, roles)| *roles);
    assert_eq!(may("/koonti.v1.NodeService/Answer"), Some([Role::Node].as_slice()));
    assert_eq!(may("/koonti.v1.TableService/CreateTable"), Some([Role::Requester].as_slice()));

    let walk = |who: &str, papers: &Papers, roles: &[Role], otherwise| {
        walk(&runtime, who, &papers.dial(&url), roles, otherwise);
    };
    let profile = |name: &str| Papers::of_keys(&region.home(name));
    let node = |name: &str| Papers::of_keys(&region.home(name).join("keys"));
    walk("a node", &node("kainuu"), &[Role::Node], Fate::Denied);
    walk("a requester", &profile("aino"), &[Role::Requester], Fate::Denied);
    walk("an auditor", &profile("outi"), &[Role::Auditor], Fate::Denied);
    walk("a person outside the roster", &profile("uusi"), &[], Fate::Denied);
    walk("a node outside the roster", &node("uusi-solmu"), &[], Fate::Denied);

    // The region's own authority, but not the key that was enrolled.
    let keys = region.dir().join("coordinator/keys");
    let read = |name: &str| std::fs::read_to_string(keys.join(name)).expect("a key file");
    let ca = read("ca.crt");
    let own = Authority::from_pem(&read("ca.key"), &ca).expect("the authority");
    walk("the right name with another key", &Papers::issued(&own, &ca, NAME, "aino"), &[], Fate::Denied);
    walk("a name nobody has enrolled", &Papers::issued(&own, &ca, NAME, "nobody"), &[], Fate::Denied);
    // Other authorities: of a region of the same name, and of another one.
    for other in [NAME, "lansi"] {
        let authority = Authority::create(other).expect("an authority");
        let papers = Papers::issued(&authority, &ca, other, "aino");
        walk(&format!("a requester of another authority, {other}"), &papers, &[], Fate::NoConnection);
    }

    let token: Token = region.invite_person("kutsuttu", "requester").trim().parse().expect("an invitation");
    let (bare, _) = dial_pinned(&url, token.ca_sha256.0).expect("a channel");
    self::walk(&runtime, "nobody", &bare, &[], Fate::NoConnection);
    // The enrolment listener takes anyone and serves nothing else.
    let (bare, _) = dial_pinned(&region.enrolment_url(), token.ca_sha256.0).expect("a channel");
    for method in &paths {
        let enrolment = method.starts_with("/koonti.v1.EnrolmentService/");
        let expected = if enrolment { Fate::LetIn } else { Fate::Absent };
        assert_eq!(runtime.block_on(call(&bare, method)), expected, "nobody calls {method} on the enrolment listener");
    }

    enrolled_anew(&mut region, &runtime);
}

/// A second enrolment under the same name: the old certificate stops working at
/// once, also on a connection that is open; the new one works when governance
/// has signed a roster with the new key, and not before.
fn enrolled_anew(region: &mut Region, runtime: &tokio::runtime::Runtime) {
    let url = region.main_url();
    let old = Papers::of_keys(&region.home("aino")).dial(&url);
    let list = "/koonti.v1.TableService/ListTables";
    assert_eq!(runtime.block_on(call(&old, list)), Fate::LetIn);
    let token = region.invite_person("aino", "requester");
    region.enroll_into("aino-new", &token).ok();
    let new = Papers::of_keys(&region.home("aino-new")).dial(&url);
    walk(runtime, "the old certificate", &old, &[], Fate::Denied);
    walk(runtime, "the new certificate, too early", &new, &[], Fate::Denied);
    let roster = region.next_roster();
    region.install_roster(&roster);
    region.coordinator_daemon().wait_for_log("epoch=2");
    walk(runtime, "the old certificate", &old, &[], Fate::Denied);
    walk(runtime, "the new certificate", &new, &[Role::Requester], Fate::Denied);
    // A node that enrols again keeps its identity: the roster stays true.
    let old = Papers::of_keys(&region.home("kainuu").join("keys")).dial(&url);
    let token = region.invite_node(&Node::auto("kainuu", "205"));
    region.enroll_node("kainuu", &token);
    let new = Papers::of_keys(&region.home("kainuu").join("keys")).dial(&url);
    walk(runtime, "a node's old certificate", &old, &[], Fate::Denied);
    walk(runtime, "a node's new certificate", &new, &[Role::Node], Fate::Denied);
    let uusi = Papers::of_keys(&region.home("uusi")).dial(&url);
    walk(runtime, "the newcomer, now in the roster", &uusi, &[Role::Requester, Role::Auditor], Fate::Denied);
}
