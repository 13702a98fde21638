//! What is tried again, with Istio's defaults.

use super::api::{self, Extension, RetryPolicy, Route};
use crate::yaml::Sourced;
use meshc_compiler::policy::{Retry, RetryChoice, RetryPolicy as Declared, USUAL_RETRIES};
use meshc_compiler::values::{RetryCondition, RetryName};
use smol_str::SmolStr;

/// How often another endpoint is looked for, if the one at hand has failed before.
const ATTEMPTS_TO_CHOOSE: u32 = 5;

/// The policy of a route; `None` for no retries. `hashed` if the endpoint follows from the request.
pub(super) fn policy(retry: Option<&Retry>, hashed: bool) -> Option<RetryPolicy> {
    let declared = match retry.map(|Retry { choice, span: _ }| choice) {
        Some(RetryChoice::Off) => return None,
        Some(RetryChoice::Policy(policy)) => Some(&**policy),
        None => None,
    };
    let mut policy = RetryPolicy {
        retry_on: joined(USUAL_RETRIES.on),
        num_retries: Some(USUAL_RETRIES.attempts),
        host_selection_retry_max_attempts: ATTEMPTS_TO_CHOOSE,
        ..RetryPolicy::default()
    };
    let mut elsewhere = !hashed;
    // Localities are not known here: retries in others have been refused.
    if let Some(Declared { attempts, per_try, on, backoff, remote_localities: _, previous_hosts }) = declared
    {
        policy.num_retries = Some(attempts.map_or(0, |attempts| attempts.value.get()));
        policy.per_try_timeout = per_try.map(|time| SmolStr::new(time.value.to_proto()));
        policy.retry_back_off =
            backoff.map(|time| api::RetryBackOff { base_interval: SmolStr::new(time.value.to_proto()) });
        if let Some(on) = on {
            put_conditions(on.iter().map(|condition| condition.value), &mut policy);
        }
        elsewhere &= !previous_hosts.is_some_and(|switch| switch.value.is_on());
    }
    if elsewhere {
        policy.retry_host_predicate.push(Extension {
            name: "envoy.retry_host_predicates.previous_hosts",
            typed_config: api::PreviousHostsPredicate {}.into(),
        });
    }
    (policy.num_retries != Some(0)).then_some(policy)
}

/// Takes the policy of routes that say nothing, which is the same for all, from each of them to their virtual host; the others have
/// one of their own, which holds in its place (`VirtualHost.retry_policy`).
pub(super) fn taken_to_the_virtual_host(routes: &mut [Sourced<Route>]) -> Option<RetryPolicy> {
    let usual = policy(None, false);
    let mut policies: Vec<&mut Option<RetryPolicy>> = routes
        .iter_mut()
        .filter_map(|route| route.value.route.as_mut())
        .map(|action| &mut action.retry_policy)
        .collect();
    if !policies.iter().any(|own| **own == usual) {
        return None;
    }
    let never = RetryPolicy { num_retries: Some(0), ..RetryPolicy::default() };
    for own in &mut policies {
        **own = match own.take() {
            None => Some(never.clone()),
            said if said == usual => None,
            said => said,
        };
    }
    usual
}

fn put_conditions(conditions: impl Iterator<Item = RetryCondition>, policy: &mut RetryPolicy) {
    let mut names: Vec<RetryName> = Vec::new();
    for condition in conditions {
        match condition {
            RetryCondition::Named(name) => names.push(name),
            RetryCondition::Status(status) => policy.retriable_status_codes.push(u32::from(status.get())),
        }
    }
    let by_status = RetryName::RetriableStatusCodes;
    if !policy.retriable_status_codes.is_empty() && !names.contains(&by_status) {
        names.push(by_status);
    }
    if !names.is_empty() {
        policy.retry_on = joined(&names);
    }
}

fn joined(names: &[RetryName]) -> SmolStr {
    SmolStr::new(names.iter().map(|name| name.word()).collect::<Vec<_>>().join(","))
}
