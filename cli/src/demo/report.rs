//! What the demo shows at its end. The JSON is an interface.

use super::Asked;
use super::comparison::{ALLOWANCE_NANO_RHO, Comparison};
use super::region::Region;
use crate::error::Error;
use crate::render;
use koonti_disclosure::combine::{Published, State};
use koonti_disclosure::{Refusal, TableRequest};
use koonti_proto::wire::Table;
use serde_json::{Map, Value, json};

/// Everything that is shown.
pub(super) struct Story {
    dir: String,
    nodes: Vec<(String, Map<String, Value>)>,
    tables: Vec<(TableRequest, Published)>,
    comparison: Option<Comparison>,
    repeat: Value,
    identical: bool,
    refusal: Refusal,
    releases_of: String,
    releases: String,
}

impl Story {
    /// Asks the nodes what is left and what has left.
    pub(super) fn gather(region: &Region, asked: &Asked) -> Result<Self, Error> {
        let mut nodes = Vec::new();
        for name in region.names() {
            let allowances = region.allowances(name)?;
            let left = |a: &Value| Some((a["period"].as_str()?.to_owned(), a["left_nano_rho"].clone()));
            nodes.push((name.clone(), allowances.iter().filter_map(left).collect()));
        }
        let releases_of = region.names()[0].clone();
        let releases = region.ask_node(&releases_of, &["releases", "list"])?;
        let published = |table: &Table| {
            let none = || Error::Refused(crate::calls::reason(table));
            Ok::<_, Error>((table.request.clone(), render::published(table).ok_or_else(none)?))
        };
        let tables = asked.tables.iter().map(published).collect::<Result<Vec<_>, _>>()?;
        let comparison = match tables.as_slice() {
            [per_node, _, regional, ..] => Some(Comparison::of(region, per_node, regional)?),
            _ => None,
        };
        let (repeat, was_repeat) = &asked.repeat;
        let identical = *was_repeat && repeat.published == asked.tables[0].published;
        Ok(Self {
            dir: region.dir().display().to_string(),
            repeat: json!({"id": repeat.request.id().to_string(), "identical": identical, "cost_nano_rho": asked.repeat_cost_nano_rho}),
            identical,
            nodes,
            tables,
            comparison,
            refusal: asked.refusal,
            releases_of,
            releases,
        })
    }

    /// The interface.
    pub(super) fn json(&self) -> Value {
        json!({
            "dir": self.dir,
            "nodes": self.nodes.iter().map(|(name, left)| json!({"name": name, "budget_left_nano_rho": left})).collect::<Vec<_>>(),
            "tables": self.tables.iter().map(|(request, table)| render::json(table, request)).collect::<Vec<_>>(),
            "comparison": self.comparison.as_ref().map(Comparison::json),
            "repeat": self.repeat,
            "refusal": {"reason": self.refusal.code(), "text": self.refusal.text()},
        })
    }

    /// For people.
    pub(super) fn print(&self) {
        for (request, table) in &self.tables {
            say!();
            render::print(table, request, "en");
        }
        say!(
            "\nThe first question asked once more: {}.",
            if self.identical { "the same bytes, at no cost" } else { "OTHER BYTES" }
        );
        say!("A second score table in 2026Q2: refused ({}).", self.refusal.text());
        if let Some(comparison) = &self.comparison {
            comparison.print();
        }
        say!("\nAllowance left after these tables, in percent of a quarter's:");
        for (name, left) in &self.nodes {
            let share = |(period, left): (&String, &Value)| {
                let percent = left.as_u64().unwrap_or(0) * 100 / ALLOWANCE_NANO_RHO;
                (percent < 100).then(|| format!("{period} {percent} %"))
            };
            say!("  {name:24} {}", left.iter().filter_map(share).collect::<Vec<_>>().join(", "));
        }
        say!("\nWhat has left {} (`koonti-node releases list`):\n{}", self.releases_of, self.releases);
        let withheld = |t: &Published| t.cells.iter().filter(|c| c.state == State::Suppressed).count();
        let total: usize = self.tables.iter().map(|(_, t)| t.cells.len()).sum();
        let sum: usize = self.tables.iter().map(|(_, t)| withheld(t)).sum();
        say!("{sum} of {total} figures were withheld by every organisation. Synthetic registers only.");
    }
}
