//! R28, and R29 of masked inputs: an opened round, from its messages to its table.

use crate::coverage;
use crate::masks::{self, Sums, agree, hash, is_scalar, kdf};
use crate::report::{Rule, Sheet};
use crate::tables::{Standing, Table};
use crate::transcript::{CHUNK, Transcript};
use crate::walk::Walked;
use crate::world::{Held, World};
use koonti_disclosure::combine::{Missing, Published};
use koonti_disclosure::identity::{RoundLabel, check_masked, check_round};
use koonti_disclosure::masked::{Layout, chunks_hash};
use koonti_disclosure::poisson::Poisson;
use koonti_disclosure::regional::{self, Sum, SumNoise};
use koonti_disclosure::roster::Roster;
use koonti_disclosure::round::RoundSpec;
use koonti_disclosure::{Digest, Name, Refusal, canonical, cost};

/// Checks the round behind a published regional table.
pub(crate) fn check(
    world: &World<'_>,
    walked: &Walked,
    table: &Table,
    (counted, published): (&[Name], Digest),
    place: &dyn Fn() -> String,
    sheet: &mut Sheet,
) {
    let spec = table.rounds.last().and_then(|(round, _)| world.spec(*round));
    if spec.is_some_and(|spec| world.rosters.is_missing(spec.roster())) {
        return;
    }
    let opened = table.rounds.last().and_then(|(round, _)| Opened::read(world, table, *round));
    let read = world.blobs.raw(published).and_then(|bytes| canonical::from_bytes::<Published>(bytes).ok());
    let holds = opened.as_ref().is_some_and(|opened| {
        let covered = coverage::of_round(world, walked, (counted, opened.spec.round()), read.as_ref());
        let made = opened.open().and_then(|vectors| opened.published(table, counted, &vectors));
        let made = made.and_then(|made| canonical::to_bytes(&Published { coverage: covered, ..made }).ok());
        made.is_some_and(|bytes| Digest::of(&bytes) == published)
    });
    sheet.check(Rule::R28, holds, || format!("{}: its opened round is missing or does not give the table", place()));
    let Some(opened) = opened else { return };
    sheet.cells += (table.request.domain().cells() * table.request.periods().len()) as u64;
    for (at, masked) in &opened.files.masked {
        let Some(node) = opened.roster.nodes().get(usize::from(*at)) else { continue };
        let named = match world.node(&node.name) {
            Held::Sound(_) => {
                let hash = (chunks_hash(&masked.chunks), opened.spec.round());
                walked.nodes.get(&node.name).is_some_and(|books| books.masked.contains(&hash))
            }
            Held::Unknown => continue,
        };
        sheet.check(Rule::R29, named, || format!("{}: node {} names no such masked input", place(), node.name));
    }
}

struct Opened<'w> {
    spec: &'w RoundSpec,
    roster: &'w Roster,
    layout: Layout,
    files: Transcript<'w>,
    sid: Digest,
    u2h: Digest,
}

impl<'w> Opened<'w> {
    fn read(world: &'w World<'_>, table: &Table, round: Digest) -> Option<Self> {
        let spec = world.spec(round)?;
        let roster = world.rosters.get(spec.roster())?;
        let layout = Layout::of(&table.request)?;
        let files = Transcript::read(round, world.rounds.get(&round)?, layout.bytes())?;
        let adverts: Vec<u8> = files.adverts.iter().flat_map(|advert| [&round.0, advert.unsigned].concat()).collect();
        let sid = hash(&[b"koonti/v1/secagg/session", &round.0, &spec.roster().0, &adverts]);
        let u2h = hash(&[b"koonti/v1/secagg/u2", &sid.0, &bytes_of(&files.u2)]);
        Some(Self { spec, roster, layout, files, sid, u2h })
    }

    /// The sums, when everything holds.
    fn open(&self) -> Option<Vec<Vec<i64>>> {
        let holds = self.adverts_hold() && self.sets_hold() && self.confirmations_hold() && self.inputs_hold();
        let seeds = self.seeds().filter(|_| holds)?;
        let mut sums = Sums::new(self.layout.vectors());
        self.files.masked.values().for_each(|masked| sums.add(masked.vectors));
        seeds.iter().for_each(|(seed, off)| sums.stream(self.u2h, seed, *off));
        Some(sums.lifted())
    }

    fn key(&self, place: u16) -> Option<Digest> {
        self.roster.nodes().get(usize::from(place)).map(|node| node.identity)
    }

    fn adverts_hold(&self) -> bool {
        let adverts = &self.files.adverts;
        let mut keys: Vec<[u8; 32]> = adverts.iter().flat_map(|advert| [advert.mask_pk, advert.enc_pk]).collect();
        // Any secret shows a point of low order: it is a multiple of the cofactor.
        let sound = keys.iter().all(|key| agree([1; 32], *key).is_some());
        let count = keys.len();
        keys.sort_unstable();
        keys.dedup();
        let signed = adverts.iter().all(|advert| {
            let message = [&self.spec.round().0, advert.unsigned].concat();
            self.key(advert.place)
                .is_some_and(|key| check_round(RoundLabel::Advert, &message, &advert.signature, key).is_ok())
        });
        sound && signed && keys.len() == count
    }

    fn sets_hold(&self) -> bool {
        let Transcript { adverts, u2, u3, masked, own, mask, .. } = &self.files;
        let u1: Vec<u16> = adverts.iter().map(|advert| advert.place).collect();
        let within = |inner: &[u16], outer: &[u16]| inner.iter().all(|place| outer.binary_search(place).is_ok());
        let dropped = u2.iter().filter(|place| u3.binary_search(place).is_err());
        let enough = [&u1, u2, u3].iter().all(|set| set.len() >= self.spec.quorum().u_min() as usize);
        let files = masked.keys().eq(u3) && own.keys().eq(u3) && mask.keys().eq(dropped);
        enough && files && within(u2, &u1) && within(u3, u2)
    }

    fn confirmations_hold(&self) -> bool {
        let Transcript { u3, confirmations, .. } = &self.files;
        let u3h = hash(&[b"koonti/v1/secagg/u3", &self.sid.0, &self.u2h.0, &bytes_of(u3)]);
        let message = [self.spec.round().0, u3h.0].concat();
        let signed = confirmations.iter().all(|(place, signature)| {
            let key = self.key(*place).filter(|_| u3.binary_search(place).is_ok());
            key.is_some_and(|key| check_round(RoundLabel::Survivors, &message, signature, key).is_ok())
        });
        signed && confirmations.len() >= self.spec.quorum().t() as usize
    }

    fn inputs_hold(&self) -> bool {
        self.files.masked.iter().all(|(place, masked)| {
            let hashes = masked.vectors.chunks(CHUNK).map(Digest::of).eq(masked.chunks.iter().copied());
            let set = (self.spec.round(), self.u2h);
            let signed = self.key(*place).is_some_and(|key| {
                check_masked(set, masked.length, chunks_hash(&masked.chunks), &masked.signature, key).is_ok()
            });
            hashes && signed && masked.length == self.layout.bytes() as u64
        })
    }

    /// The seeds of all masks that are left in the sum, with true for those that were
    /// added; none when a secret does not open its commitment.
    fn seeds(&self) -> Option<Vec<([u8; 32], bool)>> {
        let Transcript { adverts, u3, own, mask, .. } = &self.files;
        let (round, sid, u2h) = (self.spec.round(), self.sid, self.u2h);
        let advert = |place: u16| adverts.iter().find(|advert| advert.place == place);
        let mut seeds = Vec::new();
        for (place, sigma_b) in own {
            let at = place.to_be_bytes();
            let commit = hash(&[b"koonti/v1/secagg/self-commitment", &round.0, &at, sigma_b]);
            (is_scalar(sigma_b) && advert(*place)?.commit == commit).then_some(())?;
            seeds.push((kdf(sid, sigma_b, &[b"koonti/v1/secagg/self", &u2h.0, &at]), true));
        }
        for (dropped, sigma_m) in mask {
            let secret = kdf(round, sigma_m, &[b"koonti/v1/secagg/mask-key", &dropped.to_be_bytes()]);
            (is_scalar(sigma_m) && advert(*dropped)?.mask_pk == masks::public(secret)).then_some(())?;
            for survivor in u3 {
                let shared = agree(secret, advert(*survivor)?.mask_pk)?;
                let (low, high) = (dropped.min(survivor).to_be_bytes(), dropped.max(survivor).to_be_bytes());
                let seed = kdf(sid, &shared, &[b"koonti/v1/secagg/pair", &u2h.0, &low, &high]);
                // The survivor has added it if the other's place is the larger one.
                seeds.push((seed, dropped > survivor));
            }
        }
        Some(seeds)
    }

    /// The table that these sums give.
    fn published(&self, table: &Table, counted: &[Name], vectors: &[Vec<i64>]) -> Option<Published> {
        let name = |place: &u16| self.roster.nodes().get(usize::from(*place)).map(|node| node.name.clone());
        let survivors: Vec<Name> = self.files.u3.iter().map(name).collect::<Option<_>>()?;
        (survivors == counted).then_some(())?;
        let (quorum, strictness) = (self.spec.quorum(), self.spec.strictness());
        let of_vectors = cost::vectors(&table.request).ok()?;
        of_vectors.iter().all(|v| Poisson::new(v.variance, quorum.h()).is_ok()).then_some(())?;
        SumNoise::of(&table.request, quorum, u32::try_from(survivors.len()).ok()?, strictness)?;
        let missing = table.nodes.iter().filter(|(node, _)| !survivors.contains(node)).map(|(node, standing)| {
            let reason = match standing {
                Standing::Refused(reason) => *reason,
                Standing::Ready(_) => Refusal::RoundLeft,
                _ => Refusal::NoAnswer,
            };
            Missing { node: node.clone(), reason }
        });
        let sum = Sum { spec: self.spec, missing: missing.collect(), vectors, survivors };
        Some(regional::publish(&table.request, sum))
    }
}

fn bytes_of(set: &[u16]) -> Vec<u8> {
    set.iter().flat_map(|place| place.to_be_bytes()).collect()
}
