//! `koonti-node enroll`.

use crate::config::Config;
use crate::enrol::{self, Enrolled};
use crate::error::Error;
use clap::Args;
use koonti_proto::edge::probe::Trust;
use koonti_proto::{Failure, Standing, Token, network};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

#[derive(Args)]
#[command(
    after_help = "Examples:\n  koonti-node enroll --token-file invitation.txt\n  koonti-node enroll --token-file - < invitation.txt\n\nWithout a network, with a file carried there and one back:\n  koonti-node enroll --offline --token-file invitation.txt --out request.json\n  koonti-coordinator node sign request.json --out reply.json      (at the coordinator)\n  koonti-node enroll --reply reply.json"
)]
pub(super) struct Enroll {
    /// File with the invitation; `-` reads it from stdin.
    #[arg(long, required_unless_present = "reply")]
    token_file: Option<PathBuf>,
    /// Make the keys and write a request to be carried to the coordinator's operator.
    #[arg(long, requires = "token_file", requires = "out")]
    offline: bool,
    /// Where to write the request. It holds the invitation's secret.
    #[arg(long, requires = "offline")]
    out: Option<PathBuf>,
    /// The file that was carried back.
    #[arg(long, conflicts_with_all = ["token_file", "offline"])]
    reply: Option<PathBuf>,
}

pub(super) fn enroll(config: &Config, enroll: &Enroll) -> Result<ExitCode, Error> {
    match enroll {
        Enroll { reply: Some(reply), .. } => done(&enrol::take_reply(config, reply)?),
        Enroll { token_file: Some(file), out: Some(out), .. } => {
            let asked = enrol::request(config, &token(file)?, out)?;
            say!("{}", asked.fingerprint);
            eprintln!(
                "The keys are made and wait here. Carry {} to the coordinator's operator, as carefully\n\
                 as the invitation, whose secret it holds; `koonti-coordinator node sign` there must show\n\
                 the fingerprint above. With the file that comes back: koonti-node enroll --reply FILE",
                out.display()
            );
        }
        Enroll { token_file: Some(file), .. } => {
            let token = token(file)?;
            super::runtime()?.block_on(async {
                let taken = enrol::take_up(config, &token).await;
                if let Err(Error::Coordinator(Failure::Unavailable(_))) = &taken {
                    let trust = Trust::Pin(token.ca_sha256.0);
                    let found = network(&config.enrolment_route(), &trust, Duration::ZERO).await;
                    if found.standing == Standing::Failed {
                        eprintln!("network: {}", found.text);
                    }
                }
                taken.map(|enrolled| done(&enrolled))
            })?;
        }
        Enroll { .. } => return Err(Error::Refused("name the invitation with --token-file".into())),
    }
    Ok(ExitCode::SUCCESS)
}

fn token(file: &Path) -> Result<Token, Error> {
    let mut text = String::new();
    if file == Path::new("-") {
        std::io::stdin().read_to_string(&mut text).map_err(|e| Error::file(file, &e))?;
    } else {
        text = std::fs::read_to_string(file).map_err(|e| Error::file(file, &e))?;
    }
    text.trim().parse().map_err(|e: koonti_proto::BadToken| Error::Refused(e.to_string()))
}

fn done(enrolled: &Enrolled) {
    say!("{}", enrolled.fingerprint);
    eprintln!(
        "{} is enrolled in region {}; its key in the roster must be\n  {}\nRead the fingerprint above to the coordinator's operator\n\
         by telephone: `koonti-coordinator node list` must show the same. Ask governance, not the\n\
         coordinator, whether its key is {}.\n\
         Next: koonti-node check",
        enrolled.name, enrolled.region, enrolled.identity, enrolled.governance
    );
}
