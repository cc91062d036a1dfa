//! The right to compute one release, and the noise that it is computed with.
//!
//! Only the ledger makes a permit, and only of a debit that is on the disk; it is
//! neither `Clone` nor `Copy`, and a release consumes it.

use super::entry::Debit;
use crate::cost;
use crate::gaussian;
use crate::names::Digest;
use crate::poisson::{self, Poisson};
use crate::request::TableRequest;
use crate::stream::{Context, Seed, VectorKey};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Budget that is durably spent on one question at one node: the right to
/// compute its release, once.
#[must_use = "the budget is spent: compute the release or write the abort"]
pub struct Permit {
    pub(crate) seq: u64,
    pub(crate) debit: Debit,
    pub(crate) request: TableRequest,
    pub(crate) vectors: Vec<cost::Vector>,
    pub(super) seed: Seed,
}

impl Permit {
    /// The sequence number of the debit.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// The question.
    pub fn request(&self) -> &TableRequest {
        &self.request
    }

    /// The vintage to count for each period of the question.
    pub fn vintages(&self) -> &[Digest] {
        &self.debit.vintages
    }

    /// The regional round it was given for; none when for a release of this node.
    pub fn regional_round(&self) -> Option<Digest> {
        self.debit.regional.map(|_| self.debit.round)
    }

    /// Draws the noise of the whole table, or this node's share of the regional
    /// noise. This happens before the extract is opened, so that the time it takes
    /// cannot follow the data.
    ///
    /// # Errors
    /// When a draw fails; the debit then ends in an abort.
    pub fn draw(&self) -> Result<Noise, gaussian::Error> {
        let cells = self.request.domain().cells();
        let context = Context {
            node: &self.debit.node,
            request: self.request.id(),
            vintages: &self.debit.vintages,
            round: self.debit.round,
            attempt: self.debit.attempt,
        };
        let mut periods = vec![vec![Vec::with_capacity(cells); self.vectors.len()]; self.request.periods().len()];
        for (v, vector) in (0u32..).zip(&self.vectors) {
            let key = VectorKey::derive(&self.seed, &self.debit.nonce, &context, v);
            let share = self.debit.regional.map(|r| Poisson::new(vector.variance, r.h)).transpose();
            // Admission has drawn up the same table.
            let share = share.map_err(|_: poisson::Error| gaussian::Error::Overflow)?;
            for (p, period) in (0u16..).zip(&mut periods) {
                let noise = &mut period[v as usize];
                for cell in 0..cells as u64 {
                    noise.push(match &share {
                        None => gaussian::sample(vector.variance, &mut key.cell(0, p, cell))?,
                        Some(share) => share.share(&mut key.cell(0, p, cell), &mut key.cell(1, p, cell))?,
                    });
                }
            }
        }
        Ok(Noise { periods })
    }
}

/// The noise of one table; wiped when dropped, and not printable: noise and
/// published table together give the exact table.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Noise {
    pub(crate) periods: Vec<Vec<Vec<i64>>>,
}
