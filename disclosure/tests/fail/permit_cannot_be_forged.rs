use koonti_disclosure::Permit;

fn forge(permit: Permit) -> Permit {
    Permit { seq: 7, ..permit }
}

fn main() {}
