//! `host`: the ordered routes of one or more user-addressed hosts.

use super::arena::Id;
use super::destination::{DestinationId, GatewayReference, Reference};
use super::directory::Found;
use super::gateway::Gateway;
use super::route::{HttpRoute, Route, TcpRoute, TlsRoute};
use super::visibility::Visibility;
use super::{Mesh, Resource};
use crate::reading::{
    Args, Attributes, Entry, Keyword, Reader, Repeat, Section, Shape, Spec, Term, section, surplus_brackets,
    wherever_written,
};
use crate::values::{HostPattern, Literal, ResourceName};
use meshc_language::{Applicability, Code, Diagnostic, Span, Spanned, Statement};
use smol_str::SmolStr;

/// The ordered routes of one or more hosts (Istio `VirtualService`).
#[derive(Clone, Debug)]
pub struct Host {
    /// The names it answers to. None for one that is reached by delegation only.
    pub names: Vec<HostName>,
    /// Where requests for it come in; the mesh if nothing is said.
    pub via: Vec<Binding>,
    /// What else it says.
    pub body: HostBody,
    /// Its routes in order: all kinds, as they were written.
    pub routes: Vec<Route>,
    /// The statement without its block.
    pub span: Span,
    /// What stands in front of it.
    pub attributes: Option<Box<Attributes>>,
}

wherever_written!(Host { names, via, body, routes, attributes } at { span });

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
    /// What it names.
    pub kind: HostNameKind,
    /// The host names that it stands for, as Istio gets them; none for a delegate.
    pub patterns: Vec<HostPattern>,
    /// Where it was written.
    pub span: Span,
}

wherever_written!(HostName { kind, patterns } at { span });

/// What the name of a host block names.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum HostNameKind {
    /// A service, or the hosts of an external.
    Destination(DestinationId),
    /// A full host name or a wildcard.
    Pattern(HostPattern),
    /// The name of a host block that is reached by delegation only.
    Delegate(SmolStr),
}

/// Where requests for a host come in.
#[derive(Clone, Debug)]
pub struct Binding {
    /// Where.
    pub kind: BindingKind,
    /// Where it was written.
    pub span: Span,
}

wherever_written!(Binding { kind } at { span });

/// Where requests for a host come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BindingKind {
    /// Sidecars.
    Mesh,
    /// A gateway.
    Gateway(Id<Resource<Gateway>>),
    /// Routes of other hosts that delegate to it.
    Delegate,
}

impl Host {
    /// Whether sidecars use its routes.
    #[must_use]
    pub fn in_mesh(&self) -> bool {
        self.via.is_empty() || self.via.iter().any(|binding| binding.kind == BindingKind::Mesh)
    }

    /// Whether it is reached by delegation only.
    #[must_use]
    pub fn is_delegate(&self) -> bool {
        self.via.iter().any(|binding| binding.kind == BindingKind::Delegate)
    }

    /// The gateways that it is bound to.
    pub fn gateways(&self) -> impl Iterator<Item = (Id<Resource<Gateway>>, Span)> {
        self.via.iter().filter_map(|binding| match binding.kind {
            BindingKind::Gateway(id) => Some((id, binding.span)),
            BindingKind::Mesh | BindingKind::Delegate => None,
        })
    }
}

impl HostName {
    fn pattern(pattern: HostPattern, span: Span) -> Self {
        Self { patterns: vec![pattern.clone()], kind: HostNameKind::Pattern(pattern), span }
    }

    fn destination(id: DestinationId, mesh: &Mesh, span: Span) -> Self {
        let patterns = match id {
            DestinationId::Service(id) => {
                let host = mesh.services.get(id).map(|service| mesh.service_host(service));
                host.and_then(|host| HostPattern::parse(&host).ok()).into_iter().collect()
            }
            DestinationId::External(id) => {
                let hosts = mesh.externals.get(id).and_then(|external| external.body.hosts.as_ref());
                hosts.into_iter().flat_map(|hosts| hosts.iter().map(|host| host.value.clone())).collect()
            }
        };
        Self { kind: HostNameKind::Destination(id), patterns, span }
    }
}

impl Host {
    /// The host names that it answers to, as Istio gets them, each with the place of the name that stands for it.
    pub fn patterns(&self) -> impl Iterator<Item = (&HostPattern, Span)> {
        self.names.iter().flat_map(|name| name.patterns.iter().map(|pattern| (pattern, name.span)))
    }
}

/// The statements of a host block, in order.
#[derive(Clone, Debug, Default, PartialEq)]
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
            None => cx.lost = true,
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
        let via = if args.take_word("via", cx).is_some() { read_bindings(&mut args, cx) } else { Vec::new() };
        args.finish(&["via"], cx);
        let delegate = via.iter().any(|binding| binding.kind == BindingKind::Delegate);
        let names: Vec<HostName> = written.iter().filter_map(|term| read_name(term, delegate, cx)).collect();
        cx.own_host = own_service(&names, &via);
        let statements: Option<HostStatements> = cx.required_section(statement);
        cx.own_host = None;
        let statements = statements?;
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

/// The service that a host block is for, if it is for one alone and inside the mesh: callers choose the port.
fn own_service(names: &[HostName], via: &[Binding]) -> Option<DestinationId> {
    let in_mesh = via.iter().all(|binding| binding.kind == BindingKind::Mesh);
    match names {
        [
            HostName {
                kind: HostNameKind::Destination(id @ DestinationId::Service(_)),
                patterns: _,
                span: _,
            },
        ] if in_mesh => Some(*id),
        _ => None,
    }
}

fn read_bindings<'p>(args: &mut Args<'p>, cx: &mut Reader<'_, 'p>) -> Vec<Binding> {
    let mut bindings: Vec<Binding> = Vec::new();
    loop {
        let binding = if let Some(span) = args.take_word("mesh", cx) {
            Some(Binding { kind: BindingKind::Mesh, span })
        } else if let Some(span) = args.take_word("delegate", cx) {
            Some(Binding { kind: BindingKind::Delegate, span })
        } else {
            let reference = <GatewayReference as crate::reading::Syntax>::read(args, cx);
            let id = reference.as_ref().and_then(|reference| cx.mesh?.gateway(reference, cx));
            reference
                .zip(id)
                .map(|(reference, id)| Binding { kind: BindingKind::Gateway(id), span: reference.span })
        };
        match binding {
            Some(binding) if bindings.iter().any(|earlier| earlier.kind == binding.kind) => {
                let message = "this binding is given twice";
                cx.report(
                    Diagnostic::new(Code::REPEATED_STATEMENT, binding.span, message)
                        .help("remove one of them"),
                );
            }
            Some(binding) => bindings.push(binding),
            None => cx.lost = true,
        }
        if !args.take_comma(cx) {
            break;
        }
    }
    if bindings.len() > 1
        && let Some(delegate) = bindings.iter().find(|binding| binding.kind == BindingKind::Delegate)
    {
        let message = "a delegate has no other binding";
        let report = Diagnostic::new(Code::BAD_DELEGATION, delegate.span, message);
        cx.report(
            report
                .consequence("Istio would refuse it")
                .help("make a host block of its own for the delegation"),
        );
    }
    bindings
}

/// A host that ends in the middle of a service's name is one that Istio serves as it stands, on the port of hosts that it does not
/// know.
#[cold]
fn half_a_host(name: &str, half: Diagnostic) -> Diagnostic {
    let mut report = Diagnostic::new(Code::ONLY_PORT_80, half.span, half.message).consequence(format!(
        "Istio would route requests for `{name}` itself, on port 80 only, and none for the service"
    ));
    report.help = half.help;
    report.fix = half.fix;
    if let Some(fix) = &mut report.fix {
        fix.applicability = Applicability::Unsafe;
    }
    report
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
        let kind = HostNameKind::Delegate(
            crate::reading::literal::<crate::values::DnsLabel>(term, cx)?.value.as_str().into(),
        );
        return Some(HostName { kind, patterns: Vec::new(), span });
    }
    let (namespace, name) = match text.split_once('/') {
        Some((namespace, name)) => (Some(SmolStr::new(namespace)), name),
        None => (None, text),
    };
    let dotted = name.contains(['.', '*', ':']);
    let mesh = cx.mesh?;
    if dotted && namespace.is_none() {
        let own = cx.namespace();
        if let Some(report) = mesh.directory.half_a_name(name, span, own.map(|own| own.as_str())) {
            cx.report_at(term, half_a_host(name, report));
        }
        let pattern: Spanned<HostPattern> = crate::reading::literal(term, cx)?;
        return Some(HostName::pattern(pattern.value, span));
    }
    if name == "*" {
        return Some(HostName::pattern(HostPattern::parse("*").ok()?, span));
    }
    let reference = Reference {
        namespace,
        name: name.into(),
        port: None,
        subset: None,
        name_span: span,
        used: term.origin.map(|_| term.span),
        span,
    };
    let own = cx.namespace();
    let own = own.map(|namespace| namespace.as_str());
    match mesh.directory.find(&reference, own) {
        Found::Destination(id, _) => Some(HostName::destination(id, mesh, span)),
        Found::Broken => None,
        Found::Nothing => {
            let mut report = mesh.directory.unknown(&reference, own);
            report.consequence = Some("Istio would route a host that no client can address".to_owned());
            if let Some(fix) = &mut report.fix {
                fix.applicability = Applicability::Unsafe;
            }
            cx.report_at(term, report);
            None
        }
    }
}
