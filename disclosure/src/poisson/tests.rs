//! The tables, looked into. Floats are oracles here; the module itself has none.

#![expect(clippy::cast_precision_loss, reason = "float oracles")]

use super::*;
use crate::account::epsilon;
use crate::names::Digest;

fn table(num: u64, den: u64, honest: u32) -> Poisson {
    Poisson::new(Variance::new(num, den).unwrap(), honest).unwrap()
}

impl Poisson {
    /// k and its weight.
    fn weights(&self) -> impl Iterator<Item = (u64, u128)> {
        let before = [0].iter().chain(&self.sums);
        (self.first..).zip(self.sums.iter().zip(before).map(|(sum, before)| sum - before))
    }

    fn whole(&self) -> u128 {
        *self.sums.last().unwrap()
    }
}

/// Means from one over a thousand to 2^20, in units of 2^-20.
fn means() -> impl Iterator<Item = u64> {
    let odd = successors(Some(1049u64), |mean| Some(mean * 5 / 3)).take_while(|mean| *mean < 1 << 40);
    odd.chain([1049, 1 << 20, (1 << 20) - 1, (5 << 20) + 1, 1 << 40])
}

#[test]
fn the_same_tables_as_a_second_implementation() {
    // Written from the header with Python's integers; the digest is that of
    // all sums as 16 bytes each. The distance from Poisson, in 400 bits, was
    // 2^-112.96 for the last and less for the others.
    for (num, den, honest, first, length, digest) in [
        (1, 1, 500, 0, 11, "14199065f9139724c3167f25eed5b2545558a82bda9b1b6b0b819f55689f346a"),
        (1, 1, 3, 0, 22, "4c9cbac8018bd21f5d2993b117e32e7995b244a030d0c514af5297d025d544e4"),
        (25, 1, 9, 0, 37, "5182d9c4ba96cae6142b798657e51fdd64feb2a1b2cc6b9b79c0770c2c5bf03a"),
        (9604, 6, 9, 1, 236, "8e476d1dfef691ee6ee00b9e72dcc30e7e645bd5b87faeb617c401d0e721fec7"),
        (1_000_003, 7, 450, 27, 322, "c6b207cd60ac373494112de2ae8b81f136208606155e1f9d1c33aea42c6d8554"),
        (1 << 32, 1000, 500, 3481, 1683, "d03ea294c61bc9525acf8fe99f5c436e780edeb0a39df494e5d7067627d21a7e"),
        (6 << 20, 1, 3, 1_035_673, 25_859, "d8de1230e91ed313e78cc148fca554039fdd96690bc364d54d6afc4b45ae3faf"),
    ] {
        let table = table(num, den, honest);
        assert_eq!((table.first, table.sums.len()), (first, length));
        let bytes: Vec<u8> = table.sums.iter().flat_map(|sum| sum.to_be_bytes()).collect();
        assert_eq!(Digest::of(&bytes).to_string(), digest, "{num}/{den}, {honest}");
    }
}

#[test]
fn tables_have_the_size_that_the_bound_rests_on() {
    for mean in means() {
        let table = Poisson::with_mean(mean);
        assert!((1 << 126) - (1 << 16) <= table.whole() && table.whole() < 1 << 127, "{mean}");
        assert!(table.sums.len() <= 1 << 15, "{mean}");
        assert!(table.weights().all(|(_, w)| w > 0), "{mean}");
        let (mode, most) = table.weights().max_by_key(|(_, w)| *w).unwrap();
        assert!(most.is_power_of_two() && most >= 1 << 110, "{mean}");
        assert!(mean >> PLACES == mode || mean == mode << PLACES, "{mean}");
    }
}

#[test]
fn tables_are_poisson() {
    for mean in means() {
        let (table, lambda) = (Poisson::with_mean(mean), mean as f64 / (1 << PLACES) as f64);
        let mut ln_p = (1..=table.first).map(|i| (lambda / i as f64).ln()).sum::<f64>() - lambda;
        let mut moments = [0.0; 4];
        for (k, weight) in table.weights() {
            let p = weight as f64 / table.whole() as f64;
            if p > 1e-25 {
                assert!((p.ln() - ln_p).abs() < 1e-10 + lambda * 1e-13, "{mean}, {k}: {p:e}");
            }
            ln_p += (lambda / (k + 1) as f64).ln();
            for (power, moment) in (0..).zip(&mut moments) {
                *moment += p * (k as f64 - lambda).powi(power);
            }
        }
        // Mean, variance and third central moment are all lambda.
        for (moment, wanted) in moments.into_iter().zip([1.0, 0.0, lambda, lambda]) {
            assert!((moment - wanted).abs() < 1e-9 * (1.0 + lambda), "{mean}: {moment} for {wanted}");
        }
    }
}

#[test]
fn any_h_shares_have_the_variance_asked_for_or_more() {
    for (num, den) in [(1, 1), (3, 2), (25, 1), (40_000, 2_401), (1_000_003, 7), (1 << 22, 1)] {
        for honest in [3, 7, 9, 11, 100, 450, 499, 500] {
            let variance = Variance::new(num, den).unwrap();
            let a = scaled_mean(variance, honest);
            let shares = u128::from(2 * honest) * u128::from(den);
            assert!(a * shares >= u128::from(num) << PLACES && (a - 1) * shares < u128::from(num) << PLACES);
            // And the table has it, not the name only: 2 h times its own.
            let table = table(num, den, honest);
            let of = |power| {
                let terms = table.weights().map(|(k, w)| (k as f64 - table.first as f64).powi(power) * w as f64);
                terms.sum::<f64>() / table.whole() as f64
            };
            let together = (of(2) - of(1) * of(1)) * f64::from(2 * honest);
            assert!(together >= num as f64 / den as f64 * (1.0 - 1e-12), "{num}/{den}, {honest}: {together}");
        }
    }
}

#[test]
fn out_of_range() {
    let new = |num, den, honest| Poisson::new(Variance::new(num, den).unwrap(), honest).err();
    assert_eq!(new(6 << 20, 1, 3), None);
    assert_eq!(new((6 << 20) * 9 + 1, 9, 3), Some(Error::Mean));
    assert_eq!(new((1 << 56) - 1, 1 << 24, 3), Some(Error::Mean));
    assert_eq!((new(25, 1, 2), new(25, 1, 501)), (Some(Error::Honest), Some(Error::Honest)));
}

/// Bytes written down.
struct Tape(Vec<u8>, usize);

impl Tape {
    fn of(values: &[u128]) -> Self {
        Self(values.iter().flat_map(|value| value.to_be_bytes()).collect(), 0)
    }
}

impl Bytes for Tape {
    fn next_byte(&mut self) -> Result<u8, gaussian::Error> {
        self.1 += 1;
        self.0.get(self.1 - 1).copied().ok_or(gaussian::Error::Randomness)
    }
}

#[test]
fn each_value_has_as_many_draws_as_weight() {
    for table in [table(25, 1, 9), table(9604, 6, 9)] {
        let draw = |value| table.sample(&mut Tape::of(&[value])).unwrap();
        for (k, sum) in (i64::try_from(table.first).unwrap()..).zip(&table.sums[..table.sums.len() - 1]) {
            assert_eq!((draw(sum - 1), draw(*sum)), (k, k + 1));
            assert_eq!(draw(*sum | 1 << 127), k + 1, "the highest bit is not used");
        }
        let (whole, last) = (table.whole(), draw(table.whole() - 1));
        let mut tape = Tape::of(&[whole, u128::MAX, whole - 1, 0]);
        assert_eq!((table.sample(&mut tape), tape.1), (Ok(last), 48), "again from the sum of all on");
        let share = table.share(&mut Tape::of(&[0]), &mut Tape::of(&[whole - 1]));
        assert_eq!(share.unwrap(), draw(0) - last);
        assert_eq!(table.sample(&mut Tape(vec![0; 15], 0)), Err(gaussian::Error::Randomness));
    }
}

#[test]
fn the_charge_covers_the_bound() {
    assert!(u128::from(ATTO_DELTA) << 43 >= 10u128.pow(18) && u128::from(ATTO_DELTA - 1) << 43 < 10u128.pow(18));
    assert!(2 * 33 * 2 * u64::from(*HONEST.end()) <= 1 << 17);
    assert!(epsilon(10.0, 1e-6) < 34.0 && 1.0 + 34f64.exp() < 2f64.powi(50));
}
