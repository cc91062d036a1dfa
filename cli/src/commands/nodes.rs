//! `koonti nodes list`.

use crate::error::Error;
use crate::output::{Flag, print};
use crate::profile::Profile;
use clap::Subcommand;
use serde_json::json;
use std::path::Path;
use std::process::ExitCode;

#[derive(Subcommand)]
pub(super) enum Command {
    /// List the region's nodes and whether they are connected.
    #[command(after_help = "Example:\n  koonti nodes list --output json")]
    List {
        #[command(flatten)]
        output: Flag,
    },
}

pub(super) async fn run(profile: &Path, command: &Command) -> Result<ExitCode, Error> {
    let Command::List { output } = command;
    let nodes = Profile::open(profile).await?.link()?.nodes().await?;
    let (mut rows, mut items) = (Vec::new(), Vec::new());
    for node in nodes {
        let state = match (node.in_roster, node.connected) {
            (false, _) => "not in the roster",
            (true, true) => "connected",
            (true, false) => "away",
        };
        rows.push(vec![node.name.to_string(), state.into(), node.areas.len().to_string(), node.version.clone()]);
        items.push(json!({
            "name": node.name.as_str(),
            "connected": node.connected,
            "in_roster": node.in_roster,
            "areas": node.areas,
            "last_seen": node.last_seen,
            "version": node.version,
        }));
    }
    print(output.output, &["node", "state", "areas", "version"], &rows, &items.into());
    Ok(ExitCode::SUCCESS)
}
