//! Hand-made seeds: for each target what an honest participant sends, and for the
//! scripts some attacks that chance is slow to find.

use crate::decoders::governance;
use crate::support::{Memory, SCORE, Table, name};
use crate::world::{NODES, World};
use koonti_disclosure::combine::combine;
use koonti_disclosure::identity::Intent;
use koonti_disclosure::ledger::Terms;
use koonti_disclosure::policy::{Holdings, Vintage};
use koonti_disclosure::regional::{Sum, publish};
use koonti_disclosure::release::Received;
use koonti_disclosure::stream::Seed;
use koonti_disclosure::{Codebook, Digest, Exact, Ledger, Period, Policy, TableRequest, Tally, canonical};
use koonti_secagg::Abort;
use koonti_secagg::message::{Survivors, left_message, start_message, stop_message};
use koonti_tally::Rows;
use std::collections::BTreeMap;

/// The seeds of a target with their names; none for a name that is not a target's.
pub fn made(target: &str) -> Vec<(&'static str, Vec<u8>)> {
    match target {
        // What a script does not say is done rightly, to the end.
        "node_session" => vec![
            ("valid-honest", vec![0]),
            ("valid-silent-survivor", vec![3, 0, 0, 0, 0, 1, 2, 0]),
            ("attack-outsider-confirms", vec![0, 0, 0, 0, 0, 1, 2, 0, 8, 0x84, 0, 0]),
            ("attack-place-of-nobody", vec![0, 7, 4, 0, 0, 0, 7, 5]),
            ("attack-set-beyond-set", vec![0, 1, 2, 0, 1, 0x40, 0]),
            ("attack-share-out-of-range", vec![0, 0, 0, 7, 1, 0, 31, 0xff]),
            ("attack-share-not-as-promised", vec![0, 0, 0, 7, 1, 1, 9, 1]),
        ],
        "coordinator_round" => vec![
            ("valid-honest", vec![0, 0, 0, 0, 2]),
            ("valid-silent-node", vec![0, 0, 0, 0, 2, 0, 0, 0, 0, 2, 0, 0, 1, 0, 2]),
            ("attack-chunk", vec![0, 0, 0, 0, 2, 0, 0, 0, 0, 2, 2, 3, 0, 4, 1, 0, 6, 0, 0, 40, 1]),
            ("attack-chunk-too-short", vec![0, 0, 0, 0, 2, 0, 0, 0, 0, 2, 0, 13, 0, 9, 9, 2, 0]),
            ("attack-other-input", vec![0, 0, 0, 0, 2, 0, 0, 0, 0, 2, 0, 13, 0, 0, 3, 0, 0]),
            ("attack-share-dealt", vec![0, 0, 0, 0, 2, 0, 13, 0, 0, 40, 1]),
            ("attack-advert-of-another", vec![0, 13, 0, 0, 7, 2, 0, 0, 0, 0, 2]),
            ("attack-erasures", vec![0, 0, 0, 0, 2, 0, 0, 0, 0, 2, 0, 11, 1, 11, 4, 11]),
            ("attack-erasures-of-others", vec![0, 0, 0, 0, 2, 0, 0, 0, 0, 2, 1, 11, 2, 8, 0, 3, 8, 0]),
        ],
        "messages" => {
            let twice = Survivors(vec![1, 1, 2, 3]).message(World::get().round());
            messages().into_iter().chain([("attack-place-twice", twice)]).collect()
        }
        "decoders" => decoders(),
        "evidence" => evidence(),
        "disk" => disk(),
        "doors" => doors(),
        "registers" => registers(),
        _ => vec![],
    }
}

/// A journal with a whole and a torn entry, and a small extract.
fn disk() -> Vec<(&'static str, Vec<u8>)> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("journal");
    let (mut journal, _) = koonti_journal::Journal::open(&path).expect("a journal");
    for entry in [&b"{}"[..], b"one", b"two"] {
        journal.append(entry).expect("an entry");
    }
    let whole = std::fs::read(&path).expect("the journal");
    let codebook = Codebook::built_in();
    let unknown = |exclusive: bool| {
        codebook.dimensions().iter().filter(move |d| d.exclusive == exclusive).map(|d| d.unknown()).collect::<Vec<_>>()
    };
    let client = |kind: Rows, tag: u8| koonti_tally::Client {
        tag: [tag; 16],
        exclusive: unknown(true),
        rows: vec![koonti_tally::Row { codes: unknown(false), primary: tag == 1, begins_event: kind == Rows::Events }],
        scores: vec![Some(2); codebook.scores().len()],
    };
    let slice = |kind| {
        let clients = vec![client(kind, 1), client(kind, 2)];
        koonti_tally::Slice::from_clients(codebook, kind, clients).expect("a slice").to_bytes()
    };
    vec![
        ("valid-torn", whole[..whole.len() - 2].to_vec()),
        ("valid-journal", whole),
        ("valid-extract", slice(Rows::Observations)),
        ("valid-events", slice(Rows::Events)),
    ]
}

/// Messages in which a field of each kind is set.
fn doors() -> Vec<(&'static str, Vec<u8>)> {
    // Field 1 as text of one byte, and as 32 bytes.
    let bytes =
        |field: u8, content: &[u8]| [&[field << 3 | 2, u8::try_from(content.len()).expect("short")], content].concat();
    let hash = Codebook::built_in().hash().to_string();
    vec![
        ("valid-attend", [bytes(1, b"0.1.0"), bytes(2, hash.as_bytes())].concat()),
        ("valid-roster", bytes(1, b"{}")),
        ("valid-refusal", [bytes(1, &[7; 32]), bytes(3, b"NO_SEED")].concat()),
        ("valid-watch", bytes(1, &[9; 32])),
    ]
}

/// Registers in some dialects, good and bad.
fn registers() -> Vec<(&'static str, Vec<u8>)> {
    let register = |dialect: u8, text: String| [&[dialect], text.as_bytes()].concat();
    let word = crate::registers::WORD;
    let [header, commas] = crate::registers::HEADERS;
    vec![
        ("valid-register", register(0, format!("{header}1;5.9.2026;1980;1;205;N01;6,5;\n2;6.9.2026;1970;2;491;;;k\n"))),
        ("valid-commas", register(0b1001_0101, format!("{commas}1,2026-09-05,1980,1,205,N01|N02,6.5,\n"))),
        ("valid-quotes", register(0, format!("{header}\"1;\n\"\"\";5.9.2026;1980;1;205;N01;6;\n"))),
        ("attack-words", register(0, format!("{header}{word};{word};{word};{word};{word};{word};{word};{word}\n"))),
        ("valid-mapping", crate::registers::mapping_of(0).into_bytes()),
    ]
}

/// What stands in a bundle, and changes to it.
fn evidence() -> Vec<(&'static str, Vec<u8>)> {
    let (files, trust) = crate::evidence::sound();
    let file = |name: &str| files.iter().find(|(path, _)| path.contains(name)).map(|(_, bytes)| bytes.clone());
    let entries = file("logs/node-kainuu/tile/entries/").or_else(|| file("tile/entries/")).expect("a log");
    let length = usize::from(u16::from_be_bytes([entries[0], entries[1]]));
    let small = std::collections::BTreeMap::from([("blobs/a".to_owned(), vec![7; 600])]);
    vec![
        ("valid-checkpoint", file("checkpoint").expect("a checkpoint")),
        ("valid-entry", entries[2..2 + length].to_vec()),
        ("valid-trust", trust.clone().into_bytes()),
        ("valid-archive", koonti_evidence::container::write(&small).expect("small")),
        ("attack-one-byte", vec![0, 3, 0, 40, 1]),
        ("attack-two-files", vec![0, 9, 1, 0, 255, 0, 17, 2, 0, 16]),
    ]
}

/// A whole round, and its abort.
fn messages() -> Vec<(&'static str, Vec<u8>)> {
    let world = World::get();
    let round = world.round();
    let mut play = crate::support::Play::new(NODES, SCORE, world.region.seed);
    let mut found = vec![
        ("valid-specification", world.spec.bytes().to_vec()),
        ("valid-start", start_message(&world.spec, &[])),
        ("valid-stop", stop_message(round)),
        ("valid-left", left_message(round, Abort::Share(3))),
    ];
    let names = [
        ("valid-adverts", "valid-advert"),
        ("valid-inbox", "valid-shares"),
        ("valid-survivors", "valid-masked"),
        ("valid-confirmations", "valid-confirm"),
    ];
    let mut erasures = vec![];
    for (heard, said) in names {
        let answers = play.answers(&[]);
        found.push((said, answers[0].1.clone()));
        if said == "valid-masked" {
            found.push(("valid-chunk", answers[1].1.clone()));
        }
        for (place, message) in answers {
            // One does not come through.
            if said != "valid-masked" || place != 1 {
                play.give(place, &message).expect("an honest message");
            }
        }
        play.round.advance().expect("enough are there");
        found.push((heard, play.ready(0)));
    }
    found.push(("valid-unmask", play.answers(&[])[0].1.clone()));
    let session = play.round.session().expect("keys are known");
    for place in 0..3 {
        let erased = world.sign(place, "koonti/v1/abort", &session.0);
        erasures.push((place, erased));
    }
    found.push(("valid-erased", koonti_secagg::message::Erased(erasures[0].1).message(round)));
    let certificate = koonti_disclosure::abort::Certificate::new(session, &erasures, &world.region.roster);
    found.push(("valid-certificate", certificate.expect("three of five").bytes().to_vec()));
    found
}

fn decoders() -> Vec<(&'static str, Vec<u8>)> {
    let regional = &World::get().region;
    let request = per_node();
    let asked = regional_request();
    let signed = governance().sign_request(asked.clone(), name("aino"), 1_770_000_000, Intent::Ask);
    let release = release(&request);
    let received = Received::parse(&release).expect("a release");
    let table = combine(&request, vec![received], vec![]);
    let vectors: Vec<Vec<i64>> =
        regional.layout.vectors().iter().map(|(_, cells)| (0..*cells as i64).map(|cell| 40 * cell).collect()).collect();
    let survivors = (0..NODES).map(|place| regional.name(place)).collect();
    let sum = Sum { spec: &World::get().spec, survivors, missing: vec![], vectors: &vectors };
    let sum = publish(&regional.request, sum);
    vec![
        ("valid-request", request.bytes().to_vec()),
        ("valid-regional-request", asked.bytes().to_vec()),
        ("valid-signed-request", signed.bytes().to_vec()),
        ("valid-roster", regional.roster.bytes().to_vec()),
        ("valid-signed-roster", governance().sign_roster(regional.roster.clone()).bytes()),
        ("valid-release", release),
        ("valid-table", canonical::to_bytes(&table).expect("a table")),
        ("valid-regional-table", canonical::to_bytes(&sum).expect("a table")),
    ]
}

/// A question with everything in it that a question may have.
fn per_node() -> TableRequest {
    let json = serde_json::json!({
        "by": ["sex"], "codebook": Codebook::built_in().hash(), "measure": "score", "periods": ["2026Q2", "2026Q3"],
        "purpose": "statistics", "region": "ita", "register": "r", "release": "per_node", "score": "D07", "v": 1,
        "variance": [25, 1], "where": {"area": ["205", "491"]},
    });
    TableRequest::parse(&canonical::to_bytes(&json).expect("canonical"), Codebook::built_in()).expect("a question")
}

fn regional_request() -> TableRequest {
    Table { by: &["age_group"], score: false, periods: 3 }.request()
}

/// The answer of a node with many clients.
fn release(request: &TableRequest) -> Vec<u8> {
    let policy: Policy = serde_json::from_value(serde_json::json!({
        "k": 5, "approval": "auto",
        "allowance": {"nano_rho_per_period": 1_000_000_000u64, "atto_delta_per_period": 1_000_000_000_000u64,
            "gate_atto_delta": 100_000_000_000u64},
        "tables": {"measures": ["clients", "score"], "dimensions": ["sex", "area"], "purposes": ["statistics"],
            "most_cells": 10_000, "most_per_client": 10},
    }))
    .expect("a policy");
    let vintages: BTreeMap<Period, Vintage> =
        request.periods().iter().map(|p| (*p, Vintage { id: Digest([9; 32]), events: false })).collect();
    let (region, node, register) = (name("ita"), name("kainuu"), name("r"));
    let holdings = Holdings {
        region: &region,
        node: &node,
        register: &register,
        source: &register,
        areas: &["205".to_owned()],
        vintages: &vintages,
        floor: World::get().region.roster.floor(),
        quorum: None,
    };
    let terms = Terms {
        requester: name("aino"),
        round: Digest([1; 32]),
        nonce: Digest([2; 32]),
        seed: (0, Seed::new([3; 32])),
        time: 1_770_000_000,
    };
    let admitted = policy.admit(request, &holdings).expect("the policy allows it");
    let debited = Ledger::default().debit(admitted, terms, &mut Memory::default());
    let permit = debited.unwrap_or_else(|_| panic!("the ledger refuses"));
    let noise = permit.draw().expect("noise");
    // The last cell is empty: it is withheld.
    let cells = request.domain().cells();
    let clients: Vec<i64> = (0..cells).map(|cell| if cell + 1 == cells { 0 } else { 1000 }).collect();
    let periods = request.periods().iter().map(|_| vec![clients.clone(), vec![700; cells]]).collect();
    Exact::wrap(Tally { periods }).release(permit, noise).expect("a release").bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_valid_is_read() {
        let (messages, decoders) = (made("messages"), made("decoders"));
        assert_eq!((messages.len(), decoders.len()), (17, 8));
        for (name, bytes) in messages {
            assert_eq!(crate::messages::read(&bytes), usize::from(name.starts_with("valid")), "{name}");
        }
        for (name, bytes) in decoders {
            assert_eq!(crate::decoders::read(&bytes), 1, "{name}");
        }
    }
}
