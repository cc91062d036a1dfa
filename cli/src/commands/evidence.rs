//! `koonti evidence fetch|keys`.

use crate::error::Error;
use crate::profile::Profile;
use clap::Subcommand;
use koonti_disclosure::Digest;
use koonti_evidence::note::{Kind, VerifierKey};
use koonti_evidence::origin::{coordinator_origin, node_origin};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use tokio_stream::StreamExt;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Fetch the evidence of the whole region into one file, for `koonti-verify`. It
    /// holds noisy figures under the threshold: for auditors, never to be published.
    #[command(
        after_help = "Example:\n  koonti --profile outi evidence fetch --out evidence.tar\n  koonti --profile outi evidence keys > keys.txt\n  koonti-verify bundle evidence.tar --trust keys.txt"
    )]
    Fetch {
        /// The file to write.
        #[arg(long)]
        out: PathBuf,
    },
    /// Print the governance key that this profile pinned at enrolment, and the keys of the
    /// logs, as the file that `koonti-verify --trust` and `koonti witness run --logs` read.
    /// Compare the first with what governance announced; the others follow from it.
    #[command(after_help = "Example:\n  koonti evidence keys > keys.txt")]
    Keys,
}

pub(super) async fn run(profile: &Path, command: &Command) -> Result<ExitCode, Error> {
    let profile = Profile::open(profile).await?;
    match command {
        Command::Fetch { out } => {
            let bytes = fetch(&profile, out).await?;
            eprintln!("{}: {bytes} bytes of evidence; check it with `koonti-verify bundle`", out.display());
        }
        Command::Keys => say!("{}", keys(&profile).await?),
    }
    Ok(ExitCode::SUCCESS)
}

/// Writes the evidence to a file; returns its size.
pub(crate) async fn fetch(profile: &Profile, out: &Path) -> Result<u64, Error> {
    let mut pieces = profile.evidence()?.fetch().await?;
    let mut file = std::fs::File::create(out).map_err(|e| Error::file(out, &e))?;
    let mut size = 0;
    while let Some(piece) = pieces.next().await {
        let piece = piece?;
        size += piece.len() as u64;
        file.write_all(&piece).map_err(|e| Error::file(out, &e))?;
    }
    file.sync_all().map_err(|e| Error::file(out, &e))?;
    Ok(size)
}

/// The trust file.
pub(crate) async fn keys(profile: &Profile) -> Result<String, Error> {
    let link = profile.link()?;
    let signed = profile.roster(&link).await?;
    let (region, roster) = (profile.region(), signed.roster());
    let mut text = format!("# region {region}, as pinned at enrolment\ngovernance {}\n", profile.governance());
    text += &format!("# logs, from roster {}, which that key has signed", roster.epoch());
    let mut log = |origin: &str, key: Digest| -> Result<(), Error> {
        let key = VerifierKey::new(origin, Kind::Log, key).map_err(|e| Error::Other(e.to_string()))?;
        text += &format!("\nlog {key}");
        Ok(())
    };
    log(&coordinator_origin(region), roster.coordinator().log)?;
    for node in roster.nodes() {
        log(&node_origin(region, &node.name), node.log)?;
    }
    Ok(text)
}
