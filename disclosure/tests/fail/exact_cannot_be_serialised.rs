use koonti_disclosure::{Exact, Tally, canonical};

fn main() {
    let exact = Exact::wrap(Tally { periods: vec![] });
    let _bytes = canonical::to_bytes(&exact);
}
