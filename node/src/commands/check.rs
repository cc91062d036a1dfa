//! `koonti-node check`: the doctor. It reads and dials; it changes nothing.

use super::output::Output;
use crate::config::{Config, read_toml};
use crate::error::Error;
use crate::extracts;
use crate::fold::Fold;
use crate::keys::Keys;
use crate::seeds;
use crate::source::Mapping;
use koonti_disclosure::coverage::Coverage;
use koonti_disclosure::policy::Approval;
use koonti_disclosure::roster::SignedRoster;
use koonti_disclosure::{Codebook, Digest, Period, Policy};
use koonti_proto::checkup;
use serde_json::json;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::process::ExitCode;
use std::time::Duration;

struct Item {
    what: &'static str,
    state: &'static str,
    text: String,
}

pub(super) fn check(config: &Config, output: Output, hold: Duration) -> Result<ExitCode, Error> {
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
    let held = fold.as_ref().ok().map(|(fold, _)| fold);
    add("coverage", Ok(covers(mapping.as_ref().ok().and_then(|m| m.coverage), held)));
    add(
        "journal",
        fold.as_ref().map(|(_, entries)| format!("{} entries, all whole", entries.len())).map_err(ToString::to_string),
    );
    if let Ok((fold, _)) = &fold {
        add(
            "approval of the rules",
            match &policy {
                Ok(policy) => approved(fold, policy, floor(config)),
                Err(_) => Err("cannot be tried: the rules cannot be read".into()),
            },
        );
        if let Ok(keys) = &keys {
            add("seeds of noise", seeds_left(config, keys, fold));
        }
        add(
            "extract",
            match fold.vintages.len() {
                0 => Err("nothing is imported: run `koonti-node import`".into()),
                n => match keys.as_ref().map(|keys| not_whole(config, keys, fold)) {
                    Ok(0) => Ok(format!("{n} periods are held, and open")),
                    Ok(bad) => Err(format!(
                        "{bad} of {n} periods are gone, damaged or under another key: import the register again"
                    )),
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
    if let Ok(keys) = &keys {
        let route = config.route();
        let looking = checkup(&route, &keys.credentials, hold);
        let found = super::runtime()?.block_on(looking).into_iter();
        items.extend(found.map(|f| Item { what: f.what, state: f.standing.word(), text: f.text }));
    }
    items.push(daemon(config));
    items.extend(keys_within(config));
    let rows: Vec<Vec<String>> = items.iter().map(|i| vec![i.state.into(), i.what.into(), i.text.clone()]).collect();
    let json: Vec<_> = items.iter().map(|i| json!({"item": i.what, "state": i.state, "text": i.text})).collect();
    output.print(&["state", "item", "finding"], &rows, &json.into());
    Ok(if items.iter().all(|i| i.state != "failed") { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// Whether the daemon runs: it holds the journal's lock for its whole life.
fn daemon(config: &Config) -> Item {
    let (state, text) = match koonti_journal::in_use(&config.journal()) {
        Ok(true) => ("ok", "runs".to_owned()),
        Ok(false) => {
            ("warning", "does not run: start it, `systemctl start koonti-node` or `koonti-node run`".to_owned())
        }
        Err(_) => ("warning", "has never run here".to_owned()),
    };
    Item { what: "daemon", state, text }
}

/// A warning when a backup of the state would hold the keys.
fn keys_within(config: &Config) -> Option<Item> {
    let [state, keys] = [&config.state, &config.keys].map(|path| path.canonicalize().ok());
    let text = "they lie within the state: leave them out of its backups, or move them and name the place (`keys` in node.toml)";
    keys?.starts_with(state?).then(|| Item { what: "keys", state: "warning", text: text.to_owned() })
}

/// The region's smallest count, by the roster in force.
pub(super) fn floor(config: &Config) -> Option<u32> {
    let keys = Keys::load(&config.keys).ok()?;
    let bytes = std::fs::read(config.roster()).ok()?;
    Some(SignedRoster::parse(&bytes, keys.member.governance).ok()?.roster().floor().k)
}

/// What the mapping states of the register, and the newest extracts that state otherwise.
fn covers(stated: Option<Coverage>, fold: Option<&Fold>) -> String {
    let mut text = stated_text(stated);
    let newest = fold.into_iter().flat_map(|fold| {
        let of = fold.vintages.iter().filter_map(|((_, _, period), vintages)| Some((*period, vintages.last()?.1)));
        of.map(|(period, vintage)| (period, fold.coverage.get(&(vintage.id, period)).copied()))
    });
    let otherwise: BTreeSet<Period> = newest.filter(|(_, held)| *held != stated).map(|(period, _)| period).collect();
    if !otherwise.is_empty() {
        let periods: Vec<String> = otherwise.iter().map(ToString::to_string).collect();
        let _ = write!(text, "; imported with another statement: {}", periods.join(", "));
    }
    text
}

/// What the mapping states, which goes into the log and to every table.
pub(super) fn stated_text(stated: Option<Coverage>) -> String {
    match stated {
        Some(coverage) => format!("the mapping states that the register {}", coverage.text()),
        None => "the mapping does not state how much of the organisation the register covers (\"coverage\")".to_owned(),
    }
}

/// How the rules in the file stand to those that two persons have approved.
#[derive(Clone, Copy)]
pub(super) enum Approved {
    /// Nobody has been named who may approve any.
    NobodyMay,
    /// None have ever been approved.
    NotYet,
    /// Others are in force.
    Others,
    /// They are approved, and looser than the region's smallest count: all is refused.
    BelowFloor(u32),
    /// These are in force.
    InForce(Digest),
}

impl Approved {
    /// `rules` are those in the file, `floor` the region's smallest count.
    pub(super) fn of(fold: &Fold, rules: &Policy, floor: Option<u32>) -> Self {
        match (fold.approvers.len(), fold.policy) {
            (0, _) => Self::NobodyMay,
            (_, None) => Self::NotYet,
            (_, Some(approved)) if approved != rules.hash() => Self::Others,
            (_, Some(approved)) => {
                floor.filter(|floor| rules.k() < *floor).map_or(Self::InForce(approved), Self::BelowFloor)
            }
        }
    }
}

/// Whether two persons have approved the rules as they stand in the file.
fn approved(fold: &Fold, policy: &Policy, floor: Option<u32>) -> Result<String, String> {
    let next = match Approved::of(fold, policy, floor) {
        Approved::BelowFloor(floor) => {
            return Err(format!("the region wants k to be at least {floor}, so every question is refused: raise k"));
        }
        Approved::NobodyMay => "nobody may approve them yet: `koonti-node approver new`, then `approver set`",
        Approved::NotYet => "nobody has approved them: `koonti-node policy approve`",
        Approved::Others => "the file is not what was approved: `koonti-node policy approve`, or put the old file back",
        Approved::InForce(hash) => {
            let by = format!("{} by two of {} persons", hash.short(), fold.approvers.len());
            return Ok(match fold.chain.is_named() {
                true => by,
                false => by + ", as earlier versions did it: approve them once more, so that no older approval counts",
            });
        }
    };
    Err(next.to_owned())
}

/// How many seeds are fixed in the log, unused, and open.
fn seeds_left(config: &Config, keys: &Keys, fold: &Fold) -> Result<String, String> {
    let unused: Vec<u64> = fold.unused_seeds(u64::MAX).collect();
    let opens = |number: &&u64| {
        let commitment = usize::try_from(**number).ok().and_then(|number| fold.seeds.get(number));
        commitment.is_some_and(|it| seeds::open(&config.state, &keys.seal, **number, *it).is_some())
    };
    match (unused.len(), unused.iter().filter(opens).count()) {
        (0, _) => Ok("none yet: the node fixes some when it connects".to_owned()),
        (fixed, 0) => Err(format!("none of {fixed} opens with this key: start the node, which fixes others")),
        (_, left) => Ok(format!("{left} are fixed and unused")),
    }
}

/// How many held periods do not open under the key at hand, to the last byte.
fn not_whole(config: &Config, keys: &Keys, fold: &Fold) -> usize {
    let newest = fold.vintages.iter().filter_map(|((_, _, period), vintages)| Some((*period, *vintages.last()?)));
    newest
        .filter(|(period, (_, vintage))| {
            extracts::open(&config.state, &keys.seal, vintage.id, *period, Codebook::built_in()).is_err()
        })
        .count()
}

/// The rules in one line.
pub(super) fn rules(policy: &Policy) -> String {
    let who = match policy.approval() {
        Approval::Each => "a person decides on each question",
        Approval::Auto => "questions are answered by standing rule",
    };
    format!("counts of this organisation under {} are never shown; {who}", policy.k())
}
