//! `koonti demo`: a whole region on this machine, with nothing prepared.
//!
//! Everything is real but the people: processes of the same binaries, mutual
//! TLS on loopback, enrolment, governance, import, quotes, tables, a repeat, a
//! refusal, regional sums, a node killed in one, and the evidence of it all, verified.
//! The registers are synthetic.

mod audit;
mod comparison;
mod region;
mod regional;
mod report;
mod truth;

use crate::calls::{Patience, ask, quote, reason, resolve, wait};
use crate::error::Error;
use crate::profile::Profile;
use clap::{Args, ValueEnum};
use koonti_disclosure::TableRequest;
use koonti_disclosure::request::{Draft, Measure, Purpose, ReleaseKind};
use koonti_proto::PeopleLink;
use koonti_proto::wire::{Table, TableState};
use region::Region;
use report::Story;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

/// How long the nodes of the demo may take with one table.
const PATIENCE: Patience = Patience { timeout_s: 60, phase_timeout_s: 10 };

/// Arguments of the demo.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  koonti demo\n  koonti demo --nodes 66 --seed 7\n  koonti demo --dir region --keep --output json > demo.json"
)]
pub(crate) struct Demo {
    /// 6: the six counties. 12: counties, employment areas and NGOs. 66: one per municipality.
    #[arg(long, default_value_t = 12)]
    nodes: usize,
    /// The same seed gives the same registers.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Folder for the region; a temporary one by default.
    #[arg(long)]
    dir: Option<PathBuf>,
    /// Keep the folder.
    #[arg(long)]
    keep: bool,
    /// How to print the result.
    #[arg(long, value_enum, default_value = "table")]
    output: Form,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    /// For people.
    Table,
    /// For machines.
    Json,
}

/// Runs the demo.
pub(crate) async fn run(demo: &Demo) -> Result<ExitCode, Error> {
    let (dir, temporary) = folder(demo)?;
    let mut region = Region::start(&dir, demo.seed, demo.nodes)?;
    let story = tokio::select! {
        story = tell(&mut region) => story,
        () = stop_signal() => Err(Error::Other("stopped".into())),
    };
    // The processes end before anything is printed, whatever happened.
    let story = story.and_then(|asked| Story::gather(&region, asked));
    region.stop();
    let story = story?;
    match demo.output {
        Form::Json => say!("{:#}", story.json()),
        Form::Table => story.print(),
    }
    match temporary {
        Some(temporary) if demo.keep => eprintln!("kept: {}", temporary.keep().display()),
        None if !demo.keep => std::fs::remove_dir_all(&dir).map_err(|e| Error::file(&dir, &e))?,
        _ => {}
    }
    Ok(ExitCode::SUCCESS)
}

/// The region's folder: a new one, or an empty one that was named.
fn folder(demo: &Demo) -> Result<(PathBuf, Option<tempfile::TempDir>), Error> {
    match &demo.dir {
        None => {
            let temporary = tempfile::tempdir().map_err(|e| Error::file(&std::env::temp_dir(), &e))?;
            Ok((temporary.path().to_owned(), Some(temporary)))
        }
        Some(dir) => {
            crate::files::make_dir(dir)?;
            let mut entries = std::fs::read_dir(dir).map_err(|e| Error::file(dir, &e))?;
            if entries.next().is_some() {
                return Err(Error::Other(format!("{}: is not empty; name a new folder", dir.display())));
            }
            let dir = dir.canonicalize().map_err(|e| Error::file(dir, &e))?;
            Ok((dir, None))
        }
    }
}

/// What the requester of the demo asked and got.
struct Asked {
    /// Clients, then scores, per organisation.
    tables: Vec<Table>,
    repeat: (Table, bool),
    repeat_cost_nano_rho: u64,
    refusal: koonti_disclosure::Refusal,
    /// If the region is large enough.
    regional: Option<regional::Asked>,
    audit: audit::Audit,
}

async fn tell(region: &mut Region) -> Result<Asked, Error> {
    let profile = Profile::load(&region.requester())?;
    let link = profile.link()?;
    region.wait_for_nodes(&link).await?;
    let mut tables = Vec::new();
    for draft in [clients(), score("D07")] {
        let request = resolve(&profile, &link, &draft).await?;
        let quoted = quote(&profile, &link, request.clone()).await?;
        let willing = quoted.quotes.iter().filter(|q| q.refusal.is_none()).count();
        eprintln!("quoted: {willing} of {} organisations would answer", quoted.quotes.len());
        let table = run_table(&profile, &link, request).await?.0;
        eprintln!("published: table {}", table.request.id().short());
        tables.push(table);
    }
    let first = resolve(&profile, &link, &clients()).await?;
    let before = region.left("2026Q3")?;
    let repeat = run_table(&profile, &link, first).await?;
    let repeat_cost_nano_rho = before.saturating_sub(region.left("2026Q3")?);
    // The quarter of the score table has too little left for a second one.
    let another = resolve(&profile, &link, &score("D03")).await?;
    let refused = run_table(&profile, &link, another).await?.0;
    if refused.state != TableState::Refused {
        return Err(Error::Other("a table beyond the allowance was not refused".into()));
    }
    // Last: it leaves the region one node short.
    let regional = regional::tell(region, &profile, &link).await?;
    let audit = audit::tell(region).await?;
    Ok(Asked { tables, repeat, repeat_cost_nano_rho, refusal: reason(&refused), regional, audit })
}

async fn stop_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut term), Ok(mut int)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) else {
        return std::future::pending().await;
    };
    tokio::select! { _ = term.recv() => {}, _ = int.recv() => {} }
}

async fn run_table(profile: &Profile, link: &PeopleLink, request: TableRequest) -> Result<(Table, bool), Error> {
    let (table, repeat) = ask(profile, link, request, PATIENCE, false).await?;
    Ok((wait(link, table, PATIENCE).await?, repeat))
}

fn clients() -> Draft {
    Draft {
        register: "adult-social-work".into(),
        measure: Measure::Clients,
        score: None,
        by: vec!["need".into(), "age_group".into()],
        periods: vec!["2026Q3".parse().expect("a quarter")],
        release: ReleaseKind::PerNode,
        sd: Some("5".into()),
        within: None,
        max_per_client: Some(5),
        max_events: None,
        purpose: Purpose::StructuralSocialWork,
        filter: BTreeMap::new(),
    }
}

fn score(domain: &str) -> Draft {
    Draft {
        measure: Measure::Score,
        score: Some(domain.into()),
        by: vec!["need".into()],
        periods: vec!["2026Q2".parse().expect("a quarter")],
        ..clients()
    }
}
