//! The exact discrete Gaussian, in integers.
//!
//! Canonne, Kamath and Steinke, "The Discrete Gaussian for Differential
//! Privacy" (NeurIPS 2020), algorithms 1 to 3, for a variance `n/d`. Nothing is
//! rounded and no float occurs: the output has exactly the distribution
//! `P[x] ~ exp(-x^2 d / (2 n))` if the bytes are uniform and independent.
//!
//! How bytes are consumed is part of the format (an auditor replays it):
//!
//! * `bernoulli(a/b)`, `0 <= a <= b`: if `a = b`, true, and no byte is read.
//!   Otherwise read one byte `u`; let `q, r` be quotient and remainder of
//!   `256 a` by `b`; true if `u < q`, false if `u > q`, and if `u = q` the
//!   answer is `bernoulli(r/b)`. (False at once, without a byte, if `a = 0`.)
//! * `bernoulli_exp(a/b)`, `a/b >= 0`: for each whole unit in `a/b` first,
//!   `bernoulli_exp_unit(1/1)`, false at the first that is false; then
//!   `bernoulli_exp_unit` of the fractional part.
//! * `bernoulli_exp_unit(a/b)`, `0 <= a/b <= 1`: `k = 1`; while
//!   `bernoulli(a / (b k))`, add 1 to `k`; true if the final `k` is odd.
//! * `uniform(m)`, `m >= 1`: with the least number of whole bytes that holds
//!   `m - 1` (none for `m = 1`), read them big-endian, drop the high bits that
//!   `m - 1` does not use, and try again while the value is `m` or more.
//! * `laplace(t)`: `u = uniform(t)`; start again unless
//!   `bernoulli_exp_unit(u/t)`; `v` = number of times `bernoulli_exp_unit(1/1)`
//!   is true before it is false; negative if `bernoulli(1/2)`; `x = u + t v`;
//!   start again if negative and `x = 0`.
//! * `gaussian(n/d)`: `t = floor(sqrt(n/d)) + 1`; `y = laplace(t)`; accept if
//!   `bernoulli_exp((|y| t d - n)^2 / (2 n d t^2))`, else start again.
//!
//! Bounds: with `n/d <= 2^32` and `d <= 2^24` (see [`Variance`]), `t <= 2^16 + 1`
//! and `n <= 2^56`, so `2 n d t^2 < 2^114`. In the worst case the square
//! `(|y| t d - n)^2` leaves 128 bits from `|y|` about `257 t`, which a draw
//! reaches with probability under `exp(-250)`; and the running product `b k`
//! leaves them from `k = 2^14`, reached with probability under `1/k!`. Products
//! that could overflow are checked, and an overflow ends the draw with
//! [`Error::Overflow`] rather than with a wrong number. The permit is then spent.

use crate::variance::Variance;

/// A source of uniform, independent bytes. Implemented by [`crate::stream`];
/// tests replay recorded bytes.
pub trait Bytes {
    /// The next byte.
    ///
    /// # Errors
    /// When no byte can be had; the draw then fails as a whole.
    fn next_byte(&mut self) -> Result<u8, Error>;
}

/// Why a draw failed. Nothing is released then.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone, Copy)]
#[non_exhaustive]
pub enum Error {
    /// An intermediate left 128 bits: possible only with negligible probability.
    #[error("the noise draw left the range that is computed exactly")]
    Overflow,
    /// The source of randomness failed.
    #[error("the source of randomness failed")]
    Randomness,
}

/// Draws one sample of the discrete Gaussian with this variance.
///
/// # Errors
/// When the source of bytes fails, or with negligible probability on overflow.
pub fn sample(variance: Variance, bytes: &mut impl Bytes) -> Result<i64, Error> {
    let (n, d) = (u128::from(variance.num()), u128::from(variance.den()));
    let t = (n / d).isqrt() + 1;
    loop {
        let (negative, y) = laplace(t, bytes)?;
        let scaled = mul(mul(y, t)?, d)?;
        let distance = scaled.abs_diff(n);
        let num = mul(distance, distance)?;
        let den = mul(mul(2 * n, d)?, t * t)?;
        if bernoulli_exp(num, den, bytes)? {
            let y = i64::try_from(y).map_err(|_| Error::Overflow)?;
            return Ok(if negative { -y } else { y });
        }
    }
}

fn mul(a: u128, b: u128) -> Result<u128, Error> {
    a.checked_mul(b).ok_or(Error::Overflow)
}

/// Sign and size of a discrete Laplace of integer scale `t`.
fn laplace(t: u128, bytes: &mut impl Bytes) -> Result<(bool, u128), Error> {
    loop {
        let u = uniform(t, bytes)?;
        if !bernoulli_exp_unit(u, t, bytes)? {
            continue;
        }
        let mut v = 0u128;
        while bernoulli_exp_unit(1, 1, bytes)? {
            v += 1;
        }
        let negative = bernoulli(1, 2, bytes)?;
        let x = u.checked_add(mul(t, v)?).ok_or(Error::Overflow)?;
        if !(negative && x == 0) {
            return Ok((negative, x));
        }
    }
}

fn bernoulli_exp(a: u128, b: u128, bytes: &mut impl Bytes) -> Result<bool, Error> {
    for _ in 0..a / b {
        if !bernoulli_exp_unit(1, 1, bytes)? {
            return Ok(false);
        }
    }
    bernoulli_exp_unit(a % b, b, bytes)
}

fn bernoulli_exp_unit(a: u128, b: u128, bytes: &mut impl Bytes) -> Result<bool, Error> {
    let mut k = 1u128;
    while bernoulli(a, mul(b, k)?, bytes)? {
        k += 1;
    }
    Ok(k % 2 == 1)
}

fn bernoulli(a: u128, b: u128, bytes: &mut impl Bytes) -> Result<bool, Error> {
    // The narrow path is the same computation: 64-bit division is several
    // times faster, and almost every call fits.
    if let (Ok(a), Ok(b)) = (u64::try_from(a), u64::try_from(b))
        && a < 1 << 56
    {
        return bernoulli_narrow(a, b, bytes);
    }
    if a == b {
        return Ok(true);
    }
    let mut a = a;
    while a != 0 {
        let u = u128::from(bytes.next_byte()?);
        let wide = mul(a, 256)?;
        let (q, r) = (wide / b, wide % b);
        if u != q {
            return Ok(u < q);
        }
        a = r;
    }
    Ok(false)
}

fn bernoulli_narrow(mut a: u64, b: u64, bytes: &mut impl Bytes) -> Result<bool, Error> {
    if a == b {
        return Ok(true);
    }
    while a != 0 {
        let u = u64::from(bytes.next_byte()?);
        let (q, r) = (a * 256 / b, a * 256 % b);
        if u != q {
            return Ok(u < q);
        }
        if r >= 1 << 56 {
            return bernoulli(u128::from(r), u128::from(b), bytes);
        }
        a = r;
    }
    Ok(false)
}

fn uniform(m: u128, bytes: &mut impl Bytes) -> Result<u128, Error> {
    let bits = 128 - (m - 1).leading_zeros();
    let mask = if bits == 0 { 0 } else { u128::MAX >> (128 - bits) };
    loop {
        let mut value = 0u128;
        for _ in 0..bits.div_ceil(8) {
            value = value << 8 | u128::from(bytes.next_byte()?);
        }
        value &= mask;
        if value < m {
            return Ok(value);
        }
    }
}
