//! What sends a request to a destination.

use super::balancing;
use super::builder::Builder;
use super::cors;
use super::directive::{Directive, line, when_set};
use super::dispatch::{ServerBlock, handed_to, speaks_grpc};
use super::files::NO_LIMIT;
use super::headers::Operations;
use super::module::Module;
use super::rewrite;
use super::text::{self, EMPTY, millis};
use super::upstream_blocks::{Call, ProxyPass, proxy_pass};
use super::upstream_tls::{self, ServerName};
use super::variables::Subsystem;
use crate::raw_proxy::COMMON_RETRY_STATUSES;
use meshc_compiler::model::{DestinationHeaders, Id, PathMatch};
use meshc_compiler::policy::{HashKey, Method, PoolBody, Retry, RetryChoice, RetryPolicy, USUAL_RETRIES};
use meshc_compiler::routing::{Rule, Upstream, WeightedUpstream};
use meshc_compiler::values::{HostPattern, RetryCondition, RetryName};
use meshc_language::Spanned;

/// A rule and how requests came to it.
pub(super) struct Way<'w> {
    pub(super) rule: &'w Rule,
    /// What the rule asked of the path.
    pub(super) path: Option<&'w PathMatch>,
    pub(super) server: ServerBlock<'w>,
    /// Headers that browsers are given.
    pub(super) cors: cors::Headers,
}

/// Sends requests to one destination.
pub(super) fn lines(
    way: &Way<'_>,
    to: &WeightedUpstream,
    mirrored: &[Directive],
    builder: &mut Builder<'_>,
) -> Vec<Directive> {
    let WeightedUpstream { upstream, weight: _, headers, span: _ } = to;
    let operations = Operations::of(way.rule, headers.as_deref(), builder);
    let Some(sending) = sending(way, *upstream, &operations, false, builder) else {
        return mirrored.to_vec();
    };
    let mut lines = mirrored.to_vec();
    lines.extend(sending.lines.iter().cloned());
    if sending.has_variables() {
        let passed = if sending.passed.is_empty() { rewrite::ANEW } else { &sending.passed };
        lines.push(sending.pass_to(passed));
        return lines;
    }
    let answer = match sending.module {
        Module::Proxy => {
            let mut anew = lines.clone();
            anew.push(sending.pass_to(rewrite::ANEW));
            let [page, handed_on] = handed_to(&builder.shared_location("anew", anew));
            lines.insert(0, page);
            handed_on
        }
        Module::Grpc => line!["return", "400"],
    };
    lines.insert(0, when_set(rewrite::ANEW, vec![answer]));
    lines.push(sending.pass_to(""));
    lines
}

/// Sends copies of requests to a destination. A copy is made of what the request became on its way to its own destination, so
/// `headers` are those of that one.
pub(super) fn mirror_lines(
    way: &Way<'_>,
    upstream: Id<Upstream>,
    headers: Option<&DestinationHeaders>,
    builder: &mut Builder<'_>,
) -> Vec<Directive> {
    let mut operations = Operations::of(way.rule, headers, builder);
    if builder.upstream(upstream).is_some_and(|upstream| Module::of(upstream) == Module::Proxy) {
        operations = operations.of_copy(way.rule.span);
    }
    let Some(mut sending) = sending(way, upstream, &operations, true, builder) else { return Vec::new() };
    let pass = sending.pass_to(&sending.passed);
    sending.lines.push(pass);
    sending.lines
}

/// How a request, or a copy, is sent.
struct Sending {
    lines: Vec<Directive>,
    module: Module,
    scheme: &'static str,
    pass: ProxyPass,
    /// What stands behind the address where the path is rewritten, or is that of a copy.
    passed: String,
}

impl Sending {
    /// Whether nginx looks for the destination as each request comes.
    fn has_variables(&self) -> bool {
        !self.passed.is_empty() || matches!(self.pass, ProxyPass::LookedUp(_))
    }

    fn pass_to(&self, path: &str) -> Directive {
        line![self.module.directive("pass"), format!("{}://{}{path}", self.scheme, self.pass.as_str())]
    }
}

fn sending(
    way: &Way<'_>,
    id: Id<Upstream>,
    operations: &Operations,
    is_copy: bool,
    builder: &mut Builder<'_>,
) -> Option<Sending> {
    let upstream = builder.upstream(id)?;
    let options = &way.rule.options;
    let module = Module::of(upstream);
    let path = rewrite::Sent { path: way.path, module, is_copy };
    let rewrite::NewPath { mut lines, passed } = rewrite::path(&options.rewrite, path, builder);
    let tls = upstream_tls::of(upstream, server_name(way, operations), builder);
    let identity = tls.as_ref().map(|tls| tls.identity()).unwrap_or_default();
    let keeps = tls.as_ref().is_none_or(|tls| tls.is_fixed());
    let call = Call { subsystem: Subsystem::Http, module, identity: &identity, keeps };
    let pass = proxy_pass(id, call, builder)?;
    lines.extend(cookie(upstream, is_copy, builder));
    lines.extend(operations.request_lines(module, builder));
    if !is_copy {
        lines.extend(way.cors.lines(module));
        operations.refuse_beside(&way.cors, builder);
        lines.extend(operations.response_lines(Some(module)));
    }
    lines.extend(times(builder, way, upstream, module));
    if speaks_grpc(upstream) && !is_copy {
        let answers = grpc_answers(&lines, builder);
        lines.extend(answers);
    }
    lines.extend(tls.iter().flat_map(|tls| tls.lines(module)));
    Some(Sending { lines, module, scheme: module.scheme(tls.is_some()), pass, passed })
}

/// Where calls of gRPC end whose destination is not there, or does not answer in time: callers know a status of gRPC, not of HTTP.
/// It is `UNAVAILABLE` for both, as Envoy has it. What is no call of gRPC is told with a status of HTTP. Headers of `lines`, what is
/// said of the call, hold there too.
fn grpc_answers(lines: &[Directive], builder: &mut Builder<'_>) -> [Directive; 2] {
    let is_call = "^application/grpc";
    let calls = vec![line!["default", EMPTY], line![format!("~*{is_call}"), "14"]];
    let status = builder.http.map("$http_content_type", calls);
    [("502", "503"), ("504", "504")].map(|(found, plain)| {
        let is_other = line!["if", "($http_content_type", "!~*", is_call, ")"];
        let mut body = vec![
            is_other.block(vec![line!["return", plain]]),
            line!["default_type", "application/grpc"],
            line!["add_header", "grpc-status", status.clone(), "always"],
        ];
        body.extend(lines.iter().filter(|line| line.is("add_header")).cloned());
        body.push(line!["return", "200", EMPTY]);
        line!["error_page", found, "=", builder.shared_location("grpc", body)]
    })
}

/// The host that requests of a rule have when they are sent.
fn server_name(way: &Way<'_>, operations: &Operations) -> ServerName {
    if let Some(host) = operations.fixed_host() {
        return ServerName::Fixed(host.to_owned());
    }
    match way.server.domains {
        [only] if !HostPattern::is_wildcard(only) => ServerName::Fixed(only.as_str().to_owned()),
        _ => ServerName::OfRequest,
    }
}

/// Gives callers a cookie to hash, if they have none.
fn cookie(upstream: &Upstream, is_copy: bool, builder: &mut Builder<'_>) -> Vec<Directive> {
    let method = upstream.policy.balancing.as_ref().map(|balancing| &balancing.method);
    let Some(Method::Hash { key: HashKey::Cookie { name, ttl: Some(ttl), path }, algorithm: _ }) = method
    else {
        return Vec::new();
    };
    if is_copy {
        return Vec::new();
    }
    let value = balancing::cookie(name.value.as_str(), builder);
    let mut made = format!("{}=$request_id", text::literal(name.value.as_str()));
    if ttl.value.as_millis() > 0 {
        made.push_str(&format!("; Max-Age={}", ttl.value.as_millis().div_ceil(1000)));
    }
    if let Some(path) = path {
        made.push_str(&format!("; Path={}", text::literal(path.value.as_str())));
    }
    made.push_str("; HttpOnly");
    let value = builder.http.map(&value, vec![line!["default", ""], line!["", made]]);
    vec![line!["add_header", "Set-Cookie", value, "always"]]
}

/// Time limits and retries.
fn times(builder: &Builder<'_>, way: &Way<'_>, upstream: &Upstream, module: Module) -> Vec<Directive> {
    let options = &way.rule.options;
    let pool = upstream.policy.pool.as_deref().map(|pool| &pool.body);
    let connect = upstream.policy.connect_timeout().as_millis();
    let whole = options.timeout.as_ref().and_then(|timeout| timeout.limit).map(|limit| limit.as_millis());
    let policy = options.retry.as_ref().and_then(|Retry { choice, span: _ }| match choice {
        RetryChoice::Policy(policy) => Some(&**policy),
        RetryChoice::Off => None,
    });
    let each = policy.and_then(|policy| policy.per_try).map(|time| time.value.as_millis());
    let wait = match (each, whole) {
        (Some(each), Some(whole)) => Some(each.min(whole)),
        (each, whole) => each.or(whole),
    };
    let mut lines = Vec::new();
    let connect = wait.map_or(connect, |wait| wait.min(connect));
    // `nginx.conf` has the default for all destinations.
    if connect != PoolBody::CONNECT_TIMEOUT.as_millis() {
        lines.push(line![module.directive("connect_timeout"), millis(connect)]);
    }
    let leaves_alone = builder.edge.is_some_and(|edge| edge.leaves_alone(options, speaks_grpc(upstream)));
    let wait = wait.map(millis).or_else(|| leaves_alone.then(|| NO_LIMIT.to_owned()));
    if let Some(wait) = wait {
        lines.push(line![module.directive("read_timeout"), wait.clone()]);
        lines.push(line![module.directive("send_timeout"), wait]);
    }
    if leaves_alone {
        lines.push(line!["client_body_timeout", NO_LIMIT]);
        lines.push(line!["send_timeout", NO_LIMIT]);
    }
    if options.retry.is_some() {
        lines.extend(retries(policy, whole, module));
    }
    if pool.is_some_and(|pool| pool.keepalive.is_some()) {
        lines.push(line![module.directive("socket_keepalive"), "on"]);
    }
    lines
}

/// What is tried again; `None` for nothing at all.
fn retries(policy: Option<&RetryPolicy>, whole: Option<u64>, module: Module) -> Vec<Directive> {
    let off = || vec![line![module.directive("next_upstream"), "off"]];
    let Some(policy) = policy else { return off() };
    let RetryPolicy { attempts, per_try: _, on, backoff: _, remote_localities: _, previous_hosts: _ } =
        policy;
    let attempts = attempts.map_or(0, |attempts| attempts.value.get());
    if attempts == 0 {
        return off();
    }
    let Tried { words, is_sent_again } = tried_again(on.as_deref());
    let mut lines = vec![
        line![module.directive("next_upstream")].and(words),
        line![module.directive("next_upstream_tries"), attempts.saturating_add(1).to_string()],
    ];
    if let Some(whole) = whole {
        lines.push(line![module.directive("next_upstream_timeout"), millis(whole)]);
    }
    if module == Module::Proxy && is_sent_again {
        // What was sent can be sent again only if it was kept. nginx reads all of it first.
        lines.push(line!["proxy_request_buffering", "on"]);
    }
    lines
}

/// What is tried again.
struct Tried {
    /// The words of `proxy_next_upstream`.
    words: Vec<String>,
    /// Whether a request with a body may be tried again after it was sent.
    is_sent_again: bool,
}

/// Envoy retries whatever the method is. To nginx a connection that breaks before the request is sent and one that breaks after it
/// are one (`error`): where only the first may be tried again, it is told to send once what changes something.
fn tried_again(on: Option<&[Spanned<RetryCondition>]>) -> Tried {
    let of = |condition: RetryCondition| (next_upstream(condition), is_before_sent(condition));
    let conditions: Vec<(Vec<String>, bool)> = match on {
        Some(on) => on.iter().map(|condition| of(condition.value)).collect(),
        None => USUAL_RETRIES.on.iter().map(|name| of(RetryCondition::Named(*name))).collect(),
    };
    let mut words: Vec<String> = Vec::new();
    for word in conditions.iter().flat_map(|(words, _)| words) {
        if !words.contains(word) {
            words.push(word.clone());
        }
    }
    let after_sent =
        |word: &str| conditions.iter().any(|(words, before)| !before && words.iter().any(|one| one == word));
    if !words.iter().any(|word| word == "error") || after_sent("error") {
        words.push("non_idempotent".to_owned());
    }
    Tried { words, is_sent_again: conditions.iter().any(|(words, before)| !before && !words.is_empty()) }
}

/// Whether a condition asks that the request cannot have reached the endpoint.
fn is_before_sent(condition: RetryCondition) -> bool {
    matches!(condition, RetryCondition::Named(RetryName::ResetBeforeRequest | RetryName::ConnectFailure))
}

/// The words of `proxy_next_upstream` for a retry condition; none for those that `fit` has refused.
fn next_upstream(condition: RetryCondition) -> Vec<String> {
    let words: &[&str] = match condition {
        RetryCondition::Status(status) => {
            let is_known = COMMON_RETRY_STATUSES.contains(&status.get());
            return is_known.then(|| format!("http_{status}")).into_iter().collect();
        }
        RetryCondition::Named(name) => match name {
            RetryName::ServerError => &["error", "timeout", "http_500", "http_502", "http_503", "http_504"],
            RetryName::GatewayError => &["error", "timeout", "http_502", "http_503", "http_504"],
            RetryName::Reset => &["error", "timeout", "invalid_header"],
            RetryName::ResetBeforeRequest => &["error"],
            // A connection that nobody answers is a `timeout`; one for an answer takes the whole time of the request.
            RetryName::ConnectFailure => &["error", "timeout"],
            RetryName::Retriable4xx
            | RetryName::RetriableStatusCodes
            | RetryName::RetriableHeaders
            | RetryName::EnvoyRatelimited
            | RetryName::RefusedStream
            | RetryName::Http3PostConnectFailure
            | RetryName::Cancelled
            | RetryName::DeadlineExceeded
            | RetryName::Internal
            | RetryName::ResourceExhausted
            | RetryName::Unavailable => &[],
        },
    };
    words.iter().copied().map(str::to_owned).collect()
}
