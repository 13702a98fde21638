//! CORS: permissions for browsers, as Envoy's filter gives them.

use super::builder::Builder;
use super::conditions::keys;
use super::directive::{Directive, line, when};
use super::text::{self, EMPTY};
use meshc_compiler::policy::{Cors, CorsBody, Matching, Preflight};
use meshc_compiler::values::HeaderName;
use meshc_language::Spanned;

/// What a rule does for browsers.
#[derive(Clone, Debug, Default)]
pub(super) struct Permissions {
    /// What sends preflight requests to locations of their own.
    pub(super) first: Vec<Directive>,
    /// These locations.
    pub(super) locations: Vec<Directive>,
    /// Headers of all other answers.
    pub(super) headers: Vec<Directive>,
}

/// What the rule whose location is `name` does for browsers.
pub(super) fn permissions(cors: Option<&Cors>, name: &str, builder: &mut Builder<'_>) -> Permissions {
    let Some(Cors { body, span, attributes: _ }) = cors else { return Permissions::default() };
    let CorsBody { origins, methods, headers, expose, max_age, credentials, preflights } = body;
    let (origin, is_allowed) = allowed(origins, builder);
    let credentials = credentials.is_some_and(|switch| switch.value.is_on());
    let mut on_all = vec![header("Access-Control-Allow-Origin", &origin)];
    if credentials {
        let value = builder.http.map(&is_allowed, vec![line!["default", ""], line!["1", "true"]]);
        on_all.push(header("Access-Control-Allow-Credentials", &value));
    }
    let names = |list: &[Spanned<HeaderName>]| {
        let names: Vec<&str> = list.iter().map(|name| name.value.as_written()).collect();
        text::literal(&names.join(","))
    };
    let mut on_preflight = on_all.clone();
    if let Some(methods) = methods {
        let methods: Vec<&str> = methods.iter().map(|method| method.value.word()).collect();
        on_preflight.push(header("Access-Control-Allow-Methods", &methods.join(",")));
    }
    if let Some(headers) = headers {
        on_preflight.push(header("Access-Control-Allow-Headers", &names(headers)));
    }
    if let Some(age) = max_age {
        on_preflight.push(header("Access-Control-Max-Age", &age.value.as_secs().to_string()));
    }
    if let Some(expose) = expose {
        let value = builder.http.map(&is_allowed, vec![line!["default", ""], line!["1", names(expose)]]);
        on_all.push(header("Access-Control-Expose-Headers", &value));
    }
    let mut all = Permissions { headers: on_all, ..Permissions::default() };
    all.preflight(format!("{name}!"), &is_allowed, "~^1111", on_preflight, builder);
    if preflights.is_some_and(|preflights| preflights.value == Preflight::Ignore) {
        all.preflight(format!("{name}!!"), &is_allowed, "~^1110", Vec::new(), builder);
    }
    all.locations = all.locations.into_iter().map(|line| line.at(*span)).collect();
    all
}

/// A variable with the origin of a request if it is one of these, and one that says whether it is.
fn allowed(origins: &[Matching], builder: &mut Builder<'_>) -> (String, String) {
    const ORIGIN: &str = "$http_origin";
    let mut values = vec![line!["default", ""]];
    let mut bits = Vec::new();
    for Matching { test, span } in origins {
        for (key, _) in keys(test, true).into_iter().filter(|(key, _)| !key.is_empty()) {
            // A header has one line, so both ends are the same; this one is known to those who review origins.
            let key = key.strip_suffix("\\z").map_or(key.clone(), |key| format!("{key}$"));
            values.push(line![key.clone(), ORIGIN].at(*span));
            bits.push((key, true));
        }
    }
    let origin = builder.http.map(ORIGIN, values);
    (origin, builder.http.bit(ORIGIN, bits, false))
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
        let origin = has("$http_origin");
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
