//! `koonti table quote|run|list|show|export`.

use super::codebook::Lang;
use super::quote::print_quote;
use crate::calls::{Patience, ask, quote, reason, resolve, wait};
use crate::error::Error;
use crate::files::{read, write};
use crate::output::{Flag, Output, print};
use crate::profile::Profile;
use crate::render;
use clap::{Args, Subcommand, ValueEnum};
use koonti_disclosure::combine::Published;
use koonti_disclosure::request::{Draft, Measure, Purpose, ReleaseKind};
use koonti_disclosure::{Period, Progress, Refusal};
use koonti_proto::wire::{Table, TableState};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(Subcommand)]
pub(super) enum Command {
    /// What a table would cost each organisation. Spends nothing, reads no register.
    #[command(
        after_help = "Examples:\n  koonti table quote --by need,age_group --period 2026Q3 --sd 5 --max-per-client 5\n  koonti table quote --release regional --by need,age_group --period 2026Q3 --sd 5 --max-per-client 5"
    )]
    Quote {
        #[command(flatten)]
        question: Question,
        #[command(flatten)]
        output: Flag,
    },
    /// Ask for a table and wait for it. Asking again returns the same bytes at no cost.
    #[command(
        after_help = "Examples:\n  koonti table run --by need,age_group --period 2026Q3 --sd 5 --max-per-client 5\n  koonti table run --release regional --by need,age_group --period 2026Q3 --sd 5 --max-per-client 5\n  koonti table run --measure score --score D07 --by need --period 2026Q2 --sd 5 --max-per-client 5\n  koonti table run --measure events --max-events 12 --by sex --period 2026Q2 --sd 5\n  koonti table run question.toml --timeout 86400"
    )]
    Run {
        #[command(flatten)]
        question: Question,
        /// Seconds that organisations may take; people who approve need hours. For a regional table:
        /// to accept. The sum begins when all have answered, or then.
        #[arg(long, value_name = "SECONDS", default_value_t = 3600)]
        timeout: u64,
        /// Regional tables: seconds that each of the five steps of the sum may take, once the
        /// organisations are ready.
        #[arg(long, value_name = "SECONDS", default_value_t = 60)]
        phase_timeout: u64,
        /// Offer a published table once more to the organisations missing in it. A regional table
        /// is final: nobody can be added to a sum.
        #[arg(long)]
        retry_missing: bool,
        /// Do not wait: print the id and go.
        #[arg(long)]
        no_wait: bool,
        /// The language of the labels.
        #[arg(long, value_enum, default_value = "en")]
        lang: Lang,
        #[command(flatten)]
        output: Flag,
    },
    /// List all tables of the region, newest first.
    List {
        #[command(flatten)]
        output: Flag,
    },
    /// Show a table.
    #[command(after_help = "Example:\n  koonti table show 3f5a90c1b2d4 --lang fi")]
    Show {
        /// The table's id, or at least six digits of it.
        id: String,
        /// The language of the labels.
        #[arg(long, value_enum, default_value = "en")]
        lang: Lang,
        #[command(flatten)]
        output: Flag,
    },
    /// Write a table to a file, by the file's ending: .csv or .json.
    #[command(after_help = "Example:\n  koonti table export 3f5a90c1b2d4 --out needs-2026Q3.csv")]
    Export {
        /// The table's id, or at least six digits of it.
        id: String,
        /// The file; it is replaced.
        #[arg(long)]
        out: PathBuf,
    },
}

/// A question, from a TOML file or from flags.
#[derive(Args)]
pub(super) struct Question {
    /// A TOML file with the question; flags then add nothing.
    file: Option<PathBuf>,
    /// The register asked.
    #[arg(long, default_value = "adult-social-work")]
    register: String,
    /// What is measured.
    #[arg(long, value_enum, default_value = "clients")]
    measure: MeasureArg,
    /// Which score, with --measure score.
    #[arg(long)]
    score: Option<String>,
    /// The dimensions of the table.
    #[arg(long, value_delimiter = ',')]
    by: Vec<String>,
    /// The quarters, such as 2026Q3.
    #[arg(long = "period", value_delimiter = ',')]
    periods: Vec<Period>,
    /// How the organisations' figures come together.
    #[arg(long, value_enum, default_value = "per-node")]
    release: ReleaseArg,
    /// Standard deviation of the noise on each count; in a regional table at the least.
    #[arg(long)]
    sd: Option<String>,
    /// Or: half the width of the 95 % interval of each count; in a regional table at the least.
    #[arg(long, conflicts_with = "sd")]
    within: Option<String>,
    /// How many needs of one client are counted.
    #[arg(long)]
    max_per_client: Option<u8>,
    /// How many events of one client each figure counts, with --measure events: 1 to 100. The more,
    /// the more noise on the events.
    #[arg(long)]
    max_events: Option<u8>,
    /// What the figures are for.
    #[arg(long, value_enum, default_value = "structural-social-work")]
    purpose: PurposeArg,
    /// Only these categories, such as area=205,491; may be given again.
    #[arg(long = "where", value_name = "DIMENSION=CODES")]
    filter: Vec<String>,
}

#[derive(Clone, Copy, ValueEnum)]
enum MeasureArg {
    /// Distinct clients.
    Clients,
    /// Sum and mean of one score.
    Score,
    /// Events, such as meetings, where registers have a row for each.
    Events,
}

#[derive(Clone, Copy, ValueEnum)]
enum ReleaseArg {
    /// Each organisation withholds its own small figures and adds its own noise.
    PerNode,
    /// The organisations' figures are added up under masks: only the noisy sum over the region is
    /// ever seen, so small organisations count fully. Needs five, nearly all of them running.
    Regional,
}

#[derive(Clone, Copy, ValueEnum)]
enum PurposeArg {
    /// Act 1301/2014, section 7.
    StructuralSocialWork,
    /// Act 552/2019, section 41.
    KnowledgeManagement,
    /// Act 552/2019, section 2.
    Statistics,
}

impl Question {
    fn draft(&self) -> Result<Draft, Error> {
        if let Some(path) = &self.file {
            return toml::from_str(&read(path)?).map_err(|e| Error::config(path, e));
        }
        let mut filter = BTreeMap::new();
        for item in &self.filter {
            let (dimension, codes) = item
                .split_once('=')
                .ok_or_else(|| Error::Other(format!("--where {item}: write it as dimension=code,code")))?;
            filter.insert(dimension.to_owned(), codes.split(',').map(str::to_owned).collect());
        }
        Ok(Draft {
            register: self.register.clone(),
            measure: match self.measure {
                MeasureArg::Clients => Measure::Clients,
                MeasureArg::Score => Measure::Score,
                MeasureArg::Events => Measure::Events,
            },
            score: self.score.clone(),
            by: self.by.clone(),
            periods: self.periods.clone(),
            release: match self.release {
                ReleaseArg::PerNode => ReleaseKind::PerNode,
                ReleaseArg::Regional => ReleaseKind::Regional,
            },
            sd: self.sd.clone(),
            within: self.within.clone(),
            max_per_client: self.max_per_client,
            max_events: self.max_events,
            purpose: match self.purpose {
                PurposeArg::StructuralSocialWork => Purpose::StructuralSocialWork,
                PurposeArg::KnowledgeManagement => Purpose::KnowledgeManagement,
                PurposeArg::Statistics => Purpose::Statistics,
            },
            filter,
        })
    }
}

pub(super) async fn run(profile: &Path, command: Command) -> Result<ExitCode, Error> {
    let profile = Profile::open(profile).await?;
    let link = profile.link()?;
    match command {
        Command::Quote { question, output } => {
            let request = resolve(&profile, &link, &question.draft()?).await?;
            let quoted = quote(&profile, &link, request.clone()).await?;
            let roster = profile.roster(&link).await?;
            print_quote(&quoted, &request, roster.roster(), output.output);
            Ok(quoted.code())
        }
        Command::Run { question, timeout, phase_timeout, retry_missing, no_wait, lang, output } => {
            let request = resolve(&profile, &link, &question.draft()?).await?;
            if retry_missing && request.release() == ReleaseKind::Regional {
                let why = "nobody can be added to a regional sum: ask without --retry-missing, or for a table \
                           per organisation, or with other noise for a new sum at its own cost";
                return Err(Error::Other(why.into()));
            }
            let patience = Patience { timeout_s: timeout, phase_timeout_s: phase_timeout };
            let (table, repeat) = ask(&profile, &link, request, patience, retry_missing).await?;
            if no_wait {
                say!("{}", table.request.id());
                return Ok(ExitCode::SUCCESS);
            }
            let table = wait(&link, table, patience).await?;
            if repeat && table.state == TableState::Published {
                eprintln!("this question has been answered before: the same figures, at no cost");
            }
            print_published(&table, output.output, lang.code())
        }
        Command::List { output } => {
            list(&link.tables().await?, output.output);
            Ok(ExitCode::SUCCESS)
        }
        Command::Show { id, lang, output } => {
            let table = link.table(&id).await?;
            if table.state == TableState::Open {
                list(std::slice::from_ref(&table), output.output);
                return Ok(ExitCode::SUCCESS);
            }
            print_published(&table, output.output, lang.code())
        }
        Command::Export { id, out } => export(&link.table(&id).await?, &out),
    }
}

/// The published table, or why there is none.
fn published(table: &Table) -> Result<Published, Error> {
    match (render::published(table), table.state) {
        (Some(published), _) => Ok(published),
        (None, TableState::Refused) => {
            let reason = reason(table);
            // Those whom a regional sum lacked.
            for node in table.nodes.iter().filter(|_| table.request.release() == ReleaseKind::Regional) {
                if let Some(own) = node.refusal.filter(|own| *own != reason) {
                    eprintln!("missing: {}: {own}", node.node);
                }
            }
            Err(Error::Refused(reason))
        }
        (None, TableState::Open) => {
            Err(Error::Other("the table is still open: wait, or see `koonti table show`".into()))
        }
        (None, TableState::Published) => {
            Err(Error::Other("this version cannot read the published table: upgrade koonti".into()))
        }
    }
}

fn print_published(table: &Table, output: Output, lang: &str) -> Result<ExitCode, Error> {
    let published = published(table)?;
    match output {
        Output::Table => render::print(&published, &table.request, lang),
        Output::Json => say!("{:#}", render::json(&published, &table.request)),
        // Stdout may be closed early: nobody is left to tell.
        Output::Csv => drop(render::csv(std::io::stdout(), &published, &table.request)),
    }
    Ok(code(&published))
}

fn code(published: &Published) -> ExitCode {
    if published.nodes_missing.is_empty() {
        return ExitCode::SUCCESS;
    }
    for missing in &published.nodes_missing {
        eprintln!("missing: {}: {}", missing.node, missing.reason);
    }
    ExitCode::from(4)
}

fn list(tables: &[Table], output: Output) {
    let (mut rows, mut items) = (Vec::new(), Vec::new());
    for table in tables {
        let state = match table.state {
            TableState::Open => "open",
            TableState::Published => "published",
            TableState::Refused => "refused",
        };
        let answered = table.nodes.iter().filter(|n| n.progress == Progress::Released).count();
        let what = table.request.score().map_or_else(|| "clients".to_owned(), |s| format!("mean of {s}"));
        let regional = if table.request.release() == ReleaseKind::Regional { ", regional" } else { "" };
        let periods: Vec<String> = table.request.periods().iter().map(ToString::to_string).collect();
        rows.push(vec![
            table.request.id().short(),
            state.to_owned(),
            format!("{what} by {}{regional}", table.request.by().join(", ")),
            periods.join(" "),
            format!("{answered} of {}", table.nodes.len()),
            table.requester.to_string(),
        ]);
        items.push(json!({
            "id": table.request.id().to_string(),
            "state": state,
            "request": serde_json::from_slice::<Value>(table.request.bytes()).unwrap_or_default(),
            "requester": table.requester.as_str(),
            "created": table.created,
            "deadline": table.deadline,
            "nodes": table.nodes.iter().map(|n| json!({
                "node": n.node.as_str(), "progress": n.progress.code(), "refusal": n.refusal.map(Refusal::code),
            })).collect::<Vec<_>>(),
        }));
    }
    print(output, &["id", "state", "table", "periods", "answered", "asked by"], &rows, &items.into());
}

fn export(table: &Table, out: &Path) -> Result<ExitCode, Error> {
    let published = published(table)?;
    match out.extension().and_then(|e| e.to_str()) {
        Some("csv") => {
            let mut bytes = Vec::new();
            render::csv(&mut bytes, &published, &table.request).map_err(|e| Error::file(out, &e))?;
            std::fs::write(out, bytes).map_err(|e| Error::file(out, &e))?;
        }
        Some("json") => write(out, &format!("{:#}\n", render::json(&published, &table.request)))?,
        _ => return Err(Error::Other(format!("{}: the file's ending must be .csv or .json", out.display()))),
    }
    eprintln!("written: {}", out.display());
    Ok(code(&published))
}
