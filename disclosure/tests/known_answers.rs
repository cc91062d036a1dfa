//! The vectors of `tests/twin/discrete_gaussian.py`, a second implementation in
//! rationals that was written from the specification alone.

use koonti_disclosure::{Variance, account, gaussian, tail};
use ring::digest::{SHA256, digest};
use serde::Deserialize;
use std::path::Path;
use std::process::Command;

const VECTORS: &str = include_str!("vectors/discrete_gaussian.json");

#[derive(Deserialize)]
struct Vectors {
    samples: Vec<Samples>,
    thresholds: Vec<Threshold>,
    half_widths: Vec<HalfWidth>,
    epsilons: Vec<Epsilon>,
}

#[derive(Deserialize)]
struct Samples {
    label: String,
    variance: Variance,
    bytes: u64,
    values: Vec<i64>,
    bytes_each: Vec<u64>,
}

#[derive(Deserialize, Debug)]
struct Threshold {
    k: u32,
    variance: Variance,
    gate_atto_delta: u64,
    touched: u64,
    tau: i64,
}

#[derive(Deserialize)]
struct HalfWidth {
    variance: Variance,
    half_width_95: i64,
}

#[derive(Deserialize)]
struct Epsilon {
    rho: (u32, u32),
    delta: (u64, u64),
    epsilon: String,
}

fn vectors() -> Vectors {
    serde_json::from_str(VECTORS).unwrap()
}

/// Block i is SHA-256(label || i as u64 big-endian).
struct Counter<'a> {
    label: &'a str,
    block: [u8; 32],
    used: u64,
}

impl<'a> Counter<'a> {
    fn new(label: &'a str) -> Self {
        Self { label, block: [0; 32], used: 0 }
    }
}

impl gaussian::Bytes for Counter<'_> {
    fn next_byte(&mut self) -> Result<u8, gaussian::Error> {
        if self.used.is_multiple_of(32) {
            let text = [self.label.as_bytes(), &(self.used / 32).to_be_bytes()].concat();
            self.block = digest(&SHA256, &text).as_ref().try_into().unwrap();
        }
        let byte = self.block[usize::try_from(self.used % 32).unwrap()];
        self.used += 1;
        Ok(byte)
    }
}

#[test]
fn samples_and_the_bytes_they_consume() {
    let vectors = vectors();
    assert_eq!(vectors.samples.len(), 14);
    for set in vectors.samples {
        assert_eq!((set.values.len(), set.bytes_each.len()), (200, 200));
        let mut stream = Counter::new(&set.label);
        for (i, (value, bytes)) in set.values.iter().zip(&set.bytes_each).enumerate() {
            let before = stream.used;
            let drawn = gaussian::sample(set.variance, &mut stream).unwrap();
            assert_eq!((drawn, stream.used - before), (*value, *bytes), "{}, sample {i}", set.label);
        }
        assert_eq!(stream.used, set.bytes, "{}", set.label);
    }
}

#[test]
fn thresholds() {
    let vectors = vectors();
    assert!(vectors.thresholds.len() >= 40);
    for t in vectors.thresholds {
        let tau = tail::threshold(t.k, t.variance, t.gate_atto_delta, t.touched);
        assert!(tau >= t.tau, "{tau} promises more than the true tail allows: {t:?}");
        // Rounding upward with 63 bits shows from a standard deviation of about
        // a thousand on: measured, one there and 11 at 65,536, for 1e-12 a cell.
        let sd = (t.variance.num() / t.variance.den()).isqrt();
        let dearer = if sd < 1024 { 0 } else { i64::try_from(sd / 5000).unwrap().max(1) };
        assert!(tau <= t.tau + dearer, "{tau} is more than the least: {t:?}");
    }
}

#[test]
fn half_widths() {
    for w in vectors().half_widths {
        assert_eq!(tail::half_width_95(w.variance), w.half_width_95, "{:?}", w.variance);
    }
}

#[test]
fn epsilons() {
    for e in vectors().epsilons {
        let rho = f64::from(e.rho.0) / f64::from(e.rho.1);
        let delta = e.delta.0 as f64 / e.delta.1 as f64;
        let wanted: f64 = e.epsilon.parse().unwrap();
        let found = account::epsilon(rho, delta);
        assert!((found - wanted).abs() < 1e-12 * wanted.abs().max(1.0), "{:?} {:?}: {found}", e.rho, e.delta);
    }
}

#[test]
fn the_twin_derives_the_same_vectors() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let ran = Command::new("python3")
        .arg(root.join("../tests/twin/discrete_gaussian.py"))
        .arg("--check")
        .arg(root.join("tests/vectors/discrete_gaussian.json"))
        .output();
    match ran {
        Ok(out) => assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr)),
        Err(why) => {
            assert!(std::env::var("CI").as_deref() != Ok("true"), "python3 does not run: {why}");
            println!("not checked against the twin, for python3 does not run: {why}");
        }
    }
}
