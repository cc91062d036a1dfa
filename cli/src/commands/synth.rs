//! `koonti synth`.

use crate::error::Error;
use crate::synth::{Dialect, Plan, write};
use clap::{Args, ValueEnum};
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Args)]
#[command(
    after_help = "Examples:\n  koonti synth --out registers --seed 7 --nodes 12\n  koonti synth --out small --seed 7 --nodes 5 --clients 3000\n  koonti synth --out registers --nodes 6 --dialect spreadsheet\n  koonti synth --out visits --nodes 6 --events\n\nWrites a folder for each node with register.csv (or .parquet) and register.toml, and\npeople.csv, the canonical list against which tables can be recounted. All persons are\ninvented."
)]
pub(super) struct Synth {
    /// Folder to write to.
    #[arg(long)]
    out: PathBuf,
    /// The same seed gives the same registers.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// 6: the six counties. 12: counties, employment areas and NGOs. 66: one per municipality.
    #[arg(long, default_value_t = 12)]
    nodes: usize,
    /// About this many persons in all; by default 4.5 % of residents.
    #[arg(long)]
    clients: Option<usize>,
    /// How every register is written; by default all of these, mixed over the nodes.
    #[arg(long, value_enum)]
    dialect: Option<Dialect>,
    /// Registers of events: each row is a visit. In the dialects that have a row for each.
    #[arg(long)]
    events: bool,
}

pub(super) fn run(synth: &Synth) -> Result<ExitCode, Error> {
    let plan = Plan {
        seed: synth.seed,
        nodes: synth.nodes,
        clients: synth.clients,
        dialect: synth.dialect,
        events: synth.events,
    };
    for node in write(&plan, &synth.out)? {
        let dialect = node.dialect.to_possible_value().expect("none is skipped");
        say!("{}\t{}\t{}\t{}", node.name, node.clients, node.areas.join(","), dialect.get_name());
    }
    eprintln!("synthetic registers are in {}", synth.out.display());
    Ok(ExitCode::SUCCESS)
}
