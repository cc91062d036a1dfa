//! One round, with the machine of an honest coordinator at its core.

use crate::ground::{ALL, Ground};
use koonti_disclosure::Digest;
use koonti_disclosure::abort::Certificate;
use koonti_disclosure::identity::SignedRequest;
use koonti_disclosure::masked::Layout;
use koonti_disclosure::roster::Roster;
use koonti_disclosure::round::RoundSpec;
use koonti_secagg::coordinator::{Phase, Round};
use koonti_secagg::message::{Advert, Confirmations, Kind};

/// One round, with an honest coordinator's machine.
pub(crate) struct Play {
    pub(crate) machine: Round,
    pub(crate) id: Digest,
    pub(crate) question: SignedRequest,
}

impl Play {
    pub(crate) fn new(
        roster: &Roster,
        question: SignedRequest,
        spec: RoundSpec,
        certificate: Option<&Certificate>,
    ) -> Self {
        let layout = Layout::of(question.request()).expect("a layout");
        let id = spec.round();
        Self { machine: Round::new(spec, layout, roster.clone(), certificate), id, question }
    }

    pub(crate) fn question_id(&self) -> Digest {
        self.question.request().id()
    }

    /// The session, once all know each other's keys.
    #[track_caller]
    pub(crate) fn session(&self) -> Digest {
        self.machine.session().expect("adverts are in")
    }

    /// What lies ready for a node in this phase.
    #[track_caller]
    pub(crate) fn ready(&self, ground: &Ground, place: u16) -> Vec<u8> {
        self.machine.for_node(&ground.name(place)).expect("the node is asked")
    }

    /// The kinds of what nodes answer in this phase.
    pub(crate) fn kinds(&self) -> &'static [Kind] {
        match self.machine.phase() {
            Phase::Adverts => &[Kind::Advert],
            Phase::Shares => &[Kind::Shares],
            Phase::Masked => &[Kind::Masked, Kind::Chunk],
            Phase::Confirm => &[Kind::Confirm],
            Phase::Unmask => &[Kind::Unmask],
            Phase::Done | Phase::Failed => &[],
        }
    }

    /// Gives these what lies ready for them and takes their answers.
    #[track_caller]
    pub(crate) fn gather(&mut self, ground: &Ground, places: &[u16]) {
        for place in places {
            ground.tell(*place, self.ready(ground, *place));
        }
        for place in places {
            for kind in self.kinds() {
                let said = ground.hear(*place, self.id, *kind);
                self.machine.take(&ground.name(*place), &said).expect("an honest node's message");
            }
        }
    }

    /// One whole phase with these.
    #[track_caller]
    pub(crate) fn phase(&mut self, ground: &Ground, places: &[u16]) {
        self.gather(ground, places);
        self.machine.advance().expect("enough have answered");
    }

    /// Phase after phase with these, until this one.
    #[track_caller]
    pub(crate) fn run_to(&mut self, ground: &Ground, phase: Phase, places: &[u16]) {
        while self.machine.phase() != phase {
            self.phase(ground, places);
        }
    }

    /// The Confirmations message of these nodes' own signatures.
    #[track_caller]
    pub(crate) fn confirmations(&self, ground: &Ground, places: &[u16]) -> Vec<u8> {
        let all = places.iter().map(|place| ground.confirmation(*place, self.id)).collect();
        Confirmations(all).message(self.id)
    }
}

/// The adverts that a round has heard.
pub(crate) fn adverts(ground: &Ground, play: &Play) -> Vec<Advert> {
    let advert = |place| Advert::parse(&ground.hear(place, play.id, Kind::Advert)).expect("an advert").1;
    ALL.map(advert).to_vec()
}
