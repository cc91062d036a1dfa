//! `koonti codebook show|template`.

use crate::error::Error;
use crate::files::write_new;
use crate::output::{Flag, print};
use crate::template::Sheet;
use clap::{Args, Subcommand, ValueEnum};
use koonti_disclosure::Codebook;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Show the dimensions, or the codes of one of them, or the scores.
    #[command(
        after_help = "Examples:\n  koonti codebook show\n  koonti codebook show need --lang sv\n  koonti codebook show area --output csv\n  koonti codebook show scores"
    )]
    Show {
        /// A dimension, or `scores`.
        dimension: Option<String>,
        /// The language of the labels; a * marks wording that is not verified.
        #[arg(long, value_enum, default_value = "en")]
        lang: Lang,
        #[command(flatten)]
        output: Flag,
    },
    /// Write a coding sheet for social workers: an Excel workbook with drop-down lists, and the
    /// mapping with which a node reads it once it is saved as CSV.
    #[command(
        after_help = "Examples:\n  koonti codebook template --xlsx kirjaus.xlsx --mapping register.toml --lang fi\n  koonti codebook template --xlsx kodning.xlsx --lang sv --dimensions household,D01,D07 --rows 2000\n\nSaved as \"CSV UTF-8\" under the same name, the sheet is read with that mapping as it is."
    )]
    Template(Template),
}

#[derive(Args)]
pub(super) struct Template {
    /// The workbook. An existing file is left alone.
    #[arg(long, value_name = "FILE")]
    xlsx: PathBuf,
    /// Where the mapping goes; without it, to stdout. An existing file is left alone.
    #[arg(long, value_name = "FILE")]
    mapping: Option<PathBuf>,
    /// The language of headings, lists and instructions.
    #[arg(long, value_enum, default_value = "fi")]
    lang: Lang,
    /// Rows that can be filled in.
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=20_000))]
    rows: u32,
    /// What is coded besides sex, area and needs: dimensions and scores of the codebook, or
    /// `scores` for all of those. Without it: everything.
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    dimensions: Option<Vec<String>>,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Lang {
    Fi,
    Sv,
    En,
}

impl Lang {
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Fi => "fi",
            Self::Sv => "sv",
            Self::En => "en",
        }
    }
}

pub(super) fn run(command: &Command) -> Result<ExitCode, Error> {
    match command {
        Command::Show { dimension, lang, output } => show(dimension.as_deref(), lang.code(), output),
        Command::Template(template) => write_template(template),
    }
}

fn write_template(asked: &Template) -> Result<ExitCode, Error> {
    let sheet = Sheet::plan(Codebook::built_in(), asked.lang.code(), asked.dimensions.as_deref())?;
    if asked.xlsx.extension().is_none_or(|extension| extension != "xlsx") {
        return Err(Error::Other(format!("{}: the file's ending must be .xlsx", asked.xlsx.display())));
    }
    let csv = asked.xlsx.with_extension("csv");
    let csv = csv.file_name().unwrap_or_default().to_string_lossy();
    let mapping = sheet.mapping(&csv);
    // Both or neither.
    if let Some(path) = asked.mapping.as_ref().filter(|path| path.exists()) {
        return Err(Error::is_there(path));
    }
    write_new(&asked.xlsx, &sheet.workbook(&csv, asked.rows)?)?;
    match &asked.mapping {
        Some(path) => write_new(path, mapping.as_bytes())?,
        None => say!("{}", mapping.trim_end()),
    }
    eprintln!("the sheet is in {}: saved as \"CSV UTF-8\", it becomes {csv}", asked.xlsx.display());
    Ok(ExitCode::SUCCESS)
}

fn show(dimension: Option<&str>, lang: &str, output: &Flag) -> Result<ExitCode, Error> {
    let book = Codebook::built_in();
    match dimension {
        None => {
            let rows: Vec<Vec<String>> = book
                .dimensions()
                .iter()
                .map(|d| {
                    vec![d.id.clone(), kind(d.exclusive).into(), d.codes().len().to_string(), d.label.marked(lang)]
                })
                .chain([vec!["scores".into(), "0-10".into(), book.scores().len().to_string(), "Life domains".into()]])
                .collect();
            let json = json!({
                "sha256": book.hash().to_string(),
                "source": book.source(),
                "dimensions": book.dimensions().iter().map(|d| json!({
                    "id": d.id, "exclusive": d.exclusive, "label": labels(&d.label), "codes": d.codes().len(),
                })).collect::<Vec<_>>(),
            });
            print(output.output, &["dimension", "a client is in", "codes", "label"], &rows, &json);
            eprintln!("codebook {}\n{}", book.hash(), book.source());
        }
        Some("scores") => {
            let rows: Vec<Vec<String>> = book
                .scores()
                .iter()
                .map(|s| vec![s.id.clone(), format!("{}-{}", s.lo, s.hi), s.label.marked(lang)])
                .collect();
            let json: Vec<Value> = book
                .scores()
                .iter()
                .map(|s| json!({"id": s.id, "lo": s.lo, "hi": s.hi, "label": labels(&s.label)}))
                .collect();
            print(output.output, &["score", "range", "label"], &rows, &json.into());
        }
        Some(id) => {
            let dimension = book.dimension(id).ok_or_else(|| {
                Error::Other(format!("the codebook has no dimension \"{id}\": see `koonti codebook show`"))
            })?;
            let rows: Vec<Vec<String>> = dimension
                .codes()
                .iter()
                .map(|c| vec![c.code.clone(), c.label.marked(lang), c.synonyms.join(", ")])
                .collect();
            let json: Vec<Value> = dimension
                .codes()
                .iter()
                .map(|c| json!({"code": c.code, "label": labels(&c.label), "synonyms": c.synonyms}))
                .collect();
            print(output.output, &["code", "label", "also accepted"], &rows, &json.into());
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn kind(exclusive: bool) -> &'static str {
    if exclusive { "one per client" } else { "several per client" }
}

fn labels(label: &koonti_disclosure::codebook::Label) -> Value {
    json!({"fi": label.fi, "sv": label.sv, "en": label.en, "unverified": label.unverified})
}
