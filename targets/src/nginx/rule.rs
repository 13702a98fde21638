//! The location of a rule: what is done with a request that it takes.

use super::answer;
use super::builder::Builder;
use super::conditions::PATH;
use super::cors;
use super::directive::{Directive, line, when};
use super::dispatch::{ServerBlock, handed_to, named};
use super::fault;
use super::forward::{self, Way};
use super::headers::Operations;
use super::redirect;
use super::text;
use super::variables::hundredths;
use meshc_compiler::model::{DestinationHeaders, PathMatch, Respond};
use meshc_compiler::routing::{MirroredTo, Rule, RuleAction, WeightedUpstream};

/// The longest text that nginx reads in one token, in bytes: each may be written with two.
const TEXT_MAX: usize = 2_000;

/// The location that is called after a rule, `name`, and those that it needs. `path` is what the rule asked of the path.
pub(super) fn locations(
    rule: &Rule,
    path: Option<&PathMatch>,
    name: &str,
    server: ServerBlock<'_>,
    builder: &mut Builder<'_>,
) -> Vec<Directive> {
    let Rule { name: _, declared: _, matches: _, action, options, mirrors, span } = rule;
    let mut body = vec![line!["internal"]];
    // What the proxy answers itself has nothing for browsers in it, as with Envoy.
    let cors = options.cors.as_deref().filter(|_| matches!(action, RuleAction::Forward(_)));
    let aborted = format!("{name}!abort");
    let (aborts, answers) = fault::aborts(&options.fault, name, cors.map(|_| aborted.as_str()), builder);
    body.extend(aborts);
    let cors::Permissions { first, locations: mut others, headers: cors } =
        cors::permissions(cors, name, builder);
    body.extend(first);
    if !answers.is_empty() {
        let mut inside = vec![line!["internal"]];
        inside.extend(Operations::of(rule, None, builder).response_lines(None));
        inside.extend(answers);
        others.push(line!["location", "=", aborted].block(inside).at(*span));
    }
    match action {
        RuleAction::Respond(respond) => {
            let mut operations = Operations::of(rule, None, builder);
            let content_type = operations.take_content_type(builder);
            body.extend(operations.response_lines(None));
            body.extend(self::respond(respond, content_type, builder));
        }
        RuleAction::Redirect(redirect) => {
            let operations = Operations::of(rule, None, builder);
            body.extend(operations.response_lines(None));
            body.extend(redirect::lines(redirect, path, server, builder));
        }
        RuleAction::Forward(to) => {
            let way = Way { rule, path, server, cors };
            match to.as_slice() {
                [] => body.push(line!["return", "503", text::EMPTY]),
                [only] => {
                    let copies = copies(mirrors, &way, name, only.headers.as_deref(), &mut others, builder);
                    body.extend(sent(&way, only, name, &copies, &mut others, builder));
                }
                several => body.extend(split(several, &way, name, mirrors, &mut others, builder)),
            }
        }
    }
    let comment = builder.provenance.rule(builder.model, rule, builder.proxy.upstreams.as_slice());
    let location = line!["location", named(name)].block(body).at(*span).maybe_comment(comment);
    others.insert(0, location);
    others
}

/// Sends each request to one of several destinations, each of which has a location. Copies are the same for all that have no header
/// operations of their own.
fn split(
    to: &[WeightedUpstream],
    way: &Way<'_>,
    name: &str,
    mirrors: &[MirroredTo],
    others: &mut Vec<Directive>,
    builder: &mut Builder<'_>,
) -> Vec<Directive> {
    let shares = hundredths(&to.iter().map(|one| one.weight).collect::<Vec<_>>());
    let shared = to.iter().any(|one| one.headers.is_none());
    let shared = if shared { copies(mirrors, way, name, None, others, builder) } else { Copies::default() };
    let mut names = Vec::new();
    for (at, (one, share)) in to.iter().zip(shares).enumerate() {
        let location = format!("{name}>{}", at + 1);
        let mut body = vec![line!["internal"]];
        let own = one.headers.as_deref();
        let own = own.map(|own| copies(mirrors, way, &location, Some(own), others, builder));
        body.extend(sent(way, one, &location, own.as_ref().unwrap_or(&shared), others, builder));
        others.push(line!["location", named(&location)].block(body).at(one.span));
        names.push((named(&location), share));
    }
    handed_to(&builder.http.split(name, &names)).to_vec()
}

/// What sends copies of a request.
#[derive(Default)]
struct Copies {
    lines: Vec<Directive>,
    /// Variables that are `1` where a request is copied, one for each destination of copies; none if one of them gets a copy of
    /// every request.
    lots: Vec<String>,
}

/// Sends a request to its destination, and copies of it where it is drawn for one. nginx reads the whole body before a request with
/// `mirror` goes on, so the others go by a location without.
fn sent(
    way: &Way<'_>,
    to: &WeightedUpstream,
    name: &str,
    copies: &Copies,
    others: &mut Vec<Directive>,
    builder: &mut Builder<'_>,
) -> Vec<Directive> {
    let Copies { lines, lots } = copies;
    if lots.is_empty() {
        return forward::lines(way, to, lines, builder);
    }
    let [copied, alone] = ["copied", "alone"].map(|which| format!("{name}!{which}"));
    let drawn = if lots.len() == 1 { "1" } else { "~1" };
    let entries = vec![line!["default", named(&alone)], line![drawn, named(&copied)]];
    let chosen = builder.http.map(&lots.concat(), entries);
    for (location, lines) in [(copied, lines.as_slice()), (alone, &[])] {
        let mut body = vec![line!["internal"]];
        body.extend(forward::lines(way, to, lines, builder));
        others.push(line!["location", named(&location)].block(body).at(to.span));
    }
    handed_to(&chosen).to_vec()
}

/// What sends copies of a request, with the locations that the copies go through. `headers` are the operations of the request's own
/// destination.
fn copies(
    mirrors: &[MirroredTo],
    way: &Way<'_>,
    name: &str,
    headers: Option<&DestinationHeaders>,
    others: &mut Vec<Directive>,
    builder: &mut Builder<'_>,
) -> Copies {
    let mut copies = Copies::default();
    let is_drawn = |mirror: &MirroredTo| mirror.share.ppm() < 1_000_000;
    for (at, mirror) in mirrors.iter().enumerate() {
        let MirroredTo { upstream, share, span } = mirror;
        let location = format!("{name}+{}", at + 1);
        let mut body = vec![line!["internal"]];
        if is_drawn(mirror) {
            let taken = builder.http.drawn(&location, share.ppm());
            // What is drawn for one destination of copies comes by those of the others too.
            if mirrors.len() > 1 {
                body.push(when(&taken, "0", vec![line!["return", "204"]]));
            }
            copies.lots.push(taken);
        }
        body.extend(forward::mirror_lines(way, *upstream, headers, builder));
        others.push(line!["location", "=", location.clone()].block(body).at(*span));
        copies.lines.push(line!["mirror", location].at(*span));
    }
    if !mirrors.iter().all(is_drawn) {
        copies.lots.clear();
    }
    if !copies.lines.is_empty() {
        // A copy has the name of its location for a path: the request's own is looked at before there is one.
        copies.lines.insert(0, line!["set", "$mesh_asked", PATH]);
    }
    copies
}

/// `content_type` is what the header operations make of the type of the text.
fn respond(respond: &Respond, content_type: Option<Directive>, builder: &mut Builder<'_>) -> Vec<Directive> {
    let Respond { status, body } = respond;
    let code = status.value.get();
    let text = body.as_ref().map_or("", |body| body.value.as_str());
    if answer::is_redirecting(code) && !text.is_empty() {
        builder.refuse(
            status.span,
            &format!("a response body with status {code}"),
            "nginx uses it as the redirect location",
            "leave the text out, or use `redirect`",
        );
    }
    let value = if text.is_empty() { text::EMPTY.to_owned() } else { value(text, builder) };
    let answer = answer::with(code, &value).at(status.span);
    if answer::is_redirecting(code) {
        return vec![answer];
    }
    vec![content_type.unwrap_or_else(|| line!["default_type", "text/plain"]), answer]
}

/// A text of any length: what is too long for one token is put together from several variables.
fn value(text: &str, builder: &mut Builder<'_>) -> String {
    if text.len() <= TEXT_MAX && !text.contains('$') {
        return text.to_owned();
    }
    let mut whole = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let mut end = rest.len().min(TEXT_MAX);
        while !rest.is_char_boundary(end) {
            end -= 1;
        }
        let (part, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
        whole.push_str(&builder.http.fixed(part));
        rest = after;
    }
    whole
}
