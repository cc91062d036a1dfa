//! The demo's regional tables: one with everybody, and one with a node killed
//! while the sum is being made.
//!
//! The node is killed with everybody's shares in its hands, its allowance spent
//! and its masked figures on their way: the latest moment at which the region has
//! to do without it, and the one at which the others have to open its masks.

use super::region::Region;
use super::{PATIENCE, clients, run_table};
use crate::calls::{ask, reason, resolve, wait};
use crate::error::Error;
use crate::profile::Profile;
use koonti_disclosure::Progress;
use koonti_disclosure::quorum::NODES;
use koonti_disclosure::request::{Draft, ReleaseKind};
use koonti_proto::PeopleLink;
use koonti_proto::wire::{Table, TableState};
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::time::{Duration, Instant};
use tokio_stream::StreamExt;

/// How long the node to be killed may take to spend its allowance once it takes part.
const DEBIT_TIMEOUT: Duration = Duration::from_secs(30);
/// What the journal of a node says when its allowance has been spent.
const DEBIT: &[u8] = br#""type":"debit""#;

/// Both tables.
pub(super) struct Asked {
    /// Of all nodes.
    pub(super) whole: Table,
    /// Of all but the one killed.
    pub(super) without: Table,
    /// The one killed.
    pub(super) victim: String,
}

/// Asks for both tables; none when the region is too small or large for a sum.
pub(super) async fn tell(region: &mut Region, profile: &Profile, link: &PeopleLink) -> Result<Option<Asked>, Error> {
    if !NODES.contains(&(region.names().len() as u32)) {
        eprintln!("no regional table: it needs a region of {} to {} organisations", NODES.start(), NODES.end());
        return Ok(None);
    }
    let request = resolve(profile, link, &regional("2026Q1")).await?;
    let whole = published(run_table(profile, link, request).await?.0)?;
    eprintln!("published: regional table {}", whole.request.id().short());
    let victim = region.names().last().cloned().unwrap_or_default();
    let without = with_one_killed(region, profile, link, &victim).await?;
    eprintln!("published: regional table {}", without.request.id().short());
    Ok(Some(Asked { whole, without, victim }))
}

fn regional(period: &str) -> Draft {
    Draft { release: ReleaseKind::Regional, periods: vec![period.parse().expect("a quarter")], ..clients() }
}

fn published(table: Table) -> Result<Table, Error> {
    if table.state == TableState::Published {
        return Ok(table);
    }
    Err(Error::Other(format!("the regional table was not published: {}", reason(&table))))
}

/// Asks for a table and kills a node of it.
async fn with_one_killed(
    region: &mut Region,
    profile: &Profile,
    link: &PeopleLink,
    victim: &str,
) -> Result<Table, Error> {
    let journal = region.journal(victim);
    let before = std::fs::metadata(&journal).map_err(|e| Error::file(&journal, &e))?.len();
    let request = resolve(profile, link, &regional("2025Q4")).await?;
    let table = ask(profile, link, request, PATIENCE, false).await?.0;
    let taking_part = tokio::time::timeout(DEBIT_TIMEOUT, joined(link, &table, victim)).await;
    taking_part
        .map_err(|_| Error::Other(format!("{victim} does not take part in the regional sum: see its log")))??;
    // A thread of its own: the moment must not be missed.
    let watching = tokio::task::spawn_blocking(move || debited(&journal, before)).await;
    watching.map_err(|e| Error::Other(e.to_string()))??;
    region.kill(victim)?;
    eprintln!("killed: {victim}, in the middle of a regional sum");
    published(wait(link, table, PATIENCE).await?)
}

/// Waits until a node takes part in the sum.
async fn joined(link: &PeopleLink, table: &Table, node: &str) -> Result<(), Error> {
    let mut moves = link.watch(table.request.id()).await?;
    while let Some(moved) = moves.next().await {
        let moved = published_or_open(moved?)?;
        let at = moved.nodes.iter().find(|n| n.node.as_str() == node).map(|n| n.progress);
        if matches!(at, Some(Progress::Joined | Progress::Sent)) {
            return Ok(());
        }
    }
    Err(Error::Other("the coordinator has ended while a regional sum was made: see its log".into()))
}

fn published_or_open(table: Table) -> Result<Table, Error> {
    if table.state == TableState::Open { Ok(table) } else { published(table) }
}

/// Waits until a node has spent its allowance: the next thing that it does is to
/// mask its figures, and they leave on their tick, some tenths of a second later.
fn debited(journal: &Path, from: u64) -> Result<(), Error> {
    let start = Instant::now();
    while start.elapsed() < DEBIT_TIMEOUT {
        let mut written = Vec::new();
        let read = std::fs::File::open(journal).and_then(|mut file| {
            file.seek(SeekFrom::Start(from))?;
            file.read_to_end(&mut written)
        });
        read.map_err(|e| Error::file(journal, &e))?;
        if written.windows(DEBIT.len()).any(|bytes| bytes == DEBIT) {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    Err(Error::Other("a node that takes part in a regional sum does not go on with it: see its log".into()))
}
