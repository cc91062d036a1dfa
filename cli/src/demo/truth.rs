//! What the synthetic registers hold, counted from `people.csv`.
//!
//! Counts every need of a client. A table bounds them, so this is its bounded truth
//! only where the bound cuts nothing; nobody in the synthetic registers has more
//! than five needs, and the demo's tables count five. [`truth`] refuses otherwise.

use crate::error::Error;
use koonti_disclosure::combine::Published;
use koonti_disclosure::domain::ANY;
use koonti_disclosure::{Name, TableRequest};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

/// A line of `people.csv`.
type Line = HashMap<String, String>;

/// The true counts of a clients table's cells over the nodes that it counts.
pub(super) fn truth(people: &Path, request: &TableRequest, published: &Published) -> Result<Vec<i64>, Error> {
    let mut counts: HashMap<&BTreeMap<String, String>, i64> = published.cells.iter().map(|c| (&c.codes, 0)).collect();
    let counted: BTreeSet<&str> = published.nodes_counted.iter().map(Name::as_str).collect();
    let bad = |why: &dyn std::fmt::Display| Error::config(people, why);
    let mut reader = csv::Reader::from_path(people).map_err(|e| bad(&e))?;
    for line in reader.deserialize() {
        let line: Line = line.map_err(|e| bad(&e))?;
        if !counted.contains(line["node"].as_str()) {
            continue;
        }
        for codes in cells(request, &line).ok_or_else(|| bad(&"somebody has more needs than the table counts"))? {
            if let Some(count) = counts.get_mut(&codes) {
                *count += 1;
            }
        }
    }
    Ok(published.cells.iter().map(|c| counts[&c.codes]).collect())
}

/// The cells that a client is counted in; none when the bound would cut.
fn cells(request: &TableRequest, line: &Line) -> Option<Vec<BTreeMap<String, String>>> {
    let mut codes = BTreeMap::from([("period".to_owned(), line["period"].clone())]);
    for dimension in request.by().iter().filter(|d| *d != "need") {
        codes.insert(dimension.clone(), line[dimension].clone());
    }
    if !request.by().iter().any(|d| d == "need") {
        return Some(vec![codes]);
    }
    let needs: Vec<&str> = line["needs"].split('|').collect();
    if request.max_per_client().is_some_and(|bound| usize::from(bound) < needs.len()) {
        return None;
    }
    let with = |need: &str| {
        let mut codes = codes.clone();
        codes.insert("need".to_owned(), need.to_owned());
        codes
    };
    Some(needs.into_iter().chain([ANY]).map(with).collect())
}
