//! A node and a person that reach the coordinator through an HTTP proxy only.

use koonti_tests::{Node, Plan, Proxy, Region};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

fn append(path: &Path, text: &str) {
    let before = std::fs::read_to_string(path).expect("a file");
    std::fs::write(path, before + text).expect("a file");
}

fn secret(region: &Region, name: &str, text: &str, mode: u32) -> PathBuf {
    let path = region.home("kainuu").join(name);
    std::fs::write(&path, text).expect("a file");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("a mode");
    path
}

#[test]
fn everything_goes_through_the_proxy_and_comes_back_after_a_cut() {
    // "me:secret"
    let proxy = Proxy::start(Some("Basic bWU6c2VjcmV0"));
    let kainuu = Node::auto("kainuu", "205");
    let mut region = Plan::new().node(kainuu.clone()).prepare();
    let toml = region.home("kainuu").join("node.toml");
    append(&toml, &format!("proxy = \"{}\"\n", proxy.url()));
    let token = region.invite_node(&kainuu);
    let enroll = |region: &Region| region.node("kainuu").words("enroll --token-file -").input(&token);
    enroll(&region).ends(1).complains("it wants a user name and password, or others (407)");
    append(&toml, "proxy_credentials = \"proxy.txt\"\n");
    secret(&region, "proxy.txt", "me:secret\n", 0o644);
    enroll(&region).ends(1).complains("others may read it");
    secret(&region, "proxy.txt", "me:another\n", 0o600);
    enroll(&region).ends(1).complains("(407)");
    assert_eq!(proxy.tunnels(), 0);
    let credentials = secret(&region, "proxy.txt", "me:secret\n", 0o600);
    region.enroll_node("kainuu", &token);
    assert_eq!(proxy.tunnels(), 1);

    let token = region.invite_person("aino", "requester,auditor");
    let through = region.enroll_into("aino", &token).arg("--proxy").arg(proxy.url()).arg("--proxy-credentials");
    through.arg(&credentials).ok();
    assert_eq!(proxy.tunnels(), 2);
    region.node("kainuu").arg("import").ok();
    let roster = region.next_roster();
    region.install_roster(&roster);
    region.approve_roster("kainuu", &roster);
    region.start_node("kainuu");
    region.wait_until_connected();
    assert_eq!(proxy.tunnels(), 3);

    let table = |sd: u32| {
        let said = region.run_table("aino", &format!("--by sex --period 2026Q3 --sd {sd}"));
        assert_eq!((said.code, said.json()["nodes_counted"].as_u64()), (0, Some(1)), "{said:?}");
    };
    table(50);
    assert!(proxy.tunnels() > 3, "the person's commands went through it, too");
    proxy.cut();
    table(51);
    let check = region.node("kainuu").words("check --output json").ok().json();
    let network = check.as_array().and_then(|all| all.iter().find(|item| item["item"] == "network")).expect("an item");
    assert_eq!(network["state"], "ok", "{network}");
    let before = proxy.tunnels();
    region.person("aino").words("nodes list").ok();
    assert_eq!(proxy.tunnels(), before + 1);
}
