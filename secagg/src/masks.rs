//! The masks of one node: what [`koonti_disclosure::Exact::mask`] consumes.
//!
//! They cancel only in the sum over a set of survivors that t nodes open, and
//! only among nodes that were shown the same keys and the same U2: both enter
//! every seed. A set is made once a session and is used up by one masked input.

use crate::keys::{self, Key};
use crate::stream::{self, Sign, Signed};
use koonti_disclosure::Digest;
use koonti_disclosure::masked::{Masks, Ring};

/// One node's masks for all vectors. Its seeds are wiped when it is dropped.
#[must_use = "the node is debited for these masks"]
pub struct MaskSet {
    round: Digest,
    u2h: Digest,
    seeds: Vec<Signed>,
}

impl MaskSet {
    /// The own mask and those shared with each other node of U2.
    pub(crate) fn new<'a>(
        (round, sid, u2h): (Digest, Digest, Digest),
        place: u16,
        own: Key,
        pairs: impl ExactSizeIterator<Item = (u16, &'a Key)>,
    ) -> Self {
        // Room for all: a vector that grows leaves secrets behind.
        let mut seeds = Vec::with_capacity(1 + pairs.len());
        seeds.push((own, Sign::Plus));
        for (other, shared) in pairs {
            seeds.push((keys::pair_seed(sid, shared, u2h, place, other), Sign::of(place, other)));
        }
        Self { round, u2h, seeds }
    }
}

impl Masks for MaskSet {
    fn round(&self) -> Digest {
        self.round
    }

    fn set(&self) -> Digest {
        self.u2h
    }

    fn add(&mut self, w: u32, ring: Ring, words: &mut [u8]) {
        stream::apply(self.u2h, &self.seeds, w, ring, words);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::coordinator::{Phase, Round};
    use crate::node::Next;
    use crate::support::{Play, SCORE};
    use koonti_disclosure::masked::Layout;
    use std::collections::HashSet;

    /// The first bytes of every stream of a round, each once.
    fn streams(play: &mut Play, beginnings: &mut HashSet<[u8; 32]>, layout: &Layout) -> usize {
        let mut count = 0;
        for place in 0..play.players.len() {
            let inbox = play.ready(place as u16);
            let Ok(Next::Mask(masks)) = play.players[place].take(&inbox) else { panic!("no masks") };
            // The other end of a pair has the same stream, with the other sign.
            for one in masks.seeds.iter().filter(|(_, sign)| *sign == Sign::Plus) {
                for (w, (ring, _)) in (0u32..).zip(layout.vectors()) {
                    let mut words = [0; 32];
                    stream::apply(masks.u2h, std::slice::from_ref(one), w, *ring, &mut words);
                    beginnings.insert(words);
                    count += 1;
                }
            }
        }
        count
    }

    #[test]
    fn no_mask_is_ever_used_twice() {
        let (mut beginnings, mut count) = (HashSet::new(), 0);
        for seed in 0..12 {
            let mut play = Play::new(7, SCORE, seed);
            let layout = play.region.layout.clone();
            play.until(Phase::Masked);
            count += streams(&mut play, &mut beginnings, &layout);
            // A retry of the same question by the same nodes.
            let retry = play.region.spec(1, Some(play.round.spec().round()));
            play.round = Round::new(retry.clone(), layout.clone(), play.region.roster.clone(), None);
            for place in 0..7 {
                let advert = play.players[place].join(&play.region, &retry).unwrap();
                play.give(place as u16, &advert).unwrap();
            }
            play.round.advance().unwrap();
            play.until(Phase::Masked);
            count += streams(&mut play, &mut beginnings, &layout);
        }
        // Twelve questions, asked twice: 7 own masks and 21 pairs, two vectors in two periods.
        assert_eq!(count, 12 * 2 * 28 * 4);
        assert_eq!(beginnings.len(), count);
    }
}
