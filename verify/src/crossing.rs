//! R06 and R07: what one log records of another, and what the auditor saw earlier.

use crate::Pins;
use crate::log::Whose;
use crate::report::{Rule, Sheet};
use crate::world::World;
use koonti_disclosure::Digest;
use koonti_evidence::entry::coordinator;
use koonti_evidence::entry::node::{Entry, Own};
use std::collections::{BTreeMap, HashSet};

/// Sizes and roots said of one log, each once.
type Said = BTreeMap<Whose, BTreeMap<u64, HashSet<Digest>>>;

/// Checks both rules.
pub(crate) fn check(world: &World<'_>, pins: &Pins, sheet: &mut Sheet) {
    let mut said = Said::new();
    let mut hear = |whose: &Whose, size: u64, root: Digest, who: &dyn Fn() -> String, sheet: &mut Sheet| {
        said.entry(whose.clone()).or_default().entry(size).or_default().insert(root);
        let holds = match whose {
            Whose::Coordinator => match world.any_coordinator() {
                Some(log) if log.rooted => log.begins_with(size, root),
                _ => return,
            },
            Whose::Node(node) => match (world.nodes.get(node), world.any_coordinator()) {
                (Some(log), _) if log.rooted => log.begins_with(size, root),
                (Some(_), _) | (None, None) => return,
                (None, Some(_)) => false,
            },
        };
        sheet.check(Rule::R06, holds, || format!("{}: {whose} has no such beginning of {size} entries", who()));
    };
    for (origin, (size, root)) in pins {
        if let Some(whose) = whose(world, origin) {
            hear(&whose, *size, *root, &|| "a pin".to_owned(), sheet);
        }
    }
    if let Some(log) = world.coordinator() {
        for (index, entry) in log.iter() {
            let place = || log.place(index);
            match entry {
                coordinator::Entry::Asked(asked) => record(world, asked.heads, &mut hear, &place, sheet),
                coordinator::Entry::Reopened { heads, .. } => record(world, *heads, &mut hear, &place, sheet),
                coordinator::Entry::Released { head, node, .. } => {
                    hear(&Whose::Node(node.clone()), head.size, head.root, &place, sheet);
                }
                _ => {}
            }
        }
    }
    for (_, log) in world.sound_nodes() {
        for (index, entry) in log.iter() {
            if let Entry::Own(Own::Question(question)) = entry {
                let place = || log.place(index);
                hear(&Whose::Coordinator, question.asked.size, question.asked.root, &place, sheet);
            }
        }
    }
    let mut own = |whose: &Whose, size: u64, root: Digest| {
        said.entry(whose.clone()).or_default().entry(size).or_default().insert(root);
    };
    if let Some(log) = world.any_coordinator().filter(|log| log.rooted) {
        own(&log.whose, log.size(), log.tree.root());
    }
    let nodes = world.nodes.values().filter(|log| log.rooted);
    nodes.for_each(|log| own(&log.whose, log.size(), log.tree.root()));
    for (whose, sizes) in &said {
        for (size, roots) in sizes {
            sheet.check(Rule::R07, roots.len() == 1, || format!("{whose}: two histories of {size} entries"));
        }
    }
}

type Hear<'h> = dyn FnMut(&Whose, u64, Digest, &dyn Fn() -> String, &mut Sheet) + 'h;

fn record(world: &World<'_>, heads: Digest, hear: &mut Hear<'_>, place: &dyn Fn() -> String, sheet: &mut Sheet) {
    let Some(heads) = world.blobs.heads(heads) else {
        sheet.check(Rule::R06, false, || format!("{}: the heads it names are missing", place()));
        return;
    };
    for (node, (size, root)) in &heads.0 {
        hear(&Whose::Node(node.clone()), *size, *root, place, sheet);
    }
}

/// Whose log of this region an origin is.
fn whose(world: &World<'_>, origin: &str) -> Option<Whose> {
    if origin == Whose::Coordinator.origin(world.region) {
        return Some(Whose::Coordinator);
    }
    let (_, name) = origin.rsplit_once('/')?;
    let whose = Whose::Node(name.parse().ok()?);
    (whose.origin(world.region) == origin).then_some(whose)
}
