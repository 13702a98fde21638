//! What routes and destinations are told to do: the options of routing, and the policies of calling.

mod balancing;
mod client_tls;
mod cors;
mod ejection;
mod fault;
mod headers;
mod pool;
mod retry;
mod rewrite;
mod shared;

pub use balancing::{Balancing, HashAlgorithm, HashKey, Method, SimpleBalancing};
pub use client_tls::{ClientTls, ClientTlsBody, ClientTlsMode, FileRef};
pub(crate) use cors::Comparison;
pub use cors::{Cors, CorsBody, Matching, Preflight};
pub use ejection::{Ejection, FailureCount, FailureKind};
pub use fault::{Abort, Fault, Injection};
pub use headers::{HeaderOperations, HeaderOperationsBody, HeaderSetting};
pub use pool::{Keepalive, Pool, PoolBody, Upgrade};
pub use retry::{Retry, RetryChoice, RetryPolicy, USUAL_RETRIES, UsualRetries};
pub use rewrite::{Rewrite, RewriteKind};
pub use shared::{Bundle, SharedRouteOptions, Timeout, TrafficPolicy};

/// How a text is compared: Istio `StringMatch`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TextMatch {
    /// `is "x"`.
    Exact(smol_str::SmolStr),
    /// `prefix "x"`.
    Prefix(smol_str::SmolStr),
    /// `matches r"x"`: a full match in RE2 syntax.
    Pattern(crate::values::Pattern),
}
