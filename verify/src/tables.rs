//! R22, and R16 and R17 of published tables: the coordinator's log, folded table by
//! table. Rounds are looked at on the way.

use crate::report::{Rule, Sheet};
use crate::walk::Walked;
use crate::world::World;
use crate::{coverage, opened, releases, rounds, share};
use koonti_disclosure::combine::{Cell, Missing, Published, State, combine};
use koonti_disclosure::release::Received;
use koonti_disclosure::request::{Measure, ReleaseKind};
use koonti_disclosure::round::Strictness;
use koonti_disclosure::{Digest, Name, Refusal, TableRequest, canonical};
use koonti_evidence::entry::coordinator::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// How a node stands with a table, as the coordinator's log has it.
#[derive(Clone, Copy)]
pub(crate) enum Standing {
    Open,
    Ready(Strictness),
    Released(Digest),
    Counted,
    Refused(Refusal),
}

/// A table as it stands.
#[derive(Clone)]
pub(crate) struct Table {
    pub(crate) request: TableRequest,
    pub(crate) nodes: BTreeMap<Name, Standing>,
    /// Rounds begun, and whether each has failed with masked inputs about.
    pub(crate) rounds: Vec<(Digest, Option<bool>)>,
}

impl Table {
    fn is_regional(&self) -> bool {
        self.request.release() == ReleaseKind::Regional
    }
}

/// All tables by id.
pub(crate) type Tables = HashMap<Digest, Table>;

/// Checks what the coordinator's log says of tables.
pub(crate) fn check(world: &World<'_>, walked: &Walked, sheet: &mut Sheet) {
    let Some(log) = world.coordinator() else { return };
    releases::check_recorded(world, log, walked, sheet);
    let mut tables = Tables::new();
    let (mut opened_rounds, mut published) = (BTreeSet::new(), Vec::new());
    for (index, entry) in log.iter() {
        let place = || log.place(index);
        match entry {
            Entry::RoundBegan { certificate, id, .. } => {
                rounds::check(world, &tables, (*id, entry, certificate.as_deref()), &place, sheet);
            }
            Entry::Closed { counted, id, published: Some(hash), .. } => {
                let table = tables.get(id).cloned();
                if let Some(table) = table.as_ref().filter(|table| table.is_regional()) {
                    if let Some((round, _)) = table.rounds.last() {
                        opened_rounds.insert(*round);
                    }
                    opened::check(world, walked, table, (counted, *hash), &place, sheet);
                }
                published.push((index, *id, *hash, counted.is_empty(), table));
            }
            _ => {}
        }
        take(world, &mut tables, entry);
    }
    let noted = share::over(&published, |(index, id, hash, uncounted, table)| {
        let (mut noted, place) = (Sheet::default(), || log.place(*index));
        let read = world.blobs.raw(*hash).and_then(|bytes| canonical::from_bytes::<Published>(bytes).ok());
        if !table.as_ref().is_some_and(Table::is_regional) {
            // A release that is missing or malformed fails other rules.
            if let Some(mut sum) = table.as_ref().map_or(Some(None), |table| combined(world, table)) {
                if let (Some(sum), Some(table)) = (&mut sum, table) {
                    sum.coverage = coverage::of_table(world, walked, table, read.as_ref());
                }
                let same = *uncounted
                    && match &read {
                        Some(_) => read == sum,
                        None => {
                            sum.and_then(|sum| canonical::to_bytes(&sum).ok()).map(|b| Digest::of(&b)) == Some(*hash)
                        }
                    };
                noted.check(Rule::R22, same, || format!("{}: not what its releases add up to", place()));
            }
        }
        check_published(world, *id, read, &place, &mut noted);
        noted
    });
    noted.into_iter().for_each(|noted| sheet.append(noted));
    for round in world.rounds.keys().filter(|round| !opened_rounds.contains(round)) {
        sheet.check(Rule::R28, false, || format!("rounds/{round}: not the round of a published table"));
    }
}

/// What the releases of a table add up to, if they add up; none when one cannot be read.
fn combined(world: &World<'_>, table: &Table) -> Option<Option<Published>> {
    let (mut releases, mut missing): (Vec<Received>, _) = (Vec::new(), Vec::new());
    for (node, standing) in &table.nodes {
        let reason = match standing {
            Standing::Released(release) => {
                let release = world.blobs.release(*release)?;
                // A tau that no policy gives would overflow a sum.
                if release.request().id() != table.request.id() || release.tau().unsigned_abs() > 1 << 40 {
                    return Some(None);
                }
                releases.push((*release).clone());
                continue;
            }
            Standing::Refused(reason) => *reason,
            Standing::Open | Standing::Ready(_) | Standing::Counted => Refusal::NoAnswer,
        };
        missing.push(Missing { node: node.clone(), reason });
    }
    if releases.is_empty() {
        return Some(None);
    }
    Some(Some(combine(&table.request, releases, missing)))
}

/// Checks the shape of a published table, and its threshold.
fn check_published(
    world: &World<'_>,
    id: Digest,
    table: Option<Published>,
    place: &dyn Fn() -> String,
    sheet: &mut Sheet,
) {
    let request = table.as_ref().and_then(|table| world.blobs.request(&table.request));
    let read = table.zip(request);
    let holds = read.as_ref().is_some_and(|(table, request)| {
        let cells = request.domain().cells() * request.periods().len();
        let regional = request.release() == ReleaseKind::Regional;
        table.v == 1
            && (table.id, request.id()) == (id, id)
            && table.cells.len() == cells
            && table.regional.is_some() == regional
    });
    sheet.check(Rule::R17, holds, || format!("{}: the published table is missing, or not of its length", place()));
    let Some((table, request)) = read.filter(|_| holds) else { return };
    if let Some(terms) = &table.regional {
        let count = |cell: &Cell| match request.measure() {
            Measure::Score | Measure::Events => cell.clients,
            Measure::Clients => cell.value,
        };
        let above =
            |cell: &Cell| cell.state == State::Suppressed || count(cell).is_some_and(|count| count >= terms.threshold);
        let holds = table.cells.iter().all(above);
        sheet.check(Rule::R16, holds, || format!("{}: a published cell lies under the threshold", place()));
    }
}

fn take(world: &World<'_>, tables: &mut Tables, entry: &Entry) -> Option<()> {
    let request = |value| world.blobs.signed(value).map(|signed| signed.request().clone());
    match entry {
        Entry::Asked(asked) => {
            let request = request(&asked.request)?;
            let nodes = asked.nodes.iter().map(|node| (node.clone(), Standing::Open)).collect();
            tables.insert(request.id(), Table { request, nodes, rounds: Vec::new() });
        }
        Entry::Reopened { id, nodes, .. } => {
            tables.get_mut(id)?.nodes.extend(nodes.iter().map(|node| (node.clone(), Standing::Open)));
        }
        Entry::Ready { id, node, terms, .. } => {
            *tables.get_mut(id)?.nodes.get_mut(node)? = Standing::Ready(*terms);
        }
        Entry::Released { id, node, release, .. } => {
            *tables.get_mut(id)?.nodes.get_mut(node)? = Standing::Released(*release);
        }
        Entry::Refused { id, node, reason, .. } => {
            *tables.get_mut(id)?.nodes.get_mut(node)? = Standing::Refused(*reason);
        }
        Entry::RoundBegan { id, .. } => {
            let spec = rounds::spec_of(entry)?;
            tables.get_mut(id)?.rounds.push((spec.round(), None));
        }
        Entry::RoundFailed { id, inputs, round, .. } => {
            tables.get_mut(id)?.rounds.iter_mut().find(|(r, _)| r == round)?.1 = Some(*inputs);
        }
        Entry::Closed { counted, id, reason, .. } => {
            for (node, standing) in &mut tables.get_mut(id)?.nodes {
                *standing = match *standing {
                    _ if counted.contains(node) => Standing::Counted,
                    Standing::Open => Standing::Refused(Refusal::NoAnswer),
                    Standing::Ready(_) => Standing::Refused(reason.unwrap_or(Refusal::RoundLeft)),
                    said => said,
                };
            }
        }
        Entry::Genesis { .. }
        | Entry::Roster { .. }
        | Entry::Enrolled(_)
        | Entry::Renewed { .. }
        | Entry::Revoked { .. }
        | Entry::Access { .. } => {}
    }
    Some(())
}
