use koonti_disclosure::identity::IdentityKey;

fn main() {
    let key = IdentityKey::from_seed([0; 32]);
    let _signature = key.sign(b"anything");
}
