//! Conditions of rules as bits: each comparison is a `map` whose value is `1` or `0`.

use super::builder::Builder;
use super::directive::line;
use super::path_pattern;
use super::path_prefix;
use super::regex;
use super::text;
use meshc_compiler::model::{HeaderTest, Match, PathMatch, PathTest};
use meshc_compiler::policy::TextMatch;
use meshc_compiler::values::{HeaderName, MatchHeaderName, OfConnection, Scheme, escape_literal};
use meshc_language::Span;
use smol_str::SmolStr;

/// The path of a request, decoded and without `.`, `..` and double slashes, as it came in.
pub(super) const PATH: &str = "$mesh_path";
/// The host of a request as the caller wrote it.
pub(super) const AUTHORITY: &str = "$mesh_authority";

/// The query of a request as it is written in the URL.
const ARGS: &str = "$args";

/// A `location` by which requests come in, where their rule is looked for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Location {
    /// This path.
    Exact(String),
    /// What starts with this, and with no longer text that has a location of its own.
    Prefix(String),
}

/// Whether a comparison holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Truth {
    Always,
    Never,
    /// If this variable is `1`.
    If(String),
}

/// One alternative of a rule.
#[derive(Clone, Debug)]
pub(super) struct Condition {
    /// What it asks of the path.
    path: Option<Path>,
    /// Variables that must all be `1`; `None` if it never holds.
    bits: Option<Vec<String>>,
}

#[derive(Clone, Debug)]
enum Path {
    /// Never asked for.
    None,
    Exact {
        text: String,
        ignore_case: bool,
    },
    Prefix {
        text: String,
        ignore_case: bool,
    },
    Under {
        text: String,
        ignore_case: bool,
    },
    /// By a pattern.
    Pattern {
        /// As a key of `map`.
        key: String,
        /// What the paths begin with that it takes, each with one of these.
        prefixes: Vec<String>,
    },
}

impl Condition {
    /// The condition that always holds.
    pub(super) const ALWAYS: Self = Self { path: None, bits: Some(Vec::new()) };

    pub(super) fn of(one: &Match, span: Span, scheme: Scheme, builder: &mut Builder<'_>) -> Self {
        let Match {
            path,
            scheme: wanted_scheme,
            methods,
            authority,
            headers,
            without,
            query,
            // Decided by the plan.
            ports: _,
            bindings: _,
            source_namespace,
            source_labels,
            // Of connections.
            sni: _,
            destinations: _,
        } = one;
        let mut bits = Bits { all: Some(Vec::new()), span };
        if source_namespace.is_some() || !source_labels.is_empty() {
            bits.all = None;
        }
        if let Some(wanted) = wanted_scheme {
            bits.scheme(wanted, scheme, builder);
        }
        if let Some(method) = methods.iter().find(|method| ["TRACE", "CONNECT"].contains(&method.as_str())) {
            builder.refuse(
                span,
                &format!("a condition on the method {method}"),
                "nginx answers such requests with 405",
                "remove it",
            );
        }
        if !methods.is_empty() {
            let any: Vec<String> = methods.iter().map(|method| escape_literal(method)).collect();
            let key = format!("~^(?:{})\\z", any.join("|"));
            let bit = builder.http.bit("$request_method", vec![(key, true)], false);
            bits.and(Truth::If(bit));
        }
        if let Some(authority) = authority {
            let bit = text_bit(AUTHORITY, authority, true, builder);
            bits.and(Truth::If(bit));
        }
        for (name, test) in headers {
            bits.header(name, test, true, builder);
        }
        for (name, test) in without {
            bits.header(name, test, false, builder);
        }
        for (name, test) in query {
            let bit = query_bit(name, test, builder);
            bits.and(Truth::If(bit));
        }
        let path = path.as_ref().map(|path| of_path(path, span, builder));
        Self { path, bits: bits.all }
    }

    /// The locations that it needs.
    pub(super) fn locations(&self) -> Vec<Location> {
        match &self.path {
            Some(Path::Exact { text, ignore_case: false }) => vec![Location::Exact(text.clone())],
            Some(Path::Prefix { text, ignore_case: false }) => vec![Location::Prefix(text.clone())],
            Some(Path::Under { text, ignore_case: false }) => {
                vec![Location::Exact(text.clone()), Location::Prefix(format!("{text}/"))]
            }
            Some(Path::Pattern { key: _, prefixes }) => {
                let known = prefixes.iter().filter(|prefix| !prefix.is_empty());
                known.map(|prefix| Location::Prefix(prefix.clone())).collect()
            }
            None | Some(Path::None | Path::Exact { .. } | Path::Prefix { .. } | Path::Under { .. }) => {
                Vec::new()
            }
        }
    }

    /// What the paths begin with that it takes.
    pub(super) fn beginning(&self) -> Beginning<'_> {
        match &self.path {
            Some(Path::None) => Beginning::OneOf(Vec::new()),
            Some(Path::Exact { text, ignore_case: false }) => Beginning::Exact(text),
            Some(Path::Prefix { text, ignore_case: false } | Path::Under { text, ignore_case: false }) => {
                Beginning::OneOf(vec![text])
            }
            Some(Path::Pattern { key: _, prefixes }) => {
                Beginning::OneOf(prefixes.iter().map(String::as_str).collect())
            }
            None | Some(Path::Exact { .. } | Path::Prefix { .. } | Path::Under { .. }) => Beginning::Any,
        }
    }

    /// The variables that must be `1` for it to hold in a location; `None` if it never holds there.
    pub(super) fn at(&self, location: &Location, builder: &mut Builder<'_>) -> Option<Vec<String>> {
        let of_path = self.path.as_ref().map_or(Truth::Always, |path| path.at(location, builder));
        if of_path == Truth::Never {
            return None;
        }
        let mut bits = self.bits.clone()?;
        if let Truth::If(bit) = of_path {
            bits.insert(0, bit);
        }
        bits.dedup();
        Some(bits)
    }
}

/// What the paths begin with that a condition takes.
pub(super) enum Beginning<'c> {
    /// With anything.
    Any,
    /// They are this.
    Exact(&'c str),
    /// With one of these.
    OneOf(Vec<&'c str>),
}

/// How many of the paths of a location a condition takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Share {
    All,
    Some,
    None,
}

impl Path {
    fn at(&self, location: &Location, builder: &mut Builder<'_>) -> Truth {
        match self.share(location) {
            Share::All => Truth::Always,
            Share::Some => {
                let keys = vec![(self.key(), true)];
                Truth::If(match self {
                    Self::Pattern { .. } => builder.http.pattern_bit(PATH, keys, false),
                    Self::None | Self::Exact { .. } | Self::Prefix { .. } | Self::Under { .. } => {
                        builder.http.bit(PATH, keys, false)
                    }
                })
            }
            Share::None => Truth::Never,
        }
    }

    /// Asked of each condition in each location, so nothing is allocated here.
    fn share(&self, location: &Location) -> Share {
        let (here, exact) = match location {
            Location::Exact(text) => (text.as_str(), true),
            Location::Prefix(text) => (text.as_str(), false),
        };
        let (text, ignore_case, covers) = match self {
            Self::None => return Share::None,
            // No path begins so in any other location: those that do have a longer one.
            Self::Pattern { key: _, prefixes } => {
                let may = prefixes.iter().any(|prefix| here.starts_with(prefix.as_str()));
                return if may { Share::Some } else { Share::None };
            }
            Self::Exact { text, ignore_case } => {
                let same = here.len() == text.len() && starts_with(here, text, *ignore_case);
                (text, *ignore_case, exact && same)
            }
            Self::Prefix { text, ignore_case } => (text, *ignore_case, starts_with(here, text, *ignore_case)),
            Self::Under { text, ignore_case } => {
                let rest = starts_with(here, text, *ignore_case).then(|| here.get(text.len()..)).flatten();
                let within = rest.is_some_and(|rest| rest.starts_with('/') || exact && rest.is_empty());
                (text, *ignore_case, within)
            }
        };
        match covers {
            true => Share::All,
            // Only a text whose letter case counts has a location of its own.
            false if !exact && ignore_case && starts_with(text, here, true) => Share::Some,
            false => Share::None,
        }
    }

    /// The condition as a key of `map`.
    fn key(&self) -> String {
        match self {
            Self::None => String::new(),
            Self::Pattern { key, prefixes: _ } => key.clone(),
            Self::Exact { text, ignore_case: _ } => format!("~*^(?:{})\\z", escape_literal(text)),
            Self::Prefix { text, ignore_case: _ } => format!("~*^{}", escape_literal(text)),
            Self::Under { text, ignore_case: _ } => format!("~*^{}(?:/|\\z)", escape_literal(text)),
        }
    }
}

fn starts_with(text: &str, start: &str, ignore_case: bool) -> bool {
    let Some(own) = text.as_bytes().get(..start.len()) else { return false };
    if ignore_case { own.eq_ignore_ascii_case(start.as_bytes()) } else { own == start.as_bytes() }
}

fn of_path(path: &PathMatch, span: Span, builder: &mut Builder<'_>) -> Path {
    let PathMatch { test, ignore_case } = path;
    let ignore_case = *ignore_case;
    let (written, whole) = match test {
        PathTest::Exact(text) => (text, true),
        PathTest::Prefix(text) => (text, false),
        PathTest::Under(text) => (text, true),
        PathTest::Pattern(pattern) => {
            if path_pattern::check(pattern).is_err() {
                builder.refuse(
                    span,
                    "a pattern that matches an escape but not the character that it encodes, or the reverse",
                    "nginx decodes paths before it compares them, so `%20` is a space",
                    "match any character with `.*` or `[^/]+`, not followed by one of `0-9a-fA-F`; or match only \
                     letters, digits and unescaped signs",
                );
            }
            return Path::Pattern { key: regex::matching(pattern), prefixes: path_prefix::prefixes(pattern) };
        }
    };
    if text::is_never_asked_for(written, whole) {
        return Path::None;
    }
    let Some(text) = text::decoded(written) else {
        builder.refuse(
            span,
            "a path whose escapes are not UTF-8",
            "nginx decodes paths before it compares them",
            "use another path",
        );
        return Path::None;
    };
    match test {
        PathTest::Exact(_) => Path::Exact { text, ignore_case },
        PathTest::Under(_) => Path::Under { text, ignore_case },
        PathTest::Prefix(_) | PathTest::Pattern(_) => Path::Prefix { text, ignore_case },
    }
}

struct Bits {
    all: Option<Vec<String>>,
    span: Span,
}

impl Bits {
    fn and(&mut self, truth: Truth) {
        match truth {
            Truth::Always => {}
            Truth::Never => self.all = None,
            Truth::If(bit) => {
                if let Some(all) = &mut self.all
                    && !all.contains(&bit)
                {
                    all.push(bit);
                }
            }
        }
    }

    /// A server is reached by one scheme, so most comparisons are decided.
    fn scheme(&mut self, wanted: &TextMatch, scheme: Scheme, builder: &mut Builder<'_>) {
        let holds = |holds: bool| if holds { Truth::Always } else { Truth::Never };
        let truth = match wanted {
            TextMatch::Exact(text) => holds(text == scheme.word()),
            TextMatch::Prefix(text) => holds(scheme.word().starts_with(text.as_str())),
            TextMatch::Pattern(_) => Truth::If(builder.http.bit("$scheme", keys(wanted, true), false)),
        };
        self.and(truth);
    }

    fn header(&mut self, name: &MatchHeaderName, test: &HeaderTest, wanted: bool, builder: &mut Builder<'_>) {
        let source = match name {
            MatchHeaderName::Header(name) if name.as_str() == ":path" => {
                builder.refuse(
                    self.span,
                    "a condition on `:path`",
                    "nginx has it only as the client wrote it, where `//a` and `/%61` differ from `/a`",
                    "use `path`, which is normalised before it is compared",
                );
                self.all = None;
                return;
            }
            MatchHeaderName::Header(name) if name.is_of_proxies() => {
                builder.refuse(
                    self.span,
                    &format!("a condition on `{name}`"),
                    "nginx sets this header after it has chosen the route, so clients could forge it",
                    "match its source instead, such as `scheme`",
                );
                self.all = None;
                return;
            }
            MatchHeaderName::Header(name) => match name.of_connection() {
                Some(left) => Some(of_connection(left, builder)),
                None => header_variable(name),
            },
            MatchHeaderName::Claim(_) => None,
        };
        let Some(source) = source else {
            builder.refuse(
                self.span,
                &format!("a condition on `{name}`"),
                "nginx reads only headers whose names have letters, digits and hyphens",
                "use another header",
            );
            self.all = None;
            return;
        };
        let bit = match test {
            HeaderTest::Present => builder.http.bit(&source, vec![(String::new(), !wanted)], wanted),
            HeaderTest::Text(text) => text_bit(&source, text, wanted, builder),
        };
        self.and(Truth::If(bit));
    }
}

/// The variable of a request header; `None` for one that nginx cannot tell from others.
pub(super) fn header_variable(name: &HeaderName) -> Option<String> {
    Some(match name.as_str() {
        ":method" => "$request_method".to_owned(),
        ":scheme" => "$scheme".to_owned(),
        ":authority" | "host" => AUTHORITY.to_owned(),
        ":path" => "$request_uri".to_owned(),
        plain if is_plain(plain) => format!("$http_{}", plain.replace('-', "_")),
        _ => return None,
    })
}

/// What conditions see of a header about the connection: nginx has it as the caller sent it, and other data planes do not.
fn of_connection(left: OfConnection, builder: &mut Builder<'_>) -> String {
    let mut where_upgraded =
        |value: &str| builder.http.map("$mesh_upgrade", vec![line!["default", value], line!["", ""]]);
    match left {
        OfConnection::Nothing => "$mesh_empty".to_owned(),
        OfConnection::Upgrading => where_upgraded("$http_connection"),
        OfConnection::WebSocket => where_upgraded("$http_upgrade"),
        OfConnection::Trailers => {
            let has_it = r"~*(?:^|,)[[:blank:]]*trailers[[:blank:]]*(?:,|\z)";
            builder.http.map("$http_te", vec![line!["default", ""], line![has_it, "trailers"]])
        }
    }
}

fn is_plain(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// A bit that says whether a text is like this, or, if that is not `wanted`, whether it is not.
fn text_bit(source: &str, text: &TextMatch, wanted: bool, builder: &mut Builder<'_>) -> String {
    let keys = keys(text, wanted);
    match text {
        TextMatch::Exact(_) | TextMatch::Prefix(_) => builder.http.bit(source, keys, !wanted),
        TextMatch::Pattern(_) => builder.http.pattern_bit(source, keys, !wanted),
    }
}

/// The keys of a `map` that say whether a text is like this. To nginx an absent header is an empty one, and no regular expression
/// is asked of it: such a one is like nothing, but where a condition asks for what it is not like, it is compared as empty (Envoy
/// `treat_missing_header_as_empty`).
pub(super) fn keys(text: &TextMatch, wanted: bool) -> Vec<(String, bool)> {
    let (key, takes_nothing) = match text {
        TextMatch::Exact(text) => {
            (Some(text).filter(|text| !text.is_empty()).map(|text| regex::exactly(text)), text.is_empty())
        }
        TextMatch::Prefix(text) => (Some(regex::starting(text)), text.is_empty()),
        TextMatch::Pattern(pattern) => (Some(regex::matching(pattern)), regex::takes_nothing(pattern)),
    };
    let empty = (takes_nothing && !wanted).then(String::new);
    key.into_iter().chain(empty).map(|key| (key, wanted)).collect()
}

/// What stands in front of the first parameter of a name, up to its name: parameters of other names. Quantifiers that give nothing
/// back would keep less of a long query, but readers of nginx's configuration (gixy) do not know them.
fn before_parameter(name: &str) -> String {
    let name = escape_literal(name);
    format!("~^(?:(?!{name}(?:=|&|\\z))[^&]*&)*{name}")
}

fn query_bit(name: &SmolStr, test: &HeaderTest, builder: &mut Builder<'_>) -> String {
    let beyond_value = match test {
        HeaderTest::Text(TextMatch::Exact(text) | TextMatch::Prefix(text)) => text.contains('&'),
        HeaderTest::Present | HeaderTest::Text(TextMatch::Pattern(_)) => false,
    };
    if beyond_value || name.contains(['&', '=']) {
        return builder.http.bit(ARGS, Vec::new(), false);
    }
    let before = before_parameter(name);
    let key = match test {
        HeaderTest::Present => format!("{before}(?:=|&|\\z)"),
        HeaderTest::Text(TextMatch::Exact(text)) if text.is_empty() => format!("{before}=?(?:&|\\z)"),
        HeaderTest::Text(TextMatch::Exact(text)) => format!("{before}={}(?:&|\\z)", escape_literal(text)),
        HeaderTest::Text(TextMatch::Prefix(text)) if text.is_empty() => format!("{before}(?:=|&|\\z)"),
        HeaderTest::Text(TextMatch::Prefix(text)) => format!("{before}={}", escape_literal(text)),
        HeaderTest::Text(TextMatch::Pattern(pattern)) => {
            // The value is taken out first, so that a pattern cannot look beyond its end.
            let value = query_value(name, builder);
            let matched = builder.http.pattern_bit(&value, vec![(regex::matching(pattern), true)], false);
            let nothing = format!("{before}=?(?:&|\\z)");
            let empty = regex::takes_nothing(pattern).then(|| (nothing, "1".to_owned()));
            // What has a value is known by the expression that takes it out.
            let entries = empty.into_iter().chain([(value_of_parameter(name), matched)]);
            return builder.http.map_to_bits(ARGS, entries.collect());
        }
    };
    builder.http.pattern_bit(ARGS, vec![(key, true)], false)
}

/// The expression for the value of the first parameter of a name.
fn value_of_parameter(name: &str) -> String {
    format!("{}=([^&]*)", before_parameter(name))
}

/// A variable with the value of the first parameter of a name, as it is written in the URL.
pub(super) fn query_value(name: &str, builder: &mut Builder<'_>) -> String {
    builder.http.map(ARGS, vec![line!["default", ""], line![value_of_parameter(name), "$1"]])
}
