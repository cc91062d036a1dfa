//! The one region that every script plays in: five nodes, one question, one round.
//!
//! Nodes are real and their randomness is not, so the same words always get the
//! same answers: what was computed for one script is kept for the next.

use crate::format::Route;
use crate::support::{Play, Player, Region, SCORE, sign};
use koonti_disclosure::Digest;
use koonti_disclosure::round::RoundSpec;
use koonti_secagg::Abort;
use koonti_secagg::message::Advert;
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::OnceLock;

/// Nodes of the roster.
pub(crate) const NODES: u16 = 5;
const SEED: u64 = 7;
/// Answers kept; forgotten all at once when there are more.
const MOST_KEPT: usize = 512;

/// What all scripts share.
pub(crate) struct World {
    pub(crate) region: Region,
    pub(crate) spec: RoundSpec,
    /// The nodes' adverts, by place.
    pub(crate) adverts: Vec<Advert>,
    /// The secret keys that shares go under, by place.
    enc_sks: Vec<[u8; 32]>,
    /// What stands under the nodes' masks, by place.
    pub(crate) noisy: Vec<Vec<Vec<i64>>>,
}

static WORLD: OnceLock<World> = OnceLock::new();

/// What a node says to the last of the messages it has heard.
pub(crate) type Said = Result<Vec<Vec<u8>>, Abort>;

thread_local! {
    static SAID: RefCell<HashMap<(u16, Digest), Said>> = RefCell::new(HashMap::new());
}

impl World {
    /// The world; it is made once.
    pub(crate) fn get() -> &'static Self {
        WORLD.get_or_init(|| {
            let mut play = Play::new(NODES, SCORE, SEED);
            let adverts = play.answers(&[]);
            for (place, message) in &adverts {
                play.give(*place, message).expect("an honest advert");
            }
            play.round.advance().expect("everybody is there");
            play.until(koonti_secagg::coordinator::Phase::Done);
            let survivors: Vec<u16> = (0..NODES).collect();
            assert!(play.round.opened().expect("it is done").sums == play.expected(&survivors));
            let adverts = adverts.iter().map(|(_, message)| Advert::parse(message).expect("an advert").1).collect();
            let enc_sks = play.players.iter().map(|player| *player.random.drawn[128..].first_chunk().expect("drawn"));
            let noisy = play.players.iter().map(|player| player.noisy.clone()).collect();
            let (spec, enc_sks) = (play.region.spec(0, None), enc_sks.collect());
            Self { region: play.region, spec, adverts, enc_sks, noisy }
        })
    }

    /// The round.
    pub(crate) fn round(&self) -> Digest {
        self.spec.round()
    }

    /// A node's identity key.
    pub(crate) fn key(&self, place: u16) -> Digest {
        self.region.roster.nodes()[usize::from(place)].identity
    }

    /// A signature of a node.
    pub(crate) fn sign(&self, place: u16, label: &str, message: &[u8]) -> [u8; 64] {
        sign(self.region.seed, place, label, message)
    }

    /// The way of two shares, given to each node's key by the adverts of a session.
    pub(crate) fn route(&self, sid: Digest, dealer: u16, holder: u16) -> Route {
        let (secret, public) = (self.enc_sks[usize::from(dealer)], self.adverts[usize::from(holder)].enc_pk);
        Route { sid, dealer, holder, secret, public }
    }

    /// Vectors as they would stand in a masked input that has no masks.
    pub(crate) fn words(&self, vectors: &[Vec<i64>]) -> Vec<u8> {
        let all = self.region.layout.vectors().iter().zip(vectors);
        all.flat_map(|((ring, _), cells)| cells.iter().flat_map(|cell| cell.to_le_bytes()[..ring.bytes()].to_vec()))
            .collect()
    }

    /// A fresh node.
    pub(crate) fn player(&self, place: u16) -> Player {
        Player::new(&self.region, place)
    }

    /// What an honest node says to the last of these messages, having heard them all.
    pub(crate) fn said(&self, place: u16, heard: &[Vec<u8>]) -> Said {
        let hashes: Vec<u8> = heard.iter().flat_map(|message| Digest::of(message).0).collect();
        let key = (place, Digest::of(&hashes));
        if let Some(said) = SAID.with_borrow(|kept| kept.get(&key).cloned()) {
            return said;
        }
        let mut player = self.player(place);
        let mut said = Ok(vec![]);
        for message in heard {
            said = player.hear(&self.region, message);
        }
        SAID.with_borrow_mut(|kept| {
            if kept.len() >= MOST_KEPT {
                kept.clear();
            }
            kept.insert(key, said.clone());
        });
        said
    }
}
