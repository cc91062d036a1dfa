//! `koonti governance init|sign`: on a machine without a network.

use crate::error::Error;
use crate::files::{make_dir, read, write_secret};
use crate::profile::random;
use clap::Subcommand;
use koonti_disclosure::Name;
use koonti_disclosure::identity::IdentityKey;
use koonti_disclosure::names::unhex;
use koonti_disclosure::roster::{Roster, SignedRoster};
use std::path::PathBuf;
use std::process::ExitCode;
use zeroize::Zeroizing;

/// Stands in front of the secret half, so that the public one is not taken for it.
const SECRET: &str = "secret ";

#[derive(Subcommand)]
pub(super) enum Command {
    /// Make the governance key of a region. Its secret half stays offline.
    #[command(after_help = "Example:\n  koonti governance init --region ita --out governance")]
    Init {
        /// The region's name: a-z, 0-9 and "-".
        #[arg(long)]
        region: Name,
        /// Folder to make.
        #[arg(long)]
        out: PathBuf,
    },
    /// Check a draft roster and print it signed.
    #[command(
        after_help = "Example:\n  koonti governance sign roster-draft.json --key governance/governance.key --before roster-1.json > roster-2.json"
    )]
    Sign {
        /// The draft that `koonti-coordinator roster draft` printed.
        draft: PathBuf,
        /// The secret governance key.
        #[arg(long)]
        key: PathBuf,
        /// The signed roster before this one: what the draft loosens is told.
        #[arg(long)]
        before: Option<PathBuf>,
    },
}

pub(super) fn run(command: &Command) -> Result<ExitCode, Error> {
    match command {
        Command::Init { region, out } => {
            make_dir(out)?;
            if out.join("governance.key").exists() {
                let why = "holds a governance key already: a region keeps the one it has; name another folder for another region";
                return Err(Error::Other(format!("{}: {why}", out.display())));
            }
            let key = IdentityKey::from_seed(random()?);
            write_secret(&out.join("governance.key"), &format!("{SECRET}{}\n", *key.seed_hex()))?;
            write_secret(&out.join("governance.pub"), &format!("{}\n", key.public()))?;
            say!("{}", key.public());
            eprintln!(
                "the governance key of region {region} is in {}. Keep governance.key on offline media;\n\
                 hand governance.pub to the coordinator's operator.",
                out.display()
            );
        }
        Command::Sign { draft, key, before } => {
            let roster = Roster::parse(read(draft)?.trim_end().as_bytes())?;
            let seed = Zeroizing::new(read(key)?);
            let seed = seed.trim().strip_prefix(SECRET).and_then(|seed| unhex(seed).ok());
            let seed = seed
                .ok_or_else(|| Error::config(key, "not a secret governance key: sign with governance.key, not .pub"))?;
            let key = IdentityKey::from_seed(seed);
            eprintln!(
                "signing roster {} of region {}: {} nodes, {} persons, smallest count {}; hash {}",
                roster.epoch(),
                roster.region(),
                roster.nodes().len(),
                roster.persons().len(),
                roster.floor().k,
                roster.hash()
            );
            if let Some(before) = before {
                let before = SignedRoster::parse(read(before)?.trim_end().as_bytes(), key.public())?;
                let looser = roster.floor().looser_than(&before.roster().floor());
                looser.iter().for_each(|line| eprintln!("  {line}"));
            }
            // Whoever signs should see what they sign.
            for node in roster.nodes() {
                eprintln!("  node {} key {} areas {}", node.name, node.identity, node.areas.join(" "));
            }
            for person in roster.persons() {
                let roles: Vec<String> = person.roles.iter().map(|r| format!("{r:?}").to_lowercase()).collect();
                eprintln!("  person {} key {} ({})", person.name, person.identity, roles.join(", "));
            }
            let signed = key.sign_roster(roster);
            say!("{}", String::from_utf8_lossy(&signed.bytes()));
        }
    }
    Ok(ExitCode::SUCCESS)
}
