//! Configurations and rules.

use super::Tried;
use super::stage::{Case, Stage};

/// `node.toml` with another line.
fn node(stage: &Stage, from: &str, to: &str) -> Tried {
    stage.new_node().edit("node.toml", from, to).node("check")
}

/// `policy.toml` with another line.
fn policy(stage: &Stage, from: &str, to: &str) -> Tried {
    stage.new_node().edit("policy.toml", from, to).node("policy explain")
}

/// `coordinator.toml` with another line.
fn coordinator(stage: &Stage, from: &str, to: &str) -> Tried {
    stage.coordinator().edit("coordinator.toml", from, to).coordinator("node list")
}

pub(super) const CASES: &[(&str, Case)] = &[
    ("C01", |s| s.nothing().node("check")),
    ("C02", |s| node(s, "state = \"state\"", "state = \"state\"\nstat = \"x\"")),
    ("C03", |s| node(s, "state = \"state\"", "state = state")),
    ("C04", |s| node(s, "state = \"state\"", "")),
    ("C05", |s| node(s, "coordinator = \"https", "coordinator = \"http")),
    ("C06", |s| node(s, "audit_quarters = 4", "audit_quarters = 0")),
    ("C07", |s| coordinator(s, "region =", "regoin =")),
    ("C08", |s| coordinator(s, "governance = \"", "governance = \"x")),
    ("C09", |s| s.nothing().coordinator("node list")),
    ("C10", |s| s.coordinator().coordinator("run")),
    ("C11", |s| coordinator(s, "listen = \"127.0.0.1:", "listen = \"localhost:")),
    ("P01", |s| policy(s, "k = 5", "k = 2")),
    ("P02", |s| policy(s, "k = 5", "k = 5\nkk = 5")),
    ("P03", |s| policy(s, "approval = \"auto\"", "approval = \"never\"")),
    ("P04", |s| policy(s, "nano_rho_per_period = 250_000_000", "nano_rho_per_period = 0.25")),
    ("P05", |s| policy(s, "chance_below_k = [1, 100]", "chance_below_k = [2, 3]")),
    ("P06", |s| policy(s, "gate_atto_delta = 100_000_000_000", "gate_atto_delta = 1")),
    ("P07", |s| policy(s, "measures = [\"clients\"", "measures = [\"income\"")),
    ("P08", |s| policy(s, "\"age_group\",", "\"ikäryhmä\",")),
    ("P09", |s| policy(s, "most_cells = 20_000", "most_cells = 9_999_999_999_999_999")),
    ("P10", |s| {
        policy(s, "# nano_rho_per_requester = 125_000_000", "nano_rho_per_requester = 9_223_372_036_854_775_807")
    }),
    ("C12", |s| node(s, "audit_quarters = 4", "audit_quarters = 4\n[metrics]\nlisten = \"0.0.0.0:9464\"")),
    ("C13", |s| node(s, "audit_quarters = 4", "audit_quarters = 4\nlog = \"xml\"")),
    ("C14", |s| node(s, "audit_quarters = 4", "audit_quarters = 4\nproxy = \"proxy.example\"")),
    ("C15", |s| coordinator(s, "region =", "certificate_life_s = 9999999\nregion =")),
    ("C16", |s| {
        let bench = s.node().write("proxy.txt", "user:word\n");
        let to = "audit_quarters = 4\nproxy = \"http://127.0.0.1:9\"\nproxy_credentials = \"proxy.txt\"";
        bench.edit("node.toml", "audit_quarters = 4", to).node("check")
    }),
];
