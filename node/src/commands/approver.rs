//! `koonti-node approver new|set|list`: the persons who approve the rules of a node.

use crate::config::Config;
use crate::error::Error;
use crate::fold::Fold;
use crate::inbox::{self, Order};
use crate::keys::{private, random};
use clap::Subcommand;
use koonti_disclosure::Digest;
use koonti_disclosure::identity::IdentityKey;
use koonti_disclosure::names::{hex, unhex};
use koonti_evidence::entry::Approval;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use zeroize::Zeroizing;

/// What a secret key file of an approver begins with.
const SECRET: &str = "koonti-approver-key ";

#[derive(Subcommand)]
pub(super) enum Command {
    /// Make the key of a person who approves this node's rules. They take the file with
    /// them; its public half is printed.
    #[command(after_help = "Example:\n  koonti-node approver new --out dpo.key")]
    New {
        /// The file to make.
        #[arg(long)]
        out: PathBuf,
    },
    /// Name the persons who approve this node's rules: at least two. The first time the
    /// operator names them; later two of those before have to agree.
    #[command(
        after_help = "Examples:\n  koonti-node approver set 3f5a...c1 90b7...2e\n  koonti-node approver set 3f5a...c1 77d0...9a --by dpo.key --by director.key"
    )]
    Set {
        /// The public keys.
        #[arg(required = true)]
        keys: Vec<Digest>,
        /// Key files of two who approve so far.
        #[arg(long)]
        by: Vec<PathBuf>,
    },
    /// Show who approves this node's rules.
    List,
}

pub(super) fn run(config: &Config, command: &Command) -> Result<ExitCode, Error> {
    match command {
        Command::New { out } => {
            if out.exists() {
                return Err(Error::Refused(format!("{}: exists already; nothing was changed", out.display())));
            }
            let key = IdentityKey::from_seed(random()?);
            let text = Zeroizing::new(format!("{SECRET}{}\n", *key.seed_hex()));
            koonti_journal::write_atomic(out, text.as_bytes(), 0o600)?;
            say!("{}", key.public());
            eprintln!("the key is in {}: whoever holds it approves rules", out.display());
        }
        Command::Set { keys, by } => {
            let mut keys = keys.clone();
            keys.sort_unstable();
            keys.dedup();
            let Fold { approvers, chain, .. } = Fold::read(&config.journal())?.0;
            let approvals = approvals(by, |key| key.sign_approvers(chain.end(), &keys))?;
            if !chain.names_approvers(&approvers, Some(chain.end()), &keys, &approvals) {
                return Err(Error::Refused(match approvers.is_empty() {
                    true => "the first approvers are named without --by, and at least two of them".to_owned(),
                    false => "it takes two of those who approve now (--by), and at least two keys".to_owned(),
                }));
            }
            inbox::hand_in(config, &Order::Approvers { approvals, keys: keys.clone() })?;
            if Fold::read(&config.journal())?.0.approvers != keys {
                return Err(Error::Refused("others were named meanwhile; nothing was changed: look again".to_owned()));
            }
            eprintln!("{} persons approve the rules of this node; two are needed each time", keys.len());
        }
        Command::List => {
            for key in Fold::read(&config.journal())?.0.approvers {
                say!("{key}");
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// What each of these keys signs, keys ascending.
pub(super) fn approvals(files: &[PathBuf], sign: impl Fn(&IdentityKey) -> [u8; 64]) -> Result<Vec<Approval>, Error> {
    let mut approvals = Vec::new();
    for file in files {
        let key = secret(file)?;
        approvals.push(Approval { key: key.public(), signature: hex(&sign(&key)) });
    }
    approvals.sort_by_key(|approval| approval.key);
    Ok(approvals)
}

fn secret(file: &Path) -> Result<IdentityKey, Error> {
    let text = Zeroizing::new(std::fs::read_to_string(file).map_err(|e| Error::file(file, &e))?);
    private(file)?;
    let seed = text.trim().strip_prefix(SECRET).and_then(|seed| unhex(seed).ok());
    let bad = || Error::Key { path: file.display().to_string(), why: "not an approver's key file".to_owned() };
    Ok(IdentityKey::from_seed(seed.ok_or_else(bad)?))
}
