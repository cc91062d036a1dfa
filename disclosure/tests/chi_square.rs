//! The distribution of `gaussian::sample`, by chi-square goodness of fit over
//! the streams that production draws from, one per cell; and proof that the
//! test can fail: copies of the sampler with one planted mistake each, which it
//! must reject. (A sampler published elsewhere was wrong for two years with its
//! variance right to 0.2 %: moments alone see little.)
//!
//! Seeds are fixed, so the outcome is too. A correct sampler with other seeds
//! fails one comparison in a million.

use koonti_disclosure::gaussian::{self, Bytes, Error};
use koonti_disclosure::names::Digest;
use koonti_disclosure::stream::{Context, Seed, VectorKey};
use koonti_disclosure::{Name, Variance};
use std::f64::consts::PI;

const ALPHA: f64 = 1e-6;
/// Of each variance, for library and copies alike: what rejects the mistakes
/// must be the very test that the library passes.
const SAMPLES: u64 = 500_000;
const VARIANCES: [(u64, u64); 7] = [(1, 1), (3, 2), (9, 4), (15, 1), (1499, 100), (100, 1), (7_000_001, 7)];

fn variance((num, den): (u64, u64)) -> Variance {
    Variance::new(num, den).unwrap()
}

/// The key of a table; `vector` tells the tests' draws apart.
fn key(vector: u32) -> VectorKey {
    let node: Name = "kainuu".parse().unwrap();
    let context = Context {
        node: &node,
        request: Digest::of(b"chi-square request"),
        vintages: &[Digest::of(b"chi-square vintage")],
        round: Digest::of(b"chi-square round"),
        attempt: 0,
    };
    VectorKey::derive(&Seed::new(Digest::of(b"chi-square seed").0), &Digest::of(b"nonce"), &context, vector)
}

// --- the statistics -----------------------------------------------------------

/// `P[X >= x]` of the chi-square distribution: the regularised incomplete gamma
/// function Q(df/2, x/2), by its series below the mean and Legendre's continued
/// fraction above, where each converges quickly; gamma of a half-integer is an
/// exact product. Double precision leaves some ten digits; alpha needs two.
fn p_value(x: f64, df: u32) -> f64 {
    let (s, y) = (f64::from(df) / 2.0, x / 2.0);
    let (mut ln_gamma, mut at) = if df.is_multiple_of(2) { (0.0, 1.0) } else { (PI.sqrt().ln(), 0.5) };
    while at < s - 0.25 {
        ln_gamma += f64::ln(at);
        at += 1.0;
    }
    let front = (s * y.ln() - y - ln_gamma).exp();
    if y <= s + 1.0 {
        let mut term = 1.0 / s;
        let mut sum = term;
        for i in 1..10_000 {
            term *= y / (s + f64::from(i));
            sum += term;
        }
        return 1.0 - front * sum;
    }
    // Modified Lentz for 1/(y+1-s - 1(1-s)/(y+3-s - 2(2-s)/(y+5-s - ...))).
    let mut b = y + 1.0 - s;
    let (mut c, mut d) = (1e300, 1.0 / b);
    let mut fraction = d;
    for i in 1..10_000 {
        let a = -f64::from(i) * (f64::from(i) - s);
        b += 2.0;
        d = 1.0 / (a * d + b);
        c = b + a / c;
        fraction *= d * c;
    }
    front * fraction
}

#[test]
fn p_values_known_in_closed_form() {
    let close = |found: f64, wanted: f64| assert!((found / wanted - 1.0).abs() < 1e-9, "{found} for {wanted}");
    for x in [1.0, 3.0, 30.0, 60.0_f64] {
        let y = x / 2.0;
        close(p_value(x, 2), (-y).exp());
        close(p_value(x, 4), (-y).exp() * (1.0 + y));
        close(p_value(x, 8), (-y).exp() * (1.0 + y + y * y / 2.0 + y.powi(3) / 6.0));
        close(p_value(x, 3), p_value(x, 1) + (2.0 * x / PI).sqrt() * (-y).exp());
    }
    // One degree of freedom: both tails of the normal distribution at 4.8916 sd.
    assert!((p_value(4.891_638_475_699_1_f64.powi(2), 1) / 1e-6 - 1.0).abs() < 1e-6);
}

/// Bins fixed before anything is drawn: equal widths of about sd/8 (one value
/// each where that is less), and the outer ones pooled until each expects at
/// least five.
struct Bins {
    /// First value of each bin but the first, which is open downward.
    starts: Vec<i64>,
    expected: Vec<f64>,
    zero: f64,
}

impl Bins {
    #[expect(clippy::cast_possible_truncation, reason = "an sd under 2^16")]
    fn new(variance: Variance, samples: u64) -> Self {
        let sd = variance.sd();
        let width = ((sd / 8.0) as i64).max(1);
        let reach = ((12.0 * sd) as i64 / width + 1) * width;
        // Float sums of positive terms: relative errors of 1e-12 at most, where
        // a difference of 1e-3 would barely show with these numbers of samples.
        let weight = |x: i64| (-(x as f64).powi(2) * variance.den() as f64 / (2.0 * variance.num() as f64)).exp();
        let whole: f64 = (-reach..reach).map(weight).sum();
        let mut starts = Vec::new();
        let mut expected = Vec::new();
        let mut pooled = 0.0;
        for start in (-reach..reach).step_by(usize::try_from(width).unwrap()) {
            let here = (start..start + width).map(weight).sum::<f64>() / whole * samples as f64;
            if expected.is_empty() || pooled >= 5.0 {
                starts.push(start);
                expected.push(here);
                pooled = here;
            } else {
                pooled += here;
                *expected.last_mut().unwrap() += here;
            }
        }
        while expected.last().is_some_and(|last| *last < 5.0) {
            let last = expected.pop().unwrap();
            starts.pop();
            *expected.last_mut().unwrap() += last;
        }
        assert!(expected.iter().all(|e| *e >= 5.0) && expected.len() >= 5);
        assert!((expected.iter().sum::<f64>() - samples as f64).abs() < 1e-3);
        starts.remove(0);
        Self { starts, expected, zero: 1.0 / whole }
    }

    fn p_value(&self, samples: &[i64]) -> f64 {
        let mut counts = vec![0u32; self.expected.len()];
        for x in samples {
            counts[self.starts.partition_point(|start| start <= x)] += 1;
        }
        let fit = counts.iter().zip(&self.expected).map(|(o, e)| (f64::from(*o) - e).powi(2) / e).sum();
        p_value(fit, u32::try_from(counts.len()).unwrap() - 1)
    }
}

// --- the library --------------------------------------------------------------

#[test]
fn the_sampler_fits_its_distribution() {
    for (v, fraction) in (0u32..).zip(VARIANCES) {
        let s2 = variance(fraction);
        let bins = Bins::new(s2, SAMPLES);
        let key = key(v);
        let samples: Vec<i64> =
            (0..SAMPLES).map(|cell| gaussian::sample(s2, &mut key.cell(0, 0, cell)).unwrap()).collect();
        let p = bins.p_value(&samples);
        println!("{fraction:?}: {} bins, p = {p:.3}", bins.expected.len());
        assert!(p >= ALPHA, "{fraction:?}: p = {p:e}");

        // The test is not blind because it is coarse: zero, and the two signs.
        let zeros = samples.iter().filter(|x| **x == 0).count() as f64;
        let n = SAMPLES as f64;
        let z2 = (zeros - n * bins.zero).powi(2) / (n * bins.zero * (1.0 - bins.zero));
        assert!(p_value(z2, 1) >= ALPHA, "{fraction:?}: {zeros} zeros, {} expected", n * bins.zero);
        let p = symmetry(&samples, s2);
        assert!(p >= ALPHA, "{fraction:?}: symmetry, p = {p:e}");
    }
}

/// Compares each value's (or bin's) count with that of its negative, which
/// needs no expected probabilities at all.
fn symmetry(samples: &[i64], variance: Variance) -> f64 {
    #[expect(clippy::cast_possible_truncation, reason = "an sd under 2^16")]
    let width = ((variance.sd() / 8.0) as u64).max(1);
    let mut sides = vec![(0u32, 0u32); 100];
    for x in samples.iter().filter(|x| **x != 0) {
        let bin = usize::try_from((x.unsigned_abs() - 1) / width).unwrap().min(99);
        let side = if *x > 0 { &mut sides[bin].0 } else { &mut sides[bin].1 };
        *side += 1;
    }
    let enough = sides.into_iter().filter(|(a, b)| a + b >= 20);
    let (fit, df) = enough
        .fold((0.0, 0), |(fit, df), (a, b)| (fit + (f64::from(a) - f64::from(b)).powi(2) / f64::from(a + b), df + 1));
    p_value(fit, df)
}

// --- copies with a mistake ----------------------------------------------------

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Mutation {
    None,
    /// In `bernoulli_exp_unit`, `a/b` where it should be `a/(b k)`. (Not for
    /// `a = b`, where it would never end.)
    BernoulliExpUnitSkipsK,
    /// The same loop one factor short: divisors 2, 3, ... instead of 1, 2, ...
    ExpOffByOne,
    /// A sign with probability 120/256.
    BiasedCoin,
    /// A negative zero counts as zero instead of starting again.
    ZeroCountedTwice,
    /// Laplace of scale `floor(sd)`, accepted as if of scale `floor(sd) + 1`.
    /// (Any scale used in both places would be right, only slower or faster.)
    LaplaceScaleOff,
    /// `n/d` floored to an integer.
    VarianceRoundedDown,
    /// `x / k` as dashu-ratio 0.4 divided: numerator `a / g`, denominator
    /// `(b / g) k`, with `g = gcd(a, k)`, which does not divide `b`.
    GcdWronglyCancelled,
    /// `uniform(m)` by remainder instead of rejection.
    ModuloBias,
    /// The number of whole units in `bernoulli_exp` dropped.
    WholeUnitsDropped,
}

/// The algorithm of the header of `gaussian.rs` again, slower and plainer.
struct Sampler<'a, B> {
    mutation: Mutation,
    bytes: &'a mut B,
}

impl<B: Bytes> Sampler<'_, B> {
    fn bernoulli(&mut self, mut a: u128, b: u128) -> bool {
        if a == b {
            return true;
        }
        while a != 0 {
            let u = u128::from(self.bytes.next_byte().unwrap());
            let (q, r) = (a * 256 / b, a * 256 % b);
            if u != q {
                return u < q;
            }
            a = r;
        }
        false
    }

    fn bernoulli_exp_unit(&mut self, a: u128, b: u128) -> bool {
        let mut rounds = 0;
        loop {
            let k = rounds + 1;
            let (num, den) = match self.mutation {
                Mutation::BernoulliExpUnitSkipsK if a < b => (a, b),
                Mutation::ExpOffByOne => (a, b * (k + 1)),
                Mutation::GcdWronglyCancelled => {
                    let g = gcd(a, b);
                    let (a, b) = (a / g, b / g);
                    let g = gcd(a, k);
                    (a / g, b / g * k)
                }
                _ => (a, b * k),
            };
            if !self.bernoulli(num, den) {
                return rounds % 2 == 0;
            }
            rounds += 1;
        }
    }

    fn bernoulli_exp(&mut self, a: u128, b: u128) -> bool {
        let whole = if self.mutation == Mutation::WholeUnitsDropped { 0 } else { a / b };
        (0..whole).all(|_| self.bernoulli_exp_unit(1, 1)) && self.bernoulli_exp_unit(a % b, b)
    }

    fn uniform(&mut self, m: u128) -> u128 {
        let bits = 128 - (m - 1).leading_zeros();
        loop {
            let mut value = 0u128;
            for _ in 0..bits.div_ceil(8) {
                value = value << 8 | u128::from(self.bytes.next_byte().unwrap());
            }
            value &= (1 << bits) - 1;
            if self.mutation == Mutation::ModuloBias {
                value %= m;
            }
            if value < m {
                return value;
            }
        }
    }

    fn laplace(&mut self, t: u128) -> (bool, u128) {
        loop {
            let u = self.uniform(t);
            if !self.bernoulli_exp_unit(u, t) {
                continue;
            }
            let mut v = 0;
            while self.bernoulli_exp_unit(1, 1) {
                v += 1;
            }
            let negative = self.bernoulli(if self.mutation == Mutation::BiasedCoin { 120 } else { 128 }, 256);
            let x = u + t * v;
            if !negative || x != 0 || self.mutation == Mutation::ZeroCountedTwice {
                return (negative, x);
            }
        }
    }

    fn sample(&mut self, variance: Variance) -> i64 {
        let (mut n, mut d) = (u128::from(variance.num()), u128::from(variance.den()));
        if self.mutation == Mutation::VarianceRoundedDown {
            (n, d) = (n / d, 1);
        }
        let t = (n / d).isqrt() + 1;
        let scale = if self.mutation == Mutation::LaplaceScaleOff { t - 1 } else { t };
        loop {
            let (negative, y) = self.laplace(scale);
            let off = (y * t * d).abs_diff(n);
            if self.bernoulli_exp(off * off, 2 * n * d * t * t) {
                let y = i64::try_from(y).unwrap();
                return if negative { -y } else { y };
            }
        }
    }
}

fn gcd(mut a: u128, mut b: u128) -> u128 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// A stream that counts what is read from it.
struct Counted<B> {
    bytes: B,
    read: usize,
}

impl<B: Bytes> Bytes for Counted<B> {
    fn next_byte(&mut self) -> Result<u8, Error> {
        self.read += 1;
        self.bytes.next_byte()
    }
}

fn draw(mutation: Mutation, fraction: (u64, u64), key: &VectorKey) -> Vec<i64> {
    let s2 = variance(fraction);
    (0..SAMPLES).map(|cell| Sampler { mutation, bytes: &mut key.cell(0, 0, cell) }.sample(s2)).collect()
}

#[test]
fn the_copy_is_the_library_and_passes() {
    for (v, fraction) in (100u32..).zip(VARIANCES) {
        let s2 = variance(fraction);
        let key = key(v);
        let mut samples = Vec::new();
        for cell in 0..SAMPLES {
            let mut ours = Counted { bytes: key.cell(0, 0, cell), read: 0 };
            let mut theirs = Counted { bytes: key.cell(0, 0, cell), read: 0 };
            let drawn = Sampler { mutation: Mutation::None, bytes: &mut ours }.sample(s2);
            assert_eq!(Ok(drawn), gaussian::sample(s2, &mut theirs), "{fraction:?}, cell {cell}");
            assert_eq!(ours.read, theirs.read, "{fraction:?}, cell {cell}");
            samples.push(drawn);
        }
        let p = Bins::new(s2, SAMPLES).p_value(&samples);
        assert!(p >= ALPHA, "{fraction:?}: p = {p:e}");
    }
}

/// Where products pass 56, 64 and nearly 128 bits, the library changes over
/// between two widths of division; the copy has one.
#[test]
fn the_copy_is_the_library_for_wide_fractions() {
    for (v, fraction) in (200u32..).zip([
        ((1 << 24) + 1, 1 << 24),
        (16_785_409, 16_777_213),
        (1_000_000_007, 16_777_213),
        (1 << 32, 1),
        ((1 << 56) - 1, 1 << 24),
    ]) {
        let s2 = variance(fraction);
        let key = key(v);
        for cell in 0..50_000 {
            let mut ours = Counted { bytes: key.cell(0, 0, cell), read: 0 };
            let mut theirs = Counted { bytes: key.cell(0, 0, cell), read: 0 };
            let drawn = Sampler { mutation: Mutation::None, bytes: &mut ours }.sample(s2);
            assert_eq!(
                (Ok(drawn), ours.read),
                (gaussian::sample(s2, &mut theirs), theirs.read),
                "{fraction:?}, {cell}"
            );
        }
    }
}

/// The chi-square rejects the mutation at each of these variances.
fn rejects(mutation: Mutation, at: &[(u64, u64)]) {
    for fraction in at {
        let place = VARIANCES.iter().position(|known| known == fraction).unwrap();
        let samples = draw(mutation, *fraction, &key(100 + u32::try_from(place).unwrap()));
        let p = Bins::new(variance(*fraction), SAMPLES).p_value(&samples);
        assert!(p < ALPHA, "{mutation:?} passes at {fraction:?} with p = {p:e}");
    }
}

#[test]
fn rejects_bernoulli_exp_unit_skips_k() {
    rejects(Mutation::BernoulliExpUnitSkipsK, &VARIANCES);
}

#[test]
fn rejects_exp_off_by_one() {
    rejects(Mutation::ExpOffByOne, &VARIANCES);
}

#[test]
fn rejects_biased_coin() {
    rejects(Mutation::BiasedCoin, &VARIANCES);
}

#[test]
fn rejects_zero_counted_twice() {
    rejects(Mutation::ZeroCountedTwice, &[(1, 1), (3, 2), (9, 4), (15, 1), (1499, 100), (100, 1)]);
}

#[test]
fn rejects_laplace_scale_off() {
    rejects(Mutation::LaplaceScaleOff, &[(1, 1), (3, 2), (9, 4), (15, 1), (1499, 100), (100, 1)]);
}

#[test]
fn rejects_variance_rounded_down() {
    rejects(Mutation::VarianceRoundedDown, &[(3, 2), (9, 4), (1499, 100)]);
}

#[test]
fn rejects_gcd_wrongly_cancelled() {
    rejects(Mutation::GcdWronglyCancelled, &[(15, 1), (1499, 100)]);
}

#[test]
fn rejects_modulo_bias() {
    rejects(Mutation::ModuloBias, &[(100, 1), (7_000_001, 7)]);
}

#[test]
fn rejects_whole_units_dropped() {
    rejects(Mutation::WholeUnitsDropped, &VARIANCES);
}
