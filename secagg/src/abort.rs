//! Why a node leaves a round: the closed list of the format page.
//!
//! A reason says what was wrong with a message, never what was in it. Three of
//! them blame another node, by its place in the roster; the blame is a claim of
//! the one who leaves and proves nothing.

/// The place that stands for nobody.
pub const NOBODY: u16 = 0xffff;

/// Why a node leaves a round. Its secrets are erased.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, thiserror::Error)]
pub enum Abort {
    /// Its own rules refuse the round.
    #[error("the node's own rules refuse the round")]
    Refused,
    /// A message was not of the format, or of another round.
    #[error("a message of the coordinator is malformed or of another round")]
    Invalid,
    /// A signature does not verify; with the place of the node it claims to be of.
    #[error("a signature is not that of the node it names: place {0}")]
    Signature(u16),
    /// Fewer nodes than the roster's size demands.
    #[error("the coordinator named fewer nodes than the roster demands")]
    TooSmall,
    /// This node is not in the roster or in the set.
    #[error("this node is not in the set of nodes that the coordinator named")]
    NotInSet,
    /// A public key stands twice or is of low order; with the place of the node that
    /// brought it.
    #[error("a key of the round stands twice or is of low order: place {0}")]
    Keys(u16),
    /// This node's own advert came back altered.
    #[error("the coordinator altered this node's own keys")]
    OwnAdvert,
    /// A share does not open or match its commitment; with the place of its dealer.
    #[error("a share does not open, or is not the one promised: place {0}")]
    Share(u16),
    /// A second, different message where only one may be.
    #[error("the coordinator named a second, different set of nodes")]
    SecondSet,
    /// Fewer than t confirmations hold.
    #[error("too few nodes have confirmed the set of survivors")]
    TooFewConfirmations,
    /// A message, or a call, that does not belong to this state.
    #[error("a message came out of turn")]
    OutOfTurn,
    /// A message after its deadline.
    #[error("a message came after its deadline")]
    TooLate,
    /// The node's own disk, randomness or register failed.
    #[error("the node's own disk, randomness or register failed")]
    Own,
}

impl Abort {
    /// The number of the reason in a Left message, 1 to 13.
    pub fn code(self) -> u8 {
        match self {
            Self::Refused => 1,
            Self::Invalid => 2,
            Self::Signature(_) => 3,
            Self::TooSmall => 4,
            Self::NotInSet => 5,
            Self::Keys(_) => 6,
            Self::OwnAdvert => 7,
            Self::Share(_) => 8,
            Self::SecondSet => 9,
            Self::TooFewConfirmations => 10,
            Self::OutOfTurn => 11,
            Self::TooLate => 12,
            Self::Own => 13,
        }
    }

    /// The place of the node blamed; [`NOBODY`] when none is.
    pub fn place(self) -> u16 {
        match self {
            Self::Signature(place) | Self::Keys(place) | Self::Share(place) => place,
            _ => NOBODY,
        }
    }

    /// The reason of this number and place; none when the number is unknown, or the
    /// place stands where nobody is blamed, or is missing where somebody is.
    pub fn from_code(code: u8, place: u16) -> Option<Self> {
        let abort = match code {
            1 => Self::Refused,
            2 => Self::Invalid,
            3 => Self::Signature(place),
            4 => Self::TooSmall,
            5 => Self::NotInSet,
            6 => Self::Keys(place),
            7 => Self::OwnAdvert,
            8 => Self::Share(place),
            9 => Self::SecondSet,
            10 => Self::TooFewConfirmations,
            11 => Self::OutOfTurn,
            12 => Self::TooLate,
            13 => Self::Own,
            _ => return None,
        };
        let blames = matches!(abort, Self::Signature(_) | Self::Keys(_) | Self::Share(_));
        (blames == (place != NOBODY)).then_some(abort)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_the_page_and_go_both_ways() {
        for code in 0..=255 {
            let blaming = [3, 6, 8].contains(&code);
            let found = Abort::from_code(code, if blaming { 7 } else { NOBODY });
            assert_eq!(found.map(Abort::code), (1..=13).contains(&code).then_some(code));
            assert_eq!(Abort::from_code(code, if blaming { NOBODY } else { 7 }), None, "blame where there is none");
        }
        assert_eq!(Abort::Share(7).place(), 7);
    }
}
