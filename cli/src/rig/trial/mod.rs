//! Translation validation: a proxy that runs, held to what the reference matcher says of its plan.
//!
//! ```text
//! plan -witnesses-> Request -matcher-> Outcome \
//!                           -proxy---> answer  / judge -> Difference | known by the capability table | nothing
//! ```
//!
//! What depends on chance is asked many times, and counted ([`shares`]). Of what depends on time, only the calls of gRPC are timed
//! ([`deadlines`]); other timeouts, retries and ejection are not looked at.

mod connections;
mod copies;
mod deadlines;
mod delivered;
mod http;
mod judge;
mod named_headers;
mod sent;
pub mod shares;

use super::rigged::{Rigged, World};
use super::server::Kind;
pub use delivered::Delivered;
use meshc_compiler::routing::matcher::{Matcher, Request, Source};
use meshc_compiler::routing::witness::{Gap, witnesses};
use meshc_compiler::routing::{ConnectionRule, Rule};
use meshc_language::Span;
use meshc_targets::{Feature, Support};
use named_headers::NamedHeaders;
use rustc_hash::FxHashSet;
pub use sent::parts;

/// Why a request cannot be sent here.
const CALLER: &str = "it matches the client's identity, which `meshc verify` cannot provide";
/// Why nobody is let in here.
const CERTIFICATE: &str = "it requires a certificate by fingerprint, which `meshc verify` does not have";
/// Why nobody can be spoken to here.
const VERSION: &str = "it allows TLS 1.1 at most, and `meshc verify` uses 1.2 and 1.3 only";
/// The same, of the cipher suites of TLS 1.2.
const CIPHERS: &str = "it has no secure cipher suite for the ECDSA certificate of `meshc verify`";
/// Why a connection cannot be made here.
const ADDRESS: &str = "it matches an address outside 127.0.0.1";

/// One proxy under trial.
pub struct Trial<'t> {
    /// What it is.
    pub kind: Kind,
    /// Its plan, on the loopback.
    pub rigged: &'t Rigged,
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
    /// What was sent first.
    pub sent: String,
    /// For how many requests the same rule differs in the same respect.
    pub times: u64,
    /// What the capability table says of it; empty if nothing.
    pub caveat: &'static str,
}

/// Where a request has landed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Landing {
    /// The rule that takes it, or the virtual host if none does.
    pub span: Option<Span>,
    /// The name of the rule; empty if none takes the request.
    pub rule: String,
    /// What the proxy does, or why it was not asked.
    pub got: Result<String, &'static str>,
    /// What its destination saw, if one was reached.
    pub delivered: Option<Delivered>,
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
    /// Where copies go, and what they ask for.
    Copy,
    /// Whether an answer still comes through when the caller has said that it sends no more.
    HalfClose,
    /// When a call of gRPC ends.
    Deadline,
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
            Self::UpstreamTls => "TLS origination",
            Self::Share => "share",
            Self::Copy => "copy",
            Self::HalfClose => "half-closed connection",
            Self::Deadline => "deadline",
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
struct Run<'t> {
    trial: &'t Trial<'t>,
    matcher: Matcher<'t>,
    named_headers: NamedHeaders,
    findings: Findings,
    rules: FxHashSet<*const Rule>,
    /// Those whose shares were counted.
    counted: FxHashSet<*const Rule>,
    /// Those whose copies did not come as they should: waiting for more of them would take long.
    uncopied: FxHashSet<*const Rule>,
    /// Those whose calls were timed.
    timed: FxHashSet<*const Rule>,
    connection_rules: FxHashSet<*const ConnectionRule>,
}

impl Trial<'_> {
    /// Asks what shows the plan: for each alternative of each rule a request that it takes, and those that just miss it, and all
    /// kinds of connections.
    #[must_use]
    pub fn run(&self) -> Findings {
        let witnesses = witnesses(&self.rigged.proxy);
        let mut run = Run::new(self);
        // Who calls is nothing that a proxy on the loopback could be told.
        let sendable = witnesses.requests.iter().map(|witness| &witness.request);
        run.requests(sendable.filter(|request| request.source == Source::default()));
        run.connections(&witnesses.connections);
        run.finish(&witnesses.gaps)
    }

    /// Asks one request, and says where it lands; `None` if the proxy does not serve its host.
    #[must_use]
    pub fn show(&self, request: &Request) -> (Findings, Option<Landing>) {
        let mut run = Run::new(self);
        let landing = run.show(request);
        (run.findings, landing)
    }

    /// Makes all kinds of connections, and sends no requests.
    #[must_use]
    pub fn connect(&self) -> Findings {
        let mut run = Run::new(self);
        run.connections(&witnesses(&self.rigged.proxy).connections);
        run.findings
    }

    /// Asks these requests.
    #[must_use]
    pub fn ask(&self, requests: &[Request]) -> Findings {
        let mut run = Run::new(self);
        run.requests(requests.iter());
        run.findings
    }
}

impl<'t> Run<'t> {
    fn new(trial: &'t Trial<'t>) -> Self {
        Self {
            trial,
            matcher: Matcher::new(&trial.rigged.proxy),
            named_headers: NamedHeaders::of(&trial.rigged.proxy),
            findings: Findings::default(),
            rules: FxHashSet::default(),
            counted: FxHashSet::default(),
            uncopied: FxHashSet::default(),
            timed: FxHashSet::default(),
            connection_rules: FxHashSet::default(),
        }
    }

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
        let place = if caveat.is_empty() { &mut self.findings.differences } else { &mut self.findings.known };
        let same = |one: &&mut Difference| {
            one.span == span && one.rule == rule && one.aspect == aspect && one.caveat == caveat
        };
        if let Some(known) = place.iter_mut().find(same) {
            known.times += 1;
            return;
        }
        let (rule, sent) = (rule.to_owned(), sent.to_owned());
        place.push(Difference { span, rule, aspect, wanted, got, sent, times: 1, caveat });
    }

    /// Adds the rules that took nothing, each with the reason.
    fn finish(mut self, gaps: &[Gap]) -> Findings {
        let reason = |span: Span| {
            gaps.iter().find(|gap| gap.span == span && gap.wanted == "taken").map(|gap| gap.reason)
        };
        let mut untried = Vec::new();
        for listener in &self.trial.rigged.proxy.listeners {
            let hosts = listener.http_servers().flat_map(|server| &server.virtual_hosts);
            let closed = listener.tls.iter().find_map(connections::why_closed);
            for rule in hosts.filter(|host| !host.https_only).flat_map(|host| &host.rules) {
                if !self.rules.contains(&std::ptr::from_ref(rule)) {
                    let because =
                        http::why_not(rule).or(closed).or_else(|| reason(rule.span)).unwrap_or(CALLER);
                    untried.push(Untried { span: rule.span, rule: rule.name.to_string(), because });
                }
            }
            for rule in connections::rules(listener) {
                if !self.connection_rules.contains(&std::ptr::from_ref(rule)) {
                    let because = closed.or_else(|| reason(rule.span)).unwrap_or(ADDRESS);
                    untried.push(Untried { span: rule.span, rule: rule.name.to_string(), because });
                }
            }
        }
        self.findings.untried = untried;
        self.findings.rules = self.rules.len() + self.connection_rules.len();
        self.findings
    }
}
