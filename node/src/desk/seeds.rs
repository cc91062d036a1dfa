//! The seeds of the desk: fixed in the log before they are needed, each used once.

use super::Desk;
use crate::error::Error;
use crate::store::Books;
use crate::{clock, seeds};
use koonti_disclosure::stream::Seed;
use koonti_evidence::entry::node::Own;

impl Desk {
    /// Fixes further seeds in the log when few are left.
    ///
    /// # Errors
    /// When the disk or the source of randomness fails.
    pub fn fix_seeds(&self) -> Result<(), Error> {
        let mut books = self.store.books();
        // Those whose files a restored state lacks are no use.
        let unused = books.fold.unused_seeds(u64::MAX);
        let left = unused.filter(|number| self.opens(&books, *number)).count();
        if left as u64 >= seeds::BATCH / 2 {
            return Ok(());
        }
        let first = books.fold.seeds.len() as u64;
        let commitments = seeds::draw(&self.config.state, &self.keys.seal, first)?;
        books.append(Own::Seeds { commitments, first, time: clock::now() })
    }

    /// The next unused seed that the log had fixed when it had `known` entries.
    pub(crate) fn next_seed(&self, known: u64) -> Option<(u64, Seed)> {
        let unused = self.store.books().fold.unused_seeds(known);
        unused.into_iter().find_map(|number| Some((number, self.seed(number)?)))
    }

    pub(super) fn seed(&self, number: u64) -> Option<Seed> {
        let commitment = *self.store.books().fold.seeds.get(usize::try_from(number).ok()?)?;
        seeds::open(&self.config.state, &self.keys.seal, number, commitment)
    }

    fn opens(&self, books: &Books, number: u64) -> bool {
        let commitment = usize::try_from(number).ok().and_then(|number| books.fold.seeds.get(number));
        commitment.is_some_and(|it| seeds::open(&self.config.state, &self.keys.seal, number, *it).is_some())
    }
}
