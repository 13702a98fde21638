//! What becomes of a request or a connection.

use super::super::{ConnectionRule, Rule, VirtualHost, WeightedUpstream};
use super::header_changes::HeaderChange;
use crate::values::{MatchHeaderName, Pattern};

/// What becomes of a request.
#[derive(Clone, Debug)]
pub enum Outcome<'p> {
    /// No connection comes about.
    Refused(Refusal),
    /// What comes in here is passed on without being read as HTTP: [`Matcher::connect`](super::Matcher::connect) says where to.
    NotHttp,
    /// 400: the request is not one that all proxies read alike.
    Rejected(Fault),
    /// 404: no virtual host has this name.
    NoHost,
    /// 404: no rule of the virtual host takes it.
    NoRule(&'p VirtualHost),
    /// 301: the virtual host wants TLS.
    WantsTls {
        /// The virtual host.
        host: &'p VirtualHost,
        /// The value of `Location`.
        location: String,
    },
    /// A rule takes it.
    Taken(Box<Taken<'p>>),
    /// What a rule asks cannot be answered here, and no rule before it takes the request.
    Undecided(&'p Rule, Doubt<'p>),
}

impl<'p> Outcome<'p> {
    /// The rule that takes the request, and what is done.
    #[must_use]
    pub fn taken(&self) -> Option<&Taken<'p>> {
        match self {
            Self::Taken(taken) => Some(taken),
            Self::Refused(_)
            | Self::NotHttp
            | Self::Rejected(_)
            | Self::NoHost
            | Self::NoRule(_)
            | Self::WantsTls { .. }
            | Self::Undecided(..) => None,
        }
    }
}

/// What becomes of a connection.
#[derive(Clone, Debug)]
pub enum Passage<'p> {
    /// No connection comes about.
    Refused(Refusal),
    /// It is read as HTTP: [`Matcher::answer`](super::Matcher::answer) says of each request what becomes of it.
    Http,
    /// It is closed: no rule takes it.
    NoRule,
    /// A rule takes it.
    Taken(&'p ConnectionRule),
}

/// Why no connection comes about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Nothing listens there.
    NoListener,
    /// The listener takes TLS only.
    Plain,
    /// No server has the name that TLS asks for, or the listener takes no TLS.
    ServerName,
}

/// Why a request is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The target does not begin with `/`.
    NotOriginForm,
    /// The target has a space, a control character, a byte outside of ASCII, or a fragment.
    Character,
    /// The path has a slash or backslash that is percent-encoded, or a backslash.
    EscapedSlash,
    /// The path has `%00`.
    EscapedNull,
    /// The authority has a character that no host and no port has.
    Authority,
}

/// What cannot be answered.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Doubt<'p> {
    /// A regular expression that engines read differently.
    Pattern(&'p Pattern),
    /// A claim of a token, which something else would have to verify.
    Claim(&'p MatchHeaderName),
    /// A header that the proxy itself writes for each request.
    OfProxy(&'p MatchHeaderName),
}

/// A request that a rule takes. Faults, time limits, retries, CORS and mirrors stand in the rule: they are what they say.
#[derive(Clone, Debug)]
pub struct Taken<'p> {
    /// The virtual host.
    pub host: &'p VirtualHost,
    /// The rule.
    pub rule: &'p Rule,
    /// Its position in the virtual host.
    pub position: usize,
    /// The alternative of the rule that holds, the first one; `None` for a rule without any.
    pub alternative: Option<usize>,
    /// What is done.
    pub answer: Answer<'p>,
}

/// What is done with a request.
#[derive(Clone, Debug)]
pub enum Answer<'p> {
    /// It goes to one of these.
    Forwarded {
        /// The path that the destination sees, with the query.
        target: String,
        /// Where it may go, by weight.
        deliveries: Vec<Delivery<'p>>,
    },
    /// The caller is sent elsewhere.
    Redirected {
        /// The status.
        status: u16,
        /// The value of `Location`.
        location: String,
        /// What happens to the headers of the response, in order.
        headers: Vec<HeaderChange<'p>>,
    },
    /// The proxy answers.
    Responded {
        /// The status.
        status: u16,
        /// The body.
        body: Option<&'p str>,
        /// What happens to the headers of the response, in order.
        headers: Vec<HeaderChange<'p>>,
    },
}

/// A place that a request may go to.
#[derive(Clone, Debug)]
pub struct Delivery<'p> {
    /// The upstream and its share.
    pub to: &'p WeightedUpstream,
    /// The authority that it sees.
    pub authority: String,
    /// What happens to the headers of the request, in order.
    pub request_headers: Vec<HeaderChange<'p>>,
    /// What happens to the headers of the response, in order.
    pub response_headers: Vec<HeaderChange<'p>>,
}
