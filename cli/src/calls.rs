//! What a person asks of the coordinator, as `koonti table` and the demo do.

use crate::error::Error;
use crate::profile::Profile;
use indicatif::{ProgressBar, ProgressStyle};
use koonti_disclosure::identity::Intent;
use koonti_disclosure::request::{Draft, ReleaseKind};
use koonti_disclosure::{Codebook, Progress, Refusal, TableRequest};
use koonti_proto::wire::{Ask, Asked, Quote, Table, TableState};
use koonti_proto::{Failure, PeopleLink};
use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Duration;
use tokio_stream::StreamExt;

/// Turns a draft into a request of this region.
pub(crate) async fn resolve(profile: &Profile, link: &PeopleLink, draft: &Draft) -> Result<TableRequest, Error> {
    let roster = profile.roster(link).await?;
    let areas = roster.roster().areas();
    Ok(TableRequest::resolve(draft, profile.region(), &areas, Codebook::built_in())?)
}

/// How long organisations may take.
#[derive(Clone, Copy)]
pub(crate) struct Patience {
    /// To answer; for a regional table, to accept. Seconds.
    pub(crate) timeout_s: u64,
    /// With each step of a regional sum. Seconds.
    pub(crate) phase_timeout_s: u64,
}

/// Steps of a regional sum that may run out of time before its table is closed:
/// five, five more when it is tried once more, and something to spare.
const MOST_STEPS: u64 = 12;

impl Patience {
    /// The longest that a table may stay open, seconds.
    fn longest_s(self, release: ReleaseKind) -> u64 {
        match release {
            ReleaseKind::PerNode => self.timeout_s,
            ReleaseKind::Regional => self.timeout_s.saturating_add(self.phase_timeout_s.saturating_mul(MOST_STEPS)),
        }
    }
}

/// Asks for a table.
pub(crate) async fn ask(
    profile: &Profile,
    link: &PeopleLink,
    request: TableRequest,
    patience: Patience,
    retry_missing: bool,
) -> Result<(Table, bool), Error> {
    let Patience { timeout_s, phase_timeout_s } = patience;
    // The nodes check the signature once more when the sum is made.
    let stands_s = patience.longest_s(request.release());
    let request = profile.sign(request, stands_s, Intent::Ask);
    match link.ask(Ask { request, validate_only: false, timeout_s, retry_missing, phase_timeout_s }).await? {
        Asked::Table(table, repeat) => Ok((*table, repeat)),
        Asked::Quote { .. } => Err(Error::Other("the coordinator answered a question with a quote".into())),
    }
}

/// What a question would cost, as the nodes say.
pub(crate) struct Quoted {
    /// One for each node that answered.
    pub(crate) quotes: Vec<Quote>,
    /// Nodes that are away or too slow.
    pub(crate) unreachable: Vec<String>,
    /// Share of the table's figures expected to be withheld, percent.
    pub(crate) expected_withheld_percent: u32,
    /// Figures of a regional table that one organisation alone can fill.
    pub(crate) lone_cells: u64,
}

impl Quoted {
    /// 3 when all would refuse, 4 when some could not be asked.
    pub(crate) fn code(&self) -> ExitCode {
        let refused = !self.quotes.is_empty() && self.quotes.iter().all(|q| q.refusal.is_some());
        match (refused, self.unreachable.is_empty()) {
            (true, _) => ExitCode::from(3),
            (_, false) => ExitCode::from(4),
            _ => ExitCode::SUCCESS,
        }
    }
}

/// Asks for a quote.
pub(crate) async fn quote(profile: &Profile, link: &PeopleLink, request: TableRequest) -> Result<Quoted, Error> {
    let request = profile.sign(request, 60, Intent::Quote);
    let ask = Ask { request, validate_only: true, timeout_s: 60, retry_missing: false, phase_timeout_s: 0 };
    match link.ask(ask).await? {
        Asked::Quote { quotes, unreachable, expected_withheld_percent, lone_cells } => {
            let unreachable = unreachable.iter().map(ToString::to_string).collect();
            Ok(Quoted { quotes, unreachable, expected_withheld_percent, lone_cells })
        }
        Asked::Table(..) => Err(Error::Other("the coordinator answered a quote with a table".into())),
    }
}

/// Follows an open table until it is closed; reconnects when the stream ends.
pub(crate) async fn wait(link: &PeopleLink, mut table: Table, patience: Patience) -> Result<Table, Error> {
    let id = table.request.id();
    // On a terminal only; elsewhere indicatif draws nothing.
    let bar = ProgressBar::new(table.nodes.len() as u64);
    let style = ProgressStyle::with_template("{pos} of {len} organisations have answered {wide_bar} {msg}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    let longest_s = patience.longest_s(table.request.release()).saturating_add(30);
    let deadline = tokio::time::Instant::now() + Duration::from_secs(longest_s);
    while table.state == TableState::Open {
        let following = async {
            let mut moves = link.watch(id).await?;
            while let Some(moved) = moves.next().await {
                table = moved?;
                let (answered, message) = standing(&table);
                bar.set_position(answered);
                bar.set_message(message);
                if table.state != TableState::Open {
                    break;
                }
            }
            Ok::<(), Failure>(())
        };
        match tokio::time::timeout_at(deadline, following).await {
            Ok(Ok(()) | Err(Failure::Unavailable(_) | Failure::SlowDown(_))) => {}
            Ok(Err(failure)) => return Err(failure.into()),
            Err(_) => return Err(Error::Other(format!("table {} is still open: see `koonti table show`", id.short()))),
        }
        if table.state == TableState::Open {
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }
    bar.finish_and_clear();
    Ok(table)
}

/// How many organisations have answered, and what the others are at.
fn standing(table: &Table) -> (u64, String) {
    let at = |wanted: &[Progress]| table.nodes.iter().filter(|n| wanted.contains(&n.progress)).count();
    let (joined, sent) = (at(&[Progress::Joined]), at(&[Progress::Sent]));
    let answered = table.nodes.len() - at(&[Progress::Offered, Progress::AwaitingApproval, Progress::Accepted]);
    let message = match (at(&[Progress::AwaitingApproval]), at(&[Progress::Ready])) {
        _ if joined + sent > 0 => format!("adding up: {sent} of {} have sent their masked figures", joined + sent),
        (0, 0) => String::new(),
        (0, ready) => format!("{ready} are ready"),
        (person, 0) => format!("{person} wait for a person"),
        (person, ready) => format!("{ready} are ready, {person} wait for a person"),
    };
    (answered as u64, message)
}

/// Why no node released: the reason that most of those who answered gave.
pub(crate) fn reason(table: &Table) -> Refusal {
    let mut counts: BTreeMap<Refusal, usize> = BTreeMap::new();
    for refusal in table.nodes.iter().filter_map(|n| n.refusal).filter(|r| *r != Refusal::NoAnswer) {
        *counts.entry(refusal).or_default() += 1;
    }
    counts.into_iter().max_by_key(|(_, n)| *n).map_or(Refusal::NoAnswer, |(refusal, _)| refusal)
}
