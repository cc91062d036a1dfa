//! `koonti-coordinator node sign` and `person sign`.

use crate::config::{Config, read};
use crate::error::Error;
use crate::orders::{Order, hand_in};
use clap::Args;
use koonti_evidence::entry::coordinator::MemberKind;
use koonti_proto::offline::{Reply, Request, fingerprint};
use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

#[derive(Args)]
#[command(
    after_help = "The invitation's secret and expiry are checked as over the network; it serves once.\n\nExample:\n  koonti-coordinator node sign request.json --out reply.json"
)]
pub(super) struct Sign {
    /// The file that the newcomer's `enroll --offline` has written.
    request: PathBuf,
    /// The file to carry back.
    #[arg(long)]
    out: PathBuf,
}

pub(super) fn sign(config: &Config, kind: MemberKind, sign: &Sign) -> Result<(), Error> {
    let text = read(&sign.request)?;
    let wrong = |e: &dyn std::fmt::Display| Error::Refused(format!("{}: {e}", sign.request.display()));
    let ask = Request::parse(text.as_bytes(), &config.region).map_err(|e| wrong(&e))?;
    // First: an invitation that is taken up serves no second time.
    reserve(&sign.out)?;
    let reply = hand_in(config, &Order::Enrol { kind, request: text.trim_end().to_owned() }).inspect_err(|_| {
        // It is empty. What could not be done is what has to be told.
        drop(std::fs::remove_file(&sign.out));
    })?;
    koonti_journal::write_atomic(&sign.out, reply.as_bytes(), 0o600)?;
    let certificate_pem = Reply::certificate_pem(reply.as_bytes()).map_err(|e| wrong(&e))?;
    println!("{}", fingerprint(ask.identity, &certificate_pem).map_err(|e| wrong(&e))?);
    eprintln!(
        "{} is enrolled; carry {} back. Compare the fingerprint above by telephone with the one\n\
         that `enroll --offline` has printed there, before the roster is signed.",
        ask.name,
        sign.out.display()
    );
    Ok(())
}

/// Makes an empty file where the reply will stand.
fn reserve(out: &Path) -> Result<(), Error> {
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(out) {
        Err(e) if e.kind() == ErrorKind::AlreadyExists => {
            Err(Error::Refused(format!("{}: exists already; nothing was changed", out.display())))
        }
        made => made.map(drop).map_err(|e| Error::file(out, &e)),
    }
}
