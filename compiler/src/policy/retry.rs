//! `retry`: what is tried again, and how often.

use crate::project::DefinitionKind;
use crate::reading::{Args, Comma, List, Reader, Syntax, TypeDoc, section, wherever_written};
use crate::values::{Count, Duration, Literal, RetryCondition, RetryName, Switch};
use meshc_language::{Applicability, Code, Diagnostic, Edit, Span, Spanned};
use std::sync::Arc;

section! {
    /// The statements of a `retry` (Istio `HTTPRetry`).
    pub struct RetryPolicy {
        /// How often a request is tried again after the first time. Istio: HTTPRetry.attempts.
        need "attempts" | "num-retries" | "retries" | "count" attempts: Spanned<Count>;
        /// How long each try may take once it is connected; the timeout of the route by default. How long connecting may take, the
        /// `connect-timeout` of the destination says. Istio: HTTPRetry.perTryTimeout.
        once "per-try" | "per-try-timeout" | "timeout" per_try: Spanned<Duration>;
        /// What is tried again; by default, what leaves the request undone: no connection, a refused stream, gRPC status UNAVAILABLE or
        /// CANCELLED. Istio: HTTPRetry.retryOn.
        once "on" | "retry-on" on: Comma<Spanned<RetryCondition>>;
        /// The longest wait before the first retry, 25ms by default: the wait is random, and up to this. Before each further retry it
        /// may be longer, up to ten times as long. Istio: HTTPRetry.backoff.
        once "backoff" backoff: Spanned<Duration>;
        /// Whether endpoints of other localities are tried too. Istio: HTTPRetry.retryRemoteLocalities.
        once "remote-localities" remote_localities: Spanned<Switch>;
        /// Whether an endpoint that has failed may be tried again; `off` by default.
        /// Istio: HTTPRetry.retryIgnorePreviousHosts.
        once "previous-hosts" previous_hosts: Spanned<Switch>;
    }
}

/// What a route says about retries.
#[derive(Clone, Debug)]
pub struct Retry {
    /// What it says.
    pub choice: RetryChoice,
    /// Where.
    pub span: Span,
}

wherever_written!(Retry { choice } at { span });

/// `retry off`, or a policy, by name or on the spot.
#[derive(Clone, Debug, PartialEq)]
pub enum RetryChoice {
    /// Nothing is tried again.
    Off,
    /// This is.
    Policy(Arc<RetryPolicy>),
}

/// What is tried again where the sources do not say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UsualRetries {
    /// How often, after the first time.
    pub attempts: u32,
    /// After what.
    pub on: &'static [RetryName],
    /// The minor release of Istio from which on it is so: older ones also retried after a 503.
    pub since: u8,
}

/// Istio's own policy (`pilot/pkg/networking/core/route/retry/retry.go`, `defaultRetryPolicy`). It holds for a `retry` without `on` on
/// every target, and for a route without `retry` where the target retries at all.
pub const USUAL_RETRIES: UsualRetries = UsualRetries {
    attempts: 2,
    on: &[
        RetryName::ConnectFailure,
        RetryName::RefusedStream,
        RetryName::Unavailable,
        RetryName::Cancelled,
        RetryName::RetriableStatusCodes,
    ],
    since: 24,
};

impl Syntax for Retry {
    fn read<'p>(args: &mut Args<'p>, cx: &mut Reader<'_, 'p>) -> Option<Self> {
        args.skip_label(&["attempts", "num-retries"], cx);
        let first = args.peek(cx).cloned();
        let Some(first) = first else {
            args.missing("a number of retries, the name of a `retry`, or `off`", cx);
            return None;
        };
        let choice = match first.word() {
            Some("off") => {
                args.next(cx);
                RetryChoice::Off
            }
            Some(word) if word == "none" && first.origin.is_none() && !is_defined(word, cx) => {
                args.next(cx);
                let edit = Edit { span: first.span, replacement: "off".to_owned() };
                cx.foreign(first.span, "off", Applicability::Safe, vec![edit]);
                RetryChoice::Off
            }
            Some("on") if first.origin.is_none() && !is_defined("on", cx) => {
                RetryChoice::Policy(Arc::new(without_number(first.span, args, cx)?))
            }
            Some(word) if word.starts_with(|char: char| char.is_ascii_alphabetic()) => {
                args.next(cx);
                RetryChoice::Policy(named(word, first.span, cx)?)
            }
            _ => {
                let attempts = Spanned::read(args, cx)?;
                RetryChoice::Policy(Arc::new(inline(attempts, args, cx)?))
            }
        };
        Some(Self { choice, span: first.span.to(args.last) })
    }

    fn signature() -> String {
        "<count> [per-try <duration>] [on [<retry condition>, ...]] [backoff <duration>] | <name of a retry> | off".to_owned()
    }

    fn types(types: &mut Vec<TypeDoc>) {
        Spanned::<Count>::types(types);
        Spanned::<Duration>::types(types);
        Spanned::<RetryCondition>::types(types);
    }
}

fn is_defined(name: &str, cx: &Reader<'_, '_>) -> bool {
    cx.definitions.find(cx.module, name).is_some()
}

fn named(name: &str, span: Span, cx: &mut Reader<'_, '_>) -> Option<Arc<RetryPolicy>> {
    match cx.definitions.find(cx.module, name).map(|(_, definition)| &definition.kind) {
        Some(DefinitionKind::Retry(policy)) => policy.clone(),
        _ => {
            let known = cx.definitions.names(cx.module, |kind| matches!(kind, DefinitionKind::Retry(_)));
            cx.unknown_definition("retry", name, span, &known);
            None
        }
    }
}

/// `retry on [5xx]`, which says not how often: reported with the usual number.
fn without_number<'p>(on: Span, args: &mut Args<'p>, cx: &mut Reader<'_, 'p>) -> Option<RetryPolicy> {
    let number = USUAL_RETRIES.attempts.to_string();
    let message = "`retry` needs a number of retries before `on`";
    let report = Diagnostic::new(Code::MISSING_ARGUMENT, on, message);
    let report = report.help(format!("for example `retry {number} on [5xx, connect-failure]`"));
    cx.report(report.edit(Applicability::Unsafe, on.before(), format!("{number} ")));
    inline(Spanned::new(Count::parse(&number).ok()?, on), args, cx)
}

fn inline<'p>(attempts: Spanned<Count>, args: &mut Args<'p>, cx: &mut Reader<'_, 'p>) -> Option<RetryPolicy> {
    let mut policy = RetryPolicy { attempts: Some(attempts), ..RetryPolicy::default() };
    loop {
        if policy.per_try.is_none() && args.take_label("per-try", &["per-try-timeout", "timeout"], cx) {
            policy.per_try = Some(Spanned::read(args, cx)?);
        } else if policy.on.is_none() && args.take_label("on", &["retry-on"], cx) {
            policy.on = Some(Comma(List::read(args, cx)?.0));
        } else if policy.backoff.is_none() && args.take_label("backoff", &["retry-back-off"], cx) {
            policy.backoff = Some(Spanned::read(args, cx)?);
        } else {
            args.finish(&["per-try", "on", "backoff"], cx);
            return Some(policy);
        }
    }
}
