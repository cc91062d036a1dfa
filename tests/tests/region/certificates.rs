//! Certificates that end soon: renewed while questions are answered, and whoever is
//! killed in the middle of it.

use koonti_disclosure::identity::IdentityKey;
use koonti_proto::{Credentials, Failure, renew};
use koonti_tests::disk;
use koonti_tests::{Node, Plan, Region, until};
use std::path::Path;
use std::time::Duration;

/// Short, and long enough for a daemon to be killed and started in its last third.
const LIFE_S: u64 = 18;

/// From now on the coordinator gives certificates of [`LIFE_S`].
fn shorten(region: &mut Region) {
    region.take_coordinator().stop();
    let path = region.dir().join("coordinator/coordinator.toml");
    let text = std::fs::read_to_string(&path).expect("the coordinator's configuration");
    std::fs::write(&path, format!("{text}certificate_life_s = {LIFE_S}\n")).expect("a file");
    region.start_coordinator();
}

fn enrol_again(region: &Region, node: &Node) {
    let token = region.invite_node(node);
    region.node(node.name).words("enroll --token-file -").input(&token).ok();
}

fn count(text: &str, of: &str) -> usize {
    text.matches(of).count()
}

/// One node renews twice while it is asked all the time, and fails no call. The other is
/// killed after the coordinator has issued, and again after it has written the new pair.
#[test]
#[cfg(debug_assertions)]
fn a_node_renews_by_itself_and_loses_no_question() {
    let (kainuu, savo) = (Node::auto("kainuu", "205"), Node::auto("savo", "297"));
    let mut region = Plan::new().node(kainuu.clone()).node(savo.clone()).person("aino", "requester").start();
    region.take_node("savo").stop();
    shorten(&mut region);
    region.wait_until_node_connected("kainuu");
    // The running daemon takes up what an enrolment has put there.
    enrol_again(&region, &kainuu);
    enrol_again(&region, &savo);
    region.daemon("kainuu").wait_for_log("with the new certificate");
    region.start_node_with("savo", &[("KOONTI_STOP_AT", "renewal-issued")]);

    let mut asked = 0;
    for (step, next) in [("renewal-issued", Some("renewal-written")), ("renewal-written", None)] {
        ask_until(&mut region, &mut asked, |region| {
            region.daemon("savo").log().contains(&format!("stopped at {step}"))
        });
        region.take_node("savo").kill();
        let stop = next.map(|step| ("KOONTI_STOP_AT", step));
        region.start_node_with("savo", stop.as_slice());
    }
    region.daemon("savo").wait_for_log("connected to the coordinator");
    ask_until(&mut region, &mut asked, |region| {
        count(&region.daemon("kainuu").log(), "certificate is renewed") >= 2
            && count(&region.daemon("savo").log(), "certificate is renewed") >= 1
    });
    assert!(asked >= 20, "it was asked {asked} times only");
    for node in ["kainuu", "savo"] {
        let log = region.daemon(node).log();
        for bad in ["not taken", "not renewed", "cannot be used", "not let in"] {
            assert_eq!(count(&log, bad), 0, "{node}: {log}");
        }
    }
    let table = region.run_table("aino", "--by age_group --period 2026Q3 --sd 20");
    assert_eq!((table.code, table.json()["nodes_counted"].as_u64()), (0, Some(2)), "{table:?}");
    // A coordinator that starts anew knows the renewed keys from its log.
    region.take_coordinator().stop();
    region.start_coordinator();
    region.wait_until_connected();
    let fold = disk::coordinator(&region.coordinator_state());
    assert_eq!(fold.keys.len(), 4);
    region.audit();
}

/// Asks the node kainuu for quotes and tables, one after the other, until `done`. Every
/// one of them has to be answered by it.
fn ask_until(region: &mut Region, asked: &mut u32, mut done: impl FnMut(&mut Region) -> bool) {
    until("it is done", Duration::from_secs(60), || {
        let question = format!("--by sex --where area=205 --period 2026Q3 --sd {}", 60 + *asked / 10);
        region.person("aino").words("table quote").words(&question).ok();
        if *asked % 10 == 9 {
            let table = region.run_table("aino", &question);
            assert_eq!((table.code, table.json()["nodes_counted"].as_u64()), (0, Some(1)), "{table:?}");
        }
        *asked += 1;
        done(region).then_some(())
    });
}

/// A running coordinator takes a revocation at once: the next call is denied and says why,
/// streams that are open end, and only another invitation undoes it.
#[test]
fn a_revoked_name_is_let_in_no_more() {
    let kainuu = Node::auto("kainuu", "205");
    let plan = Plan::new().node(kainuu.clone()).node(Node::each("savo", "297"));
    let mut region = plan.person("aino", "requester").person("ville", "requester").start();
    // Ville follows a table for which savo waits for a person.
    let waiting = region.person("ville").words("table run --by sex --period 2026Q3 --sd 50");
    let following = std::thread::spawn(|| waiting.say());
    let open = until("the table is open", Duration::from_secs(20), || {
        region.person("aino").words("table list --output json").ok().json()[0]["id"].as_str().map(str::to_owned)
    });
    region.wait_for_question("savo", &open, "waiting");

    region.coordinator().words("person revoke nobody").ends(1).complains("nobody of the name nobody is enrolled");
    let revoked = region.coordinator().words("person revoke ville").ok();
    revoked.complains("revoked: person ville").complains(&format!("requests refuse {}", &open[..12]));
    let followed = following.join().expect("no panic");
    assert_eq!(followed.code, 3, "{followed:?}");
    followed.complains("its operator has revoked ville");
    region.person("ville").words("nodes list").ends(3).complains("only a new invitation lets it in again");
    region.person("aino").words("nodes list").ok();
    region.coordinator().words("person revoke ville").ends(1).complains("is revoked already");

    // A node: an invitation made before is void, and its stream ends.
    let early = region.invite_node(&kainuu);
    region.coordinator().words("node revoke kainuu").ok();
    region.daemon("kainuu").wait_for_log("its operator has revoked kainuu");
    region.person("aino").words("table quote --by sex --where area=205 --period 2026Q3 --sd 50").ends(4);
    let enroll = |token: &str| region.node("kainuu").words("enroll --token-file -").input(token);
    enroll(&early).ends(3).complains("no open invitation");
    let list = region.coordinator().words("node list").ok().out;
    let row = |name: &str| list.lines().find(|line| line.contains(name)).expect("it is listed").to_owned();
    assert!(row("kainuu").contains("revoked") && row("savo").contains("enrolled"), "{list}");
    assert!(!region.coordinator().words("roster draft").ok().out.contains("kainuu"));

    // It stays so when the coordinator starts anew, also for an order given meanwhile.
    region.take_coordinator().stop();
    region.coordinator().words("person revoke aino").ok();
    region.start_coordinator();
    region.person("aino").words("nodes list").ends(3).complains("has revoked aino");

    let token = region.invite_node(&kainuu);
    region.node("kainuu").words("enroll --token-file -").input(&token).ok();
    region.wait_until_connected();
    region.person("outi").words("evidence keys").ok();
    region.audit();
}

/// A node and a person join with a file carried there and one carried back.
#[test]
fn who_has_no_network_yet_is_enrolled_by_files() {
    let kainuu = Node::auto("kainuu", "205");
    let mut region = Plan::new().node(kainuu.clone()).node(Node::auto("savo", "297")).prepare();
    let dir = region.dir().to_owned();
    let path = |name: &str| dir.join(name);
    let (request, reply) = (path("request.json"), path("reply.json"));
    let invitation = region.invite_node(&kainuu);
    let ask = |region: &Region| {
        let run = region.node("kainuu").words("enroll --offline --token-file - --out").arg(&request);
        run.input(&invitation)
    };
    let fingerprint = ask(&region).ok().out;
    ask(&region).ends(1).complains("exists already");
    region.node("kainuu").arg("check").ends(1);
    let sign = |region: &Region, who: &str| {
        region.coordinator().words(&format!("{who} sign")).arg(&request).arg("--out").arg(&reply)
    };
    // Altered on its way, or taken for somebody else's.
    let text = std::fs::read_to_string(&request).expect("a request");
    std::fs::write(&request, text.replace("\"name\":\"kainuu\"", "\"name\":\"savo\"")).expect("a file");
    sign(&region, "node").ends(1).complains("no open invitation of this name has this secret");
    // With the line break that an editor adds.
    std::fs::write(&request, text + "\n").expect("a file");
    sign(&region, "person").ends(1).complains("use `koonti-coordinator node sign`");
    // Where no reply can be written, the invitation is still good.
    let nowhere = region.coordinator().words("node sign").arg(&request).arg("--out").arg(path("no/reply.json"));
    nowhere.ends(1).complains("No such file or directory");
    assert!(!reply.exists(), "what was refused leaves no file");
    // While the daemon runs, and only once.
    assert_eq!(sign(&region, "node").ok().out, fingerprint);
    assert!(region.coordinator().words("node list").ok().out.contains(fingerprint.trim()));
    std::fs::rename(&reply, path("kept.json")).expect("a file");
    sign(&region, "node").ends(1).complains("it was used");
    let take = |region: &Region, node: &str, file: &str| region.node(node).words("enroll --reply").arg(path(file));
    take(&region, "savo", "kept.json").ends(1).complains("no enrolment without a network is under way");
    let savo = region.invite_node(&Node::auto("savo", "297"));
    let asked = region.node("savo").words("enroll --offline --token-file - --out").arg(path("of-savo.json"));
    asked.input(&savo).ok();
    take(&region, "savo", "kept.json").ends(1).complains("not for the keys made here");
    assert_eq!(take(&region, "kainuu", "kept.json").ok().out, fingerprint);
    assert!(!region.home("kainuu").join("keys/pending").exists());
    region.approve_policy("kainuu");
    region.node("kainuu").arg("import").ok();

    // A person, with no daemon at the coordinator.
    region.take_coordinator().stop();
    let invitation = region.invite_person("aino", "requester,auditor");
    let ask = region.person("aino").words("enroll --offline --token-file - --out").arg(path("of-aino.json"));
    let fingerprint = ask.input(&invitation).ok().out;
    let sign = region.coordinator().words("person sign").arg(path("of-aino.json")).arg("--out");
    assert_eq!(sign.arg(path("to-aino.json")).ok().out, fingerprint);
    let take = region.person("aino").words(&format!("enroll --coordinator {} --reply", region.main_url()));
    assert_eq!(take.arg(path("to-aino.json")).ok().out, fingerprint);
    region.start_coordinator();
    let roster = region.next_roster();
    region.install_roster(&roster);
    region.approve_roster("kainuu", &roster);
    region.start_node("kainuu");
    region.wait_until_connected();
    let table = region.run_table("aino", "--by sex --period 2026Q3 --sd 50");
    assert_eq!((table.code, table.json()["nodes_counted"].as_u64()), (0, Some(1)), "{table:?}");
}

/// The coordinator's own certificate: renewed by the running daemon, and by a command for
/// another name; a bad file changes nothing. People's are renewed by the command they give.
#[test]
fn the_coordinator_and_people_renew_theirs() {
    let mut region = Plan::new().node(Node::auto("kainuu", "205")).person("aino", "requester").start();
    region.take_coordinator().stop();
    let path = region.dir().join("coordinator/coordinator.toml");
    let text = std::fs::read_to_string(&path).expect("the coordinator's configuration");
    let lives = format!("certificate_life_s = {LIFE_S}\nserver_certificate_life_s = 12\n");
    std::fs::write(&path, text + &lives).expect("a file");
    region.start_coordinator();
    let server_key = region.dir().join("coordinator/keys/server.key");
    let names = region.coordinator().words("certificate show").ok().out;
    assert_eq!(names.trim(), "localhost 127.0.0.1");
    std::fs::write(&server_key, "no key").expect("a file");
    region.coordinator_daemon().wait_for_log("the one before stays");
    region.person("aino").words("nodes list").ok();
    let names = region.coordinator().words("certificate renew --host koonti.example,localhost").ok().out;
    assert_eq!(names.trim(), "localhost 127.0.0.1 koonti.example");

    let token = region.invite_person("ville", "requester");
    region.enroll_person("ville", &token);
    let roster = region.next_roster();
    region.install_roster(&roster);
    region.coordinator_daemon().wait_for_log("epoch=2");
    let path = region.home("ville").join("tls.crt");
    let certificate = || std::fs::read_to_string(&path).expect("a certificate");
    let first = certificate();
    until("both are renewed", Duration::from_secs(60), || {
        // Several at one time: one of them renews.
        let commands: Vec<_> = (0..3).map(|_| region.person("ville").words("nodes list")).collect();
        let said: Vec<_> = commands.into_iter().map(|run| std::thread::spawn(|| run.say())).collect();
        for said in said {
            let said = said.join().expect("no panic");
            assert_eq!((said.code, said.err.as_str()), (0, ""), "{said:?}");
        }
        let renewed = certificate() != first;
        let served = region.coordinator_daemon().log().matches("the server's certificate is renewed").count();
        (renewed && served >= 3).then_some(())
    });
    let check = region.person("ville").words("check --output json").say().json();
    for what in ["network", "coordinator", "clock"] {
        let found = check.as_array().and_then(|all| all.iter().find(|item| item["item"] == what));
        assert_eq!(found.map(|item| &item["state"]), Some(&"ok".into()), "{check}");
    }
    only_who_has_the_identity_key_renews(&region);
    region.audit_of_nothing();
}

/// The key of the connection is not enough: neither a thief of `tls.key`, nor another
/// member, gets a certificate with it.
fn only_who_has_the_identity_key_renews(region: &Region) {
    let home = region.home("ville");
    let read = |name: &str| std::fs::read_to_string(home.join(name)).expect("a file of the profile");
    let credentials = Credentials::of_pair(read("ca.crt"), &read("tls.key")).expect("key and certificate");
    let identity = |home: &Path| {
        let seed = std::fs::read_to_string(home.join("identity.key")).expect("a key");
        IdentityKey::from_seed(koonti_disclosure::names::unhex(seed.trim()).expect("hex"))
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.expect("a runtime");
    let renewed = |key: &IdentityKey| runtime.block_on(renew(&region.main_url(), &credentials, key));
    for key in [IdentityKey::from_seed([7; 32]), identity(&region.home("aino"))] {
        let denied = renewed(&key).err();
        assert!(matches!(&denied, Some(Failure::Denied(why)) if why.contains("identity key")), "{denied:?}");
    }
    assert!(renewed(&identity(&home)).is_ok());
}
