//! Five honest nodes, one lying coordinator, and what must hold whatever it does.
//!
//! [`Ground::new`] enrols real nodes with the real coordinator, puts [`Evil`] in its
//! place and starts the nodes. [`Play`] is one round with an honest coordinator's
//! machine at its core; a scenario leaves its path where it likes. After each
//! scenario [`Ground::audit`] goes through everything that was ever heard.
//!
//! One of the five, [`LIAR`], counts as the one node that may work for the
//! coordinator: its identity key is used for forgeries, and what its process says
//! is used but not relied on.

use crate::play::Play;
use koonti_disclosure::identity::{IdentityKey, Intent, RoundLabel, SignedRequest};
use koonti_disclosure::ledger::Entry as LedgerEntry;
use koonti_disclosure::names::unhex;
use koonti_disclosure::request::{Draft, Measure, Purpose, ReleaseKind};
use koonti_disclosure::roster::Roster;
use koonti_disclosure::round::{Choice, PHASES, RoundSpec, Strictness};
use koonti_disclosure::{Codebook, Digest, Name, Refusal, TableRequest, canonical};
use koonti_evidence::entry::node::{Entry, Own};
use koonti_node::keys::Keys;
use koonti_proto::wire::{Offer, ToNode};
use koonti_secagg::Abort;
use koonti_secagg::message::{self, Confirm, Kind, Left, Survivors};
use koonti_tests::evil::{Evil, Heard, Word};
use koonti_tests::{Node, Plan, Region};
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

/// The nodes in the order of their places.
pub(crate) const NODES: [(&str, &str); 5] =
    [("aura", "205"), ("ilo", "297"), ("kymi", "285"), ("oulu", "491"), ("savo", "167")];
/// All places.
pub(crate) const ALL: [u16; 5] = [0, 1, 2, 3, 4];
/// The place whose identity key the coordinator has.
pub(crate) const LIAR: u16 = 4;
/// The quarter asked about.
pub(crate) const QUARTER: &str = "2026Q3";

/// The region and the liar in its middle.
pub(crate) struct Ground {
    // Before the region: it stops listening first.
    pub(crate) evil: Evil,
    pub(crate) region: Region,
    pub(crate) roster: Roster,
    asker: IdentityKey,
    asked: u32,
    nonces: Cell<u32>,
    attacks: usize,
    hushes: u32,
    /// Nodes whose disk was put back: their own journals no longer tell.
    pub(crate) rolled_back: BTreeSet<u16>,
}

pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs()
}

impl Ground {
    /// Brings everything up.
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    /// The same; `more` happens while the real coordinator still runs, after the
    /// roster is approved.
    pub(crate) fn with(more: impl FnOnce(&mut Region)) -> Self {
        let plan = NODES.iter().fold(Plan::new(), |plan, (name, area)| plan.node(Node::auto(name, area)));
        let mut region = plan.prepare();
        for (name, area) in NODES {
            let token = region.invite_node(&Node::auto(name, area));
            region.enroll_node(name, &token);
            region.node(name).arg("import").ok();
        }
        let token = region.invite_person("aino", "requester");
        region.enroll_person("aino", &token);
        let file = region.next_roster();
        region.install_roster(&file);
        for (name, _) in NODES {
            region.approve_roster(name, &file);
        }
        more(&mut region);
        region.take_coordinator().stop();
        let evil = Evil::in_place_of(&region);
        for (name, _) in NODES {
            region.start_node(name);
        }
        let roster = roster_in(&file);
        let text = std::fs::read_to_string(region.home("aino").join("identity.key")).expect("a key file");
        let asker = IdentityKey::from_seed(unhex(text.trim()).expect("hex"));
        let ground = Self {
            evil,
            region,
            roster,
            asker,
            asked: 0,
            nonces: Cell::new(0),
            attacks: 0,
            hushes: 0,
            rolled_back: BTreeSet::new(),
        };
        for place in ALL {
            ground.wait_until_here(place, 0);
        }
        ground
    }

    /// Counts an attack, and says which it is.
    pub(crate) fn attack(&mut self, what: &str) {
        self.attacks += 1;
        println!("attack {}: {what}", self.attacks);
    }

    /// Ends the test: as many attacks as the folder's count says, and all was well.
    pub(crate) fn end(self, cases: usize) {
        self.audit();
        assert_eq!(self.attacks, cases, "CASES of this module");
    }

    pub(crate) fn name(&self, place: u16) -> Name {
        NODES[usize::from(place)].0.parse().expect("a name")
    }

    /// A node's long-term key.
    pub(crate) fn identity(&self, place: u16) -> IdentityKey {
        let dir = self.region.disk(NODES[usize::from(place)].0).config().keys.clone();
        Keys::load(&dir).expect("the node's keys").identity
    }

    /// Waits until a node has connected after a moment.
    pub(crate) fn wait_until_here(&self, place: u16, moment: usize) {
        let name = self.name(place);
        let here = |heard: &Heard| heard.node == name && heard.word == Word::Here;
        self.evil.wait(&format!("{name} connects"), |heard| heard[moment..].iter().any(here).then_some(()));
    }

    /// A new question, well signed: no two have the same noise.
    pub(crate) fn question(&mut self, by: &[&str]) -> SignedRequest {
        self.question_for(by, Intent::Ask)
    }

    pub(crate) fn question_for(&mut self, by: &[&str], intent: Intent) -> SignedRequest {
        self.asked += 1;
        let draft = Draft {
            register: "adult-social-work".into(),
            measure: Measure::Clients,
            score: None,
            by: by.iter().map(ToString::to_string).collect(),
            periods: vec![QUARTER.parse().expect("a quarter")],
            release: ReleaseKind::Regional,
            sd: Some((19 + self.asked).to_string()),
            within: None,
            max_per_client: None,
            max_events: None,
            purpose: Purpose::StructuralSocialWork,
            filter: BTreeMap::new(),
        };
        let region = "ita".parse().expect("a name");
        let request = TableRequest::resolve(&draft, &region, &[], Codebook::built_in()).expect("a question");
        self.asker.sign_request(request, "aino".parse().expect("a name"), now() + 3600, intent)
    }

    /// Offers a question to a node.
    pub(crate) fn offer(&self, place: u16, question: &SignedRequest) {
        self.evil.send(&self.name(place), ToNode::Offer(Box::new(self.an_offer(question))));
    }

    /// The offer of a question.
    pub(crate) fn an_offer(&self, question: &SignedRequest) -> Offer {
        self.evil.asks(question, now() + 3600)
    }

    /// Offers a question to these and waits until they are ready for a round of it.
    pub(crate) fn make_ready(&self, places: &[u16], question: &SignedRequest) {
        let id = question.request().id();
        for place in places {
            self.offer(*place, question);
        }
        for place in places {
            let name = self.name(*place);
            let ready = |heard: &Heard| heard.node == name && matches!(heard.word, Word::Ready(of, _) if of == id);
            self.evil.wait(&format!("{name} is ready"), |heard| heard.iter().any(ready).then_some(()));
        }
    }

    /// The terms of an honest round of a question, with a nonce of its own.
    pub(crate) fn choice(&self, question: &SignedRequest) -> Choice {
        let floor = self.roster.floor();
        let begins = now();
        Choice {
            request: question.request().id(),
            nonce: Digest::of(format!("nonce {}", self.nonces.replace(self.nonces.get() + 1)).as_bytes()),
            deadlines: std::array::from_fn::<u64, PHASES, _>(|phase| begins + 60 * (phase as u64 + 1)),
            strictness: Strictness { eta: floor.eta, j: floor.j, k: floor.k },
            previous: None,
        }
    }

    /// A round of a new question by age group, for which all are ready.
    pub(crate) fn round(&mut self) -> Play {
        self.round_by(&["age_group"])
    }

    pub(crate) fn round_by(&mut self, by: &[&str]) -> Play {
        let question = self.question(by);
        self.make_ready(&ALL, &question);
        let spec = RoundSpec::new(&self.roster, &self.choice(&question)).expect("terms");
        Play::new(&self.roster, question, spec, None)
    }

    /// Sends a node a message of a round.
    #[track_caller]
    pub(crate) fn tell(&self, place: u16, message: Vec<u8>) {
        self.evil.message(&self.name(place), message);
    }

    /// What a node has said in a round so far, of one kind, in order.
    pub(crate) fn said(&self, place: u16, round: Digest, kind: Kind) -> Vec<Vec<u8>> {
        self.evil.since(0).iter().filter_map(|heard| self.of(heard, place, round, kind)).collect()
    }

    fn of(&self, heard: &Heard, place: u16, round: Digest, kind: Kind) -> Option<Vec<u8>> {
        let Word::Message(bytes) = &heard.word else { return None };
        let this = heard.node == self.name(place)
            && message::kind(bytes) == Some(kind)
            && message::round_of(bytes) == Some(round);
        this.then(|| bytes.clone())
    }

    /// Waits for the first message of this kind that a node sends in a round.
    #[track_caller]
    pub(crate) fn hear(&self, place: u16, round: Digest, kind: Kind) -> Vec<u8> {
        self.hear_nth(place, round, kind, 0)
    }

    /// Waits for the n-th, from 0.
    #[track_caller]
    pub(crate) fn hear_nth(&self, place: u16, round: Digest, kind: Kind, n: usize) -> Vec<u8> {
        self.evil.wait(&format!("message {n} of kind {kind:?} from {}", self.name(place)), |heard| {
            heard.iter().filter_map(|heard| self.of(heard, place, round, kind)).nth(n)
        })
    }

    /// Tells a node something, and demands that it leaves the round for this reason.
    #[track_caller]
    pub(crate) fn leaves_over(&self, place: u16, message: Vec<u8>, round: Digest, reason: Abort) {
        let (name, moment) = (self.name(place), self.evil.moment());
        self.tell(place, message);
        let of_round = |heard: &Heard| match &heard.word {
            Word::Message(bytes) if heard.node == name && message::round_of(bytes) == Some(round) => {
                Some(bytes.clone())
            }
            _ => None,
        };
        let found = self.evil.wait(&format!("{name} leaves"), |heard| heard[moment..].iter().find_map(of_round));
        let kind = message::kind(&found);
        assert_eq!(kind, Some(Kind::Left), "{name} goes along, and should leave: {reason}");
        assert_eq!(Left::parse(&found).expect("a Left message").1.0, reason, "{name} leaves");
    }

    /// Waits until these nodes have worked off everything that was sent to them:
    /// what they had to say by now has been said.
    #[track_caller]
    pub(crate) fn hush(&mut self, places: &[u16]) {
        // Twice: letters leave side by side, and the second is written when the
        // first has arrived.
        for _ in 0..2 {
            self.hushes += 1;
            let unknown = Digest::of(format!("hush {}", self.hushes).as_bytes());
            for place in places {
                self.tell(*place, Survivors(vec![]).message(unknown));
            }
            for place in places {
                self.hear(*place, unknown, Kind::Left);
            }
        }
    }

    /// Demands that no node has said anything of this kind in a round.
    #[track_caller]
    pub(crate) fn nobody_said(&mut self, places: &[u16], round: Digest, kind: Kind) {
        self.hush(places);
        for place in ALL {
            assert!(self.said(place, round, kind).is_empty(), "{} has said {kind:?}", self.name(place));
        }
    }

    /// The refusals that a node has given of a question.
    pub(crate) fn refusals(&self, place: u16, question: Digest) -> Vec<Refusal> {
        let name = self.name(place);
        let refusal = |heard: &Heard| match heard.word {
            Word::Refused(id, reason) if id == question && heard.node == name => Some(reason),
            _ => None,
        };
        self.evil.since(0).iter().filter_map(refusal).collect()
    }

    /// Waits until a node has refused a question so often.
    #[track_caller]
    pub(crate) fn wait_for_refusals(&self, place: u16, question: Digest, count: usize) {
        let name = self.name(place);
        let refusal =
            |heard: &&Heard| heard.node == name && matches!(heard.word, Word::Refused(id, _) if id == question);
        let enough = |heard: &[Heard]| (heard.iter().filter(refusal).count() >= count).then_some(());
        self.evil.wait(&format!("{name} refuses"), enough);
    }

    /// What everybody has said in a round since a moment.
    pub(crate) fn since(&self, moment: usize, round: Digest) -> Vec<Heard> {
        let of_round = |heard: &Heard| match &heard.word {
            Word::Message(bytes) => message::round_of(bytes) == Some(round),
            _ => false,
        };
        self.evil.since(moment).into_iter().filter(of_round).collect()
    }

    /// The liar's confirmation of whatever the coordinator likes.
    pub(crate) fn forged_confirm(&self, signed: &[u8]) -> (u16, message::Signature) {
        (LIAR, self.identity(LIAR).sign_round(RoundLabel::Survivors, signed))
    }

    /// The confirmation that a node has sent in a round.
    #[track_caller]
    pub(crate) fn confirmation(&self, place: u16, round: Digest) -> (u16, message::Signature) {
        let (_, Confirm(signature)) = Confirm::parse(&self.hear(place, round, Kind::Confirm)).expect("a confirmation");
        (place, signature)
    }

    /// A node's state directory.
    pub(crate) fn state(&self, place: u16) -> PathBuf {
        self.region.disk(NODES[usize::from(place)].0).config().state.clone()
    }

    /// The journal of a node.
    pub(crate) fn journal(&self, place: u16) -> Vec<Entry> {
        self.region.disk(NODES[usize::from(place)].0).entries()
    }

    /// What a node's journal has about one question, in order: "debit", "carry",
    /// "release", "abort", "masked".
    pub(crate) fn story(&self, place: u16, question: Digest) -> Vec<&'static str> {
        let mut debits = BTreeSet::new();
        let mut story = Vec::new();
        for (seq, entry) in (0u64..).zip(self.journal(place)) {
            let word = match entry {
                Entry::Ledger(LedgerEntry::Debit(debit)) if debit.request_id() == question => {
                    debits.insert(seq);
                    "debit"
                }
                Entry::Ledger(LedgerEntry::Carry { debit, .. }) if debits.contains(&debit) => "carry",
                Entry::Ledger(LedgerEntry::Abort { debit, .. }) if debits.contains(&debit) => "abort",
                Entry::Ledger(LedgerEntry::Release { debit, .. }) if debits.contains(&debit) => "release",
                Entry::Own(Own::Masked { request, .. }) if request == question => "masked",
                _ => continue,
            };
            story.push(word);
        }
        story
    }

    /// Ends a node's process as `kill -9` does, and starts it again.
    pub(crate) fn kill_and_start(&mut self, place: u16) {
        let name = NODES[usize::from(place)].0;
        self.region.take_node(name).kill();
        let moment = self.evil.moment();
        self.region.start_node(name);
        self.wait_until_here(place, moment);
    }
}

/// The roster in a signed file.
pub(crate) fn roster_in(file: &std::path::Path) -> Roster {
    let bytes = std::fs::read(file).expect("a roster");
    let signed: serde_json::Value = serde_json::from_slice(&bytes).expect("JSON");
    Roster::parse(&canonical::to_bytes(&signed["roster"]).expect("JSON")).expect("a roster")
}
