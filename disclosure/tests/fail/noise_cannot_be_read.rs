use koonti_disclosure::ledger::Noise;

fn read(noise: &Noise) -> i64 {
    noise.periods[0][0][0]
}

fn main() {}
