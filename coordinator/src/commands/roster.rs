//! `koonti-coordinator roster draft|install`.

use crate::config::Config;
use crate::error::Error;
use crate::fold::Fold;
use crate::keys::Keys;
use crate::known::Known;
use clap::Subcommand;
use koonti_disclosure::roster::{Floor, NodeEntry, PersonEntry, Roster, SignedRoster};
use koonti_evidence::entry::coordinator::MemberKind;
use std::path::PathBuf;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Print a draft of the next roster from all who have enrolled, for
    /// governance to check and sign.
    #[command(after_help = "Example:\n  koonti-coordinator roster draft > roster-draft.json")]
    Draft {
        /// Smallest count that any node of the region may print: 5 at first, then that of
        /// the roster in force.
        #[arg(long, value_parser = clap::value_parser!(u32).range(3..=1000))]
        k: Option<u32>,
        /// Number of nodes that one person may be known to: 2 at first, then that of the
        /// roster in force.
        #[arg(long, value_parser = clap::value_parser!(u32).range(1..=100))]
        known_to: Option<u32>,
    },
    /// Put a signed roster in force; a running coordinator passes it on to the nodes.
    #[command(after_help = "Example:\n  koonti-coordinator roster install roster.json")]
    Install {
        /// The roster that `koonti governance sign` printed.
        file: PathBuf,
    },
}

pub(super) fn run(config: &Config, command: &Command) -> Result<(), Error> {
    let installed = match std::fs::read(config.roster()) {
        Ok(bytes) => {
            let parsed = SignedRoster::parse(&bytes, config.governance);
            Some(parsed.map_err(|e| Error::unusable(&config.roster(), e))?)
        }
        Err(_) => None,
    };
    let floor = installed.as_ref().map(|r| r.roster().floor());
    let epoch = installed.as_ref().map_or(0, |r| r.roster().epoch());
    match command {
        Command::Draft { k, known_to } => {
            let fold = Fold::read(&config.journal())?;
            let (mut nodes, mut persons) = (Vec::new(), Vec::new());
            for (key, member) in &fold.members {
                if fold.is_revoked(key) {
                    continue;
                }
                let (name, identity) = (member.name.clone(), member.identity);
                match member.kind {
                    MemberKind::Node => {
                        let (Some(log), Some(witness)) = (member.log, member.witness) else { continue };
                        nodes.push(NodeEntry { areas: member.areas.clone(), identity, log, name, witness });
                    }
                    MemberKind::Person => persons.push(PersonEntry { identity, name, roles: member.roles.clone() }),
                }
            }
            let before = floor.unwrap_or(Floor { c: 1, eta: (1, 100), j: 2, k: 5 });
            let floor = Floor { j: known_to.unwrap_or(before.j), k: k.unwrap_or(before.k), ..before };
            let keys = Keys::load(config)?;
            let roster = Roster::new(config.region.clone(), epoch + 1, keys.logs(), floor, nodes, persons)?;
            keeps_keys(config, &roster)?;
            println!("{}", String::from_utf8_lossy(roster.bytes()));
            eprintln!("draft of roster {}, hash {}", roster.epoch(), roster.hash());
            floor.looser_than(&before).iter().for_each(|line| eprintln!("{line}"));
        }
        Command::Install { file } => {
            let bytes = std::fs::read(file).map_err(|e| Error::file(file, &e))?;
            let signed = SignedRoster::parse(bytes.trim_ascii_end(), config.governance);
            let signed = signed.map_err(|e| Error::unusable(file, e))?;
            if *signed.roster().region() != config.region {
                return Err(Error::Refused(format!("the roster is of region {}", signed.roster().region())));
            }
            if signed.roster().epoch() <= epoch {
                let why = format!("roster {epoch} is in force, and this is number {}", signed.roster().epoch());
                return Err(Error::Refused(why));
            }
            keeps_keys(config, signed.roster())?;
            koonti_journal::create_dir_private(&config.state)?;
            koonti_journal::write_atomic(&config.roster(), &signed.bytes(), 0o600)?;
            eprintln!(
                "roster {} is in force here; each node's operator approves it by its hash: {}",
                signed.roster().epoch(),
                signed.roster().hash()
            );
        }
    }
    Ok(())
}

fn keeps_keys(config: &Config, roster: &Roster) -> Result<(), Error> {
    Known::read(config)?.check_all(roster).map_err(|e| Error::Refused(e.to_string()))
}
