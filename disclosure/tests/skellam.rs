//! Noise that nodes share: its distribution, alone and added up, over the streams
//! that production draws from; what is left of it when nodes withhold theirs; and
//! that the privacy loss charged for it covers its true Renyi divergence.
//!
//! Goodness of fit is as in `chi_square.rs`, with the same proof that it can fail.
//! Seeds are fixed, so the outcome is too.

use koonti_disclosure::names::Digest;
use koonti_disclosure::poisson::{ATTO_DELTA, Poisson};
use koonti_disclosure::stream::{Context, Seed, VectorKey};
use koonti_disclosure::{Codebook, Name, TableRequest, Variance, cost};

/// A normal deviate that a right sampler passes once in a million times.
const LIMIT: f64 = 4.753;

/// The key of a node of its own seed; `vector` tells the tests' draws apart.
fn key(node: u32, vector: u32) -> VectorKey {
    let name: Name = format!("node-{node}").parse().unwrap();
    let context = Context {
        node: &name,
        request: Digest::of(b"skellam request"),
        vintages: &[Digest::of(b"skellam vintage")],
        round: Digest::of(b"skellam round"),
        attempt: 0,
    };
    VectorKey::derive(&Seed::new(Digest::of(&node.to_be_bytes()).0), &Digest::of(b"nonce"), &context, vector)
}

/// What `nodes` nodes add to each of `cells` cells, when noise is sized for `honest`.
fn sums(variance: (u64, u64), honest: u32, nodes: u32, cells: u64, vector: u32) -> Vec<i64> {
    let table = Poisson::new(Variance::new(variance.0, variance.1).unwrap(), honest).unwrap();
    let mut sums = vec![0; usize::try_from(cells).unwrap()];
    for key in (0..nodes).map(|node| key(node, vector)) {
        for (cell, sum) in (0..).zip(&mut sums) {
            *sum += table.share(&mut key.cell(0, 0, cell), &mut key.cell(1, 0, cell)).unwrap();
        }
    }
    sums
}

/// `ln P[Z = k]` for k = 0, 1, ..., `reach`: ratios `I_k / I_(k-1)` by their
/// continued fraction from far out, in logarithms, so that no tail underflows.
fn ln_skellam(variance: f64, reach: u32) -> Vec<f64> {
    let mut ratio = 0.0;
    let mut logs: Vec<f64> = (1..=reach + 400)
        .rev()
        .map(|k| {
            ratio = 1.0 / (2.0 * f64::from(k) / variance + ratio);
            f64::ln(ratio)
        })
        .collect();
    logs.push(0.0);
    logs.reverse();
    let mut at = 0.0;
    for log in &mut logs {
        at += *log;
        *log = at;
    }
    let whole = 2.0 * logs.iter().rev().map(|log| log.exp()).sum::<f64>() - 1.0;
    logs.truncate(reach as usize + 1);
    logs.into_iter().map(|log| log - whole.ln()).collect()
}

// --- distributions -------------------------------------------------------------

/// How far samples are from Skellam noise of this variance, as a normal deviate
/// (Wilson and Hilferty's transformation of the chi-square). Bins are as wide as
/// an eighth of a standard deviation, pooled from below until each expects five.
fn deviate(samples: &[i64], variance: f64) -> f64 {
    let width = ((variance.sqrt() / 8.0) as u32).max(1);
    let reach = ((12.0 * variance.sqrt()) as u32 / width + 12) * width;
    let logs = ln_skellam(variance, reach);
    let mut bins: Vec<(i64, f64)> = Vec::new();
    let mut close = true;
    for start in (-i64::from(reach)..i64::from(reach)).step_by(width as usize) {
        let p: f64 = (start..start + i64::from(width)).map(|k| logs[k.unsigned_abs() as usize].exp()).sum();
        if close {
            bins.push((start, 0.0));
        }
        let bin = bins.last_mut().unwrap();
        bin.1 += p * samples.len() as f64;
        close = bin.1 >= 5.0;
    }
    if !close {
        let last = bins.pop().unwrap();
        bins.last_mut().unwrap().1 += last.1;
    }
    assert!(bins.len() >= 3 && (bins.iter().map(|bin| bin.1).sum::<f64>() / samples.len() as f64 - 1.0).abs() < 1e-9);
    let mut counts = vec![0u32; bins.len()];
    for x in samples {
        counts[bins.partition_point(|bin| bin.0 <= *x).saturating_sub(1)] += 1;
    }
    let fit: f64 = counts.iter().zip(&bins).map(|(o, (_, e))| (f64::from(*o) - e).powi(2) / e).sum();
    let df = (bins.len() - 1) as f64;
    let spread = 2.0 / (9.0 * df);
    ((fit / df).cbrt() - (1.0 - spread)) / spread.sqrt()
}

fn moments(samples: &[i64]) -> (f64, f64) {
    let n = samples.len() as f64;
    let mean = samples.iter().sum::<i64>() as f64 / n;
    (mean, samples.iter().map(|x| (*x as f64 - mean).powi(2)).sum::<f64>() / n)
}

/// Fit, and mean and variance within five standard errors (Skellam noise has the
/// fourth central moment `V + 3 V^2`).
fn assert_skellam(samples: &[i64], variance: f64, what: &str) {
    let (n, z) = (samples.len() as f64, deviate(samples, variance));
    assert!(z < LIMIT, "{what}: deviate {z}");
    let (mean, found) = moments(samples);
    assert!(mean.abs() < 5.0 * (variance / n).sqrt(), "{what}: mean {mean}");
    let error = ((variance + 2.0 * variance * variance) / n).sqrt();
    assert!((found - variance).abs() < 5.0 * error, "{what}: variance {found} for {variance}");
}

const VARIANCES: [((u64, u64), u32); 6] =
    [((1, 1), 500), ((1, 1), 3), ((25, 1), 9), ((400, 1), 3), ((1_000_003, 7), 450), ((6 << 20, 1), 3)];

#[test]
fn single_shares_fit_their_distribution() {
    for (vector, ((num, den), honest)) in (0..).zip(VARIANCES) {
        let samples = sums((num, den), honest, 1, 300_000, vector);
        assert_skellam(&samples, num as f64 / den as f64 / f64::from(honest), &format!("{num}/{den}, {honest}"));
    }
}

#[test]
fn shares_of_h_nodes_have_the_variance_asked_for_and_more_nodes_more() {
    for (vector, (mu, honest, cells)) in
        (100..).zip([(1u32, 3u32, 100_000), (25, 9, 50_000), (400, 17, 25_000), (2, 450, 1000)])
    {
        for nodes in [honest, honest + honest.div_ceil(9) + 1] {
            let samples = sums((mu.into(), 1), honest, nodes, cells, vector);
            let variance = f64::from(mu) * f64::from(nodes) / f64::from(honest);
            assert_skellam(&samples, variance, &format!("{mu}, {nodes} for {honest}"));
        }
    }
}

#[test]
fn c_nodes_that_withhold_their_noise_leave_what_privacy_needs() {
    // 12 nodes, at least 11 of which survive, 2 of which add nothing (or take off
    // what they know of): noise is sized for 9. The table's own variance, times 2 h,
    // is compared with mu exactly in `poisson.rs`.
    let (mu, least, colluding) = (25.0, 11, 2);
    let samples = sums((25, 1), least - colluding, least - colluding, 60_000, 200);
    assert_skellam(&samples, mu, "nine of eleven");
    // With one more than was counted on the test would show it.
    let short = sums((25, 1), least - colluding, least - colluding - 1, 60_000, 200);
    assert!(moments(&short).1 < 0.95 * mu && deviate(&short, mu) > LIMIT);
}

#[test]
fn wrong_noise_is_rejected() {
    let mu = 25.0;
    let table = Poisson::new(Variance::new(25, 1).unwrap(), 9).unwrap();
    let rejected = |what: &str, share: &dyn Fn(&VectorKey, u64) -> i64| {
        let key = key(0, 300);
        let samples: Vec<i64> = (0..200_000).map(|cell| share(&key, cell)).collect();
        assert!(deviate(&samples, mu / 9.0) > LIMIT, "{what} passes");
    };
    let one = |key: &VectorKey, sign, cell| table.sample(&mut key.cell(sign, 0, cell)).unwrap();
    rejected("one draw less its mean", &|key, cell| one(key, 0, cell) - 1);
    rejected("a sum of two draws", &|key, cell| one(key, 0, cell) + one(key, 1, cell) - 3);
    rejected("one stream for both draws", &|key, cell| one(key, 0, cell) - one(key, 0, cell));
    rejected("one stream for all cells", &|key, _| one(key, 0, 0) - one(key, 1, 0));
    rejected("cells in pairs", &|key, cell| one(key, 0, cell) - one(key, 0, cell ^ 1) + one(key, 1, cell));
    rejected("one value too low", &|key, cell| one(key, 0, cell) - 1 - one(key, 1, cell));
    let rounded = Poisson::new(Variance::new(24, 1).unwrap(), 9).unwrap();
    rejected("less noise by a twenty-fifth", &|key, cell| {
        rounded.share(&mut key.cell(0, 0, cell), &mut key.cell(1, 0, cell)).unwrap()
    });
    // Two nodes with one seed: each alone is right, the sum is not.
    let twice: Vec<i64> = sums((25, 1), 9, 1, 30_000, 301).into_iter().map(|x| 2 * x).collect();
    assert!(deviate(&twice, mu * 2.0 / 9.0) > LIMIT);
}

// --- what it costs -------------------------------------------------------------

/// The Renyi divergence of order `alpha` between `Z + shift` and `Z`, in either
/// direction (they are mirror images).
fn divergence(logs: &[f64], alpha: u32, shift: u32) -> f64 {
    let (reach, alpha) = (i64::try_from(logs.len()).unwrap() - 1, f64::from(alpha));
    let ln = |k: i64| logs[k.unsigned_abs() as usize];
    let term = |k: i64| alpha * ln(k - i64::from(shift)) + (1.0 - alpha) * ln(k);
    let terms: Vec<f64> = (i64::from(shift) - reach..=reach).map(term).collect();
    let most = terms.iter().copied().fold(f64::MIN, f64::max);
    assert!(terms[0] < most - 60.0 && terms[terms.len() - 1] < most - 60.0, "cut too early");
    (most + terms.iter().map(|t| (t - most).exp()).sum::<f64>().ln()) / (alpha - 1.0)
}

/// What is charged for a client who moves cells by amounts whose squares add up
/// to `d2` and whose sizes add up to `d1`. Agarwal, Kairouz and Liu 2021: the
/// divergence of integer order alpha is at most
/// `alpha d2 / (2 mu) + ((2 alpha - 1) d2 + 6 d1) / (4 mu^2)`.
fn rho(d2: f64, d1: f64, mu: f64) -> f64 {
    d2 / (2.0 * mu) * (1.0 + 1.0 / mu) + (6.0 * d1 - d2).max(0.0) / (4.0 * mu * mu)
}

const MUS: [u32; 13] = [1, 2, 3, 4, 5, 8, 10, 16, 25, 50, 100, 200, 400];

/// Far enough for every order up to 64: terms are largest about `alpha shift`.
fn far(mu: u32, shift: u32) -> u32 {
    64 * shift + 16 * mu.isqrt() + 300
}

#[test]
fn divergences_known_in_fifty_digits() {
    for (mu, shift, alpha, wanted) in [
        (1, 1, 2, 0.874_881_851_581_475_7),
        (1, 8, 64, 35.914_309_427_153_22),
        (2, 3, 5, 4.555_952_078_847_751),
        (25, 1, 33, 0.532_873_468_744_011_1),
        (100, 10, 8, 3.614_700_171_413_745),
        (400, 8, 64, 4.142_484_732_143_176),
    ] {
        let found = divergence(&ln_skellam(f64::from(mu), far(mu, shift)), alpha, shift);
        assert!((found / wanted - 1.0).abs() < 1e-10, "{mu}, {shift}, {alpha}: {found}");
    }
}

#[test]
fn the_charge_covers_the_divergence() {
    let mut closest: f64 = 0.0;
    for mu in MUS {
        let logs = ln_skellam(f64::from(mu), far(mu, 8));
        for (alpha, shift) in (2..=64).flat_map(|alpha| (1..=8).map(move |shift| (alpha, shift))) {
            let s = f64::from(shift);
            let (found, unit) = (divergence(&logs, alpha, shift), f64::from(alpha));
            let (mu, published) = (f64::from(mu), f64::from(2 * alpha - 1) * s * s + 6.0 * s);
            let published = unit * s * s / (2.0 * mu) + published / (4.0 * mu * mu);
            let charged = unit * rho(s * s, s, mu);
            assert!(found <= published, "mu {mu}, order {alpha}, shift {s}: {found}, published {published}");
            assert!(published <= charged * (1.0 + 1e-12), "mu {mu}, order {alpha}, shift {s}: {published}, {charged}");
            closest = closest.max(found / charged);
        }
    }
    // And not by miles: a charge two per cent lower would not do.
    assert!(closest > 0.98, "{closest}");
}

#[test]
fn the_charge_covers_many_cells_and_companion_sums() {
    // Divergences of independent cells add up. A client moves d cells by 1, and in
    // a companion sum by up to the range r, under noise of r^2 times the variance.
    for mu in MUS {
        for range in [1, 2, 3, 10] {
            let logs = ln_skellam(f64::from(mu * range * range), far(mu * range * range, range));
            for alpha in [2, 3, 4, 8, 16, 32, 64] {
                let one = divergence(&logs, alpha, range);
                for d in (1..=33).map(f64::from) {
                    let (r, order) = (f64::from(range), f64::from(alpha));
                    let charged = order * rho(d * r * r, d * r, f64::from(mu) * r * r);
                    assert!(d * one <= charged, "mu {mu}, order {alpha}, {d} cells by {r}: {one}, charged {charged}");
                }
            }
        }
        // Unequal shifts: part of the cells by 1, part by 8.
        let logs = ln_skellam(f64::from(mu), far(mu, 8));
        for alpha in [2, 3, 4, 8, 16, 32, 64] {
            let (small, large) = (divergence(&logs, alpha, 1), divergence(&logs, alpha, 8));
            for (a, b) in (0..33).map(|b| (f64::from(33 - b), f64::from(b))) {
                let charged = f64::from(alpha) * rho(a + 64.0 * b, a + 8.0 * b, f64::from(mu));
                assert!(a * small + b * large <= charged, "mu {mu}, order {alpha}, {a} by 1 and {b} by 8");
            }
        }
    }
}

#[test]
fn what_the_ledger_debits_covers_the_divergence() {
    let codebook = Codebook::built_in().hash();
    for mu in MUS {
        for (bound, score) in [(None, false), (None, true), (Some(5), false), (Some(5), true), (Some(11), true)] {
            let by = if bound.is_some() { r#""age_group","need""# } else { r#""sex""# };
            let per_client = bound.map_or(String::new(), |b| format!(r#""max_per_client":{b},"#));
            let measure = if score { "score" } else { "clients" };
            let code = if score { r#""score":"D07","# } else { "" };
            let json = format!(
                r#"{{"by":[{by}],"codebook":"{codebook}",{per_client}"measure":"{measure}","periods":["2026Q3"],"purpose":"statistics","region":"ita","register":"r","release":"regional",{code}"v":1,"variance":[{mu},1]}}"#
            );
            let request = TableRequest::parse(json.as_bytes(), Codebook::built_in()).unwrap();
            let debited = cost::of_period(&request, 0).unwrap();
            assert_eq!(debited.atto_delta, ATTO_DELTA);
            // Counts move by 1 in each cell touched; sums by the score's range, 10.
            let cells = bound.map_or(1.0, |b| f64::from(b) + 1.0);
            let needed = [2, 3, 8, 64].map(|alpha| {
                let count = divergence(&ln_skellam(f64::from(mu), far(mu, 1)), alpha, 1);
                let sum = divergence(&ln_skellam(f64::from(100 * mu), far(100 * mu, 10)), alpha, 10);
                cells * if score { count + sum } else { count } / f64::from(alpha)
            });
            let charged = debited.nano_rho as f64 / 1e9;
            assert!(needed.iter().all(|rho| *rho <= charged), "{json}: {needed:?}, debited {charged}");
            // Nor is more debited than the published bound asks for.
            let mu = f64::from(mu);
            let wanted = rho(cells, cells, mu) + if score { rho(100.0 * cells, 10.0 * cells, 100.0 * mu) } else { 0.0 };
            assert!((wanted..wanted + 1e-8).contains(&(charged + 1e-15)), "{json}: {wanted}, debited {charged}");
        }
    }
}
