//! The tree: reference roots, every proof of small trees and every damage to it, and
//! two implementations that are not ours.

mod support;

use koonti_disclosure::Digest;
use koonti_evidence::tree::{Error, Tree, empty_root, leaf_hash, verify_consistency, verify_inclusion};
use sha2::Sha256;
use support::{Seeded, entry, tree};
use tlog_tiles::{Hash, HashReader};

const SMALL: u64 = 70;

#[test]
fn the_reference_roots() {
    // Leaves and roots of the reference tree of Certificate Transparency's own tests.
    let leaves = [
        &b""[..],
        b"\x00",
        b"\x10",
        b"\x20\x21",
        b"\x30\x31",
        b"\x40\x41\x42\x43",
        b"\x50\x51\x52\x53\x54\x55\x56\x57",
        b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
    ];
    let roots = [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];
    let mut tree = Tree::new();
    assert!(tree.is_empty());
    for (size, root) in roots.iter().enumerate() {
        assert_eq!((tree.len(), tree.root().to_string().as_str()), (size as u64, *root));
        leaves.get(size).into_iter().for_each(|leaf| tree.push(leaf_hash(leaf)));
    }
    for (size, root) in (0..).zip(roots) {
        assert_eq!(tree.root_at(size).map(|root| root.to_string()).as_deref(), Some(root));
    }
    assert_eq!(tree.root_at(9), None);
}

#[test]
fn every_inclusion_holds_and_no_damaged_one() {
    let tree = tree(SMALL);
    for size in 1..=SMALL {
        let root = tree.root_at(size).expect("a size");
        for index in 0..size {
            let leaf = leaf_hash(&entry(index));
            let proof = tree.inclusion(index, size).expect("a leaf");
            let check = |index, proof: &[Digest], root| verify_inclusion(leaf, index, size, proof, root);
            assert_eq!(check(index, &proof, root), Ok(()));
            damaged(&proof, |proof, error| assert_eq!(check(index, proof, root), Err(error), "{index} of {size}"));
            assert_eq!(check(index, &proof, flipped(root)), Err(Error::Root));
            let another = verify_inclusion(flipped(leaf), index, size, &proof, root);
            assert_eq!(another, Err(Error::Root));
            for other in (0..size).filter(|other| *other != index) {
                assert!(check(other, &proof, root).is_err(), "{index} of {size} as {other}");
            }
            assert_eq!(check(size, &proof, root), Err(Error::Sizes));
            assert_eq!(check(u64::MAX, &proof, root), Err(Error::Sizes));
        }
        assert_eq!(tree.inclusion(size, size), None);
    }
    assert_eq!(tree.inclusion(0, 0), None);
    assert_eq!(tree.inclusion(0, SMALL + 1), None);
    assert_eq!(verify_inclusion(empty_root(), 0, 0, &[], empty_root()), Err(Error::Sizes));
    // The largest numbers neither overflow nor loop.
    let long = [empty_root(); 64];
    assert_eq!(verify_inclusion(empty_root(), u64::MAX - 1, u64::MAX, &long, empty_root()), Err(Error::Length));
    assert_eq!(verify_inclusion(empty_root(), 0, u64::MAX, &long, empty_root()), Err(Error::Root));
}

#[test]
fn every_consistency_holds_and_no_damaged_one() {
    let tree = tree(SMALL);
    let root_at = |size| tree.root_at(size).expect("a size");
    for new in 0..=SMALL {
        for old in 0..=new {
            let proof = tree.consistency(old, new).expect("sizes");
            let (old_root, new_root) = (root_at(old), root_at(new));
            let check = |proof: &[Digest], old_root, new_root| verify_consistency(old, new, proof, old_root, new_root);
            assert_eq!(check(&proof, old_root, new_root), Ok(()), "{old} to {new}");
            damaged(&proof, |proof, error| {
                assert_eq!(check(proof, old_root, new_root), Err(error), "{old} to {new}");
            });
            assert_eq!(check(&proof, flipped(old_root), new_root), Err(Error::Root), "{old} to {new}");
            // From the empty tree every tree follows.
            if old > 0 {
                assert_eq!(check(&proof, old_root, flipped(new_root)), Err(Error::Root), "{old} to {new}");
            }
            if old < new {
                assert_eq!(verify_consistency(new, old, &proof, new_root, old_root), Err(Error::Sizes));
            }
        }
        assert_eq!(tree.consistency(new + 1, new), None);
    }
    assert_eq!(tree.consistency(1, SMALL + 1), None);
    let long = [empty_root(); 64];
    assert!(verify_consistency(u64::MAX - 1, u64::MAX, &long, empty_root(), empty_root()).is_err());
    assert!(verify_consistency(1 << 63, u64::MAX, &long, empty_root(), empty_root()).is_err());
}

#[test]
fn ct_merkle_gives_the_same() {
    let ours = tree(SMALL);
    let mut theirs = ct_merkle::mem_backed_tree::MemoryBackedTree::<Sha256, Vec<u8>>::new();
    for size in 1..=SMALL {
        theirs.push(entry(size - 1));
        let root = ours.root_at(size).expect("a size");
        assert_eq!(theirs.root().as_bytes()[..], root.0);
        for index in 0..size {
            let proof = theirs.prove_inclusion(usize::try_from(index).expect("small"));
            assert_eq!(proof.as_bytes(), concat(&ours.inclusion(index, size).expect("a leaf")));
        }
        for old in 1..=size {
            let proof = theirs.prove_consistency(usize::try_from(size - old).expect("small"));
            assert_eq!(proof.as_bytes(), concat(&ours.consistency(old, size).expect("sizes")), "{old} to {size}");
        }
    }
}

#[test]
fn tlog_tiles_gives_the_same_and_judges_the_same() {
    const SIZE: u64 = 3000;
    let ours = tree(SIZE);
    let mut theirs = Stored(Vec::new());
    for index in 0..SIZE {
        let hashes = tlog_tiles::stored_hashes(index, &entry(index), &theirs).expect("stored");
        theirs.0.extend(hashes);
    }
    let mut random = Seeded(1);
    let (mut held, mut refused) = (0, 0);
    let mut judge = |ours: bool, theirs: bool| {
        assert_eq!(ours, theirs);
        *(if ours { &mut held } else { &mut refused }) += 1;
    };
    for _ in 0..2000 {
        let size = 1 + random.below(SIZE);
        let index = random.below(size);
        let root = ours.root_at(size).expect("a size");
        assert_eq!(tlog_tiles::tree_hash(size, &theirs).expect("stored").0, root.0);

        let mut proof = ours.inclusion(index, size).expect("a leaf");
        assert_eq!(hashes(&proof), tlog_tiles::prove_record(size, index, &theirs).expect("a proof"));
        mangle(&mut proof, &mut random);
        // Sometimes another size or index, which may hold all the same.
        let (size, index) = (size + random.below(8) / 7, index ^ (random.below(8) / 7));
        let leaf = leaf_hash(&entry(index));
        let theirs_say = tlog_tiles::check_record(&hashes(&proof), size, Hash(root.0), index, Hash(leaf.0));
        judge(verify_inclusion(leaf, index, size, &proof, root).is_ok(), theirs_say.is_ok());
    }
    for _ in 0..2000 {
        let new = 1 + random.below(SIZE);
        let old = 1 + random.below(new);
        let (old_root, new_root) = (ours.root_at(old).expect("a size"), ours.root_at(new).expect("a size"));
        let mut proof = ours.consistency(old, new).expect("sizes");
        assert_eq!(hashes(&proof), tlog_tiles::prove_tree(new, old, &theirs).expect("a proof"));
        mangle(&mut proof, &mut random);
        let theirs_say = tlog_tiles::check_tree(&hashes(&proof), new, Hash(new_root.0), old, Hash(old_root.0));
        judge(verify_consistency(old, new, &proof, old_root, new_root).is_ok(), theirs_say.is_ok());
    }
    assert!(held > 500 && refused > 500, "{held} held, {refused} refused");
}

/// Calls with the proof each hash of which is altered, missing, or has one more
/// before it, and with the error that is due.
fn damaged(proof: &[Digest], check: impl Fn(&[Digest], Error)) {
    for place in 0..proof.len() {
        let mut altered = proof.to_vec();
        altered[place] = flipped(altered[place]);
        check(&altered, Error::Root);
        let mut shorter = proof.to_vec();
        shorter.remove(place);
        check(&shorter, Error::Length);
    }
    for place in 0..=proof.len() {
        let mut longer = proof.to_vec();
        longer.insert(place, empty_root());
        check(&longer, Error::Length);
    }
}

fn flipped(hash: Digest) -> Digest {
    let mut bytes = hash.0;
    bytes[31] ^= 1;
    Digest(bytes)
}

/// Leaves the proof be half of the time, and damages it otherwise.
fn mangle(proof: &mut Vec<Digest>, random: &mut Seeded) {
    let place = random.place(proof.len() + 1);
    match random.below(6) {
        0 => proof.insert(place, empty_root()),
        1 if place < proof.len() => drop(proof.remove(place)),
        2 if place < proof.len() => proof[place] = flipped(proof[place]),
        _ => {}
    }
}

fn concat(proof: &[Digest]) -> Vec<u8> {
    proof.iter().flat_map(|hash| hash.0).collect()
}

fn hashes(proof: &[Digest]) -> Vec<Hash> {
    proof.iter().map(|hash| Hash(hash.0)).collect()
}

struct Stored(Vec<Hash>);

impl HashReader for Stored {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, tlog_tiles::Error> {
        Ok(indexes.iter().map(|index| self.0[usize::try_from(*index).expect("small")]).collect())
    }
}
