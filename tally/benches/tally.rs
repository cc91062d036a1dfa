//! How long one table takes over ten million rows of 300,000 clients:
//! `cargo bench -p koonti-tally`.
//!
//! The table has 16 x 8 x 20 x 5 categories and counts at most 8 per client. In
//! `few_*` a client's rows repeat up to 8 categories, so the bound never cuts; in
//! `many_*` every row is drawn anew, so it cuts for nearly everybody and the
//! hashes that decide take most of the time. `*_several` has four dimensions of
//! several categories per client, `*_mixed` one, and three exclusive ones.
//!
//! Rows per client are uniform from 1 to 66. Figures are of made-up data.

use divan::Bencher;
use koonti_disclosure::request::{Draft, Measure, Purpose, ReleaseKind};
use koonti_disclosure::{Codebook, TableRequest};
use koonti_tally::{Rows, Slice, SliceBuilder, count};
use std::collections::BTreeMap;
use std::sync::OnceLock;

const CLIENTS: usize = 300_000;
const DIMENSIONS: [(&str, u64); 4] = [("d16", 16), ("d08", 8), ("d20", 20), ("d05", 5)];
const THREADS: [usize; 2] = [1, 2];

fn main() {
    divan::main();
}

#[divan::bench(args = THREADS, sample_count = 30, sample_size = 1)]
fn few_several(bencher: Bencher<'_, '_>, threads: usize) {
    static CASE: OnceLock<Case> = OnceLock::new();
    CASE.get_or_init(|| Case::new(4, true)).bench(bencher, threads);
}

#[divan::bench(args = THREADS, sample_count = 30, sample_size = 1)]
fn few_mixed(bencher: Bencher<'_, '_>, threads: usize) {
    static CASE: OnceLock<Case> = OnceLock::new();
    CASE.get_or_init(|| Case::new(1, true)).bench(bencher, threads);
}

#[divan::bench(args = THREADS, sample_count = 5, sample_size = 1)]
fn many_several(bencher: Bencher<'_, '_>, threads: usize) {
    static CASE: OnceLock<Case> = OnceLock::new();
    CASE.get_or_init(|| Case::new(4, false)).bench(bencher, threads);
}

#[divan::bench(args = THREADS, sample_count = 5, sample_size = 1)]
fn many_mixed(bencher: Bencher<'_, '_>, threads: usize) {
    static CASE: OnceLock<Case> = OnceLock::new();
    CASE.get_or_init(|| Case::new(1, false)).bench(bencher, threads);
}

struct Case {
    codebook: Codebook,
    request: TableRequest,
    slice: Slice,
}

impl Case {
    /// The first `several` dimensions have several categories per client.
    fn new(several: usize, few: bool) -> Self {
        let codebook = codebook(several);
        let draft = Draft {
            register: "synthetic".to_owned(),
            measure: Measure::Clients,
            score: None,
            by: DIMENSIONS.map(|(id, _)| id.to_owned()).to_vec(),
            periods: vec!["2026Q3".parse().expect("a quarter")],
            release: ReleaseKind::PerNode,
            sd: Some("4".to_owned()),
            within: None,
            max_events: None,
            max_per_client: Some(8),
            purpose: Purpose::Statistics,
            filter: BTreeMap::new(),
        };
        let region = "synthetic".parse().expect("a name");
        let request = TableRequest::resolve(&draft, &region, &[], &codebook).expect("a table");
        let slice = slice(&codebook, several, few);
        Self { codebook, request, slice }
    }

    fn bench(&self, bencher: Bencher<'_, '_>, threads: usize) {
        bencher.bench_local(|| count(&self.request, &[&self.slice], &self.codebook, threads).map_err(|_| ()));
    }
}

fn codebook(several: usize) -> Codebook {
    let dimension = |(i, (id, codes)): (usize, (&str, u64))| {
        let kind = if i < several { "several" } else { "exclusive" };
        let code = |c: u64| if c + 1 < codes { format!("{id}-{c}") } else { "unknown".to_owned() };
        let label = |text: &str| format!(r#""fi":"{text}","sv":"{text}","en":"{text}""#);
        let codes: Vec<_> = (0..codes).map(|c| format!(r#"{{"code":"{}",{}}}"#, code(c), label(&code(c)))).collect();
        format!(r#"{{"id":"{id}","kind":"{kind}",{},"codes":[{}]}}"#, label(id), codes.join(","))
    };
    let dimensions: Vec<_> = DIMENSIONS.into_iter().enumerate().map(dimension).collect();
    let json = format!(r#"{{"v":1,"source":"made up","dimensions":[{}],"scores":[]}}"#, dimensions.join(","));
    Codebook::parse(&json).expect("a codebook")
}

fn slice(codebook: &Codebook, several: usize, few: bool) -> Slice {
    let mut random = Random(1);
    let mut builder = SliceBuilder::new(codebook, Rows::Observations).expect("no scores");
    let codes = |random: &mut Random, dimensions: &[(&str, u64)]| -> Vec<u16> {
        dimensions.iter().map(|(_, codes)| random.below(*codes) as u16).collect()
    };
    for _ in 0..CLIENTS {
        let tag = (u128::from(random.next()) << 64 | u128::from(random.next())).to_be_bytes();
        let exclusive = codes(&mut random, &DIMENSIONS[several..]);
        let rows = 1 + random.below(66);
        let distinct = if few { 1 + random.below(8) } else { rows };
        let tuples: Vec<_> = (0..distinct).map(|_| codes(&mut random, &DIMENSIONS[..several])).collect();
        let rows = (0..rows).map(|row| {
            let tuple = if few { random.below(distinct) } else { row };
            (tuples[tuple as usize].as_slice(), random.below(10) == 0, false)
        });
        builder.push(tag, &exclusive, &[], rows).expect("codes are in range");
    }
    builder.finish().expect("tags are random")
}

/// SplitMix64 (Steele, Lea and Flood 2014): made-up data wants no more.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}
