//! The gate's threshold: tails of the discrete Gaussian, rounded upward.
//!
//! `P[Z >= z] = sum_{x >= z} e_x / (1 + 2 sum_{x >= 1} e_x)` with
//! `e_x = exp(-x^2 / (2 s2))`. Computed in fixed point with 63 fractional bits:
//! the numerator is rounded up at each step and the denominator down, so the
//! result is never below the true tail. No float takes part, and every machine
//! finds the same threshold.
//!
//! Rounding costs something at large noise only: the threshold is the least
//! possible one below a standard deviation of about 1,200, at most 1 above it up
//! to 12,000, and at most 11 above it at 65,536.

use crate::variance::Variance;

/// 1.0 in fixed point.
const ONE: u128 = 1 << 63;

/// Parts per 1e18: the unit of delta.
const ATTO: u128 = 1_000_000_000_000_000_000;

/// The least tau, but for the rounding above, with
/// `P[Z >= tau - k] <= gate_atto_delta / touched * 1e-18`, and never below k.
///
/// A cell with exactly k clients is the only one whose presence one client can
/// change; it shows with at most that probability, for each of the `touched`
/// cells one client is counted in.
///
/// # Panics
/// When `gate_atto_delta / touched` is under 1e6 (1e-12 in probability), where
/// the fixed point has too few digits. A [`crate::Policy`] has at least 1e9, and
/// a request touches at most 33 cells.
pub fn threshold(k: u32, variance: Variance, gate_atto_delta: u64, touched: u64) -> i64 {
    let allowed = u128::from(gate_atto_delta / touched);
    assert!(allowed >= 1_000_000, "the gate's share of delta is under 1e-12");
    let table = Terms::new(variance);
    i64::from(k) + table.least(|tail| fits(tail, table.whole, allowed))
}

/// The smallest integer q with `P[|Z| <= q] >= 0.95`.
pub fn half_width_95(variance: Variance) -> i64 {
    let table = Terms::new(variance);
    // P[|Z| > q] = 2 P[Z >= q + 1] <= 0.05.
    table.least(|tail| fits(tail, table.whole, ATTO / 40)).max(1) - 1
}

/// `upper / whole <= allowed / 1e18`.
fn fits(upper: u128, whole: u128, allowed: u128) -> bool {
    // upper < 2^85 and 1e18 < 2^60 could pass 128 bits: scale by parts.
    let (q, r) = (upper / whole, upper % whole);
    q == 0 && mul_div_ceil(r, ATTO, whole) <= allowed
}

/// `ceil(a * b / c)` for `a < c < 2^85` and `b < 2^60`, by binary long division.
fn mul_div_ceil(a: u128, b: u128, c: u128) -> u128 {
    let (mut quotient, mut rest) = (0u128, 0u128);
    for bit in (0..60).rev() {
        rest *= 2;
        quotient *= 2;
        if b >> bit & 1 == 1 {
            rest += a;
        }
        quotient += rest / c;
        rest %= c;
    }
    quotient + u128::from(rest > 0)
}

struct Terms {
    /// Upper bounds of the sum of `e_x` over x >= 0, 1, ..., descending.
    tails: Vec<u128>,
    /// Lower bound of the sum of all terms over the integers.
    whole: u128,
}

impl Terms {
    fn new(variance: Variance) -> Self {
        // w = exp(-1/(2 s2)); e_x = e_(x-1) w^(2x-1), and w^(2x+1) = w^(2x-1) w^2.
        let (w_down, w_up) = exp_neg_small(variance.den().into(), 2 * u128::from(variance.num()));
        let (w2_down, w2_up) = (mul_down(w_down, w_down), mul_up(w_up, w_up));
        let (mut down, mut up) = (ONE, ONE);
        let (mut step_down, mut step_up) = (w_down, w_up);
        let mut terms = vec![ONE];
        let mut whole = ONE;
        // At 12 standard deviations the true term is below 2^-63.
        let sd = (variance.num() / variance.den()).isqrt() + 1;
        for _ in 0..12 * sd {
            down = mul_down(down, step_down);
            up = mul_up(up, step_up);
            step_down = mul_down(step_down, w2_down);
            step_up = mul_up(step_up, w2_up);
            whole += 2 * down;
            terms.push(up);
        }
        // Beyond X = 12 sd: sum <= e_X / (1 - exp(-X / s2)) with e_X < 5.4e-32
        // and 1 - exp(-12/sd) >= 1/(sd + 1); far below one unit of 2^-63 for
        // sd <= 2^16.
        let mut tail = 1;
        for term in terms.iter_mut().rev() {
            tail += *term;
            *term = tail;
        }
        Self { tails: terms, whole }
    }

    /// The least z >= 0 whose tail fits.
    fn least(&self, fits: impl Fn(u128) -> bool) -> i64 {
        let z = self.tails.partition_point(|tail| !fits(*tail));
        i64::try_from(z).expect("under 2^21 terms")
    }
}

/// Lower and upper bound of `exp(-num/den)` for `num/den <= 1/2`: one partial sum
/// of the series, with each term rounded both ways, and two units for the rest.
fn exp_neg_small(num: u128, den: u128) -> (u128, u128) {
    let (mut low, mut high) = (ONE, ONE);
    let (mut term_down, mut term_up) = (ONE, ONE);
    for k in 1..40u128 {
        term_down = term_down * num / (den * k);
        term_up = (term_up * num).div_ceil(den * k);
        if k % 2 == 1 {
            low -= term_up.min(low);
            high -= term_down;
        } else {
            low += term_down;
            high += term_up;
        }
        if term_up <= 1 {
            break;
        }
    }
    // The first term left out is at most the last one used, one unit.
    (low.saturating_sub(2), high + 2)
}

fn mul_down(a: u128, b: u128) -> u128 {
    (a * b) >> 63
}

fn mul_up(a: u128, b: u128) -> u128 {
    (a * b + (ONE - 1)) >> 63
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sd(text: &str) -> Variance {
        Variance::from_sd(text).unwrap()
    }

    #[test]
    fn the_documented_thresholds() {
        // k = 5, sd 5, L0 = 5: the demo's tables.
        assert_eq!(threshold(5, sd("5"), 100_000_000_000, 6), 34);
        // disclosure reference: P(|Z| <= q) for sd 1 is q = 2, sd 10 is 20 (q least).
        assert_eq!(half_width_95(sd("1")), 2);
        assert_eq!(half_width_95(sd("10")), 20);
    }

    #[test]
    fn more_noise_or_less_delta_never_lowers_the_threshold() {
        let mut last = 0;
        for s in 1..60 {
            let tau = threshold(5, sd(&s.to_string()), 100_000_000_000, 6);
            assert!(tau >= last);
            last = tau;
        }
        for touched in 1..32 {
            assert!(
                threshold(5, sd("4"), 100_000_000_000, touched) <= threshold(5, sd("4"), 100_000_000_000, touched + 1)
            );
        }
    }

    #[test]
    fn never_below_the_float_tail() {
        // An independent float computation of P[Z >= tau - k] must be within
        // the bound, and one step lower must not be.
        for (s, touched) in [("1", 1), ("2.5", 4), ("5", 6), ("20", 33), ("100", 2)] {
            let v = sd(s);
            let z = threshold(0, v, 100_000_000_000, touched);
            #[expect(clippy::cast_precision_loss, reason = "a float oracle")]
            let tail = |z: i64| {
                let e = |x: i64| (-(x as f64).powi(2) / (2.0 * v.sd().powi(2))).exp();
                let far = 4000;
                (z..far).map(e).sum::<f64>() / (-far..far).map(e).sum::<f64>()
            };
            #[expect(clippy::cast_precision_loss, reason = "a float oracle")]
            let allowed = 1e-7 / touched as f64;
            assert!(tail(z) <= allowed, "sd {s}");
            assert!(tail(z - 1) > allowed, "sd {s} could be lower");
        }
    }
}
