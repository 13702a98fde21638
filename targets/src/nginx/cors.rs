//! CORS: permissions for browsers, as Envoy's filter gives them.

use super::builder::Builder;
use super::conditions::keys;
use super::directive::{Directive, line, when};
use super::module::Module;
use super::text::{self, EMPTY};
use meshc_compiler::policy::{Cors, CorsBody, Matching, Preflight, TextMatch};
use meshc_compiler::values::HeaderName;
use meshc_language::Spanned;

/// The origin of a request.
const ORIGIN: &str = "$http_origin";
const ALLOW_ORIGIN: &str = "Access-Control-Allow-Origin";
const ALLOW_CREDENTIALS: &str = "Access-Control-Allow-Credentials";
const EXPOSE_HEADERS: &str = "Access-Control-Expose-Headers";

/// What a rule does for browsers.
#[derive(Clone, Debug, Default)]
pub(super) struct Permissions {
    /// What sends preflight requests to locations of their own.
    pub(super) first: Vec<Directive>,
    /// These locations.
    pub(super) locations: Vec<Directive>,
    /// Headers of all other answers.
    pub(super) headers: Headers,
}

/// The headers of answers from destinations: those of the rule where the origin is allowed, else those of the destination.
#[derive(Clone, Debug, Default)]
pub(super) struct Headers {
    lines: Vec<Directive>,
    names: Vec<&'static str>,
}

impl Headers {
    /// The lines of a location from which `module` sends requests on.
    pub(super) fn lines(&self, module: Module) -> Vec<Directive> {
        let hidden = self.names.iter().map(|name| line![module.directive("hide_header"), *name]);
        hidden.chain(self.lines.iter().cloned()).collect()
    }

    /// Whether it is one of these headers.
    pub(super) fn has(&self, name: &str) -> bool {
        self.names.iter().any(|own| own.eq_ignore_ascii_case(name))
    }

    /// A header with a value where the origin is allowed. nginx would add it to that of the destination.
    fn push(&mut self, name: &'static str, value: &str, is_allowed: &str, builder: &mut Builder<'_>) {
        let own = format!("$upstream_http_{}", name.to_ascii_lowercase().replace('-', "_"));
        let value = builder.http.map(is_allowed, vec![line!["default", own], line!["1", value]]);
        self.lines.push(header(name, &value));
        self.names.push(name);
    }
}

/// What the rule whose location is `name` does for browsers.
pub(super) fn permissions(cors: Option<&Cors>, name: &str, builder: &mut Builder<'_>) -> Permissions {
    let Some(Cors { body, span, attributes: _ }) = cors else { return Permissions::default() };
    let CorsBody { origins, methods, headers, expose, max_age, credentials, preflights } = body;
    let is_allowed = allowed(origins, builder);
    let mut on_all = Headers::default();
    let mut on_preflight = vec![header(ALLOW_ORIGIN, ORIGIN)];
    on_all.push(ALLOW_ORIGIN, ORIGIN, &is_allowed, builder);
    if credentials.is_some_and(|switch| switch.value.is_on()) {
        on_all.push(ALLOW_CREDENTIALS, "true", &is_allowed, builder);
        on_preflight.push(header(ALLOW_CREDENTIALS, "true"));
    }
    let names = |list: &[Spanned<HeaderName>]| {
        let names: Vec<&str> = list.iter().map(|name| name.value.as_written()).collect();
        names.join(",")
    };
    if let Some(methods) = methods {
        let methods: Vec<&str> = methods.iter().map(|method| method.value.word()).collect();
        let value = any_or(&methods.join(","), "$http_access_control_request_method");
        on_preflight.push(header("Access-Control-Allow-Methods", &value));
    }
    if let Some(headers) = headers {
        let value = any_or(&names(headers), "$http_access_control_request_headers");
        on_preflight.push(header("Access-Control-Allow-Headers", &value));
    }
    if let Some(age) = max_age {
        on_preflight.push(header("Access-Control-Max-Age", &age.value.as_secs().to_string()));
    }
    if let Some(expose) = expose {
        let value = text::literal(&names(expose));
        on_all.push(EXPOSE_HEADERS, &value, &is_allowed, builder);
        on_preflight.push(header(EXPOSE_HEADERS, &value));
    }
    let mut all = Permissions { headers: on_all, ..Permissions::default() };
    all.preflight(format!("{name}!"), &is_allowed, "~^1111", on_preflight, builder);
    if preflights.is_some_and(|preflights| preflights.value == Preflight::Ignore) {
        all.preflight(format!("{name}!!"), &is_allowed, "~^1110", Vec::new(), builder);
    }
    all.locations = all.locations.into_iter().map(|line| line.at(*span)).collect();
    all
}

/// A list, in a place where nginx reads variables. `*` alone allows what the request asks for (Envoy `CorsFilter`).
fn any_or(list: &str, asked: &str) -> String {
    if list == "*" { asked.to_owned() } else { text::literal(list) }
}

/// A variable that says whether the origin of a request is one of these.
fn allowed(origins: &[Matching], builder: &mut Builder<'_>) -> String {
    let mut bits = Vec::new();
    for Matching { test, span: _ } in origins {
        if *test == TextMatch::Exact("*".into()) {
            bits.push(("~.".to_owned(), true));
            continue;
        }
        for (key, _) in keys(test, true).into_iter().filter(|(key, _)| !key.is_empty()) {
            // A header has one line, so both ends are the same; this one is known to those who review origins.
            let key = key.strip_suffix("\\z").map_or(key.clone(), |key| format!("{key}$"));
            bits.push((key, true));
        }
    }
    builder.http.bit(ORIGIN, bits, false)
}

impl Permissions {
    /// Answers preflight requests whose bits are these: a preflight, one that asks for a method, with an origin, which is allowed.
    fn preflight(
        &mut self,
        location: String,
        allowed: &str,
        bits: &str,
        headers: Vec<Directive>,
        builder: &mut Builder<'_>,
    ) {
        let options = builder.http.bit("$request_method", vec![("~^OPTIONS\\z".to_owned(), true)], false);
        let mut has = |header: &str| builder.http.bit(header, vec![(String::new(), false)], true);
        let method = has("$http_access_control_request_method");
        let origin = has(ORIGIN);
        let source = format!("{options}{method}{origin}{allowed}");
        let hit = builder.http.bit(&source, vec![(bits.to_owned(), true)], false);
        self.first.push(when(&hit, "1", vec![line!["rewrite", "^", location.clone(), "last"]]));
        let mut body = vec![line!["internal"]];
        body.extend(headers);
        body.push(line!["return", "200", EMPTY]);
        self.locations.push(line!["location", "=", location].block(body));
    }
}

fn header(name: &str, value: &str) -> Directive {
    line!["add_header", name, value, "always"]
}
