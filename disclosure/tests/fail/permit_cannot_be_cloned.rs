use koonti_disclosure::Permit;

fn second(permit: &Permit) -> Permit {
    Permit::clone(permit)
}

fn main() {}
