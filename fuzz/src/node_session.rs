//! A node against its coordinator, which knows every other node's identity key.
//!
//! The script makes the coordinator alter, repeat, drop and reorder what it sends.
//! Whatever it does, the node must go on or leave for a named reason; it answers a
//! message only when every demand of the format page holds, asks for one debit, and
//! releases one share of each node, for one U3 that t nodes have signed. All this is
//! checked here a second time, from the page.

mod demands;

use crate::alter::{altered, flip};
use crate::format;
use crate::script::Script;
use crate::support::{Dry, FIRST_DEADLINE, NOW, Player};
use crate::world::{NODES, World};
use koonti_disclosure::Digest;
use koonti_secagg::message::{
    self, Adverts, Chunk, Confirm, Confirmations, Entry, Inbox, Kind, Shares, Survivors, Unmask, start_message,
};
use koonti_secagg::node::Next;
use koonti_secagg::{Abort, MaskSet};
use std::collections::BTreeMap;

/// Deliveries in one script.
const MOST_STEPS: usize = 24;
/// After every deadline.
const LATE: u64 = FIRST_DEADLINE + 3600;

/// Runs one script.
pub fn node_session(data: &[u8]) {
    let mut case = play(data);
    case.erase();
    assert!(case.take(case.honest(1, 0), NOW, false).is_err(), "an erased session answers");
}

fn play(data: &[u8]) -> Case {
    let mut script = Script::new(data);
    let mut case = Case::new(script.below(usize::from(NODES)) as u16);
    for _ in 0..MOST_STEPS {
        case.step(&mut script);
        if script.is_over() && (case.ended || case.unmask.is_some()) {
            break;
        }
    }
    case
}

/// A node, and what it has heard and said.
struct Case {
    world: &'static World,
    player: Player,
    /// The messages that were taken, by kind.
    taken: BTreeMap<Kind, Vec<u8>>,
    /// What was said, by kind: never two different things.
    said: BTreeMap<Kind, Vec<u8>>,
    /// Masks that the node asks to be debited for.
    masks: Option<MaskSet>,
    debits: usize,
    may_open: bool,
    unmask: Option<Unmask>,
    ended: bool,
}

impl Case {
    fn new(place: u16) -> Self {
        let world = World::get();
        let mut player = world.player(place);
        let advert = player.join(&world.region, &world.spec).expect("the terms are those of the roster");
        Self {
            world,
            player,
            taken: BTreeMap::new(),
            said: BTreeMap::from([(Kind::Advert, advert)]),
            masks: None,
            debits: 0,
            may_open: false,
            unmask: None,
            ended: false,
        }
    }

    /// One deed of the coordinator, or of the node's daemon.
    fn step(&mut self, script: &mut Script<'_>) {
        let next = self.taken.len().min(3) + 1;
        match script.below(16) {
            1 => {
                let message = self.honest(next, script.byte());
                self.give(message, NOW);
            }
            2 => {
                let message = altered(script, self.honest(next, 0));
                self.give(message, NOW);
            }
            3 => {
                let without = script.byte();
                let message = altered(script, self.honest(next, without));
                let message = altered(script, message);
                self.give(message, NOW);
            }
            4 | 5 => {
                // An earlier message again, or nearly.
                let mut earlier: Vec<Vec<u8>> = self.taken.values().cloned().collect();
                if !earlier.is_empty() {
                    let message = earlier.swap_remove(script.below(earlier.len()));
                    let message = if script.below(2) == 0 { message } else { altered(script, message) };
                    let now = if script.below(2) == 0 { NOW } else { LATE };
                    self.give(message, now);
                }
            }
            6 => {
                let out_of_turn = self.honest(1 + script.below(4), script.byte());
                self.give(out_of_turn, NOW);
            }
            7 => {
                let message = if next == 2 { self.redealt(script) } else { self.resigned(script) };
                self.give(message, NOW);
            }
            8 => {
                let message = self.confirmations(script.byte(), script.byte());
                self.give(message, NOW);
            }
            9 => {
                let late = FIRST_DEADLINE + 60 * script.below(6) as u64 + 1;
                self.give(self.honest(next, 0), late);
            }
            10 => self.erase(),
            11 => self.open(),
            12 => {
                let mut message = vec![script.byte()];
                message.extend_from_slice(&self.world.round().0);
                let length = script.below(512);
                message.extend_from_slice(script.bytes(length));
                self.give(message, NOW);
            }
            13 => self.give(start_message(&self.world.spec, &[]), NOW),
            14 => {
                let message = self.honest(next, 0);
                let _ = self.take(message, NOW, true);
            }
            15 => self.give(message::stop_message(self.world.round()), NOW),
            _ => self.give(self.honest(next, 0), NOW),
        }
        // The daemon does what it was asked to, at once or after the next message.
        if script.below(4) != 1 {
            self.mask();
            if self.may_open {
                self.open();
            }
        }
    }

    /// What an honest coordinator would send as message `number`, 1 to 4, if the nodes
    /// whose bits are set in `without` had fallen silent. Its higher bits put into the
    /// set a place that nobody has (0x20) and the whole roster (0x40).
    fn honest(&self, number: usize, without: u8) -> Vec<u8> {
        let (world, round) = (self.world, self.world.round());
        let there = |place: &u16| without >> (place % 8) & 1 == 0;
        let named = |mut set: Vec<u16>| {
            if without & 0x40 != 0 {
                set = (0..NODES).collect();
            }
            set.retain(there);
            set.extend((without & 0x20 != 0).then_some(NODES));
            set
        };
        match number {
            1 => {
                let adverts = world.adverts.iter().filter(|advert| there(&advert.place));
                Adverts(adverts.cloned().collect()).message(round)
            }
            2 => {
                let dealers = self.dealers();
                let set = named(dealers.keys().copied().collect());
                let me = self.player.place;
                let entry = |dealer: &u16| {
                    let entry = dealers.get(dealer)?.entries.iter().find(|entry| entry.place == me)?;
                    Some(Entry { place: *dealer, ..entry.clone() })
                };
                let entries = set.iter().filter(|dealer| **dealer != me).filter_map(entry).collect();
                Inbox { set, entries }.message(round)
            }
            3 => Survivors(named(self.u2())).message(round),
            _ => self.confirmations(without, 0),
        }
    }

    /// Everybody's shares, from nodes that were shown what this one was.
    fn dealers(&self) -> BTreeMap<u16, Shares> {
        let Some(adverts) = self.taken.get(&Kind::Adverts) else { return BTreeMap::new() };
        let heard = [start_message(&self.world.spec, &[]), adverts.clone()];
        let shares = |place| {
            let said = self.world.said(place, &heard).ok()?;
            Some((place, Shares::parse(said.first()?).ok()?.1))
        };
        (0..NODES).filter_map(shares).collect()
    }

    /// Confirmations of those in U3, or of others too. Those in `astray` sign U2.
    fn confirmations(&self, without: u8, astray: u8) -> Vec<u8> {
        let (round, sid, u2) = (self.world.round(), self.sid(), self.u2());
        let u2h = format::u2h(sid, &u2);
        let u3 = self.u3();
        // The highest bit: of all nodes, whoever survives.
        let signers = if without & 0x80 == 0 { u3.clone() } else { (0..NODES).collect() };
        let one = |place: u16| {
            let signed = if astray >> (place % 8) & 1 == 0 { &u3 } else { &u2 };
            let signed = [round.0, format::u3h(sid, u2h, signed).0].concat();
            (place, self.world.sign(place, "koonti/v1/u3", &signed))
        };
        let signers = signers.into_iter().filter(|place| without >> (place % 8) & 1 == 0);
        Confirmations(signers.map(one).collect()).message(round)
    }

    /// Adverts of which another node's was altered by that node itself.
    fn resigned(&self, script: &mut Script<'_>) -> Vec<u8> {
        let round = self.world.round();
        let mut adverts = self.world.adverts.clone();
        let at = script.below(adverts.len());
        let other = adverts[script.below(adverts.len())].clone();
        let low = [0, 1, 0xed][script.below(3)];
        let advert = &mut adverts[at];
        let keys = if script.below(2) == 0 { &mut advert.mask_pk } else { &mut advert.enc_pk };
        match script.below(8) {
            0 => keys[script.below(32)] ^= script.byte().max(1),
            1 => *keys = other.mask_pk,
            2 => *keys = other.enc_pk,
            3 => {
                *keys = if low == 0xed { [0xff; 32] } else { [0; 32] };
                keys[0] = low;
            }
            // The same point, written with its highest bit set.
            4 => keys[31] ^= 0x80,
            5 => advert.commit = other.commit,
            6 => advert.salt = other.salt,
            _ => advert.place = u16::from(script.byte()),
        }
        advert.signature = self.world.sign(at as u16, "koonti/v1/advert", &advert.unsigned(round));
        Adverts(adverts).message(round)
    }

    /// An inbox in which a dealer's shares were altered by that dealer itself.
    fn redealt(&self, script: &mut Script<'_>) -> Vec<u8> {
        let inbox = self.honest(2, 0);
        let (round, mut inbox) = Inbox::parse(&inbox).expect("it was written just now");
        let at = script.below(inbox.entries.len());
        if let Some(entry) = inbox.entries.get_mut(at) {
            let route = self.world.route(self.sid(), entry.place, self.player.place);
            // Other shares and what is promised of them, or a promise that they do not keep.
            if script.below(2) == 0 {
                route.reseal(entry, |shares| flip(script, shares), |_| {});
            } else {
                route.reseal(entry, |_| {}, |commitments| flip(script, &mut commitments.own.0));
            }
        }
        inbox.message(round)
    }

    /// Delivers a message and does not care what becomes of it.
    fn give(&mut self, message: Vec<u8>, now: u64) {
        let _ = self.take(message, now, false);
    }

    /// Delivers a message and checks everything that can be said of the answer.
    fn take(&mut self, message: Vec<u8>, now: u64, dry: bool) -> Result<(), Abort> {
        let (player, kind) = (&mut self.player, message::kind(&message));
        let session = player.session.as_mut().expect("joined");
        let taken = if dry {
            session.take(&message, now, &player.identity, &mut Dry)
        } else {
            session.take(&message, now, &player.identity, &mut player.random)
        };
        let next = match taken {
            Ok(next) => next,
            Err(abort) => {
                assert_eq!(Abort::from_code(abort.code(), abort.place()), Some(abort), "a reason of the list");
                self.end();
                return Err(abort);
            }
        };
        assert!(!self.ended, "an ended session takes a message");
        let kind = kind.expect("a message that was taken has a kind");
        if let Some(before) = self.taken.get(&kind) {
            assert!(*before == message, "a second, different message of a kind was taken");
            let Next::Send(messages) = next else { panic!("a repeat asks for something") };
            self.check_said(&messages);
            return Ok(());
        }
        self.check_demands(kind, &message, now);
        self.taken.insert(kind, message);
        match next {
            Next::Send(messages) => self.check_said(&messages),
            Next::Mask(masks) => {
                self.debits += 1;
                assert_eq!((self.debits, kind), (1, Kind::Inbox), "a debit is asked for once");
                self.masks = Some(masks);
            }
            Next::Open => {
                assert!(kind == Kind::Confirmations && self.unmask.is_none());
                self.may_open = true;
            }
        }
        Ok(())
    }

    /// Is debited and masks, if that was asked for.
    fn mask(&mut self) {
        let Some(masks) = self.masks.take() else { return };
        let input = self.player.mask(&self.world.region, masks);
        let player = &mut self.player;
        match player.session.as_mut().expect("joined").masked(input, &player.identity) {
            Ok(messages) => {
                assert!(!self.ended, "an ended session sends its masked input");
                let [_, chunk] = messages.as_slice() else { panic!("an announcement and one chunk") };
                let (_, chunk) = Chunk::parse(chunk).expect("a chunk");
                assert!(chunk.bytes != self.world.words(&self.player.noisy), "it leaves without its masks");
                self.check_said(&messages);
            }
            Err(_) => self.end(),
        }
    }

    /// Asks for the shares, whether or not it is time.
    fn open(&mut self) {
        let opened = self.player.session().open();
        let Ok(message) = opened else {
            assert!(!std::mem::take(&mut self.may_open), "a session that asked to open does not");
            return self.end();
        };
        assert!(std::mem::take(&mut self.may_open) && !self.ended, "shares that nobody may have");
        self.check_said(&[message]);
    }

    fn erase(&mut self) {
        let right = self.player.session().erase();
        let in_session = self.taken.contains_key(&Kind::Adverts);
        assert_eq!(right.is_some(), in_session && self.unmask.is_none(), "erased a session, and has not opened it");
        if let Some(right) = right {
            let erased = right.sign(&self.player.identity);
            let (_, message::Erased(signature)) = message::Erased::parse(&erased).expect("an Erased");
            let key = self.world.key(self.player.place);
            assert!(format::signed(key, "koonti/v1/abort", &self.sid().0, &signature));
        }
        self.end();
    }

    fn end(&mut self) {
        self.ended = true;
        self.may_open = false;
    }

    /// Nothing is said twice in different words, and shares leave as they must.
    fn check_said(&mut self, messages: &[Vec<u8>]) {
        for message in messages {
            let kind = message::kind(message).expect("a kind");
            let before = self.said.entry(kind).or_insert_with(|| message.clone());
            assert!(before == message, "a second, different message of a kind was said");
            match kind {
                Kind::Shares | Kind::Masked | Kind::Chunk => {}
                Kind::Confirm => self.check_confirm(message),
                Kind::Unmask => self.check_unmask(message),
                _ => panic!("a session says {kind:?}"),
            }
        }
    }

    fn check_confirm(&self, message: &[u8]) {
        let (round, Confirm(signature)) = Confirm::parse(message).expect("a Confirm");
        let key = self.world.key(self.player.place);
        assert!(format::signed(key, "koonti/v1/u3", &self.signed_by_u3(round), &signature));
    }

    fn sid(&self) -> Digest {
        let Some(adverts) = self.taken.get(&Kind::Adverts) else { return Digest([0; 32]) };
        let (round, Adverts(adverts)) = Adverts::parse(adverts).expect("it was taken");
        let unsigned: Vec<u8> = adverts.iter().flat_map(|advert| advert.unsigned(round)).collect();
        format::sid(round, self.world.region.roster.hash(), &unsigned)
    }

    /// U2, or whom it would be made of.
    fn u2(&self) -> Vec<u16> {
        match self.taken.get(&Kind::Inbox) {
            Some(inbox) => Inbox::parse(inbox).expect("it was taken").1.set,
            None => self.dealers().into_keys().collect(),
        }
    }

    /// U3, or whom it would be made of.
    fn u3(&self) -> Vec<u16> {
        match self.taken.get(&Kind::Survivors) {
            Some(survivors) => Survivors::parse(survivors).expect("it was taken").1.0,
            None => self.u2(),
        }
    }

    fn signed_by_u3(&self, round: Digest) -> Vec<u8> {
        let sid = self.sid();
        [round.0, format::u3h(sid, format::u2h(sid, &self.u2()), &self.u3()).0].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the kept scripts are for is what they reach.
    #[test]
    fn scripts_reach_far() {
        for place in 0..5 {
            let honest = play(&[place]);
            assert!(honest.unmask.is_some() && !honest.ended);
            assert_eq!((honest.taken.len(), honest.said.len()), (4, 6));
        }
        // One node less in U1, U2 or U3, and three confirmations where four are needed.
        let ends = |script: &[u8]| play(script).unmask.map(|unmask| (unmask.survivors.len(), unmask.dropped.len()));
        assert_eq!(ends(&[0, 1, 0b10, 0]), Some((4, 0)));
        assert_eq!(ends(&[0, 0, 0, 1, 0b10, 0]), Some((4, 0)));
        assert_eq!(ends(&[0, 0, 0, 0, 0, 1, 0b10, 0]), Some((4, 1)));
        assert_eq!(ends(&[0, 0, 0, 0, 0, 0, 0, 1, 0b10, 0]), Some((5, 0)));
        assert_eq!(ends(&[0, 0, 0, 0, 0, 0, 0, 1, 0b110, 0]), None);
        // Who is not in U3 does not count, however well it signs.
        assert_eq!(ends(&[0, 0, 0, 0, 0, 1, 0b10, 0, 8, 0x80 | 0b100, 0, 0]), None);
        assert_eq!(ends(&[0, 0, 0, 0, 0, 1, 0b10, 0, 8, 0x80, 0, 0]), Some((4, 1)));
        // A place that nobody has, in U1, U2 and U3; and a U2 beyond U1.
        assert_eq!(ends(&[0, 7, 4, 0, 0, 0, 7, 5]), None);
        assert_eq!(ends(&[0, 0, 0, 1, 0x20, 0]), None);
        assert_eq!(ends(&[0, 0, 0, 0, 0, 1, 0x20, 0]), None);
        assert_eq!(ends(&[0, 1, 0b10, 0, 1, 0x40, 0]), None);
        // A share that its dealer has altered is taken: what it says is promised.
        assert_eq!(ends(&[0, 0, 0, 7, 1, 0, 40, 1]), Some((5, 0)));
        // Unless it is no number modulo l, or the promise is of another.
        assert_eq!(ends(&[0, 0, 0, 7, 1, 0, 31, 0xff]), None);
        assert_eq!(ends(&[0, 0, 0, 7, 1, 0, 63, 0xff]), None);
        assert_eq!(ends(&[0, 0, 0, 7, 1, 1, 9, 1]), None);
    }
}
