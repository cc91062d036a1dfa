//! Who someone is: `spiffe://<region>/<node|person>/<name>`.
//!
//! Promises: parsing and showing are inverse; one identity has one spelling.
//! Does not: say whether anyone of that name exists or what they may do.

use std::fmt;
use std::str::FromStr;

use super::Error;

/// An identity in a region, as a certificate names it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SpiffeId {
    /// The region, the trust domain.
    pub region: String,
    /// Whether this is a node or a person.
    pub kind: Kind,
    /// The name, unique among its kind in the region.
    pub name: String,
}

/// What holds an identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// An organisation's daemon.
    Node,
    /// A person, in whatever role the roster gives.
    Person,
}

impl SpiffeId {
    /// Makes an identity of checked parts.
    ///
    /// # Errors
    /// [`Error::Part`] unless region and name are 1 to 63 of `a-z`, `0-9`, `-`.
    pub fn new(region: &str, kind: Kind, name: &str) -> Result<Self, Error> {
        check_part(region)?;
        check_part(name)?;
        Ok(Self { region: region.to_owned(), kind, name: name.to_owned() })
    }

    /// Reads `spiffe://<region>/<node|person>/<name>`.
    ///
    /// # Errors
    /// [`Error::Id`] for another shape, [`Error::Part`] for a bad region or name.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let shape = || Error::Id(text.to_owned());
        let rest = text.strip_prefix("spiffe://").ok_or_else(shape)?;
        let mut parts = rest.split('/');
        let (Some(region), Some(kind), Some(name), None) = (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(shape());
        };
        let kind = match kind {
            "node" => Kind::Node,
            "person" => Kind::Person,
            _ => return Err(shape()),
        };
        Self::new(region, kind, name)
    }
}

impl FromStr for SpiffeId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::parse(text)
    }
}

impl fmt::Display for SpiffeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "spiffe://{}/{}/{}", self.region, self.kind, self.name)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Node => "node",
            Self::Person => "person",
        })
    }
}

/// Checks one part of an identity: 1 to 63 of `a-z`, `0-9` and `-`.
pub(super) fn check_part(part: &str) -> Result<(), Error> {
    let fits =
        (1..=63).contains(&part.len()) && part.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
    fits.then_some(()).ok_or_else(|| Error::Part(part.into()))
}
