//! Makes a slice, one client after the other, without a vector per client.
//!
//! Every value is checked as it comes, and a client that is refused leaves no
//! trace. What it does not do: merge two clients of one tag, or decide which
//! value is the latest.

use crate::column::Column;
use crate::error::Error;
use crate::slice::{NO_SCORE, Rows, Slice, code_counts, score_tops};
use koonti_disclosure::{Codebook, Digest};

/// So few clients are sorted before another thread has begun.
const FEW: usize = 1 << 14;

/// A slice under construction.
pub struct SliceBuilder {
    codebook: Digest,
    exclusive_codes: Vec<usize>,
    several_codes: Vec<usize>,
    tops: Vec<u8>,
    tags: Vec<[u8; 16]>,
    starts: Vec<u32>,
    exclusive: Vec<Column>,
    scores: Vec<Vec<u8>>,
    several: Vec<Column>,
    primary: Vec<bool>,
    begins: Option<Vec<bool>>,
}

impl SliceBuilder {
    /// Begins a slice of this codebook, of a register whose rows are of this kind.
    ///
    /// # Errors
    /// When a score of the codebook has an empty range or one wider than 127.
    pub fn new(codebook: &Codebook, kind: Rows) -> Result<Self, Error> {
        let (exclusive_codes, several_codes) = (code_counts(codebook, true), code_counts(codebook, false));
        let tops = score_tops(codebook)?;
        Ok(Self {
            codebook: codebook.hash(),
            tags: Vec::new(),
            starts: vec![0],
            exclusive: exclusive_codes.iter().map(|&n| Column::new(n)).collect(),
            scores: tops.iter().map(|_| Vec::new()).collect(),
            several: several_codes.iter().map(|&n| Column::new(n)).collect(),
            primary: Vec::new(),
            begins: (kind == Rows::Events).then(Vec::new),
            exclusive_codes,
            several_codes,
            tops,
        })
    }

    /// Adds one client: its tag, one code per exclusive dimension, one value
    /// `2 (x - lo)` per score, and its rows, each with one code per dimension of
    /// several categories, whether it is primary, and whether it begins an event.
    ///
    /// # Errors
    /// When a number of values is not the codebook's, a value lies outside its
    /// range, a row begins an event where rows are none or belongs to none where they
    /// are, or the clients or rows no longer fit; the client is not added then.
    pub fn push<'r>(
        &mut self,
        tag: [u8; 16],
        exclusive: &[u16],
        scores: &[Option<u16>],
        rows: impl IntoIterator<Item = (&'r [u16], bool, bool)>,
    ) -> Result<(), Error> {
        in_range(exclusive, &self.exclusive_codes)?;
        if scores.len() != self.tops.len() {
            return Err(Error::Shape);
        }
        if scores.iter().zip(&self.tops).any(|(score, &top)| score.is_some_and(|s| s > u16::from(top))) {
            return Err(Error::Score);
        }
        // The kernel numbers clients in 32 bits, too.
        u32::try_from(self.tags.len() + 1).map_err(|_| Error::TooLarge)?;
        if let Err(error) = self.push_rows(rows) {
            let kept = self.starts[self.tags.len()] as usize;
            self.several.iter_mut().for_each(|column| column.truncate(kept));
            self.primary.truncate(kept);
            self.begins.iter_mut().for_each(|begins| begins.truncate(kept));
            return Err(error);
        }
        self.starts.push(u32::try_from(self.primary.len()).map_err(|_| Error::TooLarge)?);
        self.tags.push(tag);
        self.exclusive.iter_mut().zip(exclusive).for_each(|(column, &code)| column.push(code));
        for (column, score) in self.scores.iter_mut().zip(scores) {
            column.push(score.map_or(NO_SCORE, |s| u8::try_from(s).expect("at most its top, a byte")));
        }
        Ok(())
    }

    fn push_rows<'r>(&mut self, rows: impl IntoIterator<Item = (&'r [u16], bool, bool)>) -> Result<(), Error> {
        let first = self.primary.len();
        for (codes, primary, begins) in rows {
            in_range(codes, &self.several_codes)?;
            // The first row of a client begins an event, or none does.
            let fits = match self.begins {
                Some(_) => begins || self.primary.len() > first,
                None => !begins,
            };
            if !fits {
                return Err(Error::Event);
            }
            u32::try_from(self.primary.len() + 1).map_err(|_| Error::TooLarge)?;
            self.several.iter_mut().zip(codes).for_each(|(column, &code)| column.push(code));
            self.primary.push(primary);
            self.begins.iter_mut().for_each(|column| column.push(begins));
        }
        Ok(())
    }

    /// Sorts the clients by tag and closes the slice.
    ///
    /// # Errors
    /// When two clients have the same tag.
    pub fn finish(self) -> Result<Slice, Error> {
        Self::join(vec![self], 1)
    }

    /// Closes the slice of all clients of these parts, sorted by tag, on so many threads.
    /// It depends neither on the number of parts nor on that of threads.
    ///
    /// # Errors
    /// When there is no part, when the parts are of different codebooks or have more
    /// rows than fit, or when two clients have the same tag.
    pub fn join(parts: Vec<Self>, threads: usize) -> Result<Slice, Error> {
        let mut parts = parts.into_iter();
        let mut all = parts.next().ok_or(Error::Shape)?;
        parts.try_for_each(|part| all.append(part))?;
        if !all.tags.is_sorted() {
            let threads = if all.tags.len() < FEW { 1 } else { threads.clamp(1, 256) };
            all = all.sorted(threads)?;
        }
        if all.tags.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(Error::DuplicateTag);
        }
        Ok(Slice {
            codebook: all.codebook,
            tags: all.tags,
            starts: all.starts,
            exclusive: all.exclusive,
            scores: all.scores,
            several: all.several,
            primary: packed(&all.primary),
            begins: all.begins.as_deref().map(packed),
        })
    }

    /// Puts the clients of another builder behind these.
    fn append(&mut self, other: Self) -> Result<(), Error> {
        if self.codebook != other.codebook {
            return Err(Error::Shape);
        }
        if self.begins.is_some() != other.begins.is_some() {
            return Err(Error::Event);
        }
        let clients = self.tags.len() + other.tags.len();
        let rows = self.primary.len() + other.primary.len();
        u32::try_from(clients.max(rows)).map_err(|_| Error::TooLarge)?;
        let before = self.primary.len() as u32;
        self.tags.extend(other.tags);
        self.starts.extend(other.starts[1..].iter().map(|end| before + end));
        self.exclusive.iter_mut().zip(&other.exclusive).for_each(|(column, more)| column.append(more));
        self.scores.iter_mut().zip(other.scores).for_each(|(column, more)| column.extend(more));
        self.several.iter_mut().zip(&other.several).for_each(|(column, more)| column.append(more));
        self.primary.extend(other.primary);
        self.begins.iter_mut().for_each(|begins| begins.extend(other.begins.iter().flatten()));
        Ok(())
    }

    /// The clients sorted by tag: each thread sorts those whose tags begin alike.
    fn sorted(self, threads: usize) -> Result<Self, Error> {
        let of_thread = |tag: &[u8; 16]| usize::from(tag[0]) * threads / 256;
        let sort = |thread: usize| {
            let own = (0..).zip(&self.tags).filter(|(_, tag)| of_thread(tag) == thread);
            // The first half of a tag says nearly always which of two comes first.
            let mut order: Vec<(u64, u32)> =
                own.map(|(i, tag)| (u64::from_be_bytes(*tag.first_chunk().expect("half of it")), i)).collect();
            let tag = |i: u32| self.tags[i as usize];
            order.sort_unstable_by(|a, b| a.0.cmp(&b.0).then_with(|| tag(a.1).cmp(&tag(b.1))));
            self.arranged(&order.into_iter().map(|(_, i)| i as usize).collect::<Vec<_>>())
        };
        let mut parts: Vec<Self> = std::thread::scope(|scope| {
            let others: Vec<_> = (1..threads).map(|thread| scope.spawn(move || sort(thread))).collect();
            let first = sort(0);
            let join = |part: std::thread::ScopedJoinHandle<'_, Self>| {
                part.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            };
            std::iter::once(first).chain(others.into_iter().map(join)).collect()
        });
        drop(self);
        let rest = parts.split_off(1);
        let mut all = parts.pop().expect("one thread at least");
        rest.into_iter().try_for_each(|part| all.append(part))?;
        Ok(all)
    }

    /// Some of the clients and their rows, in this order, a column at a time.
    fn arranged(&self, order: &[usize]) -> Self {
        let starts = &self.starts;
        let rows = || order.iter().flat_map(|&i| starts[i] as usize..starts[i + 1] as usize);
        let mut end = 0;
        let ends = order.iter().map(|&i| {
            end += starts[i + 1] - starts[i];
            end
        });
        Self {
            codebook: self.codebook,
            exclusive_codes: self.exclusive_codes.clone(),
            several_codes: self.several_codes.clone(),
            tops: self.tops.clone(),
            tags: order.iter().map(|&i| self.tags[i]).collect(),
            starts: std::iter::once(0).chain(ends).collect(),
            exclusive: self.exclusive.iter().map(|column| column.gather(order.iter().copied())).collect(),
            scores: self.scores.iter().map(|column| order.iter().map(|&i| column[i]).collect()).collect(),
            several: self.several.iter().map(|column| column.gather(rows())).collect(),
            primary: rows().map(|row| self.primary[row]).collect(),
            begins: self.begins.as_ref().map(|begins| rows().map(|row| begins[row]).collect()),
        }
    }
}

fn in_range(codes: &[u16], counts: &[usize]) -> Result<(), Error> {
    if codes.len() != counts.len() {
        return Err(Error::Shape);
    }
    if codes.iter().zip(counts).all(|(&code, &n)| usize::from(code) < n) { Ok(()) } else { Err(Error::Code) }
}

/// Eight flags a byte, lowest bit first.
fn packed(flags: &[bool]) -> Vec<u8> {
    let byte = |eight: &[bool]| (0..).zip(eight).fold(0, |byte, (bit, &flag)| byte | u8::from(flag) << bit);
    flags.chunks(8).map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::codebook;

    #[test]
    fn what_is_refused_leaves_no_trace() {
        let book = codebook(true);
        let mut builder = SliceBuilder::new(book, Rows::Events).unwrap();
        let (exclusive, scores) = ([1, 2], [Some(14), None, Some(2)]);
        let (fine, row) = ([299, 3, 2, 2, 1], |codes| [(codes, true, true)]);
        builder.push([7; 16], &exclusive, &scores, row(&fine[..])).unwrap();

        let mut refused = |exclusive: &[u16], scores: &[Option<u16>], codes: &[u16]| {
            builder.push([8; 16], exclusive, scores, [(&fine[..], false, true), (codes, true, true)]).unwrap_err()
        };
        assert_eq!(refused(&[1], &scores, &fine), Error::Shape);
        assert_eq!(refused(&exclusive, &scores[..2], &fine), Error::Shape);
        assert_eq!(refused(&exclusive, &scores, &fine[..4]), Error::Shape);
        assert_eq!(refused(&[2, 2], &scores, &fine), Error::Code);
        assert_eq!(refused(&exclusive, &scores, &[300, 3, 2, 2, 1]), Error::Code);
        assert_eq!(refused(&exclusive, &[Some(15), None, None], &fine), Error::Score);

        let astray = builder.push([8; 16], &exclusive, &scores, [(&fine[..], true, false)]);
        assert_eq!(astray.unwrap_err(), Error::Event);
        builder.push([6; 16], &exclusive, &scores, []).unwrap();
        let slice = builder.finish().unwrap();
        assert_eq!((slice.clients(), slice.rows()), (2, 1));
        assert_eq!(slice.tags, [[6; 16], [7; 16]]);
        assert_eq!(slice.starts, [0, 0, 1]);
        assert_eq!((slice.several[0].get(0), slice.primary[0], slice.begins), (299, 1, Some(vec![1])));
    }

    #[test]
    fn observations_begin_no_event() {
        let book = codebook(false);
        let mut builder = SliceBuilder::new(book, Rows::Observations).unwrap();
        let (exclusive, several) = (vec![0; code_counts(book, true).len()], vec![0; code_counts(book, false).len()]);
        let pushed = builder.push([1; 16], &exclusive, &[None; 10], [(&several[..], false, true)]);
        assert_eq!(pushed.unwrap_err(), Error::Event);
    }

    #[test]
    fn parts_and_threads_change_nothing() {
        let book = codebook(true);
        let clients = 2 * FEW as u64;
        // Clients of every number of rows, with tags that begin alike now and then.
        let slice = |parts: usize, threads: usize| {
            let mut builders: Vec<_> = (0..parts).map(|_| SliceBuilder::new(book, Rows::Events).unwrap()).collect();
            for client in 0..clients {
                let mut tag = [0; 16];
                tag[..8].copy_from_slice(&(client % 5000).wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes());
                tag[8..].copy_from_slice(&client.to_be_bytes());
                let (exclusive, scores) =
                    ([client as u16 % 2, client as u16 % 3], [Some(client as u16 % 15), None, None]);
                let codes = [client as u16 % 300, 3, 2, 2, 1];
                let rows = (0..client % 4).map(|row| (&codes[..], row == 1, row != 2));
                builders[client as usize % parts].push(tag, &exclusive, &scores, rows).unwrap();
            }
            SliceBuilder::join(builders, threads).unwrap().to_bytes()
        };
        let whole = slice(1, 1);
        for (parts, threads) in [(1, 2), (3, 2), (5, 7), (2, 400)] {
            assert!(slice(parts, threads) == whole, "{parts} parts on {threads} threads");
        }
        assert_eq!(SliceBuilder::join(Vec::new(), 1).err(), Some(Error::Shape));
        let books = [codebook(false), codebook(true)];
        let both = books.map(|book| SliceBuilder::new(book, Rows::Observations).unwrap()).into();
        assert_eq!(SliceBuilder::join(both, 1).err(), Some(Error::Shape));
    }

    #[test]
    fn a_tag_stands_for_one_client() {
        let book = codebook(false);
        let mut builder = SliceBuilder::new(book, Rows::Observations).unwrap();
        for tag in [[1; 16], [0; 16], [1; 16]] {
            builder.push(tag, &vec![0; code_counts(book, true).len()], &[None; 10], []).unwrap();
        }
        assert_eq!(builder.finish().err(), Some(Error::DuplicateTag));
    }
}
