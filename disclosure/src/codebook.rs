//! The codebook: dimensions, their codes with fi/sv/en labels, and scores.
//!
//! One codebook is built in (`config/codebook.json`); its SHA-256 is its version
//! and stands in every request. It holds leaves only, no totals and no
//! overlapping categories, and every dimension ends with `unknown`, so the list
//! of cells of a table follows from the request alone.
//!
//! Every codebook ever shipped stays known by its hash, for requests, releases and
//! extracts of its time are read with it. A newer one only adds dimensions: it
//! neither changes nor drops a dimension, code or score of an earlier one.

use crate::names::Digest;
use serde::Deserialize;
use std::collections::HashMap;
use std::sync::OnceLock;

/// Oldest first; the last is the one that is built in.
const SHIPPED: [&str; 2] = [include_str!("../../config/codebooks/1.json"), include_str!("../../config/codebook.json")];

/// The code that every dimension has for a missing or unrecognised value.
pub const UNKNOWN: &str = "unknown";

/// The code list of a region.
pub struct Codebook {
    hash: Digest,
    source: String,
    dimensions: Vec<Dimension>,
    scores: Vec<Score>,
}

/// One way of dividing clients.
pub struct Dimension {
    /// Its id, such as `age_group`.
    pub id: String,
    /// True when a client is in one category at a time; false when in several.
    pub exclusive: bool,
    /// Its name.
    pub label: Label,
    codes: Vec<Code>,
    spellings: HashMap<String, u16>,
}

/// One category of a dimension.
#[derive(Deserialize)]
pub struct Code {
    /// The code, such as `N03` or `046`.
    pub code: String,
    /// Its name.
    #[serde(flatten)]
    pub label: Label,
    /// Other spellings that a register may use: merged codes, former names.
    #[serde(default)]
    pub synonyms: Vec<String>,
    /// First and last age in years, for age groups.
    pub ages: Option<(u16, u16)>,
    /// Residents, for areas: a public figure, used for estimates only.
    pub population: Option<u32>,
}

/// A bounded score, such as a life domain rated 0 to 10.
#[derive(Deserialize)]
pub struct Score {
    /// Its id, such as `D07`.
    pub id: String,
    /// Its name.
    #[serde(flatten)]
    pub label: Label,
    /// The lowest value.
    pub lo: i64,
    /// The highest value.
    pub hi: i64,
}

/// A name in three languages.
#[derive(Deserialize, Clone)]
pub struct Label {
    /// Finnish.
    pub fi: String,
    /// Swedish.
    pub sv: String,
    /// English.
    pub en: String,
    /// The languages whose wording nobody has verified against an official source.
    #[serde(default)]
    pub unverified: Vec<String>,
}

impl Label {
    /// The wording in `lang`: `fi`, `sv`, anything else English.
    pub fn text(&self, lang: &str) -> &str {
        match lang {
            "fi" => &self.fi,
            "sv" => &self.sv,
            _ => &self.en,
        }
    }

    /// The same with a `*` behind it when it is unverified.
    pub fn marked(&self, lang: &str) -> String {
        let mark = if self.unverified.iter().any(|l| l == lang) { " *" } else { "" };
        format!("{}{mark}", self.text(lang))
    }
}

/// Why a codebook is refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file is not a codebook.
    #[error("not a codebook: {0}")]
    Shape(#[from] serde_json::Error),
    /// A dimension lacks `unknown`, has it elsewhere than last, or repeats a spelling.
    #[error("dimension {0}: codes must be unique, and the last one must be \"unknown\"")]
    Codes(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(rename = "v")]
    _version: u8,
    source: String,
    dimensions: Vec<DimensionFile>,
    scores: Vec<Score>,
}

#[derive(Deserialize)]
struct DimensionFile {
    id: String,
    kind: Kind,
    #[serde(flatten)]
    label: Label,
    codes: Vec<Code>,
}

#[derive(Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Exclusive,
    Several,
}

impl Codebook {
    /// The newest codebook: new questions are asked with it, registers imported.
    pub fn built_in() -> &'static Self {
        Self::shipped().last().expect("one at least")
    }

    /// Every codebook that a version of Koonti has shipped, oldest first.
    pub fn shipped() -> &'static [Self] {
        static CODEBOOKS: OnceLock<Vec<Codebook>> = OnceLock::new();
        let parse = |json: &&str| Self::parse(json).expect("the shipped codebooks are tested");
        CODEBOOKS.get_or_init(|| SHIPPED.iter().map(parse).collect())
    }

    /// The shipped codebook with this hash.
    pub fn of(hash: Digest) -> Option<&'static Self> {
        Self::shipped().iter().find(|codebook| codebook.hash == hash)
    }

    /// Reads a codebook file.
    ///
    /// # Errors
    /// When the file has another shape, or a dimension's codes are ambiguous.
    pub fn parse(json: &str) -> Result<Self, Error> {
        let file: File = serde_json::from_str(json)?;
        let dimensions = file.dimensions.into_iter().map(Dimension::new).collect::<Result<_, _>>()?;
        Ok(Self { hash: Digest::of(json.as_bytes()), source: file.source, dimensions, scores: file.scores })
    }

    /// The SHA-256 of the file: the codebook's version.
    pub fn hash(&self) -> Digest {
        self.hash
    }

    /// Where the wording and the figures come from.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// All dimensions, by id.
    pub fn dimensions(&self) -> &[Dimension] {
        &self.dimensions
    }

    /// The dimension with this id.
    pub fn dimension(&self, id: &str) -> Option<&Dimension> {
        self.dimensions.iter().find(|d| d.id == id)
    }

    /// All scores.
    pub fn scores(&self) -> &[Score] {
        &self.scores
    }

    /// The score with this id.
    pub fn score(&self, id: &str) -> Option<&Score> {
        self.scores.iter().find(|s| s.id == id)
    }
}

impl Dimension {
    fn new(file: DimensionFile) -> Result<Self, Error> {
        let bad = || Error::Codes(file.id.clone());
        let mut spellings = HashMap::new();
        for (i, code) in file.codes.iter().enumerate() {
            let i = u16::try_from(i).map_err(|_| bad())?;
            if spellings.insert(folded(&code.code), i).is_some() {
                return Err(bad());
            }
        }
        // Codes come first: a label never takes a code's place. Two categories
        // may share a label in one language only with themselves.
        for (i, code) in file.codes.iter().enumerate() {
            let i = u16::try_from(i).map_err(|_| bad())?;
            let labels = [&code.label.fi, &code.label.sv, &code.label.en];
            for text in labels.into_iter().chain(&code.synonyms) {
                if *spellings.entry(folded(text)).or_insert(i) != i {
                    return Err(bad());
                }
            }
        }
        // A code with a name of the same category behind it, as drop-down lists write it.
        for (i, code) in file.codes.iter().enumerate() {
            let i = u16::try_from(i).map_err(|_| bad())?;
            for text in [&code.label.fi, &code.label.sv, &code.label.en].into_iter().chain(&code.synonyms) {
                if *spellings.entry(folded(&format!("{} {text}", code.code))).or_insert(i) != i {
                    return Err(bad());
                }
            }
        }
        if file.codes.last().is_none_or(|c| c.code != UNKNOWN) {
            return Err(bad());
        }
        Ok(Self {
            exclusive: file.kind == Kind::Exclusive,
            label: file.label,
            codes: file.codes,
            id: file.id,
            spellings,
        })
    }

    /// The categories, `unknown` last.
    pub fn codes(&self) -> &[Code] {
        &self.codes
    }

    /// The position of `unknown`.
    pub fn unknown(&self) -> u16 {
        u16::try_from(self.codes.len() - 1).expect("checked when read")
    }

    /// The position of exactly this code.
    pub fn position(&self, code: &str) -> Option<u16> {
        self.recognise(code).filter(|i| self.codes[usize::from(*i)].code == code)
    }

    /// The position of the category that a register means by `text`: its code,
    /// its name in any of the languages, or a synonym, whatever the case; or the code, one
    /// space, and such a name of the same category.
    pub fn recognise(&self, text: &str) -> Option<u16> {
        self.spellings.get(&folded(text)).copied()
    }

    /// The position of the category that holds an age in whole years.
    pub fn of_age(&self, years: u16) -> Option<u16> {
        self.codes
            .iter()
            .position(|c| c.ages.is_some_and(|(from, to)| (from..=to).contains(&years)))
            .and_then(|i| u16::try_from(i).ok())
    }
}

fn folded(text: &str) -> String {
    text.trim().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_codebook_holds_what_registers_write() {
        let book = Codebook::built_in();
        let area = book.dimension("area").unwrap();
        let code = |text: &str| area.recognise(text).map(|i| area.codes()[usize::from(i)].code.as_str());
        assert_eq!(area.codes().len(), 309);
        assert_eq!(code("491"), Some("491"));
        assert_eq!(code("S:t Michel"), Some("491"));
        assert_eq!(code("kajana"), Some("205"));
        assert_eq!(code("911"), Some("541"));
        assert_eq!(code("Pertunmaa"), Some("507"));
        assert_eq!(code("046"), Some("046"));
        assert_eq!(code("46"), None, "lost zeros are the import's business");
        let need = book.dimension("need").unwrap();
        assert!(!need.exclusive && need.codes().len() == 11);
        assert!(need.codes()[0].label.marked("sv").ends_with(" *"));
        assert!(!need.codes()[0].label.marked("fi").ends_with('*'));
        let n03 = need.position("N03");
        assert_eq!(need.recognise("N03 Taloudellisen tuen tarve"), n03);
        assert_eq!(need.recognise(" n03 behov av ekonomiskt stöd "), n03);
        for text in ["N03 Tuki jokapäiväisestä elämästä selviytymiseen", "N03 ", "N03  Financial support", "N03 N03"]
        {
            assert_eq!(need.recognise(text), n03.filter(|_| text == "N03 "), "{text}: a code with another name");
        }
        assert_eq!(code("491 St. Michel"), None);
        assert_eq!(code("491 Mikkeli"), Some("491"));
        assert_eq!(code("205 Mikkeli"), None);
        let age = book.dimension("age_group").unwrap();
        assert_eq!(age.of_age(17), None);
        assert_eq!(age.of_age(18), Some(0));
        assert_eq!(age.of_age(99), Some(5));
        assert_eq!(book.scores().len(), 10);
        let household = book.dimension("household").unwrap();
        assert_eq!(household.recognise("Yksinhuoltaja"), household.position("H41"));
        assert_eq!(household.recognise("H4"), None, "a parent of leaves");
        let status = book.dimension("labour_status").unwrap();
        assert_eq!(status.recognise("29"), status.position("24"), "obsolete: a pension is a pension");
        let several = |id: &str| !book.dimension(id).unwrap().exclusive;
        assert!(several("contributing_factor") && several("service_task"));
        for d in book.dimensions() {
            assert_eq!(d.codes()[usize::from(d.unknown())].code, UNKNOWN);
            assert!(d.codes().iter().all(|c| c.code != "SSS" && c.code != "ANY"));
        }
    }

    #[test]
    fn a_codebook_once_shipped_stays_and_the_next_only_adds() {
        // The hashes stand in logs and extracts: no line of this list ever changes.
        let known = ["dbde6264008d249dd7f4838addd4372308ec4962023456ffbe88979071301663"];
        for (hash, book) in known.iter().zip(Codebook::shipped()) {
            assert_eq!(book.hash().to_string(), *hash);
            assert!(std::ptr::eq(Codebook::of(book.hash()).unwrap(), book));
        }
        assert_eq!(known.len() + 1, Codebook::shipped().len(), "all but the newest are named");
        assert!(Codebook::of(Digest([7; 32])).is_none());
        let texts = |c: &Code| {
            format!("{} {} {} {} {:?} {:?}", c.code, c.label.fi, c.label.sv, c.label.en, c.ages, c.population)
        };
        for pair in Codebook::shipped().windows(2) {
            for (old, at) in pair[0].dimensions().iter().zip(0..) {
                let new = &pair[1].dimensions()[at];
                assert!((&old.id, old.exclusive) == (&new.id, new.exclusive), "{} is another", old.id);
                assert!(old.codes().iter().map(texts).eq(new.codes().iter().map(texts)), "{} differs", old.id);
                assert!(old.spellings.iter().all(|(text, at)| new.spellings.get(text) == Some(at)), "{}", old.id);
            }
            let scores = |book: &Codebook| book.scores().iter().map(|s| (s.id.clone(), s.lo, s.hi)).collect::<Vec<_>>();
            assert!(scores(&pair[1]).starts_with(&scores(&pair[0])));
        }
    }
}
