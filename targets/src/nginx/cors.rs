//! CORS: permissions for browsers, as Envoy's filter gives them.

use super::conditions::keys;
use super::directive::{Directive, line, when};
use super::site::Site;
use super::text::{self, EMPTY};
use meshc_compiler::policy::{Cors, CorsBody, Preflight};
use meshc_compiler::values::HeaderName;
use meshc_language::Spanned;

/// What answers preflight requests, and the headers of all other answers.
pub(super) fn lines(cors: Option<&Cors>, site: &mut Site<'_, '_>) -> (Vec<Directive>, Vec<Directive>) {
    let Some(Cors { body, span, attributes: _ }) = cors else { return (Vec::new(), Vec::new()) };
    let CorsBody { origins, methods, headers, expose, max_age, credentials, preflights } = body;
    let mut allowed = vec![line!["default", ""]];
    let mut is_allowed = Vec::new();
    for origin in origins {
        for (key, _) in keys(&origin.test, true).into_iter().filter(|(key, _)| !key.is_empty()) {
            allowed.push(line![key.clone(), "$http_origin"].at(origin.span));
            is_allowed.push((key, true));
        }
    }
    let origin = site.http.map("$http_origin", allowed);
    let is_allowed = site.http.bit("$http_origin", is_allowed, false);
    let credentials = credentials.is_some_and(|switch| switch.value.is_on());
    let mut on_all = vec![header("Access-Control-Allow-Origin", &origin)];
    if credentials {
        let value = site.http.map(&is_allowed, vec![line!["default", ""], line!["1", "true"]]);
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
        let value = site.http.map(&is_allowed, vec![line!["default", ""], line!["1", names(expose)]]);
        on_all.push(header("Access-Control-Expose-Headers", &value));
    }
    let mut first = Vec::new();
    on_preflight.push(line!["return", "200", EMPTY]);
    first.push(answer(&is_allowed, true, on_preflight, site));
    if preflights.is_some_and(|preflights| preflights.value == Preflight::Ignore) {
        first.push(answer(&is_allowed, false, vec![line!["return", "200", EMPTY]], site));
    }
    (first.into_iter().map(|line| line.at(*span)).collect(), on_all)
}

/// Answers preflight requests whose origin is allowed, or is not.
fn answer(allowed: &str, wanted: bool, body: Vec<Directive>, site: &mut Site<'_, '_>) -> Directive {
    let options = site.http.bit("$request_method", vec![("~^OPTIONS\\z".to_owned(), true)], false);
    let asks =
        |header: &str, site: &mut Site<'_, '_>| site.http.bit(header, vec![(String::new(), false)], true);
    let method = asks("$http_access_control_request_method", site);
    let origin = asks("$http_origin", site);
    let key = if wanted { "~^1111" } else { "~^1110" };
    let source = format!("{options}{method}{origin}{allowed}");
    let hit = site.http.bit(&source, vec![(key.to_owned(), true)], false);
    when(&hit, "1", body)
}

fn header(name: &str, value: &str) -> Directive {
    line!["add_header", name, value, "always"]
}
