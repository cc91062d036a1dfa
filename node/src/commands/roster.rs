//! `koonti-node roster show|approve`.

use crate::config::Config;
use crate::error::Error;
use crate::fold::Fold;
use crate::inbox::{self, Order};
use crate::keys::Keys;
use clap::Subcommand;
use koonti_disclosure::roster::{Roster, SignedRoster};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Show the roster in force, and the one that waits for approval.
    Show,
    /// Approve the roster that waits: from then on it says who may ask.
    #[command(
        after_help = "Examples:\n  koonti-node roster approve\n  koonti-node roster approve 3f5a90c1b2d4\n  koonti-node roster approve --file roster.json --yes"
    )]
    Approve {
        /// The hash of the roster, or its first digits, as governance announced it.
        hash: Option<String>,
        /// Take the signed roster from this file instead of the coordinator.
        #[arg(long)]
        file: Option<PathBuf>,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
}

pub(super) fn run(config: &Config, command: &Command) -> Result<ExitCode, Error> {
    let keys = Keys::load(&config.keys)?;
    let read = |path: &Path| -> Result<Option<SignedRoster>, Error> {
        match std::fs::read(path) {
            Ok(bytes) => Ok(Some(SignedRoster::parse(bytes.trim_ascii_end(), keys.member.governance)?)),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(Error::file(path, &e)),
        }
    };
    match command {
        Command::Show => {
            for (what, path) in [("in force", config.roster()), ("waits for approval", config.pending_roster())] {
                match read(&path)? {
                    Some(signed) => describe(what, signed.roster()),
                    None => say!("{what}: none"),
                }
            }
            Ok(ExitCode::SUCCESS)
        }
        Command::Approve { hash, file, yes } => {
            let pending = match file {
                Some(path) => read(path)?.ok_or_else(|| Error::Refused(format!("{}: no such file", path.display())))?,
                None => read(&config.pending_roster())?.ok_or_else(|| {
                    let why = "no roster waits for approval: the running node fetches it from the coordinator";
                    Error::Refused(why.into())
                })?,
            };
            // Whatever stands there now: only what changes is shown.
            let in_force = read(&config.roster()).ok().flatten();
            approve(config, &keys, &pending, in_force.as_ref(), hash.as_deref(), *yes)
        }
    }
}

fn approve(
    config: &Config,
    keys: &Keys,
    signed: &SignedRoster,
    in_force: Option<&SignedRoster>,
    hash: Option<&str>,
    yes: bool,
) -> Result<ExitCode, Error> {
    let roster = signed.roster();
    let refused = |why: String| Err(Error::Refused(why));
    if *roster.region() != keys.member.region {
        return refused(format!("the roster is of region {}, this node of {}", roster.region(), keys.member.region));
    }
    let (fold, _) = Fold::read(&config.journal())?;
    if let Some((epoch, _)) = fold.roster.filter(|(epoch, _)| roster.epoch() <= *epoch) {
        return refused(format!(
            "roster {epoch} is in force, and this is number {}: an older one is not taken",
            roster.epoch()
        ));
    }
    let logs = keys.logs();
    let mine = (keys.identity.public(), logs.log, logs.witness);
    if roster.node(&keys.member.name).is_some_and(|own| (own.identity, own.log, own.witness) != mine) {
        return refused("the roster gives this node other keys than its own: do not approve it, ask governance".into());
    }
    describe("waits for approval", roster);
    if let Some(before) = in_force {
        roster.floor().looser_than(&before.roster().floor()).iter().for_each(|line| say!("  {line}"));
    }
    match hash {
        Some(prefix) if prefix.len() >= 6 && roster.hash().to_string().starts_with(prefix) => {}
        Some(_) => return refused("the roster that waits has another hash: do not approve it, ask governance".into()),
        None if yes || super::confirmed(AGREES, "nobody is here to ask: give the hash, or --yes")? => {}
        None => return refused("not approved".into()),
    }
    // Last, so that a file that was refused displaces nothing.
    koonti_journal::create_dir_private(&config.state)?;
    koonti_journal::write_atomic(&config.pending_roster(), &signed.bytes(), 0o600)?;
    inbox::hand_in(config, &Order::Roster { epoch: roster.epoch(), roster: roster.hash() })?;
    if Fold::read(&config.journal())?.0.roster != Some((roster.epoch(), roster.hash())) {
        return refused("another roster has come meanwhile; nothing was approved: look again".into());
    }
    eprintln!("approved: roster {} of region {} is in force at this node", roster.epoch(), roster.region());
    Ok(ExitCode::SUCCESS)
}

fn describe(what: &str, roster: &Roster) {
    say!("{what}: roster {} of region {}, hash {}", roster.epoch(), roster.region(), roster.hash());
    say!("  smallest count accepted in the region: {}", roster.floor().k);
    for node in roster.nodes() {
        say!("  node {} serving {} areas, key {}", node.name, node.areas.len(), node.identity);
    }
    for person in roster.persons() {
        let roles: Vec<String> = person.roles.iter().map(|r| format!("{r:?}").to_lowercase()).collect();
        say!("  person {} ({}), key {}", person.name, roles.join(", "), person.identity);
    }
}

const AGREES: &str = "Does the hash agree with what governance announced? Approve?";
