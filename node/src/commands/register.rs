//! `koonti-node register draft`: the mapping of a file that nobody has described yet.

use crate::error::Error;
use crate::parquet::{self, Order};
use crate::source::{self, DateFormat, Decimal};
use clap::Subcommand;
use koonti_disclosure::Codebook;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Propose a mapping for a register, as the text of a register.toml to be edited. It
    /// reads the file, writes nothing else, and needs neither network nor enrolment.
    #[command(
        after_help = "Examples:\n  koonti-node register draft export.csv\n  koonti-node register draft export.csv --out register.toml\n\nA spelling that the codebook does not know is named when ten clients or more have it;\nclient numbers and personal identity codes never are."
    )]
    Draft {
        /// The register, as the client system exports it.
        file: PathBuf,
        /// Write the draft here, readable by its owner alone; a file that is there stays.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// What `import` runs to read a Parquet file.
    #[command(hide = true)]
    Unpack {
        #[arg(long)]
        date: DateFormat,
        #[arg(long)]
        decimal: Decimal,
        #[arg(long)]
        client: Option<String>,
        #[arg(long)]
        column: Vec<String>,
        file: PathBuf,
    },
    /// What `register draft` runs to see which columns a Parquet file has.
    #[command(hide = true)]
    Columns { file: PathBuf },
}

pub(super) fn run(command: &Command) -> Result<ExitCode, Error> {
    match command {
        Command::Draft { file, out } => draft(file, out.as_deref()),
        Command::Unpack { date, decimal, client, column, file } => {
            let (columns, client, file) = (column.clone(), client.clone(), file.clone());
            let order = Order { file, columns, client, date: *date, decimal: *decimal };
            Ok(child(|| parquet::unpack(&order, std::io::stdout().lock())))
        }
        Command::Columns { file } => Ok(child(|| parquet::list(file, std::io::stdout().lock()))),
    }
}

/// Reads a Parquet file within limits. Whoever started this reads one line of stderr, and
/// nothing in another form.
fn child(read: impl FnOnce() -> Result<(), parquet::Fault>) -> ExitCode {
    match parquet::limit().map_err(parquet::Fault::from).and_then(|()| read()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("{fault}");
            ExitCode::FAILURE
        }
    }
}

fn draft(file: &Path, out: Option<&Path>) -> Result<ExitCode, Error> {
    let folder = out.and_then(Path::parent).unwrap_or(Path::new(""));
    let draft = source::draft(file, folder, Codebook::built_in())?;
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
