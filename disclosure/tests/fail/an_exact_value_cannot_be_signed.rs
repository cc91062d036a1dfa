use koonti_disclosure::identity::IdentityKey;
use koonti_disclosure::{Exact, Tally};

fn main() {
    let key = IdentityKey::from_seed([0; 32]);
    let exact = Exact::wrap(Tally { periods: vec![] });
    let _signed = key.sign_release(&exact);
}
