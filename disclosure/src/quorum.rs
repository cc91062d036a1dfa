//! How many nodes a regional sum needs: from the roster's size alone, never from
//! whom the coordinator invites.
//!
//! `2t > n + c` holds by construction. Two sets of t nodes then share more than c
//! members, so at least one honest node, and an honest node lets one set be
//! opened only: see `docs/secure-aggregation.md`.

use crate::roster::Roster;

/// Fewest and most nodes of a region that can sum securely.
pub const NODES: std::ops::RangeInclusive<u32> = 5..=500;

/// The numbers that a roster fixes for its secure sums.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Quorum {
    n: u32,
    c: u32,
}

/// The roster has too few nodes, too many, or allows for too many colluders.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a regional table needs a roster of 5 to 500 nodes, at least three more than may collude")]
pub struct NoQuorum;

impl Quorum {
    /// The quorum of `n` nodes of which the region lets at least `floor_c` collude.
    ///
    /// # Errors
    /// When there are too few nodes for a sum, or more than 500.
    pub fn new(n: u32, floor_c: u32) -> Result<Self, NoQuorum> {
        let quorum = Self { n, c: floor_c.max(n / 5).max(1) };
        let sound = NODES.contains(&n) && quorum.c < n && quorum.t() <= n && quorum.t() >= quorum.c + 3;
        if sound { Ok(quorum) } else { Err(NoQuorum) }
    }

    /// The quorum of a roster's nodes under its own floor.
    ///
    /// # Errors
    /// As [`Quorum::new`].
    pub fn of(roster: &Roster) -> Result<Self, NoQuorum> {
        Self::new(u32::try_from(roster.nodes().len()).map_err(|_| NoQuorum)?, roster.floor().c)
    }

    /// Nodes of the roster.
    pub fn n(self) -> u32 {
        self.n
    }

    /// Nodes that may collude with the coordinator.
    pub fn c(self) -> u32 {
        self.c
    }

    /// Shares that open a secret.
    pub fn t(self) -> u32 {
        (self.n + self.c) / 2 + 1
    }

    /// Fewest survivors whose sum is opened.
    pub fn u_min(self) -> u32 {
        self.t().max(self.n - (self.n / 10).max(1))
    }

    /// Honest contributors at the least: what noise is sized for.
    pub fn h(self) -> u32 {
        self.u_min() - self.c
    }

    /// Signed erasures after which fewer than `t` nodes could still open: of
    /// `n + c - t + 1` signers at least `n - t + 1` are honest.
    pub fn erasures(self) -> u32 {
        self.n + self.c - self.t() + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_the_design() {
        let of = |n| Quorum::new(n, 1).map(|q| (q.c(), q.t(), q.u_min(), q.h()));
        assert_eq!(of(5), Ok((1, 4, 4, 3)));
        assert_eq!(of(6), Ok((1, 4, 5, 4)));
        assert_eq!(of(9), Ok((1, 6, 8, 7)));
        assert_eq!(of(12), Ok((2, 8, 11, 9)));
        assert_eq!(of(66), Ok((13, 40, 60, 47)));
        assert_eq!(of(500), Ok((100, 301, 450, 350)));
        assert_eq!(of(4), Err(NoQuorum));
        assert_eq!(of(501), Err(NoQuorum));
    }

    #[test]
    fn one_opening_only_for_every_size_and_floor() {
        let mut sound = 0;
        for n in 0..=520 {
            for floor in 0..=n {
                let Ok(q) = Quorum::new(n, floor) else { continue };
                sound += 1;
                assert!(2 * q.t() > q.n() + q.c(), "two sets of t share an honest node: {q:?}");
                assert!(q.t() > q.c() && q.u_min() >= q.t() && q.u_min() <= n && q.h() >= 3, "{q:?}");
                // All honest nodes but those who signed: fewer than t with the liars.
                assert!(n - (q.erasures() - q.c()) < q.t(), "{q:?}");
                assert!(q.erasures() <= n, "a certificate can exist: {q:?}");
            }
        }
        assert!(sound > 10_000);
        assert!(Quorum::new(5, 3).is_err() && Quorum::new(5, u32::MAX / 4).is_err());
    }
}
