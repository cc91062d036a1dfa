//! `koonti-node evidence export`: this node's own log, for an auditor.

use crate::blobs;
use crate::config::Config;
use crate::error::Error;
use crate::keys::Keys;
use crate::store::read_release_bytes;
use clap::Subcommand;
use koonti_disclosure::{canonical, ledger};
use koonti_evidence::bundle::{Bundle, log_of_node};
use koonti_evidence::entry::node::Own;
use koonti_evidence::{Checkpoint, Note};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Write this node's log, its rules and what it released into one file, for
    /// `koonti-verify`: as far as the coordinator has cosigned it.
    #[command(
        after_help = "Example:\n  koonti-node evidence export --out node.tar\n  koonti-verify bundle node.tar --trust keys.txt"
    )]
    Export {
        /// The file to write.
        #[arg(long)]
        out: PathBuf,
    },
}

pub(super) fn run(config: &Config, command: &Command) -> Result<ExitCode, Error> {
    let Command::Export { out } = command;
    let keys = Keys::load(&config.keys)?;
    let path = config.state.join("checkpoint");
    let note = match std::fs::read(&path) {
        Ok(bytes) => Note::parse(&bytes).map_err(|e| Error::Refused(format!("{}: {e}", path.display())))?,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            return Err(Error::Refused("the coordinator has cosigned nothing yet: run the node first".to_owned()));
        }
        Err(e) => return Err(Error::file(&path, &e)),
    };
    let refused = |e: &dyn std::fmt::Display| Error::Refused(e.to_string());
    let checkpoint = Checkpoint::verify(&note, keys.log.verifier(), &[]).map_err(|e| refused(&e))?.checkpoint;
    let mut entries = koonti_journal::read(&config.journal())?;
    entries.truncate(usize::try_from(checkpoint.size()).unwrap_or(usize::MAX));
    let mut bundle = Bundle::new(keys.member.region.clone());
    bundle.log(&log_of_node(&keys.member.name), &note, &entries).map_err(|e| refused(&e))?;
    for entry in &entries {
        if let Some(bytes) = named(&config.state, entry) {
            bundle.blob(bytes);
        }
    }
    let bytes = bundle.bytes().map_err(|e| refused(&e))?;
    koonti_journal::write_atomic(out, &bytes, 0o600)?;
    eprintln!("{}: {} entries, {} bytes", out.display(), entries.len(), bytes.len());
    Ok(ExitCode::SUCCESS)
}

/// What an entry names, as far as it is here.
fn named(state: &Path, entry: &[u8]) -> Option<Vec<u8>> {
    match canonical::from_bytes(entry) {
        Ok(Own::PolicyApproved { policy, .. }) => blobs::read(state, policy),
        Ok(Own::RosterApproved { roster, .. }) => blobs::read(state, roster),
        _ => match canonical::from_bytes(entry).ok()? {
            ledger::Entry::Release { release, .. } => read_release_bytes(state, release),
            _ => None,
        },
    }
}
