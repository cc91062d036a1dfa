//! What can be wrong with an extract or a question put to it.
//!
//! No variant has room for a value from the register.

/// Why a slice or a tally could not be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The number of values, slices or dimensions is not what codebook and
    /// request ask for, or they belong to different codebooks.
    #[error("the extract does not have the shape that the codebook and the request ask for")]
    Shape,
    /// A code lies outside its dimension.
    #[error("the extract holds a code that its dimension does not have")]
    Code,
    /// A score lies outside its range.
    #[error("the extract holds a score outside its range")]
    Score,
    /// The first row of a client begins no event where rows are events, or a row does
    /// where they are none.
    #[error("the extract holds a row that belongs to no event, or an event where it has none")]
    Event,
    /// Two clients have one tag.
    #[error("two clients of the extract have the same tag")]
    DuplicateTag,
    /// There are more clients or rows than 32 bits count.
    #[error("the extract has more clients or rows than fit into one period")]
    TooLarge,
    /// A score of the codebook has more steps than a byte holds.
    #[error("the codebook has a score whose range is empty or wider than 127")]
    Codebook,
    /// The bytes are not a slice of this codebook.
    #[error("not a slice of an extract: {0}")]
    Bytes(&'static str),
}
