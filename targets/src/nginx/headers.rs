//! Header operations, put together: nginx sets a header once.

use super::conditions::header_variable;
use super::directive::{Directive, line};
use super::rewrite;
use super::site::Site;
use super::text;
use meshc_compiler::model::DestinationHeaders;
use meshc_compiler::policy::{HeaderOperations, HeaderOperationsBody};
use meshc_compiler::routing::Rule;
use meshc_compiler::values::HeaderName;
use meshc_language::Span;

/// Headers of the connection and the message: nginx writes them itself.
const OWN: [&str; 8] =
    ["connection", "upgrade", "keep-alive", "te", "trailer", "transfer-encoding", "content-length", "proxy-connection"];
/// Headers of answers that nginx writes itself, whatever it is told.
const OWN_OF_ANSWERS: [&str; 2] = ["server", "date"];

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
    /// Those of a rule, and of one destination of it; `several` says whether the rule has others.
    pub(super) fn of(rule: &Rule<'_>, to: Option<(&DestinationHeaders, bool)>, site: &mut Site<'_, '_>) -> Self {
        let mut all = Self { host: rewrite::host_value(&rule.options.rewrite), ..Self::default() };
        let own = (rule.options.request_headers.as_deref(), rule.options.response_headers.as_deref());
        let none = (None, None);
        let (of_destination, several) = match to {
            Some((headers, several)) => {
                let DestinationHeaders { request, response } = headers;
                ((request.as_deref(), response.as_deref()), several)
            }
            None => (none, false),
        };
        // Of several destinations, Envoy applies what the destination says before what the route says.
        let order = if several { [of_destination, own] } else { [own, of_destination] };
        for (request, response) in order {
            if let Some(operations) = request {
                apply(operations, false, &mut all.request, &mut all.host, site);
            }
            if let Some(operations) = response {
                apply(operations, true, &mut all.response, &mut String::new(), site);
            }
        }
        all
    }

    /// The headers of the request; `module` is `proxy` or `grpc`. nginx takes none of those that stand further out once one
    /// stands here, so all are written.
    pub(super) fn request_lines(&self, module: &str, host: &str, site: &mut Site<'_, '_>) -> Vec<Directive> {
        let directive = format!("{module}_set_header");
        let host = if host.is_empty() { self.host.clone() } else { host.to_owned() };
        let is_usual = host == super::conditions::AUTHORITY && self.request.is_empty();
        if is_usual {
            return Vec::new();
        }
        let mut lines = vec![line![directive.clone(), "Host", host]];
        for (name, value) in usual(module, site.is_gateway()) {
            if !self.request.iter().any(|change| change.name.eq_ignore_ascii_case(name)) {
                lines.push(line![directive.clone(), name, value]);
            }
        }
        for Change { name, keeps, values, span } in &self.request {
            let joined = values.join(", ");
            let value = match HeaderVariable::of(name).filter(|_| *keeps) {
                None => joined,
                Some(HeaderVariable(source)) => {
                    let both = format!("{source}, {joined}");
                    use super::directive::line;
                    site.http.map(&source, vec![line!["default", both], line!["", joined]])
                }
            };
            lines.push(line![directive.clone(), name.clone(), value].at(*span));
        }
        lines
    }

    /// The headers of the answer; `module` is that of an answer from a destination.
    pub(super) fn response_lines(&self, module: Option<&str>, _site: &mut Site<'_, '_>) -> Vec<Directive> {
        let mut lines = Vec::new();
        for Change { name, keeps, values, span } in &self.response {
            if let Some(module) = module.filter(|_| !keeps) {
                lines.push(line![format!("{module}_hide_header"), name.clone()].at(*span));
            }
            for value in values {
                lines.push(line!["add_header", name.clone(), value.clone(), "always"].at(*span));
            }
        }
        lines
    }
}

/// The variable of a request header by its name.
struct HeaderVariable(String);

impl HeaderVariable {
    fn of(name: &str) -> Option<Self> {
        use meshc_compiler::values::Literal;
        HeaderName::parse(name).ok().and_then(|name| header_variable(&name)).map(Self)
    }
}

/// The headers that a request gets beside `Host`.
pub(super) fn usual(module: &str, gateway: bool) -> Vec<(&'static str, &'static str)> {
    let mut all = Vec::new();
    if module == "proxy" {
        all.extend([("Connection", "$mesh_connection"), ("Upgrade", "$mesh_upgrade")]);
    }
    all.push(("X-Forwarded-Proto", "$scheme"));
    if gateway {
        all.push(("X-Forwarded-For", "$proxy_add_x_forwarded_for"));
    }
    all
}

fn apply(
    operations: &HeaderOperations,
    of_answer: bool,
    changes: &mut Vec<Change>,
    host: &mut String,
    site: &mut Site<'_, '_>,
) {
    let HeaderOperations { body, span: _, attributes: _ } = operations;
    let HeaderOperationsBody { set, add, remove } = body;
    for setting in set {
        let value = text::header_value(&setting.value.value);
        if setting.name.value.is_host() {
            *host = value;
            continue;
        }
        refuse_own(&setting.name.value, of_answer, setting.span, site);
        let change = change(&setting.name.value, setting.span, changes);
        (change.keeps, change.values) = (false, vec![value]);
    }
    for setting in add {
        let value = text::header_value(&setting.value.value);
        if setting.name.value.is_host() {
            *host = value;
            continue;
        }
        refuse_own(&setting.name.value, of_answer, setting.span, site);
        if !of_answer && header_variable(&setting.name.value).is_none() {
            site.refuse(
                setting.span,
                &format!("a value added to `{}`", setting.name.value),
                "nginx reads headers whose names are letters, digits and dashes",
                "use `set`, or another header",
            );
        }
        change(&setting.name.value, setting.span, changes).values.push(value);
    }
    for name in remove {
        refuse_own(&name.value, of_answer, name.span, site);
        let change = change(&name.value, name.span, changes);
        (change.keeps, change.values) = (false, Vec::new());
    }
}

fn change<'c>(name: &HeaderName, span: Span, changes: &'c mut Vec<Change>) -> &'c mut Change {
    let known = changes.iter().position(|change| change.name.eq_ignore_ascii_case(name.as_str()));
    let at = known.unwrap_or_else(|| {
        changes.push(Change { name: name.as_written().to_owned(), keeps: true, values: Vec::new(), span });
        changes.len() - 1
    });
    #[expect(clippy::indexing_slicing, reason = "the position was just found, or is that of what was just added")]
    &mut changes[at]
}

fn refuse_own(name: &HeaderName, of_answer: bool, span: Span, site: &mut Site<'_, '_>) {
    let own = OWN.contains(&name.as_str()) || of_answer && OWN_OF_ANSWERS.contains(&name.as_str());
    if own || name.is_pseudo() {
        site.refuse(
            span,
            &format!("an operation on `{name}`"),
            "nginx writes this header itself",
            "leave it as it is",
        );
    }
}
