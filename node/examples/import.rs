//! How fast a large register is imported.
//!
//! Writes a register of made-up clients into a temporary folder, six columns in the order
//! in which a client system would export visits, imports it several times and prints rows
//! a second and peak memory. `cargo run --release -p koonti-node --example import -- --help`
//! lists the sizes. Figures are in docs/benchmarks.md.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Parser;
use koonti_disclosure::Codebook;
use koonti_node::source::{Mapping, import};
use ring::digest::{Context, SHA256};

/// Write a large register, import it and print how fast that was.
#[derive(Parser)]
struct Size {
    /// Rows of the register.
    #[arg(long, default_value_t = 10_000_000)]
    rows: u64,
    /// Clients that the rows are drawn from.
    #[arg(long, default_value_t = 3_000_000)]
    clients: u64,
    /// Quarters that the rows are spread over.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=4))]
    quarters: u64,
    /// Imports, one after the other.
    #[arg(long, default_value_t = 3)]
    times: u32,
    /// Use this folder, and its register if there is one already, and keep both.
    #[arg(long)]
    dir: Option<PathBuf>,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let size = Size::parse();
    let folder = size.dir.clone().unwrap_or_else(|| std::env::temp_dir().join("koonti-import-example"));
    fs::create_dir_all(&folder)?;
    let register = folder.join("register.csv");
    if !register.exists() {
        write(&register, &size)?;
    }
    fs::write(folder.join("register.toml"), MAPPING)?;
    let mapping = Mapping::load(&folder.join("register.toml"))?;
    println!("{} rows, {} MB", size.rows, fs::metadata(&register)?.len() / 1_000_000);
    for _ in 0..size.times {
        let begun = Instant::now();
        let imported = import(&mapping, Codebook::built_in(), &[7; 32])?;
        let (seconds, peak) = (begun.elapsed().as_secs_f64(), peak_mb()?);
        let mut digest = Context::new(&SHA256);
        imported.slices.values().for_each(|slice| digest.update(&slice.to_bytes()));
        let [first, second, ..]: [u8; 32] = digest.finish().as_ref().try_into()?;
        println!(
            "{seconds:.2} s, {:.2} million rows a second; {} clients, {} extracts of SHA-256 {first:02x}{second:02x}...; \
             peak memory {peak} MB",
            imported.rows as f64 / seconds / 1e6,
            imported.clients,
            imported.slices.len(),
        );
    }
    if size.dir.is_none() {
        fs::remove_dir_all(&folder)?;
    }
    Ok(())
}

/// A row for each visit, in the order of time.
fn write(path: &Path, size: &Size) -> io::Result<()> {
    let areas: Vec<&str> = Codebook::built_in()
        .dimension("area")
        .expect("the built-in codebook has areas")
        .codes()
        .iter()
        .map(|code| code.code.as_str())
        .filter(|code| code.len() == 3)
        .collect();
    let mut state = 1_u64;
    let mut roll = |sides: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % sides
    };
    let mut file = BufWriter::with_capacity(1 << 20, File::create(path)?);
    writeln!(file, "asiakas;pvm;syntymävuosi;sukupuoli;kotikunta;tarve")?;
    for row in 0..size.rows {
        let client = roll(size.clients);
        // What does not change lies in the client's number.
        let fixed = client.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 20;
        let day = row * size.quarters * 84 / size.rows;
        writeln!(
            file,
            "{};{}.{}.2026;{};{};{};N{:02}",
            client + 1,
            day % 28 + 1,
            day / 28 + 1,
            1940 + fixed % 68,
            1 + fixed / 68 % 2,
            areas[(fixed / 136) as usize % areas.len()],
            1 + roll(10),
        )?;
    }
    file.flush()
}

/// The most memory that the process has had, as Linux counts it.
fn peak_mb() -> io::Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kb = line.and_then(|line| line.trim().strip_suffix(" kB")).and_then(|kb| kb.parse::<u64>().ok());
    Ok(kb.unwrap_or_default() / 1000)
}

const MAPPING: &str = r#"
source = "adult-social-work"
register = "adult-social-work"
file = "register.csv"
[format]
delimiter = ";"
encoding = "utf-8"
date = "d.m.yyyy"
decimal = ","
[columns]
client = "asiakas"
date = "pvm"
birth_year = "syntymävuosi"
sex = "sukupuoli"
area = "kotikunta"
need = "tarve"
[restrict]
exclude_if = []
hide_area_if = []
"#;
