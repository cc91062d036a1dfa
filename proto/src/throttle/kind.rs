//! Kinds of calls, and what one caller may do of each.
//!
//! The numbers come from what honest callers do, with room to spare; docs/operate.md
//! gives both in a table. Two kinds never share a count, so that a node which sends too
//! many answers can still deposit its log.

use crate::edge::server::{MAX_MESSAGE_BYTES, Rate};

/// A kind of call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// A node takes up its stream of questions.
    Attend,
    /// A node answers, delivers a message of a round, or cosigns.
    Report,
    /// A node deposits entries of its log.
    Deposit,
    /// A person asks.
    Ask,
    /// A person looks: tables, nodes, the roster, a table that moves on.
    Look,
    /// Something large is read: a table's figures, a node's own log.
    Read,
    /// An auditor fetches the evidence.
    Evidence,
    /// Somebody takes up an invitation, or renews a certificate.
    Enrol,
}

/// What one caller may do of a kind.
pub(crate) struct Limits {
    /// Calls.
    pub(crate) calls: Rate,
    /// Calls under way, streams included.
    pub(crate) open: usize,
    /// Bytes of messages.
    pub(crate) bytes: Rate,
    /// Bytes of the longest message.
    pub(crate) longest: u64,
}

impl Kind {
    /// All of them, in the order of their numbers.
    pub(crate) const ALL: [Self; 8] =
        [Self::Attend, Self::Report, Self::Deposit, Self::Ask, Self::Look, Self::Read, Self::Evidence, Self::Enrol];

    /// The kind of a method. One that is not named here counts with the scarcest, and
    /// a test demands that all are named.
    pub(crate) fn of(path: &str) -> Self {
        KINDS.iter().find(|(method, _)| *method == path).map_or(Self::Evidence, |(_, kind)| *kind)
    }

    /// What one caller may do of it.
    pub(crate) fn limits(self) -> Limits {
        let rate = |burst, per_minute| Rate { burst, per_minute };
        let small = rate(64 * MIB, 16 * MIB);
        match self {
            // A node that loses its connection again and again comes back eight times
            // in the first half minute and twice a minute from then on.
            Self::Attend => Limits { calls: rate(60, 60), open: 8, bytes: small, longest: 4 * KIB },
            // After a reconnect a node answers up to 1,024 open questions at once.
            Self::Report => Limits {
                calls: rate(3000, 1200),
                open: 16,
                bytes: rate(512 * MIB, 128 * MIB),
                longest: MAX_MESSAGE_BYTES as u64,
            },
            // Twice a second at most, 0.9 MB each; a log grows by less than 10 MB a day.
            Self::Deposit => Limits {
                calls: rate(600, 600),
                open: 2,
                bytes: rate(256 * MIB, 256 * KIB as u32),
                longest: 2 * MIB as u64,
            },
            // Each is offered to all nodes and stands in the log for ever.
            Self::Ask => Limits { calls: rate(600, 120), open: 16, bytes: small, longest: 64 * KIB },
            // 200 tables a page; whoever waits for a table looks again twice a second.
            Self::Look => Limits { calls: rate(1200, 600), open: 32, bytes: small, longest: 4 * KIB },
            Self::Read => Limits { calls: rate(120, 60), open: 4, bytes: small, longest: 4 * KIB },
            // All of the region is put together for it.
            Self::Evidence => Limits { calls: rate(30, 6), open: 2, bytes: small, longest: 4 * KIB },
            // By address: a whole region may enrol from behind one.
            Self::Enrol => Limits { calls: rate(200, 60), open: 16, bytes: small, longest: 64 * KIB },
        }
    }
}

const KIB: u64 = 1 << 10;
const MIB: u32 = 1 << 20;

const KINDS: &[(&str, Kind)] = &[
    ("/koonti.v1.NodeService/Attend", Kind::Attend),
    ("/koonti.v1.NodeService/Answer", Kind::Report),
    ("/koonti.v1.NodeService/Deliver", Kind::Report),
    ("/koonti.v1.NodeService/Deposit", Kind::Deposit),
    ("/koonti.v1.NodeService/Retrieve", Kind::Read),
    ("/koonti.v1.NodeService/Cosign", Kind::Report),
    ("/koonti.v1.EvidenceService/FetchEvidence", Kind::Evidence),
    ("/koonti.v1.TableService/CreateTable", Kind::Ask),
    ("/koonti.v1.TableService/GetTable", Kind::Look),
    ("/koonti.v1.TableService/ReadTable", Kind::Read),
    ("/koonti.v1.TableService/ListTables", Kind::Look),
    ("/koonti.v1.TableService/WatchTable", Kind::Look),
    ("/koonti.v1.TableService/ListNodes", Kind::Look),
    ("/koonti.v1.TableService/GetRoster", Kind::Look),
    ("/koonti.v1.EnrolmentService/Enroll", Kind::Enrol),
    ("/koonti.v1.CertificateService/Renew", Kind::Enrol),
];

#[cfg(test)]
mod tests {
    use super::{KINDS, Kind};
    use crate::access::methods;

    #[test]
    fn every_method_is_of_one_kind() {
        let mut named: Vec<&str> = KINDS.iter().map(|(path, _)| *path).collect();
        named.sort_unstable();
        let mut methods = methods();
        methods.sort();
        assert_eq!(named, methods);
        for (place, kind) in Kind::ALL.into_iter().enumerate() {
            assert_eq!(kind as usize, place);
        }
    }
}
