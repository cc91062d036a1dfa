//! Counts a table: one pass over the rows of each period.
//!
//! For each client, in this order: its exclusive codes (already the latest)
//! place it or a filter drops it; a score table drops it when it has no such
//! score; filters drop rows; the distinct categories of the rows left are cut at
//! the request's bound ([`crate::bound`]); each of them adds one to its cell, and
//! the client adds one to `ANY` where the table has it. A client without a row
//! left counts only where the request touches no dimension of several
//! categories. A score adds its doubled distance from the middle of its range to
//! the same cells of a second vector. Events are counted in those cells, too: each
//! once where it touches one, and of one client no more than the request says
//! ([`crate::events`]); a client without an event is not counted.
//!
//! All sums are of integers and each client is counted by itself, so neither
//! order nor threads show in the result. Plain counts exist only inside this
//! module; they are wrapped at its one door and not wiped before.

use crate::bound::Bound;
use crate::distinct::Distinct;
use crate::error::Error;
use crate::events::Events;
use crate::place::{AnyRows, NarrowRows, Offsets, Rows, of_client, offsets};
use crate::slice::{NO_SCORE, Slice};
use koonti_disclosure::{Codebook, Exact, TableRequest, Tally};
use std::ops::Range;
use std::thread;

/// Counts one table over the slices of its periods (in the order of
/// `request.periods()`), with up to `threads` threads.
///
/// # Errors
/// [`Error::Shape`] when there are not as many slices as periods, or request,
/// slices and codebook do not belong together, as where events are asked for and
/// a slice has none. No error depends on a record.
pub fn count(
    request: &TableRequest,
    slices: &[&Slice],
    codebook: &Codebook,
    threads: usize,
) -> Result<Exact<Tally>, Error> {
    Ok(Exact::wrap(Tally { periods: count_plain(request, slices, codebook, threads)? }))
}

/// For each period, each vector, each cell in domain order.
pub(crate) fn count_plain(
    request: &TableRequest,
    slices: &[&Slice],
    codebook: &Codebook,
    threads: usize,
) -> Result<Vec<Vec<Vec<i64>>>, Error> {
    let own = request.codebook() == codebook.hash();
    let fits = |s: &Slice| s.codebook == codebook.hash() && (request.max_events().is_none() || s.has_events());
    if !own || slices.len() != request.periods().len() || !slices.iter().all(|s| fits(s)) {
        return Err(Error::Shape);
    }
    let domain = request.domain();
    let question = Question {
        request,
        exclusive: offsets(domain.exclusive(), domain.stride(), request, codebook)?,
        several: offsets(domain.several(), 1, request, codebook)?,
        score: score_of(request, codebook)?,
    };
    Ok(slices.iter().map(|slice| question.count_period(slice, threads)).collect())
}

/// A request, made ready for the columns of its codebook.
struct Question<'a> {
    request: &'a TableRequest,
    exclusive: Vec<Offsets>,
    several: Vec<Offsets>,
    /// The column of the score and `hi - lo`.
    score: Option<(usize, i64)>,
}

fn score_of(request: &TableRequest, codebook: &Codebook) -> Result<Option<(usize, i64)>, Error> {
    let (Some(id), Some((lo, hi))) = (request.score(), request.score_range()) else { return Ok(None) };
    let column = codebook.scores().iter().position(|s| s.id == id).ok_or(Error::Shape)?;
    Ok(Some((column, hi - lo)))
}

impl Question<'_> {
    /// Chooses the loop for the shape of the columns.
    fn count_period(&self, slice: &Slice, threads: usize) -> Vec<Vec<i64>> {
        let several = &self.several;
        if let Some(rows) = NarrowRows::<1>::new(several, slice) {
            self.count_with(slice, &rows, threads)
        } else if let Some(rows) = NarrowRows::<2>::new(several, slice) {
            self.count_with(slice, &rows, threads)
        } else if let Some(rows) = NarrowRows::<3>::new(several, slice) {
            self.count_with(slice, &rows, threads)
        } else if let Some(rows) = NarrowRows::<4>::new(several, slice) {
            self.count_with(slice, &rows, threads)
        } else {
            self.count_with(slice, &AnyRows::new(several, slice), threads)
        }
    }

    fn count_with(&self, slice: &Slice, rows: &impl Rows, threads: usize) -> Vec<Vec<i64>> {
        let mut parts = split(slice, threads).into_iter();
        let first = parts.next().unwrap_or(0..0);
        thread::scope(|scope| {
            let others: Vec<_> = parts.map(|part| scope.spawn(|| self.count_clients(slice, rows, part))).collect();
            let mut sum = self.count_clients(slice, rows, first);
            for other in others {
                let counts = other.join().expect("counting panics on no slice");
                for (sum, count) in sum.iter_mut().flatten().zip(counts.iter().flatten()) {
                    *sum += count;
                }
            }
            sum
        })
    }

    fn count_clients(&self, slice: &Slice, rows: &impl Rows, clients: Range<usize>) -> Vec<Vec<i64>> {
        let domain = self.request.domain();
        let any = domain.has_any().then(|| domain.stride() - 1);
        let categories = any.unwrap_or(domain.stride());
        let mut events = Events::new(self.request, categories);
        let vectors = 1 + usize::from(self.score.is_some() || events.is_some());
        let mut counts = vec![vec![0; domain.cells()]; vectors];
        let mut distinct = Distinct::new(categories);
        let mut bound = Bound::new(self.request, &self.several, categories);
        for client in clients {
            let Some(base) = of_client(&self.exclusive, slice, client) else { continue };
            let Some(score) = self.score(slice, client) else { continue };
            let kept = if self.several.is_empty() {
                &[0]
            } else {
                bound.cut(distinct.of(rows, slice.rows_of(client)), rows, slice, client)
            };
            let any = any.filter(|_| !kept.is_empty());
            if let (Some(events), [clients, sums]) = (&mut events, counts.as_mut_slice()) {
                let mut add = |cell: usize, events: i64| {
                    clients[base + cell] += i64::from(events > 0);
                    sums[base + cell] += events;
                };
                let all = if self.several.is_empty() {
                    let all = events.all(slice, client);
                    add(0, all);
                    all
                } else {
                    events.of(kept, rows, slice, client, &mut add)
                };
                any.into_iter().for_each(|any| add(any, all));
                continue;
            }
            for cell in kept.iter().map(|&cell| cell as usize).chain(any) {
                counts[0][base + cell] += 1;
                if let Some(sums) = counts.get_mut(1) {
                    sums[base + cell] += score;
                }
            }
        }
        counts
    }

    /// What a client adds to the second vector: 0 where there is none, and
    /// nothing at all where the client lacks the score.
    fn score(&self, slice: &Slice, client: usize) -> Option<i64> {
        let Some((column, range)) = self.score else { return Some(0) };
        let doubled = slice.scores[column][client];
        // Stored is 2 (x - lo) = 2x - 2 lo; counted is 2x - (lo + hi), which is
        // that plus 2 lo - lo - hi, or minus (hi - lo).
        (doubled != NO_SCORE).then(|| i64::from(doubled) - range)
    }
}

/// Ranges of clients with about equally many rows, one for each thread.
fn split(slice: &Slice, threads: usize) -> Vec<Range<usize>> {
    let (clients, threads) = (slice.clients(), threads.clamp(1, MOST_THREADS));
    let cut = |part: usize| {
        // The last range takes the clients without rows behind the last row, too.
        if part == threads {
            clients
        } else {
            slice.starts[..clients].partition_point(|&start| start as usize * threads < slice.rows() * part)
        }
    };
    (0..threads).map(|part| cut(part)..cut(part + 1)).collect()
}

/// Each thread has count vectors of its own, so their number is limited.
const MOST_THREADS: usize = 64;
