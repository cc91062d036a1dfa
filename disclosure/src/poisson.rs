//! A node's share of the noise of a secure sum: the difference of two Poisson
//! draws, in integers.
//!
//! `X - X'` with `X`, `X'` independent and Poisson of mean `lambda` is Skellam
//! noise of variance `2 lambda`, and Skellam noises add up to Skellam noise. So
//! with `lambda = mu / (2 h)` the shares of any `h` nodes make noise of variance
//! `mu`, and what further nodes add only adds. What that noise is worth: Agarwal,
//! Kairouz and Liu, "The Skellam Mechanism for Differentially Private Federated
//! Learning" (NeurIPS 2021).
//!
//! No float takes part. A draw has exactly the distribution of a table of integer
//! weights if the bytes are uniform and independent, and the table is within
//! 2^-110 of Poisson in total variation, at every mean. What that adds to delta,
//! [`ATTO_DELTA`], is stated here and charged elsewhere. How long a draw takes is
//! not hidden.
//!
//! The table and the use of bytes are part of the format (an auditor replays them):
//!
//! * `a = ceil(2^20 mu / (2 h))`; the mean is `a / 2^20`, never less than `lambda`.
//! * The mode `floor(a / 2^20)` has the weight `2^p`. Weights have 64 binary
//!   places while they are computed: from k to `k + 1`, times `a`, divided by
//!   `2^20 (k + 1)` and cut; from k to `k - 1`, times `2^20 k`, divided by `a` and
//!   cut. A side ends before the first weight below 1. Then all places are dropped.
//! * `p` is the largest number up to 126 with which the sum W of all weights is
//!   below 2^127.
//! * A draw reads 16 bytes, big-endian, keeps as many low bits as `W - 1` has, and
//!   starts again while the value is W or more. The result is the least k such
//!   that the weights up to and including that of k add up to more than the value.
//! * A share draws X from one stream and X' from another: of signs 0 and 1, in
//!   the words of [`crate::stream`].
//!
//! The bound. Let `v_k` be the weights without any cut, V their sum, and n the
//! number of weights kept. All cuts go downward, and ratios outward from the mode
//! are at most 1, so that after j steps the 64 places lack at most `j 2^-64`. A
//! weight kept is thus less than `1 + n 2^-64` too small. Since `w_k <= v_k` for
//! all k, the distance is at most `sum (v_k - w_k) / V`.
//!
//! * n is at most 2^15: after 2^14 steps upward, weights have shrunk by at least
//!   the product of `1 + i / lambda` over `i < 2^14`, which for `lambda <= 2^20` is
//!   above `exp(127)`; downward by even more. `2^126 < exp(88)`.
//! * p is at least 110, since no weight is above the mode's and there are at most
//!   2^15 and a negligible rest.
//! * What lies beyond an end: ratios fall outward, so the last one is at most the
//!   geometric mean of at most 2^14 that led from 2^110 to below 1, 0.9954; the
//!   series sums to less than 220 on each side.
//! * Together at most `2^15 + 1 + 440 < 2^16`. And V is at least 2^126, or twice
//!   the mode's weight would have done. Hence 2^-110.

use crate::gaussian::{self, Bytes};
use crate::variance::Variance;
use std::iter::successors;
use std::ops::RangeInclusive;

/// The largest mean of one draw.
pub const LARGEST_MEAN: u64 = 1 << 20;

/// How many honest contributors noise may be sized for.
pub const HONEST: RangeInclusive<u32> = 3..=500;

/// What drawing from tables instead of Poisson adds to the delta of one period of
/// a table, in units of 1e-18: 2^-43 rounded up.
///
/// Only the cells that one client touches count, as all others get the same noise
/// whether or not the client is there; and only h honest nodes, as the noise of
/// more is independent of theirs. That is at most 2 vectors of 33 cells, 500 nodes
/// and 2 draws, 66,000 < 2^17 draws. If a mechanism is `(eps, delta)` private,
/// one within `d` of it is `(eps, delta + (1 + e^eps) d)` private; 10 rho, the most
/// that a policy may allow, is less than 34 eps at a delta of 1e-6
/// ([`crate::account`]), and `1 + e^34 < 2^50`. Hence `2^(17 + 50 - 110)`.
pub const ATTO_DELTA: u64 = 113_687;

/// Why there is no table.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone, Copy)]
#[non_exhaustive]
pub enum Error {
    /// The mean of one draw is too large.
    #[error("the noise is too large to be shared: ask for less noise, or count on more nodes")]
    Mean,
    /// The number of honest contributors is out of range.
    #[error("noise is shared by 3 to 500 honest nodes")]
    Honest,
}

/// A table for one mean: made in microseconds (a millisecond at the largest mean)
/// and then drawn from for a whole vector.
pub struct Poisson {
    /// The least k with a weight.
    first: u64,
    /// Sums of the weights up to and including that of `first`, `first + 1`, and so on.
    sums: Vec<u128>,
}

impl Poisson {
    /// The table of a share, when any `honest` shares together have this variance.
    ///
    /// # Errors
    /// When `honest` is outside [`HONEST`] or the mean above [`LARGEST_MEAN`].
    pub fn new(variance: Variance, honest: u32) -> Result<Self, Error> {
        if !HONEST.contains(&honest) {
            return Err(Error::Honest);
        }
        match u64::try_from(scaled_mean(variance, honest)) {
            Ok(mean) if mean <= LARGEST_MEAN << PLACES => Ok(Self::with_mean(mean)),
            _ => Err(Error::Mean),
        }
    }

    /// The table of the mean `mean / 2^20`.
    fn with_mean(mean: u64) -> Self {
        (0..=126).rev().find_map(|power| Self::with_mode(mean, power)).expect("2^110 is small enough for every mean")
    }

    /// The table whose largest weight is `2^power`, unless its sum is too large.
    fn with_mode(mean: u64, power: u32) -> Option<Self> {
        let mode = mean >> PLACES;
        let top = Weight::whole(1 << power);
        let below = successors(Some((mode, top)), |(k, w)| Some((k.checked_sub(1)?, w.scaled(k << PLACES, mean))));
        let above = successors(Some((mode, top)), |(k, w)| Some((k + 1, w.scaled(mean, (k + 1) << PLACES))));
        let kept = |(_, w): &(u64, Weight)| w.floor() > 0;

        let mut whole = 0u128;
        let mut weights = Vec::new();
        let mut first = mode;
        for (k, weight) in below.take_while(kept) {
            (first, whole) = (k, within(whole + weight.floor())?);
            weights.push(weight.floor());
        }
        weights.reverse();
        for (_, weight) in above.skip(1).take_while(kept) {
            whole = within(whole + weight.floor())?;
            weights.push(weight.floor());
        }
        let mut sum = 0;
        for weight in &mut weights {
            sum += *weight;
            *weight = sum;
        }
        Some(Self { first, sums: weights })
    }

    /// One draw.
    ///
    /// # Errors
    /// When the source of bytes fails.
    pub fn sample(&self, bytes: &mut impl Bytes) -> Result<i64, gaussian::Error> {
        let whole = self.sums[self.sums.len() - 1];
        let mask = u128::MAX >> (whole - 1).leading_zeros();
        loop {
            let mut value = 0u128;
            for _ in 0..16 {
                value = value << 8 | u128::from(bytes.next_byte()?);
            }
            value &= mask;
            if value < whole {
                let place = self.sums.partition_point(|sum| *sum <= value);
                return Ok(i64::try_from(place).expect("under 2^15") + i64::try_from(self.first).expect("under 2^20"));
            }
        }
    }

    /// A node's share of the noise of one cell: a draw from `plus` less one from `minus`.
    ///
    /// # Errors
    /// When a source of bytes fails.
    pub fn share(&self, plus: &mut impl Bytes, minus: &mut impl Bytes) -> Result<i64, gaussian::Error> {
        Ok(self.sample(plus)? - self.sample(minus)?)
    }
}

/// Binary places of a mean.
const PLACES: u32 = 20;

/// `variance / (2 honest)` in units of `2^-20`, rounded up.
fn scaled_mean(variance: Variance, honest: u32) -> u128 {
    let shares = 2 * u128::from(honest) * u128::from(variance.den());
    (u128::from(variance.num()) << PLACES).div_ceil(shares)
}

fn within(sum: u128) -> Option<u128> {
    (sum < 1 << 127).then_some(sum)
}

/// A weight with 64 binary places: three limbs, the highest first.
#[derive(Clone, Copy)]
struct Weight([u64; 3]);

impl Weight {
    fn whole(value: u128) -> Self {
        Self([low(value >> 64), low(value), 0])
    }

    fn floor(self) -> u128 {
        u128::from(self.0[0]) << 64 | u128::from(self.0[1])
    }

    /// `self * times / over`, cut, for `times <= over`.
    fn scaled(self, times: u64, over: u64) -> Self {
        let mut limbs = self.0;
        let mut carry = 0u128;
        for limb in limbs.iter_mut().rev() {
            let product = u128::from(*limb) * u128::from(times) + carry;
            (*limb, carry) = (low(product), product >> 64);
        }
        // The carry is below `times`, hence each quotient below fits one limb.
        let mut rest = carry;
        for limb in &mut limbs {
            let wide = rest << 64 | u128::from(*limb);
            (*limb, rest) = (low(wide / u128::from(over)), wide % u128::from(over));
        }
        Self(limbs)
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the low limb is wanted")]
fn low(value: u128) -> u64 {
    value as u64
}

#[cfg(test)]
mod tests;
