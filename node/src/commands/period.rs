//! `koonti-node period list|close`: the end of a quarter.

use crate::config::Config;
use crate::error::Error;
use crate::fold::Fold;
use crate::inbox::{self, Order};
use crate::source::Mapping;
use clap::Subcommand;
use koonti_disclosure::Period;
use std::process::ExitCode;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Close a quarter: nothing more is released from it, and its extracts and seeds are
    /// deleted. What was released stays; only a replay on the premises is no longer
    /// possible.
    #[command(after_help = "Example:\n  koonti-node period close 2025Q3 --yes")]
    Close {
        /// The quarter.
        period: Period,
        /// Do it: it cannot be undone.
        #[arg(long)]
        yes: bool,
    },
}

pub(super) fn run(config: &Config, command: &Command) -> Result<ExitCode, Error> {
    let Command::Close { period, yes } = command;
    let mapping = Mapping::load(&config.register)?;
    let closed = |fold: &Fold| fold.is_closed(&mapping.source, *period);
    let before = Fold::read(&config.journal())?.0;
    if !before.holdings(&mapping.register, &mapping.source).contains_key(period) || closed(&before) {
        return Err(Error::Refused(format!("{period} is not held, or closed already: see `koonti-node budget`")));
    }
    if !yes {
        let why = format!("closing {period} deletes its extracts and seeds for ever: say --yes");
        return Err(Error::Refused(why));
    }
    inbox::hand_in(config, &Order::Close { period: *period, source: mapping.source.clone() })?;
    if !closed(&Fold::read(&config.journal())?.0) {
        return Err(Error::Refused("the quarter was not closed: see the log of the node".to_owned()));
    }
    eprintln!("{period} of {} is closed: its extracts and seeds are deleted", mapping.source);
    Ok(ExitCode::SUCCESS)
}
