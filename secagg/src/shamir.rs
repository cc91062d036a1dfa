//! Shamir's secret sharing over the integers modulo l.
//!
//! Any t shares give the secret; t - 1 leave every secret equally likely, because
//! the coefficients are uniform and, with t - 1 points fixed, secrets and
//! polynomials correspond one to one. A share proves nothing about itself: the
//! commitments that catch a wrong one stand in [`crate::keys`]. Arithmetic is
//! curve25519-dalek's, in constant time; which points are used is public.

use crate::{NoRandomness, Randomness};
use curve25519_dalek::Scalar;
use std::ops::{Add, Mul};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// A secret integer modulo l: a shared secret, or a share of one.
#[derive(Zeroize, ZeroizeOnDrop)]
pub(crate) struct Share(Scalar);

impl Share {
    /// 64 uniform bytes, read as a little-endian integer modulo l.
    pub(crate) fn from_wide(bytes: &[u8; 64]) -> Self {
        Self(Scalar::from_bytes_mod_order_wide(bytes))
    }

    /// Reads a scalar; none when it is l or more.
    pub(crate) fn parse(bytes: [u8; 32]) -> Option<Self> {
        Scalar::from_canonical_bytes(bytes).into_option().map(Self)
    }

    /// A second copy, wiped on its own. To move a share out of a box or a vector would
    /// leave its bytes behind there.
    pub(crate) fn again(&self) -> Self {
        Self(self.0)
    }

    /// The 32 little-endian bytes.
    pub(crate) fn bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }
}

/// A secret's polynomial of degree t - 1; wiped when dropped.
#[derive(Zeroize, ZeroizeOnDrop)]
pub(crate) struct Polynomial(Vec<Scalar>);

impl Polynomial {
    /// Draws the t - 1 coefficients above the secret.
    pub(crate) fn draw(secret: &Share, t: u32, random: &mut dyn Randomness) -> Result<Self, NoRandomness> {
        let mut bytes = Zeroizing::new(vec![0; 64 * (t as usize - 1)]);
        random.fill(&mut bytes)?;
        let mut coefficients = Vec::with_capacity(t as usize);
        coefficients.push(secret.0);
        coefficients.extend(bytes.as_chunks::<64>().0.iter().map(Scalar::from_bytes_mod_order_wide));
        Ok(Self(coefficients))
    }

    /// The share of the node at `place`.
    pub(crate) fn share(&self, place: u16) -> Share {
        Share(evaluate(&self.0, point(place)))
    }
}

/// The value of the polynomial at `x`, by Horner's rule.
fn evaluate<F: Copy + Add<Output = F> + Mul<Output = F>>(coefficients: &[F], x: F) -> F {
    let (highest, rest) = coefficients.split_last().expect("the secret is a coefficient");
    rest.iter().rev().fold(*highest, |value, coefficient| value * x + *coefficient)
}

fn point(place: u16) -> Scalar {
    Scalar::from(u32::from(place) + 1)
}

/// Lagrange's weights at 0 for a set of holders: the same for every secret.
pub(crate) struct Weights(Vec<Scalar>);

impl Weights {
    /// The weights of the shares of these distinct places.
    pub(crate) fn at(places: &[u16]) -> Self {
        let points: Vec<Scalar> = places.iter().copied().map(point).collect();
        let product = |i: usize, factor: &dyn Fn(Scalar) -> Scalar| -> Scalar {
            points.iter().enumerate().filter(|(j, _)| *j != i).map(|(_, x)| factor(*x)).product()
        };
        let mut inverses: Vec<Scalar> = (0..points.len()).map(|i| product(i, &|x| x - points[i])).collect();
        Scalar::invert_batch_alloc(&mut inverses);
        Self((0..points.len()).map(|i| product(i, &|x| x) * inverses[i]).collect())
    }

    /// The secret whose shares, in the order of the places, these are.
    pub(crate) fn open<'a>(&self, shares: impl ExactSizeIterator<Item = &'a Share>) -> Share {
        assert_eq!(shares.len(), self.0.len(), "one share for each weight");
        Share(shares.zip(&self.0).map(|(share, weight)| share.0 * weight).sum())
    }
}

#[cfg(test)]
mod tests;
