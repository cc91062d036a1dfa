//! Table requests: what a regional coordinator asks for.
//!
//! People write a [`Draft`]; [`TableRequest::resolve`] turns it into canonical
//! bytes whose SHA-256 is the request's id. Drafts that mean the same have equal
//! bytes: decimals are normalised, codes sorted and made distinct, a filter that
//! names every code dropped, and the bound dropped where it can bind nothing.
//! A [`TableRequest`] is always whole and valid; both ways of making one check.

use crate::canonical::{self, Json};
use crate::codebook::{Codebook, Score};
use crate::domain::Domain;
use crate::names::{Digest, Name};
use crate::period::Period;
use crate::variance::{self, Variance};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Most periods in one request.
pub const MOST_PERIODS: usize = 20;
/// Most cells of a table, over all its periods.
pub const MOST_CELLS: usize = 1_000_000;
/// Most cells of a table per organisation: a release is one message.
pub const MOST_CELLS_PER_NODE: usize = 50_000;
/// Largest contribution bound.
pub const LARGEST_BOUND: u8 = 32;
/// Most events of one client that a figure may count.
pub const MOST_EVENTS: u8 = 100;

/// What is measured.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Measure {
    /// Distinct clients.
    Clients,
    /// Sum and mean of one bounded score, over clients who have it.
    Score,
    /// Events, such as meetings or decisions, of clients who have any; at most so
    /// many of one client in each figure.
    Events,
}

/// How figures leave the nodes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReleaseKind {
    /// Each node gates and noises its own cells.
    PerNode,
    /// Secure aggregation: only the noisy regional sum is learnt.
    Regional,
}

/// What the figures are for: a closed list, each with its legal basis.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// Social Welfare Act 1301/2014, section 7.
    StructuralSocialWork,
    /// Act on Secondary Use 552/2019, section 41.
    KnowledgeManagement,
    /// Act on Secondary Use 552/2019, section 2: statistics.
    Statistics,
}

impl Purpose {
    /// The purpose with its legal basis, in plain words.
    pub fn basis(self) -> &'static str {
        match self {
            Self::StructuralSocialWork => "structural social work (Act 1301/2014, section 7)",
            Self::KnowledgeManagement => "knowledge management (Act 552/2019, section 41)",
            Self::Statistics => "statistics (Act 552/2019, section 2)",
        }
    }
}

/// A request as people write it, in TOML or flags.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Draft {
    /// The register asked, such as `adult-social-work`.
    pub register: String,
    /// What is measured.
    pub measure: Measure,
    /// Which score, with `measure = "score"`.
    pub score: Option<String>,
    /// The dimensions of the table; periods are always one.
    #[serde(default)]
    pub by: Vec<String>,
    /// The quarters.
    pub periods: Vec<Period>,
    /// How figures leave the nodes.
    pub release: ReleaseKind,
    /// Standard deviation of the noise per cell of clients, as a decimal.
    pub sd: Option<String>,
    /// Or the half-width of a cell's 95 % interval, as a decimal.
    pub within: Option<String>,
    /// At most this many categories per client, period and table.
    pub max_per_client: Option<u8>,
    /// At most this many events per client, period and figure, with `measure = "events"`.
    pub max_events: Option<u8>,
    /// What the figures are for.
    pub purpose: Purpose,
    /// Only clients in these categories.
    #[serde(default, rename = "where")]
    pub filter: BTreeMap<String, Vec<String>>,
}

/// Why a request is not a request.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The bytes are not a canonical request.
    #[error("not a table request: {0}")]
    Bytes(#[from] canonical::Error),
    /// The noise is out of range.
    #[error("{0}")]
    Variance(#[from] variance::Error),
    /// Neither or both of `sd` and `within` were given.
    #[error("give the noise once: either sd = \"4\" or within = \"8\"")]
    NoiseOnce,
    /// A dimension is not in the codebook.
    #[error("the codebook has no dimension \"{0}\": see `koonti codebook show`")]
    UnknownDimension(String),
    /// A code is not in its dimension.
    #[error("dimension \"{0}\" has no code \"{1}\": see `koonti codebook show {0}`")]
    UnknownCode(String, String),
    /// A filter names no code.
    #[error("the filter on \"{0}\" is empty: it would count nobody")]
    EmptyFilter(String),
    /// The score is not in the codebook.
    #[error("the codebook has no score \"{0}\": see `koonti codebook show scores`")]
    UnknownScore(String),
    /// A score without the measure, or the measure without a score.
    #[error("measure = \"score\" needs a score such as score = \"D07\", and only that measure has one")]
    ScoreMismatch,
    /// A bound on events without the measure, the measure without it, or out of range.
    #[error(
        "measure = \"events\" needs max_events, from 1 to {MOST_EVENTS}: how many events of one client each figure \
         counts; and only that measure has it"
    )]
    Events,
    /// The bound is missing or out of range.
    #[error(
        "a table by needs, factors or service tasks wants max_per_client, from 1 to {LARGEST_BOUND}: how many of one client's are counted"
    )]
    Bound,
    /// No period, or too many.
    #[error("ask for 1 to {MOST_PERIODS} periods")]
    Periods,
    /// Too many cells.
    #[error("the table would have more than {MOST_CELLS} cells ({MOST_CELLS_PER_NODE} for a table per organisation)")]
    TooLarge,
    /// The same dimension twice, codes out of order: not what `resolve` writes.
    #[error("the request is not in its one normal form")]
    NotNormal,
    /// Made with another codebook.
    #[error("the request was made with another codebook: upgrade the older side")]
    OtherCodebook,
    /// A name is not a name.
    #[error("register: {0}")]
    Name(#[from] crate::names::BadName),
}

#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    by: Vec<String>,
    codebook: Digest,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_events: Option<u8>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_per_client: Option<u8>,
    measure: Measure,
    periods: Vec<Period>,
    purpose: Purpose,
    region: Name,
    register: Name,
    release: ReleaseKind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    score: Option<String>,
    v: u8,
    variance: Variance,
    #[serde(default, rename = "where", skip_serializing_if = "BTreeMap::is_empty")]
    filter: BTreeMap<String, Vec<String>>,
}

/// A valid request in canonical form; a copy shares it.
#[derive(Clone)]
pub struct TableRequest(Arc<Valid>);

struct Valid {
    wire: Wire,
    json: Json,
    domain: Domain,
    score_range: Option<(i64, i64)>,
}

impl TableRequest {
    /// Makes the request that a draft means in a region whose nodes serve
    /// `areas` (used when the table is by area without naming any).
    ///
    /// # Errors
    /// When the draft asks for something that is no table.
    pub fn resolve(draft: &Draft, region: &Name, areas: &[String], codebook: &Codebook) -> Result<Self, Error> {
        let variance = match (&draft.sd, &draft.within) {
            (Some(sd), None) => Variance::from_sd(sd)?,
            (None, Some(half)) => Variance::from_half_width(half)?,
            _ => return Err(Error::NoiseOnce),
        };
        let mut filter = BTreeMap::new();
        for (id, codes) in &draft.filter {
            filter.insert(id.clone(), normal_codes(id, codes, codebook)?);
        }
        if draft.by.iter().any(|d| d == "area") && !filter.contains_key("area") && !areas.is_empty() {
            let mut all = areas.to_vec();
            all.push(crate::codebook::UNKNOWN.to_owned());
            filter.insert("area".to_owned(), normal_codes("area", &all, codebook)?);
        }
        filter.retain(|id, codes| codebook.dimension(id).is_none_or(|d| codes.len() < d.codes().len()));
        let by = sorted(draft.by.clone());
        let domain = Domain::new(&by, &filter, codebook)?;
        // A bound above the number of categories binds nothing that it does not.
        let most = u8::try_from(domain.stride().saturating_sub(1)).unwrap_or(u8::MAX);
        let max_per_client = draft.max_per_client.filter(|_| domain.has_any()).map(|bound| bound.min(most));
        Self::from_wire(
            Wire {
                by,
                codebook: codebook.hash(),
                max_events: draft.max_events,
                max_per_client,
                measure: draft.measure,
                periods: sorted(draft.periods.clone()),
                purpose: draft.purpose,
                region: region.clone(),
                register: draft.register.parse()?,
                release: draft.release,
                score: draft.score.clone(),
                v: 1,
                variance,
                filter,
            },
            codebook,
        )
    }

    /// Reads a request from its canonical bytes, with the codebook that it was asked
    /// with, if any version of Koonti has shipped that one.
    ///
    /// # Errors
    /// As [`TableRequest::parse`], and when nobody knows the codebook.
    pub fn read(bytes: &[u8]) -> Result<Self, Error> {
        let wire: Wire = canonical::from_bytes(bytes)?;
        let codebook = Codebook::of(wire.codebook).ok_or(Error::OtherCodebook)?;
        Self::checked(wire, codebook)
    }

    /// Reads a request of this codebook from its canonical bytes.
    ///
    /// # Errors
    /// When the bytes are not canonical, not in normal form, or ask for
    /// something the codebook does not have.
    pub fn parse(bytes: &[u8], codebook: &Codebook) -> Result<Self, Error> {
        Self::checked(canonical::from_bytes(bytes)?, codebook)
    }

    fn checked(wire: Wire, codebook: &Codebook) -> Result<Self, Error> {
        if wire.codebook != codebook.hash() {
            return Err(Error::OtherCodebook);
        }
        let normal = |items: &[String]| items.windows(2).all(|w| w[0] < w[1]);
        let several = wire.by.iter().any(|id| codebook.dimension(id).is_some_and(|d| !d.exclusive));
        let filters_normal = wire
            .filter
            .iter()
            .all(|(id, codes)| normal(codes) && codebook.dimension(id).is_some_and(|d| codes.len() < d.codes().len()));
        if wire.v != 1
            || !normal(&wire.by)
            || !wire.periods.windows(2).all(|w| w[0] < w[1])
            || !filters_normal
            || wire.max_per_client.is_some() != several
        {
            return Err(Error::NotNormal);
        }
        Self::from_wire(wire, codebook)
    }

    fn from_wire(wire: Wire, codebook: &Codebook) -> Result<Self, Error> {
        let score_range = match (wire.measure, &wire.score) {
            (Measure::Clients | Measure::Events, None) => None,
            (Measure::Score, Some(id)) => {
                let Score { lo, hi, .. } = codebook.score(id).ok_or_else(|| Error::UnknownScore(id.clone()))?;
                Some((*lo, *hi))
            }
            _ => return Err(Error::ScoreMismatch),
        };
        let bounded = match (wire.measure, wire.max_events) {
            (Measure::Events, most) => most.is_some_and(|most| (1..=MOST_EVENTS).contains(&most)),
            (_, most) => most.is_none(),
        };
        if !bounded {
            return Err(Error::Events);
        }
        if wire.periods.is_empty() || wire.periods.len() > MOST_PERIODS {
            return Err(Error::Periods);
        }
        for (id, codes) in &wire.filter {
            normal_codes(id, codes, codebook)?;
        }
        let domain = Domain::new(&wire.by, &wire.filter, codebook)?;
        if domain.has_any() && !wire.max_per_client.is_some_and(|b| (1..=LARGEST_BOUND).contains(&b)) {
            return Err(Error::Bound);
        }
        if wire.max_per_client.is_some_and(|b| usize::from(b) >= domain.stride()) {
            return Err(Error::NotNormal);
        }
        let most = match wire.release {
            ReleaseKind::PerNode => MOST_CELLS_PER_NODE,
            ReleaseKind::Regional => MOST_CELLS,
        };
        if domain.cells() * wire.periods.len() > most {
            return Err(Error::TooLarge);
        }
        let json = Json::of(&wire)?;
        Ok(Self(Arc::new(Valid { json, domain, score_range, wire })))
    }

    /// The SHA-256 of the canonical bytes.
    pub fn id(&self) -> Digest {
        self.0.json.hash()
    }

    /// The canonical bytes.
    pub fn bytes(&self) -> &[u8] {
        self.0.json.bytes()
    }

    /// The same, to be embedded.
    pub fn json(&self) -> Json {
        self.0.json.clone()
    }

    /// The hash of the codebook that it was asked with.
    pub fn codebook(&self) -> Digest {
        self.0.wire.codebook
    }

    /// The cells of one period, and the filters.
    pub fn domain(&self) -> &Domain {
        &self.0.domain
    }

    /// The region the question is asked in.
    pub fn region(&self) -> &Name {
        &self.0.wire.region
    }

    /// The register asked.
    pub fn register(&self) -> &Name {
        &self.0.wire.register
    }

    /// The quarters, ascending.
    pub fn periods(&self) -> &[Period] {
        &self.0.wire.periods
    }

    /// The dimensions of the table, sorted.
    pub fn by(&self) -> &[String] {
        &self.0.wire.by
    }

    /// What is measured.
    pub fn measure(&self) -> Measure {
        self.0.wire.measure
    }

    /// The score measured, if any.
    pub fn score(&self) -> Option<&str> {
        self.0.wire.score.as_deref()
    }

    /// Lowest and highest value of the score measured, if any.
    pub fn score_range(&self) -> Option<(i64, i64)> {
        self.0.score_range
    }

    /// How figures leave the nodes.
    pub fn release(&self) -> ReleaseKind {
        self.0.wire.release
    }

    /// What the figures are for.
    pub fn purpose(&self) -> Purpose {
        self.0.wire.purpose
    }

    /// The variance of the noise of the clients vector.
    pub fn variance(&self) -> Variance {
        self.0.wire.variance
    }

    /// The contribution bound L0, for tables over dimensions with several
    /// categories per client.
    pub fn max_per_client(&self) -> Option<u8> {
        self.0.wire.max_per_client
    }

    /// How many events of one client each figure counts; only where events are measured.
    pub fn max_events(&self) -> Option<u8> {
        self.0.wire.max_events
    }

    /// What the contribution bound counts of a client, in plain words.
    pub fn bounded(&self) -> &'static str {
        let several = self.domain().several().iter().map(|axis| axis.id.as_str());
        let in_table: Vec<&str> = several.filter(|id| self.by().iter().any(|by| by == id)).collect();
        match in_table[..] {
            ["need"] => "needs",
            ["contributing_factor"] => "contributing factors",
            ["service_task"] => "service tasks",
            [_] => "categories",
            _ => "combinations",
        }
    }

    /// The codes of a filter, if the request filters this dimension.
    pub fn filter(&self, dimension: &str) -> Option<&[String]> {
        self.0.wire.filter.get(dimension).map(Vec::as_slice)
    }

    /// The ids of the dimensions that the request touches, in `by` or `where`.
    pub fn dimensions(&self) -> impl Iterator<Item = &str> {
        self.0.wire.by.iter().chain(self.0.wire.filter.keys()).map(String::as_str)
    }
}

fn sorted<T: Ord>(mut items: Vec<T>) -> Vec<T> {
    items.sort();
    items.dedup();
    items
}

fn normal_codes(id: &str, codes: &[String], codebook: &Codebook) -> Result<Vec<String>, Error> {
    let dimension = codebook.dimension(id).ok_or_else(|| Error::UnknownDimension(id.to_owned()))?;
    if codes.is_empty() {
        return Err(Error::EmptyFilter(id.to_owned()));
    }
    if let Some(bad) = codes.iter().find(|c| dimension.position(c).is_none()) {
        return Err(Error::UnknownCode(id.to_owned(), bad.clone()));
    }
    Ok(sorted(codes.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft() -> Draft {
        Draft {
            register: "adult-social-work".into(),
            measure: Measure::Clients,
            score: None,
            by: vec!["need".into(), "age_group".into()],
            periods: vec!["2026Q3".parse().unwrap()],
            release: ReleaseKind::PerNode,
            sd: Some("4".into()),
            within: None,
            max_per_client: Some(3),
            max_events: None,
            purpose: Purpose::StructuralSocialWork,
            filter: BTreeMap::from([("area".into(), vec!["491".into(), "205".into()])]),
        }
    }

    fn resolve(d: &Draft) -> Result<TableRequest, Error> {
        TableRequest::resolve(d, &"ita".parse().unwrap(), &[], Codebook::built_in())
    }

    #[test]
    fn canonical_form_is_the_documented_one() {
        let r = resolve(&draft()).unwrap();
        let hash = Codebook::built_in().hash();
        assert_eq!(
            String::from_utf8(r.bytes().to_vec()).unwrap(),
            format!(
                r#"{{"by":["age_group","need"],"codebook":"{hash}","max_per_client":3,"measure":"clients","periods":["2026Q3"],"purpose":"structural-social-work","region":"ita","register":"adult-social-work","release":"per_node","v":1,"variance":[16,1],"where":{{"area":["205","491"]}}}}"#
            )
        );
        assert_eq!(TableRequest::parse(r.bytes(), Codebook::built_in()).unwrap().id(), r.id());
    }

    #[test]
    fn a_question_for_events_has_one_key_more() {
        let mut d = draft();
        (d.measure, d.max_events) = (Measure::Events, Some(12));
        let (r, hash) = (resolve(&d).unwrap(), Codebook::built_in().hash());
        assert_eq!(
            String::from_utf8(r.bytes().to_vec()).unwrap(),
            format!(
                r#"{{"by":["age_group","need"],"codebook":"{hash}","max_events":12,"max_per_client":3,"measure":"events","periods":["2026Q3"],"purpose":"structural-social-work","region":"ita","register":"adult-social-work","release":"per_node","v":1,"variance":[16,1],"where":{{"area":["205","491"]}}}}"#
            )
        );
        assert_eq!(TableRequest::parse(r.bytes(), Codebook::built_in()).unwrap().max_events(), Some(12));
        let whole = String::from_utf8(r.bytes().to_vec()).unwrap();
        for (from, to) in [("\"max_events\":12,", ""), (":12", ":0"), (":12", ":101"), ("\"events\",", "\"clients\",")]
        {
            let bad = whole.replace(from, to);
            assert_ne!(bad, whole);
            assert_eq!(TableRequest::parse(bad.as_bytes(), Codebook::built_in()).err(), Some(Error::Events), "{to}");
        }
    }

    #[test]
    fn equal_meaning_has_equal_bytes() {
        let base = resolve(&draft()).unwrap().id();
        let mut same = draft();
        same.sd = Some("4.00".into());
        same.by = vec!["age_group".into(), "need".into(), "need".into()];
        same.filter.insert("area".into(), vec!["205".into(), "491".into(), "205".into()]);
        let sexes = ["1", "2", "unknown"].map(String::from).to_vec();
        same.filter.insert("sex".into(), sexes);
        assert_eq!(resolve(&same).unwrap().id(), base);

        let bound = |bound| {
            let mut d = draft();
            d.max_per_client = Some(bound);
            resolve(&d).unwrap().id()
        };
        assert_eq!(bound(40), bound(11), "there are eleven needs");
        assert_ne!(bound(10), bound(11));

        let mut exclusive = draft();
        exclusive.by = vec!["age_group".into()];
        let with_bound = resolve(&exclusive).unwrap().id();
        exclusive.max_per_client = None;
        assert_eq!(resolve(&exclusive).unwrap().id(), with_bound);
    }

    #[test]
    fn refuses_what_is_no_table() {
        type Case = (fn(&mut Draft), Error);
        let mut cases: Vec<Case> = vec![
            (|d| d.within = Some("8".into()), Error::NoiseOnce),
            (|d| d.by.push("income".into()), Error::UnknownDimension("income".into())),
            (
                |d| {
                    d.filter.insert("area".into(), vec!["46".into()]);
                },
                Error::UnknownCode("area".into(), "46".into()),
            ),
            (
                |d| {
                    d.filter.insert("area".into(), vec![]);
                },
                Error::EmptyFilter("area".into()),
            ),
            (|d| d.max_per_client = None, Error::Bound),
            (|d| d.max_per_client = Some(0), Error::Bound),
            (|d| d.score = Some("D01".into()), Error::ScoreMismatch),
            (|d| d.max_events = Some(5), Error::Events),
            (|d| d.measure = Measure::Events, Error::Events),
            (|d| (d.measure, d.max_events) = (Measure::Events, Some(101)), Error::Events),
            (|d| d.periods.clear(), Error::Periods),
        ];
        for (change, expected) in cases.drain(..) {
            let mut d = draft();
            change(&mut d);
            assert_eq!(resolve(&d).err(), Some(expected));
        }
        let whole = String::from_utf8(resolve(&draft()).unwrap().bytes().to_vec()).unwrap();
        for (from, to) in [
            ("[\"205\",\"491\"]", "[\"491\",\"205\"]"),
            ("[16,1]", "[32,2]"),
            ("\"v\":1", "\"v\":2"),
            ("\"ita\"", "\"ITA\""),
        ] {
            let bad = whole.replace(from, to);
            assert_ne!(bad, whole);
            assert!(TableRequest::parse(bad.as_bytes(), Codebook::built_in()).is_err(), "{to} was accepted");
        }
    }
}
