//! Translation validation: a proxy that runs, held to what the reference matcher says of its plan.
//!
//! ```text
//! Question -matcher-> Outcome  \
//!          -proxy---> answer   / judge -> Difference | known by the capability table | nothing
//! ```
//!
//! What depends on chance is asked many times, and counted ([`shares`]). What depends on time (timeouts, retries, ejection) is
//! not looked at.

mod connections;
mod http;
mod judge;
mod questions;
pub mod shares;

pub use questions::questions;

use super::rigged::{Rigged, World};
use super::server::Kind;
use meshc_compiler::routing::matcher::{Matcher, Request};
use meshc_compiler::routing::{ConnectionRule, Rule};
use meshc_language::Span;
use meshc_targets::{Feature, Support};
use rustc_hash::FxHashSet;

/// One proxy under trial.
pub struct Trial<'t, 'm> {
    /// What it is.
    pub kind: Kind,
    /// Its plan, on the loopback.
    pub rigged: &'t Rigged<'m>,
    /// Its surroundings.
    pub world: &'t World,
    /// How often what depends on chance is asked.
    pub samples: u64,
    /// Whether to stop.
    pub stop: &'t dyn Fn() -> bool,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Findings {
    /// How many requests and connections were sent.
    pub requests: u64,
    /// How many rules were taken by at least one of them.
    pub rules: usize,
    /// Where the proxy does otherwise, and nothing says that it may.
    pub differences: Vec<Difference>,
    /// Where the proxy does otherwise, as the capability table says.
    pub known: Vec<Difference>,
    /// Rules that were not tried.
    pub untried: Vec<Untried>,
}

/// A request for which a proxy does otherwise than the plan says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The rule, or the virtual host or listener if no rule takes the request.
    pub span: Option<Span>,
    /// The name of the rule; empty if none takes the request.
    pub rule: String,
    /// What differs, such as `destination`.
    pub aspect: Aspect,
    /// What the plan says.
    pub wanted: String,
    /// What the proxy does.
    pub got: String,
    /// What was sent.
    pub sent: String,
    /// What the capability table says of it; empty if nothing.
    pub caveat: &'static str,
}

/// A rule that was not tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Untried {
    /// The rule.
    pub span: Span,
    /// Its name.
    pub rule: String,
    /// Why.
    pub because: &'static str,
}

/// In what a proxy can differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aspect {
    /// Whether a connection or request is let in.
    Admission,
    /// The status of the answer.
    Status,
    /// Where a redirect leads.
    Location,
    /// The body of a direct response.
    Body,
    /// Which upstream is called.
    Destination,
    /// The path that it sees.
    Path,
    /// The host that it sees.
    Host,
    /// The headers that it sees.
    RequestHeaders,
    /// The headers of the answer.
    ResponseHeaders,
    /// Whether and how the connection to it is private.
    UpstreamTls,
    /// How much of the traffic goes where.
    Share,
}

impl Aspect {
    /// Its name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Admission => "admission",
            Self::Status => "status",
            Self::Location => "location",
            Self::Body => "body",
            Self::Destination => "destination",
            Self::Path => "path",
            Self::Host => "host",
            Self::RequestHeaders => "request headers",
            Self::ResponseHeaders => "response headers",
            Self::UpstreamTls => "TLS to the destination",
            Self::Share => "share",
        }
    }
}

/// A difference before it is known where it belongs.
#[derive(Clone, Debug)]
struct Mismatch {
    aspect: Aspect,
    wanted: String,
    got: String,
    /// The feature whose caveat says so.
    feature: Option<Feature>,
}

impl Mismatch {
    fn new(aspect: Aspect, wanted: impl Into<String>, got: impl Into<String>) -> Self {
        Self { aspect, wanted: wanted.into(), got: got.into(), feature: None }
    }
}

/// A trial on its way.
struct Run<'t, 'm> {
    trial: &'t Trial<'t, 'm>,
    matcher: Matcher<'t, 'm>,
    findings: Findings,
    rules: FxHashSet<*const Rule<'m>>,
    connection_rules: FxHashSet<*const ConnectionRule<'m>>,
}

impl<'m> Trial<'_, 'm> {
    /// Asks these questions of the proxy, and all there is to ask about its connections.
    #[must_use]
    pub fn run(&self, questions: &[Request]) -> Findings {
        let mut run = Run {
            trial: self,
            matcher: Matcher::new(&self.rigged.proxy),
            findings: Findings::default(),
            rules: FxHashSet::default(),
            connection_rules: FxHashSet::default(),
        };
        run.requests(questions);
        run.connections();
        run.finish()
    }
}

impl<'m> Run<'_, 'm> {
    fn stopped(&self) -> bool {
        (self.trial.stop)()
    }

    /// Notes a difference where it belongs.
    fn note(&mut self, (span, rule): (Option<Span>, &str), sent: &str, mismatch: Mismatch) {
        let Mismatch { aspect, wanted, got, feature } = mismatch;
        let support = feature.map(|feature| self.trial.kind.target().support(feature));
        let caveat = match support {
            Some(Support::Emulated { caveat, .. }) => caveat,
            Some(Support::Native | Support::Unsupported { .. }) | None => "",
        };
        let difference =
            Difference { span, rule: rule.to_owned(), aspect, wanted, got, sent: sent.to_owned(), caveat };
        let place = if caveat.is_empty() { &mut self.findings.differences } else { &mut self.findings.known };
        place.push(difference);
    }

    fn finish(mut self) -> Findings {
        for listener in &self.trial.rigged.proxy.listeners {
            let hosts = listener.http_servers().flat_map(|server| &server.virtual_hosts);
            for rule in hosts.filter(|host| !host.https_only).flat_map(|host| &host.rules) {
                if !self.rules.contains(&std::ptr::from_ref(rule)) {
                    let because = "no request was found that it takes";
                    self.findings.untried.push(Untried {
                        span: rule.span,
                        rule: rule.name.to_string(),
                        because,
                    });
                }
            }
            for rule in connections::rules(listener) {
                if !self.connection_rules.contains(&std::ptr::from_ref(rule)) {
                    let because = "on the loopback no connection can be made that it takes";
                    self.findings.untried.push(Untried {
                        span: rule.span,
                        rule: rule.name.to_string(),
                        because,
                    });
                }
            }
        }
        self.findings.rules = self.rules.len() + self.connection_rules.len();
        self.findings
    }
}
