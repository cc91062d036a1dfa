//! Time of one noise sample, its own stream included: `cargo bench -p koonti-disclosure`.

use divan::{Bencher, counter::ItemsCount};
use koonti_disclosure::stream::{Context, Seed, VectorKey};
use koonti_disclosure::{Digest, Name, Variance, gaussian};

fn main() {
    divan::main();
}

const CELLS: u64 = 10_000;

#[divan::bench(args = ["1", "2.5", "5", "50", "500"])]
fn sample(bencher: Bencher<'_, '_>, sd: &str) {
    let variance = Variance::from_sd(sd).expect("a standard deviation");
    let node: Name = "bench".parse().expect("a name");
    let context = Context { node: &node, request: Digest([1; 32]), vintages: &[], round: Digest([2; 32]), attempt: 0 };
    let key = VectorKey::derive(&Seed::new([3; 32]), &Digest([4; 32]), &context, 0);
    bencher.counter(ItemsCount::new(CELLS)).bench(|| {
        (0..CELLS).map(|cell| gaussian::sample(variance, &mut key.cell(0, 0, cell)).expect("a sample")).sum::<i64>()
    });
}
