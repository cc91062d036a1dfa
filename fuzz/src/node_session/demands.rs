//! What the format page demands before a node answers, checked a second time.

use super::Case;
use crate::format;
use crate::world::NODES;
use koonti_secagg::message::{Adverts, Confirmations, Inbox, Kind, Survivors, Unmask};
use std::collections::BTreeSet;

impl Case {
    /// That a message which the node has taken could be taken.
    pub(super) fn check_demands(&self, kind: Kind, message: &[u8], now: u64) {
        let (world, me) = (self.world, self.player.place);
        let (u_min, round) = (world.spec.quorum().u_min() as usize, world.round());
        let phase = match kind {
            Kind::Adverts => {
                let (found, Adverts(adverts)) = Adverts::parse(message).expect("it was taken");
                assert!(found == round && adverts.len() >= u_min);
                assert!(adverts.is_sorted_by(|one, other| one.place < other.place));
                assert!(adverts.iter().any(|advert| *advert == world.adverts[usize::from(me)]), "its own advert");
                let mut keys = BTreeSet::new();
                for advert in &adverts {
                    let signed = advert.unsigned(round);
                    assert!(format::signed(world.key(advert.place), "koonti/v1/advert", &signed, &advert.signature));
                    assert!(keys.insert(advert.mask_pk) && keys.insert(advert.enc_pk), "a key stands twice");
                }
                1
            }
            Kind::Inbox => {
                let (found, inbox) = Inbox::parse(message).expect("it was taken");
                let u1 = self.u1();
                assert!(found == round && inbox.set.len() >= u_min && inbox.set.contains(&me));
                assert!(inbox.set.iter().all(|place| u1.contains(place)), "U2 is within U1");
                assert!(inbox.set.is_sorted_by(|one, other| one < other));
                let others = inbox.set.iter().copied().filter(|place| *place != me);
                assert!(others.eq(inbox.entries.iter().map(|entry| entry.place)), "one entry for each");
                2
            }
            Kind::Survivors => {
                let (found, Survivors(u3)) = Survivors::parse(message).expect("it was taken");
                assert!(found == round && u3.len() >= u_min && u3.contains(&me));
                assert!(u3.iter().all(|place| self.u2().contains(place)), "U3 is within U2");
                assert!(u3.is_sorted_by(|one, other| one < other));
                assert!(self.said.contains_key(&Kind::Masked), "what is confirmed was masked");
                3
            }
            Kind::Confirmations => {
                assert!(self.confirmed(message) >= world.spec.quorum().t() as usize);
                4
            }
            _ => panic!("a session takes {kind:?}"),
        };
        assert!(now <= world.spec.deadline(phase), "taken after its deadline");
    }

    /// That shares leave for one U3, t of whose members have signed it, and one of
    /// each node; and that they are those which were dealt.
    pub(super) fn check_unmask(&mut self, message: &[u8]) {
        let (_, unmask) = Unmask::parse(message).expect("an Unmask");
        let confirmations = self.taken.get(&Kind::Confirmations).expect("no shares without confirmations");
        assert!(self.confirmed(confirmations) >= self.world.spec.quorum().t() as usize);
        let (u2, u3) = (self.u2(), self.u3());
        let dropped = u2.iter().copied().filter(|place| !u3.contains(place));
        assert!(unmask.survivors.iter().map(|(place, _)| *place).eq(u3.iter().copied()), "own masks of U3");
        assert!(unmask.dropped.iter().map(|(place, _)| *place).eq(dropped), "mask keys of the others");
        let inbox = self.taken.get(&Kind::Inbox).expect("no U3 without a U2");
        let (_, inbox) = Inbox::parse(inbox).expect("it was taken");
        let (sid, me) = (self.sid(), self.player.place);
        for entry in inbox.entries {
            let released = unmask.survivors.iter().find(|(place, _)| *place == entry.place);
            let (promised, half, share) = match released {
                Some((_, share)) => (entry.commitments.own, "self", share),
                None => {
                    let dropped = unmask.dropped.iter().find(|(place, _)| *place == entry.place);
                    (entry.commitments.mask, "mask", &dropped.expect("one of the two").1)
                }
            };
            assert_eq!(format::share(sid, half, entry.place, me, share), promised);
        }
        self.unmask = Some(unmask);
    }

    /// How many members of U3 have signed it.
    fn confirmed(&self, message: &[u8]) -> usize {
        let (round, Confirmations(all)) = Confirmations::parse(message).expect("it was taken");
        let (u3, signed) = (self.u3(), self.signed_by_u3(round));
        let holds = |(place, signature): &&(u16, [u8; 64])| {
            u3.contains(place) && format::signed(self.world.key(*place), "koonti/v1/u3", &signed, signature)
        };
        all.iter().filter(holds).map(|(place, _)| place).collect::<BTreeSet<_>>().len()
    }

    fn u1(&self) -> Vec<u16> {
        let adverts = self.taken.get(&Kind::Adverts).expect("no U2 without a U1");
        let (_, Adverts(adverts)) = Adverts::parse(adverts).expect("it was taken");
        assert!(adverts.iter().all(|advert| advert.place < NODES));
        adverts.iter().map(|advert| advert.place).collect()
    }
}
