//! R26: the terms of each regional round.

use crate::report::{Rule, Sheet};
use crate::tables::{Standing, Table, Tables};
use crate::world::World;
use koonti_disclosure::Digest;
use koonti_disclosure::abort::Certificate;
use koonti_disclosure::names::unhex_vec;
use koonti_disclosure::quorum::Quorum;
use koonti_disclosure::round::{RoundSpec, Strictness};
use koonti_evidence::entry::coordinator::Entry;

/// The specification of a `round-began`.
pub(crate) fn spec_of(entry: &Entry) -> Option<RoundSpec> {
    let Entry::RoundBegan { spec, .. } = entry else { return None };
    RoundSpec::parse(spec.bytes()).ok()
}

/// Checks a `round-began`.
pub(crate) fn check(
    world: &World<'_>,
    tables: &Tables,
    (id, entry, certificate): (Digest, &Entry, Option<&str>),
    place: &dyn Fn() -> String,
    sheet: &mut Sheet,
) {
    let spec = spec_of(entry).filter(|spec| spec.request() == id);
    if spec.as_ref().is_some_and(|spec| world.rosters.is_missing(spec.roster())) {
        return;
    }
    let holds = spec.zip(tables.get(&id)).is_some_and(|(spec, table)| {
        follows(world, &spec) && strict_enough(world, table, &spec) && retries(world, table, &spec, certificate)
    });
    sheet.check(Rule::R26, holds, || format!("{}: not a round as its roster and nodes demand", place()));
}

/// True when the numbers are those of the roster.
fn follows(world: &World<'_>, spec: &RoundSpec) -> bool {
    let roster = world.rosters.get(spec.roster());
    roster.is_some_and(|roster| Quorum::of(roster).is_ok_and(|q| q == spec.quorum()) && roster.epoch() == spec.epoch())
}

fn strict_enough(world: &World<'_>, table: &Table, spec: &RoundSpec) -> bool {
    let terms = table.nodes.values().filter_map(|standing| match standing {
        Standing::Ready(terms) => Some(*terms),
        _ => None,
    });
    let floor = world.rosters.get(spec.roster()).map(|roster| {
        let floor = roster.floor();
        Strictness { eta: floor.eta, j: floor.j, k: floor.k }
    });
    floor.into_iter().chain(terms).all(|terms| spec.strictness().satisfies(terms))
}

/// True when it is no retry, or one of the round before under its certificate.
fn retries(world: &World<'_>, table: &Table, spec: &RoundSpec, certificate: Option<&str>) -> bool {
    let (Some(previous), Some(certificate)) = (spec.previous(), certificate) else {
        return spec.previous().is_none() && certificate.is_none();
    };
    let spent = table.rounds.iter().rfind(|(_, failed)| *failed == Some(true)).map(|(round, _)| *round);
    let roster = world.rosters.get(spec.roster());
    let certificate = unhex_vec(certificate).ok().zip(roster);
    let certificate = certificate.and_then(|(bytes, roster)| Certificate::parse(&bytes, roster).ok());
    spent == Some(previous) && certificate.is_some()
}
