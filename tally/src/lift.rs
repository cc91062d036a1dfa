//! Slices of an earlier codebook.
//!
//! An extract is never rewritten: the commitment to its bytes stands in a log. It is
//! read with the codebook that it names and, when a question is of another one,
//! changed over in memory: what both codebooks have is kept as it is, and what only
//! the question's has is `unknown` for everybody. A later codebook only adds, so that
//! nothing has to be translated; a dimension that both have under one id with other
//! codes is refused.

use crate::column::Column;
use crate::error::Error;
use crate::slice::{NO_SCORE, Slice};
use koonti_disclosure::codebook::{Dimension, Score};
use koonti_disclosure::{Codebook, Digest};

/// Where the bytes of a slice name their codebook, in every version.
const NAMED: std::ops::Range<usize> = 12..44;

impl Slice {
    /// Reads a slice of any codebook ever shipped, as one of `codebook`.
    ///
    /// # Errors
    /// When the bytes are not exactly what [`Slice::to_bytes`] writes for some slice
    /// of a codebook that is known.
    pub fn read(bytes: &[u8], codebook: &Codebook) -> Result<Self, Error> {
        let named = bytes.get(NAMED).and_then(|hash| hash.try_into().ok());
        let hash = Digest(named.ok_or(Error::Bytes("it is cut off"))?);
        if hash == codebook.hash() {
            return Self::from_bytes(bytes, codebook);
        }
        let own = Codebook::of(hash).ok_or(Error::Bytes("it was made with a codebook that nobody knows"))?;
        Self::from_bytes(bytes, own)?.changed_over(own, codebook)
    }

    fn changed_over(self, own: &Codebook, codebook: &Codebook) -> Result<Self, Error> {
        let (clients, rows) = (self.clients(), self.rows());
        let columns = |columns, exclusive, length| {
            let (old, new) = (kind(own, exclusive), kind(codebook, exclusive));
            let unknown = |d: &&Dimension| Column::filled(d.codes().len(), d.unknown(), length);
            arranged(&old, columns, &new, |a, b| a.id == b.id, |a, b| same_codes(a, b), unknown)
        };
        let of = |codebook| Codebook::scores(codebook).iter().collect::<Vec<&Score>>();
        let (old, new) = (of(own), of(codebook));
        let same_range = |a: &&Score, b: &&Score| (a.lo, a.hi) == (b.lo, b.hi);
        Ok(Self {
            codebook: codebook.hash(),
            exclusive: columns(self.exclusive, true, clients)?,
            scores: arranged(&old, self.scores, &new, |a, b| a.id == b.id, same_range, |_| vec![NO_SCORE; clients])?,
            several: columns(self.several, false, rows)?,
            ..self
        })
    }
}

fn kind(codebook: &Codebook, exclusive: bool) -> Vec<&Dimension> {
    codebook.dimensions().iter().filter(|d| d.exclusive == exclusive).collect()
}

fn same_codes(a: &Dimension, b: &Dimension) -> bool {
    a.codes().iter().map(|c| &c.code).eq(b.codes().iter().map(|c| &c.code))
}

/// For each of `new` the column of the one of `old` that has its id, or a new column.
fn arranged<T, C>(
    old: &[T],
    columns: Vec<C>,
    new: &[T],
    same_id: impl Fn(&T, &T) -> bool,
    same: impl Fn(&T, &T) -> bool,
    made: impl Fn(&T) -> C,
) -> Result<Vec<C>, Error> {
    let mut columns: Vec<Option<C>> = columns.into_iter().map(Some).collect();
    let column = |one: &T| match old.iter().position(|known| same_id(known, one)) {
        Some(at) if same(&old[at], one) => columns[at].take().ok_or(Error::Shape),
        Some(_) => Err(Error::Shape),
        None => Ok(made(one)),
    };
    new.iter().map(column).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::count_plain;
    use crate::sample::{Person, clients, slice};
    use crate::slice::{Client, Row, Rows};
    use koonti_disclosure::TableRequest;
    use koonti_disclosure::request::{Draft, Measure, Purpose, ReleaseKind};

    fn people() -> Vec<Person> {
        (0..40)
            .map(|n| Person { dice: n * 7919 + 3, rows: (0..n as u32 % 6).map(|r| r * 104_729 + 11).collect() })
            .collect()
    }

    fn books() -> (&'static Codebook, &'static Codebook) {
        (&Codebook::shipped()[0], Codebook::built_in())
    }

    /// Clients of `old` as an import under `new` would have them, that says nothing of
    /// what is new.
    fn unaware(kind_of_rows: Rows, old: &Codebook, new: &Codebook) -> Vec<Client> {
        let with_unknown = |codes: &[u16], exclusive| {
            let known = kind(old, exclusive);
            let of = |d: &&Dimension| known.iter().position(|k| k.id == d.id).map_or(d.unknown(), |at| codes[at]);
            kind(new, exclusive).iter().map(of).collect::<Vec<_>>()
        };
        let client = |client: Client| Client {
            exclusive: with_unknown(&client.exclusive, true),
            rows: client
                .rows
                .iter()
                .map(|row| Row {
                    codes: with_unknown(&row.codes, false),
                    primary: row.primary,
                    begins_event: row.begins_event,
                })
                .collect(),
            ..client
        };
        clients(&people(), kind_of_rows, old).into_iter().map(client).collect()
    }

    fn request(by: &[&str], codebook: &Codebook) -> TableRequest {
        let draft = Draft {
            register: "sample".into(),
            measure: Measure::Clients,
            score: None,
            by: by.iter().map(ToString::to_string).collect(),
            periods: vec!["2026Q1".parse().unwrap()],
            release: ReleaseKind::PerNode,
            sd: Some("1".into()),
            within: None,
            max_events: None,
            max_per_client: Some(32),
            purpose: Purpose::Statistics,
            filter: std::collections::BTreeMap::new(),
        };
        TableRequest::resolve(&draft, &"ita".parse().unwrap(), &[], codebook).unwrap()
    }

    #[test]
    fn an_earlier_slice_is_as_one_imported_today_that_says_nothing_new() {
        let (old, new) = books();
        for rows in [Rows::Observations, Rows::Events] {
            let bytes = slice(&people(), rows, old).to_bytes();
            let lifted = Slice::read(&bytes, new).unwrap();
            assert!(lifted.to_bytes() == Slice::from_clients(new, rows, unaware(rows, old, new)).unwrap().to_bytes());
            assert!(Slice::read(&bytes, old).unwrap().to_bytes() == bytes, "an old question reads it as it is");
            assert!(Slice::read(&lifted.to_bytes(), old).unwrap().to_bytes() == bytes, "and a newer slice likewise");
        }
    }

    #[test]
    fn a_new_question_counts_it_and_an_old_one_as_before() {
        let (old, new) = books();
        let bytes = slice(&people(), Rows::Observations, old).to_bytes();
        let counts = |by: &[&str], codebook| {
            let slice = Slice::read(&bytes, codebook).unwrap();
            count_plain(&request(by, codebook), &[&slice], codebook, 2).unwrap().remove(0).remove(0)
        };
        assert_eq!(counts(&["need", "sex"], new), counts(&["need", "sex"], old));
        // Everybody with a need has the factor unknown, once for each need.
        let both = request(&["contributing_factor", "need"], new);
        let by_factor = counts(&["contributing_factor", "need"], new);
        for (cell, count) in by_factor.iter().enumerate() {
            let codes = both.domain().codes(cell);
            let is_unknown = ["unknown", "ANY"].contains(&codes["contributing_factor"].as_str());
            assert!(is_unknown || *count == 0, "{codes:?}");
        }
        let needs = counts(&["need"], new);
        assert_eq!(by_factor[by_factor.len() - 1 - 11..], needs, "unknown factors, then everybody");
        let status = counts(&["labour_status"], new);
        assert_eq!((status[..6].iter().sum::<i64>(), status[6]), (0, 40));
    }

    #[test]
    fn what_nobody_knows_or_has_changed_is_refused() {
        let (old, new) = books();
        let mut bytes = slice(&people(), Rows::Observations, old).to_bytes();
        let json = include_str!("../../config/codebook.json").replacen("N05", "N55", 1);
        let other = Codebook::parse(&json).unwrap();
        assert_eq!(Slice::read(&bytes, &other).err(), Some(Error::Shape), "a code has changed its meaning");
        bytes[20] ^= 1;
        assert!(matches!(Slice::read(&bytes, new).err(), Some(Error::Bytes(_))));
        assert!(Slice::read(&bytes[..30], new).is_err());
    }
}
