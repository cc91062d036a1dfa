//! A published table as people, spreadsheets and programs read it.
//!
//! JSON keys are an interface. Values are whole clients or events, or means in units
//! of the score; `low` and `high` bound the total (or mean) at 95 % or better.

mod footnotes;
mod people;
#[cfg(test)]
mod tests;

pub(crate) use people::print;

use crate::output::write_csv;
use koonti_disclosure::combine::{Cell, MEAN_SCALE, Published, RegionalTerms, State};
use koonti_disclosure::coverage::Coverage;
use koonti_disclosure::{Digest, TableRequest, Variance, canonical};
use koonti_proto::wire::Table;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The published table inside a table; none while it is open or refused.
pub(crate) fn published(table: &Table) -> Option<Published> {
    canonical::from_bytes(&table.published).ok()
}

/// The JSON of a published table.
pub(crate) fn json(published: &Published, request: &TableRequest) -> Value {
    let mut table = json!({
        "id": published.id.to_string(),
        "request": published.request,
        "release": request.release(),
        "sd": number(request.variance()),
        "cost_nano_rho": published.cost.nano_rho,
        "cost_atto_delta": published.cost.atto_delta,
        "nodes_counted": published.nodes_counted.len(),
        "nodes_missing": published.nodes_missing.iter().map(|m| m.node.as_str()).collect::<Vec<_>>(),
        "missing": published.nodes_missing,
        "per_node": published.per_node,
        "sha256": sha256(published).to_string(),
        "cells": published.cells.iter().map(|c| cell(c, published.scale)).collect::<Vec<_>>(),
    });
    if !published.coverage.is_empty() {
        table["coverage"] = json!(published.coverage);
    }
    if let Some(terms) = &published.regional {
        table["sd_present"] = json!(sd_present(terms));
        if let (Value::Object(table), Ok(Value::Object(terms))) = (&mut table, serde_json::to_value(terms)) {
            table.extend(terms);
        }
    }
    table
}

/// The standard deviation of the noise that a regional sum really carries.
fn sd_present(terms: &RegionalTerms) -> f64 {
    let (num, den) = terms.variance_present;
    (num as f64 / den as f64).sqrt()
}

/// The SHA-256 of the published bytes.
fn sha256(published: &Published) -> Digest {
    Digest::of(&canonical::to_bytes(published).expect("read from canonical bytes"))
}

/// The standard deviation, as an integer where it is one.
fn number(variance: Variance) -> Value {
    let sd = variance.sd();
    if sd.fract() == 0.0 { json!(sd.round() as i64) } else { json!(sd) }
}

fn cell(cell: &Cell, scale: i64) -> Value {
    let scaled = |x: Option<i64>| match (x, scale) {
        (None, _) => Value::Null,
        (Some(x), 1) => json!(x),
        (Some(x), scale) => json!(x as f64 / scale as f64),
    };
    let mut value = json!({
        "codes": cell.codes,
        "state": cell.state,
        "value": scaled(cell.value),
        "low": scaled(cell.low),
        "high": scaled(cell.high),
        "nodes_suppressed": cell.nodes_suppressed,
        "near_threshold": cell.near_threshold,
    });
    if let Some(clients) = cell.clients {
        value["clients"] = json!(clients);
    }
    if let Some(sum) = cell.sum {
        value["sum"] = json!(sum);
    }
    if let Some(ratio) = cell.per_client {
        let [ratio, low, high] = ratio.map(|thousandths| thousandths as f64 / MEAN_SCALE as f64);
        value["per_client"] = json!({"value": ratio, "low": low, "high": high});
    }
    if let Some(share) = cell.share {
        let [share, low, high] = share.map(|hundredths| hundredths as f64 / HUNDREDTHS);
        value["share"] = json!({"value": share, "low": low, "high": high});
    }
    value
}

/// Shares of clients are printed in percent, with two decimals.
const HUNDREDTHS: f64 = 100.0;

/// A figure in its own unit.
fn text(value: i64, scale: i64) -> String {
    if scale == 1 { value.to_string() } else { format!("{:.2}", value as f64 / scale as f64) }
}

fn percent(hundredths: i64) -> String {
    format!("{:.2}", hundredths as f64 / HUNDREDTHS)
}

/// What was stated of a period's registers, as one field: `all: savo; pilot: kainuu`.
fn coverage(published: &Published, period: &str) -> String {
    let of = published.coverage.iter().filter(|covered| covered.periods.iter().any(|p| p.to_string() == period));
    let mut nodes: BTreeMap<Coverage, Vec<&str>> = BTreeMap::new();
    of.for_each(|covered| nodes.entry(covered.coverage).or_default().push(covered.node.as_str()));
    let text = |(coverage, nodes): (Coverage, Vec<&str>)| format!("{}: {}", coverage.word(), nodes.join(" "));
    nodes.into_iter().map(text).collect::<Vec<_>>().join("; ")
}

/// Writes the cells as CSV.
pub(crate) fn csv(out: impl std::io::Write, published: &Published, request: &TableRequest) -> std::io::Result<()> {
    let mut header = vec!["period".to_owned()];
    header.extend(request.by().iter().cloned());
    let codes = header.clone();
    header.extend(["state", "value", "low", "high", "nodes_suppressed", "near_threshold"].map(str::to_owned));
    let regional = published.regional.is_some();
    if regional {
        header.extend(["share", "share_low", "share_high"].map(str::to_owned));
    }
    let events = request.max_events().is_some();
    if events {
        header.extend(["clients", "per_client", "per_client_low", "per_client_high"].map(str::to_owned));
    }
    let covers = !published.coverage.is_empty();
    if covers {
        header.push("coverage".to_owned());
    }
    let rows: Vec<Vec<String>> = published
        .cells
        .iter()
        .map(|c| {
            let mut row: Vec<String> = codes.iter().map(|d| c.codes.get(d).cloned().unwrap_or_default()).collect();
            let figure = |x: Option<i64>| x.map(|x| text(x, published.scale)).unwrap_or_default();
            row.push(if c.state == State::Published { "published" } else { "suppressed" }.to_owned());
            row.extend([figure(c.value), figure(c.low), figure(c.high)]);
            row.extend([c.nodes_suppressed.to_string(), c.near_threshold.to_string()]);
            if regional {
                row.extend(c.share.map_or_else(Default::default, |share| share.map(percent)));
            }
            if events {
                row.push(c.clients.map(|clients| clients.to_string()).unwrap_or_default());
                row.extend(c.per_client.map_or_else(Default::default, |ratio| ratio.map(|x| text(x, MEAN_SCALE))));
            }
            if covers {
                row.push(coverage(published, &c.codes["period"]));
            }
            row
        })
        .collect();
    write_csv(out, &header, &rows)
}
