//! What one must know to read a table, in plain words.
//!
//! Promises: no formula, no letter of one. The exact terms stand in JSON and in
//! `docs/privacy.md`.

use super::sd_present;
use koonti_disclosure::combine::{Published, RegionalTerms, State};
use koonti_disclosure::coverage::{Coverage, Covered};
use koonti_disclosure::{Name, TableRequest};
use std::collections::BTreeMap;

/// The lines below a table.
pub(super) fn footnotes(published: &Published, request: &TableRequest) -> String {
    let mut lines = match &published.regional {
        None => per_node(published),
        Some(terms) => regional(published, terms, request),
    };
    lines.extend(coverage(published, request));
    if let Some(bound) = request.max_per_client() {
        let what = request.bounded();
        lines.push(format!(
            "At most {bound} {what} per client counted; figures over {what} do not add up to the clients."
        ));
    }
    if let Some(most) = request.max_events() {
        lines.push(format!(
            "At most {most} events per client and figure counted; clients are those with an event. The noise on events is\n\
             {most} times that on clients. Events per client are left out where clients are too few for their noise."
        ));
    }
    lines.push("Counts are of client relationships: a person known to two organisations counts twice.".to_owned());
    lines.push(match &published.regional {
        None => "In brackets: the 95 % interval of the total over all counted organisations, withheld ones\n\
                 included (for means: of the mean over those that show the figure); noise is added on purpose.\n\
                 ~ marks figures close to where figures are withheld: they tend to be a little high."
            .to_owned(),
        Some(_) => "In brackets: the 95 % interval of the total (for means: of the mean) over the organisations\n\
                    counted, and no others; noise is added on purpose.\n\
                    ~ marks figures close to where figures are withheld: they tend to be a little high."
            .to_owned(),
    });
    if published.cells.iter().any(|c| c.share.is_some()) {
        lines.push("Shares are of the distinct clients (\"any\"); CSV and JSON have them, with intervals.".to_owned());
    }
    lines.push("* marks wording that nobody has verified against an official source.".to_owned());
    lines.join("\n")
}

fn per_node(published: &Published) -> Vec<String> {
    let (withheld, total) = withheld(published);
    let mut lines = vec![format!(
        "Organisations counted: {}; {withheld} of {total} figures withheld by all of them ({} %).",
        published.nodes_counted.len(),
        100 * withheld / total.max(1)
    )];
    for missing in &published.nodes_missing {
        lines.push(format!("Missing: {}, {}.", missing.node, missing.reason.text()));
    }
    lines
}

fn regional(published: &Published, terms: &RegionalTerms, request: &TableRequest) -> Vec<String> {
    let (withheld, total) = withheld(published);
    let mut lines = vec![format!(
        "Regional table: the organisations' figures were added up under masks, and only the noisy sums were\n\
         ever seen, withheld ones by whoever runs the coordinator.\n\
         Organisations counted: {} of {}; {withheld} of {total} figures withheld ({} %).",
        published.nodes_counted.len(),
        terms.n,
        100 * withheld / total.max(1)
    )];
    for missing in &published.nodes_missing {
        lines.push(format!("Missing: {}, {}. Its clients are in no figure.", missing.node, missing.reason.text()));
    }
    lines.push(format!(
        "Figures are shown from {} on: the noisy regional sum, not a count of persons. In at most {} in {} such\n\
         tables a figure of fewer than {} persons is shown, if nobody is known to more than {}.",
        terms.threshold,
        terms.eta.0,
        terms.eta.1,
        terms.k,
        organisations(terms.j)
    ));
    lines.push(format!(
        "The noise on each count has a standard deviation of {:.1}; {:.1} was asked for, and every organisation\n\
         adds a share large enough that it is kept even if some add none.",
        sd_present(terms),
        request.variance().sd()
    ));
    lines
}

/// What the organisations state of their registers; nothing when none states anything.
fn coverage(published: &Published, request: &TableRequest) -> Option<String> {
    let mut parts: BTreeMap<Coverage, Vec<String>> = BTreeMap::new();
    for Covered { coverage, node, periods } in &published.coverage {
        let shown = match periods.len() == request.periods().len() {
            true => node.to_string(),
            false => format!("{node} ({})", periods.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")),
        };
        parts.entry(*coverage).or_default().push(shown);
    }
    let silent = |node: &&Name| !published.coverage.iter().any(|covered| covered.node == **node);
    let silent: Vec<String> = published.nodes_counted.iter().filter(silent).map(ToString::to_string).collect();
    let mut parts: Vec<String> =
        parts.into_iter().map(|(coverage, nodes)| format!("{}: {}", coverage.text(), nodes.join(", "))).collect();
    if parts.is_empty() {
        return None;
    }
    if !silent.is_empty() {
        parts.push(format!("not stated: {}", silent.join(", ")));
    }
    Some(format!("The organisations' registers, as they state themselves: {}.", parts.join("; ")))
}

fn organisations(n: u32) -> String {
    if n == 1 { "one organisation".to_owned() } else { format!("{n} organisations") }
}

/// How many figures are withheld, and how many there are.
fn withheld(published: &Published) -> (usize, usize) {
    (published.cells.iter().filter(|c| c.state == State::Suppressed).count(), published.cells.len())
}
