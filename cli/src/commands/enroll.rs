//! `koonti enroll`.

use crate::enrol::{self, Enrolled};
use crate::error::Error;
use crate::files::read;
use crate::profile::Way;
use clap::Args;
use koonti_proto::edge::probe::Trust;
use koonti_proto::{Failure, Standing, Token, network};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

#[derive(Args)]
#[command(
    after_help = "Example:\n  koonti enroll --token-file invitation.txt --enrolment https://region.example.fi:7444 --coordinator https://region.example.fi:7443\n\nWithout a network, with a file carried there and one back:\n  koonti enroll --offline --token-file invitation.txt --out request.json\n  koonti-coordinator person sign request.json --out reply.json    (at the coordinator)\n  koonti enroll --reply reply.json --coordinator https://region.example.fi:7443"
)]
pub(super) struct Enroll {
    /// File with the invitation; `-` reads it from stdin.
    #[arg(long, required_unless_present = "reply")]
    token_file: Option<PathBuf>,
    /// Where newcomers connect.
    #[arg(long, required_unless_present_any = ["offline", "reply"])]
    enrolment: Option<String>,
    /// Where people connect from then on.
    #[arg(long, required_unless_present = "offline")]
    coordinator: Option<String>,
    /// HTTP proxy on the way to both, `http://host:port`. It is kept in the profile; no
    /// variable of the environment is read.
    #[arg(long)]
    proxy: Option<String>,
    /// File with `user:password` for the proxy, mode 0600.
    #[arg(long, requires = "proxy")]
    proxy_credentials: Option<PathBuf>,
    /// Make the keys and write a request to be carried to the coordinator's operator.
    #[arg(long, requires = "token_file", requires = "out", conflicts_with = "enrolment")]
    offline: bool,
    /// Where to write the request. It holds the invitation's secret.
    #[arg(long, requires = "offline")]
    out: Option<PathBuf>,
    /// The file that was carried back.
    #[arg(long, conflicts_with_all = ["token_file", "offline", "enrolment"])]
    reply: Option<PathBuf>,
}

impl Enroll {
    fn way(&self) -> Result<Way, Error> {
        let absolute = |path: &PathBuf| std::fs::canonicalize(path).map_err(|e| Error::file(path, &e));
        let proxy_credentials = self.proxy_credentials.as_ref().map(absolute).transpose()?;
        Ok(Way {
            coordinator: self.coordinator.clone().unwrap_or_default(),
            proxy: self.proxy.clone(),
            proxy_credentials,
        })
    }
}

pub(super) async fn run(profile: &Path, enroll: &Enroll) -> Result<ExitCode, Error> {
    let token =
        |file: &PathBuf| -> Result<Token, Error> { read(file)?.trim().parse().map_err(|e| Error::config(file, e)) };
    match enroll {
        Enroll { reply: Some(reply), .. } => done(&enrol::take_reply(profile, reply, &enroll.way()?)?),
        Enroll { token_file: Some(file), out: Some(out), .. } => {
            let asked = enrol::request(profile, &token(file)?, out)?;
            say!("{}", asked.fingerprint);
            eprintln!(
                "The keys are made and wait here. Carry {} to the coordinator's operator, as carefully\n\
                 as the invitation, whose secret it holds; `koonti-coordinator person sign` there must show\n\
                 the fingerprint above. With the file that comes back: koonti enroll --reply FILE --coordinator URL",
                out.display()
            );
        }
        Enroll { token_file: Some(file), enrolment: Some(enrolment), .. } => {
            let (token, way) = (token(file)?, enroll.way()?);
            let taken = enrol::take_up(profile, &token, enrolment, &way).await;
            if let Err(Error::Coordinator(Failure::Unavailable(_))) = &taken {
                let trust = Trust::Pin(token.ca_sha256.0);
                let found = network(&way.to(enrolment)?, &trust, Duration::ZERO).await;
                if found.standing == Standing::Failed {
                    eprintln!("network: {}", found.text);
                }
            }
            done(&taken?);
        }
        Enroll { .. } => return Err(Error::Other("name --token-file and --enrolment".into())),
    }
    Ok(ExitCode::SUCCESS)
}

fn done(enrolled: &Enrolled) {
    say!("{}", enrolled.fingerprint);
    eprintln!(
        "{} is enrolled in region {}; your key in the roster must be\n  {}\nRead the fingerprint above to the coordinator's operator by\n\
         telephone: `koonti-coordinator person list` must show the same. Ask governance, not the\n\
         coordinator, whether its key is {}.\n\
         You can ask for tables once governance has signed a roster with your name.",
        enrolled.name, enrolled.region, enrolled.identity, enrolled.governance
    );
}
