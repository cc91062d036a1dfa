//! The property that makes dialects harmless: the same clients, written in any
//! two of them, give the same bytes.

use encoding_rs::ISO_8859_15;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::*;

const NO_BREAK: &str = "\u{A0}";
/// Spellings of a sex, of an area, and of a mark that is there or is not.
const SEXES: [&[&str]; 4] = [&["1", "mies", "Man", "M"], &["2", "nainen", "KVINNA"], &["9"], &[""]];
const AREAS: [&[&str]; 5] = [
    &["491", "Mikkeli", "S:t Michel", "MIKKELI"],
    &["046", "46", "Enonkoski"],
    &["541", "911", "Nurmes", "valtimo"],
    &["unknown", "999", "198", "199", "200", "Ulkomaat", "okänd", "tuntematon", "utlandet"],
    &[""],
];
const MARKS: [&[&str]; 2] = [&["", "e"], &["k", "K"]];
const MONTHS: [[&str; 5]; 12] = [
    ["tammikuuta", "tammik.", "januari", "January", "Jan"],
    ["helmikuuta", "helmi", "februari", "February", "Feb"],
    ["maaliskuuta", "maalisk.", "mars", "March", "Mar"],
    ["huhtikuuta", "huhtik.", "april", "April", "apr."],
    ["toukokuuta", "TOUKOKUUTA", "maj", "May", "maj"],
    ["kesäkuuta", "kesäk.", "juni", "June", "Jun"],
    ["heinäkuuta", "heinä", "juli", "July", "jul"],
    ["elokuuta", "elok.", "augusti", "August", "AUG"],
    ["syyskuuta", "syys", "september", "September", "sept."],
    ["lokakuuta", "lokak.", "oktober", "October", "okt"],
    ["marraskuuta", "marras", "november", "November", "nov."],
    ["joulukuuta", "joulukuun", "december", "December", "dec."],
];

/// What one visit to the social worker puts into the register.
#[derive(Clone, Debug)]
pub(super) struct Visit {
    pub(super) client: &'static str,
    pub(super) date: (u16, usize, u8),
    pub(super) birth: Option<(u16, usize, u8)>,
    pub(super) sex: usize,
    pub(super) area: usize,
    /// Places in the codebook, the most important first.
    pub(super) needs: Vec<usize>,
    /// In half steps.
    pub(super) scores: [Option<u8>; 2],
    pub(super) exclude: bool,
    pub(super) hide: bool,
}

pub(super) fn visits() -> impl Strategy<Value = Vec<Visit>> {
    let visit = (
        select(&["a", "äijä", "131052-308T", "€uro", "šekki, \"ž\"", "asiakas; numero 7"][..]),
        (2025..=2026_u16, 1..=12_usize, 1..=28_u8),
        proptest::option::of(select(&[(1980, 5, 17), (1995, 12, 31), (2004, 2, 29), (2012, 1, 1)][..])),
        (0..SEXES.len(), 0..AREAS.len()),
        subsequence((0..11).collect::<Vec<usize>>(), 0..5).prop_shuffle(),
        [proptest::option::of(0..=20_u8), proptest::option::of(0..=20_u8)],
        (proptest::bool::weighted(0.03), proptest::bool::weighted(0.05)),
    );
    vec(visit, 1..12).prop_map(|visits| {
        let visit = |(client, date, birth, (sex, area), needs, scores, (exclude, hide))| Visit {
            client,
            date,
            birth,
            sex,
            area,
            needs,
            scores,
            exclude,
            hide,
        };
        visits.into_iter().map(visit).collect()
    })
}

/// Where a dialect's choices come from: one number gives all of them.
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % sides
    }

    pub(super) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.roll(from.len())]
    }

    fn shuffle<T>(&mut self, all: &mut [T]) {
        (1..all.len()).for_each(|at| all.swap(at, self.roll(at + 1)));
    }
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Needs {
    One,
    Separated(char),
    Columns,
}

/// One way of writing a register.
#[derive(Debug)]
pub(super) struct Dialect {
    delimiter: char,
    encoding: &'static str,
    date: &'static str,
    decimal: char,
    age: &'static str,
    needs: Needs,
    /// Whether the most important need is marked.
    ranked: bool,
}

impl Dialect {
    pub(super) fn roll(dice: &mut Dice, visits: &[Visit], ranked: bool) -> Self {
        let dialect = Self {
            delimiter: dice.pick(&[';', ',', '\t']),
            encoding: dice.pick(&["utf-8", "windows-1252", "iso-8859-15", "iso-8859-1"]),
            date: dice.pick(&["d.m.yyyy", "yyyy-mm-dd", "d. month yyyy"]),
            decimal: dice.pick(&[',', '.']),
            age: dice.pick(&["birth_year", "birth_date", "age", "age_group"]),
            needs: dice.pick(&[
                Needs::One,
                Needs::Columns,
                Needs::Separated(','),
                Needs::Separated(';'),
                Needs::Separated('/'),
                Needs::Separated(' '),
            ]),
            ranked,
        };
        // Not every register can be written in every way.
        let encoding = if visits.iter().all(|v| dialect.has(v.client)) { dialect.encoding } else { "utf-8" };
        let children = visits.iter().any(|v| v.birth.is_some_and(|(year, _, _)| v.date.0 - year < 18));
        let age = if children && dialect.age == "age_group" { "age" } else { dialect.age };
        Self { encoding, age, ..dialect }
    }

    fn encoded(&self, text: &str) -> Option<Vec<u8>> {
        match self.encoding {
            "utf-8" => Some(text.into()),
            "iso-8859-1" => {
                let byte = |c: char| u8::try_from(u32::from(c)).ok().filter(|b| !(0x80..=0x9F).contains(b));
                text.chars().map(byte).collect()
            }
            other => {
                let encoding = if other == "windows-1252" { WINDOWS_1252 } else { ISO_8859_15 };
                let (bytes, _, unmappable) = encoding.encode(text);
                (!unmappable).then(|| bytes.into_owned())
            }
        }
    }

    fn has(&self, text: &str) -> bool {
        self.encoded(text).is_some()
    }

    pub(super) fn mapping(&self) -> String {
        let Self { delimiter, encoding, date, decimal, age, needs, ranked } = self;
        let first = if *ranked { "primary = \"first\"" } else { "" };
        let (need, primary) = match needs {
            Needs::One if *ranked => {
                ("need = \"tarve\"".into(), "primary = { column = \"ensisijainen\", value = \"k\" }")
            }
            Needs::One => ("need = \"tarve\"".into(), ""),
            Needs::Separated(separator) => {
                (format!("need = {{ column = \"tarve\", separator = \"{separator}\" }}"), first)
            }
            Needs::Columns => ("need = { columns = [\"tarve1\", \"tarve2\", \"tarve3\", \"tarve4\"] }".into(), first),
        };
        mapping_with(&[
            ("delimiter = \";\"", &format!("delimiter = {:?}", delimiter.to_string())),
            ("\"utf-8\"", &format!("\"{encoding}\"")),
            ("\"d.m.yyyy\"", &format!("\"{date}\"")),
            ("decimal = \",\"", &format!("decimal = \"{decimal}\"")),
            ("birth_year = \"syntymävuosi\"", &format!("{age} = \"ikä\"")),
            ("need = \"tarve\"", &need),
            ("primary = { column = \"ensisijainen\", value = \"k\" }", primary),
        ])
    }

    pub(super) fn register(&self, dice: &mut Dice, visits: &[Visit]) -> Vec<u8> {
        let mut rows: Vec<Vec<(&str, String)>> = visits.iter().flat_map(|visit| self.rows(dice, visit)).collect();
        dice.shuffle(&mut rows);
        let mut names: Vec<&str> = rows[0].iter().map(|(name, _)| *name).collect();
        dice.shuffle(&mut names);
        let mut text = Vec::new();
        let mut writer = csv::WriterBuilder::new()
            .delimiter(self.delimiter as u8)
            .quote_style(dice.pick(&[csv::QuoteStyle::Always, csv::QuoteStyle::Necessary]))
            .terminator(dice.pick(&[csv::Terminator::CRLF, csv::Terminator::Any(b'\n')]))
            .from_writer(&mut text);
        writer.write_record(&names).unwrap();
        for row in &rows {
            let field = |name: &&str| row.iter().find(|(at, _)| at == name).unwrap().1.as_str();
            writer.write_record(names.iter().map(field)).unwrap();
        }
        writer.flush().unwrap();
        drop(writer);
        let text = String::from_utf8(text).unwrap();
        let mark = if self.encoding == "utf-8" { dice.pick(&["", "\u{FEFF}"]) } else { "" };
        self.encoded(&format!("{mark}{text}")).unwrap()
    }

    /// The rows of a visit, as fields by column.
    fn rows(&self, dice: &mut Dice, visit: &Visit) -> Vec<Vec<(&'static str, String)>> {
        let mut base = vec![
            ("asiakas", visit.client.to_owned()),
            ("pvm", self.date(dice, visit.date)),
            ("ikä", visit.birth.map_or(String::new(), |birth| self.age(dice, birth, visit.date.0))),
            ("sukupuoli", dice.pick(SEXES[visit.sex]).to_owned()),
            ("kotikunta", dice.pick(AREAS[visit.area]).to_owned()),
            ("kielto", dice.pick(MARKS[usize::from(visit.exclude)]).to_owned()),
            ("turvakielto", dice.pick(MARKS[usize::from(visit.hide)]).to_owned()),
            ("huom", dice.pick(&["", "a; b", "\"q\"", "two\nlines", "131052-308T"]).to_owned()),
        ];
        base.extend(["D01", "D02"].into_iter().zip(visit.scores.map(|score| self.score(dice, score))));
        let needs: Vec<String> = visit.needs.iter().map(|need| self.need(dice, *need)).collect();
        let rows: Vec<Vec<(&str, String)>> = match self.needs {
            Needs::One => (0..needs.len().max(1))
                .map(|at| {
                    let need = needs.get(at).cloned().unwrap_or_default();
                    let marked = dice.pick(MARKS[usize::from(at == 0 && !needs.is_empty())]).to_owned();
                    [base.clone(), vec![("tarve", need), ("ensisijainen", marked)]].concat()
                })
                .collect(),
            Needs::Separated(separator) => {
                let between = dice.pick(&[format!("{separator}"), format!(" {separator} ")].each_ref()).clone();
                vec![[base, vec![("tarve", needs.join(&between))]].concat()]
            }
            Needs::Columns => {
                let columns = ["tarve1", "tarve2", "tarve3", "tarve4"].into_iter();
                let needs = columns.enumerate().map(|(at, name)| (name, needs.get(at).cloned().unwrap_or_default()));
                vec![base.into_iter().chain(needs).collect()]
            }
        };
        let padded = |(name, field): (&'static str, String)| (name, self.padded(dice, &field));
        let mut padded = padded;
        rows.into_iter().map(|row| row.into_iter().map(&mut padded).collect()).collect()
    }

    fn padded(&self, dice: &mut Dice, field: &str) -> String {
        let spaces = if self.encoding == "utf-8" { [" ", NO_BREAK, "\u{202F}"] } else { [" ", NO_BREAK, NO_BREAK] };
        match dice.roll(8) {
            0 => format!("{field}{}", dice.pick(&spaces)),
            1 => format!("{}{field}{}", dice.pick(&spaces), dice.pick(&spaces)),
            _ => field.to_owned(),
        }
    }

    fn date(&self, dice: &mut Dice, (year, month, day): (u16, usize, u8)) -> String {
        match self.date {
            "d.m.yyyy" if dice.roll(2) == 0 => format!("{day:02}.{month:02}.{year}"),
            "d.m.yyyy" => format!("{day}.{month}.{year}"),
            "yyyy-mm-dd" => {
                let times = ["", "", " 00:00", "T23:59:59", " 08:15:00.000", "T08:15:00Z", " 08:15:00.1 +03:00"];
                format!("{year}-{month:02}-{day:02}{}", dice.pick(&times))
            }
            _ => {
                let (stop, space) = (dice.pick(&["", "."]), dice.pick(&[" ", NO_BREAK]));
                format!("{day}{stop}{space}{}{space}{year}", dice.pick(&MONTHS[month - 1]))
            }
        }
    }

    fn age(&self, dice: &mut Dice, birth: (u16, usize, u8), year: u16) -> String {
        let years = year - birth.0;
        match self.age {
            "birth_year" => birth.0.to_string(),
            "birth_date" => self.date(dice, birth),
            "age" => years.to_string(),
            _ => self.spelled(dice, "age_group", |groups| usize::from(groups.of_age(years).unwrap())),
        }
    }

    fn need(&self, dice: &mut Dice, need: usize) -> String {
        self.spelled(dice, "need", |_| need)
    }

    /// A code of the codebook, or one of its names if it can stand in a field.
    fn spelled(&self, dice: &mut Dice, dimension: &str, at: impl Fn(&Dimension) -> usize) -> String {
        let dimension = Codebook::built_in().dimension(dimension).unwrap();
        let code = &dimension.codes()[at(dimension)];
        let text = dice.pick(&[&code.code, &code.code, &code.label.fi, &code.label.sv, &code.label.en]);
        let separates = matches!(self.needs, Needs::Separated(separator) if text.contains(separator));
        if separates || !self.has(text) { code.code.to_lowercase() } else { text.clone() }
    }

    fn score(&self, dice: &mut Dice, halves: Option<u8>) -> String {
        let Some(halves) = halves else { return String::new() };
        match (halves % 2, dice.roll(2)) {
            (0, 0) => (halves / 2).to_string(),
            (half, _) => format!("{}{}{}", halves / 2, self.decimal, if half == 1 { "5" } else { "0" }),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn dialects_mean_the_same(visits in visits(), ranked in any::<bool>(), seeds in any::<[u64; 5]>()) {
        let read = |seed: u64| {
            let mut dice = Dice(seed);
            let dialect = Dialect::roll(&mut dice, &visits, ranked);
            let register = dialect.register(&mut dice, &visits);
            let imported = Site::new(&dialect.mapping(), &register).import();
            let imported = imported.map_err(|error| TestCaseError::fail(format!("{dialect:?}: {error}")))?;
            let counts = [imported.clients, imported.excluded, imported.area_hidden, imported.outside];
            Ok::<_, TestCaseError>((imported.bytes(), counts, dialect))
        };
        let (bytes, counts, first) = read(seeds[0])?;
        for seed in &seeds[1..] {
            let (other_bytes, other_counts, other) = read(*seed)?;
            prop_assert_eq!(other_counts, counts, "{:?} and {:?}", first, other);
            prop_assert!(other_bytes == bytes, "{first:?} and {other:?}");
        }
    }
}
