//! What the demo shows at its end. The JSON is an interface.

use super::Asked;
use super::audit::Audit;
use super::comparison::{ALLOWANCE_NANO_RHO, Comparison};
use super::region::Region;
use crate::error::Error;
use crate::render;
use koonti_disclosure::combine::{Published, State};
use koonti_disclosure::{Refusal, TableRequest};
use koonti_proto::wire::Table;
use serde_json::{Map, Value, json};

/// A question and what came of it.
pub(super) type Shown = (TableRequest, Published);

/// The regional tables.
struct Regional {
    whole: Shown,
    without: Shown,
    victim: String,
    comparison: Comparison,
}

/// Everything that is shown.
pub(super) struct Story {
    dir: String,
    nodes: Vec<(String, Map<String, Value>)>,
    tables: Vec<Shown>,
    regional: Option<Regional>,
    audit: Audit,
    repeat: Value,
    identical: bool,
    refusal: Refusal,
    releases_of: String,
    releases: String,
}

impl Story {
    /// Asks the nodes what is left and what has left.
    pub(super) fn gather(region: &Region, asked: Asked) -> Result<Self, Error> {
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
        let regional = |asked: &super::regional::Asked| {
            let (whole, without) = (published(&asked.whole)?, published(&asked.without)?);
            let comparison = Comparison::of(region, &tables[0], &whole)?;
            Ok::<_, Error>(Regional { whole, without, victim: asked.victim.clone(), comparison })
        };
        let regional = asked.regional.as_ref().map(regional).transpose()?;
        let (repeat, was_repeat) = &asked.repeat;
        let identical = *was_repeat && repeat.published == asked.tables[0].published;
        Ok(Self {
            dir: region.dir().display().to_string(),
            repeat: json!({"id": repeat.request.id().to_string(), "identical": identical, "cost_nano_rho": asked.repeat_cost_nano_rho}),
            identical,
            nodes,
            tables,
            regional,
            audit: asked.audit,
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
            "tables": self.all_tables().map(|(request, table)| render::json(table, request)).collect::<Vec<_>>(),
            "comparison": self.regional.as_ref().map(|regional| regional.comparison.json()),
            "evidence": self.audit.json(),
            "tampered": self.audit.tampered(),
            "repeat": self.repeat,
            "refusal": {"reason": self.refusal.code(), "text": self.refusal.text()},
        })
    }

    fn all_tables(&self) -> impl Iterator<Item = &Shown> {
        let regional = self.regional.iter().flat_map(|regional| [&regional.whole, &regional.without]);
        self.tables.iter().chain(regional)
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
        if let Some(regional) = &self.regional {
            regional.print();
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
        self.audit.print();
        let total: usize = self.all_tables().map(|(_, t)| t.cells.len()).sum();
        let sum: usize = self.all_tables().map(|(_, t)| withheld(t)).sum();
        say!("{sum} of {total} figures were withheld. Synthetic registers only.");
    }
}

fn withheld(table: &Published) -> usize {
    table.cells.iter().filter(|c| c.state == State::Suppressed).count()
}

impl Regional {
    fn print(&self) {
        say!();
        render::print(&self.whole.1, &self.whole.0, "en");
        self.comparison.print();
        let (request, table) = &self.without;
        let period = request.periods().iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        let end = match table.nodes_missing.iter().any(|missing| missing.node.as_str() == self.victim) {
            true => "the others opened the\nsum without it, and its allowance is spent all the same",
            false => "its masked\nfigures had left already, so that it is counted",
        };
        say!(
            "\nThe same regional table of {period}, with {} killed while the sum was made: {end}.\n\
             Organisations counted: {}; {} of {} figures withheld.",
            self.victim,
            table.nodes_counted.len(),
            withheld(table),
            table.cells.len()
        );
        for missing in &table.nodes_missing {
            say!("Missing: {}, {}.", missing.node, missing.reason.text());
        }
    }
}
