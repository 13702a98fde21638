//! What a request is tried again for, and gRPC's status names.

use std::fmt;

use super::error::Shown;
use super::integer::digits;
use super::words::words;
use super::{ErrorCode, Form, Literal, ValueError};

/// When a request is tried again: a condition that Envoy names, or an HTTP status (rule V27).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RetryCondition {
    /// A condition by its name.
    Named(RetryName),
    /// An HTTP status with a registered meaning; Istio refuses others, such as 599.
    Status(ErrorCode),
}

words! {
    /// A retry condition that Envoy names (`x-envoy-retry-on`, `x-envoy-retry-grpc-on`) and Istio's
    /// validation takes.
    pub enum RetryName: "retry condition" {
        ServerError = "5xx" "any 5xx response, or none at all",
        GatewayError = "gateway-error" "502, 503 or 504",
        Reset = "reset" "the endpoint closed or reset the connection without a response",
        ResetBeforeRequest = "reset-before-request" "a reset before the request was sent",
        ConnectFailure = "connect-failure" "no connection to the endpoint",
        Retriable4xx = "retriable-4xx" "409",
        RefusedStream = "refused-stream" "the endpoint refused the HTTP/2 stream",
        RetriableStatusCodes = "retriable-status-codes" "one of the listed statuses",
        RetriableHeaders = "retriable-headers" "a listed response header",
        EnvoyRatelimited = "envoy-ratelimited" "the endpoint's proxy limited the rate",
        Http3PostConnectFailure = "http3-post-connect-failure" "HTTP/3 failed after it had connected",
        Cancelled = "cancelled" "gRPC status CANCELLED",
        DeadlineExceeded = "deadline-exceeded" "gRPC status DEADLINE_EXCEEDED",
        Internal = "internal" "gRPC status INTERNAL",
        ResourceExhausted = "resource-exhausted" "gRPC status RESOURCE_EXHAUSTED",
        Unavailable = "unavailable" "gRPC status UNAVAILABLE",
    }
}

/// Whether the status has a registered meaning, which Istio asks for (it looks the text of the status up).
const fn is_registered(status: u64) -> bool {
    matches!(
        status,
        100..=103 | 200..=208 | 226 | 300..=305 | 307 | 308 | 400..=418 | 421..=426 | 428 | 429 | 431 | 451
            | 500..=508 | 510 | 511
    )
}

impl Literal for RetryCondition {
    const NAME: &'static str = "retry condition";
    const DOC: &'static str =
        "a condition such as `5xx` or `connect-failure`, or an HTTP status such as `503`";
    const FORM: Form = Form::Bare;
    const WORDS: &'static [(&'static str, &'static str)] = RetryName::WORDS;

    fn parse(text: &str) -> Result<Self, ValueError> {
        match digits(text) {
            None => RetryName::parse(text).map(Self::Named),
            Some(status) if is_registered(status) => ErrorCode::parse(text).map(Self::Status),
            Some(_) => {
                Err(ValueError::new(format!("{} is not an HTTP status that Istio retries on", Shown(text)))
                    .help("use a registered status such as `503`, or a condition such as `5xx`"))
            }
        }
    }
}

impl fmt::Display for RetryCondition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named(name) => name.fmt(f),
            Self::Status(status) => status.fmt(f),
        }
    }
}

words! {
    /// A gRPC status by its canonical name (rule V22), in the order of the numbers.
    pub enum GrpcStatus: "gRPC status" {
        Ok = "OK" "0: not an error",
        Cancelled = "CANCELLED" "1: the client cancelled",
        Unknown = "UNKNOWN" "2: an error without a known cause",
        InvalidArgument = "INVALID_ARGUMENT" "3: the request is invalid",
        DeadlineExceeded = "DEADLINE_EXCEEDED" "4: the deadline is over",
        NotFound = "NOT_FOUND" "5: the requested entity does not exist",
        AlreadyExists = "ALREADY_EXISTS" "6: the entity exists already",
        PermissionDenied = "PERMISSION_DENIED" "7: the client may not do this",
        ResourceExhausted = "RESOURCE_EXHAUSTED" "8: a quota or the memory is used up",
        FailedPrecondition = "FAILED_PRECONDITION" "9: the system is not in the needed state",
        Aborted = "ABORTED" "10: a conflict with another operation",
        OutOfRange = "OUT_OF_RANGE" "11: past the end",
        Unimplemented = "UNIMPLEMENTED" "12: the method does not exist",
        Internal = "INTERNAL" "13: an invariant is broken",
        Unavailable = "UNAVAILABLE" "14: try again later",
        DataLoss = "DATA_LOSS" "15: data is lost for good",
        Unauthenticated = "UNAUTHENTICATED" "16: the client is not known",
    }
}

impl GrpcStatus {
    /// The number on the wire, 0 to 16.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }
}
