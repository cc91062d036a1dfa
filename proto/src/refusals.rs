//! How often callers were told why not, by reason, since the process began.
//!
//! For a coordinator's metrics. Reasons are those of the closed table in
//! [`crate::failure`]; who was told is not kept.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

static TOLD: Mutex<BTreeMap<&'static str, u64>> = Mutex::new(BTreeMap::new());

/// One more.
pub(crate) fn told(reason: &'static str) {
    *TOLD.lock().unwrap_or_else(PoisonError::into_inner).entry(reason).or_default() += 1;
}

/// How often for each reason that has occurred.
pub fn refusals() -> BTreeMap<&'static str, u64> {
    TOLD.lock().unwrap_or_else(PoisonError::into_inner).clone()
}
