//! Makes the slices of an extract from the clients of a register.
//!
//! Here the client key ends: what goes on is a tag, 16 bytes of an HMAC under a
//! key that the caller throws away. Excluded clients are not in any slice, nor
//! is a client in a period in which the codebook has no category for its age.

use std::collections::BTreeMap;

use koonti_disclosure::{Codebook, Period};
use koonti_tally::SliceBuilder;
use ring::hmac;

use super::Imported;
use super::clients::{Clients, Latest, OfQuarter};
use super::error::Error;
use super::meaning::OUTSIDE;
use super::plan::{AGE_GROUP, AREA, LATEST, Marks, Plan};
use super::tuples::SEVERAL;

/// Turns the clients into slices, one for each period with a client who is not
/// excluded.
pub(super) fn extract(
    mut clients: Clients,
    rows: u64,
    plan: &Plan<'_>,
    codebook: &Codebook,
    tag_key: &[u8; 32],
) -> Result<Imported, Error> {
    let form = Form::new(plan, codebook);
    let tag_key = hmac::Key::new(hmac::HMAC_SHA256, tag_key);
    let mut builders: Vec<Option<SliceBuilder>> = plan.periods.iter().map(|_| None).collect();
    let tuples = clients.take_tuples();
    let mut tuples = tuples.as_slice();
    let mut values = Values::default();
    let mut outside = 0;
    for (at, quarter) in clients.quarters.iter().enumerate() {
        let own = tuples.iter().take_while(|tuple| tuple.quarter() == at).count();
        let (own, others) = tuples.split_at(own);
        tuples = others;
        let marks = clients.marks(quarter.client);
        if marks.exclude {
            continue;
        }
        let period = usize::from(quarter.period);
        let builder = match &mut builders[period] {
            Some(builder) => builder,
            none => none.insert(SliceBuilder::new(codebook, clients.kind())?),
        };
        let latest = clients.latest(at);
        if latest[AGE_GROUP].value() == Some(OUTSIDE) {
            outside += 1;
            continue;
        }
        form.fill(&mut values, latest, marks, own);
        let flags = values.primary.iter().zip(&values.begins);
        let rows = values.codes.chunks_exact(form.several.len()).zip(flags);
        let rows = rows.map(|(codes, (primary, begins))| (codes, *primary, *begins));
        let tag = tag(&tag_key, plan.periods[period], clients.key(quarter.client));
        builder.push(tag, &values.exclusive, &values.scores, rows)?;
    }

    let mut slices = BTreeMap::new();
    for (period, builder) in plan.periods.iter().zip(builders) {
        if let Some(builder) = builder {
            slices.insert(*period, builder.finish()?);
        }
    }
    let people = || (0..clients.len()).map(|client| clients.marks(client));
    Ok(Imported {
        slices,
        rows,
        clients: clients.len().into(),
        excluded: people().filter(|marks| marks.exclude).count() as u64,
        area_hidden: people().filter(|marks| marks.hide_area).count() as u64,
        outside,
    })
}

/// What stands for a client in a period instead of its key.
fn tag(tag_key: &hmac::Key, period: Period, client: &[u8]) -> [u8; 16] {
    let mut tag = hmac::Context::with_key(tag_key);
    tag.update(String::from(period).as_bytes());
    tag.update(&[0]);
    tag.update(client);
    *tag.sign().as_ref().first_chunk().expect("SHA-256 has 32 bytes")
}

/// Where the codebook's values come from; what is not mapped is unknown.
struct Form {
    /// For each exclusive dimension its place among the latest values, and its `unknown`.
    exclusive: Vec<(Option<usize>, u16)>,
    /// For each dimension with several categories its place in a tuple, and its `unknown`.
    several: Vec<(Option<usize>, u16)>,
    /// For each score its place among the latest values.
    scores: Vec<Option<usize>>,
}

/// The values of one client in a period, in codebook order.
#[derive(Default)]
struct Values {
    exclusive: Vec<u16>,
    scores: Vec<Option<u16>>,
    /// One code per row and dimension with several categories.
    codes: Vec<u16>,
    /// One flag per row.
    primary: Vec<bool>,
    /// Whether each row begins an event.
    begins: Vec<bool>,
}

impl Form {
    fn new(plan: &Plan<'_>, codebook: &Codebook) -> Self {
        let (exclusive, several): (Vec<_>, Vec<_>) = codebook.dimensions().iter().partition(|d| d.exclusive);
        let latest = |id: &str| LATEST.iter().position(|known| *known == id);
        let mapped = |id: &str| plan.scores.iter().position(|(_, score)| score.id == id);
        Self {
            exclusive: exclusive.iter().map(|d| (latest(&d.id), d.unknown())).collect(),
            several: several.iter().map(|d| (SEVERAL.iter().position(|id| *id == d.id), d.unknown())).collect(),
            scores: codebook.scores().iter().map(|s| mapped(&s.id).map(|at| LATEST.len() + at)).collect(),
        }
    }

    fn fill(&self, values: &mut Values, latest: &[Latest], marks: Marks, tuples: &[OfQuarter]) {
        let Values { exclusive, scores, codes, primary, begins } = values;
        exclusive.clear();
        exclusive.extend(self.exclusive.iter().map(|&(from, unknown)| match from {
            Some(AREA) if marks.hide_area => unknown,
            from => from.and_then(|from| latest[from].value()).unwrap_or(unknown),
        }));
        scores.clear();
        scores.extend(self.scores.iter().map(|from| from.and_then(|from| latest[from].value())));
        codes.clear();
        primary.clear();
        begins.clear();
        for tuple in tuples {
            codes.extend(self.several.iter().map(|&(at, unknown)| at.map_or(unknown, |at| tuple.code(at))));
            primary.push(tuple.primary());
            begins.push(tuple.begins_event());
        }
        if tuples.is_empty() {
            codes.extend(self.several.iter().map(|&(_, unknown)| unknown));
            primary.push(false);
            begins.push(false);
        }
    }
}
