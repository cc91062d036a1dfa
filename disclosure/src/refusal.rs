//! Why a node or coordinator says no, and how far a question has come.
//!
//! Both are closed lists whose members depend on the question, the policy and
//! the ledger only. There is no variant with free text, so neither a record nor
//! a message of a data source can leave through them.

use serde::{Deserialize, Serialize};

macro_rules! closed_list {
    ($(#[$meta:meta])* $name:ident { $($(#[$vmeta:meta])* $variant:ident = $code:literal, $text:literal;)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
        pub enum $name { $( #[doc = $text] $(#[$vmeta])* #[serde(rename = $code)] $variant, )* }
        impl $name {
            /// Every member, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];
            /// The stable code, in capitals.
            pub fn code(self) -> &'static str { match self { $(Self::$variant => $code),* } }
            /// What it means, and what to do about it, in plain words.
            pub fn text(self) -> &'static str { match self { $(Self::$variant => $text),* } }
            /// The member with this code.
            pub fn from_code(code: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|r| r.code() == code)
            }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.write_str(self.text()) }
        }
    };
}

closed_list! {
    /// Why a question is not answered.
    Refusal {
        DimensionNotAllowed = "DIMENSION_NOT_ALLOWED", "the rules of this node do not allow tables by one of these dimensions: leave it out, or ask the node's data-protection officer";
        MeasureNotAllowed = "MEASURE_NOT_ALLOWED", "the rules of this node do not allow this measure";
        MeasureNotHeld = "MEASURE_NOT_HELD", "the node's register has no events in one of the periods: ask for clients, or ask its operator for a register with a row for each event";
        PurposeNotAllowed = "PURPOSE_NOT_ALLOWED", "the rules of this node do not allow this purpose";
        TableTooLarge = "TABLE_TOO_LARGE", "the table has more cells than the rules of this node allow: use fewer dimensions or filter them";
        BoundTooLarge = "BOUND_TOO_LARGE", "the table counts more needs per client than the rules of this node allow: lower max_per_client";
        NoiseOutOfRange = "NOISE_OUT_OF_RANGE", "the noise asked for lies outside what this node can add exactly: choose a standard deviation nearer to 5";
        TooFewNodes = "TOO_FEW_NODES", "too few organisations can take part for a regional table: at least five must be in the roster, and nearly all of them must answer; ask again when more are running, or ask for a table per organisation";
        RoundFailed = "ROUND_FAILED", "the regional sum could not be opened: too many organisations left while it was made; what was spent on it stays spent at those that had sent their figures";
        RoundMismatch = "ROUND_MISMATCH", "the round that the coordinator proposed is of another question or roster than the node's own: approve the newest roster at every node, then ask again";
        RoundLooser = "ROUND_LOOSER", "the round that the coordinator proposed treats small figures less strictly than the rules of this node";
        RoundLeft = "ROUND_LEFT", "the organisation left the round before its figures were counted: its node stopped, lost its connection, or refused a message";
        RegisterUnknown = "REGISTER_UNKNOWN", "the node holds no register of this name";
        RegionMismatch = "REGION_MISMATCH", "the question was asked in another region";
        CodebookMismatch = "CODEBOOK_MISMATCH", "the question was asked with another codebook: upgrade the older side";
        PeriodNotHeld = "PERIOD_NOT_HELD", "the node has not imported one of the periods: ask for a period that is complete everywhere";
        AreaNotServed = "AREA_NOT_SERVED", "no organisation asked serves any of these areas";
        AllowanceExhausted = "ALLOWANCE_EXHAUSTED", "the allowance of one of the periods would not cover the table: ask for fewer figures or more noise, or use another period";
        RequesterAllowanceExhausted = "REQUESTER_ALLOWANCE_EXHAUSTED", "your share of the allowance of one of the periods would not cover the table: ask for fewer figures or more noise";
        RequesterUnknown = "REQUESTER_UNKNOWN", "the roster that the node's operator approved does not list the requester: ask for a new roster to be signed and approved";
        SignatureInvalid = "SIGNATURE_INVALID", "the question is not signed by the requester it names";
        RequestExpired = "REQUEST_EXPIRED", "the question has passed its own deadline: ask again";
        PolicyLooserThanFloor = "POLICY_BELOW_REGION_FLOOR", "the node's smallest count k lies under the region's floor: raise k in policy.toml";
        DeclinedByPerson = "DECLINED_BY_PERSON", "a person at the node declined the question before any record was read";
        NotLogged = "NOT_LOGGED", "the coordinator did not show that the question stands in its log, with this node's own log before it: ask again, and if it stays so, ask the coordinator's operator";
        NoSeed = "NO_SEED", "the node had fixed too few secrets for noise before the question was asked: ask again in a minute";
        PolicyNotApproved = "POLICY_NOT_APPROVED", "the rules of this node are not approved by two persons there: ask its operator to have policy.toml approved";
        PeriodClosed = "PERIOD_CLOSED", "the node has closed one of the periods: nothing more is released from it";
        Aborted = "ABORTED", "the node could not finish the table after its allowance was spent: the allowance stays spent, and the same question is not drawn again";
        NoAnswer = "NO_ANSWER", "the node did not answer before the deadline: see whether it is running, and ask its operator";
    }
}

closed_list! {
    /// How far a node has come with a question.
    Progress {
        Offered = "OFFERED", "waiting for the node to connect";
        AwaitingApproval = "AWAITING_APPROVAL", "waiting for a person at the node";
        Accepted = "ACCEPTED", "accepted, being computed";
        Ready = "READY", "accepted, waiting for the other organisations";
        Joined = "JOINED", "taking part in the regional sum";
        Sent = "SENT", "its masked figures have arrived";
        Released = "RELEASED", "released";
        Refused = "REFUSED", "refused";
    }
}

/// Why a register could not be read: a code and a place of *our* mapping, never
/// text from the source.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// The extract on disk does not open under its key, or is damaged.
    #[error("the extract does not open under its key or is damaged: import the register again")]
    Extract,
    /// The extract of this vintage is gone.
    #[error("the extract of this vintage is no longer held")]
    Gone,
}
