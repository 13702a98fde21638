//! Injected failures.

use super::answer;
use super::builder::Builder;
use super::directive::{Directive, line, when};
use meshc_compiler::policy::{Abort, Fault, Injection};

/// What Envoy says in place of the answer; a status that redirects has no text.
const BODY: &str = "fault filter abort";

/// Fails a share of the requests of the rule whose location is `name`. `fit` has refused all other faults. With `elsewhere`, the
/// answer comes from a location of that name, for which there may be other headers.
pub(super) fn aborts(
    faults: &[Fault],
    name: &str,
    elsewhere: Option<&str>,
    builder: &mut Builder<'_>,
) -> (Vec<Directive>, Vec<Directive>) {
    let mut lines = Vec::new();
    let mut answers = Vec::new();
    for Fault { kind, share, span } in faults {
        let status = match kind {
            Injection::Abort(Abort::Http(status)) => status.value.get(),
            Injection::Abort(Abort::Grpc(_)) | Injection::Delay(_) => continue,
        };
        let mut answer = answer::with(status, BODY);
        if let Some(location) = elsewhere {
            answers.push(answer.at(*span));
            answer = line!["rewrite", "^", location, "last"];
        }
        match share.value.ppm() {
            0 => {}
            1_000_000 => lines.push(answer.at(*span)),
            ppm => {
                let hit = builder.http.drawn(&format!("{name} abort {status}"), ppm);
                lines.push(when(&hit, "1", vec![answer]).at(*span));
            }
        }
    }
    (lines, answers)
}
