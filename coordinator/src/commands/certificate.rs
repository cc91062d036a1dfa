//! `koonti-coordinator certificate show|renew`.

use crate::certificate::{certifies, issue, load};
use crate::config::{Config, read};
use crate::error::Error;
use crate::keys::authority;
use clap::Subcommand;
use koonti_proto::Credentials;
use koonti_proto::edge::pki::{server_names, shown};

#[derive(Subcommand)]
pub(super) enum Command {
    /// Show under which names this server is reached, and until when its certificate is good.
    #[command(after_help = "Example:\n  koonti-coordinator certificate show")]
    Show,
    /// Make a new certificate now, for the same names and more. A running coordinator takes
    /// it up within seconds; at two thirds of its life it renews it by itself.
    #[command(after_help = "Example:\n  koonti-coordinator certificate renew --host koonti.region.example,192.0.2.11")]
    Renew {
        /// Names and addresses to add.
        #[arg(long, value_delimiter = ',')]
        host: Vec<String>,
    },
}

pub(super) fn run(config: &Config, command: &Command) -> Result<(), Error> {
    match command {
        Command::Show => show(config, &load(config)?),
        Command::Renew { host } => {
            // The names outlive a key that was lost.
            let held = load(config).map(|pair| pair.cert_pem).or_else(|_| read(&config.key("server.crt")))?;
            let mut names = server_names(&held)?;
            names.extend(host.iter().cloned());
            let mut seen = std::collections::BTreeSet::new();
            names.retain(|name| seen.insert(name.clone()));
            show(config, &issue(config, &authority(config)?, &names)?)
        }
    }
}

fn show(config: &Config, pair: &Credentials) -> Result<(), Error> {
    let (life, names) = certifies(config, pair)?;
    println!("{}", names.join(" "));
    eprintln!("good until {}, renewed by itself from {} on", shown(life.until), shown(life.renew_at()));
    Ok(())
}
