//! `host`: the ordered routes of one or more hosts, as they are written.

use super::Visibility;
use super::reference::{GatewayReference, Reference};
use super::route::{HttpRoute, Route, TcpRoute, TlsRoute};
use crate::reading::{
    Args, Attributes, Entry, Keyword, Reader, Repeat, Section, Shape, Spec, Syntax, Term, section,
    surplus_brackets,
};
use crate::values::{DnsLabel, HostPattern, ResourceName};
use meshc_language::{Code, Diagnostic, Span, Spanned, Statement};
use smol_str::SmolStr;

/// The ordered routes of one or more hosts.
#[derive(Clone, Debug)]
pub struct Host {
    /// The names it answers to.
    pub names: Vec<HostName>,
    /// Where requests for it come in; the mesh if nothing is said.
    pub via: Vec<Spanned<Via>>,
    /// What else it says.
    pub body: HostBody,
    /// Its routes in order: all kinds.
    pub routes: Vec<Route>,
    /// The statement without its block.
    pub span: Span,
    /// What stands in front of it.
    pub attributes: Option<Box<Attributes>>,
}

section! {
    /// What a host says beside its routes.
    pub struct HostBody {
        /// The name of its resource; made of the first host and the gateways by default, and of the first route in further blocks for that host: give them a `name` that stays when the route is renamed.
        once "name" name: Spanned<ResourceName>;
        /// Which namespaces its routes apply to. Istio: VirtualService.exportTo.
        once "visible" | "export-to" visibility: Visibility;
    }
}

/// One name of a host block.
#[derive(Clone, Debug)]
pub struct HostName {
    /// What it is by its form.
    pub kind: HostNameKind,
    /// Where it was written.
    pub span: Span,
    /// Where its value was written, if that is elsewhere.
    pub origin: Option<Span>,
}

/// What the name of a host block is, by its form.
#[derive(Clone, Debug)]
pub enum HostNameKind {
    /// A name without dots: a service or an external.
    Reference(Reference),
    /// A full host name or a wildcard, as it was written.
    Pattern(HostPattern, SmolStr),
    /// The name of a host block that is reached by delegation only.
    Delegate(SmolStr),
}

/// Where requests for a host come in, as it was written.
#[derive(Clone, Debug)]
pub enum Via {
    /// Sidecars.
    Mesh,
    /// A gateway.
    Gateway(GatewayReference),
    /// Routes of other hosts that delegate to it.
    Delegate,
}

/// The statements of a host block, in order.
#[derive(Clone, Debug, Default)]
struct HostStatements {
    body: HostBody,
    routes: Vec<Route>,
}

impl Section for HostStatements {
    fn statement<'p>(&mut self, key: &str, statement: Statement<'p>, cx: &mut Reader<'_, 'p>) -> bool {
        let route = match key {
            "route" => HttpRoute::read_statement(statement, cx).map(|route| route.0),
            "tls" => TlsRoute::read_statement(statement, cx).map(|route| route.0),
            "tcp" => TcpRoute::read_statement(statement, cx).map(|route| route.0),
            _ => return self.body.statement(key, statement, cx),
        };
        match route {
            Some(route) => self.routes.push(route),
            None => cx.lose(statement),
        }
        true
    }

    fn missing(&self, found: &mut dyn FnMut(&'static str)) {
        self.body.missing(found);
    }

    fn entries(entries: &mut Vec<Entry>) {
        entries.push(Entry {
            key: "route",
            synonyms: &["rule", "http", "location", "match", "routes"],
            docs: &["A rule for HTTP requests; the first whose condition is true is used. Istio: VirtualService.http."],
            repeat: Repeat::Many,
            spec: HttpRoute::spec,
        });
        entries.push(Entry {
            key: "tls",
            synonyms: &[],
            docs: &["A rule for TLS connections that pass through. Istio: VirtualService.tls."],
            repeat: Repeat::Many,
            spec: TlsRoute::spec,
        });
        entries.push(Entry {
            key: "tcp",
            synonyms: &[],
            docs: &["A rule for TCP connections. Istio: VirtualService.tcp."],
            repeat: Repeat::Many,
            spec: TcpRoute::spec,
        });
        HostBody::entries(entries);
    }
}

impl Keyword for Host {
    fn read_statement<'p>(statement: Statement<'p>, cx: &mut Reader<'_, 'p>) -> Option<Self> {
        let attributes = cx.attributes(statement);
        let mut args = Args::of(statement);
        let mut written = Vec::new();
        loop {
            let term = args.expect("a host name", cx)?;
            if let Shape::List(terms) = term.shape {
                if term.origin.is_none() {
                    surplus_brackets(term.span, cx);
                }
                written.extend(terms.into_iter().filter(|term| !matches!(term.shape, Shape::Comma)));
            } else {
                written.push(term);
            }
            if !args.take_comma(cx) {
                break;
            }
        }
        let via = match args.take_word("via", cx) {
            Some(_) => read_via(&mut args, cx),
            None => Vec::new(),
        };
        args.finish(&["via"], cx);
        let delegate = via.iter().any(|entrance| matches!(entrance.value, Via::Delegate));
        let names: Vec<HostName> = written.iter().filter_map(|term| read_name(term, delegate, cx)).collect();
        cx.lost |= names.len() < written.len();
        let statements: HostStatements = cx.required_section(statement)?;
        Some(Self {
            names,
            via,
            body: statements.body,
            routes: statements.routes,
            span: statement.head(),
            attributes,
        })
    }

    fn spec() -> Spec {
        let mut entries = Vec::new();
        HostStatements::entries(&mut entries);
        Spec {
            signature: "<host>, ... [via <gateway>, ..., mesh | via delegate]".to_owned(),
            types: Vec::new(),
            block: Some(entries),
        }
    }
}

/// `edge, mesh`; also `[edge, mesh]` and `gateway edge`, which are reported.
fn read_via<'p>(args: &mut Args<'p>, cx: &mut Reader<'_, 'p>) -> Vec<Spanned<Via>> {
    let owner = std::mem::replace(&mut args.owner, "via");
    // A gateway may have this name.
    if let [(_, true, _), (_, true, _)] = args.ahead(2, cx).as_slice() {
        args.skip_label(&["gateway", "gateways"], cx);
    }
    let is_list = args.peek(cx).is_some_and(|term| matches!(term.shape, Shape::List(_)));
    let list = if is_list { args.next(cx) } else { None };
    let entrances = match list {
        Some(Term { shape: Shape::List(terms), span, origin }) => {
            if origin.is_none() {
                surplus_brackets(span, cx);
            }
            let mut inner = Args::from_terms(terms, args.owner, span);
            let entrances = read_entrances(&mut inner, cx);
            inner.finish(&[], cx);
            entrances
        }
        _ => read_entrances(args, cx),
    };
    args.owner = owner;
    entrances
}

fn read_entrances<'p>(args: &mut Args<'p>, cx: &mut Reader<'_, 'p>) -> Vec<Spanned<Via>> {
    let mut entrances = Vec::new();
    loop {
        let entrance = if let Some(span) = args.take_word("mesh", cx) {
            Some(Spanned::new(Via::Mesh, span))
        } else if let Some(span) = args.take_word("delegate", cx) {
            Some(Spanned::new(Via::Delegate, span))
        } else {
            GatewayReference::read(args, cx).map(|gateway| {
                let span = gateway.span;
                Spanned::new(Via::Gateway(gateway), span)
            })
        };
        cx.lost |= entrance.is_none();
        entrances.extend(entrance);
        if !args.take_comma(cx) {
            return entrances;
        }
    }
}

fn read_name(term: &Term<'_>, delegate: bool, cx: &mut Reader<'_, '_>) -> Option<HostName> {
    let span = term.span;
    let Some(text) = term.word() else {
        if !matches!(term.shape, Shape::Unknown) {
            let message = format!("expected a host name, found {}", term.describe());
            cx.report_at(
                term,
                Diagnostic::new(Code::WRONG_FORM, span, message).help("write it without quotes"),
            );
        }
        return None;
    };
    if delegate {
        let kind =
            HostNameKind::Delegate(crate::reading::literal::<DnsLabel>(term, cx)?.value.as_str().into());
        return Some(HostName { kind, span, origin: term.origin });
    }
    let (namespace, name) = match text.split_once('/') {
        Some((namespace, name)) => (Some(SmolStr::new(namespace)), name),
        None => (None, text),
    };
    let is_url = text.contains("://");
    let is_full = is_url || namespace.is_none() && name.contains(['.', '*', ':']);
    let name = if is_url { text } else { name };
    let kind = if is_full {
        let pattern: Spanned<HostPattern> = crate::reading::literal(term, cx)?;
        HostNameKind::Pattern(pattern.value, name.into())
    } else {
        HostNameKind::Reference(Reference {
            namespace,
            name: name.into(),
            port: None,
            subset: None,
            name_span: span,
            used: term.origin.map(|_| term.span),
            span,
        })
    };
    Some(HostName { kind, span, origin: term.origin })
}
