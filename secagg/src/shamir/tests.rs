//! Sharing: secrecy over a toy field, exhaustively; the rest over the real one.

use super::*;
use koonti_disclosure::Digest;
use std::collections::BTreeMap;

/// Integers modulo 11.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Toy(u32);

impl Add for Toy {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self((self.0 + other.0) % 11)
    }
}

impl Mul for Toy {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        Self(self.0 * other.0 % 11)
    }
}

#[test]
fn t_minus_one_shares_leave_every_secret_equally_likely() {
    // t = 3, every polynomial: whatever two holders see, each secret is behind it once.
    for (a, b) in [(1, 2), (1, 10), (4, 7)] {
        let mut secrets: BTreeMap<(Toy, Toy), Vec<u32>> = BTreeMap::new();
        for polynomial in 0..11 * 11 * 11 {
            let coefficients = [polynomial % 11, polynomial / 11 % 11, polynomial / 121].map(Toy);
            let seen = (evaluate(&coefficients, Toy(a)), evaluate(&coefficients, Toy(b)));
            secrets.entry(seen).or_default().push(coefficients[0].0);
        }
        assert_eq!(secrets.len(), 121);
        for secrets in secrets.values_mut() {
            secrets.sort_unstable();
            assert_eq!(*secrets, (0..11).collect::<Vec<_>>());
        }
    }
}

struct Hashes(u64);

impl Randomness for Hashes {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), NoRandomness> {
        for piece in out.chunks_mut(32) {
            self.0 += 1;
            piece.copy_from_slice(&Digest::of(&self.0.to_be_bytes()).0[..piece.len()]);
        }
        Ok(())
    }
}

fn number(n: u64) -> Share {
    Share(Scalar::from(n))
}

#[test]
fn any_t_shares_give_the_secret_and_fewer_give_another() {
    let secret = number(1 << 60);
    let polynomial = Polynomial::draw(&secret, 4, &mut Hashes(0)).unwrap();
    for places in [[0, 1, 2, 3], [499, 7, 30, 2], [5, 6, 498, 499]] {
        let shares: Vec<Share> = places.iter().map(|place| polynomial.share(*place)).collect();
        assert_eq!(Weights::at(&places).open(shares.iter()).bytes(), secret.bytes());
        assert_ne!(Weights::at(&places[..3]).open(shares[..3].iter()).bytes(), secret.bytes());
    }
}

#[test]
fn the_polynomial_is_the_one_of_the_page() {
    // 5 + 2 x + 3 x^2 at place 3, which is x = 4: coefficients in the order drawn.
    struct TwoThree;
    impl Randomness for TwoThree {
        fn fill(&mut self, out: &mut [u8]) -> Result<(), NoRandomness> {
            assert_eq!(out.len(), 128);
            (out[0], out[64]) = (2, 3);
            Ok(())
        }
    }
    assert_eq!(Polynomial::draw(&number(5), 3, &mut TwoThree).unwrap().share(3).bytes(), number(5 + 8 + 48).bytes());
    // 64 bytes modulo l: 2^256 - 1 and 2^504 are reduced, and a wide zero is zero.
    assert_eq!(Share::from_wide(&[0; 64]).bytes(), number(0).bytes());
    assert!(Share::parse(*Share::from_wide(&[0xff; 64]).bytes()).is_some());
}

#[test]
fn a_scalar_of_l_or_more_is_none() {
    let l = *(Share(-Scalar::ONE)).bytes();
    let mut above = l;
    above[0] += 1;
    assert!(Share::parse(l).is_some(), "l - 1");
    assert!(Share::parse(above).is_none(), "l");
    assert!(Share::parse([0xff; 32]).is_none());
}

#[test]
fn wiping_wipes() {
    let mut share = number(77);
    share.zeroize();
    assert_eq!(share.bytes(), &[0; 32]);
    let mut polynomial = Polynomial::draw(&number(7), 4, &mut Hashes(9)).unwrap();
    polynomial.zeroize();
    assert!(polynomial.0.is_empty());
}
