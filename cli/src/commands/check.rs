//! `koonti check`: the way to the coordinator, stage by stage. It changes nothing.

use crate::error::Error;
use crate::output::{Flag, print};
use crate::profile::Profile;
use clap::Args;
use koonti_proto::{Standing, checkup};
use serde_json::json;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

#[derive(Args)]
#[command(
    after_help = "Of the network it says which stage fails (name, TCP, proxy, TLS, HTTP/2), what to do,\nand the line to ask the firewall's owner for.\n\nExamples:\n  koonti check\n  koonti check --hold 90"
)]
pub(super) struct Check {
    /// Hold a connection for so many seconds, to see whether something cuts it.
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u64).range(0..=3600))]
    hold: u64,
    #[command(flatten)]
    output: Flag,
}

pub(super) async fn run(profile: &Path, check: &Check) -> Result<ExitCode, Error> {
    let profile = Profile::load(profile)?;
    let (route, credentials) = profile.party();
    let found = checkup(route, credentials, Duration::from_secs(check.hold)).await;
    let row = |f: &koonti_proto::Finding| vec![f.standing.word().into(), f.what.into(), f.text.clone()];
    let rows: Vec<Vec<String>> = found.iter().map(row).collect();
    let json: Vec<_> =
        found.iter().map(|f| json!({"item": f.what, "state": f.standing.word(), "text": f.text})).collect();
    print(check.output.output, &["state", "item", "finding"], &rows, &json.into());
    Ok(ExitCode::from(u8::from(found.iter().any(|f| f.standing != Standing::Ok))))
}
