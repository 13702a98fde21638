//! `when ...`: what a route asks of a request, as it is written.

use super::reference::GatewayReference;
use super::route_words::{bare_values, lacks_comparison, report_odd_texts, uncompared};
use crate::policy::{Comparison, TextMatch};
use crate::reading::{Args, List, Reader, Shape, Sign, Syntax, literal};
use crate::values::{
    CookieName, IpOrCidr, Label, Literal, MatchHeaderName, Method, Namespace, Path, PathPrefix, Pattern,
    Port, Scheme, SniHost, Text, escape_literal, words,
};
use meshc_language::{Code, Diagnostic, Span, Spanned};
use smol_str::SmolStr;

/// How a path is compared.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum PathTest {
    /// The whole path.
    Exact(SmolStr),
    /// A prefix, byte by byte: `/foo` also takes `/foobar`.
    Prefix(SmolStr),
    /// A prefix that ends where a segment ends: `/foo` takes `/foo` and `/foo/bar`. Never ends with `/` but for the root.
    Under(SmolStr),
    /// A full match in RE2 syntax.
    Pattern(Pattern),
}

impl PathTest {
    /// Whether every path that `inner` takes is also taken here. Of patterns nothing is known.
    #[must_use]
    pub fn covers(&self, inner: &Self, ignore_case: bool) -> bool {
        let fold = |text: &str| if ignore_case { text.to_ascii_lowercase() } else { text.to_owned() };
        let (Self::Exact(text) | Self::Prefix(text) | Self::Under(text)) = inner else { return false };
        let text = fold(text);
        match self {
            Self::Exact(whole) => matches!(inner, Self::Exact(_)) && text == fold(whole),
            Self::Prefix(prefix) => text.starts_with(&fold(prefix)),
            Self::Under(prefix) => match text.strip_prefix(&fold(prefix)) {
                Some("") => !matches!(inner, Self::Prefix(_)),
                Some(rest) => rest.starts_with('/'),
                None => false,
            },
            Self::Pattern(_) => false,
        }
    }
}

/// A path and whether letter case counts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PathMatch {
    /// How it is compared.
    pub test: PathTest,
    /// Whether letter case is ignored.
    pub ignore_case: bool,
}

/// How a header or query parameter is compared.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum HeaderTest {
    /// It is there, whatever it says.
    Present,
    /// It says this.
    Text(TextMatch),
}

/// A side of a request that a condition looks at. `G` is how it says where requests come in: as written, or resolved.
#[derive(Clone, Debug)]
pub enum Side<G> {
    /// The path, without the query.
    Path(PathMatch),
    /// The scheme.
    Scheme(TextMatch),
    /// One of these methods.
    Method(Vec<SmolStr>),
    /// The host as the caller wrote it.
    Authority(TextMatch),
    /// A header.
    Header(MatchHeaderName, HeaderTest),
    /// A query parameter.
    Query(SmolStr, HeaderTest),
    /// The port of the listener: one of these.
    Port(Vec<Port>),
    /// The namespace of the client.
    SourceNamespace(Namespace),
    /// A label of the caller's workload.
    SourceLabel(Label),
    /// Where the request comes in.
    Gateway(G),
    /// The name that TLS asks for: one of these.
    Sni(Vec<SniHost>),
    /// The address that the caller asked for: in one of these.
    Destination(Vec<IpOrCidr>),
}

/// One comparison and where it was written.
#[derive(Clone, Debug)]
pub struct Test<G> {
    /// What is compared.
    pub side: Side<G>,
    /// Where.
    pub span: Span,
}

/// A condition: comparisons, joined as they were written.
#[derive(Clone, Debug)]
pub enum Condition<G> {
    /// All of these hold.
    All(Vec<Condition<G>>),
    /// One of these holds.
    Any(Vec<Condition<G>>),
    /// This does not hold.
    Not(Box<Condition<G>>, Span),
    /// This comparison holds.
    Test(Test<G>),
}

/// `gateway edge`, `gateway mesh`: where a request comes in, as it was written.
#[derive(Clone, Debug)]
pub enum Entrance {
    /// A sidecar.
    Mesh,
    /// A gateway.
    Gateway(GatewayReference),
}

/// A condition as it was written.
pub type Written = Condition<Entrance>;

impl<G> Condition<G> {
    /// The same with where requests come in looked up by `resolve`; `None` if one of them is not found.
    pub(crate) fn resolved<R>(self, resolve: &mut impl FnMut(G) -> Option<R>) -> Option<Condition<R>> {
        let all = |parts: Vec<Self>, resolve: &mut _| -> Option<Vec<Condition<R>>> {
            parts.into_iter().map(|part| part.resolved(resolve)).collect()
        };
        Some(match self {
            Self::All(parts) => Condition::All(all(parts, resolve)?),
            Self::Any(parts) => Condition::Any(all(parts, resolve)?),
            Self::Not(inner, span) => Condition::Not(Box::new(inner.resolved(resolve)?), span),
            Self::Test(Test { side, span }) => Condition::Test(Test { side: side.resolved(resolve)?, span }),
        })
    }
}

impl<G> Side<G> {
    fn resolved<R>(self, resolve: &mut impl FnMut(G) -> Option<R>) -> Option<Side<R>> {
        Some(match self {
            Self::Gateway(gateway) => Side::Gateway(resolve(gateway)?),
            Self::Path(test) => Side::Path(test),
            Self::Scheme(test) => Side::Scheme(test),
            Self::Method(methods) => Side::Method(methods),
            Self::Authority(test) => Side::Authority(test),
            Self::Header(name, test) => Side::Header(name, test),
            Self::Query(name, test) => Side::Query(name, test),
            Self::Port(ports) => Side::Port(ports),
            Self::SourceNamespace(namespace) => Side::SourceNamespace(namespace),
            Self::SourceLabel(label) => Side::SourceLabel(label),
            Self::Sni(names) => Side::Sni(names),
            Self::Destination(ranges) => Side::Destination(ranges),
        })
    }
}

words! {
    /// What a condition looks at.
    pub(super) enum Subject: "condition" {
        Path = "path" | "uri" | "url" | "location" "the path, without the query",
        Method = "method" | "request-method" "the method",
        Header = "header" | "headers" "a header",
        Cookie = "cookie" "a cookie",
        Query = "query" | "query-param" | "query-params" | "query-parameter" | "arg" "a query parameter, as it is written in the URL",
        Authority = "authority" | "host" | "hostname" | ":authority" "the host as the client sent it",
        Scheme = "scheme" "`http` or `https`",
        Port = "port" "the port of the listener",
        Source = "source" | "client" "the client: `source ns qa`, `source labels app=web`",
        Gateway = "gateway" "the gateway that carries the request",
        Sni = "sni" | "sni-hosts" | "server-name" "the server name (SNI)",
        Destination = "destination" | "destination-subnets" "the original destination address",
    }
}

/// How a condition is written, for the reference page.
pub const CONDITION_SYNTAX: &[(&str, &str)] = &[
    ("path is <path>", "the whole path is this; `path in [<path>, ...]` is one of these"),
    ("path prefix <path>", "the path starts with this, byte by byte: `/foo` also takes `/foobar`"),
    ("path under <path>", "the path is this, or continues after it with a `/`"),
    (
        "path matches <pattern>",
        "the expression matches the whole path; any path test may end with `ignoring-case`",
    ),
    ("method is <method>", "`method in [GET, HEAD]` is one of these"),
    (
        "header <name> is | prefix | matches <text>",
        "the header has this value; `in [<text>, ...]` is one of these",
    ),
    ("header <name> present | absent", "the header is there, or not"),
    ("cookie <name> is <text>", "the cookie has this value"),
    ("query <name> is | prefix | matches <text>", "the parameter has this value; `present` is there at all"),
    ("authority is | prefix | matches <text>", "the host as the client sent it"),
    ("scheme is http | https", "the scheme"),
    ("port <port>", "the port of the listener; `port in [<port>, ...]` is one of these"),
    (
        "source ns <namespace>",
        "the namespace of the client, inside the mesh; a gateway would compare that of its own pods (MESH0433)",
    ),
    ("source labels <label>, ...", "labels of the client's workload, inside the mesh"),
    ("gateway <gateway>", "the request comes in through this gateway; `gateway mesh` through none"),
    ("sni <host>", "tls routes: the server name; `sni in [<host>, ...]` is one of these"),
    (
        "destination in [<address or range>, ...]",
        "tls and tcp routes inside the mesh: the original destination address",
    ),
];

/// The most comparisons that one condition may have.
const MAX_COMPARISONS: usize = 10_000;

impl Written {
    /// Reads a condition up to `->` or the end; one of very many comparisons is refused.
    pub(crate) fn read_bounded<'p>(args: &mut Args<'p>, cx: &mut Reader<'_, 'p>) -> Option<Self> {
        let start = args.start(cx);
        let condition = Self::read(args, cx)?;
        let count = condition.count();
        if count > MAX_COMPARISONS {
            let message = format!("this condition has {count} comparisons, more than {MAX_COMPARISONS}");
            let report = Diagnostic::new(Code::TOO_MANY_MATCHES, start, message);
            cx.report(report.consequence("every proxy would evaluate all of them for every request; this limit is meshc's own").help(
                "split the route, or compare with one regular expression: `header x matches r\"a|b|c\"`",
            ));
            return None;
        }
        Some(condition)
    }

    fn count(&self) -> usize {
        match self {
            Self::Test(_) => 1,
            Self::Not(inner, _) => inner.count(),
            Self::All(parts) | Self::Any(parts) => parts.iter().map(Self::count).sum(),
        }
    }

    fn read<'p>(args: &mut Args<'p>, cx: &mut Reader<'_, 'p>) -> Option<Self> {
        let mut start = args.start(cx);
        let mut alternatives = vec![Self::read_all(args, cx)?];
        loop {
            let last = start.to(args.last);
            if !args.take_operator("or", "||", cx) {
                break;
            }
            bare_values(last, args, cx)?;
            start = args.start(cx);
            alternatives.push(Self::read_all(args, cx)?);
        }
        Some(if alternatives.len() == 1 { alternatives.pop()? } else { Self::Any(alternatives) })
    }

    fn read_all<'p>(args: &mut Args<'p>, cx: &mut Reader<'_, 'p>) -> Option<Self> {
        let mut parts = vec![Self::read_one(args, cx)?];
        while args.take_operator("and", "&&", cx) {
            parts.push(Self::read_one(args, cx)?);
        }
        Some(if parts.len() == 1 { parts.pop()? } else { Self::All(parts) })
    }

    fn read_one<'p>(args: &mut Args<'p>, cx: &mut Reader<'_, 'p>) -> Option<Self> {
        // `not not` is nothing; counting instead of nesting keeps the depth of a condition that of its parentheses.
        let mut outermost = None;
        let mut negated = false;
        while let Some(span) = args.take_not(cx) {
            outermost = outermost.or(Some(span));
            negated = !negated;
        }
        let inner = Self::read_positive(args, cx)?;
        Some(match outermost.filter(|_| negated) {
            Some(span) => Self::Not(Box::new(inner), span.to(args.last)),
            None => inner,
        })
    }

    fn read_positive<'p>(args: &mut Args<'p>, cx: &mut Reader<'_, 'p>) -> Option<Self> {
        if args.peek(cx).is_some_and(|term| matches!(term.shape, Shape::Group(_))) {
            let term = args.next(cx)?;
            let Shape::Group(terms) = term.shape else { return None };
            let mut inner = Args::from_terms(terms, args.owner, term.span);
            let condition = Self::read(&mut inner, cx)?;
            inner.finish(&["and", "or"], cx);
            return Some(condition);
        }
        args.split_sign(cx);
        let subject = Spanned::<Subject>::read(args, cx)?;
        read_test(subject, args, cx)
    }
}

/// The condition, or its opposite where it was compared with `!=`.
fn signed(condition: Written, sign: Option<Sign>, span: Span) -> Written {
    match sign.is_some_and(Sign::is_negated) {
        true => Condition::Not(Box::new(condition), span),
        false => condition,
    }
}

fn read_test<'p>(subject: Spanned<Subject>, args: &mut Args<'p>, cx: &mut Reader<'_, 'p>) -> Option<Written> {
    // Other subjects have a name before their comparison.
    let has_name =
        matches!(subject.value, Subject::Header | Subject::Cookie | Subject::Query | Subject::Source);
    // Of these parts of a request there is no `not` (MESH0405).
    let sign = if has_name { None } else { args.take_sign(subject.span, false, cx) };
    let read = read_side(&subject, sign, args, cx)?;
    Some(signed(read, sign, subject.span.to(args.last)))
}

fn read_side<'p>(
    subject: &Spanned<Subject>,
    sign: Option<Sign>,
    args: &mut Args<'p>,
    cx: &mut Reader<'_, 'p>,
) -> Option<Written> {
    let side = match subject.value {
        Subject::Path => return read_path(subject.span, sign, args, cx),
        Subject::Method => Side::Method(
            read_is_in::<Method>(args, cx)?.into_iter().map(|method| method.value.as_str().into()).collect(),
        ),
        Subject::Header => return read_header(subject.span, args, cx),
        Subject::Cookie => return read_cookie(subject.span, args, cx),
        Subject::Query => {
            args.split_sign(cx);
            let name = read_name(args, cx)?;
            let sign = args.take_sign(subject.span, false, cx);
            let test = read_text_test(subject.span, sign, args, cx, |test| Side::Query(name.clone(), test))?;
            return Some(signed(test, sign, subject.span.to(args.last)));
        }
        Subject::Authority => {
            return read_text_test(subject.span, sign, args, cx, |test| match test {
                HeaderTest::Text(text) => Side::Authority(text),
                HeaderTest::Present => Side::Authority(TextMatch::Prefix(SmolStr::default())),
            });
        }
        Subject::Scheme => {
            args.take_word("is", cx);
            Side::Scheme(TextMatch::Exact(Spanned::<Scheme>::read(args, cx)?.value.word().into()))
        }
        Subject::Port => {
            Side::Port(read_is_in::<Port>(args, cx)?.into_iter().map(|port| port.value).collect())
        }
        Subject::Source => return read_source(subject.span, args, cx),
        Subject::Gateway => Side::Gateway(read_gateway(args, cx)?),
        Subject::Sni => {
            Side::Sni(read_is_in::<SniHost>(args, cx)?.into_iter().map(|name| name.value).collect())
        }
        Subject::Destination => Side::Destination(
            read_is_in::<IpOrCidr>(args, cx)?.into_iter().map(|range| range.value).collect(),
        ),
    };
    Some(Condition::Test(Test { side, span: subject.span.to(args.last) }))
}

/// `is x`, `in [x, y]` or just `x`.
fn read_is_in<'p, L: Literal>(args: &mut Args<'p>, cx: &mut Reader<'_, 'p>) -> Option<Vec<Spanned<L>>> {
    if args.take_word("in", cx).is_some() {
        return List::read(args, cx).map(|list: List<_>| list.0);
    }
    args.take_word("is", cx);
    Some(vec![Spanned::read(args, cx)?])
}

fn read_gateway<'p>(args: &mut Args<'p>, cx: &mut Reader<'_, 'p>) -> Option<Entrance> {
    if args.take_word("mesh", cx).is_some() {
        return Some(Entrance::Mesh);
    }
    GatewayReference::read(args, cx).map(Entrance::Gateway)
}

words! {
    /// How a path is compared.
    enum PathComparison: "comparison" {
        Is = "is" | "exact" | "equals" | "eq" "the whole path is this",
        In = "in" "the whole path is one of these",
        Prefix = "prefix" | "starts-with" | "begins-with" "the path starts with this, byte by byte",
        Under = "under" | "path-separated-prefix" | "path-prefix" "the path is this, or continues after it with a `/`",
        Matches = "matches" | "regex" | "safe-regex" | "regexp" | "regular-expression" "this regular expression matches the whole path",
    }
}

fn read_path<'p>(
    start: Span,
    sign: Option<Sign>,
    args: &mut Args<'p>,
    cx: &mut Reader<'_, 'p>,
) -> Option<Written> {
    let comparison = match sign {
        Some(Sign::Is | Sign::IsNot) => PathComparison::Is,
        Some(Sign::Matches | Sign::MatchesNot) => PathComparison::Matches,
        None | Some(Sign::Late) if lacks_comparison(start, args, cx) => PathComparison::Is,
        None | Some(Sign::Late) => Spanned::<PathComparison>::read(args, cx)?.value,
    };
    let value = args.peek(cx).map(|term| term.span);
    let tests = match comparison {
        PathComparison::Is => vec![PathTest::Exact(Spanned::<Path>::read(args, cx)?.value.as_str().into())],
        PathComparison::In => {
            let List(paths) = List::<Spanned<Path>>::read(args, cx)?;
            paths.into_iter().map(|path| PathTest::Exact(path.value.as_str().into())).collect()
        }
        PathComparison::Prefix => {
            vec![PathTest::Prefix(Spanned::<PathPrefix>::read(args, cx)?.value.as_str().into())]
        }
        PathComparison::Under => {
            let path = Spanned::<PathPrefix>::read(args, cx)?;
            vec![under(path.value.as_str())]
        }
        PathComparison::Matches => {
            let pattern = Spanned::<Pattern>::read(args, cx)?;
            vec![PathTest::Pattern(pattern.value)]
        }
    };
    for (test, value) in tests.iter().zip(value) {
        report_odd_texts(test, value, cx);
    }
    let ignoring = args.take_word("ignoring-case", cx).is_some();
    let span = start.to(args.last);
    let (tests, ignore_case) = if ignoring { ignoring_case(tests, span, cx)? } else { (tests, false) };
    let side = |test| Condition::Test(Test { side: Side::Path(PathMatch { test, ignore_case }), span });
    Some(any(tests.into_iter().map(side).collect()))
}

/// Comparisons without letter case. To a regular expression no proxy adds that (Istio `ignoreUriCase`, Envoy `case_sensitive`): it
/// says so itself.
fn ignoring_case(tests: Vec<PathTest>, span: Span, cx: &mut Reader<'_, '_>) -> Option<(Vec<PathTest>, bool)> {
    let [PathTest::Pattern(pattern)] = tests.as_slice() else { return Some((tests, true)) };
    match Pattern::parse(&format!("(?i){pattern}")) {
        Ok(pattern) => Some((vec![PathTest::Pattern(pattern)], false)),
        Err(error) => {
            let report = Diagnostic::new(Code::BAD_PATTERN, span, error.message);
            cx.report(report.help("remove `ignoring-case`, and put `(?i)` into a shorter pattern"));
            None
        }
    }
}

/// `under "/"` is every path; elsewhere a closing `/` says nothing.
fn under(path: &str) -> PathTest {
    match path.strip_suffix('/') {
        Some("") => PathTest::Prefix("/".into()),
        Some(path) => PathTest::Under(path.into()),
        None => PathTest::Under(path.into()),
    }
}

fn any(mut alternatives: Vec<Written>) -> Written {
    match alternatives.pop() {
        Some(only) if alternatives.is_empty() => only,
        Some(last) => {
            alternatives.push(last);
            Condition::Any(alternatives)
        }
        None => Condition::All(Vec::new()),
    }
}

fn read_header<'p>(start: Span, args: &mut Args<'p>, cx: &mut Reader<'_, 'p>) -> Option<Written> {
    args.split_sign(cx);
    let name = Spanned::<MatchHeaderName>::read(args, cx)?.value;
    let sign = args.take_sign(start, true, cx);
    if args.take_word("absent", cx).is_some() {
        let span = start.to(args.last);
        let present = Condition::Test(Test { side: Side::Header(name, HeaderTest::Present), span });
        return Some(signed(Condition::Not(Box::new(present), span), sign, span));
    }
    let test = read_text_test(start, sign, args, cx, |test| Side::Header(name.clone(), test))?;
    Some(signed(test, sign, start.to(args.last)))
}

/// A cookie is a part of the `cookie` header, which lists all of them.
fn read_cookie<'p>(start: Span, args: &mut Args<'p>, cx: &mut Reader<'_, 'p>) -> Option<Written> {
    args.split_sign(cx);
    let name = Spanned::<CookieName>::read(args, cx)?;
    let sign = args.take_sign(start, true, cx);
    let is_compared = matches!(sign, Some(Sign::Is | Sign::IsNot));
    if !is_compared && args.take_word("is", cx).is_none() && !lacks_comparison(start, args, cx) {
        let name = name.value.as_str();
        let message = format!("`cookie {name}` needs `is` and a text");
        let help = format!(
            "write `cookie {name} is \"...\"`; any value is `header cookie matches r\"(.*; *)?{}=.*\"`",
            escape_literal(name)
        );
        cx.report(Diagnostic::new(Code::MISSING_ARGUMENT, args.last, message).help(help));
        return None;
    }
    let value = Spanned::<Text>::read(args, cx)?;
    if value.value.as_str().contains([';', '\n', '\t']) {
        let message = format!("no cookie has the value `{}`", value.value.as_str().escape_default());
        let help = "a `;` ends the value of a cookie: match each cookie separately, joined with `and`";
        cx.report(Diagnostic::new(Code::BAD_LITERAL, value.span, message).help(help));
        return None;
    }
    let (name, value_pattern) = (escape_literal(name.value.as_str()), escape_literal(value.value.as_str()));
    let pattern = format!("(.*; *)?{name}={value_pattern}(;.*)?");
    match (Pattern::parse(&pattern), MatchHeaderName::parse("cookie")) {
        (Ok(pattern), Ok(header)) => {
            let side = Side::Header(header, HeaderTest::Text(TextMatch::Pattern(pattern)));
            let span = start.to(args.last);
            Some(signed(Condition::Test(Test { side, span }), sign, span))
        }
        _ => {
            let message = "this cookie is too long to be matched";
            cx.report(Diagnostic::new(Code::BAD_LITERAL, value.span, message).help("match a shorter text"));
            None
        }
    }
}

fn read_text_test<'p>(
    start: Span,
    sign: Option<Sign>,
    args: &mut Args<'p>,
    cx: &mut Reader<'_, 'p>,
    side: impl Fn(HeaderTest) -> Side<Entrance>,
) -> Option<Written> {
    let test = |test, span| Condition::Test(Test { side: side(test), span });
    if args.take_label("present", &["exists", "present-match"], cx) {
        return Some(test(HeaderTest::Present, start.to(args.last)));
    }
    if !args.peek(cx).is_some_and(|term| term.text().is_some() || term.word().is_some()) {
        uncompared(start, args, cx);
        return None;
    }
    if args.take_word("in", cx).is_some() {
        let List(texts) = List::<Spanned<Text>>::read(args, cx)?;
        let exact = |text: Spanned<Text>| HeaderTest::Text(TextMatch::Exact(text.value.as_str().into()));
        let span = start.to(args.last);
        return Some(any(texts.into_iter().map(|text| test(exact(text), span)).collect()));
    }
    let comparison = match sign {
        Some(Sign::Is | Sign::IsNot) => Comparison::Is,
        Some(Sign::Matches | Sign::MatchesNot) => Comparison::Matches,
        None | Some(Sign::Late) if lacks_comparison(start, args, cx) => Comparison::Is,
        None | Some(Sign::Late) => Spanned::<Comparison>::read(args, cx)?.value,
    };
    let text = match comparison {
        Comparison::Is => TextMatch::Exact(Spanned::<Text>::read(args, cx)?.value.as_str().into()),
        Comparison::Prefix => {
            let text = Spanned::<Text>::read(args, cx)?;
            if text.value.as_str().is_empty() {
                let message = "every value has an empty prefix";
                let help = "write `present`, or a prefix";
                cx.report(Diagnostic::new(Code::BAD_LITERAL, text.span, message).help(help));
                return None;
            }
            TextMatch::Prefix(text.value.as_str().into())
        }
        Comparison::Matches => TextMatch::Pattern(Spanned::<Pattern>::read(args, cx)?.value),
    };
    Some(test(HeaderTest::Text(text), start.to(args.last)))
}

words! {
    /// What is known of a caller.
    enum SourceSide: "property of a client" {
        Namespace = "ns" | "namespace" | "source-namespace" "its namespace",
        Labels = "labels" | "label" | "source-labels" "labels of its workload",
    }
}

fn read_source<'p>(start: Span, args: &mut Args<'p>, cx: &mut Reader<'_, 'p>) -> Option<Written> {
    match Spanned::<SourceSide>::read(args, cx)?.value {
        SourceSide::Namespace => {
            let side = Side::SourceNamespace(Spanned::<Namespace>::read(args, cx)?.value);
            Some(Condition::Test(Test { side, span: start.to(args.last) }))
        }
        SourceSide::Labels => {
            let crate::reading::Comma(labels) = super::Labels::read(args, cx)?;
            let span = start.to(args.last);
            let test =
                |label: Spanned<Label>| Condition::Test(Test { side: Side::SourceLabel(label.value), span });
            Some(Condition::All(labels.into_iter().map(test).collect()))
        }
    }
}

/// A name that is written as a word or in quotes.
/// Envoy refuses longer names of query parameters.
const LONGEST_NAME: usize = 1024;

fn read_name<'p>(args: &mut Args<'p>, cx: &mut Reader<'_, 'p>) -> Option<SmolStr> {
    let term = args.expect("a name", cx)?;
    match term.text().map(|text| (text.len(), text)) {
        Some((1..=LONGEST_NAME, text)) => Some(SmolStr::new(text)),
        Some((length, _)) => {
            let message = format!("this name has {length} bytes; it may have 1 to {LONGEST_NAME}");
            let report = Diagnostic::new(Code::BAD_LITERAL, term.span, message);
            cx.report(report.consequence("no proxy would accept the configuration"));
            None
        }
        None => {
            literal::<Text>(&term, cx);
            None
        }
    }
}
