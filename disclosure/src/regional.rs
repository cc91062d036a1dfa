//! From the opened noisy sum to the table that a region reads.
//!
//! A cell is published if and only if its noisy sum is at least
//! `T = J (k - 1) + z`: z is the least margin that the noise really present
//! reaches with a chance of eta over the number of cells, so that a table prints a
//! cell of fewer than k persons with a chance of at most eta, if nobody is known
//! to more than J nodes. This is post-processing of a sum that is differentially
//! private already, and costs nothing. It is no k-anonymity: the coordinator's
//! operator sees the noisy sums under T, and no node can enforce T.
//!
//! The noise present is Skellam of variance `mu |U3| / h`. A node that withholds
//! its share makes it less and T too high, never too low. (A node rounds its mean
//! up to a multiple of 2^-20, which adds less than 1e-3 to the variance.) Intervals
//! cover the *bounded* total over the counted nodes at 95 %; they do not cover
//! what the contribution bound leaves out, late data, or nodes that lie.

use crate::combine::{self, Cell, MEAN_SCALE, Missing, Published, RegionalTerms, State};
use crate::cost;
use crate::domain::ANY;
use crate::names::Name;
use crate::quorum::Quorum;
use crate::request::{Measure, TableRequest};
use crate::round::{RoundSpec, Strictness};
use crate::skellam;
use std::collections::BTreeMap;

/// Shares are printed in hundredths of a percent.
pub const SHARE_SCALE: i64 = 10_000;

/// The opened sum of one round.
pub struct Sum<'a> {
    /// What all participants signed.
    pub spec: &'a RoundSpec,
    /// The nodes in the sum.
    pub survivors: Vec<Name>,
    /// The nodes that are not, and why.
    pub missing: Vec<Missing>,
    /// The words of each vector in the order of [`crate::masked::Layout`], signed.
    pub vectors: &'a [Vec<i64>],
}

/// Applies the threshold and prints intervals.
///
/// # Panics
/// When the vectors do not have the request's layout: the round's own machine
/// makes them so.
pub fn publish(request: &TableRequest, mut sum: Sum<'_>) -> Published {
    sum.survivors.sort();
    sum.missing.sort_by(|a, b| a.node.cmp(&b.node));
    let (quorum, strictness) = (sum.spec.quorum(), sum.spec.strictness());
    let survivors = u32::try_from(sum.survivors.len()).expect("at most 500");
    let noise = SumNoise::of(request, quorum, survivors, strictness).expect("the question was admitted");
    let half_width = skellam::half_width_95(noise.of_figures);
    let cells = request.domain().cells();
    let per_period = sum.vectors.len() / request.periods().len();
    let mut out = Vec::with_capacity(cells * request.periods().len());
    for (p, period) in request.periods().iter().enumerate() {
        let vectors = &sum.vectors[p * per_period..][..per_period];
        for c in 0..cells {
            let mut codes = request.domain().codes(c);
            codes.insert("period".to_owned(), period.to_string());
            let any = any_of(request, c).filter(|any| *any != c).map(|any| vectors[0][any]);
            let words: Vec<i64> = vectors.iter().map(|v| v[c]).collect();
            out.push(cell(request, (noise, half_width), &words, any, codes));
        }
    }
    Published {
        cells: out,
        // Every node's cost follows from the question alone; a regional table has no gate.
        cost: cost::of_period(request, 0).expect("the round's specification was admitted"),
        coverage: Vec::new(),
        id: request.id(),
        nodes_counted: sum.survivors,
        nodes_missing: sum.missing,
        per_node: Vec::new(),
        regional: Some(RegionalTerms {
            c: quorum.c(),
            eta: strictness.eta,
            h: quorum.h(),
            j: strictness.j,
            k: strictness.k,
            n: quorum.n(),
            round: sum.spec.round(),
            t: quorum.t(),
            threshold: noise.threshold,
            u_min: quorum.u_min(),
            variance_present: noise.variance,
        }),
        request: request.json(),
        scale: if request.measure() == Measure::Score { MEAN_SCALE } else { 1 },
        v: 1,
    }
}

/// The `ANY` cell beside a cell, where the table has one.
fn any_of(request: &TableRequest, cell: usize) -> Option<usize> {
    let domain = request.domain();
    let stride = domain.stride();
    let any = cell / stride * stride + stride - 1;
    debug_assert!(!domain.has_any() || domain.codes(any).values().any(|code| code == ANY));
    domain.has_any().then_some(any)
}

/// The noise of a count in a sum of some nodes, and what follows from it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct SumNoise {
    /// Its variance, as a reduced fraction.
    pub variance: (u64, u64),
    /// The same of the figures that have an interval of their own: the events, where
    /// they are measured, else the clients.
    pub of_figures: (u64, u64),
    /// The smallest noisy sum that is printed.
    pub threshold: i64,
}

impl SumNoise {
    /// The noise that `nodes` nodes of a region add to each count of a table; none
    /// when its variance does not fit 64 bits, which no admitted question comes near.
    pub fn of(request: &TableRequest, quorum: Quorum, nodes: u32, strictness: Strictness) -> Option<Self> {
        let num = u128::from(request.variance().num()) * u128::from(nodes);
        let den = u128::from(request.variance().den()) * u128::from(quorum.h());
        let reduced = |num: u128, den: u128| {
            let g = gcd(num, den);
            Some((u64::try_from(num / g).ok()?, u64::try_from(den / g).ok()?))
        };
        let variance = reduced(num, den)?;
        let most = u128::from(request.max_events().unwrap_or(1));
        let of_figures = reduced(num.checked_mul(most * most)?, den)?;
        let cells = (request.domain().cells() * request.periods().len()) as u64;
        let margin = skellam::margin(variance, strictness.eta, cells);
        Some(Self { variance, of_figures, threshold: i64::from(strictness.j) * (i64::from(strictness.k) - 1) + margin })
    }

    /// The standard deviation, for display and for what counts as near a threshold.
    #[expect(clippy::cast_precision_loss, reason = "display only")]
    pub fn sd(&self) -> f64 {
        (self.variance.0 as f64 / self.variance.1 as f64).sqrt()
    }
}

fn gcd(mut a: u128, mut b: u128) -> u128 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[expect(clippy::cast_possible_truncation, reason = "two standard deviations are far below 2^53")]
fn cell(
    request: &TableRequest,
    (noise, half_width): (SumNoise, i64),
    words: &[i64],
    any: Option<i64>,
    codes: BTreeMap<String, String>,
) -> Cell {
    let count = words[0];
    let mut cell = Cell::suppressed(codes);
    if count < noise.threshold {
        return cell;
    }
    cell.near_threshold = count < noise.threshold + (2.0 * noise.sd()).ceil() as i64;
    match (request.score_range(), request.max_events(), words.get(1)) {
        (_, Some(most), Some(sum)) => {
            (cell.value, cell.low, cell.high) = (Some(*sum), Some(sum - half_width), Some(sum + half_width));
            cell.clients = Some(count);
            cell.per_client = combine::per_client(*sum, count, 1, noise.sd(), most);
        }
        (Some(range), None, Some(sum)) => {
            let Some((value, low, high)) = combine::mean(count, *sum, 1, noise.sd(), range) else { return cell };
            (cell.value, cell.low, cell.high) = (Some(value), Some(low), Some(high));
            (cell.clients, cell.sum) = (Some(count), Some(*sum));
        }
        _ => {
            (cell.value, cell.low, cell.high) = (Some(count), Some(count - half_width), Some(count + half_width));
            let any = any.filter(|any| *any >= noise.threshold);
            cell.share =
                any.and_then(|any| combine::ratio(count, any, (noise.sd(), noise.sd()))).map(|(value, low, high)| {
                    let scaled = |x: f64| (x * SHARE_SCALE as f64).round() as i64;
                    [scaled(value), scaled(low), scaled(high)]
                });
        }
    }
    cell.state = State::Published;
    cell
}
