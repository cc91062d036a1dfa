//! Time of one share of Skellam noise, its two streams included, and of its table:
//! `cargo bench -p koonti-disclosure --bench skellam`.

use divan::{Bencher, counter::ItemsCount};
use koonti_disclosure::poisson::Poisson;
use koonti_disclosure::stream::{Context, Seed, VectorKey};
use koonti_disclosure::{Digest, Name, Variance};

fn main() {
    divan::main();
}

const CELLS: u64 = 10_000;

/// Variance of the sum and number of honest nodes: means of 1.4, 178 and 2^20.
const NOISES: [(u64, u32); 3] = [(25, 9), (3200, 9), (6 << 20, 3)];

fn noise((variance, honest): (u64, u32)) -> Poisson {
    Poisson::new(Variance::new(variance, 1).expect("in range"), honest).expect("in range")
}

#[divan::bench(args = NOISES)]
fn share(bencher: Bencher<'_, '_>, noise_of: (u64, u32)) {
    let table = noise(noise_of);
    let node: Name = "bench".parse().expect("a name");
    let context = Context { node: &node, request: Digest([1; 32]), vintages: &[], round: Digest([2; 32]), attempt: 0 };
    let key = VectorKey::derive(&Seed::new([3; 32]), &Digest([4; 32]), &context, 0);
    bencher.counter(ItemsCount::new(CELLS)).bench(|| {
        let of = |cell| table.share(&mut key.cell(0, 0, cell), &mut key.cell(1, 0, cell)).expect("a share");
        (0..CELLS).map(of).sum::<i64>()
    });
}

#[divan::bench(args = NOISES)]
fn table(bencher: Bencher<'_, '_>, noise_of: (u64, u32)) {
    bencher.bench(|| noise(noise_of));
}
