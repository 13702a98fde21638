//! Injected failures.

use super::answer;
use super::builder::Builder;
use super::directive::{Directive, when};
use meshc_compiler::policy::{Abort, Fault, Injection};

/// What Envoy says in place of the answer; a status that redirects has no text.
const BODY: &str = "fault filter abort";

/// Fails a share of the requests of the rule whose location is `name`. `fit` has refused all other faults.
pub(super) fn aborts(faults: &[Fault], name: &str, builder: &mut Builder<'_>) -> Vec<Directive> {
    let mut lines = Vec::new();
    for Fault { kind, share, span } in faults {
        let status = match kind {
            Injection::Abort(Abort::Http(status)) => status.value.get(),
            Injection::Abort(Abort::Grpc(_)) | Injection::Delay(_) => continue,
        };
        let answer = answer::with(status, BODY);
        match share.value.ppm() {
            0 => {}
            1_000_000 => lines.push(answer.at(*span)),
            ppm => {
                let hit = builder.http.drawn(&format!("{name} abort {status}"), ppm);
                lines.push(when(&hit, "1", vec![answer]).at(*span));
            }
        }
    }
    lines
}
