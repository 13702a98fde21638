//! What retries ask.

use super::Walk;
use crate::capability::Feature;
use meshc_compiler::policy::{Retry, RetryChoice, RetryPolicy};
use meshc_compiler::values::{RetryCondition, RetryName};
use meshc_language::Span;

/// The statuses on which nginx too can try again; all others are [`Feature::RetryStatuses`].
pub(crate) const COMMON_RETRY_STATUSES: [u16; 7] = [403, 404, 429, 500, 502, 503, 504];

impl Walk<'_> {
    pub(super) fn retry(&mut self, retry: &Retry) {
        let Retry { choice, span } = retry;
        let RetryChoice::Policy(policy) = choice else { return };
        let RetryPolicy { attempts: _, per_try, on, backoff, remote_localities, previous_hosts: _ } =
            &**policy;
        self.add_unit(Feature::Retries, *span, "`retry`");
        if per_try.is_some() || backoff.is_some() {
            self.add_unit(Feature::RetryPerTry, *span, "`per-try` or `backoff` of a retry");
        }
        if remote_localities.is_some_and(|switch| switch.value.is_on()) {
            self.add_unit(Feature::RetryLocalities, *span, "`remote-localities` of a retry");
        }
        for condition in on.iter().flatten() {
            self.retry_condition(condition.value, *span);
        }
    }

    fn retry_condition(&mut self, condition: RetryCondition, span: Span) {
        match condition {
            RetryCondition::Status(status) if COMMON_RETRY_STATUSES.contains(&status.get()) => {}
            RetryCondition::Status(status) => {
                self.add_unit(Feature::RetryStatuses, span, format!("a retry on the status {status}"));
            }
            RetryCondition::Named(name) => match name {
                RetryName::ServerError
                | RetryName::GatewayError
                | RetryName::Reset
                | RetryName::ResetBeforeRequest
                | RetryName::ConnectFailure => {}
                RetryName::Retriable4xx
                | RetryName::RetriableStatusCodes
                | RetryName::RetriableHeaders
                | RetryName::EnvoyRatelimited => {
                    self.add_unit(Feature::RetryStatuses, span, format!("a retry on `{name}`"));
                }
                RetryName::RefusedStream
                | RetryName::Http3PostConnectFailure
                | RetryName::Cancelled
                | RetryName::DeadlineExceeded
                | RetryName::Internal
                | RetryName::ResourceExhausted
                | RetryName::Unavailable => {
                    // They happen in HTTP/2 alone.
                    if self.http2 {
                        self.add_unit(Feature::RetryGrpc, span, format!("a retry on `{name}`"));
                    }
                }
            },
        }
    }
}
