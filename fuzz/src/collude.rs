//! A node that signs what it likes: what it says is well made and wrong.

use crate::alter::flip;
use crate::format;
use crate::script::Script;
use crate::world::World;
use koonti_disclosure::Digest;
use koonti_disclosure::masked::{Ring, chunks_hash};
use koonti_secagg::message::{Advert, Adverts, Chunk, Confirm, Inbox, Kind, Masked, Shares, Survivors, Unmask, kind};

/// The node that works against the others. Of five, one may.
pub(crate) const COLLUDER: u16 = 4;

/// What is said in place of an honest message.
#[derive(Default)]
pub(crate) struct Lie {
    pub(crate) messages: Vec<Vec<u8>>,
    /// What then stands under the masks, when the lie is a masked input.
    pub(crate) noisy: Option<Vec<Vec<i64>>>,
}

/// Turns the last message of the colluder, who has heard these, into another.
pub(crate) fn lie(script: &mut Script<'_>, world: &World, heard: &[Vec<u8>], said: &[u8]) -> Lie {
    let session = Session::of(world, heard);
    let lie = match kind(said) {
        Some(Kind::Advert) => advert(script, world, said),
        Some(Kind::Shares) => shares(script, world, &session, said),
        Some(Kind::Chunk) => return masked(script, world, &session, said),
        Some(Kind::Confirm) => confirm(script, world, &session),
        Some(Kind::Unmask) => unmask(script, said),
        _ => None,
    };
    Lie { messages: lie.into_iter().collect(), noisy: None }
}

/// What the colluder was told of the round.
struct Session {
    sid: Digest,
    u2: Vec<u16>,
    u3: Vec<u16>,
}

impl Session {
    fn of(world: &World, heard: &[Vec<u8>]) -> Self {
        let mut session = Self { sid: Digest([0; 32]), u2: vec![], u3: vec![] };
        for message in heard {
            if let Ok((round, Adverts(adverts))) = Adverts::parse(message) {
                let unsigned: Vec<u8> = adverts.iter().flat_map(|advert| advert.unsigned(round)).collect();
                session.sid = format::sid(round, world.region.roster.hash(), &unsigned);
            } else if let Ok((_, inbox)) = Inbox::parse(message) {
                session.u2 = inbox.set;
            } else if let Ok((_, Survivors(u3))) = Survivors::parse(message) {
                session.u3 = u3;
            }
        }
        session
    }
}

fn advert(script: &mut Script<'_>, world: &World, said: &[u8]) -> Option<Vec<u8>> {
    let (round, mut advert) = Advert::parse(said).ok()?;
    let other = &world.adverts[script.below(world.adverts.len())];
    let (key, mut low) = (if script.below(2) == 0 { &mut advert.mask_pk } else { &mut advert.enc_pk }, [0; 32]);
    match script.below(8) {
        0 => flip(script, key),
        1 => *key = other.mask_pk,
        2 => *key = other.enc_pk,
        3 => {
            low[0] = script.byte() & 1;
            *key = low;
        }
        4 => advert.enc_pk = advert.mask_pk,
        5 => flip(script, &mut advert.commit.0),
        6 => flip(script, &mut advert.salt),
        _ => advert.place = u16::from(script.byte()),
    }
    advert.signature = world.sign(COLLUDER, "koonti/v1/advert", &advert.unsigned(round));
    Some(advert.message(round))
}

fn shares(script: &mut Script<'_>, world: &World, session: &Session, said: &[u8]) -> Option<Vec<u8>> {
    let (round, mut shares) = Shares::parse(said).ok()?;
    let at = script.below(shares.entries.len());
    let entry = shares.entries.get_mut(at)?;
    match script.below(8) {
        0 | 1 => {
            // Wrong shares, well sealed: their holder cannot tell.
            let route = world.route(session.sid, COLLUDER, entry.place);
            route.reseal(entry, |shares| flip(script, shares), |_| {});
        }
        2 => flip(script, &mut entry.ciphertext),
        3 => flip(script, &mut entry.commitments.mask.0),
        4 => flip(script, &mut shares.own.own.0),
        5 => flip(script, &mut shares.own.mask.0),
        6 => flip(script, &mut shares.sid.0),
        _ => {
            let entry = shares.entries.remove(at);
            if script.below(2) == 0 {
                shares.entries.insert(0, entry);
            }
        }
    }
    shares.signature = world.sign(COLLUDER, "koonti/v1/shares", &shares.unsigned(round));
    Some(shares.message(round))
}

/// Another masked input than it was debited for: nobody can tell, the sum is that of
/// what was masked.
fn masked(script: &mut Script<'_>, world: &World, session: &Session, said: &[u8]) -> Lie {
    let Ok((round, chunk)) = Chunk::parse(said) else { return Lie::default() };
    let mut bytes = chunk.bytes.to_vec();
    for _ in 0..=script.below(4) {
        flip(script, &mut bytes);
    }
    let noisy = shifted(world, chunk.bytes, &bytes);
    let mut length = bytes.len() as u64;
    match script.below(8) {
        1 => length = script.below(1 << 16) as u64,
        // A chunk of another size than is announced, under its true hash.
        2 => drop(bytes.pop()),
        3 => bytes.push(script.byte()),
        _ => {}
    }
    let chunks = vec![Digest::of(&bytes)];
    let u2h = format::u2h(session.sid, &session.u2);
    let signed = [round.0.as_slice(), &u2h.0, &length.to_be_bytes(), &chunks_hash(&chunks).0].concat();
    let signature = world.sign(COLLUDER, "koonti/v1/masked", &signed);
    let head = Masked { bytes: length, chunks, signature }.message(round);
    let chunk = Chunk { index: script.byte().into(), bytes: &bytes }.message(round);
    Lie { messages: vec![head, chunk], noisy: Some(noisy) }
}

/// What stands under the masks once the bytes over them have changed.
fn shifted(world: &World, before: &[u8], after: &[u8]) -> Vec<Vec<i64>> {
    let mut noisy = world.noisy[usize::from(COLLUDER)].clone();
    let (mut before, mut after) = (before, after);
    for ((ring, _), vector) in world.region.layout.vectors().iter().zip(&mut noisy) {
        for cell in vector {
            let (one, other) = (word(*ring, &mut before), word(*ring, &mut after));
            *cell = cell.wrapping_add(other.wrapping_sub(one));
        }
    }
    noisy
}

fn word(ring: Ring, bytes: &mut &[u8]) -> i64 {
    let (first, rest) = bytes.split_at(ring.bytes());
    *bytes = rest;
    let mut word = [0; 8];
    word[..first.len()].copy_from_slice(first);
    i64::from_le_bytes(word)
}

fn confirm(script: &mut Script<'_>, world: &World, session: &Session) -> Option<Vec<u8>> {
    let round = world.round();
    let without = script.byte();
    let mut set = if script.below(2) == 0 { session.u3.clone() } else { session.u2.clone() };
    set.retain(|place| without >> place & 1 == 0);
    let u3h = format::u3h(session.sid, format::u2h(session.sid, &session.u2), &set);
    let signature = world.sign(COLLUDER, "koonti/v1/u3", &[round.0, u3h.0].concat());
    Some(Confirm(signature).message(round))
}

fn unmask(script: &mut Script<'_>, said: &[u8]) -> Option<Vec<u8>> {
    let (round, mut unmask) = Unmask::parse(said).ok()?;
    let list = if script.below(4) == 1 { &mut unmask.dropped } else { &mut unmask.survivors };
    let at = script.below(list.len());
    // With nobody dropped there is no such share to lie about.
    let share = &mut list.get_mut(at)?.1;
    match script.below(4) {
        0 => flip(script, share),
        1 => *share = [0; 32],
        2 => list.swap(0, at),
        _ => drop(list.pop()),
    }
    Some(unmask.message(round))
}
