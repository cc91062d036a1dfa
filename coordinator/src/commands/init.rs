//! `koonti-coordinator init`.

use crate::config::read;
use crate::error::Error;
use crate::keys;
use clap::Args;
use koonti_disclosure::names::hex;
use koonti_disclosure::{Digest, Name};
use koonti_proto::Credentials;
use koonti_proto::edge::pki::Authority;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Life of the server's own certificate, days.
const SERVER_DAYS: u32 = 365;

#[derive(Args)]
#[command(
    after_help = "Example:\n  koonti-coordinator init --region ita --governance governance/governance.pub --dir coordinator --host region.example.fi"
)]
pub(super) struct Init {
    /// The region's name: a-z, 0-9 and "-".
    #[arg(long)]
    region: Name,
    /// The public governance key that `koonti governance init` wrote.
    #[arg(long)]
    governance: PathBuf,
    /// Folder to make.
    #[arg(long)]
    dir: PathBuf,
    /// Where nodes and people will connect.
    #[arg(long, default_value = "127.0.0.1:7443")]
    listen: SocketAddr,
    /// Where newcomers will connect.
    #[arg(long, default_value = "127.0.0.1:7444")]
    enrolment_listen: SocketAddr,
    /// Host names and addresses under which it will be reached.
    #[arg(long, value_delimiter = ',', default_value = "localhost,127.0.0.1")]
    host: Vec<String>,
}

pub(super) fn init(init: &Init) -> Result<(), Error> {
    let governance: Digest = read(&init.governance)?.trim().parse().map_err(|_| {
        Error::config(&init.governance, "not a public governance key: 64 hex digits on one line".into())
    })?;
    let config = init.dir.join("coordinator.toml");
    if config.exists() {
        return Err(Error::Refused(format!("{}: exists already; nothing was changed", config.display())));
    }
    let authority = Authority::create(init.region.as_str())?;
    let server = authority.issue_server(&init.host, SERVER_DAYS)?;
    koonti_journal::create_dir_private(&init.dir)?;
    let keys = init.dir.join("keys");
    koonti_journal::create_dir_private(&keys)?;
    let write = |name: &str, text: &str| koonti_journal::write_atomic(&keys.join(name), text.as_bytes(), 0o600);
    write("ca.key", &authority.key_pem())?;
    write("ca.crt", &authority.cert_pem())?;
    let pair = Credentials { ca_pem: authority.cert_pem(), cert_pem: server.cert_pem.clone(), key_pem: server.key_pem };
    write("server.key", &pair.pair_pem())?;
    write("server.crt", &server.cert_pem)?;
    for name in ["log.key", "witness.key"] {
        write(name, &hex(&*keys::fresh()?))?;
    }
    let text = format!(
        "# Coordinator of region {region}. Paths are relative to this file.\n\n\
         region = \"{region}\"\n\
         # The region's governance key. Its secret half is not here and must not be.\n\
         governance = \"{governance}\"\n\
         # Where nodes and people connect, with certificates of this region.\n\
         listen = \"{listen}\"\n\
         # Where newcomers connect, with an invitation; serves nothing else.\n\
         enrolment_listen = \"{enrolment}\"\n\
         # Journal, releases, tables, roster, invitations.\n\
         state = \"state\"\n\
         # The region's certificate authority and this server's key.\n\
         keys = \"keys\"\n",
        region = init.region,
        listen = init.listen,
        enrolment = init.enrolment_listen,
    );
    koonti_journal::write_atomic(&config, text.as_bytes(), 0o600)?;
    eprintln!(
        "region {} is prepared in {}. Next: koonti-coordinator run --config {}",
        init.region,
        init.dir.display(),
        config.display()
    );
    Ok(())
}
