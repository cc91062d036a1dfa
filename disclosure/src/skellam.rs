//! Tails of symmetric Skellam noise, for the margin of a regional table's
//! threshold and the half-widths printed beside its figures.
//!
//! `P[Z = k] = exp(-V) I_|k|(V)` for variance V. The Bessel functions are found by
//! Miller's backward recurrence `t_(k-1) = t_(k+1) + (2 k / V) t_k` (Gautschi,
//! "Computational Aspects of Three-Term Recurrence Relations", SIAM Review 1967),
//! from 16 standard deviations and 40 outward, where less than 1e-50 is left, and
//! made to sum to 1.
//!
//! Floats may be used because no privacy depends on these numbers: both functions
//! see only what is public, and what they decide is done to a sum that has its
//! noise already. A margin too low would let cells through more often than eta
//! says, at the same loss of privacy. Still every machine finds the same: only
//! `+`, `*` and `/` of doubles occur, which IEEE 754 fixes to the bit. All terms are
//! positive, so that relative errors only add up, to under 16 units of 2^-53 a step
//! in the quotient of two sums; each tail is raised by 2^-26 of itself, which is
//! more than 8e6 steps can be wrong by. A variance of 2^34 takes 2.1e6.
//!
//! Not looked at: that [`crate::poisson`] rounds the mean lambda of a draw up, which
//! makes the variance greater by less than `2^-20 / lambda` of itself.

/// The least `z >= 0` with `P[Z >= z] <= eta / cells`: with probability `1 - eta` or
/// more, none of `cells` cells has noise of `z` or more.
///
/// `variance` is a reduced fraction up to 2^34 and `eta` a fraction, both as
/// numerator and denominator.
///
/// # Panics
/// When a part of a fraction is zero.
pub fn margin(variance: (u64, u64), eta: (u64, u64), cells: u64) -> i64 {
    assert!(eta.0 > 0 && eta.1 > 0, "eta is zero or no fraction");
    let allowed = float(eta.0) / float(eta.1) / float(cells);
    Tails::new(variance).least(allowed)
}

/// The smallest integer q with `P[|Z| <= q] >= 0.95`, for a variance as in [`margin`].
///
/// # Panics
/// When a part of the fraction is zero.
pub fn half_width_95(variance: (u64, u64)) -> i64 {
    // P[|Z| > q] = 2 P[Z >= q + 1] <= 0.05; and P[Z >= 0] is above a half.
    Tails::new(variance).least(0.025) - 1
}

struct Tails {
    /// Of 0, 1, ..., descending: the sum of `t_k` over k from there on.
    sums: Vec<f64>,
    /// The sum of all `t_k`, with those of negative k.
    whole: f64,
}

impl Tails {
    fn new((num, den): (u64, u64)) -> Self {
        assert!(num > 0 && den > 0, "the variance is zero or no fraction");
        let reach = 16 * ((num / den).isqrt() + 1) + 40;
        let step = 2.0 * (float(den) / float(num));
        let (mut outer, mut term, mut sum) = (0.0, 1.0, 1.0);
        let mut sums = vec![sum];
        for k in (1..=reach).rev() {
            (outer, term) = (term, outer + float(k) * step * term);
            sum += term;
            sums.push(sum);
            if term > LARGE {
                // By a power of two: exact, but for terms that are lost in the sum.
                let scaled = [&mut outer, &mut term, &mut sum].into_iter().chain(&mut sums);
                scaled.for_each(|x| *x *= 1.0 / LARGE);
            }
        }
        sums.reverse();
        Self { whole: 2.0 * sum - term, sums }
    }

    fn least(&self, allowed: f64) -> i64 {
        let fits = |sum: &f64| *sum * RAISED <= allowed * self.whole;
        i64::try_from(self.sums.partition_point(|sum| !fits(sum))).expect("a number of terms")
    }
}

/// Where terms are scaled down: 2^500.
const LARGE: f64 = f64::from_bits((1023 + 500) << 52);

/// By what a tail is raised.
const RAISED: f64 = 1.0 + 1.0 / 67_108_864.0;

#[expect(clippy::cast_precision_loss, reason = "rounds once, to nearest")]
fn float(x: u64) -> f64 {
    x as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_answers() {
        // From the same sums in 60 digits, by mpmath.
        for (variance, eta, cells, z, q) in [
            ((1, 1), (1, 100), 1, 3, 2),
            ((1, 1), (1, 100), 1000, 6, 2),
            ((25, 1), (1, 100), 1, 13, 10),
            ((25, 1), (1, 100), 50_000, 27, 10),
            ((275, 9), (1, 100), 2472, 26, 11),
            ((400, 1), (1, 20), 309, 73, 39),
            ((10_000, 1), (1, 1_000_000), 1_000_000, 705, 196),
            ((1_000_003, 7), (1, 100), 50_000, 1917, 741),
            // Far out, and where terms grow past what a double holds.
            ((3, 2), (1, u64::MAX), 1 << 60, 31, 2),
            ((1, 1000), (1, 100), 1, 1, 0),
            ((1, 1_000_000), (1, 100), 100_000, 2, 0),
            ((1, 1 << 60), (1, 100), 1 << 60, 2, 0),
            ((1, 1 << 60), (1, 100), 1, 1, 0),
        ] {
            assert_eq!(margin(variance, eta, cells), z, "{variance:?}, {eta:?}, {cells}");
            assert_eq!(half_width_95(variance), q, "{variance:?}");
        }
        // P[Z >= 1] is about V / 2, wherever terms are scaled on the way.
        for den in (8..=56).map(|power| 1 << power) {
            let at = |hundredths| margin((1, den), (hundredths, 200 * den), 1);
            assert_eq!((at(101), at(99)), (1, 2), "1/{den}");
        }
        // The normal distribution's 1.959964 standard deviations, less a half.
        assert_eq!(half_width_95((1 << 34, 1)), 256_896);
        assert_eq!(margin((25, 1), (1, 1), 1), 0);
    }

    /// `P[Z >= z]` for z = 0, 1, ..., by convolution of two Poisson distributions.
    fn convolved(variance: f64) -> Vec<f64> {
        let (mean, mut ln_p, mut poisson) = (variance / 2.0, -variance / 2.0, Vec::new());
        for k in 1..1000 {
            poisson.push(f64::exp(ln_p));
            ln_p += (mean / f64::from(k)).ln();
        }
        let at = |z: usize| poisson[z..].iter().zip(&poisson).map(|(a, b)| a * b).sum::<f64>();
        let mut tails: Vec<f64> = (0..400).map(at).collect();
        let mut sum = 0.0;
        for tail in tails.iter_mut().rev() {
            sum += *tail;
            *tail = sum;
        }
        tails
    }

    #[test]
    fn the_least_margin_by_the_convolved_tail() {
        for (num, den) in [(1, 1), (3, 2), (5, 1), (25, 1), (275, 9), (100, 1), (400, 1)] {
            let tails = convolved(float(num) / float(den));
            for cells in [1, 2, 33, 309, 50_000, 1_000_000_000_000] {
                let allowed = 0.05 / float(cells);
                let z = usize::try_from(margin((num, den), (1, 20), cells)).unwrap();
                assert!(tails[z] <= allowed && tails[z - 1] > allowed, "{num}/{den}, {cells}: {z}");
            }
            let q = usize::try_from(half_width_95((num, den))).unwrap();
            assert!(tails[q + 1] <= 0.025 && tails[q] > 0.025, "{num}/{den}: {q}");
        }
    }

    #[test]
    fn more_noise_or_cells_or_less_eta_never_lowers_the_margin() {
        for v in 1..200 {
            assert!(margin((v, 3), (1, 100), 309) <= margin((v + 1, 3), (1, 100), 309));
            assert!(margin((25, 1), (1, 100), v) <= margin((25, 1), (1, 100), v + 1));
            assert!(margin((25, 1), (1, v), 309) <= margin((25, 1), (1, v + 1), 309));
            assert!(half_width_95((v, 3)) <= half_width_95((v + 1, 3)));
        }
    }
}
