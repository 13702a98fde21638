//! `route`, `tls route`, `tcp route`: one rule of a host, as it is written.

use super::condition::Written;
use super::reference::Reference;
use super::route_words::{is_share, read_mirrored, redirect_parts, trailing_words};
use super::shares::{self, Share};
use crate::policy::{HeaderOperations, SharedRouteOptions};
use crate::reading::{
    Args, Attributes, Boxed, Keyword, Misplaced, Reader, Section, Shape, Spec, Syntax, Term, TypeDoc,
    section, wherever_written,
};
use crate::values::{
    DnsLabel, Fqdn, Literal, Namespace, Path, PathPrefix, Percent, Port, Query, RedirectCode, Scheme,
    StatusCode, Text, Word,
};
use meshc_language::{Applicability, Block, Code, Diagnostic, Edit, Span, Spanned, Statement};

/// What a rule looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RouteKind {
    /// HTTP requests.
    Http,
    /// TLS connections that pass through, by the name that they ask for.
    Tls,
    /// TCP connections.
    Tcp,
}

impl RouteKind {
    /// As it is written.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Http => "route",
            Self::Tls => "tls route",
            Self::Tcp => "tcp route",
        }
    }
}

/// One rule of a host.
#[derive(Clone, Debug)]
pub struct Route {
    /// What it looks at.
    pub kind: RouteKind,
    /// Its name.
    pub name: Spanned<Word>,
    /// The condition, with its place from `when` on; none for every request.
    pub condition: Option<Spanned<Written>>,
    /// What is done.
    pub action: Action,
    /// What is done on the way.
    pub options: RouteOptions,
    /// Statements that belong to its destinations.
    pub misplaced: Vec<Misplaced>,
    /// The statement without its block.
    pub span: Span,
    /// What stands in front of it.
    pub attributes: Option<Box<Attributes>>,
    /// Whether a part of it could not be read.
    pub incomplete: bool,
}

/// What a route does.
#[derive(Clone, Debug)]
pub enum Action {
    /// Sends the request to one of these, by weight.
    Forward(Vec<WeightedReference>),
    /// Sends the caller elsewhere.
    Redirect(Box<Redirect>),
    /// Answers.
    Respond(Box<Respond>),
    /// Leaves it to the routes of another host block.
    Delegate(Delegate),
}

/// A destination and its share of the traffic.
#[derive(Clone, Debug)]
pub struct WeightedReference {
    /// The share; `None` for a destination that stands alone.
    pub weight: Option<Spanned<Percent>>,
    /// The destination.
    pub reference: Reference,
    /// Header operations for this destination only.
    pub headers: DestinationHeaders,
}

section! {
    /// Header operations for one destination.
    pub struct DestinationHeaders {
        /// Headers set, added or removed on the way to it. Istio: HTTPRouteDestination.headers.request.
        once "request-headers" request: Boxed<HeaderOperations>;
        /// Headers set, added or removed in responses. Istio: HTTPRouteDestination.headers.response.
        once "response-headers" response: Boxed<HeaderOperations>;
    }
}

section! {
    /// The options of a route.
    pub struct RouteOptions {
        /// A copy of the requests goes here too; its answers are thrown away. Istio: HTTPRoute.mirror, mirrors.
        many "mirror" | "mirrors" | "shadow" | "request-mirror-policies" mirrors: Mirror;
        /// A `policy` whose statements apply unless they are here too.
        many "policy" policies: Spanned<Word>;
    }
    flatten { shared: SharedRouteOptions }
}

/// `mirror 10% to reviews@v3`.
#[derive(Clone, Debug)]
pub struct Mirror {
    /// The share of requests; all of them by default.
    pub share: Option<Spanned<Percent>>,
    /// Where they go.
    pub reference: Reference,
    /// Where it was written.
    pub span: Span,
}

wherever_written!(Mirror { share, reference } at { span });

impl Syntax for Mirror {
    fn read<'p>(args: &mut Args<'p>, cx: &mut Reader<'_, 'p>) -> Option<Self> {
        let start = args.start(cx);
        let (share, reference) = read_mirrored(args, cx)?;
        Some(Self { share, reference, span: start.to(args.last) })
    }

    fn signature() -> String {
        "[<percentage>] to <destination>".to_owned()
    }

    fn types(types: &mut Vec<TypeDoc>) {
        Reference::types(types);
    }
}

/// `redirect 301 [scheme https] [host x] [path "/y"] [prefix "/y"] [port 443]` (Istio `HTTPRedirect`).
#[derive(Clone, Debug)]
pub struct Redirect {
    /// The status; 301 by default.
    pub code: Spanned<RedirectCode>,
    /// The scheme, if it changes.
    pub scheme: Option<Spanned<Scheme>>,
    /// The host, if it changes.
    pub host: Option<Spanned<Fqdn>>,
    /// The path, if all of it changes.
    pub path: Option<Spanned<Path>>,
    /// What takes the place of the prefix that the condition asks for.
    pub prefix: Option<Spanned<PathPrefix>>,
    /// The port, if it changes.
    pub port: Option<RedirectPort>,
    /// What becomes of the query; it stays if nothing is said.
    pub query: Option<Spanned<RedirectQuery>>,
    /// Where it was written.
    pub span: Span,
}

wherever_written!(Redirect { code, scheme, host, path, prefix, port, query } at { span });

/// The query of a redirect.
#[derive(Clone, Debug, PartialEq)]
pub enum RedirectQuery {
    /// It stays.
    Keep,
    /// It is left out (Envoy `RedirectAction.strip_query`).
    Drop,
    /// It becomes this one.
    New(Query),
}

/// The port of a redirect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RedirectPort {
    /// This one.
    Number(Port),
    /// The one that the request came in on.
    FromRequest,
    /// The usual one of the scheme.
    FromProtocol,
}

/// `respond 404 ["body"]` (Istio `HTTPDirectResponse`).
#[derive(Clone, Debug, PartialEq)]
pub struct Respond {
    /// The status.
    pub status: Spanned<StatusCode>,
    /// The body.
    pub body: Option<Spanned<Text>>,
}

/// `delegate namespace/name` (Istio `Delegate`).
#[derive(Clone, Debug)]
pub struct Delegate {
    /// The namespace; that of the route by default.
    pub namespace: Option<Namespace>,
    /// The name of the host block, which is bound `via delegate`.
    pub name: DnsLabel,
    /// Where it was written.
    pub span: Span,
}

wherever_written!(Delegate { namespace, name } at { span });

impl Route {
    /// Reads `route ...`; for `tls route ...` and `tcp route ...` the first word has been taken.
    fn read_kind<'p>(kind: RouteKind, statement: Statement<'p>, cx: &mut Reader<'_, 'p>) -> Option<Self> {
        let attributes = cx.attributes(statement);
        let before = cx.reports.len();
        let mut args = Args::of(statement);
        if kind != RouteKind::Http && args.take_word("route", cx).is_none() {
            args.missing("`route`", cx);
            return None;
        }
        let name = Spanned::<Word>::read(&mut args, cx)?;
        let mut condition = None;
        if let Some(when) = args.take_word("when", cx) {
            let written = Written::read_bounded(&mut args, cx)?;
            condition = Some(Spanned::new(written, Span { start: when.start, ..when.to(args.last) }));
        }
        if !take_arrow(&mut args, cx) {
            return None;
        }
        let action = read_action(kind, statement, &mut args, cx)?;
        args.finish(&["when", "and", "or"], cx);
        let (options, misplaced) = cx.with_misplaced(|cx| cx.optional_section(statement));
        let incomplete =
            cx.reports.get(before..).is_some_and(|new| new.iter().any(Diagnostic::leaves_a_hole));
        Some(Self {
            kind,
            name,
            condition,
            action,
            options,
            misplaced,
            span: statement.head(),
            attributes,
            incomplete,
        })
    }
}

/// What others write for `->`, and what word processors make of it.
const ARROWS: &[&str] =
    &["=>", "to", ":", "\u{2192}", "\u{21d2}", "-->", "\u{2013}>", "\u{2014}>", "\u{2013}", "\u{2014}"];

fn take_arrow<'p>(args: &mut Args<'p>, cx: &mut Reader<'_, 'p>) -> bool {
    if args.peek(cx).is_some_and(|term| matches!(term.shape, Shape::Arrow)) {
        args.next(cx);
        return true;
    }
    if args.peek(cx).and_then(|term| term.word()).is_some_and(|word| ARROWS.contains(&word)) {
        return args.next(cx).is_some_and(|term| {
            let edit = Edit { span: term.span, replacement: "->".to_owned() };
            cx.foreign(term.span, "->", Applicability::Safe, vec![edit]);
            true
        });
    }
    match args.peek(cx).map(|term| (term.describe(), term.span, matches!(term.shape, Shape::Unknown))) {
        Some((_, _, true)) => {}
        Some((found, span, false)) => {
            let message = format!("expected `when` or `->`, found {found}");
            let help =
                "write `route NAME [when CONDITION] -> DESTINATION`; join conditions with `and` or `or`";
            cx.report(Diagnostic::new(Code::UNEXPECTED_ARGUMENT, span, message).help(help));
        }
        None => args.missing("`->` and what to do", cx),
    }
    false
}

/// Words that begin an action. Alone they are names of destinations.
pub(crate) const ACTION_WORDS: &[&str] = &["redirect", "respond", "delegate"];

/// Whether nothing of an action follows the next word.
fn stands_alone<'p>(args: &mut Args<'p>, cx: &mut Reader<'_, 'p>) -> bool {
    let last = args.last;
    let Some(word) = args.next(cx) else { return false };
    let alone = args.peek(cx).is_none_or(|next| matches!(next.shape, Shape::Comma | Shape::Block(_)));
    args.put_back(word);
    args.last = last;
    alone
}

fn read_action<'p>(
    kind: RouteKind,
    statement: Statement<'p>,
    args: &mut Args<'p>,
    cx: &mut Reader<'_, 'p>,
) -> Option<Action> {
    let word = args.peek(cx).and_then(|term| term.word()).unwrap_or_default().to_owned();
    let word = match word.as_str() {
        "return" | "direct-response" | "directResponse" | "respond-with" | "response" => "respond",
        other => other,
    };
    let special = ACTION_WORDS.contains(&word);
    if special && stands_alone(args, cx) {
        return read_destinations(statement, args, cx).map(Action::Forward);
    }
    if special && kind != RouteKind::Http {
        let span = args.next(cx)?.span;
        let message = format!("a `{}` cannot `{word}`", kind.word());
        let help = "a TCP or TLS route needs a destination";
        cx.report(Diagnostic::new(Code::UNEXPECTED_ARGUMENT, span, message).help(help));
        return None;
    }
    match word {
        "redirect" => read_redirect(args, cx).map(|redirect| Action::Redirect(Box::new(redirect))),
        "respond" => {
            if take_returned_redirect(args, cx) {
                return None;
            }
            let start = args.start(cx);
            args.take_label("respond", &["return", "direct-response", "respond-with", "response"], cx);
            args.owner = "respond";
            args.skip_label(&["status"], cx);
            let status: Spanned<StatusCode> = Spanned::read(args, cx)?;
            let start = if status.span.start > start.start { start.to(status.span) } else { status.span };
            args.owner = cx.written(start).unwrap_or("respond");
            args.skip_label(&["body"], cx);
            let body = if args.at_end(cx) { None } else { Some(Spanned::read(args, cx)?) };
            Some(Action::Respond(Box::new(Respond { status, body })))
        }
        "delegate" => read_delegate(args, cx),
        _ => read_destinations(statement, args, cx).map(Action::Forward),
    }
}

/// nginx's `return 301 URL` redirects; reports it with the statement for that. What comes after it is not read.
fn take_returned_redirect<'p>(args: &mut Args<'p>, cx: &mut Reader<'_, 'p>) -> bool {
    let Some(term) = args.peek(cx).filter(|term| term.origin.is_none() && term.word() == Some("return"))
    else {
        return false;
    };
    let span = term.span;
    let Some(term) = args.next(cx) else { return false };
    let code = args.peek(cx).and_then(|next| next.word()).filter(|word| RedirectCode::parse(word).is_ok());
    let Some(code) = code.map(str::to_owned) else {
        args.put_back(term);
        return false;
    };
    let right = format!("redirect {code} scheme https host b.com");
    cx.foreign(span, &right, Applicability::Unsafe, vec![Edit { span, replacement: "redirect".to_owned() }]);
    while args.next(cx).is_some() {}
    cx.lost = true;
    true
}

fn read_redirect<'p>(args: &mut Args<'p>, cx: &mut Reader<'_, 'p>) -> Option<Redirect> {
    let span = args.next(cx)?.span;
    read_redirect_parts(args, cx);
    args.owner = "redirect";
    args.skip_label(&["code", "status", "redirect-code", "permanent"], cx);
    let code = match args.peek(cx).and_then(|term| term.word()) {
        Some(word) if word.starts_with(|char: char| char.is_ascii_digit()) => Spanned::read(args, cx)?,
        _ => Spanned::new(RedirectCode::parse("301").ok()?, span),
    };
    read_redirect_parts(args, cx);
    let mut redirect =
        Redirect { code, scheme: None, host: None, path: None, prefix: None, port: None, query: None, span };
    loop {
        if redirect.scheme.is_none() && args.take_label("scheme", &["scheme-redirect"], cx) {
            redirect.scheme = Some(Spanned::read(args, cx)?);
        } else if redirect.host.is_none() && args.take_label("host", &["authority", "host-redirect"], cx) {
            redirect.host = Some(Spanned::read(args, cx)?);
        } else if redirect.path.is_none() && args.take_label("path", &["uri", "path-redirect"], cx) {
            redirect.path = Some(Spanned::read(args, cx)?);
        } else if redirect.prefix.is_none() && args.take_label("prefix", &["prefix-rewrite"], cx) {
            redirect.prefix = Some(Spanned::read(args, cx)?);
        } else if redirect.port.is_none() && args.take_label("port", &["port-redirect"], cx) {
            redirect.port = Some(match args.peek(cx).and_then(|term| term.word()) {
                Some("from-request") => args.next(cx).map(|_| RedirectPort::FromRequest)?,
                Some("from-protocol") => args.next(cx).map(|_| RedirectPort::FromProtocol)?,
                _ => RedirectPort::Number(Spanned::<Port>::read(args, cx)?.value),
            });
        } else if redirect.query.is_none() && args.take_label("query", &[], cx) {
            redirect.query = Some(read_redirect_query(args, cx)?);
        } else {
            args.finish(&["scheme", "host", "path", "prefix", "port", "query"], cx);
            redirect.span = span.to(args.last);
            return Some(redirect);
        }
    }
}

/// `redirect https://b.com/x`, `redirect "/x"`: where it leads in one piece, which others write so.
fn read_redirect_parts<'p>(args: &mut Args<'p>, cx: &mut Reader<'_, 'p>) {
    let is_whole = |term: &Term<'_>| {
        matches!(term.shape, Shape::Text(_))
            || term.word().is_some_and(|word| word.contains("://") || word.starts_with('/'))
    };
    if let Some(place) = args.peek(cx).filter(|term| is_whole(term)).map(|term| term.span) {
        redirect_parts(place, args, cx);
    }
}

fn read_redirect_query<'p>(args: &mut Args<'p>, cx: &mut Reader<'_, 'p>) -> Option<Spanned<RedirectQuery>> {
    if let Some(span) = args.take_word("keep", cx) {
        return Some(Spanned::new(RedirectQuery::Keep, span));
    }
    if let Some(span) = args.take_word("drop", cx) {
        return Some(Spanned::new(RedirectQuery::Drop, span));
    }
    let query = Spanned::<Query>::read(args, cx)?;
    Some(Spanned::new(RedirectQuery::New(query.value), query.span))
}

fn read_delegate<'p>(args: &mut Args<'p>, cx: &mut Reader<'_, 'p>) -> Option<Action> {
    args.next(cx);
    let term = args.expect("the name of a host block", cx)?;
    let text = term.word().unwrap_or_default();
    let (namespace, name) = match text.split_once('/') {
        Some((namespace, name)) => (Some(Namespace::parse(namespace)), DnsLabel::parse(name)),
        None => (None, DnsLabel::parse(text)),
    };
    match (namespace.transpose(), name) {
        (Ok(namespace), Ok(name)) => Some(Action::Delegate(Delegate { namespace, name, span: term.span })),
        (Err(error), _) | (_, Err(error)) => {
            cx.report_at(
                &term,
                Diagnostic::new(Code::BAD_LITERAL, term.span, error.message).maybe_help(error.help),
            );
            None
        }
    }
}

struct Parsed<'p> {
    share: Share,
    reference: Reference,
    block: Option<Block<'p>>,
    span: Span,
}

fn read_destinations<'p>(
    statement: Statement<'p>,
    args: &mut Args<'p>,
    cx: &mut Reader<'_, 'p>,
) -> Option<Vec<WeightedReference>> {
    let mut parsed = Vec::new();
    loop {
        parsed.push(read_destination(args, cx)?);
        if !args.take_comma(cx) {
            break;
        }
    }
    report_ambiguous_block(statement, &parsed, cx);
    let weights =
        shares::of_destinations(&parsed.iter().map(|part| (part.share, part.span)).collect::<Vec<_>>(), cx);
    let mut destinations = Vec::with_capacity(parsed.len());
    for (part, weight) in parsed.into_iter().zip(weights?) {
        let headers = match part.block {
            Some(block) => cx.section::<DestinationHeaders>(statement, block),
            None => DestinationHeaders::default(),
        };
        destinations.push(WeightedReference { weight, reference: part.reference, headers });
    }
    Some(destinations)
}

fn read_destination<'p>(args: &mut Args<'p>, cx: &mut Reader<'_, 'p>) -> Option<Parsed<'p>> {
    let first = args.peek(cx).map(|term| term.span);
    let share = match args.peek(cx).and_then(|term| term.word()) {
        Some("rest") => {
            let rest = args.next(cx)?;
            // Alone it is the name of a destination.
            let is_name = args.peek(cx).is_none_or(|next| !matches!(next.shape, Shape::Word(_)));
            let share = if is_name { Share::None } else { Share::Rest(rest.span) };
            if is_name {
                args.put_back(rest);
            }
            share
        }
        Some(word) if is_share(word) => Share::Percent(Spanned::read(args, cx)?),
        _ => Share::None,
    };
    let mut reference = Reference::read(args, cx)?;
    let share = trailing_words(share, &mut reference, args, cx)?;
    let block =
        args.peek(cx).and_then(|term| if let Shape::Block(block) = term.shape { Some(block) } else { None });
    if block.is_some() {
        args.next(cx);
    }
    let span = first.unwrap_or(reference.span).to(reference.span);
    Some(Parsed { share, reference, block, span })
}

/// The block at the end of a route is the route's. Where another destination has a block, and this one holds nothing but
/// header operations, the author may have meant the last destination.
fn report_ambiguous_block(statement: Statement<'_>, parsed: &[Parsed<'_>], cx: &mut Reader<'_, '_>) {
    let Some(block) = statement.block() else { return };
    if !parsed.iter().any(|part| part.block.is_some())
        || parsed.last().is_some_and(|part| part.block.is_some())
    {
        return;
    }
    let is_header = |inner: Statement<'_>| {
        inner
            .keyword()
            .and_then(|key| key.word())
            .is_some_and(|key| matches!(key, "request-headers" | "response-headers"))
    };
    let mut inner = block.statements().peekable();
    if inner.peek().is_some() && inner.all(is_header) {
        let message = "this block could belong to the route or to its last destination";
        cx.report(
            Diagnostic::new(Code::AMBIGUOUS_BLOCK, block.span().part(0, 1), message)
                .consequence("as part of the route, these operations apply to every destination")
                .help("write `{}` after it if it belongs to the last destination, or move these statements before the blocks of the other destinations")
                .edit(meshc_language::Applicability::Unsafe, block.span().after(), " {}"),
        );
    }
}

/// `route NAME ...`.
#[derive(Clone, Debug)]
pub(super) struct HttpRoute(pub(super) Route);
/// `tls route NAME ...`.
#[derive(Clone, Debug)]
pub(super) struct TlsRoute(pub(super) Route);
/// `tcp route NAME ...`.
#[derive(Clone, Debug)]
pub(super) struct TcpRoute(pub(super) Route);

macro_rules! route_keyword {
    ($name:ident, $kind:ident, $signature:literal) => {
        impl Keyword for $name {
            fn read_statement<'p>(statement: Statement<'p>, cx: &mut Reader<'_, 'p>) -> Option<Self> {
                Route::read_kind(RouteKind::$kind, statement, cx).map(Self)
            }

            fn spec() -> Spec {
                let mut entries = Vec::new();
                RouteOptions::entries(&mut entries);
                let mut types = Vec::new();
                Reference::types(&mut types);
                let block = matches!(RouteKind::$kind, RouteKind::Http).then_some(entries);
                Spec { signature: $signature.to_owned(), types, block }
            }
        }
    };
}

route_keyword!(
    HttpRoute,
    Http,
    "<name> [when <condition>] -> [<percentage> | rest] <destination>, ... | redirect [<code>] [scheme <scheme>] [host <host name>] [path <path>] [prefix <path>] [port <port> | from-request | from-protocol] [query keep | drop | <query>] | respond <status> [<text>] | delegate [<namespace>/]<name>"
);
route_keyword!(TlsRoute, Tls, "route <name> when <condition> -> [<percentage> | rest] <destination>, ...");
route_keyword!(TcpRoute, Tcp, "route <name> [when <condition>] -> [<percentage> | rest] <destination>, ...");
