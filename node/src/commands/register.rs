//! `koonti-node register draft`: the mapping of a file that nobody has described yet.

use crate::error::Error;
use crate::source;
use clap::Subcommand;
use koonti_disclosure::Codebook;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Propose a mapping for a register, as the text of a register.toml to be edited. It
    /// reads the file, writes nothing else, and needs neither network nor enrolment.
    #[command(
        after_help = "Examples:\n  koonti-node register draft export.csv\n  koonti-node register draft export.csv --out register.toml\n\nA spelling that the codebook does not know is named when it stands in ten rows or\nmore; client numbers and personal identity codes never are."
    )]
    Draft {
        /// The register, as the client system exports it.
        file: PathBuf,
        /// Write the draft here, readable by its owner alone; a file that is there stays.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
}

pub(super) fn run(command: &Command) -> Result<ExitCode, Error> {
    let Command::Draft { file, out } = command;
    let draft = source::draft(file, Codebook::built_in())?;
    match out {
        None => say!("{}", draft.trim_end()),
        Some(path) if path.exists() => {
            return Err(Error::Refused(format!("{} is there already: name another file", path.display())));
        }
        Some(path) => {
            koonti_journal::write_atomic(path, draft.as_bytes(), 0o600)?;
            eprintln!("the draft is in {}: edit it, then `koonti-node import --dry-run`", path.display());
        }
    }
    Ok(ExitCode::SUCCESS)
}
