//! The same table both ways: what a regional sum buys.
//!
//! Each table is held against the truth of its own quarter, so that neither spends
//! the other's allowance. A withheld figure counts as 0: that is what a reader has
//! of it.

use super::region::Region;
use super::report::Shown;
use super::truth::truth;
use crate::error::Error;
use koonti_disclosure::TableRequest;
use koonti_disclosure::combine::State;
use koonti_disclosure::masked::{CHUNK_BYTES, Layout};
use serde_json::{Value, json};

/// The allowance of a quarter at every node of the demo, in 1e-9 rho.
pub(super) const ALLOWANCE_NANO_RHO: u64 = 250_000_000;

/// One way of making the table.
struct Way {
    period: String,
    mean_relative_error: f64,
    shown: usize,
    cells: usize,
    cost_percent: f64,
    sent_bytes: u64,
}

/// Both ways.
pub(super) struct Comparison {
    nodes: usize,
    per_node: Way,
    regional: Way,
}

impl Comparison {
    /// Compares a table per organisation with a regional one.
    pub(super) fn of(region: &Region, per_node: &Shown, regional: &Shown) -> Result<Self, Error> {
        let names = region.names();
        let released = region.release_bytes(&names[0], &per_node.1.id.to_string())?;
        let masked = sent_in_a_round(&regional.0, names.len() as u64);
        Ok(Self {
            nodes: names.len(),
            per_node: way(region, per_node, released)?,
            regional: way(region, regional, masked)?,
        })
    }

    /// The interface.
    pub(super) fn json(&self) -> Value {
        let (per_node, regional) = (self.per_node.mean_relative_error, self.regional.mean_relative_error);
        json!({
            "nodes": self.nodes,
            "per_node_mean_relative_error": per_node,
            "regional_mean_relative_error": regional,
            "ratio": per_node / regional,
        })
    }

    /// For people.
    pub(super) fn print(&self) {
        let (a, b) = (&self.per_node, &self.regional);
        let line = |what: &str, a: String, b: String| say!("  {what:<38} {a:>26} {b:>18}");
        say!("\nThe same table both ways, over {} organisations:", self.nodes);
        line("", format!("per organisation, {}", a.period), format!("regional, {}", b.period));
        let percent = |x: f64| format!("{:.1} %", 100.0 * x);
        line("mean error of a figure", percent(a.mean_relative_error), percent(b.mean_relative_error));
        line("figures shown", format!("{} of {}", a.shown, a.cells), format!("{} of {}", b.shown, b.cells));
        let cost = |way: &Way| format!("{:.0} %", way.cost_percent);
        line("allowance spent at each organisation", cost(a), cost(b));
        let sent = |way: &Way| format!("{:.1} kB", way.sent_bytes as f64 / 1000.0);
        line("sent by each organisation", sent(a), sent(b));
        say!(
            "The regional table is {:.1} times as close to the registers. Error: how far a figure lies from the\n\
             count in the registers, on average, over the average count; a withheld figure is read as 0.",
            a.mean_relative_error / b.mean_relative_error
        );
    }
}

fn way(region: &Region, (request, published): &Shown, sent_bytes: u64) -> Result<Way, Error> {
    let truth = truth(&region.dir().join("people.csv"), request, published)?;
    let values: Vec<i64> = published.cells.iter().map(|c| c.value.unwrap_or(0)).collect();
    Ok(Way {
        period: request.periods().iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
        mean_relative_error: mean_relative_error(&values, &truth),
        shown: published.cells.iter().filter(|c| c.state == State::Published).count(),
        cells: published.cells.len(),
        cost_percent: 100.0 * published.cost.nano_rho as f64 / ALLOWANCE_NANO_RHO as f64,
        sent_bytes,
    })
}

/// Mean distance between figure and truth, over the mean truth.
fn mean_relative_error(values: &[i64], truth: &[i64]) -> f64 {
    let distance: u64 = values.iter().zip(truth).map(|(value, truth)| value.abs_diff(*truth)).sum();
    distance as f64 / truth.iter().sum::<i64>() as f64
}

/// What a node sends in a round of `n` nodes that all stay, byte by byte as in
/// `docs/secagg-format.md`: advert, shares, masked input with its chunks,
/// confirmation, unmasking. Without the envelopes of TLS and gRPC.
fn sent_in_a_round(request: &TableRequest, n: u64) -> u64 {
    const HEAD: u64 = 1 + 32;
    const SIGNATURE: u64 = 64;
    let bytes = Layout::of(request).map_or(0, |layout| layout.bytes() as u64);
    let chunks = bytes.div_ceil(CHUNK_BYTES as u64);
    let advert = HEAD + 2 + 3 * 32 + 16 + SIGNATURE;
    let shares = HEAD + 3 * 32 + (n - 1) * (2 + 80 + 2 * 32) + SIGNATURE;
    let masked = HEAD + 8 + chunks * 32 + SIGNATURE + chunks * (HEAD + 4) + bytes;
    let confirm = HEAD + SIGNATURE;
    let unmask = HEAD + 2 + n * (2 + 32) + 2;
    advert + shares + masked + confirm + unmask
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_withheld_figure_is_as_wrong_as_its_count() {
        let error = mean_relative_error(&[90, 0, 12, -3], &[100, 4, 10, 0]);
        assert!((error - 19.0 / 114.0).abs() < 1e-12, "{error}");
    }
}
