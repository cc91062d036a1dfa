//! R11: the rules in force, approved by two.

use crate::report::{Rule, Sheet};
use crate::state::State;
use crate::walk::At;
use koonti_disclosure::Digest;
use koonti_disclosure::ledger::Debit;
use koonti_evidence::entry::Approval;

/// Checks a `policy-approved`.
pub(crate) fn check(
    at: &At<'_, '_>,
    state: &State<'_>,
    (after, policy): (Option<Digest>, Digest),
    approvals: &[Approval],
    sheet: &mut Sheet,
) {
    let approved = state.chain.approves_policy(&state.approvers, after, policy, approvals);
    let holds = approved && at.world.blobs.policy(policy).is_some();
    sheet.check(Rule::R11, holds, || {
        format!("{}: rules that are not there, or not approved by two at this very place", at.place())
    });
}

/// Checks that a debit names the newest rules.
pub(crate) fn check_debit(at: &At<'_, '_>, state: &State<'_>, debit: &Debit, sheet: &mut Sheet) {
    let holds = state.policy == Some(debit.policy());
    sheet.check(Rule::R11, holds, || format!("{}: not under the rules in force", at.place()));
}
