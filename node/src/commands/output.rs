//! Tables, JSON and CSV on stdout.

use clap::{Args, ValueEnum};
use comfy_table::{Table, presets};

/// `--output`.
#[derive(Args)]
pub(crate) struct Flag {
    /// How to print the data.
    #[arg(long, value_enum, default_value = "table")]
    output: Output,
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

impl Flag {
    pub(crate) fn output(&self) -> Output {
        self.output
    }
}

impl Output {
    /// Prints rows under a header, or `json` as it is.
    pub(crate) fn print(self, header: &[&str], rows: &[Vec<String>], json: &serde_json::Value) {
        match self {
            Self::Table => {
                let mut table = Table::new();
                table.load_style(presets::NOTHING).set_header(header.to_vec());
                for row in rows {
                    table.add_row(row.clone());
                }
                say!("{table}");
            }
            Self::Json => say!("{json:#}"),
            Self::Csv => {
                let mut writer = csv::Writer::from_writer(std::io::stdout());
                // Stdout may be closed early, as by `head`: nobody is left to tell.
                let _ = writer.write_record(header);
                for row in rows {
                    let _ = writer.write_record(row);
                }
                let _ = writer.flush();
            }
        }
    }
}
