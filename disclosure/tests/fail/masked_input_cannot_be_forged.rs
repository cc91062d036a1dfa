use koonti_disclosure::Digest;
use koonti_disclosure::masked::MaskedInput;

fn main() {
    let zero = Digest([0; 32]);
    let _input = MaskedInput { bytes: vec![1, 2, 3], round: zero, set: zero, chunks: vec![], debit: 0 };
}
