//! `koonti witness init|run`: a witness outside the region, for its logs.
//!
//! It cosigns a log only as long as the log grows; what it has cosigned is on the disk
//! before the cosignature leaves. Without it, a coordinator and a node that agree could
//! show others a past that never was.

use crate::error::Error;
use crate::files::{make_dir, read, write_secret};
use crate::profile::random;
use clap::Subcommand;
use koonti_disclosure::names::{hex, unhex};
use koonti_disclosure::{Digest, canonical};
use koonti_evidence::entry::Head;
use koonti_evidence::note::WitnessKey;
use koonti_evidence::witness::{AddCheckpoint, Refused};
use koonti_evidence::{Checkpoint, Trust};
use koonti_proto::serve_witness;
use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};
use zeroize::Zeroizing;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Make a witness's key; prints its public half, for nodes and auditors.
    #[command(after_help = "Example:\n  koonti witness init --name auditor.example.fi/witness --dir witness")]
    Init {
        /// What it is called: letters, digits, `.`, `-` and `/`.
        #[arg(long)]
        name: String,
        /// Folder to make, for its key and what it has cosigned.
        #[arg(long)]
        dir: PathBuf,
    },
    /// Cosign the logs of a region, over plain HTTP (C2SP tlog-witness). A node is told
    /// to ask for it in node.toml.
    #[command(
        after_help = "Example:\n  koonti --profile outi evidence keys > keys.txt\n  koonti witness run --dir witness --logs keys.txt --listen 127.0.0.1:7450"
    )]
    Run {
        /// The folder that `init` made.
        #[arg(long)]
        dir: PathBuf,
        /// The logs' public keys, as `koonti evidence keys` prints them.
        #[arg(long)]
        logs: PathBuf,
        /// Where to listen.
        #[arg(long, default_value = "127.0.0.1:7450")]
        listen: SocketAddr,
    },
}

pub(super) async fn run(command: &Command) -> Result<ExitCode, Error> {
    match command {
        Command::Init { name, dir } => {
            make_dir(dir)?;
            if dir.join("witness.key").exists() {
                return Err(Error::Other(format!("{}: holds a key already; nothing was changed", dir.display())));
            }
            let seed = Zeroizing::new(random()?);
            let key = WitnessKey::from_seed(name, seed.clone()).map_err(|e| Error::Other(e.to_string()))?;
            write_secret(&dir.join("witness.key"), &format!("{name} {}\n", hex(&*seed)))?;
            say!("{}", key.verifier());
        }
        Command::Run { dir, logs, listen } => {
            let witness = Witness::load(dir, logs)?;
            let listener =
                TcpListener::bind(listen).map_err(|e| Error::Other(format!("cannot listen on {listen}: {e}")))?;
            eprintln!(
                "cosigning {} logs as {}, on {listen}",
                witness.trust.logs().len(),
                witness.key.verifier().name()
            );
            serve_witness(listener, move |body| witness.answer(body)).await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

struct Witness {
    key: WitnessKey,
    trust: Trust,
    dir: PathBuf,
    /// One at a time: check, write, sign.
    turn: Mutex<()>,
}

impl Witness {
    fn load(dir: &Path, logs: &Path) -> Result<Self, Error> {
        let path = dir.join("witness.key");
        let text = Zeroizing::new(read(&path)?);
        let bad = || Error::config(&path, "not a witness's key file");
        let (name, seed) = text.trim().split_once(' ').ok_or_else(bad)?;
        let seed = Zeroizing::new(unhex(seed).map_err(|_| bad())?);
        let key = WitnessKey::from_seed(name, seed).map_err(|_| bad())?;
        let trust = Trust::parse(&read(logs)?).map_err(|e| Error::config(logs, e))?;
        Ok(Self { key, trust, dir: dir.to_owned(), turn: Mutex::new(()) })
    }

    fn answer(&self, body: &[u8]) -> (u16, Vec<u8>) {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        match self.cosign(body) {
            Ok(line) => (200, format!("{line}\n").into_bytes()),
            Err(Answer::Refused(Refused::Conflict(size))) => (409, format!("{size}\n").into_bytes()),
            Err(Answer::Refused(refused)) => (refused.status(), format!("{refused}\n").into_bytes()),
            Err(Answer::Disk(error)) => {
                eprintln!("error: {error}");
                (500, Vec::new())
            }
        }
    }

    fn cosign(&self, body: &[u8]) -> Result<String, Answer> {
        let request = AddCheckpoint::parse(body)?;
        let origin = request.origin()?;
        let log = self.trust.log(&origin).ok_or(Refused::Unknown)?;
        let path = self.dir.join(format!("{}.json", Digest::of(origin.as_bytes())));
        let checkpoint = request.judge(log, last(&path)?)?;
        let head = Head { root: checkpoint.root(), size: checkpoint.size() };
        keep(&path, &canonical::to_bytes(&head).map_err(|e| Error::Other(e.to_string()))?)?;
        let time = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let signature = Checkpoint::cosign(&checkpoint, &self.key, time).map_err(|e| Error::Other(e.to_string()))?;
        Ok(signature.to_string())
    }
}

enum Answer {
    Refused(Refused),
    Disk(Error),
}

impl From<Refused> for Answer {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

impl From<Error> for Answer {
    fn from(error: Error) -> Self {
        Self::Disk(error)
    }
}

/// What was cosigned last. A file that cannot be read stops the witness: its key is
/// then to be retired, never begun anew.
fn last(path: &Path) -> Result<Option<Head>, Error> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(canonical::from_bytes(&bytes).map_err(|e| Error::config(path, e))?)),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(Error::file(path, &e)),
    }
}

/// Replaces a file so that a power cut leaves the old one or the new one.
fn keep(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let failed = |e: std::io::Error| Error::file(path, &e);
    let new = path.with_extension("new");
    let mut file = std::fs::File::create(&new).map_err(failed)?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(failed)?;
    std::fs::rename(&new, path).map_err(failed)?;
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)
}
