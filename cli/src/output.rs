//! Tables, JSON and CSV on stdout; everything else goes to stderr.

use clap::{Args, ValueEnum};
use comfy_table::{CellAlignment, Table, presets};

/// `--output`.
#[derive(Args, Clone, Copy)]
pub(crate) struct Flag {
    /// How to print the data.
    #[arg(long, value_enum, default_value = "table")]
    pub(crate) output: Output,
}

/// The forms of output. JSON is an interface: keys are added, never renamed.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// For people.
    Table,
    /// For machines.
    Json,
    /// For spreadsheets.
    Csv,
}

/// Prints a table for people; columns whose header ends with a blank are
/// aligned to the right.
pub(crate) fn print_table(header: &[String], rows: &[Vec<String>]) {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(header.to_vec());
    for row in rows {
        table.add_row(row.clone());
    }
    for (i, name) in header.iter().enumerate() {
        if let Some(column) = table.column_mut(i).filter(|_| name.ends_with(' ')) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    say!("{table}");
}

/// Writes CSV with a header line.
pub(crate) fn write_csv(out: impl std::io::Write, header: &[String], rows: &[Vec<String>]) -> std::io::Result<()> {
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(header)?;
    for row in rows {
        writer.write_record(row)?;
    }
    writer.flush()
}

/// Prints rows in any form but the table's own.
pub(crate) fn print(output: Output, header: &[&str], rows: &[Vec<String>], json: &serde_json::Value) {
    let header: Vec<String> = header.iter().map(ToString::to_string).collect();
    match output {
        Output::Table => print_table(&header, rows),
        Output::Json => say!("{json:#}"),
        // Stdout may be closed early, as by `head`: nobody is left to tell.
        Output::Csv => drop(write_csv(std::io::stdout(), &header, rows)),
    }
}
