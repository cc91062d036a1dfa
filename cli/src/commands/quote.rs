//! What a question would cost, as people and programs read it.
//!
//! Everything here follows from the question, the roster and what the nodes
//! quote: no figure of a register is behind it. What a regional table would show
//! is an estimate, since the nodes' own rules may be stricter than the roster's.

use crate::calls::Quoted;
use crate::output::{Output, print};
use koonti_disclosure::quorum::Quorum;
use koonti_disclosure::regional::SumNoise;
use koonti_disclosure::request::ReleaseKind;
use koonti_disclosure::roster::Roster;
use koonti_disclosure::round::Strictness;
use koonti_disclosure::{Refusal, TableRequest};
use koonti_proto::wire::Quote;
use serde_json::{Value, json};

/// Prints a quote.
pub(super) fn print_quote(quoted: &Quoted, request: &TableRequest, roster: &Roster, output: Output) {
    let regional = request.release() == ReleaseKind::Regional;
    let (mut rows, mut items) = (Vec::new(), Vec::new());
    for quote in &quoted.quotes {
        rows.push(row(quote, regional));
        items.push(json!({
            "node": quote.node.as_str(),
            "refusal": quote.refusal.map(Refusal::code),
            "answered_before": quote.answered_before,
            "k": quote.k,
            "tau": quote.tau,
            "cost_nano_rho": quote.cost.nano_rho,
            "cost_atto_delta": quote.cost.atto_delta,
            "left_nano_rho": quote.left_nano_rho,
        }));
    }
    let terms = Expected::of(request, roster, &quoted.quotes);
    let warnings = warnings(quoted, request, terms.as_ref());
    let mut json = json!({
        "id": request.id().to_string(),
        "request": serde_json::from_slice::<Value>(request.bytes()).unwrap_or_default(),
        "nodes": items,
        "unreachable": quoted.unreachable,
        "expected_withheld_percent": quoted.expected_withheld_percent,
        "warnings": warnings,
    });
    if regional {
        json["lone_cells"] = quoted.lone_cells.into();
        json["regional"] = terms.as_ref().map(Expected::json).into();
    }
    let header: &[&str] = match regional {
        true => &["organisation", "answer", "allowance left"],
        false => &["organisation", "answer", "shows figures from about", "allowance left"],
    };
    print(output, header, &rows, &json);
    if output == Output::Table && !quoted.quotes.is_empty() {
        match terms.filter(|_| willing(quoted).count() > 0) {
            Some(terms) => say!("\n{}", terms.text(quoted, request)),
            None if regional => {}
            None => say!(
                "\nexpected to be withheld by all organisations, from public figures: about {} % of the figures",
                quoted.expected_withheld_percent
            ),
        }
    }
    for node in &quoted.unreachable {
        eprintln!("not reached: {node}");
    }
    for warning in warnings {
        eprintln!("note: {warning}");
    }
}

fn row(quote: &Quote, regional: bool) -> Vec<String> {
    let left = quote.left_nano_rho.iter().min().copied().unwrap_or(0);
    let tables = left.checked_div(quote.cost.nano_rho).map_or_else(String::new, |n| format!("such tables: about {n}"));
    let verdict = match (quote.refusal, quote.answered_before) {
        (Some(refusal), _) => format!("would refuse: {refusal}"),
        (None, true) => "answered before: free".to_owned(),
        (None, false) if regional => "would take part".to_owned(),
        (None, false) => "would answer".to_owned(),
    };
    let mut row = vec![quote.node.to_string(), verdict];
    if !regional {
        row.push(if quote.tau > 0 { quote.tau.to_string() } else { String::new() });
    }
    row.push(tables);
    row
}

/// What a regional table would be like if all organisations took part.
struct Expected {
    quorum: Quorum,
    noise: SumNoise,
}

impl Expected {
    /// None for a table per organisation, and for a roster too small for a sum.
    fn of(request: &TableRequest, roster: &Roster, quotes: &[Quote]) -> Option<Self> {
        let quorum = Quorum::of(roster).ok().filter(|_| request.release() == ReleaseKind::Regional)?;
        let floor = roster.floor();
        let k = quotes.iter().map(|q| q.k).fold(floor.k, u32::max);
        let noise = SumNoise::of(request, quorum, quorum.n(), Strictness { eta: floor.eta, j: floor.j, k })?;
        Some(Self { quorum, noise })
    }

    fn json(&self) -> Value {
        json!({
            "n": self.quorum.n(),
            "u_min": self.quorum.u_min(),
            "sd_present": self.noise.sd(),
            "threshold": self.noise.threshold,
        })
    }

    fn text(&self, quoted: &Quoted, request: &TableRequest) -> String {
        let mut lines = vec![
            format!(
                "A regional table: at least {} of the {} organisations have to take part to the end, or nothing\n\
                 is published. If all do, the noise on each figure has a standard deviation of about {:.1} ({:.1} was\n\
                 asked for, and is kept even if some organisations add none), and figures are shown from about\n\
                 {} on, as noisy sums over the region.",
                self.quorum.u_min(),
                self.quorum.n(),
                self.noise.sd(),
                request.variance().sd(),
                self.noise.threshold
            ),
            format!(
                "expected to be withheld, from public figures: about {} % of the figures",
                quoted.expected_withheld_percent
            ),
        ];
        if let Some(percent) = willing(quoted).filter_map(share_of_what_is_left).max() {
            lines.push(format!("cost: up to {percent} % of the allowance that an organisation has left for a quarter"));
        }
        lines.join("\n")
    }
}

fn willing(quoted: &Quoted) -> impl Iterator<Item = &Quote> {
    quoted.quotes.iter().filter(|q| q.refusal.is_none())
}

/// What a table takes of the allowance left at a node, in percent, rounded up.
fn share_of_what_is_left(quote: &Quote) -> Option<u64> {
    let left = quote.left_nano_rho.iter().min().copied().filter(|_| !quote.answered_before)?;
    quote.cost.nano_rho.checked_mul(100)?.checked_add(left.checked_sub(1)?)?.checked_div(left)
}

/// What the requester should know before spending, from public knowledge only.
fn warnings(quoted: &Quoted, request: &TableRequest, terms: Option<&Expected>) -> Vec<String> {
    let mut warnings = Vec::new();
    let mut warn = |text: &str| warnings.push(text.to_owned());
    if request.max_per_client().is_some_and(|b| b < 3) {
        let what = request.bounded();
        warn(&format!("many clients have more {what} than max_per_client counts: the figures will be too low"));
    }
    if let Some(most) = request.max_events().filter(|most| *most > 1) {
        warn(&format!("the noise on events is {most} times that on clients: with a lower max_events it is less"));
    }
    if request.release() == ReleaseKind::PerNode {
        if request.by().len() > 2 || request.by().iter().any(|d| d == "area") {
            warn("tables by municipality or by three dimensions have small cells: most may be withheld");
        }
        return warnings;
    }
    if quoted.lone_cells > 0 {
        let cells = request.domain().cells() * request.periods().len();
        warn(&format!(
            "{} of the {cells} figures can be filled by the clients of one organisation alone: there only the noise protects them",
            quoted.lone_cells
        ));
    }
    let Some(Expected { quorum, .. }) = terms else {
        warn("a regional table needs at least five organisations in the roster: ask for a table per organisation");
        return warnings;
    };
    let count = willing(quoted).count();
    // Where it has been answered, it is published already.
    if count < quorum.u_min() as usize && !willing(quoted).any(|q| q.answered_before) {
        let away = if quoted.unreachable.is_empty() { "" } else { "; see `koonti nodes list` for those away" };
        warn(&format!(
            "{count} of the {} organisations would take part now, and {} have to: nothing would be published{away}",
            quorum.n(),
            quorum.u_min()
        ));
    }
    warnings
}

#[cfg(test)]
mod tests {
    use super::*;
    use koonti_disclosure::cost::Cost;

    #[test]
    fn the_share_of_what_is_left_is_rounded_up() {
        let quote = |nano_rho, left: &[u64], answered_before| Quote {
            node: "kainuu".parse().unwrap(),
            k: 5,
            tau: 0,
            cost: Cost { nano_rho, atto_delta: 0 },
            left_nano_rho: left.to_vec(),
            refusal: None,
            answered_before,
        };
        assert_eq!(share_of_what_is_left(&quote(136_800_000, &[250_000_000], false)), Some(55));
        assert_eq!(share_of_what_is_left(&quote(50, &[100, 50], false)), Some(100));
        assert_eq!(share_of_what_is_left(&quote(50, &[100], true)), None);
        assert_eq!(share_of_what_is_left(&quote(50, &[0], false)), None);
    }
}
