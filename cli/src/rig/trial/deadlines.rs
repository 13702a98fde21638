//! Calls of gRPC that are answered late: what ends them is the deadline that they bring, and the timeout of the route.
//!
//! The upstream is asked to wait, and the time until the proxy has answered is held to what is due.

use super::{Aspect, Mismatch, Run};
use crate::rig::client;
use crate::rig::server::Kind;
use meshc_compiler::policy::RetryChoice;
use meshc_compiler::routing::Rule;
use meshc_compiler::routing::matcher::{Answer, Taken};
use meshc_compiler::values::Protocol;
use std::io;
use std::time::{Duration, Instant};

/// The deadline that a call brings, and how it is written.
const DEADLINE: (Duration, &str) = (Duration::from_millis(400), "400m");
/// Longest timeout of a route that is waited for.
const LONGEST: Duration = Duration::from_secs(2);
/// How much later than what is due the upstream answers, and how long it may take until a call that ends in time has ended.
const LATE: Duration = Duration::from_millis(1_500);
const PATIENCE: Duration = Duration::from_millis(400);
/// A machine with more to do may be late: what differs each time differs.
const TRIES: usize = 3;
/// Proxies count in milliseconds, and start a little later than the caller.
const EARLY: Duration = Duration::from_millis(30);

impl Run<'_> {
    /// What is wrong with the times of a rule's calls, if its destination speaks gRPC. `send` asks and waits up to a limit.
    pub(super) fn late_calls(
        &self,
        taken: &Taken<'_>,
        request: &client::Request,
        mut send: impl FnMut(&client::Request, Duration) -> io::Result<client::Response>,
    ) -> Option<Mismatch> {
        let timeout = self.calls_grpc(taken).then(|| timeout(taken.rule))?;
        let call = request.clone().with("content-type", "application/grpc").with("te", "trailers");
        // nginx does not read deadlines.
        let brought = (self.trial.kind == Kind::Envoy).then_some(DEADLINE);
        let with_deadline = brought.and_then(|(deadline, written)| {
            let due = timeout.map_or(deadline, |timeout| timeout.min(deadline));
            ended(&call.clone().with("grpc-timeout", written), due, &mut send)
        });
        let without = || timeout.filter(|time| *time <= LONGEST).and_then(|due| ended(&call, due, &mut send));
        with_deadline.or_else(without)
    }

    /// Whether all that a rule does is to call one destination that speaks gRPC, once.
    fn calls_grpc(&self, taken: &Taken<'_>) -> bool {
        let Answer::Forwarded { deliveries, .. } = &taken.answer else { return false };
        let [only] = deliveries.as_slice() else { return false };
        let upstream = self.trial.rigged.proxy.upstreams.get(only.to.upstream);
        let options = &taken.rule.options;
        let is_tried_again = options.retry.as_ref().is_some_and(|retry| match &retry.choice {
            RetryChoice::Policy(policy) => policy.per_try.is_some(),
            RetryChoice::Off => false,
        });
        upstream.is_some_and(|upstream| upstream.protocol() == Protocol::Grpc)
            && options.fault.is_empty()
            && !is_tried_again
    }
}

/// How long all of a response may take.
fn timeout(rule: &Rule) -> Option<Duration> {
    let limit = rule.options.timeout.as_ref()?.limit?;
    Some(Duration::from_millis(limit.as_millis()))
}

/// Makes a call that is answered later than it is due to end, again if it does not end in time.
fn ended(
    call: &client::Request,
    due: Duration,
    send: &mut impl FnMut(&client::Request, Duration) -> io::Result<client::Response>,
) -> Option<Mismatch> {
    let late = call.clone().with("x-echo-delay", &(due + LATE).as_millis().to_string());
    let mut got = String::new();
    for _ in 0..TRIES {
        let start = Instant::now();
        // However it ends: what counts is when.
        let answer = send(&late, due + LATE + PATIENCE);
        let taken = start.elapsed();
        if taken + EARLY >= due && taken < due + PATIENCE {
            return None;
        }
        let what = if answer.is_ok() { "a response" } else { "no response" };
        got = format!("{what} after {} ms", taken.as_millis());
    }
    let wanted = format!("the call ends after {} ms", due.as_millis());
    Some(Mismatch::new(Aspect::Deadline, wanted, got))
}
