//! A published table as people, spreadsheets and programs read it.
//!
//! JSON keys are an interface. Values are whole clients, or means in units of
//! the score; `low` and `high` bound the total (or mean) at 95 % or better.

use crate::output::{print_table, write_csv};
use koonti_disclosure::combine::{Cell, Published, State};
use koonti_disclosure::{Codebook, Digest, TableRequest, Variance, canonical};
use koonti_proto::wire::Table;
use serde_json::{Value, json};

/// The published table inside a table; none while it is open or refused.
pub(crate) fn published(table: &Table) -> Option<Published> {
    canonical::from_bytes(&table.published).ok()
}

/// The JSON of a published table.
pub(crate) fn json(published: &Published, request: &TableRequest) -> Value {
    json!({
        "id": published.id.to_string(),
        "request": published.request,
        "release": "per_node",
        "sd": number(request.variance()),
        "cost_nano_rho": published.cost.nano_rho,
        "cost_atto_delta": published.cost.atto_delta,
        "nodes_counted": published.nodes_counted.len(),
        "nodes_missing": published.nodes_missing.iter().map(|m| m.node.as_str()).collect::<Vec<_>>(),
        "missing": published.nodes_missing,
        "per_node": published.per_node,
        "sha256": sha256(published).to_string(),
        "cells": published.cells.iter().map(|c| cell(c, published.scale)).collect::<Vec<_>>(),
    })
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
    if let (Some(sum), Some(clients)) = (cell.sum, cell.clients) {
        value["sum"] = json!(sum);
        value["clients"] = json!(clients);
    }
    value
}

/// Writes the cells as CSV.
pub(crate) fn csv(out: impl std::io::Write, published: &Published, request: &TableRequest) -> std::io::Result<()> {
    let mut header = vec!["period".to_owned()];
    header.extend(request.by().iter().cloned());
    let codes = header.clone();
    header.extend(["state", "value", "low", "high", "nodes_suppressed", "near_threshold"].map(str::to_owned));
    let rows: Vec<Vec<String>> = published
        .cells
        .iter()
        .map(|c| {
            let mut row: Vec<String> = codes.iter().map(|d| c.codes.get(d).cloned().unwrap_or_default()).collect();
            let figure = |x: Option<i64>| x.map(|x| text(x, published.scale)).unwrap_or_default();
            row.push(if c.state == State::Published { "published" } else { "suppressed" }.to_owned());
            row.extend([figure(c.value), figure(c.low), figure(c.high)]);
            row.extend([c.nodes_suppressed.to_string(), c.near_threshold.to_string()]);
            row
        })
        .collect();
    write_csv(out, &header, &rows)
}

/// Prints the table for people, with what one must know to read it.
pub(crate) fn print(published: &Published, request: &TableRequest, lang: &str) {
    let by = request.by();
    for period in request.periods() {
        let cells: Vec<&Cell> = published.cells.iter().filter(|c| c.codes["period"] == period.to_string()).collect();
        say!("{}", title(request, &period.to_string(), lang));
        match by {
            [first, second] => pivot(published.scale, &cells, first, second, lang),
            _ => flat(published.scale, &cells, by, lang),
        }
        say!();
    }
    say!("{}", footnotes(published, request));
}

fn title(request: &TableRequest, period: &str, lang: &str) -> String {
    let book = Codebook::built_in();
    let what = request.score().and_then(|s| book.score(s)).map_or_else(
        || ["Client relationships", "Asiakassuhteet", "Klientrelationer *"][language(lang)].to_owned(),
        |score| {
            format!(
                "{} {} ({}-{})",
                ["Mean of", "Keskiarvo:", "Medelvärde:"][language(lang)],
                score.label.marked(lang),
                score.lo,
                score.hi
            )
        },
    );
    let by: Vec<String> = request.by().iter().map(|d| label(d, lang).to_lowercase()).collect();
    match by.join(", ") {
        by if by.is_empty() => format!("{what}, {period}"),
        by => format!("{what} / {by}, {period}"),
    }
}

/// The place of a language in lists of wordings: English, Finnish, Swedish.
fn language(lang: &str) -> usize {
    match lang {
        "fi" => 1,
        "sv" => 2,
        _ => 0,
    }
}

fn label(dimension: &str, lang: &str) -> String {
    Codebook::built_in().dimension(dimension).map_or_else(|| dimension.to_owned(), |d| d.label.marked(lang))
}

fn code_label(dimension: &str, code: &str, lang: &str) -> String {
    if code == koonti_disclosure::domain::ANY {
        return "any (distinct clients)".to_owned();
    }
    let found =
        Codebook::built_in().dimension(dimension).and_then(|d| Some(&d.codes()[usize::from(d.position(code)?)]));
    match found {
        // Age groups say themselves what they are.
        Some(found) if found.ages.is_none() => {
            let text: String = found.label.marked(lang).chars().take(40).collect();
            format!("{code} {text}")
        }
        _ => code.to_owned(),
    }
}

/// Rows of one dimension against columns of the other, the shorter one across.
fn pivot(scale: i64, cells: &[&Cell], first: &str, second: &str, lang: &str) {
    let distinct = |d: &str| {
        let mut codes: Vec<String> = Vec::new();
        for cell in cells {
            if !codes.contains(&cell.codes[d]) {
                codes.push(cell.codes[d].clone());
            }
        }
        codes
    };
    let (mut down, mut across) = ((first, distinct(first)), (second, distinct(second)));
    if down.1.len() < across.1.len() {
        (down, across) = (across, down);
    }
    let mut header = vec![label(down.0, lang)];
    header.extend(across.1.iter().map(|c| if c == "ANY" { "any ".to_owned() } else { format!("{c} ") }));
    let rows: Vec<Vec<String>> = down
        .1
        .iter()
        .map(|row| {
            let mut line = vec![code_label(down.0, row, lang)];
            line.extend(across.1.iter().map(|column| {
                let found = cells.iter().find(|c| c.codes[down.0] == *row && c.codes[across.0] == *column);
                found.map_or_else(String::new, |c| figure(c, scale))
            }));
            line
        })
        .collect();
    print_table(&header, &rows);
}

fn flat(scale: i64, cells: &[&Cell], by: &[String], lang: &str) {
    let mut header: Vec<String> = by.iter().map(|d| label(d, lang)).collect();
    header.extend(["figure ".to_owned(), "95 % interval ".to_owned(), "organisations withholding ".to_owned()]);
    let rows: Vec<Vec<String>> = cells
        .iter()
        .map(|c| {
            let mut row: Vec<String> = by.iter().map(|d| code_label(d, &c.codes[d], lang)).collect();
            let value = c.value.map_or_else(|| "withheld".to_owned(), |v| text(v, scale));
            row.extend([value, interval(c, scale).unwrap_or_default(), c.nodes_suppressed.to_string()]);
            row
        })
        .collect();
    print_table(&header, &rows);
}

fn figure(cell: &Cell, scale: i64) -> String {
    match (cell.value, interval(cell, scale)) {
        (Some(value), Some(interval)) => {
            let mark = if cell.near_threshold { "~" } else { "" };
            format!("{}{mark} ({interval})", text(value, scale))
        }
        _ => "withheld".to_owned(),
    }
}

/// Clamped at zero for people: a count is none below it.
fn interval(cell: &Cell, scale: i64) -> Option<String> {
    Some(format!("{}-{}", text(cell.low?.max(0), scale), text(cell.high?, scale)))
}

fn text(value: i64, scale: i64) -> String {
    if scale == 1 { value.to_string() } else { format!("{:.2}", value as f64 / scale as f64) }
}

/// What one must know to read the table.
pub(crate) fn footnotes(published: &Published, request: &TableRequest) -> String {
    let mut lines = Vec::new();
    let total = published.cells.len();
    let withheld = published.cells.iter().filter(|c| c.state == State::Suppressed).count();
    lines.push(format!(
        "Organisations counted: {}; {withheld} of {total} figures withheld by all of them ({} %).",
        published.nodes_counted.len(),
        100 * withheld / total.max(1)
    ));
    for missing in &published.nodes_missing {
        lines.push(format!("Missing: {}, {}.", missing.node, missing.reason.text()));
    }
    if let Some(bound) = request.max_per_client() {
        lines.push(format!(
            "At most {bound} needs per client counted; figures over needs do not add up to the clients."
        ));
    }
    lines.push(
        "Counts are of client relationships: a person known to two organisations counts twice.\n\
         In brackets: the 95 % interval of the total over all counted organisations, withheld ones\n\
         included (for means: of the mean over those that show the figure); noise is added on purpose.\n\
         ~ marks figures close to where figures are withheld: they tend to be a little high.\n\
         * marks wording that nobody has verified against an official source."
            .to_owned(),
    );
    lines.join("\n")
}
