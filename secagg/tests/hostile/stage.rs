//! Honest nodes as real sessions, driven by hand, with an attacker who sees it all.

use crate::mallory::{Mallory, openings};
use crate::page::{self, Half, Secrets};
use crate::support::{Play, Player, Region, Table, sign};
use koonti_disclosure::Digest;
use koonti_disclosure::policy::{Admitted, Holdings, Vintage};
use koonti_disclosure::round::RoundSpec;
use koonti_disclosure::{Period, Policy, Refusal};
use koonti_secagg::Abort;
use koonti_secagg::coordinator::Phase;
use koonti_secagg::message::{
    Advert, Adverts, Confirm, Confirmations, Entry, Inbox, Shares, Signature, Survivors, Unmask,
};
use koonti_secagg::node::Next;
use std::collections::BTreeMap;
use std::sync::OnceLock;

/// 309 cells of 12 bytes in each of two quarters: enough to ask whether they are uniform.
pub(crate) const AREA: Table = Table { by: &["area"], score: true, periods: 2 };
/// One cell.
pub(crate) const ONE: Table = Table { by: &[], score: false, periods: 1 };

/// A round of honest and corrupted nodes. The corrupted ones (the last places) run
/// sessions too, and sign whatever else is asked of them.
pub(crate) struct Stage {
    pub(crate) region: Region,
    pub(crate) spec: RoundSpec,
    pub(crate) players: Vec<Player>,
    /// How much each had drawn before.
    from: Vec<usize>,
    pub(crate) liars: Vec<u16>,
    pub(crate) mallory: Mallory,
    pub(crate) u1: Vec<Advert>,
    pub(crate) sid: Digest,
    pub(crate) shares: BTreeMap<u16, Shares>,
}

impl Stage {
    /// All have joined and see the same adverts; nothing is dealt yet.
    pub(crate) fn joined(n: u16, table: Table, seed: u64, liars: u16) -> Self {
        let region = Region::new(n, table, seed);
        let spec = region.spec(0, None);
        Self::joined_to(region, spec, None, liars)
    }

    /// The same in another round: of new players with the same keys and the same
    /// randomness, or of those that have played before.
    pub(crate) fn joined_to(region: Region, spec: RoundSpec, players: Option<Vec<Player>>, liars: u16) -> Self {
        let mut players = players.unwrap_or_else(|| region.players());
        let from = players.iter().map(|player| player.random.drawn.len()).collect();
        let u1: Vec<Advert> = players.iter_mut().map(|player| advert(player, &region, &spec)).collect();
        let of = (spec.round(), region.roster.hash());
        let mut mallory = Mallory::new(of, region.layout.vectors());
        let sid = mallory.session(&u1);
        let n = players.len() as u16;
        let liars = (n - liars..n).collect();
        Self { region, spec, players, from, liars, mallory, u1, sid, shares: BTreeMap::new() }
    }

    /// All deal, over the adverts that all have joined with.
    pub(crate) fn deal_all(&mut self) {
        for place in 0..self.n() {
            self.deal(place, &self.u1.clone()).unwrap();
        }
        self.corrupt();
    }

    /// All mask over the same U2: everybody.
    pub(crate) fn mask_all(&mut self) {
        for place in 0..self.n() {
            self.mask(place, &all(self.n())).unwrap();
        }
    }

    /// Honest nodes of U3 sign it and release their shares.
    pub(crate) fn open_all(&mut self, u3: &[u16]) {
        let members: Vec<u16> = self.honest().into_iter().filter(|place| u3.contains(place)).collect();
        let mut signed: BTreeMap<u16, Signature> =
            members.iter().map(|place| (*place, self.confirm(*place, u3).unwrap())).collect();
        for liar in self.liars.clone().into_iter().filter(|liar| u3.contains(liar)) {
            signed.insert(liar, self.lie(liar, &all(self.n()), u3));
        }
        for place in members {
            self.unmask(place, &signed).unwrap();
        }
    }

    /// All have dealt their shares.
    pub(crate) fn dealt(n: u16, table: Table, seed: u64, liars: u16) -> Self {
        let mut stage = Self::joined(n, table, seed, liars);
        stage.deal_all();
        stage
    }

    /// All have masked over the same U2: everybody.
    pub(crate) fn masked(n: u16, table: Table, seed: u64, liars: u16) -> Self {
        let mut stage = Self::dealt(n, table, seed, liars);
        stage.mask_all();
        stage
    }

    pub(crate) fn n(&self) -> u16 {
        self.players.len() as u16
    }

    pub(crate) fn t(&self) -> usize {
        self.spec.quorum().t() as usize
    }

    pub(crate) fn honest(&self) -> Vec<u16> {
        (0..self.n()).filter(|place| !self.liars.contains(place)).collect()
    }

    /// A node sees these adverts and deals.
    pub(crate) fn deal(&mut self, place: u16, u1: &[Advert]) -> Result<Shares, Abort> {
        let message = Adverts(u1.to_vec()).message(self.spec.round());
        let said = self.players[usize::from(place)].hear(&self.region, &message)?;
        let (_, shares) = Shares::parse(&said[0]).unwrap();
        self.mallory.session(u1);
        self.shares.insert(place, shares.clone());
        Ok(shares)
    }

    /// The attacker takes what its nodes drew, and reads what they were dealt.
    pub(crate) fn corrupt(&mut self) {
        for place in self.liars.clone() {
            self.mallory.corrupt(place, self.secrets(place));
        }
        for (dealer, shares) in &self.shares {
            self.mallory.dealt(*dealer, shares);
        }
    }

    /// What a node drew: the attacker asks for that of corrupted nodes only.
    pub(crate) fn secrets(&self, place: u16) -> Secrets {
        let drawn = &self.players[usize::from(place)].random.drawn[self.from[usize::from(place)]..];
        Secrets::read(drawn, self.spec.round(), place)
    }

    /// What the members of U2 dealt to a node.
    pub(crate) fn inbox(&self, holder: u16, u2: &[u16]) -> Inbox {
        let entry = |dealer: &u16| {
            let entry = self.shares[dealer].entries.iter().find(|entry| entry.place == holder).unwrap();
            Entry { place: *dealer, ..entry.clone() }
        };
        let dealers = u2.iter().filter(|dealer| **dealer != holder);
        Inbox { set: u2.to_vec(), entries: dealers.map(entry).collect() }
    }

    /// A node sees this U2 and sends its masked input, which the attacker gets.
    pub(crate) fn mask(&mut self, place: u16, u2: &[u16]) -> Result<(), Abort> {
        let inbox = self.inbox(place, u2).message(self.spec.round());
        let said = self.players[usize::from(place)].hear(&self.region, &inbox)?;
        if !self.liars.contains(&place) {
            self.mallory.input(place, self.shares[&place].sid, u2, &said);
        }
        Ok(())
    }

    /// A node sees this U3 and signs it.
    pub(crate) fn confirm(&mut self, place: u16, u3: &[u16]) -> Result<Signature, Abort> {
        let message = Survivors(u3.to_vec()).message(self.spec.round());
        let said = self.players[usize::from(place)].hear(&self.region, &message)?;
        Ok(Confirm::parse(&said[0]).unwrap().1.0)
    }

    /// What a confirmation signs.
    pub(crate) fn signed(&self, u2: &[u16], u3: &[u16]) -> Vec<u8> {
        signed(self.spec.round(), self.sid, u2, u3)
    }

    /// A corrupted node signs any U3 of any U2.
    pub(crate) fn lie(&self, place: u16, u2: &[u16], u3: &[u16]) -> Signature {
        assert!(self.liars.contains(&place));
        sign(self.region.seed, place, "koonti/v1/u3", &self.signed(u2, u3))
    }

    /// A node sees these confirmations and releases its shares, which the attacker gets.
    pub(crate) fn unmask(&mut self, place: u16, signatures: &BTreeMap<u16, Signature>) -> Result<(), Abort> {
        let all = signatures.iter().map(|(place, signature)| (*place, *signature)).collect();
        let message = Confirmations(all).message(self.spec.round());
        let said = self.players[usize::from(place)].hear(&self.region, &message)?;
        let (_, unmask) = Unmask::parse(&said[0]).unwrap();
        self.mallory.unmasked(place, &unmask);
        Ok(())
    }

    /// Figures with noise of these nodes, added up.
    pub(crate) fn truth(&self, places: &[u16]) -> Vec<Vec<i64>> {
        let noisy: Vec<_> = places.iter().map(|place| self.players[usize::from(*place)].noisy.clone()).collect();
        self.region.sum(&noisy)
    }

    /// True when no sum at all can be opened.
    pub(crate) fn sealed(&self) -> bool {
        openings(&[&self.mallory]).is_empty()
    }

    /// True when one sum can be opened, and it is that over the honest nodes of U3, of
    /// which there are at least h.
    pub(crate) fn opens_only(&self, u3: &[u16]) -> bool {
        let honest: Vec<u16> = self.honest().into_iter().filter(|place| u3.contains(place)).collect();
        let found = openings(&[&self.mallory]);
        let [opening] = found.as_slice() else { return false };
        assert!(honest.len() >= self.spec.quorum().h() as usize, "fewer honest nodes than noise is sized for");
        opening.terms == honest.iter().map(|place| (*place, 1)).collect::<Vec<_>>()
            && opening.sums == self.truth(&honest)
    }

    /// How many shares of a secret the attacker has.
    pub(crate) fn known(&self, dealer: u16, half: Half) -> usize {
        self.mallory.known_shares(dealer, half)
    }
}

/// A node joins, and says this.
pub(crate) fn advert(player: &mut Player, region: &Region, spec: &RoundSpec) -> Advert {
    Advert::parse(&player.join(region, spec).unwrap()).unwrap().1
}

/// What a confirmation signs.
pub(crate) fn signed(round: Digest, sid: Digest, u2: &[u16], u3: &[u16]) -> Vec<u8> {
    let u2h = page::u2_hash(sid, u2);
    [round.0, page::u3_hash(sid, u2h, u3).0].concat()
}

/// All places of `n`.
pub(crate) fn all(n: u16) -> Vec<u16> {
    (0..n).collect()
}

/// All places of `n` but one.
pub(crate) fn without(n: u16, place: u16) -> Vec<u16> {
    (0..n).filter(|one| *one != place).collect()
}

/// An honest round, recorded: from it, one node can be brought to any state again.
pub(crate) struct Tape {
    pub(crate) play: Play,
    /// For each node: Start, Adverts, Inbox, Survivors, Confirmations.
    pub(crate) heard: Vec<Vec<Vec<u8>>>,
    /// What it said to each.
    pub(crate) said: Vec<Vec<Vec<Vec<u8>>>>,
}

impl Tape {
    fn record(n: u16, dropped: bool) -> Self {
        let mut play = Play::new(n, crate::support::SCORE, 1_700 + u64::from(n));
        let (mut heard, mut said) = (vec![vec![]; usize::from(n)], vec![vec![]; usize::from(n)]);
        while play.round.phase() != Phase::Done {
            for place in 0..n {
                let Some(message) = play.round.for_node(&play.region.name(place)) else { continue };
                let answers = play.players[usize::from(place)].hear(&play.region, &message).unwrap();
                let lost = dropped && place == n - 1 && play.round.phase() == Phase::Masked;
                for answer in answers.iter().filter(|_| !lost) {
                    play.give(place, answer).unwrap();
                }
                heard[usize::from(place)].push(message);
                said[usize::from(place)].push(answers);
            }
            play.round.advance().unwrap();
        }
        Self { play, heard, said }
    }

    /// A round of all.
    pub(crate) fn whole(n: u16) -> &'static Self {
        static TAPES: [OnceLock<Tape>; 21] = [const { OnceLock::new() }; 21];
        TAPES[usize::from(n)].get_or_init(|| Self::record(n, false))
    }

    /// A round in which the masked input of the last node does not arrive.
    pub(crate) fn dropped(n: u16) -> &'static Self {
        static TAPES: [OnceLock<Tape>; 21] = [const { OnceLock::new() }; 21];
        TAPES[usize::from(n)].get_or_init(|| Self::record(n, true))
    }

    /// The node that has heard the first so many of its messages.
    pub(crate) fn node(&self, place: u16, heard: usize) -> Player {
        let mut player = Player::new(&self.play.region, place);
        for message in &self.heard[usize::from(place)][..heard] {
            player.hear(&self.play.region, message).unwrap();
        }
        player
    }

    pub(crate) fn round(&self) -> Digest {
        self.play.round.spec().round()
    }

    pub(crate) fn u1(&self) -> Vec<Advert> {
        Adverts::parse(&self.heard[0][1]).unwrap().1.0
    }

    pub(crate) fn sid(&self) -> Digest {
        page::session(self.round(), self.play.region.roster.hash(), &self.u1())
    }

    /// What becomes of a node that hears this after the first `heard` messages.
    pub(crate) fn ends(&self, place: u16, heard: usize, message: &[u8]) -> Option<Abort> {
        self.leaves(&mut self.node(place, heard), message)
    }

    /// Hands a message to a node. When it leaves, it must be gone for good: it says
    /// nothing more, not even again, was not debited, and opens nothing.
    pub(crate) fn leaves(&self, player: &mut Player, message: &[u8]) -> Option<Abort> {
        let written = player.journal.0.len();
        let abort = player.take(message).err()?;
        for good in &self.heard[usize::from(player.place)][1..] {
            assert!(matches!(player.take(good), Err(Abort::OutOfTurn)), "says something after {abort}");
        }
        assert_eq!(player.session().open(), Err(Abort::OutOfTurn));
        assert_eq!(player.journal.0.len(), written, "no debit");
        Some(abort)
    }
}

/// What an honest node's policy says to a question under a roster; the allowance in
/// 1e-9 rho.
pub(crate) fn admitted(region: &Region, place: u16, nano_rho: u64) -> Result<Admitted, Refusal> {
    let policy: Policy = serde_json::from_value(serde_json::json!({
        "k": 5, "approval": "auto",
        "allowance": {"nano_rho_per_period": nano_rho, "atto_delta_per_period": 1_000_000_000_000_000u64,
            "gate_atto_delta": 100_000_000_000u64},
        "tables": {"measures": ["clients", "score"], "dimensions": ["need", "age_group", "sex", "area"],
            "purposes": ["statistics"], "most_cells": 50_000, "most_per_client": 10},
    }))
    .unwrap();
    let periods = region.request.periods().iter();
    let vintages: BTreeMap<Period, Vintage> =
        periods.map(|period| (*period, Vintage { id: Digest([9; 32]), events: false })).collect();
    let holdings = Holdings {
        region: region.roster.region(),
        node: &region.name(place),
        register: &"r".parse().unwrap(),
        source: &"r".parse().unwrap(),
        areas: &["205".to_owned()],
        vintages: &vintages,
        floor: region.roster.floor(),
        quorum: Some(region.quorum()),
    };
    policy.admit(&region.request, &holdings)
}

/// What a session wants next, without its secrets.
pub(crate) fn wants(next: Result<Next, Abort>) -> Result<Vec<Vec<u8>>, Abort> {
    match next? {
        Next::Send(messages) => Ok(messages),
        Next::Mask(_) => panic!("masks are out"),
        Next::Open => panic!("opens"),
    }
}

/// The chi-square of the bytes against the uniform distribution: about 255.
pub(crate) fn chi_square(bytes: &[u8]) -> f64 {
    let mut counts = [0u32; 256];
    bytes.iter().for_each(|byte| counts[usize::from(*byte)] += 1);
    let expected = bytes.len() as f64 / 256.0;
    counts.iter().map(|count| (f64::from(*count) - expected).powi(2) / expected).sum()
}

/// True when bytes look uniform: chi-square within six standard deviations. Asked of
/// fixed randomness, so that the answer is always the same.
pub(crate) fn uniform(bytes: &[u8]) -> bool {
    assert!(bytes.len() >= 5 * 256, "too few to say: {}", bytes.len());
    (chi_square(bytes) - 255.0).abs() < 6.0 * 510f64.sqrt()
}
