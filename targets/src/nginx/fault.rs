//! Injected failures.

use super::answer;
use super::directive::{Directive, when};
use super::pools::{Part, random};
use super::site::Site;
use super::variables::hundredths;
use meshc_compiler::policy::{Abort, Fault, Injection};

/// What Envoy says in place of the answer; a status that redirects has no text.
const BODY: &str = "fault filter abort";

/// Fails a share of the requests. `fit` has refused all other faults.
pub(super) fn aborts(faults: &[Fault], site: &mut Site<'_, '_>) -> Vec<Directive> {
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
                let shares = hundredths(&[ppm, 1_000_000 - ppm]);
                let parts: Vec<(String, u32)> =
                    ["1", "0"].map(str::to_owned).into_iter().zip(shares).collect();
                let hit = site.http.split(random(Part::Http), &parts);
                lines.push(when(&hit, "1", vec![answer]).at(*span));
            }
        }
    }
    lines
}
