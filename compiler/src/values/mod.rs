//! The typed literals of the language: how each is read, checked and written.
//!
//! A value that exists is valid: fields are private, and the only ways in are [`Literal::parse`] and checked
//! constructors. The ranges are those that Istio's admission enforces, narrowed where the runtime would not
//! do what was written (a redirect code without an action, an HTTP status of 600). Everything here is pure.

mod address;
mod controller;
mod count;
mod credential;
mod date;
mod duration;
mod error;
mod header;
mod host;
mod host_map;
mod integer;
mod label;
mod method;
mod name;
mod newtype;
mod origin;
mod path;
mod pattern;
mod percent;
mod port;
mod protocol;
mod query;
mod replacement;
mod retry;
mod size;
mod socket;
mod status;
pub mod suggest;
mod text;
mod tls;
mod variable;
pub(crate) mod words;

pub use address::{Cidr, EndpointAddress, IpAddress, IpOrCidr, UnixAddress};
pub use controller::Controller;
pub use count::{Count, PositiveCount};
pub use credential::{CertHash, FilePath, SecretName, SecretSource, Spki, SubjectAltName};
pub use date::Date;
pub use duration::{Duration, DurationOrZero, WholeSeconds};
pub use error::ValueError;
pub use header::{CookieName, HeaderName, HeaderValue, MatchHeaderName, OfConnection};
pub use host::{Fqdn, HostPattern, SniHost};
pub use host_map::HostMap;
pub use label::{Label, LabelKey, LabelValue};
pub use method::{CorsMethod, Method, is_read_by_envoy};
pub use name::{DnsLabel, Namespace, ResourceName, Word};
pub use origin::Origin;
pub use path::{Path, PathPrefix};
pub use pattern::{NotPortable, Pattern, escape_literal};
pub use percent::Percent;
pub use port::Port;
pub use protocol::{Protocol, Scheme};
pub use query::Query;
pub use replacement::{Replacement, ReplacementPart};
pub use retry::{GrpcStatus, RetryCondition, RetryName};
pub use size::Size;
pub use socket::{HostPort, SocketAddress};
pub use status::{ErrorCode, RedirectCode, StatusCode};
pub use suggest::did_you_mean;
pub use text::{Switch, Text};
pub use tls::{CipherSuite, TlsVersion};
pub(crate) use words::words;

/// A type of the language: how its literals are read and named.
pub trait Literal: Sized {
    /// Name in the reference page and in messages, such as `duration` or `host name`.
    const NAME: &'static str;
    /// One line for the reference page: spelling, unit, range, an example.
    const DOC: &'static str;
    /// Whether it is written as a bare word, a quoted string, or either.
    const FORM: Form;
    /// For an enumeration: every word with its documentation, in order. Empty for open types.
    const WORDS: &'static [(&'static str, &'static str)] = &[];

    /// Reads the text of a literal (of a quoted one: what stands between the quotes, unescaped).
    ///
    /// # Errors
    /// What is wrong with the text, and where one is known, the text that would be right.
    fn parse(text: &str) -> Result<Self, ValueError>;
}

/// How a literal is written in source text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Form {
    /// As a bare word: `443`, `5s`, `round-robin`.
    Bare,
    /// Between quotes: `"/reviews"`, `r"^/v[0-9]+$"`.
    Quoted,
    /// Bare where the grammar can read it as one word, else quoted.
    Either,
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_data;
