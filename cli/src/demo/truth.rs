//! What the synthetic registers hold, counted from `people.csv`.
//!
//! Counts every combination of a client's needs, factors and service tasks: in the
//! synthetic registers each goes with all of the others. A table bounds them, so this
//! is its bounded truth only where the bound cuts nothing; nobody in the synthetic
//! registers has more than five needs, and the demo's tables count five. [`truth`]
//! refuses otherwise.

use crate::error::Error;
use koonti_disclosure::combine::Published;
use koonti_disclosure::domain::ANY;
use koonti_disclosure::{Name, TableRequest};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

/// Dimensions of which a client may have several, and their columns.
const SEVERAL: [(&str, &str); 3] =
    [("need", "needs"), ("contributing_factor", "factors"), ("service_task", "service_tasks")];

/// The true counts of a clients table's cells over the nodes that it counts.
pub(super) fn truth(people: &Path, request: &TableRequest, published: &Published) -> Result<Vec<i64>, Error> {
    let bad = |why: &dyn std::fmt::Display| Error::config(people, why);
    let mut reader = csv::Reader::from_path(people).map_err(|e| bad(&e))?;
    let columns = reader.headers().map_err(|e| bad(&e))?.clone();
    let at = |name: &str| columns.iter().position(|c| c == name).ok_or_else(|| bad(&format!("no column {name}")));
    let (node, period) = (at("node")?, at("period")?);
    let (mut by, mut several) = (Vec::new(), Vec::new());
    for dimension in request.by() {
        match SEVERAL.iter().find(|(id, _)| id == dimension) {
            Some((_, column)) => several.push((dimension.as_str(), at(column)?)),
            None => by.push((dimension.as_str(), at(dimension)?)),
        }
    }
    let counted: BTreeSet<&str> = published.nodes_counted.iter().map(Name::as_str).collect();
    let periods: BTreeSet<String> = request.periods().iter().map(ToString::to_string).collect();

    let mut counts: HashMap<&BTreeMap<String, String>, i64> = published.cells.iter().map(|c| (&c.codes, 0)).collect();
    let mut line = csv::StringRecord::new();
    while reader.read_record(&mut line).map_err(|e| bad(&e))? {
        if !counted.contains(&line[node]) || !periods.contains(&line[period]) {
            continue;
        }
        let mut tuples: Vec<Vec<&str>> = vec![Vec::new()];
        for (_, column) in &several {
            let with = |code| tuples.iter().map(move |tuple| [tuple.as_slice(), &[code]].concat());
            tuples = line[*column].split('|').flat_map(with).collect();
        }
        if request.max_per_client().is_some_and(|bound| usize::from(bound) < tuples.len()) {
            return Err(bad(&"somebody has more needs than the table counts"));
        }
        let mut codes: BTreeMap<String, String> =
            by.iter().map(|(dimension, at)| ((*dimension).to_owned(), line[*at].to_owned())).collect();
        codes.insert("period".to_owned(), line[period].to_owned());
        let mut count = |codes: &BTreeMap<String, String>| counts.get_mut(codes).map(|count| *count += 1);
        let any = (!several.is_empty()).then(|| vec![ANY; several.len()]);
        for tuple in tuples.into_iter().chain(any) {
            for ((dimension, _), code) in several.iter().zip(tuple) {
                codes.insert((*dimension).to_owned(), code.to_owned());
            }
            count(&codes);
        }
    }
    Ok(published.cells.iter().map(|c| counts[&c.codes]).collect())
}
