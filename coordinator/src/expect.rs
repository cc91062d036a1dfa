//! How much of a table is expected to be withheld, from public figures only:
//! residents of the areas that each node serves, a usual share of them who are
//! clients, and an even spread over the categories. A rough estimate, made to
//! be seen before the allowance is spent; no register is read for it.

use koonti_disclosure::codebook::UNKNOWN;
use koonti_disclosure::domain::ANY;
use koonti_disclosure::roster::Roster;
use koonti_disclosure::{Codebook, TableRequest};
use koonti_proto::wire::Quote;

/// Clients of working-age services per thousand residents (250,000 of 5.56
/// million, THL follow-up of social services 2024).
const CLIENTS_PER_1000: u64 = 45;
/// Needs of one client, in tenths: about two.
const TENTHS_OF_NEEDS: u64 = 20;

/// Percent of the cells with a known category that no quoted node is expected
/// to publish.
pub(crate) fn withheld_percent(request: &TableRequest, roster: &Roster, quotes: &[Quote]) -> u32 {
    let codebook = Codebook::built_in();
    let (mut cells, mut withheld) = (0u32, 0u32);
    for cell in 0..request.domain().cells() {
        let codes = request.domain().codes(cell);
        if codes.values().any(|code| code == UNKNOWN) {
            continue;
        }
        cells += 1;
        let shown = quotes.iter().filter(|q| q.refusal.is_none()).any(|quote| {
            let areas = roster.node(&quote.node).map(|n| n.areas.as_slice()).unwrap_or_default();
            let in_cell = |area: &&String| codes.get("area").is_none_or(|code| code == *area);
            let in_filter = |area: &&String| request.filter("area").is_none_or(|codes| codes.contains(area));
            let residents: u64 = areas.iter().filter(in_cell).filter(in_filter).map(|a| population(codebook, a)).sum();
            let mut expected = residents * CLIENTS_PER_1000 / 1000;
            for (dimension, code) in codes.iter().filter(|(d, _)| *d != "area") {
                let Some(dimension) = codebook.dimension(dimension) else { continue };
                let known = dimension.codes().len() as u64 - 1;
                expected = match (code == ANY, dimension.exclusive) {
                    (true, _) => expected,
                    (false, true) => expected / known,
                    (false, false) => expected * TENTHS_OF_NEEDS / 10 / known,
                };
            }
            i64::try_from(expected).is_ok_and(|expected| expected >= quote.tau)
        });
        withheld += u32::from(!shown);
    }
    (100 * withheld).checked_div(cells).unwrap_or(0)
}

fn population(codebook: &Codebook, area: &str) -> u64 {
    let areas = codebook.dimension("area").map(koonti_disclosure::codebook::Dimension::codes).unwrap_or_default();
    areas.iter().find(|c| c.code == area).and_then(|c| c.population).map_or(0, u64::from)
}
