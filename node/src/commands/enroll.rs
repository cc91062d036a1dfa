//! `koonti-node enroll`.

use crate::config::Config;
use crate::enrol;
use crate::error::Error;
use koonti_proto::Token;
use std::io::Read;
use std::path::Path;
use std::process::ExitCode;

pub(super) fn enroll(config: &Config, token_file: &Path) -> Result<ExitCode, Error> {
    let mut text = String::new();
    if token_file == Path::new("-") {
        std::io::stdin().read_to_string(&mut text).map_err(|e| Error::file(token_file, &e))?;
    } else {
        text = std::fs::read_to_string(token_file).map_err(|e| Error::file(token_file, &e))?;
    }
    let token: Token = text.trim().parse().map_err(|e: koonti_proto::BadToken| Error::Refused(e.to_string()))?;
    let enrolled = super::runtime()?.block_on(enrol::take_up(config, &token))?;
    say!("{}", enrolled.fingerprint);
    eprintln!(
        "{} is enrolled in region {}; its key in the roster must be\n  {}\nRead the fingerprint above to the coordinator's operator\n\
         by telephone: `koonti-coordinator node list` must show the same. Ask governance, not the\n\
         coordinator, whether its key is {}.\n\
         Next: koonti-node check",
        enrolled.name, enrolled.region, enrolled.identity, enrolled.governance
    );
    Ok(ExitCode::SUCCESS)
}
