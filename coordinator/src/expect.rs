//! How much of a table is expected to be withheld, from public figures only:
//! residents of the areas that each node serves, a usual share of them who are
//! clients, and an even spread over the categories. A rough estimate, made to
//! be seen before the allowance is spent; no register is read for it.

use koonti_disclosure::codebook::UNKNOWN;
use koonti_disclosure::domain::ANY;
use koonti_disclosure::quorum::Quorum;
use koonti_disclosure::regional::SumNoise;
use koonti_disclosure::request::ReleaseKind;
use koonti_disclosure::roster::Roster;
use koonti_disclosure::round::Strictness;
use koonti_disclosure::{Codebook, TableRequest};
use koonti_proto::wire::Quote;
use std::collections::BTreeMap;

/// Clients of working-age services per thousand residents (250,000 of 5.56
/// million, THL follow-up of social services 2024).
const CLIENTS_PER_1000: u64 = 45;
/// How many needs, factors or service tasks one client has, in tenths: about two, and
/// mostly one task.
fn tenths_per_client(dimension: &str) -> u64 {
    if dimension == "service_task" { 12 } else { 20 }
}

/// Cells of a table that are looked at, evenly spread: it is an estimate.
const MOST_LOOKED_AT: usize = 5_000;

/// Percent of the cells with a known category that are expected to be withheld: by
/// every quoted node, or of a regional table by its threshold.
pub(crate) fn withheld_percent(request: &TableRequest, roster: &Roster, quotes: &[Quote]) -> u32 {
    let codebook = Codebook::of(request.codebook()).unwrap_or(Codebook::built_in());
    let threshold = regional_threshold(request, roster, quotes);
    let (mut cells, mut withheld) = (0u32, 0u32);
    for cell in (0..request.domain().cells()).step_by(request.domain().cells().div_ceil(MOST_LOOKED_AT)) {
        let codes = request.domain().codes(cell);
        if codes.values().any(|code| code == UNKNOWN) {
            continue;
        }
        cells += 1;
        let willing = quotes.iter().filter(|q| q.refusal.is_none());
        let mut expected = willing.map(|quote| (expected(codebook, request, roster, &codes, quote), quote.tau));
        let shown = match threshold {
            None => expected.any(|(clients, tau)| i64::try_from(clients).is_ok_and(|clients| clients >= tau)),
            Some(threshold) => {
                i64::try_from(expected.map(|(clients, _)| clients).sum::<u64>()).is_ok_and(|c| c >= threshold)
            }
        };
        withheld += u32::from(!shown);
    }
    (100 * withheld).checked_div(cells).unwrap_or(0)
}

/// Cells of a regional table that only one node's clients can be in, as far as the
/// areas of the roster tell.
pub(crate) fn lone_cells(request: &TableRequest, roster: &Roster) -> u64 {
    if request.release() == ReleaseKind::PerNode {
        return 0;
    }
    let serving = |area: &str| roster.nodes().iter().filter(|n| n.areas.iter().any(|a| a == area)).count();
    let lone_area = |area: &String| area != UNKNOWN && serving(area) == 1;
    let cells = 0..request.domain().cells();
    let lone = cells.filter(|cell| request.domain().codes(*cell).get("area").is_some_and(lone_area)).count() as u64;
    let filtered = |areas: &[String]| {
        let serves = |areas_of: &[String]| areas.iter().any(|a| a == UNKNOWN || areas_of.contains(a));
        roster.nodes().iter().filter(|n| serves(&n.areas)).count() == 1
    };
    let all = request.filter("area").is_some_and(filtered);
    let lone = if all { request.domain().cells() as u64 } else { lone };
    lone * request.periods().len() as u64
}

/// The threshold of a regional table in which every node of the roster is counted,
/// under the strictest k that a node has quoted.
fn regional_threshold(request: &TableRequest, roster: &Roster, quotes: &[Quote]) -> Option<i64> {
    let quorum = Quorum::of(roster).ok().filter(|_| request.release() == ReleaseKind::Regional)?;
    let floor = roster.floor();
    let k = quotes.iter().map(|q| q.k).chain([floor.k]).max()?;
    let noise = SumNoise::of(request, quorum, quorum.n(), Strictness { eta: floor.eta, j: floor.j, k })?;
    Some(noise.threshold)
}

/// Clients of one node expected in a cell.
fn expected(
    codebook: &Codebook,
    request: &TableRequest,
    roster: &Roster,
    codes: &BTreeMap<String, String>,
    quote: &Quote,
) -> u64 {
    let areas = roster.node(&quote.node).map(|n| n.areas.as_slice()).unwrap_or_default();
    let in_cell = |area: &&String| codes.get("area").is_none_or(|code| code == *area);
    let in_filter = |area: &&String| request.filter("area").is_none_or(|codes| codes.contains(area));
    let residents: u64 = areas.iter().filter(in_cell).filter(in_filter).map(|a| population(codebook, a)).sum();
    let clients = residents * CLIENTS_PER_1000 / 1000;
    // Of combinations no more of one client than the question counts.
    let (mut tenths, mut cells, mut combined) = (10, 1, false);
    for (id, _) in codes.iter().filter(|(d, code)| *d != "area" && *code != ANY) {
        let Some(dimension) = codebook.dimension(id) else { continue };
        cells *= dimension.codes().len() as u64 - 1;
        if !dimension.exclusive {
            (tenths, combined) = (tenths * tenths_per_client(id) / 10, true);
        }
    }
    let most = request.max_per_client().map_or(u64::MAX, |bound| 10 * u64::from(bound));
    clients * if combined { tenths.min(most) } else { 10 } / 10 / cells
}

fn population(codebook: &Codebook, area: &str) -> u64 {
    let areas = codebook.dimension("area").map(koonti_disclosure::codebook::Dimension::codes).unwrap_or_default();
    areas.iter().find(|c| c.code == area).and_then(|c| c.population).map_or(0, u64::from)
}
