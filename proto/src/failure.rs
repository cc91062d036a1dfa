//! Why a call failed: one table between our words and gRPC's.

use crate::edge;
use koonti_disclosure::Refusal;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

const DOMAIN: &str = "koonti.v1";

/// Why a call failed, on either side of the wire.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// The caller's role does not allow the call, or the caller is unknown.
    #[error("the coordinator does not allow this: {0}")]
    Denied(String),
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
    /// Something broke on the other side.
    #[error("the coordinator failed: {0}")]
    Internal(String),
}

impl From<Failure> for Status {
    fn from(failure: Failure) -> Self {
        let (code, reason) = match &failure {
            Failure::Denied(_) => (Code::PermissionDenied, "DENIED"),
            Failure::Invalid(_) => (Code::InvalidArgument, "INVALID"),
            Failure::NotFound(_) => (Code::NotFound, "NOT_FOUND"),
            Failure::Refused(refusal) => (Code::FailedPrecondition, refusal.code()),
            Failure::Unavailable(_) => (Code::Unavailable, "UNAVAILABLE"),
            Failure::Internal(_) => (Code::Internal, "INTERNAL"),
        };
        let message = match &failure {
            Failure::Refused(refusal) => refusal.text().to_owned(),
            Failure::Denied(text)
            | Failure::Invalid(text)
            | Failure::NotFound(text)
            | Failure::Unavailable(text)
            | Failure::Internal(text) => text.clone(),
        };
        let details = ErrorDetails::with_error_info(reason, DOMAIN, std::collections::HashMap::new());
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
            Code::PermissionDenied | Code::Unauthenticated => Self::Denied(text),
            Code::InvalidArgument | Code::OutOfRange => Self::Invalid(text),
            Code::NotFound => Self::NotFound(text),
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
