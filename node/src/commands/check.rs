//! `koonti-node check`: the doctor. It reads and dials; it changes nothing.

use super::output::Output;
use crate::config::{Config, read_toml};
use crate::error::Error;
use crate::extracts;
use crate::fold::Fold;
use crate::keys::Keys;
use crate::source::Mapping;
use koonti_disclosure::Policy;
use koonti_disclosure::policy::Approval;
use koonti_proto::{Failure, PeopleLink};
use serde_json::json;
use std::process::ExitCode;

struct Item {
    what: &'static str,
    state: &'static str,
    text: String,
}

pub(super) fn check(config: &Config, output: Output) -> Result<ExitCode, Error> {
    let mut items = Vec::new();
    let mut add = |what, found: Result<String, String>| match found {
        Ok(text) => items.push(Item { what, state: "ok", text }),
        Err(text) => items.push(Item { what, state: "failed", text }),
    };
    let keys = Keys::load(&config.keys);
    add(
        "enrolment",
        keys.as_ref().map(|k| format!("{} in region {}", k.member.name, k.member.region)).map_err(ToString::to_string),
    );
    let policy: Result<Policy, Error> = read_toml(&config.policy);
    add("rules of this node", policy.as_ref().map(rules).map_err(ToString::to_string));
    let mapping = Mapping::load(&config.register);
    add("register mapping", mapping.as_ref().map(|m| format!("data source {}", m.source)).map_err(ToString::to_string));
    let fold = Fold::read(&config.journal());
    add(
        "journal",
        fold.as_ref().map(|(_, entries)| format!("{} entries, all whole", entries.len())).map_err(ToString::to_string),
    );
    if let Ok((fold, _)) = &fold {
        add(
            "extract",
            match fold.vintages.len() {
                0 => Err("nothing is imported: run `koonti-node import`".into()),
                n => match keys.as_ref().map(|keys| sealed_otherwise(config, keys, fold)) {
                    Ok(0) => Ok(format!("{n} periods are held")),
                    Ok(bad) => {
                        Err(format!("{bad} of {n} periods cannot be opened with this key: import the register again"))
                    }
                    Err(_) => Err("cannot be tried: the node is not enrolled".into()),
                },
            },
        );
        add(
            "roster",
            match fold.roster {
                None => Err("none is approved: run the node, then `koonti-node roster approve`".into()),
                Some((epoch, hash)) => Ok(format!("number {epoch}, hash {}", hash.short())),
            },
        );
    }
    add(
        "coordinator",
        match &keys {
            Ok(keys) => super::runtime()?.block_on(reach(config, keys)),
            Err(_) => Err("not tried: the node is not enrolled".into()),
        },
    );
    let rows: Vec<Vec<String>> = items.iter().map(|i| vec![i.state.into(), i.what.into(), i.text.clone()]).collect();
    let json: Vec<_> = items.iter().map(|i| json!({"item": i.what, "state": i.state, "text": i.text})).collect();
    output.print(&["state", "item", "finding"], &rows, &json.into());
    Ok(if items.iter().all(|i| i.state == "ok") { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// How many held periods do not open under the key at hand.
fn sealed_otherwise(config: &Config, keys: &Keys, fold: &Fold) -> usize {
    let newest = fold.vintages.iter().filter_map(|((_, _, period), vintages)| Some((*period, *vintages.last()?)));
    newest.filter(|(period, (_, vintage))| !extracts::readable(&config.state, &keys.seal, *vintage, *period)).count()
}

fn rules(policy: &Policy) -> String {
    let who = match policy.approval() {
        Approval::Each => "a person decides on each question",
        Approval::Auto => "questions are answered by standing rule",
    };
    format!("counts of this organisation under {} are never shown; {who}", policy.k())
}

async fn reach(config: &Config, keys: &Keys) -> Result<String, String> {
    // Not as a node attends: that would take the place of the running daemon.
    let link = PeopleLink::new(&config.coordinator, &keys.credentials).map_err(|e| e.to_string())?;
    match link.roster().await {
        Ok(_) => Ok(format!("{} answers and knows this node", config.coordinator)),
        Err(Failure::Denied(_)) => {
            Err("it answers, but its roster does not list this node yet: ask its operator".into())
        }
        Err(failure) => {
            Err(format!("{failure}: is the address right, and does the firewall let {} out?", config.coordinator))
        }
    }
}
