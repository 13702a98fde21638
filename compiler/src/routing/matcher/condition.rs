//! Whether a condition holds.

use super::authority::Authority;
use super::outcome::Doubt;
use super::pattern::Patterns;
use super::request::{Connection, Request, Source};
use super::target::Target;
use crate::model::{HeaderTest, Match};
use crate::values::{HeaderName, Label, MatchHeaderName, Namespace, OfConnection};

/// The answer, or why there is none.
type Verdict<'p> = Result<bool, Doubt<'p>>;

/// A request in the form that conditions compare.
pub(super) struct Asked<'p, 'r> {
    pub(super) patterns: &'r Patterns<'p>,
    pub(super) request: &'r Request,
    pub(super) target: Target,
    pub(super) authority: Authority,
    /// The namespace of the callers where the request does not say.
    pub(super) callers: Option<&'r str>,
}

/// Whether all of these hold: one that does not settles it, whatever cannot be answered.
fn all<'p>(verdicts: impl IntoIterator<Item = Verdict<'p>>) -> Verdict<'p> {
    let mut doubt = None;
    for verdict in verdicts {
        match verdict {
            Ok(true) => {}
            Ok(false) => return Ok(false),
            Err(one) => doubt = doubt.or(Some(one)),
        }
    }
    doubt.map_or(Ok(true), Err)
}

/// Whether one of these holds: one that does settles it.
fn any<'p>(verdicts: impl IntoIterator<Item = Verdict<'p>>) -> Verdict<'p> {
    let negated = verdicts.into_iter().map(|verdict| verdict.map(|holds| !holds));
    all(negated).map(|none| !none)
}

impl<'p> Asked<'p, '_> {
    /// The first alternative that holds; `Some(None)` for a rule without any, which takes every request.
    pub(super) fn first_of(&self, matches: &'p [Match]) -> Result<Option<Option<usize>>, Doubt<'p>> {
        if matches.is_empty() {
            return Ok(Some(None));
        }
        for (at, one) in matches.iter().enumerate() {
            if self.holds(one)? {
                return Ok(Some(Some(at)));
            }
        }
        Ok(None)
    }

    fn holds(&self, one: &'p Match) -> Verdict<'p> {
        let Match {
            path,
            scheme,
            methods,
            authority,
            headers,
            without,
            query,
            // Decided in the plan.
            ports: _,
            bindings: _,
            source_namespace,
            source_labels,
            // Of connections, not of requests.
            sni: _,
            destinations: _,
        } = one;
        let request = self.request;
        let scheme = scheme.iter().map(|test| self.patterns.says(test, request.entrance.scheme()));
        let authority = authority.iter().map(|test| self.patterns.says(test, &self.authority.text));
        // Methods differ by letter case (RFC 9110, 9.1).
        let method = methods.is_empty() || methods.iter().any(|method| *method == request.method);
        let parameter = |(name, test)| self.parameter(name, test);
        let tests = path
            .iter()
            .map(|test| self.patterns.takes(test, &self.target.path))
            .chain(scheme)
            .chain(authority);
        let tests = tests.chain(headers.iter().map(|(name, test)| self.header(name, test)));
        let tests = tests.chain(without.iter().map(|(name, test)| self.lacks(name, test)));
        let tests = tests.chain(query.iter().map(|(name, test)| parameter((name.as_str(), test))));
        let caller = comes_from(&request.source, self.callers, source_namespace.as_ref(), source_labels);
        all([Ok(method), Ok(caller)].into_iter().chain(tests))
    }

    /// A header says this if one of its values does.
    fn header(&self, name: &'p MatchHeaderName, test: &'p HeaderTest) -> Verdict<'p> {
        let header = told_by_callers(name)?;
        let values = self.values(header);
        match test {
            HeaderTest::Present => Ok(!values.is_empty()),
            HeaderTest::Text(test) => any(values.iter().map(|value| self.patterns.says(test, value))),
        }
    }

    /// A header that is not there is compared as an empty one (Envoy `treat_missing_header_as_empty`, which istiod writes).
    fn lacks(&self, name: &'p MatchHeaderName, test: &'p HeaderTest) -> Verdict<'p> {
        let header = told_by_callers(name)?;
        let values = self.values(header);
        match test {
            HeaderTest::Present => Ok(values.is_empty()),
            HeaderTest::Text(test) if values.is_empty() => self.patterns.says(test, "").map(|says| !says),
            HeaderTest::Text(_) => self.header(name, test).map(|says| !says),
        }
    }

    /// The values of a header or pseudo header, without the space around them (RFC 9110, 5.5).
    fn values(&self, name: &HeaderName) -> Vec<String> {
        match name.as_str() {
            "host" | ":authority" => vec![self.authority.text.clone()],
            ":method" => vec![self.request.method.clone()],
            ":scheme" => vec![self.request.entrance.scheme().to_owned()],
            ":path" => vec![self.target.whole()],
            // A header with an underscore is dropped when it comes in (Envoy `headers_with_underscores_action: DROP_HEADER`,
            // nginx `underscores_in_headers off`): others could take it for the one with a hyphen.
            lower if lower.contains('_') => Vec::new(),
            lower => match name.of_connection() {
                None => self.written(lower),
                Some(OfConnection::Nothing) => Vec::new(),
                Some(OfConnection::Upgrading | OfConnection::WebSocket) => {
                    if self.asks_for_websocket() {
                        self.written(lower)
                    } else {
                        Vec::new()
                    }
                }
                Some(OfConnection::Trailers) if self.has_word(lower, "trailers") => {
                    vec!["trailers".to_owned()]
                }
                Some(OfConnection::Trailers) => Vec::new(),
            },
        }
    }

    /// The values of a header as the caller wrote them.
    fn written(&self, lower: &str) -> Vec<String> {
        let own = self.request.headers.iter().filter(|(own, _)| own.eq_ignore_ascii_case(lower));
        own.map(|(_, value)| value.trim_matches([' ', '\t']).to_owned()).collect()
    }

    /// Whether a word stands in the list that a header is.
    fn has_word(&self, header: &str, word: &str) -> bool {
        let values = self.written(header);
        let mut words = values.iter().flat_map(|value| value.split(','));
        words.any(|own| own.trim_matches([' ', '\t']).eq_ignore_ascii_case(word))
    }

    fn asks_for_websocket(&self) -> bool {
        self.has_word("connection", "upgrade") && self.has_word("upgrade", "websocket")
    }

    fn parameter(&self, name: &str, test: &'p HeaderTest) -> Verdict<'p> {
        match (self.target.parameter(name), test) {
            (None, _) => Ok(false),
            (Some(_), HeaderTest::Present) => Ok(true),
            (Some(value), HeaderTest::Text(test)) => self.patterns.says(test, value),
        }
    }
}

/// A header that says what the caller wrote.
fn told_by_callers(name: &MatchHeaderName) -> Result<&HeaderName, Doubt<'_>> {
    match name {
        MatchHeaderName::Claim(_) => Err(Doubt::Claim(name)),
        MatchHeaderName::Header(header) if header.is_of_proxies() => Err(Doubt::OfProxy(name)),
        MatchHeaderName::Header(header) => Ok(header),
    }
}

/// Whether one of the alternatives of a rule for connections holds.
pub(super) fn admits(matches: &[Match], connection: &Connection, callers: Option<&str>) -> bool {
    let holds = |one: &Match| {
        let to = one.destinations.is_empty()
            || connection
                .destination
                .is_some_and(|address| one.destinations.iter().any(|range| range.contains(address)));
        let namespace = one.source_namespace.as_ref();
        to && comes_from(&connection.source, callers, namespace, &one.source_labels)
    };
    matches.is_empty() || matches.iter().any(holds)
}

/// Whether the caller is of a namespace and has all of these labels.
fn comes_from(
    source: &Source,
    callers: Option<&str>,
    namespace: Option<&Namespace>,
    labels: &[Label],
) -> bool {
    let known = source.namespace.as_deref().or(callers);
    let has = |label: &Label| {
        let same =
            |(key, value): &(String, String)| key == label.key().as_str() && value == label.value().as_str();
        source.labels.iter().any(same)
    };
    namespace.is_none_or(|namespace| known == Some(namespace.as_str())) && labels.iter().all(has)
}
