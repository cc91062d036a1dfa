use koonti_disclosure::Digest;
use koonti_disclosure::abort::Certificate;

fn main() {
    let zero = Digest([0; 32]);
    let _certificate = Certificate { session: zero, roster: zero, bytes: vec![] };
}
