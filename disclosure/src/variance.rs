//! Noise variances as exact fractions.
//!
//! The bounds on the fraction keep every intermediate of the sampler inside
//! 128 bits (argued in [`crate::gaussian`]).

use serde::{Deserialize, Serialize};

/// A noise variance `num / den`, reduced, at least 1 and at most 2^32
/// (a standard deviation of 1 to 65,536), with `den` at most 2^24.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(try_from = "(u64, u64)", into = "(u64, u64)")]
pub struct Variance {
    num: u64,
    den: u64,
}

/// Why a variance is refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The fraction is not in lowest terms.
    #[error("the variance is not a reduced fraction")]
    NotReduced,
    /// The standard deviation lies outside 1 to 65,536, or has too many decimals.
    #[error("the noise must have a standard deviation of 1 to 65536 with at most three decimals")]
    OutOfRange,
    /// The text is not a plain decimal number.
    #[error("expected a decimal number such as 4 or 2.5")]
    NotDecimal,
}

const LARGEST: u64 = 1 << 32;
const LARGEST_DEN: u64 = 1 << 24;

impl Variance {
    /// The fraction `num / den`, reduced here.
    ///
    /// # Errors
    /// When it lies outside the bounds.
    pub fn new(num: u64, den: u64) -> Result<Self, Error> {
        if num == 0 || den == 0 {
            return Err(Error::OutOfRange);
        }
        let g = gcd(num, den);
        let (num, den) = (num / g, den / g);
        let in_range = den <= LARGEST_DEN && num >= den && u128::from(num) <= u128::from(LARGEST) * u128::from(den);
        if in_range { Ok(Self { num, den }) } else { Err(Error::OutOfRange) }
    }

    /// The square of a standard deviation written as a decimal, such as `"4"` or `"2.5"`.
    ///
    /// # Errors
    /// When the text is not a decimal number with at most three decimals, or out of range.
    pub fn from_sd(text: &str) -> Result<Self, Error> {
        let (num, den) = decimal(text)?;
        let square = |x: u64| x.checked_mul(x).ok_or(Error::OutOfRange);
        Self::new(square(num)?, square(den)?)
    }

    /// The variance whose normal 95 % half-width (1.96 standard deviations) is
    /// the given decimal, such as `"8"`.
    ///
    /// # Errors
    /// As [`Variance::from_sd`].
    pub fn from_half_width(text: &str) -> Result<Self, Error> {
        let (num, den) = decimal(text)?;
        let (num, den) = (num.checked_mul(100).ok_or(Error::OutOfRange)?, den * 196);
        let g = gcd(num.max(1), den);
        let square = |x: u64| x.checked_mul(x).ok_or(Error::OutOfRange);
        Self::new(square(num / g)?, square(den / g)?)
    }

    /// This variance times `factor` squared: the noise of a companion sum whose
    /// cells move by up to `factor` where a count moves by one.
    ///
    /// # Errors
    /// When the product is out of range.
    pub fn scaled(&self, factor: u64) -> Result<Self, Error> {
        let num = factor.checked_mul(factor).and_then(|f| f.checked_mul(self.num)).ok_or(Error::OutOfRange)?;
        Self::new(num, self.den)
    }

    /// The numerator of the reduced fraction.
    pub fn num(&self) -> u64 {
        self.num
    }

    /// The denominator of the reduced fraction.
    pub fn den(&self) -> u64 {
        self.den
    }

    /// The standard deviation, for display only.
    #[expect(clippy::cast_precision_loss, reason = "display only")]
    pub fn sd(&self) -> f64 {
        (self.num as f64 / self.den as f64).sqrt()
    }

    /// The smallest integer `h` with `h >= 1.96 sqrt(terms * variance)`: the
    /// normal 95 % half-width of a sum of `terms` independent draws, rounded up.
    pub fn half_width(&self, terms: u32) -> i64 {
        // h^2 >= 1.96^2 terms num / den, in integers: 1.96^2 = 38416 / 10000.
        let right = 38_416 * u128::from(terms) * u128::from(self.num);
        let unit = 10_000 * u128::from(self.den);
        let target = right.div_ceil(unit);
        let root = target.isqrt();
        let h = if root * root < target { root + 1 } else { root };
        i64::try_from(h).expect("at most 1.96 * 2^16 * 2^16")
    }
}

impl TryFrom<(u64, u64)> for Variance {
    type Error = Error;
    fn try_from((num, den): (u64, u64)) -> Result<Self, Error> {
        let variance = Self::new(num, den)?;
        if (variance.num, variance.den) == (num, den) { Ok(variance) } else { Err(Error::NotReduced) }
    }
}

impl From<Variance> for (u64, u64) {
    fn from(v: Variance) -> Self {
        (v.num, v.den)
    }
}

/// A plain decimal as `(digits, 10^decimals)`, with at most nine digits before
/// and three behind the point.
fn decimal(text: &str) -> Result<(u64, u64), Error> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) || (text.contains('.') && fraction.is_empty()) {
        return Err(Error::NotDecimal);
    }
    if whole.len() > 9 || fraction.len() > 3 {
        return Err(Error::OutOfRange);
    }
    let den = 10u64.pow(u32::try_from(fraction.len()).expect("at most three"));
    let num = format!("{whole}{fraction}").parse().map_err(|_| Error::OutOfRange)?;
    Ok((num, den))
}

fn gcd(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_decimals_are_one_variance() {
        let of = |s| Variance::from_sd(s).unwrap();
        assert_eq!(of("4"), of("4.0"));
        assert_eq!(<(u64, u64)>::from(of("4.000")), (16, 1));
        assert_eq!(<(u64, u64)>::from(of("2.5")), (25, 4));
        assert_eq!(<(u64, u64)>::from(Variance::from_half_width("8").unwrap()), (40_000, 2_401));
        for bad in ["", ".", "4.", "-4", "4e1", "0", "0.9", "65537", "1.0001", "4,0", " 4"] {
            assert!(Variance::from_sd(bad).is_err(), "{bad:?} was accepted");
        }
        assert_eq!(Variance::try_from((32, 2)), Err(Error::NotReduced));
    }

    #[test]
    fn half_width_rounds_up() {
        let v = Variance::from_sd("5").unwrap();
        assert_eq!(v.half_width(1), 10); // 9.8
        assert_eq!(v.half_width(6), 25); // 24.005
        assert_eq!(Variance::new(1, 1).unwrap().half_width(1), 2);
    }
}
