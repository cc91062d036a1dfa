//! A region for tests: nodes with policies and ledgers, a coordinator, a question.
//!
//! Everything is real but the counts, the disk and the randomness, which comes from
//! SHA-256 over a counter: the same seed plays the same round again. [`Play`] runs
//! honest nodes and an honest coordinator; a test that wants a lying one takes the
//! messages apart with `koonti_secagg::message` and signs with [`sign`].

#![allow(dead_code, missing_docs, unreachable_pub, reason = "every test uses a part")]

use koonti_disclosure::abort::Certificate;
use koonti_disclosure::cost;
use koonti_disclosure::identity::IdentityKey;
use koonti_disclosure::ledger::{DebitError, DebitSink, Entry, Joining, Noise};
use koonti_disclosure::masked::{CHUNK_BYTES, CLAMP, Layout, MaskedInput, Masks, Ring, chunks_hash};
use koonti_disclosure::poisson::Poisson;
use koonti_disclosure::policy::{Admitted, Holdings, Vintage};
use koonti_disclosure::quorum::Quorum;
use koonti_disclosure::roster::{Floor, LogKeys, NodeEntry, Roster};
use koonti_disclosure::round::{Choice, RoundSpec, Strictness};
use koonti_disclosure::stream::{Context, Seed, VectorKey};
use koonti_disclosure::{
    Codebook, Digest, Exact, Ledger, Name, Period, Permit, Policy, TableRequest, Tally, canonical,
};
use koonti_secagg::coordinator::{Failed, Fault, Phase, Round, Taken};
use koonti_secagg::message::{Chunk, Masked, Start};
use koonti_secagg::node::{Next, Session};
use koonti_secagg::{Abort, MaskSet, NoRandomness, Randomness};
use std::collections::BTreeMap;

/// Before every deadline.
pub const NOW: u64 = 1_770_000_000;
/// When phase 0 ends; each other ends a minute after the one before it.
pub const FIRST_DEADLINE: u64 = NOW + 60;

/// Bytes of SHA-256 over a seed and a counter, with a record of what was drawn.
pub struct Counter {
    seed: Digest,
    block: u64,
    left: Vec<u8>,
    pub drawn: Vec<u8>,
}

impl Counter {
    pub fn new(label: &str, number: u64) -> Self {
        let seed = Digest::of(format!("{label}/{number}").as_bytes());
        Self { seed, block: 0, left: vec![], drawn: vec![] }
    }

    pub fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut out = [0; N];
        self.fill(&mut out).unwrap();
        out
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        u64::from_be_bytes(self.bytes()) % bound
    }

    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.below(i as u64 + 1) as usize);
        }
    }
}

impl Randomness for Counter {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), NoRandomness> {
        for byte in out.iter_mut() {
            if self.left.is_empty() {
                self.left = Digest::of(&[self.seed.0.as_slice(), &self.block.to_be_bytes()].concat()).0.to_vec();
                self.left.reverse();
                self.block += 1;
            }
            *byte = self.left.pop().unwrap();
        }
        self.drawn.extend_from_slice(out);
        Ok(())
    }
}

/// A source of randomness that fails.
pub struct Dry;

impl Randomness for Dry {
    fn fill(&mut self, _: &mut [u8]) -> Result<(), NoRandomness> {
        Err(NoRandomness)
    }
}

/// A journal in memory.
#[derive(Default)]
pub struct Memory(pub Vec<Vec<u8>>);

impl DebitSink for Memory {
    type Error = ();
    fn append_synced(&mut self, entry: &[u8]) -> Result<u64, ()> {
        self.0.push(entry.to_vec());
        Ok(self.0.len() as u64 - 1)
    }
}

/// A question: a table by these dimensions, of clients (32 bits) or of a score
/// (32 and 64 bits), over some quarters. By nothing it has 1 cell, by sex 3, by
/// `age_group` 7, by area 309.
#[derive(Clone, Copy, Debug)]
pub struct Table {
    pub by: &'static [&'static str],
    pub score: bool,
    pub periods: usize,
}

pub const CLIENTS: Table = Table { by: &["age_group"], score: false, periods: 1 };
pub const SCORE: Table = Table { by: &["sex"], score: true, periods: 2 };

/// The keys of its evidence, which no round uses.
pub const COORDINATOR: LogKeys = LogKeys { log: Digest([1; 32]), witness: Digest([2; 32]) };

/// A key of a node's evidence, which no round uses.
pub fn unused_key(seed: u64, place: u16, which: u8) -> Digest {
    Digest::of(&[&seed.to_be_bytes()[..], &place.to_be_bytes(), &[which]].concat())
}

/// What all participants of a region agree on.
pub struct Region {
    pub roster: Roster,
    pub request: TableRequest,
    pub layout: Layout,
    pub seed: u64,
}

impl Region {
    pub fn new(n: u16, table: Table, seed: u64) -> Self {
        let floor = Floor { c: 1, eta: (1, 100), j: 2, k: 5 };
        let entry = |place| NodeEntry {
            areas: vec!["205".to_owned()],
            identity: identity(seed, place).public(),
            log: unused_key(seed, place, 1),
            name: node_name(place),
            witness: unused_key(seed, place, 2),
        };
        let roster = Roster::new(name("ita"), 1, COORDINATOR, floor, (0..n).map(entry).collect(), vec![]).unwrap();
        let request = table.request();
        let layout = Layout::of(&request).unwrap();
        Self { roster, request, layout, seed }
    }

    /// The terms of a round. Rounds with other numbers have other nonces.
    pub fn spec(&self, number: u64, previous: Option<Digest>) -> RoundSpec {
        let choice = Choice {
            request: self.request.id(),
            nonce: Digest(Counter::new("nonce", self.seed ^ number << 32).bytes()),
            deadlines: [0, 1, 2, 3, 4].map(|i| FIRST_DEADLINE + 60 * i),
            strictness: Strictness { eta: (1, 100), j: 2, k: 5 },
            previous,
        };
        RoundSpec::new(&self.roster, &choice).unwrap()
    }

    pub fn quorum(&self) -> Quorum {
        Quorum::of(&self.roster).unwrap()
    }

    /// All nodes, with counts of their own.
    pub fn players(&self) -> Vec<Player> {
        (0..self.roster.nodes().len() as u16).map(|place| Player::new(self, place)).collect()
    }

    pub fn name(&self, place: u16) -> Name {
        self.roster.nodes()[usize::from(place)].name.clone()
    }

    /// The sum of noisy vectors in the rings of the layout, as two's complement.
    pub fn sum(&self, vectors: &[Vec<Vec<i64>>]) -> Vec<Vec<i64>> {
        let cell = |w: usize, ring: Ring, cell: usize| {
            let sum = vectors.iter().fold(0i64, |sum, v| sum.wrapping_add(v[w][cell]));
            if ring == Ring::Bits32 { i64::from(sum as i32) } else { sum }
        };
        let layout = self.layout.vectors().iter().enumerate();
        layout.map(|(w, (ring, cells))| (0..*cells).map(|c| cell(w, *ring, c)).collect()).collect()
    }
}

impl Table {
    pub fn request(self) -> TableRequest {
        let quarters = ["2025Q1", "2025Q2", "2025Q3", "2025Q4", "2026Q1", "2026Q2", "2026Q3"];
        let mut json = serde_json::json!({
            "by": self.by, "codebook": Codebook::shipped()[0].hash(), "measure": "clients",
            "periods": quarters[..self.periods], "purpose": "statistics", "region": "ita", "register": "r",
            "release": "regional", "v": 1, "variance": [25, 1],
        });
        if self.score {
            json["measure"] = "score".into();
            json["score"] = "D07".into();
        }
        TableRequest::read(&canonical::to_bytes(&json).unwrap()).unwrap()
    }
}

/// One node: its key, its ledger, its counts, its session.
pub struct Player {
    pub place: u16,
    pub name: Name,
    pub identity: IdentityKey,
    pub random: Counter,
    pub ledger: Ledger,
    pub journal: Memory,
    /// Exact counts: period, vector, cell.
    pub counts: Vec<Vec<Vec<i64>>>,
    pub session: Option<Session>,
    /// What stands in the masked input under the masks, once it was made.
    pub noisy: Vec<Vec<i64>>,
    /// For a retry.
    pub certificate: Option<Certificate>,
    draws: u64,
}

impl Player {
    pub fn new(region: &Region, place: u16) -> Self {
        let mut counts = Counter::new("counts", region.seed << 16 | u64::from(place));
        let cells = region.request.domain().cells();
        let per_period = region.layout.vectors().len() / region.request.periods().len();
        // A few lie beyond where counts are cut.
        let mut count = |v: usize| counts.below(3 << 20) as i64 - (1 << 20) * (1 - v as i64).max(0);
        let mut period = || (0..per_period).map(|v| (0..cells).map(|_| count(v)).collect()).collect();
        Self {
            place,
            name: region.name(place),
            identity: identity(region.seed, place),
            random: Counter::new("random", region.seed << 16 | u64::from(place)),
            ledger: Ledger::default(),
            journal: Memory::default(),
            counts: region.request.periods().iter().map(|_| period()).collect(),
            session: None,
            noisy: vec![],
            certificate: None,
            draws: 0,
        }
    }

    /// Starts a session; the answer is the Advert message.
    pub fn join(&mut self, region: &Region, spec: &RoundSpec) -> Result<Vec<u8>, Abort> {
        let (layout, roster) = (region.layout.clone(), &region.roster);
        let joined = Session::join(spec.clone(), layout, roster, &self.name, &self.identity, &mut self.random);
        let (session, advert) = joined?;
        self.session = Some(session);
        Ok(advert)
    }

    /// The session, which must have been joined.
    pub fn session(&mut self) -> &mut Session {
        self.session.as_mut().expect("joined")
    }

    /// Hands a message to the session and says what it wants next.
    pub fn take(&mut self, message: &[u8]) -> Result<Next, Abort> {
        self.take_at(message, NOW)
    }

    pub fn take_at(&mut self, message: &[u8], now: u64) -> Result<Next, Abort> {
        self.session.as_mut().expect("joined").take(message, now, &self.identity, &mut self.random)
    }

    /// Hands over a message and does whatever follows, as an honest node does: joins
    /// at a Start, is debited and masks, opens. Returns what it sends.
    pub fn hear(&mut self, region: &Region, message: &[u8]) -> Result<Vec<Vec<u8>>, Abort> {
        if let Ok(start) = Start::parse(message) {
            if !start.certificate.is_empty() {
                self.certificate = Some(Certificate::parse(&start.certificate, &region.roster).unwrap());
            }
            return Ok(vec![self.join(region, &start.spec)?]);
        }
        match self.take(message)? {
            Next::Send(messages) => Ok(messages),
            Next::Mask(masks) => {
                let input = self.mask(region, masks);
                let session = self.session.as_mut().expect("joined");
                session.masked(input, &self.identity)
            }
            Next::Open => Ok(vec![self.session().open()?]),
        }
    }

    /// Is debited, draws noise, and masks.
    pub fn mask(&mut self, region: &Region, masks: MaskSet) -> MaskedInput {
        self.try_mask(region, masks).unwrap_or_else(|_| panic!("the ledger refuses"))
    }

    /// As [`Player::mask`]; fails when the ledger does not grant the round.
    pub fn try_mask(&mut self, region: &Region, masks: MaskSet) -> Result<MaskedInput, DebitError<()>> {
        let spec = self.session().spec().clone();
        let (permit, noise) = self.granted(region, &spec)?;
        let tally = Tally { periods: self.counts.clone() };
        Ok(Exact::wrap(tally).mask(permit, noise, masks).unwrap())
    }

    /// Is debited for a round and draws noise, before there are masks.
    pub fn granted(&mut self, region: &Region, spec: &RoundSpec) -> Result<(Permit, Noise), DebitError<()>> {
        self.draws += 1;
        let seed: [u8; 32] = Counter::new("noise", region.seed << 20 | u64::from(self.place) << 4 | self.draws).bytes();
        let joining = Joining {
            requester: name("aino"),
            spec,
            // Some tests ask the ledger for rounds that nobody has joined.
            session: self.session.as_ref().and_then(Session::session).unwrap_or(Digest([0; 32])),
            roster: &region.roster,
            certificate: self.certificate.as_ref(),
            seed: (self.journal.0.len() as u64, Seed::new(seed)),
            time: NOW,
        };
        let permit = self.ledger.join(self.admit(region), joining, &mut self.journal)?;
        let noise = permit.draw().unwrap();
        self.noisy = self.expected(region, spec, &Seed::new(seed));
        Ok((permit, noise))
    }

    /// Masks a vector of 32-bit words that is larger than any request's, and signs it
    /// with the raw key; returns the Masked and Chunk messages. The session moves on
    /// with the question's own small table. For measurements.
    pub fn mask_large(
        &mut self,
        region: &Region,
        (permit, noise): (Permit, Noise),
        mut masks: MaskSet,
        words: &mut [u8],
    ) -> Vec<Vec<u8>> {
        let (round, set) = (masks.round(), masks.set());
        masks.add(0, Ring::Bits32, words);
        let tally = Tally { periods: self.counts.clone() };
        let small = Exact::wrap(tally).mask(permit, noise, masks).unwrap();
        self.session.as_mut().expect("joined").masked(small, &self.identity).unwrap();
        let chunks: Vec<Digest> = words.chunks(CHUNK_BYTES).map(Digest::of).collect();
        let bytes = words.len() as u64;
        let signed = [&round.0[..], &set.0, &bytes.to_be_bytes(), &chunks_hash(&chunks).0].concat();
        let signature = sign(region.seed, self.place, "koonti/v1/masked", &signed);
        let chunk = |(index, bytes)| Chunk { index, bytes }.message(round);
        let all = (0u32..).zip(words.chunks(CHUNK_BYTES)).map(chunk);
        std::iter::once(Masked { bytes, chunks, signature }.message(round)).chain(all).collect()
    }

    /// Leaves the round, writes down that it did, and signs that its secrets are gone;
    /// none when it has opened, or had no session yet.
    pub fn erase(&mut self) -> Option<Vec<u8>> {
        let right = self.session().erase();
        if right.is_none() && self.session().session().is_some() {
            return None;
        }
        let open: Vec<u64> = self.ledger.open().map(|(seq, _)| seq).collect();
        for debit in open {
            let entry = Entry::Abort { debit, time: NOW };
            let seq = self.journal.append_synced(&canonical::to_bytes(&entry).unwrap()).unwrap();
            self.ledger.replay(seq, &entry).unwrap();
        }
        right.map(|right| right.sign(&self.identity))
    }

    fn admit(&self, region: &Region) -> Admitted {
        let vintages: BTreeMap<Period, Vintage> = region
            .request
            .periods()
            .iter()
            .map(|period| (*period, Vintage { id: Digest([9; 32]), events: false }))
            .collect();
        let holdings = Holdings {
            region: region.roster.region(),
            node: &self.name,
            register: &name("r"),
            source: &name("r"),
            areas: &["205".to_owned()],
            vintages: &vintages,
            floor: region.roster.floor(),
            quorum: Some(region.quorum()),
        };
        policy().admit(&region.request, &holdings).unwrap()
    }

    /// Cut counts plus noise, drawn again from the public parts of the sampler.
    fn expected(&self, region: &Region, spec: &RoundSpec, seed: &Seed) -> Vec<Vec<i64>> {
        let vintages = vec![Digest([9; 32]); region.request.periods().len()];
        let context = Context {
            node: &self.name,
            request: region.request.id(),
            vintages: &vintages,
            round: spec.round(),
            attempt: spec.attempt(),
        };
        let vectors = cost::vectors(&region.request).unwrap();
        let shares: Vec<_> = (0u32..)
            .zip(&vectors)
            .map(|(v, vector)| {
                let key = VectorKey::derive(seed, &spec.nonce(), &context, v);
                (key, Poisson::new(vector.variance, spec.quorum().h()).unwrap(), CLAMP * vector.per_cell as i64)
            })
            .collect();
        let noisy = |p: u16, vector: &(VectorKey, Poisson, i64), counts: &Vec<i64>| {
            let (key, share, most) = vector;
            let cell = |(cell, x): (u64, &i64)| {
                let z = share.share(&mut key.cell(0, p, cell), &mut key.cell(1, p, cell)).unwrap();
                (*x).clamp(-most, *most) + z
            };
            (0u64..).zip(counts).map(cell).collect()
        };
        let periods = (0u16..).zip(&self.counts);
        periods.flat_map(|(p, period)| shares.iter().zip(period).map(move |(v, c)| noisy(p, v, c))).collect()
    }
}

/// An honest coordinator and honest nodes.
pub struct Play {
    pub region: Region,
    pub players: Vec<Player>,
    pub round: Round,
}

impl Play {
    pub fn new(n: u16, table: Table, seed: u64) -> Self {
        let region = Region::new(n, table, seed);
        let round = Round::new(region.spec(0, None), region.layout.clone(), region.roster.clone(), None);
        Self { players: region.players(), region, round }
    }

    /// What the nodes answer to what lies ready for them, in order of place; those
    /// that are `silent` fetch nothing. Nothing is taken yet.
    pub fn answers(&mut self, silent: &[u16]) -> Vec<(u16, Vec<u8>)> {
        let mut answers = vec![];
        for player in self.players.iter_mut().filter(|player| !silent.contains(&player.place)) {
            if let Some(message) = self.round.for_node(&player.name) {
                let said = player.hear(&self.region, &message).unwrap();
                answers.extend(said.into_iter().map(|message| (player.place, message)));
            }
        }
        answers
    }

    /// Hands a node's message to the coordinator.
    pub fn give(&mut self, place: u16, message: &[u8]) -> Result<Taken, Fault> {
        self.round.take(&self.region.name(place), message)
    }

    /// One phase: the others answer, and it is closed.
    pub fn phase(&mut self, silent: &[u16]) -> Result<(), Failed> {
        for (place, message) in self.answers(silent) {
            assert_eq!(self.give(place, &message), Ok(Taken::New));
        }
        self.round.advance()
    }

    /// Runs until `phase` begins, with everybody.
    pub fn until(&mut self, phase: Phase) {
        while self.round.phase() < phase {
            self.phase(&[]).unwrap();
        }
    }

    /// What the survivors' sum must be.
    pub fn expected(&self, survivors: &[u16]) -> Vec<Vec<i64>> {
        let noisy: Vec<_> = survivors.iter().map(|place| self.players[usize::from(*place)].noisy.clone()).collect();
        self.region.sum(&noisy)
    }

    /// The message that lies ready for a node now.
    pub fn ready(&self, place: u16) -> Vec<u8> {
        self.round.for_node(&self.region.name(place)).expect("asked")
    }
}

pub fn name(text: &str) -> Name {
    text.parse().unwrap()
}

/// Names in order of place.
pub fn node_name(place: u16) -> Name {
    name(&format!("node-{place:03}"))
}

pub fn identity_seed(seed: u64, place: u16) -> [u8; 32] {
    Counter::new("identity", seed << 16 | u64::from(place)).bytes()
}

pub fn identity(seed: u64, place: u16) -> IdentityKey {
    IdentityKey::from_seed(identity_seed(seed, place))
}

/// A signature of any label and message by a node of [`Region::new`]'s seed.
pub fn sign(seed: u64, place: u16, label: &str, message: &[u8]) -> [u8; 64] {
    let pair = ring::signature::Ed25519KeyPair::from_seed_unchecked(&identity_seed(seed, place)).unwrap();
    pair.sign(&[label.as_bytes(), b"\0", message].concat()).as_ref().try_into().unwrap()
}

fn policy() -> Policy {
    serde_json::from_value(serde_json::json!({
        "k": 5, "approval": "auto",
        "allowance": {"nano_rho_per_period": 1_000_000_000u64, "atto_delta_per_period": 1_000_000_000_000_000u64,
            "gate_atto_delta": 100_000_000_000u64},
        "tables": {"measures": ["clients", "score"], "dimensions": ["need", "age_group", "sex", "area"],
            "purposes": ["statistics"], "most_cells": 50_000, "most_per_client": 10},
    }))
    .unwrap()
}
