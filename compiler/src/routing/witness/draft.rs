//! Requests that may show something: every choice that the comparisons of an alternative leave.

use super::candidates::{self, METHODS};
use super::{Way, caller};
use crate::model::{HeaderTest, Match, PathTest};
use crate::policy::TextMatch;
use crate::routing::VirtualHost;
use crate::routing::matcher::{Entrance, Request, Source, is_normal};
use crate::routing::never::{Reading, never};
use crate::values::{HeaderName, MatchHeaderName, Pattern};

/// Headers that say how a message is framed or a connection is used, and those that proxies write themselves: a request that has
/// them shows nothing of a rule, or is refused.
const RESERVED: [&str; 18] = [
    "connection",
    "content-length",
    "expect",
    "forwarded",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
    "x-forwarded-client-cert",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-request-id",
];

/// How many paths and values of one kind are tried.
const VARIETY: usize = 6;

/// A request in parts.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub(super) entrance: Entrance,
    pub(super) authority: String,
    pub(super) method: String,
    pub(super) path: String,
    pub(super) query: Vec<(String, String)>,
    pub(super) headers: Vec<(String, String)>,
    pub(super) source: Source,
}

impl Draft {
    pub(super) fn request(&self) -> Request {
        let query: Vec<String> = self.query.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mark = if query.is_empty() { "" } else { "?" };
        Request {
            entrance: self.entrance.clone(),
            method: self.method.clone(),
            authority: self.authority.clone(),
            target: format!("{}{mark}{}", self.path, query.join("&")),
            headers: self.headers.clone(),
            source: self.source.clone(),
        }
    }
}

/// What a named part of a request may be; `None`: not there.
type Values = (String, Vec<Option<String>>);

/// What the parts of a request may be.
pub(super) struct Choices {
    entries: Vec<(Entrance, String)>,
    methods: Vec<String>,
    paths: Vec<String>,
    query: Vec<Values>,
    headers: Vec<Values>,
    /// Headers that nobody asks for here, which keep rivals from taking the request.
    evading: Vec<Evasion>,
    source: Source,
}

impl Choices {
    /// The choices that an alternative leaves; the reason if there is none.
    pub(super) fn of<'p>(
        way: &Way<'_, 'p>,
        host: &'p VirtualHost,
        one: &'p Match,
        evading: Vec<Evasion>,
    ) -> Result<Self, &'static str> {
        let patterns = way.matcher.patterns();
        if patterns_of(one).any(|pattern| pattern.portable().is_err()) {
            return Err("engines read a regular expression differently");
        }
        if one.scheme.as_ref().is_some_and(|test| patterns.says(test, way.scheme()) != Ok(true)) {
            return Err("requests have another scheme here");
        }
        let pseudo = Pseudo::of(one)?;
        if pseudo.scheme.iter().any(|test| patterns.says(test, way.scheme()) != Ok(true)) {
            return Err("requests have another scheme here");
        }
        let headers = headers(way, one)?;
        let (mut paths, mut query) = (candidates::paths(patterns, one.path.as_ref()), query(way, one)?);
        if let Some(test) = pseudo.path {
            let wholes = candidates::texts(patterns, test);
            let whole = wholes.iter().map(|whole| whole.split_once('?').unwrap_or((whole, "")));
            let (path, parameters) = whole.into_iter().find(|(path, _)| is_normal(path)).ok_or(NO_PATH)?;
            paths = vec![path.to_owned()];
            let pairs = parameters.split('&').filter(|pair| pair.contains('='));
            query = pairs
                .filter_map(|pair| pair.split_once('='))
                .map(|(name, value)| (name.to_owned(), vec![Some(value.to_owned())]))
                .collect();
        }
        if paths.is_empty() {
            return Err(if never(one, Reading::Raw).is_some() { NO_PATH } else { NO_PATH_FOUND });
        }
        let methods = methods(way, one, &pseudo)?;
        let entries = entries(way, host, one.authority.iter().chain(pseudo.authority))?;
        Ok(Self { entries, methods, paths, query, headers, evading, source: caller(one) })
    }

    /// At most `count` drafts: those near to the first choices, then some from everywhere, each once.
    pub(super) fn drafts(&self, count: usize) -> impl Iterator<Item = Draft> {
        /// Shares no factor with the numbers of choices, which are small.
        const STRIDE: usize = 7919;
        let all = self.sizes().iter().product::<usize>();
        let near = all.min(count / 4);
        let far = (0..all).map(move |at| (at * STRIDE).checked_rem(all).unwrap_or(0));
        let far = far.filter(move |number| *number >= near).take(count - near);
        (0..near).chain(far).filter_map(|number| self.draft(number))
    }

    /// How many ways there are to choose a path, to evade rivals, and to choose a method, values and a host.
    fn sizes(&self) -> [usize; 5] {
        let values = self.headers.iter().chain(&self.query).map(|(_, values)| values.len()).max();
        [
            self.paths.len().min(VARIETY),
            variants(&self.evading),
            self.methods.len(),
            values.unwrap_or(1).min(VARIETY),
            self.entries.len(),
        ]
    }

    /// The draft of a number: paths change first, hosts last.
    fn draft(&self, number: usize) -> Option<Draft> {
        let mut rest = number;
        let mut choose = |among: usize| {
            let choice = rest.checked_rem(among).unwrap_or(0);
            rest = rest.checked_div(among).unwrap_or(0);
            choice
        };
        let [path, evades, method, value, entry] = self.sizes().map(&mut choose);
        let (path, method) = (self.paths.get(path)?, self.methods.get(method)?);
        let (entrance, authority) = self.entries.get(entry)?;
        let pick = |(name, values): &Values| {
            let value = values.get(value.checked_rem(values.len())?)?.clone()?;
            Some((name.clone(), value))
        };
        let evading = evasion(&self.evading, evades).into_iter();
        Some(Draft {
            entrance: entrance.clone(),
            authority: authority.clone(),
            method: method.clone(),
            path: path.clone(),
            query: self.query.iter().filter_map(pick).collect(),
            headers: self.headers.iter().filter_map(pick).chain(evading).collect(),
            source: self.source.clone(),
        })
    }
}

/// Every pattern of an alternative.
fn patterns_of(one: &Match) -> impl Iterator<Item = &Pattern> {
    let path = one.path.iter().filter_map(|path| match &path.test {
        PathTest::Pattern(pattern) => Some(pattern),
        PathTest::Exact(_) | PathTest::Prefix(_) | PathTest::Under(_) => None,
    });
    let named = one.headers.iter().chain(&one.without).map(|(_, test)| test);
    let named = named.chain(one.query.iter().map(|(_, test)| test)).filter_map(|test| match test {
        HeaderTest::Text(text) => Some(text),
        HeaderTest::Present => None,
    });
    let texts = one.scheme.iter().chain(&one.authority).chain(named).filter_map(|text| match text {
        TextMatch::Pattern(pattern) => Some(pattern),
        TextMatch::Exact(_) | TextMatch::Prefix(_) => None,
    });
    path.chain(texts)
}

const NO_PATH: &str = "no request has such a path: paths are normalised before they are compared";

const NO_PATH_FOUND: &str = "no path was found that matches the condition";

/// Tests of pseudo headers: parts of a request under another name.
#[derive(Default)]
struct Pseudo<'p> {
    path: Option<&'p TextMatch>,
    method: Vec<&'p TextMatch>,
    scheme: Vec<&'p TextMatch>,
    authority: Vec<&'p TextMatch>,
}

impl<'p> Pseudo<'p> {
    fn of(one: &'p Match) -> Result<Self, &'static str> {
        let mut found = Self::default();
        for (name, test) in &one.headers {
            let HeaderTest::Text(text) = test else { continue };
            match name.as_str() {
                ":path" => found.path = Some(text),
                ":method" => found.method.push(text),
                ":scheme" => found.scheme.push(text),
                ":authority" | "host" => found.authority.push(text),
                ":status" => return Err("a request has no status"),
                _ => {}
            }
        }
        Ok(found)
    }
}

/// The headers of requests that a name stands for, apart from what is only called so.
pub(super) fn real_header(name: &MatchHeaderName) -> Option<&HeaderName> {
    match name {
        MatchHeaderName::Header(name) if !name.is_pseudo() && !name.is_host() => Some(name),
        MatchHeaderName::Header(_) | MatchHeaderName::Claim(_) => None,
    }
}

/// Why no request can show that a header is there; `None` if one can.
pub(super) fn unsendable(name: &HeaderName) -> Option<&'static str> {
    let lower = name.as_str();
    if lower.contains('_') {
        Some("headers with an underscore in their name are dropped")
    } else if RESERVED.contains(&lower) || lower.starts_with("x-envoy-") {
        Some("the header belongs to the connection, or proxies set it themselves")
    } else {
        None
    }
}

fn headers<'p>(way: &Way<'_, 'p>, one: &'p Match) -> Result<Vec<Values>, &'static str> {
    if one.headers.iter().chain(&one.without).any(|(name, _)| name.claims().is_some()) {
        return Err("claims exist only after a token was verified");
    }
    let patterns = way.matcher.patterns();
    let mut all: Vec<Values> = Vec::new();
    for (name, test) in &one.headers {
        let Some(header) = real_header(name) else { continue };
        if let Some(reason) = unsendable(header) {
            return Err(reason);
        }
        let unwanted = one.without.iter().filter(|(other, _)| other == name).map(|(_, test)| test);
        let mut values = candidates::values(patterns, test);
        values.retain(|value| candidates::is_header_value(value));
        for test in unwanted {
            values.retain(|value| match test {
                HeaderTest::Present => false,
                HeaderTest::Text(test) => patterns.says(test, value) == Ok(false),
            });
        }
        if values.is_empty() {
            return Err("no value was found that the header may have");
        }
        all.push((header.as_str().to_owned(), values.into_iter().map(Some).collect()));
    }
    for (name, test) in &one.without {
        let Some(header) = real_header(name).filter(|_| !one.headers.iter().any(|(own, _)| own == name))
        else {
            continue;
        };
        let HeaderTest::Text(test) = test else { continue };
        let missing = (patterns.says(test, "") == Ok(false)).then_some(None);
        let mut others = candidates::texts_beside(patterns, test);
        others.retain(|value| candidates::is_header_value(value) && !value.is_empty());
        let others = others.into_iter().filter(|_| unsendable(header).is_none()).map(Some);
        let values: Vec<Option<String>> = missing.into_iter().chain(others).collect();
        if values.is_empty() {
            return Err("no value was found that the header may have");
        }
        all.push((header.as_str().to_owned(), values));
    }
    Ok(all)
}

fn query<'p>(way: &Way<'_, 'p>, one: &'p Match) -> Result<Vec<Values>, &'static str> {
    let of = |(name, test): &'p (smol_str::SmolStr, HeaderTest)| {
        let mut values = candidates::values(way.matcher.patterns(), test);
        values.retain(|value| candidates::is_query_part(value));
        if name.contains('=') || !candidates::is_query_part(name) {
            return Err("no query has a parameter of this name: names are compared as they are written");
        }
        if values.is_empty() {
            return Err("no value was found that the parameter may have");
        }
        Ok((name.to_string(), values.into_iter().map(Some).collect()))
    };
    one.query.iter().map(of).collect()
}

fn methods<'p>(way: &Way<'_, 'p>, one: &'p Match, pseudo: &Pseudo<'p>) -> Result<Vec<String>, &'static str> {
    let mut all: Vec<String> = if one.methods.is_empty() {
        let asked = pseudo.method.iter().filter_map(|test| match test {
            TextMatch::Exact(method) => Some(method.to_string()),
            TextMatch::Prefix(_) | TextMatch::Pattern(_) => None,
        });
        METHODS.iter().map(|method| (*method).to_owned()).chain(asked).collect()
    } else {
        one.methods.iter().map(ToString::to_string).collect()
    };
    all.retain(|method| {
        let patterns = way.matcher.patterns();
        pseudo.method.iter().all(|test| patterns.says(test, method) == Ok(true))
            && method != "CONNECT"
            && !method.is_empty()
    });
    if all.is_empty() { Err("a request with such a method is not routed by its path") } else { Ok(all) }
}

/// Hosts of a virtual host for which all tests of the authority hold, with the way in.
fn entries<'p>(
    way: &Way<'_, 'p>,
    host: &'p VirtualHost,
    tests: impl Iterator<Item = &'p TextMatch>,
) -> Result<Vec<(Entrance, String)>, &'static str> {
    let patterns = way.matcher.patterns();
    let tests: Vec<&'p TextMatch> = tests.collect();
    let mut all = authorities(host);
    all.extend(tests.iter().flat_map(|test| candidates::texts(patterns, test)));
    all.retain(|authority| {
        candidates::is_authority(authority)
            && tests.iter().all(|test| patterns.says(test, authority) == Ok(true))
    });
    let entry = |authority: String| Some((way.entrance(name_of(&authority))?, authority));
    let entries: Vec<(Entrance, String)> = all.into_iter().filter_map(entry).collect();
    if entries.is_empty() {
        Err("no host was found that matches the virtual host and the condition")
    } else {
        Ok(entries)
    }
}

/// Authorities that lead to a virtual host, then the same with ports and in upper case.
pub(super) fn authorities(host: &VirtualHost) -> Vec<String> {
    let plain: Vec<String> = host.domains.iter().flat_map(candidates::hosts).collect();
    let odd = |host: &String| [format!("{host}:81"), format!("{host}:8080"), host.to_ascii_uppercase()];
    let odd: Vec<String> = plain.iter().flat_map(odd).collect();
    plain.into_iter().chain(odd).collect()
}

/// The host of an authority without its port.
pub(super) fn name_of(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, _)) if !authority.ends_with(']') => host,
        _ => authority,
    }
}

/// A header, and the values that some rival says it must not have.
pub(super) type Evasion = (String, Vec<String>);

/// Headers for which rivals say that they must not be there, or not so: with them, a request is not theirs.
pub(super) fn evading<'p>(
    way: &Way<'_, 'p>,
    one: &Match,
    rivals: impl Iterator<Item = &'p Match>,
) -> Vec<Evasion> {
    let mut all: Vec<Evasion> = Vec::new();
    for (name, test) in rivals.flat_map(|rival| &rival.without) {
        let Some(header) = real_header(name).filter(|header| unsendable(header).is_none()) else { continue };
        if one.headers.iter().chain(&one.without).any(|(own, _)| own == name) {
            continue;
        }
        let mut values = candidates::values(way.matcher.patterns(), test);
        values.retain(|value| candidates::is_header_value(value) && !value.is_empty());
        let Some(value) = values.into_iter().next() else { continue };
        match all.iter_mut().find(|(own, _)| own == header.as_str()) {
            Some((_, known)) if known.contains(&value) => {}
            Some((_, known)) => known.push(value),
            None => all.push((header.as_str().to_owned(), vec![value])),
        }
    }
    all
}

/// How many ways there are to evade rivals, not to do it included.
pub(super) fn variants(evading: &[Evasion]) -> usize {
    evading.iter().map(|(_, values)| values.len() + 1).max().unwrap_or(1).min(VARIETY)
}

/// The headers of one way; none for 0.
pub(super) fn evasion(evading: &[Evasion], variant: usize) -> Vec<(String, String)> {
    let Some(at) = variant.checked_sub(1) else { return Vec::new() };
    let value = |values: &[String]| values.get(at.checked_rem(values.len())?).cloned();
    evading.iter().filter_map(|(name, values)| Some((name.clone(), value(values)?))).collect()
}
