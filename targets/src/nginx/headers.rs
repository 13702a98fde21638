//! Header operations, put together: nginx sets a header once.
//!
//! nginx forgets all headers that are set further out once a location sets one. Those that every request gets or loses
//! stand in a file of their own, which such a location includes.

use super::builder::Builder;
use super::conditions::header_variable;
use super::cors;
use super::directive::{Directive, line};
use super::module::Module;
use super::rewrite;
use super::text;
use meshc_compiler::model::DestinationHeaders;
use meshc_compiler::policy::{HeaderOperations, HeaderOperationsBody};
use meshc_compiler::routing::matcher::authority_set;
use meshc_compiler::routing::{Proxy, Rule, TlsKind, TlsServer};
use meshc_compiler::values::{HeaderName, Literal};
use meshc_language::Span;

/// Headers of the connection and the message: nginx writes them itself.
const OWN: [&str; 8] = [
    "connection",
    "upgrade",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "content-length",
    "proxy-connection",
];
/// Headers of answers that nginx writes itself, whatever it is told.
const OWN_OF_ANSWERS: [&str; 2] = ["server", "date"];

/// Headers by which proxies tell each other who called and what to do with a request. A caller's own are dropped, as Envoy does
/// (`mutateRequestHeaders` of its connection manager).
const OF_PROXIES: [&str; 15] = [
    "X-Envoy-Internal",
    "X-Envoy-Retry-On",
    "X-Envoy-Retry-Grpc-On",
    "X-Envoy-Max-Retries",
    "X-Envoy-Retriable-Status-Codes",
    "X-Envoy-Retriable-Header-Names",
    "X-Envoy-Hedge-On-Per-Try-Timeout",
    "X-Envoy-Upstream-Alt-Stat-Name",
    "X-Envoy-Upstream-Rq-Timeout-Ms",
    "X-Envoy-Upstream-Rq-Per-Try-Timeout-Ms",
    "X-Envoy-Upstream-Rq-Timeout-Alt-Response",
    "X-Envoy-Upstream-Stream-Duration-Ms",
    "X-Envoy-Expected-Rq-Timeout-Ms",
    "X-Envoy-Force-Trace",
    "X-Envoy-Ip-Tags",
];
/// Those that Envoy drops only where callers are strangers (`use_remote_address`).
const OF_PROXIES_BEHIND: [&str; 6] = [
    "X-Envoy-Decorator-Operation",
    "X-Envoy-Downstream-Service-Cluster",
    "X-Envoy-Downstream-Service-Node",
    "X-Envoy-Original-Path",
    "X-Envoy-Original-Host",
    "X-Envoy-Original-Url",
];
/// Who has a certificate, in Envoy's words. What a caller says there is dropped.
const CLIENT_CERTIFICATE: &str = "X-Forwarded-Client-Cert";
/// A header of the connection that nginx itself would pass on.
const OF_CONNECTION: &str = "Proxy-Connection";

/// What becomes of one header.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Change {
    /// The name as it was written.
    name: String,
    /// Whether the value of the message stays.
    keeps: bool,
    /// Values, in a place where nginx reads variables.
    values: Vec<String>,
    span: Span,
}

/// All operations on the headers of a request and its answer.
#[derive(Clone, Debug, Default)]
pub(super) struct Operations {
    host: String,
    request: Vec<Change>,
    response: Vec<Change>,
}

impl Operations {
    /// Those of a rule, and of one destination of it, which has the last word.
    pub(super) fn of(rule: &Rule, to: Option<&DestinationHeaders>, builder: &mut Builder<'_>) -> Self {
        let mut all = Self { host: rewrite::host_value(&rule.options.rewrite), ..Self::default() };
        let (request, response) = match to {
            Some(DestinationHeaders { request, response }) => (request.as_deref(), response.as_deref()),
            None => (None, None),
        };
        let (outer, back) =
            (rule.options.request_headers.as_deref(), rule.options.response_headers.as_deref());
        let beside = outer.map(|outer| outer.beside(request));
        all.request = changes(&[request, beside.as_ref()], false, builder);
        let back = back.map(|back| back.beside(response));
        all.response = changes(&[response, back.as_ref()], true, builder);
        // `rewrite host` comes before a host among the operations: delegation may bring both together.
        let set = authority_set(&[outer, request]);
        if let Some(host) = set.filter(|_| rewrite::host(&rule.options.rewrite).is_none()) {
            all.host = text::literal(&host.replace("%%", "%"));
        }
        all
    }

    /// The same for a copy, which no connection becomes another protocol with: nginx would end that of the request.
    pub(super) fn of_copy(mut self, span: Span) -> Self {
        let left = ["Connection", "Upgrade"].map(|name| Change {
            name: name.to_owned(),
            keeps: false,
            values: Vec::new(),
            span,
        });
        self.request.extend(left);
        self
    }

    /// The host that requests are given, without a port, if all are given one.
    pub(super) fn fixed_host(&self) -> Option<&str> {
        let host = self.host.rsplit_once(':').map_or(self.host.as_str(), |(host, _)| host);
        (!host.contains('$')).then_some(host)
    }

    /// The headers of the request. nginx takes none of those that stand further out once one
    /// stands here, so all are written.
    pub(super) fn request_lines(&self, module: Module, builder: &mut Builder<'_>) -> Vec<Directive> {
        let directive = module.directive("set_header");
        let is_usual = self.host == super::conditions::AUTHORITY && self.request.is_empty();
        if is_usual {
            return Vec::new();
        }
        let mut lines = vec![line![directive.clone(), "Host", self.host.clone()]];
        let usual = usual(module, Callers::of(builder.proxy));
        let changes = |name: &str| self.request.iter().any(|change| change.name.eq_ignore_ascii_case(name));
        if usual.iter().any(|(name, _)| changes(name)) {
            let kept = usual.iter().filter(|(name, _)| !changes(name));
            lines.extend(kept.map(|(name, value)| line![directive.clone(), *name, *value]));
        } else {
            lines.push(line!["include", usual_file(module)]);
        }
        for Change { name, keeps, values, span } in &self.request {
            // A header is a list by commas, but this one (RFC 6265, 4.2.1).
            let separator = if name.eq_ignore_ascii_case("cookie") { "; " } else { ", " };
            let joined = values.join(separator);
            let usual = usual.iter().find(|(usual, _)| usual.eq_ignore_ascii_case(name));
            let source = match usual {
                // What a caller says there is dropped.
                Some((_, "")) => None,
                Some((_, value)) => Some((*value).to_owned()),
                None => variable(name),
            };
            let value = match source.filter(|_| *keeps) {
                None => joined,
                Some(source) => {
                    let both = format!("{source}{separator}{joined}");
                    builder.http.map(&source, vec![line!["default", both], line!["", joined]])
                }
            };
            lines.push(line![directive.clone(), name.clone(), value].at(*span));
        }
        lines
    }

    /// The type of a text that nginx answers with, if it is set: nginx writes that header itself, and would write another one.
    pub(super) fn take_content_type(&mut self, builder: &mut Builder<'_>) -> Option<Directive> {
        let at = self.response.iter().position(|change| change.name.eq_ignore_ascii_case("content-type"))?;
        let Change { name, keeps, values, span } = self.response.remove(at);
        let value = values.join(", ");
        if keeps || value.contains('$') {
            builder.refuse(
                span,
                &format!("this operation on `{name}`"),
                "nginx sets the content type of its own responses once, and without variables",
                "use `set`, without `$`",
            );
        }
        Some(line!["default_type", value].at(span))
    }

    /// Refuses operations on headers that `cors` gives to browsers: each would add its own.
    pub(super) fn refuse_beside(&self, cors: &cors::Headers, builder: &mut Builder<'_>) {
        for Change { name, keeps: _, values: _, span } in &self.response {
            if cors.has(name) {
                builder.refuse(
                    *span,
                    &format!("an operation on `{name}` beside `cors`"),
                    "both would add the header, and browsers refuse duplicates",
                    "leave it to `cors`",
                );
            }
        }
    }

    /// The headers of the answer; `module` is that of an answer from a destination.
    pub(super) fn response_lines(&self, module: Option<Module>) -> Vec<Directive> {
        let mut lines = Vec::new();
        for Change { name, keeps, values, span } in &self.response {
            if let Some(module) = module.filter(|_| !keeps) {
                lines.push(line![module.directive("hide_header"), name.clone()].at(*span));
            }
            for value in values {
                lines.push(line!["add_header", name.clone(), value.clone(), "always"].at(*span));
            }
        }
        lines
    }
}

/// The variable of a request header by its name.
fn variable(name: &str) -> Option<String> {
    HeaderName::parse(name).ok().and_then(|name| header_variable(&name))
}

/// The file with the headers that requests of a module get beside `Host`, beside `nginx.conf`.
pub(super) fn usual_file(module: Module) -> String {
    format!("headers/{}.conf", module.name())
}

/// What is in that file.
pub(super) fn usual_lines(module: Module, callers: Callers) -> Vec<Directive> {
    let directive = module.directive("set_header");
    usual(module, callers).into_iter().map(|(name, value)| line![directive.clone(), name, value]).collect()
}

/// What is known of the callers of a proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Callers {
    /// Whether they are not of the mesh.
    pub(super) strangers: bool,
    /// Whether some of its servers for HTTP ask them for a certificate.
    pub(super) certificates: bool,
}

impl Callers {
    pub(super) fn of(proxy: &Proxy) -> Self {
        let servers = proxy.listeners.iter().flat_map(|listener| &listener.tls);
        let asks = |server: &TlsServer| match &server.kind {
            TlsKind::Http(tls, _) => tls.mode.value.asks_callers(),
            TlsKind::Tcp(..) | TlsKind::Passthrough(_) => false,
        };
        Self { strangers: proxy.is_gateway(), certificates: servers.into_iter().any(asks) }
    }
}

/// The headers that a request gets beside `Host`; one without a value is dropped.
fn usual(module: Module, callers: Callers) -> Vec<(&'static str, &'static str)> {
    let mut all = Vec::new();
    if module == Module::Proxy {
        all.extend([("Connection", "$mesh_connection"), ("Upgrade", "$mesh_upgrade")]);
    }
    all.push(("X-Forwarded-Proto", "$scheme"));
    if callers.strangers {
        all.push(("X-Forwarded-For", "$proxy_add_x_forwarded_for"));
        all.push(("X-Envoy-External-Address", "$remote_addr"));
        all.push(("X-Request-Id", "$mesh_request_id"));
        all.extend(OF_PROXIES_BEHIND.map(|name| (name, "")));
    }
    all.push((CLIENT_CERTIFICATE, if callers.certificates { "$mesh_client_certificate" } else { "" }));
    all.extend(OF_PROXIES.map(|name| (name, "")));
    all.push((OF_CONNECTION, ""));
    all
}

/// What lists of operations make of each header, in the order that the reference has too.
fn changes(lists: &[Option<&HeaderOperations>], of_answer: bool, builder: &mut Builder<'_>) -> Vec<Change> {
    let mut all: Vec<Change> = Vec::new();
    let bodies: Vec<&HeaderOperationsBody> = lists.iter().flatten().map(|one| &one.body).collect();
    for HeaderOperationsBody { set: _, add: _, remove } in &bodies {
        for name in remove {
            refuse_own(&name.value, of_answer, name.span, builder);
            let change = change(&name.value, name.span, &mut all);
            (change.keeps, change.values) = (false, Vec::new());
        }
    }
    for HeaderOperationsBody { set, add: _, remove: _ } in &bodies {
        for setting in set.iter().filter(|setting| !setting.name.value.is_host()) {
            refuse_own(&setting.name.value, of_answer, setting.span, builder);
            let change = change(&setting.name.value, setting.span, &mut all);
            (change.keeps, change.values) = (false, vec![text::header_value(&setting.value.value)]);
        }
    }
    for HeaderOperationsBody { set: _, add, remove: _ } in &bodies {
        for setting in add.iter().filter(|setting| !setting.name.value.is_host()) {
            refuse_own(&setting.name.value, of_answer, setting.span, builder);
            let change = change(&setting.name.value, setting.span, &mut all);
            if change.keeps && !of_answer && header_variable(&setting.name.value).is_none() {
                builder.refuse(
                    setting.span,
                    &format!("a value added to `{}`", setting.name.value),
                    "nginx reads only headers whose names have letters, digits and hyphens",
                    "use `set`, or another header",
                );
            }
            change.values.push(text::header_value(&setting.value.value));
        }
    }
    all
}

fn change<'c>(name: &HeaderName, span: Span, changes: &'c mut Vec<Change>) -> &'c mut Change {
    let known = changes.iter().position(|change| change.name.eq_ignore_ascii_case(name.as_str()));
    let at = known.unwrap_or_else(|| {
        changes.push(Change { name: name.as_written().to_owned(), keeps: true, values: Vec::new(), span });
        changes.len() - 1
    });
    #[expect(
        clippy::indexing_slicing,
        reason = "the position was just found, or is that of what was just added"
    )]
    &mut changes[at]
}

fn refuse_own(name: &HeaderName, of_answer: bool, span: Span, builder: &mut Builder<'_>) {
    let own = OWN.contains(&name.as_str()) || of_answer && OWN_OF_ANSWERS.contains(&name.as_str());
    if own || name.is_pseudo() {
        builder.refuse(
            span,
            &format!("an operation on `{name}`"),
            "nginx writes this header itself",
            "leave it as it is",
        );
    }
}
