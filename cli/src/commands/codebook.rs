//! `koonti codebook show`.

use crate::error::Error;
use crate::output::{Flag, print};
use clap::{Subcommand, ValueEnum};
use koonti_disclosure::Codebook;
use serde_json::{Value, json};
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
    let Command::Show { dimension, lang, output } = command;
    let (book, lang) = (Codebook::built_in(), lang.code());
    match dimension.as_deref() {
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
