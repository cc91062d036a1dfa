use koonti_disclosure::Release;

fn main() {
    let _release = Release { bytes: vec![1, 2, 3], debit: 0 };
}
