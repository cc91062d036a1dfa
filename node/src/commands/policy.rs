//! `koonti-node policy show|explain|approve`: the rules of a node, which two persons
//! approve, together or one after the other.

use super::approver::approvals;
use super::check::{self, Approved};
use super::explain::{self, Lang};
use crate::config::{Config, read_toml};
use crate::error::Error;
use crate::fold::Fold;
use crate::inbox::{self, Order};
use clap::Subcommand;
use koonti_disclosure::{Digest, Policy, canonical};
use koonti_evidence::approvers::NEEDED;
use koonti_evidence::entry::Approval;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Show the rules in policy.toml and whether they are approved.
    #[command(after_help = "Example:\n  koonti-node policy show")]
    Show,
    /// Say in plain words what each of the rules in policy.toml means.
    #[command(
        after_help = "Examples:\n  koonti-node policy explain\n  koonti-node policy explain --lang fi\n\nFor whoever approves the rules. Settings that are weaker than usual are pointed\nout; nothing is changed."
    )]
    Explain {
        /// The language of the text.
        #[arg(long, value_enum, default_value = "en")]
        lang: Lang,
    },
    /// Put the rules in policy.toml in force, with the keys of two persons.
    #[command(
        after_help = "Examples:\n  koonti-node policy approve --key dpo.key --key director.key\n  koonti-node policy approve --hash 13b5ecbaeac0 --key dpo.key\n\nWith one key, that person's approval is kept until another gives theirs.\nEach approval is good once: at this node, and until the next."
    )]
    Approve {
        /// Key file of a person who approves.
        #[arg(long = "key", required = true)]
        keys: Vec<PathBuf>,
        /// The hash of the rules, or its first digits, as `policy explain` showed it.
        #[arg(long)]
        hash: Option<String>,
    },
}

pub(super) fn run(config: &Config, command: &Command) -> Result<ExitCode, Error> {
    let policy: Policy = read_toml(&config.policy)?;
    let hash = policy.hash();
    let fold = Fold::read(&config.journal())?.0;
    match command {
        Command::Show => {
            let approved = fold.policy == Some(hash);
            say!("{}: rules {hash}, {}", config.policy.display(), if approved { "approved" } else { "not approved" });
            say!("{}", String::from_utf8_lossy(&policy.bytes()));
        }
        Command::Explain { lang } => {
            let file = config.policy.display().to_string();
            say!("{}", explain::explained(&file, &policy, Approved::of(&fold, &policy, check::floor(config)), *lang));
        }
        Command::Approve { keys, hash } => approve(config, &fold, &policy, keys, hash.as_deref())?,
    }
    Ok(ExitCode::SUCCESS)
}

fn approve(
    config: &Config,
    fold: &Fold,
    policy: &Policy,
    keys: &[PathBuf],
    expected: Option<&str>,
) -> Result<(), Error> {
    let (hash, after) = (policy.hash(), fold.chain.end());
    let refused = |why: String| Err(Error::Refused(why));
    eprintln!("{}: rules {}: {}", config.policy.display(), hash.short(), check::rules(policy));
    if expected.is_some_and(|digits| digits.len() < 6 || !hash.to_string().starts_with(digits)) {
        return refused("these rules have another hash: read them again, `koonti-node policy explain`".to_owned());
    }
    let mut given = Given { after, approvals: approvals(keys, |key| key.sign_policy(after, hash))?, policy: hash };
    let apart = given.approvals.windows(2).all(|pair| pair[0].key < pair[1].key);
    if !apart || !given.approvals.iter().all(|approval| fold.approvers.contains(&approval.key)) {
        return refused(TWO.to_owned());
    }
    given.join(config);
    if given.approvals.len() < NEEDED {
        given.keep(config)?;
        eprintln!(
            "one person has approved the rules {}: they are not in force until another does the same",
            hash.short()
        );
        return Ok(());
    }
    if !fold.chain.approves_policy(&fold.approvers, Some(after), hash, &given.approvals) {
        return refused(TWO.to_owned());
    }
    inbox::hand_in(config, &Order::Policy { approvals: given.approvals, policy: policy.json() })?;
    let now = Fold::read(&config.journal())?.0;
    if now.policy != Some(hash) || now.chain.end() == after {
        return refused("other rules were approved meanwhile: look again".to_owned());
    }
    eprintln!("approved: the rules {} are in force; a running node takes them when it is started anew", hash.short());
    Ok(())
}

/// Approvals that have been given, and what they are good for.
#[derive(Serialize, Deserialize)]
struct Given {
    after: Digest,
    approvals: Vec<Approval>,
    policy: Digest,
}

impl Given {
    fn path(config: &Config) -> PathBuf {
        config.state.join("approval.json")
    }

    /// Adds what another person has given for the same rules, if it is wanted.
    fn join(&mut self, config: &Config) {
        let held = std::fs::read(Self::path(config)).ok().and_then(|bytes| canonical::from_bytes::<Self>(&bytes).ok());
        let same = |held: &Self| (held.after, held.policy) == (self.after, self.policy);
        let Some(held) = held.filter(same) else { return };
        if let [one] = &self.approvals[..] {
            let others = held.approvals.into_iter().filter(|other| other.key != one.key);
            let all: Vec<Approval> = others.chain([one.clone()]).collect();
            self.approvals = all;
            self.approvals.sort_by_key(|approval| approval.key);
        }
    }

    fn keep(&self, config: &Config) -> Result<(), Error> {
        koonti_journal::create_dir_private(&config.state)?;
        let bytes = canonical::to_bytes(self).expect("names, integers and hex");
        Ok(koonti_journal::write_atomic(&Self::path(config), &bytes, 0o600)?)
    }
}

const TWO: &str = "it takes the keys of two distinct persons of `koonti-node approver list`";
