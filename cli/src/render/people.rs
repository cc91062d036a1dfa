//! A published table as people read it: rows, columns, and below them what one
//! must know.
//!
//! Figures are clamped at zero here and nowhere else.

use super::footnotes::footnotes;
use super::{percent, text};
use crate::output::print_table;
use koonti_disclosure::combine::{Cell, MEAN_SCALE, Published};
use koonti_disclosure::{Codebook, TableRequest};

/// Prints the table for people, with what one must know to read it.
pub(crate) fn print(published: &Published, request: &TableRequest, lang: &str) {
    let by = request.by();
    let any = if request.max_events().is_some() { "any (distinct events)" } else { "any (distinct clients)" };
    for period in request.periods() {
        let cells: Vec<&Cell> = published.cells.iter().filter(|c| c.codes["period"] == period.to_string()).collect();
        say!("{}", title(request, &period.to_string(), lang));
        match by {
            [first, second] => pivot(published.scale, &cells, [first, second], any, lang),
            _ => flat(published, &cells, by, any, lang),
        }
        say!();
    }
    say!("{}", footnotes(published, request));
}

fn title(request: &TableRequest, period: &str, lang: &str) -> String {
    let book = Codebook::built_in();
    let what = request.score().and_then(|s| book.score(s)).map_or_else(
        || match request.max_events() {
            None => ["Client relationships", "Asiakassuhteet", "Klientrelationer *"][language(lang)].to_owned(),
            Some(_) => ["Events", "Tapahtumat", "Händelser *"][language(lang)].to_owned(),
        },
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

/// A category by its code and name; `any` is what all of them together are called.
fn code_label(dimension: &str, code: &str, any: &str, lang: &str) -> String {
    if code == koonti_disclosure::domain::ANY {
        return any.to_owned();
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
fn pivot(scale: i64, cells: &[&Cell], [first, second]: [&str; 2], any: &str, lang: &str) {
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
            let mut line = vec![code_label(down.0, row, any, lang)];
            line.extend(across.1.iter().map(|column| {
                let found = cells.iter().find(|c| c.codes[down.0] == *row && c.codes[across.0] == *column);
                found.map_or_else(String::new, |c| figure(c, scale))
            }));
            line
        })
        .collect();
    print_table(&header, &rows);
}

fn flat(published: &Published, cells: &[&Cell], by: &[String], any: &str, lang: &str) {
    let (scale, regional) = (published.scale, published.regional.is_some());
    let shares = cells.iter().any(|c| c.share.is_some());
    let clients = cells.iter().any(|c| c.clients.is_some() && c.sum.is_none());
    let mut header: Vec<String> = by.iter().map(|d| label(d, lang)).collect();
    header.extend(["figure ".to_owned(), "95 % interval ".to_owned()]);
    if !regional {
        header.push("organisations withholding ".to_owned());
    } else if shares {
        header.extend(["share, % ".to_owned(), "95 % interval ".to_owned()]);
    }
    if clients {
        header.extend(["clients ", "events per client ", "95 % interval "].map(str::to_owned));
    }
    let rows: Vec<Vec<String>> = cells
        .iter()
        .map(|c| {
            let mut row: Vec<String> = by.iter().map(|d| code_label(d, &c.codes[d], any, lang)).collect();
            let value = c.value.map_or_else(|| "withheld".to_owned(), |v| text(v, scale));
            row.extend([value, interval(c, scale).unwrap_or_default()]);
            if !regional {
                row.push(c.nodes_suppressed.to_string());
            } else if shares {
                let share = |[share, low, high]: [i64; 3]| [percent(share), interval_of(low, high)];
                row.extend(c.share.map_or_else(Default::default, share));
            }
            if clients {
                row.push(c.clients.map(|clients| clients.max(0).to_string()).unwrap_or_default());
                let ratio = |[ratio, low, high]: [i64; 3]| {
                    [
                        text(ratio.max(0), MEAN_SCALE),
                        format!("{}-{}", text(low.max(0), MEAN_SCALE), text(high, MEAN_SCALE)),
                    ]
                };
                row.extend(c.per_client.map_or_else(Default::default, ratio));
            }
            row
        })
        .collect();
    print_table(&header, &rows);
}

/// The interval of a share, clamped as people read it: no share is below nothing
/// or above everybody.
fn interval_of(low: i64, high: i64) -> String {
    let within = |x: i64| percent(x.clamp(0, koonti_disclosure::regional::SHARE_SCALE));
    format!("{}-{}", within(low), within(high))
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
