//! Why a call failed: one table between our words and gRPC's.

use crate::{edge, refusals};
use koonti_disclosure::Refusal;
use std::time::Duration;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

const DOMAIN: &str = "koonti.v1";
/// When to try again if nothing was said about it.
const UNTOLD: Duration = Duration::from_millis(500);
const REVOKED: &str = "REVOKED";

/// Why a call failed, on either side of the wire.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// The caller's role does not allow the call, or the caller is unknown.
    #[error("the coordinator does not allow this: {0}")]
    Denied(String),
    /// The caller, of this name, has been revoked.
    #[error(
        "the coordinator does not allow this: its operator has revoked {0}; only a new invitation lets it in again"
    )]
    Revoked(String),
    /// The message does not mean anything.
    #[error("the coordinator does not understand the question: {0}")]
    Invalid(String),
    /// There is no such thing.
    #[error("{0}")]
    NotFound(String),
    /// The question is refused by a rule.
    #[error("refused: {0}")]
    Refused(Refusal),
    /// The other side cannot be reached, or is busy: try again.
    #[error("the coordinator cannot be reached: {0}")]
    Unavailable(String),
    /// This caller asks too much at once: try again after this time.
    #[error("the coordinator has too much to do for this caller: try again in {} s", .0.as_secs() + 1)]
    SlowDown(Duration),
    /// Something broke on the other side.
    #[error("the coordinator failed: {0}")]
    Internal(String),
}

impl From<Failure> for Status {
    fn from(failure: Failure) -> Self {
        let (code, reason) = match &failure {
            Failure::Denied(_) => (Code::PermissionDenied, "DENIED"),
            Failure::Revoked(_) => (Code::PermissionDenied, REVOKED),
            Failure::Invalid(_) => (Code::InvalidArgument, "INVALID"),
            Failure::NotFound(_) => (Code::NotFound, "NOT_FOUND"),
            Failure::Refused(refusal) => (Code::FailedPrecondition, refusal.code()),
            Failure::Unavailable(_) => (Code::Unavailable, "UNAVAILABLE"),
            Failure::SlowDown(_) => (Code::ResourceExhausted, "SLOW_DOWN"),
            Failure::Internal(_) => (Code::Internal, "INTERNAL"),
        };
        refusals::told(reason);
        let message = match &failure {
            Failure::Refused(refusal) => refusal.text().to_owned(),
            Failure::SlowDown(_) => failure.to_string(),
            Failure::Denied(text)
            | Failure::Revoked(text)
            | Failure::Invalid(text)
            | Failure::NotFound(text)
            | Failure::Unavailable(text)
            | Failure::Internal(text) => text.clone(),
        };
        let mut details = ErrorDetails::with_error_info(reason, DOMAIN, std::collections::HashMap::new());
        if let Failure::SlowDown(after) = failure {
            details.set_retry_info(Some(after));
        }
        Self::with_error_details(code, message, details)
    }
}

impl From<Status> for Failure {
    fn from(status: Status) -> Self {
        let reason = status.get_details_error_info().map(|info| info.reason).unwrap_or_default();
        let text = status.message().to_owned();
        if let Some(refusal) = Refusal::from_code(&reason) {
            return Self::Refused(refusal);
        }
        match status.code() {
            Code::PermissionDenied if reason == REVOKED => Self::Revoked(text),
            Code::PermissionDenied | Code::Unauthenticated => Self::Denied(text),
            Code::InvalidArgument | Code::OutOfRange => Self::Invalid(text),
            Code::NotFound => Self::NotFound(text),
            Code::ResourceExhausted => {
                // Without a hint it is a connection's own limit that was met.
                let hint = status.get_details_retry_info().and_then(|info| info.retry_delay);
                Self::SlowDown(hint.unwrap_or(UNTOLD))
            }
            Code::Internal | Code::DataLoss | Code::Unimplemented => Self::Internal(text),
            _ => Self::Unavailable(edge::dial::reason(&status)),
        }
    }
}

impl From<edge::dial::Error> for Failure {
    fn from(error: edge::dial::Error) -> Self {
        Self::Unavailable(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_down_keeps_its_time_across_the_wire() {
        let status: Status = Failure::SlowDown(Duration::from_millis(1234)).into();
        assert_eq!(status.code(), Code::ResourceExhausted);
        assert_eq!(Failure::from(status), Failure::SlowDown(Duration::from_millis(1234)));
        assert_eq!(Failure::from(Status::resource_exhausted("shed")), Failure::SlowDown(UNTOLD));
    }
}
