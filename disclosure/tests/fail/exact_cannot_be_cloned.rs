use koonti_disclosure::{Exact, Tally};

fn main() {
    let exact = Exact::wrap(Tally { periods: vec![] });
    let _second = exact.clone();
}
