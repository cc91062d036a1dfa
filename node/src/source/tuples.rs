//! What a row names, as tuples: one category of each dimension of which a client may
//! have several.
//!
//! A row stands for each combination of what it names. In a dimension in which it
//! names nothing, it is unknown; a row that names nothing at all gives no tuple.

use super::MAX_TUPLES;

/// The dimensions of a tuple, in its order.
pub(super) const SEVERAL: [&str; 3] = ["need", "contributing_factor", "service_task"];

/// A category that a row names, and whether it is the client's most important one.
pub(super) type Named = (u16, bool);

/// One combination of what a row names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Tuple {
    /// A code of each of [`SEVERAL`].
    pub(super) codes: [u16; SEVERAL.len()],
    /// True when one of them is the client's most important one.
    pub(super) primary: bool,
}

impl Tuple {
    /// Its codes, and 0 if it is primary, else 1.
    pub(super) fn values(self) -> [u16; SEVERAL.len() + 1] {
        let [need, factor, task] = self.codes;
        [need, factor, task, u16::from(!self.primary)]
    }

    /// As one number, which sorts by the codes, and primary ones first.
    pub(super) fn number(self) -> u128 {
        self.values().into_iter().fold(0, |number, value| number << 16 | u128::from(value))
    }

    /// The tuple of a number.
    pub(super) fn of(number: u128) -> Self {
        let value = |place: usize| (number >> (16 * place)) as u16;
        Self { codes: [value(3), value(2), value(1)], primary: value(0) == 0 }
    }
}

/// Writes the combinations into `tuples`, which it empties first.
///
/// # Errors
/// The place of the dimension with which there are more than [`MAX_TUPLES`].
#[inline]
pub(super) fn combine(
    named: &[Vec<Named>; SEVERAL.len()],
    unknown: [u16; SEVERAL.len()],
    tuples: &mut Vec<Tuple>,
) -> Result<(), usize> {
    tuples.clear();
    if named.iter().all(Vec::is_empty) {
        return Ok(());
    }
    tuples.push(Tuple { codes: unknown, primary: false });
    for (at, named) in named.iter().enumerate() {
        let Some((&first, others)) = named.split_first() else { continue };
        let whole = tuples.len();
        if whole * named.len() > MAX_TUPLES {
            return Err(at);
        }
        let with = |mut tuple: Tuple, (code, primary): Named| {
            tuple.codes[at] = code;
            tuple.primary |= primary;
            tuple
        };
        for &other in others {
            for place in 0..whole {
                tuples.push(with(tuples[place], other));
            }
        }
        tuples[..whole].iter_mut().for_each(|tuple| *tuple = with(*tuple, first));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn combined(named: &[Vec<Named>; 3]) -> Result<Vec<([u16; 3], bool)>, usize> {
        let mut tuples = Vec::new();
        combine(named, [10, 16, 7], &mut tuples)?;
        let mut tuples: Vec<_> = tuples.into_iter().map(|t| (t.codes, t.primary)).collect();
        tuples.sort_unstable();
        Ok(tuples)
    }

    #[test]
    fn a_row_stands_for_each_combination() {
        assert_eq!(combined(&[vec![], vec![], vec![]]), Ok(vec![]));
        assert_eq!(combined(&[vec![(3, true)], vec![], vec![]]), Ok(vec![([3, 16, 7], true)]));
        assert_eq!(combined(&[vec![], vec![(2, false)], vec![(5, false)]]), Ok(vec![([10, 2, 5], false)]));
        assert_eq!(
            combined(&[vec![(3, true), (4, false)], vec![(0, false), (1, false)], vec![(5, false)]]),
            Ok(vec![([3, 0, 5], true), ([3, 1, 5], true), ([4, 0, 5], false), ([4, 1, 5], false)])
        );
    }

    #[test]
    fn a_number_is_its_tuple() {
        for (codes, primary) in [([0, 0, 0], false), ([3, 16, 7], true), ([u16::MAX, 0, 1], false)] {
            let tuple = Tuple { codes, primary };
            assert_eq!(Tuple::of(tuple.number()), tuple);
        }
        let number = |codes, primary| Tuple { codes, primary }.number();
        assert!(
            number([1, 2, 3], true) < number([1, 2, 3], false) && number([1, 2, 3], false) < number([1, 2, 4], true)
        );
    }

    #[test]
    fn not_for_more_than_a_row_can_mean() {
        let many = |n: u16| (0..n).map(|code| (code, false)).collect::<Vec<_>>();
        assert_eq!(combined(&[many(16), many(16), vec![]]).map(|t| t.len()), Ok(256));
        assert_eq!(combined(&[many(16), many(17), vec![]]), Err(1));
        assert_eq!(combined(&[many(16), many(8), many(3)]), Err(2));
    }
}
