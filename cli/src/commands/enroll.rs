//! `koonti enroll`.

use crate::error::Error;
use crate::files::read;
use crate::profile::Profile;
use clap::Args;
use koonti_proto::Token;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(Args)]
#[command(
    after_help = "Example:\n  koonti enroll --token-file invitation.txt --enrolment https://region.example.fi:7444 --coordinator https://region.example.fi:7443"
)]
pub(super) struct Enroll {
    /// File with the invitation; `-` reads it from stdin.
    #[arg(long)]
    token_file: PathBuf,
    /// Where newcomers connect.
    #[arg(long)]
    enrolment: String,
    /// Where people connect from then on.
    #[arg(long)]
    coordinator: String,
}

pub(super) async fn run(profile: &Path, enroll: &Enroll) -> Result<ExitCode, Error> {
    let token: Token = read(&enroll.token_file)?.trim().parse().map_err(|e| Error::config(&enroll.token_file, e))?;
    let (fingerprint, identity) = Profile::enroll(profile, &token, &enroll.enrolment, &enroll.coordinator).await?;
    say!("{fingerprint}");
    eprintln!(
        "{} is enrolled in region {}; your key in the roster must be\n  {identity}\nRead the fingerprint above to the coordinator's operator by\n\
         telephone: `koonti-coordinator person list` must show the same. Ask governance, not the\n\
         coordinator, whether its key is {}.\n\
         You can ask for tables once governance has signed a roster with your name.",
        token.name, token.region, token.governance
    );
    Ok(ExitCode::SUCCESS)
}
