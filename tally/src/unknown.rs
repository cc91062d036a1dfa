//! How complete a period is: for the terminal of the operator who imports it.

use crate::slice::Slice;
use koonti_disclosure::Codebook;

impl Slice {
    /// For each dimension, by id: clients of whom nothing is known in it. In a dimension
    /// with several categories that is who has no row but unknown ones.
    ///
    /// Exact counts from client records: never logged, stored or sent.
    ///
    /// # Panics
    /// When the codebook is not the slice's.
    pub fn unknown<'c>(&self, codebook: &'c Codebook) -> Vec<(&'c str, usize)> {
        assert_eq!(self.codebook, codebook.hash(), "a slice of another codebook");
        let (mut exclusive, mut several) = (self.exclusive.iter(), self.several.iter());
        let count = |dimension: &'c koonti_disclosure::codebook::Dimension| {
            let columns = if dimension.exclusive { &mut exclusive } else { &mut several };
            let column = columns.next().expect("a column for each dimension");
            let is_unknown = |place| column.get(place) == dimension.unknown();
            let of = |client: &usize| match dimension.exclusive {
                true => is_unknown(*client),
                false => self.rows_of(*client).all(is_unknown),
            };
            (dimension.id.as_str(), (0..self.clients()).filter(of).count())
        };
        codebook.dimensions().iter().map(count).collect()
    }
}

#[cfg(test)]
mod tests {
    use crate::{Client, Row, Rows, Slice};
    use koonti_disclosure::Codebook;

    #[test]
    fn who_is_not_known_in_a_dimension() {
        let codebook = Codebook::built_in();
        let dimensions = codebook.dimensions();
        let unknown = |exclusive: bool| {
            dimensions
                .iter()
                .filter(move |d| d.exclusive == exclusive)
                .map(koonti_disclosure::codebook::Dimension::unknown)
        };
        let none = Client {
            tag: [0; 16],
            exclusive: unknown(true).collect(),
            rows: vec![],
            scores: vec![None; codebook.scores().len()],
        };
        let row = |codes: Vec<u16>| Row { codes, primary: false, begins_event: false };
        let partly = Client {
            tag: [1; 16],
            exclusive: unknown(true).map(|_| 0).collect(),
            rows: vec![row(unknown(false).collect()), row(unknown(false).map(|_| 0).collect())],
            scores: vec![None; codebook.scores().len()],
        };
        let vaguely = Client {
            tag: [2; 16],
            exclusive: unknown(true).map(|_| 0).collect(),
            rows: vec![row(unknown(false).collect())],
            scores: vec![None; codebook.scores().len()],
        };
        let slice = Slice::from_clients(codebook, Rows::Observations, vec![none, partly, vaguely]).expect("a slice");
        let found = slice.unknown(codebook);
        assert_eq!(found.len(), dimensions.len());
        for (dimension, (id, count)) in dimensions.iter().zip(found) {
            assert_eq!((id, count), (dimension.id.as_str(), if dimension.exclusive { 1 } else { 2 }));
        }
    }
}
