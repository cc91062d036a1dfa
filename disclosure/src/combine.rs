//! From per-node releases to the table that a region reads.
//!
//! Everything here is post-processing of what left the nodes: it costs nothing
//! and can be redone by anyone who holds the releases. Sums are of raw noisy
//! values, never of rounded or clamped ones. An interval covers the *bounded*
//! total over all counted nodes at 95 % or better: 1.96 standard deviations of
//! the sum over the nodes that published, and for each node that withheld the
//! cell anything from zero to its threshold plus the half-width of one draw; of
//! events, as many times the most that one client adds.
//!
//! It does not cover what the contribution bound leaves out, nor late data.

use crate::canonical::Json;
use crate::cost::Cost;
use crate::coverage::Covered;
use crate::names::{Digest, Name};
use crate::refusal::Refusal;
use crate::release::Received;
use crate::request::{Measure, TableRequest};
use crate::tail;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Means, and events per client, are printed in thousandths.
pub const MEAN_SCALE: i64 = 1000;

/// A published table, in canonical form: integers only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Published {
    /// The cells, period by period, in domain order.
    pub cells: Vec<Cell>,
    /// The largest cost of one period at any node.
    pub cost: Cost,
    /// What the counted nodes' registers cover, as far as their operators have stated it.
    /// Whoever publishes fills it in from the nodes' logs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub coverage: Vec<Covered>,
    /// The request's id.
    pub id: Digest,
    /// The nodes whose releases are in the table.
    pub nodes_counted: Vec<Name>,
    /// The nodes asked that are not in it, and why.
    pub nodes_missing: Vec<Missing>,
    /// The terms under which each counted node released; empty for a regional table.
    pub per_node: Vec<NodeTerms>,
    /// The terms of a regional table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub regional: Option<RegionalTerms>,
    /// The request.
    pub request: Json,
    /// `value`, `low` and `high` of cells are in units of one over this.
    pub scale: i64,
    /// Format version.
    pub v: u8,
}

/// A node that is not in the table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missing {
    /// The node.
    pub node: Name,
    /// Why.
    pub reason: Refusal,
}

/// The rules under which a node released.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeTerms {
    /// Cells that it published.
    pub cells_published: u64,
    /// Smallest true count that it prints.
    pub k: u32,
    /// The node.
    pub node: Name,
    /// The policy that it applied.
    pub policy: Digest,
    /// Smallest noisy count that it prints.
    pub tau: i64,
}

/// The rules under which a regional sum was opened and published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegionalTerms {
    /// Nodes that may collude with the coordinator.
    pub c: u32,
    /// Chance that the table prints a cell below k, as a fraction.
    pub eta: (u64, u64),
    /// Honest contributors that the noise is sized for.
    pub h: u32,
    /// Nodes that may know one person.
    pub j: u32,
    /// Smallest count that may be printed.
    pub k: u32,
    /// Nodes of the roster.
    pub n: u32,
    /// The round: SHA-256 of its specification.
    pub round: Digest,
    /// Shares that open.
    pub t: u32,
    /// Smallest noisy sum that is printed.
    pub threshold: i64,
    /// Fewest nodes whose sum is opened.
    pub u_min: u32,
    /// Variance of the noise on each count, as a reduced fraction.
    pub variance_present: (u64, u64),
}

/// Whether a cell has a figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// At least one node published it.
    Published,
    /// No node did: zero, small or unlucky, nobody can tell.
    Suppressed,
}

/// One cell of the region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cell {
    /// With a score or events: the noisy number of clients behind the figure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clients: Option<i64>,
    /// The cell's codes, `period` among them.
    pub codes: BTreeMap<String, String>,
    /// Upper end of the interval; absent for a suppressed mean.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub high: Option<i64>,
    /// Lower end of the interval; absent for a suppressed mean.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low: Option<i64>,
    /// True when a node's count lay within two standard deviations of its
    /// threshold: such cells were selected for being high.
    pub near_threshold: bool,
    /// How many counted nodes withheld the cell.
    pub nodes_suppressed: u64,
    /// Events per client with its 95 % interval, in thousandths: value, low, high;
    /// absent where the clients are too few for their noise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_client: Option<[i64; 3]>,
    /// In a regional table: this figure as a share of `ANY` with its 95 % interval,
    /// in hundredths of a percent: value, low, high.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<[i64; 3]>,
    /// Whether there is a figure.
    pub state: State,
    /// With a score: the noisy sum of `2x - (lo + hi)`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sum: Option<i64>,
    /// The figure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<i64>,
}

impl Cell {
    /// A cell without a figure.
    pub(crate) fn suppressed(codes: BTreeMap<String, String>) -> Self {
        Self {
            clients: None,
            codes,
            high: None,
            low: None,
            near_threshold: false,
            nodes_suppressed: 0,
            per_client: None,
            share: None,
            state: State::Suppressed,
            sum: None,
            value: None,
        }
    }
}

/// Adds up the releases of one request. `releases` are in any order.
///
/// # Panics
/// When a release answers another request: the caller sorts them by request.
pub fn combine(request: &TableRequest, mut releases: Vec<Received>, mut missing: Vec<Missing>) -> Published {
    releases.sort_by(|a, b| a.node().cmp(b.node()));
    missing.sort_by(|a, b| a.node.cmp(&b.node));
    assert!(releases.iter().all(|r| r.request().id() == request.id()), "a release of another request");
    let draw = tail::half_width_95(request.variance());
    let mut cells = Vec::new();
    for (p, period) in request.periods().iter().enumerate() {
        for c in 0..request.domain().cells() {
            let mut codes = request.domain().codes(c);
            codes.insert("period".to_owned(), period.to_string());
            cells.push(cell(request, &releases, (p, c), codes, draw));
        }
    }
    let published = |r: &Received| {
        let cells = request.domain().cells();
        (0..request.periods().len()).map(|p| (0..cells).filter(|c| r.value(p, 0, *c).is_some()).count() as u64).sum()
    };
    Published {
        cells,
        cost: Cost {
            nano_rho: releases.iter().map(|r| r.cost().nano_rho).max().unwrap_or(0),
            atto_delta: releases.iter().map(|r| r.cost().atto_delta).max().unwrap_or(0),
        },
        coverage: Vec::new(),
        id: request.id(),
        nodes_counted: releases.iter().map(|r| r.node().clone()).collect(),
        nodes_missing: missing,
        per_node: releases
            .iter()
            .map(|r| NodeTerms {
                cells_published: published(r),
                k: r.k(),
                node: r.node().clone(),
                policy: r.policy(),
                tau: r.tau(),
            })
            .collect(),
        regional: None,
        request: request.json(),
        scale: if request.measure() == Measure::Score { MEAN_SCALE } else { 1 },
        v: 1,
    }
}

fn cell(
    request: &TableRequest,
    releases: &[Received],
    (p, c): (usize, usize),
    codes: BTreeMap<String, String>,
    draw: i64,
) -> Cell {
    let variance = request.variance();
    let mut cell = Cell::suppressed(codes);
    let two_sd =
        i64::try_from((4 * u128::from(variance.num()) / u128::from(variance.den())).isqrt()).expect("at most 2^17");
    let (mut count, mut sum, mut terms, mut withheld) = (0i64, 0i64, 0u32, 0i64);
    for release in releases {
        match release.value(p, 0, c) {
            Some(y) => {
                count = count.saturating_add(y);
                terms += 1;
                cell.near_threshold |= y < release.tau() + two_sd;
                if request.measure() != Measure::Clients {
                    sum = sum.saturating_add(release.value(p, 1, c).unwrap_or(0));
                }
            }
            None => {
                cell.nodes_suppressed += 1;
                withheld += release.tau() + draw;
            }
        }
    }
    match (request.score_range(), request.max_events()) {
        (None, None) => {
            let half = variance.half_width(terms);
            cell.low = Some(if terms == 0 { 0 } else { count - half });
            cell.high = Some(count + half + withheld);
            if terms > 0 {
                cell.state = State::Published;
                cell.value = Some(count);
            }
        }
        (_, Some(most)) => {
            let noise = variance.scaled(most.into()).map_or(0, |noise| noise.half_width(terms));
            cell.low = Some(if terms == 0 { 0 } else { sum - noise });
            cell.high = Some(sum.saturating_add(noise).saturating_add(withheld.saturating_mul(most.into())));
            if terms > 0 {
                cell.state = State::Published;
                (cell.value, cell.clients) = (Some(sum), Some(count));
                cell.per_client = per_client(sum, count, terms, variance.sd(), most);
            }
        }
        (Some(range), _) => {
            if let Some(mean) = mean(count, sum, terms, variance.sd(), range) {
                cell.state = State::Published;
                (cell.value, cell.low, cell.high) = (Some(mean.0), Some(mean.1), Some(mean.2));
                (cell.clients, cell.sum) = (Some(count), Some(sum));
            }
        }
    }
    cell
}

/// The mean of a score and its 95 % interval, in thousandths: `sum / count` with
/// Fieller's interval for a ratio of two independent noisy figures. None when
/// the count is under five standard deviations of its noise.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "post-processing of noisy integers far below 2^52"
)]
pub(crate) fn mean(count: i64, sum: i64, terms: u32, sd: f64, (lo, hi): (i64, i64)) -> Option<(i64, i64, i64)> {
    let sd_count = sd * f64::from(terms).sqrt();
    let (value, low, high) = ratio(sum, count, (sd_count * (hi - lo) as f64, sd_count)).filter(|_| terms > 0)?;
    let middle = (lo + hi) as f64 / 2.0;
    let scaled = |ratio: f64| (middle + ratio / 2.0) * MEAN_SCALE as f64;
    Some((scaled(value).round() as i64, scaled(low).floor() as i64, scaled(high).ceil() as i64))
}

/// Events per client and the 95 % interval, in thousandths. None when the clients
/// are under five standard deviations of their noise.
#[expect(clippy::cast_possible_truncation, reason = "post-processing of noisy integers far below 2^52")]
pub(crate) fn per_client(events: i64, clients: i64, terms: u32, sd: f64, most: u8) -> Option<[i64; 3]> {
    let sd_clients = sd * f64::from(terms).sqrt();
    let (value, low, high) = ratio(events, clients, (sd_clients * f64::from(most), sd_clients))?;
    let scaled = |ratio: f64| ratio * SCALE;
    Some([scaled(value).round() as i64, scaled(low).floor() as i64, scaled(high).ceil() as i64])
}

/// [`MEAN_SCALE`], to multiply with.
const SCALE: f64 = 1000.0;

/// `above / below` with Fieller's 95 % interval, for two figures whose independent
/// noise has these standard deviations. None when `below` is under five of its own.
#[expect(clippy::cast_precision_loss, reason = "post-processing of noisy integers far below 2^52")]
pub(crate) fn ratio(above: i64, below: i64, (sd_above, sd_below): (f64, f64)) -> Option<(f64, f64, f64)> {
    let (s, n) = (above as f64, below as f64);
    if n < 5.0 * sd_below {
        return None;
    }
    // r = s/n solves (s - r n)^2 <= z^2 (sd_above^2 + r^2 sd_below^2).
    let z2 = 1.96f64 * 1.96;
    let a = n * n - z2 * sd_below * sd_below;
    let c = s * s - z2 * sd_above * sd_above;
    let root = (s * s * n * n - a * c).max(0.0).sqrt();
    Some((s / n, (s * n - root) / a, (s * n + root) / a))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_and_their_intervals() {
        // 100 clients who all score 6 on 0..10: sum of 2x - 10 is 200.
        let (value, low, high) = mean(100, 200, 1, 5.0, (0, 10)).unwrap();
        assert_eq!(value, 6000);
        // Half-width about 1.96 * 50 / (2 * 100) = 0.49, a little wider upward.
        assert!((5500..5520).contains(&low) && (6490..6530).contains(&high), "{low} {high}");
        assert_eq!(mean(24, 48, 1, 5.0, (0, 10)), None, "under five standard deviations");
        assert_eq!(mean(0, 0, 0, 5.0, (0, 10)), None);
    }

    #[test]
    fn events_per_client_and_their_interval() {
        // 100 clients with 250 events; one draw of noise of 5, and of 5 times 4.
        let [value, low, high] = per_client(250, 100, 1, 5.0, 4).unwrap();
        assert_eq!(value, 2500);
        // Half-width about 1.96 * sqrt(20^2 + (2.5 * 5)^2) / 100 = 0.46, a little wider upward.
        assert!((2050..2065).contains(&low) && (2975..3000).contains(&high), "{low} {high}");
        assert_eq!(per_client(250, 24, 1, 5.0, 4), None, "under five standard deviations");
    }
}
