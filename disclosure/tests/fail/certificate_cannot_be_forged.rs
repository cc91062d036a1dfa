use koonti_disclosure::Digest;
use koonti_disclosure::abort::Certificate;

fn main() {
    let zero = Digest([0; 32]);
    let _certificate = Certificate { round: zero, roster: zero, bytes: vec![] };
}
