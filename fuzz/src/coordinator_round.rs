//! The coordinator against its nodes, one of which works against it.
//!
//! The script decides who is silent, what is delivered when, how often and how
//! mangled, and when phases are closed; and it may make node [`COLLUDER`] sign what
//! it likes. When the script ends, the others finish the round. The coordinator must
//! open the sum of what its survivors masked, or none; a message that it does not
//! take changes nothing; and it blames nobody who did nothing wrong.

use crate::alter::altered;
use crate::collude::{self, COLLUDER};
use crate::script::Script;
use crate::world::{NODES, World};
use koonti_disclosure::abort::Certificate;
use koonti_disclosure::{Digest, Name};
use koonti_secagg::coordinator::{Failed, Fault, Phase, Round, Taken};
use koonti_secagg::message::{self, Kind};
use koonti_secagg::{Abort, NOBODY};
use std::collections::BTreeSet;

/// Deeds in one script.
const MOST_STEPS: usize = 64;

/// Runs one script.
pub fn coordinator_round(data: &[u8]) {
    play(data);
}

fn play(data: &[u8]) -> Case {
    let mut script = Script::new(data);
    let mut case = Case::new();
    for _ in 0..MOST_STEPS {
        if script.is_over() {
            break;
        }
        case.step(&mut script);
        case.check();
    }
    while !matches!(case.round.phase(), Phase::Done | Phase::Failed) {
        case.phase(0);
        case.advance();
        case.check();
    }
    case
}

/// A node, as what it has heard.
#[derive(Default)]
struct Node {
    heard: Vec<Vec<u8>>,
    opened: bool,
    gone: bool,
}

struct Case {
    world: &'static World,
    round: Round,
    nodes: Vec<Node>,
    /// Whatever was said, with its speaker.
    said: Vec<(u16, Vec<u8>)>,
    /// Nodes in whose name something was taken that they did not say.
    tampered: BTreeSet<u16>,
    /// What the colluder has masked in place of its counts.
    lied: Option<Vec<Vec<i64>>>,
}

impl Case {
    fn new() -> Self {
        let world = World::get();
        let (layout, roster) = (world.region.layout.clone(), world.region.roster.clone());
        Self {
            world,
            round: Round::new(world.spec.clone(), layout, roster, None),
            nodes: (0..NODES).map(|_| Node::default()).collect(),
            said: vec![],
            tampered: BTreeSet::new(),
            lied: None,
        }
    }

    fn step(&mut self, script: &mut Script<'_>) {
        let place = script.below(usize::from(NODES)) as u16;
        match script.below(16) {
            0 | 1 => self.phase(script.byte()),
            2 => self.advance(),
            3 => self.hear(place),
            4 | 5 => {
                if let Some((speaker, message)) = self.pick(script) {
                    self.deliver(speaker, &message);
                }
            }
            6 | 7 => {
                if let Some((speaker, message)) = self.pick(script) {
                    self.tamper(speaker, &altered(script, message));
                }
            }
            8 => {
                if let Some((_, message)) = self.pick(script) {
                    self.tamper(place, &message);
                }
            }
            9 => {
                let mut message = vec![script.byte()];
                message.extend_from_slice(&self.world.round().0);
                let length = script.below(512);
                message.extend_from_slice(script.bytes(length));
                self.tamper(place, &message);
            }
            10 => {
                let blamed = if script.below(2) == 0 { NOBODY } else { script.below(6) as u16 };
                if let Some(abort) = Abort::from_code(script.byte() % 16, blamed) {
                    self.tamper(place, &message::left_message(self.world.round(), abort));
                }
            }
            11 => self.erase(place),
            12 => {
                let length = script.below(64);
                let unknown: Name = "node-999".parse().expect("a name");
                assert_eq!(self.round.take(&unknown, script.bytes(length)), Err(Fault::Unknown));
            }
            _ => self.collude(script),
        }
    }

    /// The colluder hears what lies ready, and says something else.
    fn collude(&mut self, script: &mut Script<'_>) {
        self.hear(COLLUDER);
        let Some((_, said)) = self.said.iter().rev().find(|(speaker, _)| *speaker == COLLUDER) else { return };
        let heard = &self.nodes[usize::from(COLLUDER)].heard;
        let lie = collude::lie(script, self.world, heard, said);
        for message in lie.messages {
            let taken = self.take(COLLUDER, &message);
            if taken.is_ok() {
                self.tampered.insert(COLLUDER);
            }
            if taken == Ok(Taken::New) && message::kind(&message) == Some(Kind::Chunk) {
                self.lied.clone_from(&lie.noisy);
            }
        }
    }

    /// Everything said, the latest first.
    fn pick(&self, script: &mut Script<'_>) -> Option<(u16, Vec<u8>)> {
        let back = script.below(self.said.len());
        self.said.iter().rev().nth(back).cloned()
    }

    /// Those who are not in `without` hear what lies ready and answer.
    fn phase(&mut self, without: u8) {
        for place in (0..NODES).filter(|place| without >> place & 1 == 0) {
            let before = self.said.len();
            self.hear(place);
            for at in before..self.said.len() {
                let (speaker, message) = self.said[at].clone();
                self.deliver(speaker, &message);
            }
        }
    }

    /// A node hears what lies ready for it; its answer is under way.
    fn hear(&mut self, place: u16) {
        let node = &mut self.nodes[usize::from(place)];
        let Some(ready) = self.round.for_node(&self.world.region.name(place)).filter(|_| !node.gone) else { return };
        if node.heard.last() != Some(&ready) {
            node.heard.push(ready);
        }
        let said = self.world.said(place, &node.heard).unwrap_or_else(|abort| {
            // A coordinator passes on nothing that is wrong, but what it cannot open.
            assert!(place == COLLUDER || abort == Abort::Share(COLLUDER), "an honest node leaves: {abort}");
            node.gone = true;
            vec![message::left_message(self.world.round(), abort)]
        });
        node.opened |= said.iter().any(|message| message::kind(message) == Some(Kind::Unmask));
        self.said.extend(said.into_iter().map(|message| (place, message)));
    }

    /// A node erases its secrets and says so, if it may.
    fn erase(&mut self, place: u16) {
        let node = &mut self.nodes[usize::from(place)];
        // It has to know the session. The colluder lies.
        let knows = node.heard.iter().any(|heard| message::kind(heard) == Some(Kind::Adverts));
        let Some(session) = self.round.session().filter(|_| knows && (!node.opened || place == COLLUDER)) else {
            return;
        };
        node.gone = true;
        let signature = self.world.sign(place, "koonti/v1/abort", &session.0);
        let erased = message::Erased(signature).message(self.world.round());
        self.deliver(place, &erased);
        self.said.push((place, erased));
    }

    /// Delivers what a node said.
    fn deliver(&mut self, speaker: u16, message: &[u8]) {
        let taken = self.take(speaker, message);
        // Under its eyes, nobody else can have spoilt it.
        if taken == Ok(Taken::Blamed) {
            assert!(self.tampered.contains(&speaker) || speaker == COLLUDER, "an honest node is blamed");
        }
        if let Err(fault) = taken {
            let late = matches!(fault, Fault::OutOfPhase | Fault::NotAsked | Fault::Left | Fault::NoHead);
            assert!(late || !self.tampered.is_empty(), "an honest message is refused: {fault}");
        }
    }

    /// Delivers in a node's name what it may not have said.
    fn tamper(&mut self, speaker: u16, message: &[u8]) {
        let own = self.said.iter().any(|(place, said)| (*place, said.as_slice()) == (speaker, message));
        if self.take(speaker, message).is_ok() && !own {
            self.tampered.insert(speaker);
        }
    }

    /// Hands a message over; one that is not new changes nothing.
    fn take(&mut self, speaker: u16, message: &[u8]) -> Result<Taken, Fault> {
        let before = self.state();
        let taken = self.round.take(&self.world.region.name(speaker), message);
        if !matches!(taken, Ok(Taken::New | Taken::Blamed)) {
            assert!(before == self.state(), "a message that was not taken has changed the round");
        }
        taken
    }

    /// All that can be seen of the round.
    fn state(&self) -> Digest {
        let round = &self.round;
        let mut bytes = format!(
            "{:?}{:?}{:?}{:?}{:?}{}{}",
            round.phase(),
            round.awaited(),
            round.answered(),
            round.left(),
            round.blamed(),
            round.enough(),
            round.erasures()
        )
        .into_bytes();
        for place in 0..NODES {
            bytes.extend(round.for_node(&self.world.region.name(place)).unwrap_or_default());
        }
        Digest::of(&bytes)
    }

    fn advance(&mut self) {
        let (phase, enough) = (self.round.phase(), self.round.enough());
        let advanced = self.round.advance();
        match &advanced {
            Ok(()) => assert!(enough && self.round.phase() > phase),
            Err(Failed::TooFew(failed)) => assert!(!enough && *failed <= phase),
            Err(Failed::Dealer(dealer)) => {
                assert!(*dealer == self.world.region.name(COLLUDER), "an honest dealer is blamed");
            }
            Err(_) => assert!(phase == Phase::Done),
        }
        if advanced.is_err() && phase != Phase::Done {
            assert_eq!(self.round.phase(), Phase::Failed);
        }
    }

    /// What holds at any time.
    fn check(&self) {
        let certificate = self.round.certificate();
        let enough = self.round.erasures() >= self.world.spec.quorum().erasures() as usize;
        assert_eq!(certificate.is_some(), enough, "an erasure was taken that proves nothing");
        if let Some(opened) = self.round.opened() {
            assert!(certificate.is_none(), "a round was opened that can never be opened");
            let place = |name: &Name| (0..NODES).find(|place| self.world.region.name(*place) == *name);
            let survivors = opened.survivors.iter().map(|name| place(name).expect("a node of the roster"));
            let noisy = |place: u16| match &self.lied {
                Some(noisy) if place == COLLUDER => noisy.clone(),
                _ => self.world.noisy[usize::from(place)].clone(),
            };
            let noisy: Vec<_> = survivors.map(noisy).collect();
            assert!(noisy.len() >= self.world.spec.quorum().u_min() as usize);
            assert!(opened.sums == self.world.region.sum(&noisy), "another sum was opened");
        }
        if let Some(certificate) = certificate {
            assert!(Certificate::parse(certificate.bytes(), &self.world.region.roster) == Ok(certificate));
        }
        for name in self.round.blamed() {
            let blamed = (0..NODES).find(|place| self.world.region.name(*place) == name).expect("of the roster");
            assert!(blamed == COLLUDER || self.tampered.contains(&blamed), "an honest node is blamed");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends(script: &[u8]) -> (Phase, usize, Vec<Name>) {
        let case = play(script);
        (case.round.phase(), case.round.opened().map_or(0, |opened| opened.survivors.len()), case.round.blamed())
    }

    /// What the kept scripts are for is what they reach.
    #[test]
    fn scripts_reach_far() {
        // Place, deed, argument.
        const PHASE: [u8; 5] = [0, 0, 0, 0, 2];
        let colluder = World::get().region.name(COLLUDER);
        assert_eq!(ends(&[]), (Phase::Done, 5, vec![]));
        assert_eq!(ends(&[0, 0, 0b1, 0, 2]), (Phase::Done, 4, vec![]));
        assert_eq!(ends(&[&PHASE[..], &PHASE, &[0, 0, 0b1, 0, 2]].concat()), (Phase::Done, 4, vec![]));
        assert_eq!(ends(&[0, 2]), (Phase::Failed, 0, vec![]));
        // The colluder masks something else: the sum is that of what was masked.
        let other = [&PHASE[..], &PHASE, &[0, 13, 0, 0, 3, 0, 0]].concat();
        assert_eq!(ends(&other), (Phase::Done, 5, vec![]));
        assert!(play(&other).lied.is_some());
        // It deals a share of something else, deep inside, and is found out at the end.
        assert_eq!(ends(&[&PHASE[..], &[0, 13, 0, 0, 40, 1]].concat()), (Phase::Failed, 0, vec![colluder.clone()]));
        // It releases a share that it was not dealt.
        assert_eq!(
            ends(&[&PHASE[..], &PHASE, &PHASE, &PHASE, &[0, 13, 0, 0, 0, 0, 1]].concat()),
            (Phase::Done, 5, vec![colluder])
        );
        // Without node 0 its shares are needed: one too few, and one that is no number, are
        // not taken, and it may think better of it; a wrong one is the end.
        let lies: [(&[u8], Phase); 3] =
            [(&[0, 0, 3], Phase::Done), (&[0, 0, 0, 31, 0xff], Phase::Done), (&[0, 0, 0, 0, 1], Phase::Failed)];
        for (lie, end) in lies {
            let confirmed = [0, 0, 0b1, 0, 2];
            let script = [&PHASE[..], &PHASE, &PHASE, &confirmed, &[0, 13], lie].concat();
            assert_eq!(ends(&script).0, end, "{lie:?}");
        }
        // A chunk is altered on its way, before and behind its announcement.
        for back in [0, 1] {
            let script = [&PHASE[..], &PHASE, &[2, 3, 0, 4, 1, 0, 6, back, 0, 40, 1]].concat();
            assert_eq!(ends(&script), (Phase::Done, 5, vec![]));
        }
        // The colluder's chunk is shorter than it says.
        assert_eq!(ends(&[&PHASE[..], &PHASE, &[0, 13, 0, 9, 9, 2, 0]].concat()), (Phase::Done, 4, vec![]));
        // Its advert is of another place.
        assert_eq!(ends(&[0, 13, 0, 0, 7, 2, 0, 0, 0, 0, 2]), (Phase::Done, 5, vec![]));
        // Three have erased, of whom one may lie: a certificate, and no sum.
        let erased = play(&[&PHASE[..], &PHASE, &[0, 11, 1, 11, 4, 11]].concat());
        assert!(erased.round.certificate().is_some() && erased.round.phase() == Phase::Failed);
        // One has, and its signature is handed in for two others.
        let forged = play(&[&PHASE[..], &PHASE, &[1, 11, 2, 8, 0, 3, 8, 0]].concat());
        assert_eq!((forged.round.erasures(), forged.round.phase()), (1, Phase::Done));
    }
}
