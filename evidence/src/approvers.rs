//! Two persons: who approves a node's rules, and who may change that.
//!
//! The first approvers of a node are whoever its first entry of that kind names; an
//! auditor compares their keys with the persons. From then on it takes two of them to
//! put rules in force, or to name others. Each approval is good once: it signs what it
//! follows in this very log ([`Chain`]). Those of earlier versions did not; they count
//! only in front of the first that does.

use crate::entry::Approval;
use crate::entry::node::Own;
use koonti_disclosure::Digest;
use koonti_disclosure::identity::{check_approvers, check_policy};
use koonti_disclosure::names::unhex;

/// Approvals that everything takes.
pub const NEEDED: usize = 2;

/// What a log has approved so far, from its first entry on, which names the node.
#[derive(Clone, Copy)]
pub struct Chain {
    end: Digest,
    named: bool,
}

impl Default for Chain {
    fn default() -> Self {
        Self { end: Digest([0; 32]), named: false }
    }
}

impl Chain {
    /// What the next approval follows.
    pub fn end(&self) -> Digest {
        self.end
    }

    /// True once an approval has said what it follows.
    pub fn is_named(&self) -> bool {
        self.named
    }

    /// Takes in the next entry; most are no part of it.
    pub fn take(&mut self, entry: &Own) {
        let after = match entry {
            Own::Genesis { .. } => None,
            Own::Approvers { after, .. } | Own::PolicyApproved { after, .. } => *after,
            _ => return,
        };
        self.named |= after.is_some();
        self.end = Digest::of(&[self.end.0, Digest::of(&entry.bytes()).0].concat());
    }

    /// True when the next approval may say that it follows this.
    fn leads_to(&self, after: Option<Digest>) -> bool {
        after.map_or(!self.named, |after| after == self.end)
    }

    /// True when `keys` may follow `before` as the approvers: at least two, ascending,
    /// approved by two of those before, if there were any.
    pub fn names_approvers(
        &self,
        before: &[Digest],
        after: Option<Digest>,
        keys: &[Digest],
        approvals: &[Approval],
    ) -> bool {
        let sound = keys.len() >= NEEDED && keys.windows(2).all(|pair| pair[0] < pair[1]);
        let approved = match before {
            [] => approvals.is_empty(),
            _ => enough(before, approvals, |key, signature| check_approvers(after, keys, signature, key).is_ok()),
        };
        sound && approved && self.leads_to(after)
    }

    /// True when two of the approvers have approved these rules, here and now.
    pub fn approves_policy(
        &self,
        approvers: &[Digest],
        after: Option<Digest>,
        policy: Digest,
        approvals: &[Approval],
    ) -> bool {
        self.leads_to(after)
            && enough(approvers, approvals, |key, signature| check_policy(after, policy, signature, key).is_ok())
    }
}

/// Every approval has to hold, by distinct approvers in ascending order.
fn enough(approvers: &[Digest], approvals: &[Approval], holds: impl Fn(Digest, &[u8; 64]) -> bool) -> bool {
    let good = |approval: &Approval| {
        let signature = unhex::<64>(&approval.signature);
        approvers.contains(&approval.key) && signature.is_ok_and(|signature| holds(approval.key, &signature))
    };
    let ascending = approvals.windows(2).all(|pair| pair[0].key < pair[1].key);
    ascending && approvals.len() >= NEEDED && approvals.iter().all(good)
}
