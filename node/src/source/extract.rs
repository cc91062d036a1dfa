//! Makes the slices of an extract from the clients of a register.
//!
//! Here the client key ends: what goes on is a tag, 16 bytes of an HMAC under a
//! key that the caller throws away. Excluded clients are not in any slice, nor
//! is a client in a period in which the codebook has no category for its age.

use std::collections::BTreeMap;

use koonti_disclosure::{Codebook, Period};
use koonti_tally::{Error, Rows, SliceBuilder};
use ring::hmac;
use zeroize::Zeroizing;

use super::calendar::Quarter;
use super::clients::{ClientQuarter, Clients, Latest};
use super::events::Events;
use super::meaning::OUTSIDE;
use super::plan::{AGE_GROUP, AREA, LATEST, Marks, Plan};
use super::record::{Fault, Hashing, Shape, Shelf};
use super::tuples::{SEVERAL, Tuple};

/// How to make slices: the same for all threads.
pub(super) struct Recipe<'a> {
    pub(super) codebook: &'a Codebook,
    pub(super) hashing: Hashing,
    pub(super) shape: Shape,
    kind: Rows,
    form: Form,
    /// For each quarter of the register the beginning of its tags.
    tags: Vec<(Quarter, hmac::Context)>,
}

/// Slices in the making, of some of the clients.
#[derive(Default)]
pub(super) struct Extract {
    pub(super) builders: BTreeMap<Period, SliceBuilder>,
    pub(super) clients: u64,
    pub(super) excluded: u64,
    pub(super) area_hidden: u64,
    pub(super) outside: u64,
    /// The first fault of a client who is counted.
    pub(super) fault: Option<Fault>,
    sorted: Clients,
    values: Values,
}

impl<'a> Recipe<'a> {
    /// For a register with these quarters and rows of a kind, by a plan for its columns.
    pub(super) fn new(
        kind: Rows,
        plan: &Plan<'_>,
        codebook: &'a Codebook,
        hashing: Hashing,
        quarters: &[Quarter],
        tag_key: &[u8; 32],
    ) -> Self {
        let tag_key = hmac::Key::new(hmac::HMAC_SHA256, tag_key);
        let tag = |quarter: &Quarter| {
            let mut tag = hmac::Context::with_key(&tag_key);
            tag.update(String::from(quarter.period()).as_bytes());
            tag.update(&[0]);
            (*quarter, tag)
        };
        let (form, shape) = (Form::new(plan, codebook), plan.shape());
        Self { codebook, hashing, shape, kind, form, tags: quarters.iter().map(tag).collect() }
    }

    /// What stands for a client in a quarter instead of its key.
    fn tag(&self, quarter: Quarter, client: &[u8]) -> [u8; 16] {
        let begun = self.tags.iter().find(|(known, _)| *known == quarter);
        let mut tag = begun.expect("every quarter has been met").1.clone();
        tag.update(client);
        *tag.sign().as_ref().first_chunk().expect("SHA-256 has 32 bytes")
    }
}

impl Extract {
    /// Adds the clients of a shelf, who are on no other one.
    pub(super) fn add(&mut self, shelf: &Shelf, recipe: &Recipe<'_>) -> Result<(), Error> {
        let mut sorted = std::mem::take(&mut self.sorted);
        sorted.sort(shelf, recipe.shape, &recipe.hashing);
        self.clients += sorted.len() as u64;
        self.excluded += sorted.all_marks().filter(|marks| marks.exclude).count() as u64;
        self.area_hidden += sorted.all_marks().filter(|marks| marks.hide_area && !marks.exclude).count() as u64;
        let first = [self.fault, sorted.first_fault()].into_iter().flatten().min_by_key(|fault| fault.place);
        self.fault = first;
        let mut key = Zeroizing::new(Vec::with_capacity(super::MAX_KEY_BYTES));
        for quarter in &sorted.quarters {
            let marks = sorted.marks(quarter.client);
            if !marks.exclude {
                self.add_quarter(shelf, &sorted, quarter, marks, recipe, &mut key)?;
            }
        }
        self.sorted = sorted;
        Ok(())
    }

    #[inline]
    fn add_quarter(
        &mut self,
        shelf: &Shelf,
        sorted: &Clients,
        quarter: &ClientQuarter,
        marks: Marks,
        recipe: &Recipe<'_>,
        key: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let Values { latest, tuples, begins, events, .. } = &mut self.values;
        latest.clear();
        latest.resize(recipe.shape.latest, Latest::default());
        tuples.clear();
        let rows = sorted.rows(quarter);
        for spot in rows {
            let record = shelf.record(*spot);
            for (known, value) in latest.iter_mut().zip(record.latest(recipe.shape)) {
                if let Some(value) = value {
                    *known = Latest::new(record.day(), value).max(*known);
                }
            }
            tuples.extend(record.tuples(recipe.shape));
        }
        match recipe.kind {
            Rows::Observations => {
                tuples.sort_unstable();
                begins.clear();
                begins.resize(tuples.len(), false);
            }
            Rows::Events => {
                let of_row = rows.iter().map(|spot| shelf.record(*spot).tuples(recipe.shape));
                events.lay(of_row, recipe.form.nothing, tuples, begins);
            }
        }
        let builder = match self.builders.entry(quarter.quarter.period()) {
            std::collections::btree_map::Entry::Occupied(known) => known.into_mut(),
            std::collections::btree_map::Entry::Vacant(free) => {
                free.insert(SliceBuilder::new(recipe.codebook, recipe.kind)?)
            }
        };
        if self.values.latest[AGE_GROUP].value() == Some(OUTSIDE) {
            self.outside += 1;
            return Ok(());
        }
        recipe.form.fill(&mut self.values, marks);
        key.clear();
        shelf.record(rows[0]).write_key(key);
        let Values { exclusive, scores, codes, primary, begins, .. } = &self.values;
        let rows = codes.chunks_exact(recipe.form.several.len()).zip(primary.iter().zip(begins));
        let rows = rows.map(|(codes, (primary, begins))| (codes, *primary, *begins));
        builder.push(recipe.tag(quarter.quarter, key), exclusive, scores, rows)
    }
}

/// Where the codebook's values come from; what is not mapped is unknown.
struct Form {
    /// For each exclusive dimension its place among the latest values, and its `unknown`.
    exclusive: Vec<(Option<usize>, u16)>,
    /// For each dimension with several categories its place in a tuple, and its `unknown`.
    several: Vec<(Option<usize>, u16)>,
    /// The tuple of a row that names nothing.
    nothing: u128,
    /// For each score its place among the latest values.
    scores: Vec<Option<usize>>,
}

/// The values of one client in a period: from its rows, then in codebook order.
#[derive(Default)]
struct Values {
    latest: Vec<Latest>,
    /// As [`super::record::Record::tuples`] has them, sorted.
    tuples: Vec<u128>,
    exclusive: Vec<u16>,
    scores: Vec<Option<u16>>,
    /// One code per row and dimension with several categories.
    codes: Vec<u16>,
    /// Two flags per row: it is primary, it begins an event.
    primary: Vec<bool>,
    begins: Vec<bool>,
    events: Events,
}

impl Form {
    fn new(plan: &Plan<'_>, codebook: &Codebook) -> Self {
        let (exclusive, several): (Vec<_>, Vec<_>) = codebook.dimensions().iter().partition(|d| d.exclusive);
        let latest = |id: &str| LATEST.iter().position(|known| *known == id);
        let mapped = |id: &str| plan.scores.iter().position(|(_, score)| score.id == id);
        Self {
            exclusive: exclusive.iter().map(|d| (latest(&d.id), d.unknown())).collect(),
            several: several.iter().map(|d| (SEVERAL.iter().position(|id| *id == d.id), d.unknown())).collect(),
            nothing: Tuple { codes: plan.unknown, primary: false }.number(),
            scores: codebook.scores().iter().map(|s| mapped(&s.id).map(|at| LATEST.len() + at)).collect(),
        }
    }

    fn fill(&self, values: &mut Values, marks: Marks) {
        let Values { latest, tuples, exclusive, scores, codes, primary, begins, .. } = values;
        exclusive.clear();
        exclusive.extend(self.exclusive.iter().map(|&(from, unknown)| match from {
            Some(AREA) if marks.hide_area => unknown,
            from => from.and_then(|from| latest[from].value()).unwrap_or(unknown),
        }));
        scores.clear();
        scores.extend(self.scores.iter().map(|from| from.and_then(|from| latest[from].value())));
        codes.clear();
        primary.clear();
        for tuple in &*tuples {
            let tuple = Tuple::of(*tuple);
            codes.extend(self.several.iter().map(|&(at, unknown)| at.map_or(unknown, |at| tuple.codes[at])));
            primary.push(tuple.primary);
        }
        if tuples.is_empty() {
            codes.extend(self.several.iter().map(|&(_, unknown)| unknown));
            primary.push(false);
            begins.push(false);
        }
    }
}
