//! Requests that somebody wants to see: what the plan says of them, and what the proxy does.

use super::http::{Connections, LIMIT, delay, written};
use super::judge::{Got, one_of};
use super::{Run, Shown};
use crate::rig::rigged::called;
use meshc_compiler::routing::matcher::{Answer, Outcome, Request};

impl<'m> Run<'_, 'm> {
    /// Asks once, and keeps what came of it; a difference is noted as any other.
    pub(super) fn show(&mut self, question: &Request, connections: &mut Connections<'_>) {
        let outcome = self.matcher.answer(question);
        let taken = if let Outcome::Taken(taken) = &outcome { Some(&**taken) } else { None };
        let request = written(question, taken);
        let limit = LIMIT + taken.map(|taken| delay(taken.rule)).unwrap_or_default();
        let got = Got::of(connections.exchange(question, &request, limit));
        self.findings.requests += 1;
        let (span, rule) = self.place(&outcome, question);
        let mismatches = self.judge(&outcome, &request.headers, &got);
        let sent = super::http::shown(question);
        self.findings.shown.push(Shown {
            span: span.filter(|_| !rule.is_empty()),
            rule: rule.clone(),
            wanted: self.meant(&outcome),
            got: done(&got),
            same: mismatches.is_empty(),
        });
        for mismatch in mismatches {
            self.note((span, &rule), &sent, mismatch);
        }
    }

    fn meant(&self, outcome: &Outcome<'_, 'm>) -> String {
        let taken = match outcome {
            Outcome::Refused(_) => return "no connection".to_owned(),
            Outcome::NotHttp => return "a connection that is passed on".to_owned(),
            Outcome::Rejected(_) => return "status 400".to_owned(),
            Outcome::NoHost | Outcome::NoRule(_) => return "status 404".to_owned(),
            Outcome::WantsTls { host: _, location } => return format!("status 301, to `{location}`"),
            Outcome::Undecided(..) => return "what cannot be said without the proxy".to_owned(),
            Outcome::Taken(taken) => taken,
        };
        match &taken.answer {
            Answer::Redirected { status, location, headers: _ } => {
                format!("status {status}, to `{location}`")
            }
            Answer::Responded { status, body: _, headers: _ } => format!("status {status}"),
            Answer::Forwarded { target, deliveries } => {
                let upstreams = &self.trial.rigged.proxy.upstreams;
                let to = deliveries.iter().filter_map(|one| upstreams.get(one.to.upstream)).map(called);
                format!("{}, path `{target}`", one_of(to))
            }
        }
    }
}

fn done(got: &Got) -> String {
    match (&got.answer, &got.seen) {
        (Err(error), _) => format!("no answer: {error}"),
        (Ok(_), Some(seen)) => format!("`{}`, path `{}`", seen.upstream, seen.target),
        (Ok(answer), None) => match answer.header("location") {
            Some(location) => format!("status {}, to `{location}`", answer.status),
            None => format!("status {}", answer.status),
        },
    }
}
