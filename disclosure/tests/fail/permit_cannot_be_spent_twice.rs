use koonti_disclosure::ledger::Noise;
use koonti_disclosure::{Exact, Permit, Tally};

fn twice(permit: Permit, noise: [Noise; 2], exact: [Exact<Tally>; 2]) {
    let [first, second] = exact;
    let [a, b] = noise;
    let _ = first.release(permit, a);
    let _ = second.release(permit, b);
}

fn main() {}
