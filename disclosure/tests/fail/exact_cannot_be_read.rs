use koonti_disclosure::{Exact, Tally};

fn main() {
    let exact = Exact::wrap(Tally { periods: vec![] });
    let _plain = exact.0;
}
