//! Two persons: who approves a node's rules, and who may change that.
//!
//! The first approvers of a node are whoever its first entry of that kind names; an
//! auditor compares their keys with the persons. From then on it takes two of them to
//! put rules in force, or to name others.

use crate::entry::Approval;
use koonti_disclosure::Digest;
use koonti_disclosure::identity::{check_approvers, check_policy};
use koonti_disclosure::names::unhex;

/// Approvals that everything takes.
pub const NEEDED: usize = 2;

/// True when `keys` may follow `before` as the approvers: at least two, ascending,
/// approved by two of those before, if there were any.
pub fn may_follow(before: &[Digest], keys: &[Digest], approvals: &[Approval]) -> bool {
    let sound = keys.len() >= NEEDED && keys.windows(2).all(|pair| pair[0] < pair[1]);
    let approved = match before {
        [] => approvals.is_empty(),
        _ => enough(before, approvals, |key, signature| check_approvers(keys, signature, key).is_ok()),
    };
    sound && approved
}

/// True when approvals are written as they should be: by distinct keys in ascending order.
pub fn in_order(approvals: &[Approval]) -> bool {
    approvals.windows(2).all(|pair| pair[0].key < pair[1].key)
}

/// True when two of the approvers have approved these rules.
pub fn approve_policy(approvers: &[Digest], policy: Digest, approvals: &[Approval]) -> bool {
    enough(approvers, approvals, |key, signature| check_policy(policy, signature, key).is_ok())
}

/// Every approval has to hold, by distinct approvers in ascending order.
fn enough(approvers: &[Digest], approvals: &[Approval], holds: impl Fn(Digest, &[u8; 64]) -> bool) -> bool {
    let good = |approval: &Approval| {
        let signature = unhex::<64>(&approval.signature);
        approvers.contains(&approval.key) && signature.is_ok_and(|signature| holds(approval.key, &signature))
    };
    in_order(approvals) && approvals.len() >= NEEDED && approvals.iter().all(good)
}
