//! The property that makes threads harmless: however the work is split, the same
//! file gives the same bytes, or the same error.

use std::collections::BTreeSet;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::same::{Dialect, Dice, visits};
use super::*;
use crate::source::split::Split;
use crate::source::{MAX_PERIODS, MAX_ROW_BYTES, MAX_ROWS, import_split};

/// One thread with the whole file, then more of everything, and blocks of hardly a row.
const SPLITS: [Split; 4] = [
    Split { threads: 1, block_bytes: MAX_ROW_BYTES, shelves: 1 },
    Split { threads: 2, block_bytes: 64, shelves: 2 },
    Split { threads: 7, block_bytes: 1, shelves: 4 },
    Split { threads: 3, block_bytes: 150, shelves: 32 },
];

/// The bytes of all periods and every count, or the error.
type Outcome = Result<(Vec<(String, Vec<u8>)>, [u64; 5]), String>;

fn outcome(site: &Site, split: Split, max_rows: u64) -> Outcome {
    let file = File::open(site.0.path().join("register.csv")).unwrap();
    let imported = import_split(split, file, max_rows, &site.mapping().unwrap(), Codebook::built_in(), &TAG_KEY);
    let counts = |i: &Imported| [i.rows, i.clients, i.excluded, i.area_hidden, i.outside];
    imported.map(|i| (i.bytes(), counts(&i))).map_err(|error| error.to_string())
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Kind {
    Sound,
    /// With a line break inside quotes.
    Broken,
    /// With empty lines before it.
    Apart,
    BadDate,
    BadArea,
    Excluded,
    Hidden,
    Ragged,
    NoClient,
    /// A personal identity code where none may be, and a bad date.
    Identity,
    /// A quote that goes on.
    Behind,
    /// With empty fields behind the last.
    Wide,
    /// With nothing in its fields.
    Blank,
}

#[derive(Clone, Debug)]
struct Line {
    kind: Kind,
    client: u8,
    quarter: usize,
}

fn lines() -> impl Strategy<Value = Vec<Line>> {
    use Kind::*;
    let rare = |kind| (1, Just(kind));
    let kinds = proptest::strategy::Union::new_weighted(
        [(60, Just(Sound)), (10, Just(Broken)), (5, Just(Apart)), (2, Just(Excluded)), (2, Just(Hidden))]
            .into_iter()
            .chain([BadDate, BadArea, Ragged, NoClient, Identity, Behind, Wide, Blank].map(rare))
            .collect::<Vec<_>>(),
    );
    let line = (kinds, 0..6_u8, prop_oneof![4 => 0..4_usize, 1 => 0..30_usize]);
    vec(line.prop_map(|(kind, client, quarter)| Line { kind, client, quarter }), 1..60)
}

fn written(lines: &[Line]) -> String {
    let mut text = format!("{HEADER}\n");
    for Line { kind, client, quarter } in lines {
        let date = format!("1.{}.{}", quarter % 4 * 3 + 1, 2000 + quarter / 4);
        text += &match kind {
            Kind::Sound => format!("c{client};{date};1980;1;491;N01;;;;;;\n"),
            Kind::Broken => format!("c{client};{date};1980;1;491;N02;;;;;;\"a\nb\r\nc\"\r\n"),
            Kind::Apart => format!("\n\r\nc{client};{date};1980;1;491;N01;;;;;;\n"),
            Kind::BadDate => format!("c{client};{};1980;1;491;N01;;;;;;\n", refused::CANARY),
            Kind::BadArea => format!("c{client};{date};1980;1;{};N03;;;;;;\n", refused::CANARY),
            Kind::Excluded => format!("c{client};{date};1980;1;491;N01;;;;k;;\n"),
            Kind::Hidden => format!("c{client};{date};1980;1;491;N01;;;;;k;\n"),
            Kind::Ragged => format!("c{client};{date}\n"),
            Kind::NoClient => format!(";{date};1980;1;491;N01;;;;;;\n"),
            Kind::Identity => format!("c{client};{};1980;1;131052-308T;N01;;;;;;\n", refused::CANARY),
            Kind::Wide => format!("c{client};{date};1980;1;491;N01;;;;;;;;\n"),
            Kind::Blank => ";;;;\n".to_owned(),
            Kind::Behind => format!("c{client};{date};1980;1;491;N01;;;;;;\"x\"y\n"),
        };
    }
    text
}

/// The error of a file, found by reading it from the top; its beginning suffices.
fn plainly(lines: &[Line], max_rows: usize) -> Option<String> {
    let is = |client: u8, kind: Kind| lines.iter().any(|line| line.client == client && line.kind == kind);
    let (mut at, mut quarters, mut later) = (2, BTreeSet::new(), None);
    let (mut row, mut width) = (0, None);
    for Line { kind, client, quarter } in lines {
        if *kind == Kind::Blank {
            at += 1;
            continue;
        }
        let fields = if *kind == Kind::Wide { 14 } else { 12 };
        at += if *kind == Kind::Apart { 2 } else { 0 };
        let error = |text: &str| Some(format!("register.csv line {at}{text}"));
        let dated = !matches!(kind, Kind::Behind | Kind::Ragged | Kind::NoClient | Kind::Identity | Kind::BadDate);
        match kind {
            Kind::Behind => return error(": text behind"),
            _ if row == max_rows => return error(": more than 50000000 rows"),
            Kind::Ragged => return error(": 2 fields"),
            _ if *width.get_or_insert(fields) != fields => {
                return error(&format!(": {fields} fields where the rows before have"));
            }
            Kind::NoClient => return error(", column \"asiakas\": empty"),
            _ if dated && quarters.insert(*quarter) && quarters.len() > MAX_PERIODS => {
                return error(", column \"pvm\": the file reaches");
            }
            Kind::Identity => return error(", column \"kotikunta\": looks like"),
            Kind::BadDate if !is(*client, Kind::Excluded) => {
                later = later.or(error(", column \"pvm\": not a date"));
            }
            Kind::BadArea if !is(*client, Kind::Excluded) && !is(*client, Kind::Hidden) => {
                later = later.or(error(", column \"kotikunta\": not a"));
            }
            _ => {}
        }
        at += if *kind == Kind::Broken { 3 } else { 1 };
        row += 1;
    }
    later
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn the_first_error_in_the_file_is_reported_however_it_is_split(
        lines in lines(),
        max_rows in prop_oneof![1 => 3..60_u64, 2 => Just(MAX_ROWS)],
    ) {
        let site = Site::new(MAPPING, written(&lines).as_bytes());
        let first = outcome(&site, SPLITS[0], max_rows);
        let expected = plainly(&lines, usize::try_from(max_rows).unwrap());
        match (&first, &expected) {
            (Ok(_), None) => {}
            (Err(error), Some(beginning)) => prop_assert!(error.starts_with(beginning), "{error} is not {beginning}"),
            _ => prop_assert!(false, "{:?} is not {expected:?}", first.as_ref().err()),
        }
        for split in &SPLITS[1..] {
            let other = outcome(&site, *split, max_rows);
            prop_assert!(other == first, "{split:?}: {:?} and {:?}", other.err(), first.err());
        }
    }

    #[test]
    fn every_dialect_may_be_split(
        visits in visits(),
        seed in any::<u64>(),
        damage in prop_oneof![2 => Just(Vec::new()), 3 => vec((any::<Index>(), select(&b"\"\"\n\r;,x\xE4"[..])), 1..4)],
    ) {
        let mut dice = Dice(seed);
        let dialect = Dialect::roll(&mut dice, &visits, seed % 2 == 0);
        let mut register = dialect.register(&mut dice, &visits);
        for (at, byte) in damage {
            *at.get_mut(&mut register) = byte;
        }
        let site = Site::new(&dialect.mapping(), &register);
        let first = outcome(&site, SPLITS[0], MAX_ROWS);
        for split in &SPLITS[1..] {
            let other = outcome(&site, *split, MAX_ROWS);
            prop_assert!(other == first, "{split:?}: {:?} and {:?}", other.err(), first.err());
        }
    }
}
