//! Retries: whether they retry at all, and how many slow tries fit into the timeout.

use super::Context;
use super::externals::steps::{Whole, once_for_each_place, whole_routes};
use crate::model::Action;
use crate::policy::{RetryChoice, RetryPolicy};
use crate::routing::effective_policy;
use crate::values::{Duration, RetryCondition, RetryName};
use meshc_language::{Applicability, Code, Diagnostic, Span};

/// The longest first wait before a retry, in milliseconds, if the retry does not say; Istio and Envoy agree on it.
const DEFAULT_BACKOFF: u64 = 25;

/// All checks of retries.
pub(super) fn check(context: &Context<'_>, reports: &mut Vec<Diagnostic>) {
    let mut found = Vec::new();
    for whole in whole_routes(context) {
        let Some(retry) = &whole.options.retry else { continue };
        if let RetryChoice::Policy(policy) = &retry.choice {
            never_retries(policy, retry.span, &mut found);
            retries_are_few(policy, retry.span, &mut found);
            fits_into_timeout(&whole, policy, retry.span, &mut found);
            connections_fail_in_time(context, &whole, policy, &mut found);
        }
    }
    once_for_each_place(found, reports);
}

/// V27: with no retries, nothing else may be said of them.
fn never_retries(policy: &RetryPolicy, span: Span, reports: &mut Vec<Diagnostic>) {
    let none = policy.attempts.is_some_and(|attempts| attempts.value.get() == 0);
    if none && (policy.per_try.is_some() || policy.on.is_some() || policy.remote_localities.is_some()) {
        reports.push(
            Diagnostic::new(Code::EMPTY_RETRY, span, "0 retries, but with conditions for them")
                .consequence("Istio would refuse the virtual service")
                .help("write `retry off`, or a number of retries"),
        );
    }
}

/// The most retries that are not reported.
const FEW: u32 = 20;

/// What fails for a reason fails again: each retry is another request to a destination in trouble.
fn retries_are_few(policy: &RetryPolicy, span: Span, reports: &mut Vec<Diagnostic>) {
    let Some(attempts) = policy.attempts.filter(|attempts| attempts.value.get() > FEW) else { return };
    let count = attempts.value.get();
    let message = format!("each failing request is sent up to {} times", u64::from(count) + 1);
    let report = Diagnostic::new(Code::MANY_RETRIES, span, message);
    reports.push(
        report
            .consequence(
                "a destination that fails gets a multiple of its traffic, and clients wait for all of it",
            )
            .help(format!(
                "write `retry 3`, or another number up to {FEW}; with `per-try 2s` each try has its own limit"
            )),
    );
}

/// Both are limits: tries that fail at once all happen. Slow ones fit in only as far as (attempts + 1) x `per-try` and the waits in
/// between fit into the timeout of the whole response; where the first alone does not, no slow try is ever repeated.
fn fits_into_timeout(whole: &Whole<'_>, policy: &RetryPolicy, span: Span, reports: &mut Vec<Diagnostic>) {
    let limit = whole.options.timeout.as_ref().and_then(|timeout| Some((timeout.limit?, timeout.span)));
    let (Some((limit, limit_span)), Some(per_try), Some(attempts)) = (limit, policy.per_try, policy.attempts)
    else {
        return;
    };
    let tries = u64::from(attempts.value.get()) + 1;
    let needed =
        tries.saturating_mul(per_try.value.as_millis()).saturating_add(longest_waits(policy, tries - 1));
    if needed <= limit.as_millis() {
        return;
    }
    let used = limit.as_millis() / per_try.value.as_millis().max(1);
    let ends_the_first = per_try.value.as_millis() >= limit.as_millis();
    let mut report = if ends_the_first {
        let message = format!("the timeout of {limit} ends the first try, which may take {}", per_try.value);
        Diagnostic::new(Code::RETRY_EXCEEDS_TIMEOUT, span, message)
            .consequence("a slow try gets 504 and no retry; only tries that fail sooner are retried")
    } else {
        let message =
            format!("{tries} slow tries of {} do not fit into the timeout of {limit}", per_try.value);
        Diagnostic::new(Code::LATE_RETRIES, span, message).consequence(format!(
            "if every try takes {}, the timeout ends the request after {used} of {tries}; tries that fail fast all happen",
            per_try.value
        ))
    };
    report = report.related(limit_span, "the timeout of the whole response, retries included");
    // The next quarter of a second above what is needed reads like what a person would write.
    if let Some(enough) = Duration::from_millis(needed.div_ceil(250).saturating_mul(250)) {
        report = report
            .help(format!("give it a timeout of at least {enough}, or fewer or shorter tries"))
            .edit(Applicability::Unsafe, limit_span, enough.to_string());
    }
    reports.push(report);
}

/// The longest that Envoy waits between tries, in milliseconds: before retry k a random time below (2^k - 1) x base, at
/// most ten times the base.
fn longest_waits(policy: &RetryPolicy, retries: u64) -> u64 {
    let base = policy.backoff.map_or(DEFAULT_BACKOFF, |backoff| backoff.value.as_millis());
    let wait = |retry: u64| base.saturating_mul(if retry < 4 { (1 << retry) - 1 } else { 10 });
    (1..=retries.min(64)).map(wait).fold(0, u64::saturating_add)
}

/// A connection that nobody answers fails after the connect timeout. `per-try` does not count before there is a connection.
fn connections_fail_in_time(
    context: &Context<'_>,
    whole: &Whole<'_>,
    policy: &RetryPolicy,
    reports: &mut Vec<Diagnostic>,
) {
    let on_connections = RetryCondition::Named(RetryName::ConnectFailure);
    let asks = policy.on.iter().flat_map(|on| on.iter()).find(|one| one.value == on_connections);
    let attempts = policy.attempts.map_or(0, |attempts| attempts.value.get());
    let timeout = &whole.options.timeout;
    let limit = timeout.as_ref().and_then(|timeout| Some((timeout.limit?, timeout.span)));
    let (Some(_), Some((limit, limit_span)), Action::Forward(destinations)) =
        (asks.filter(|_| attempts > 0), limit, &whole.step.route.action)
    else {
        return;
    };
    let slow = destinations.iter().find_map(|one| {
        let policy = effective_policy(&context.model.mesh, &one.destination);
        let connect = policy.connect_timeout();
        let said = policy.pool.as_deref().and_then(|pool| pool.body.connect_timeout).map(|time| time.span);
        (connect >= limit).then_some((&one.destination, connect, said))
    });
    let Some((destination, connect, said)) = slow else { return };
    let name = context.model.mesh.destination_name(destination.target);
    let message = format!("the timeout of {limit} ends before a connection to `{name}` can fail");
    let report = Diagnostic::new(Code::CONNECT_TIMEOUT, destination.span, message)
        .related(limit_span, "the timeout of the whole response, retries included");
    let report = match said {
        Some(said) => report.related(said, "how long a connection may take to open"),
        None => report.label(format!("the default connect timeout is {connect}")),
    };
    let enough = limit.as_millis() / (u64::from(attempts) + 2);
    let example = Duration::from_millis(enough).map_or_else(|| "250ms".to_owned(), |time| time.to_string());
    reports.push(
        report
            .consequence(
                "an endpoint that does not answer at all (dropped SYN) uses up the timeout, and the request gets 504 \
                 without a retry; only refused connections are retried",
            )
            .help(format!("give `{name}` a shorter connect timeout: `pool {{ connect-timeout {example} }}`")),
    );
}
