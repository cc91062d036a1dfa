//! Bytes against the parsers of a round: none panics, and what one reads is written
//! as the same bytes again.

use crate::world::World;
use koonti_disclosure::Digest;
use koonti_disclosure::abort::Certificate;
use koonti_disclosure::round::RoundSpec;
use koonti_secagg::message::{
    Advert, Adverts, Chunk, Confirm, Confirmations, Erased, Error, Inbox, Kind, Left, Masked, Released, Shares, Start,
    Survivors, Unmask, kind, round_of, start_message, stop_message,
};

/// Reads the bytes as everything that they may be.
pub fn messages(data: &[u8]) {
    read(data);
}

/// In how many ways they could be read.
pub(crate) fn read(data: &[u8]) -> usize {
    let kind = kind(data);
    let mut read = vec![];
    macro_rules! each {
        ($($name:ident),*) => {$(
            if again($name::parse(data), |message, round| message.message(round), data) {
                read.push(Kind::$name);
            }
        )*};
    }
    for list in lists(data) {
        assert!(list.is_sorted_by(|one, other| one < other), "places are out of order, or stand twice");
    }
    each!(Advert, Adverts, Chunk, Confirm, Confirmations, Erased, Inbox, Left, Masked, Shares, Survivors, Unmask);
    if let Ok(start) = Start::parse(data) {
        assert!(start_message(&start.spec, &start.certificate) == data, "another Start");
        read.push(Kind::Start);
    }
    // Bytes are one message at most, and of the kind that they say.
    assert!(read.len() <= 1 && read.iter().all(|read| Some(*read) == kind), "{kind:?} is read as {read:?}");
    let mut readings = read.len();
    if kind == Some(Kind::Stop) && data.len() == 33 {
        assert!(round_of(data).is_some_and(|round| stop_message(round) == data));
        readings += 1;
    }
    if let Ok(spec) = RoundSpec::parse(data) {
        assert!(spec.bytes() == data && spec.round() == Digest::of(data), "another specification");
        assert!(2 * spec.quorum().t() > spec.quorum().n() + spec.quorum().c(), "two sets could be opened");
        readings += 1;
    }
    let roster = &World::get().region.roster;
    if let Ok(certificate) = Certificate::parse(data, roster) {
        assert!(certificate.bytes() == data && certificate.roster() == roster.hash(), "another certificate");
        readings += 1;
    }
    readings
}

/// Whether a message was read; it is then written again.
fn again<T>(read: Result<(Digest, T), Error>, write: impl Fn(&T, Digest) -> Vec<u8>, data: &[u8]) -> bool {
    let Ok((round, message)) = read else { return false };
    assert!(round_of(data) == Some(round) && write(&message, round) == data, "another message");
    true
}

/// The places of every list in the message.
fn lists(data: &[u8]) -> Vec<Vec<u16>> {
    let adverts = Adverts::parse(data).map(|(_, all)| vec![places(&all.0, |advert| advert.place)]);
    let shares = Shares::parse(data).map(|(_, shares)| vec![places(&shares.entries, |entry| entry.place)]);
    let inbox = Inbox::parse(data).map(|(_, inbox)| vec![places(&inbox.entries, |entry| entry.place), inbox.set]);
    let survivors = Survivors::parse(data).map(|(_, all)| vec![all.0]);
    let confirmations = Confirmations::parse(data).map(|(_, all)| vec![places(&all.0, |one| one.0)]);
    let unmask = Unmask::parse(data).map(|(_, all)| {
        let list = |list| places(list, |one: &Released| one.0);
        vec![list(&all.survivors), list(&all.dropped)]
    });
    adverts.or(shares).or(inbox).or(survivors).or(confirmations).or(unmask).unwrap_or_default()
}

fn places<T>(list: &[T], place: impl Fn(&T) -> u16) -> Vec<u16> {
    list.iter().map(place).collect()
}
