//! Copies of requests: each goes to the destination that mirrors them, with the path and the host that the request has at its own.
//!
//! ```text
//! marked request -proxy-> its own destination, which answers
//!                      \-> destinations of copies, some time later: waited for, and compared
//! ```

use super::http::share;
use super::shares::is_plausible;
use super::{Aspect, Mismatch, Run};
use crate::rig::echo::Seen;
use crate::rig::rigged::called;
use meshc_compiler::model::Id;
use meshc_compiler::routing::matcher::{Answer, Delivery, Taken};
use meshc_compiler::routing::{MirroredTo, Rule, Upstream};
use std::time::{Duration, Instant};

/// The header that marks a request, or those of one count, and so its copies.
pub(super) const MARK: &str = "x-echo-trial";
/// How long copies may take to arrive.
const LIMIT: Duration = Duration::from_secs(3);
const POLL: Duration = Duration::from_millis(5);
/// How long what arrives must have ended before it counts.
const QUIET: Duration = Duration::from_millis(50);

/// All requests are copied.
fn is_certain(mirror: &MirroredTo) -> bool {
    mirror.share.ppm() == 1_000_000
}

/// Whether a rule copies all of its requests to somewhere.
pub(super) fn copies_all(rule: &Rule) -> bool {
    rule.mirrors.iter().any(is_certain)
}

/// Whether a rule copies some of its requests.
pub(super) fn copies_by_chance(rule: &Rule) -> bool {
    rule.mirrors.iter().any(|mirror| !is_certain(mirror))
}

impl Run<'_> {
    /// What is wrong with the copies of one request, of which `own` is what its destination saw. Those that chance decides on are
    /// counted elsewhere.
    pub(super) fn copied(&self, taken: &Taken<'_>, own: &Seen, mark: &str) -> Vec<Mismatch> {
        let mut found = Vec::new();
        let mut known: Vec<Id<Upstream>> = Vec::new();
        for mirror in taken.rule.mirrors.iter().filter(|one| is_certain(one)) {
            if known.contains(&mirror.upstream) {
                continue;
            }
            known.push(mirror.upstream);
            let Some(upstream) = self.trial.rigged.proxy.upstreams.get(mirror.upstream) else { continue };
            let name = called(upstream);
            let same =
                taken.rule.mirrors.iter().filter(|one| one.upstream == mirror.upstream && is_certain(one));
            let due = same.count() + usize::from(own.upstream == name);
            let seen = self.arrived(mirror.upstream, mark, due);
            let wanted = || format!("a copy of `{}` for host `{}` to `{name}`", own.target, host(own));
            if seen.len() < due {
                found.push(Mismatch::new(Aspect::Copy, wanted(), "no copy"));
            }
            found.extend(seen.iter().find(|one| !is_alike(one, own)).map(|one| {
                let got = format!("a copy of `{}` for host `{}`", one.target, host(one));
                Mismatch::new(Aspect::Copy, wanted(), got)
            }));
        }
        found
    }

    /// What has arrived with a mark, waiting until it is as much as is due.
    fn arrived(&self, upstream: Id<Upstream>, mark: &str, due: usize) -> Vec<Seen> {
        let Some(echo) = self.trial.rigged.upstreams.get(upstream.index()) else { return Vec::new() };
        let deadline = Instant::now() + LIMIT;
        let mut seen = Vec::new();
        loop {
            seen.extend(echo.take_seen().into_iter().filter(|one| one.header(MARK) == Some(mark)));
            if seen.len() >= due || Instant::now() >= deadline {
                return seen;
            }
            std::thread::sleep(POLL);
        }
    }

    /// What is wrong with the copies of many requests to a rule. `answered` says how many each destination has answered,
    /// `delivered` is their sum, and all had the same path.
    pub(super) fn copies_counted(
        &self,
        taken: &Taken<'_>,
        answered: &dyn Fn(&str) -> u64,
        delivered: u64,
        mark: &str,
    ) -> Vec<Mismatch> {
        let Answer::Forwarded { target, deliveries } = &taken.answer else { return Vec::new() };
        let mut found = Vec::new();
        for mirror in &taken.rule.mirrors {
            found.extend(self.mirrored(mirror, target, answered, delivered, mark));
        }
        let mirrors =
            |one: &&Delivery<'_>| !taken.rule.mirrors.iter().any(|mirror| mirror.upstream == one.to.upstream);
        let own = deliveries.iter().filter(mirrors).filter(|_| !taken.rule.mirrors.is_empty());
        found.extend(own.filter_map(|one| self.repeated(one, answered, mark)));
        found
    }

    /// Counts the copies that have arrived, waiting for those that are on their way.
    fn mirrored(
        &self,
        mirror: &MirroredTo,
        target: &str,
        answered: &dyn Fn(&str) -> u64,
        delivered: u64,
        mark: &str,
    ) -> Option<Mismatch> {
        let upstream = self.trial.rigged.proxy.upstreams.get(mirror.upstream)?;
        let echo = self.trial.rigged.upstreams.get(mirror.upstream.index())?;
        let name = called(upstream);
        let answered = answered(&name);
        let deadline = Instant::now() + LIMIT;
        let mut arrived = 0;
        loop {
            let seen = echo.take_seen();
            let own: Vec<&Seen> = seen.iter().filter(|seen| seen.header(MARK) == Some(mark)).collect();
            if let Some(other) = own.iter().find(|seen| seen.target != target) {
                let wanted = format!("a copy of `{target}` to `{name}`");
                return Some(Mismatch::new(Aspect::Copy, wanted, format!("a copy of `{}`", other.target)));
            }
            arrived += u64::try_from(own.len()).unwrap_or(u64::MAX);
            let copies = arrived.saturating_sub(answered);
            let plausible = is_plausible(copies, delivered, mirror.share.ppm());
            if (own.is_empty() && plausible) || Instant::now() >= deadline {
                return share(&format!("copies to {name}"), copies, delivered, mirror.share.ppm());
            }
            std::thread::sleep(QUIET);
        }
    }

    /// A destination that gets no copies, and was sent more requests than it has answered.
    fn repeated(&self, one: &Delivery<'_>, answered: &dyn Fn(&str) -> u64, mark: &str) -> Option<Mismatch> {
        let upstream = self.trial.rigged.proxy.upstreams.get(one.to.upstream)?;
        let echo = self.trial.rigged.upstreams.get(one.to.upstream.index())?;
        let name = called(upstream);
        let due = answered(&name);
        let seen = echo.take_seen();
        let arrived = seen.iter().filter(|seen| seen.header(MARK) == Some(mark)).count();
        (u64::try_from(arrived) != Ok(due)).then(|| {
            let wanted = format!("`{name}` is sent {due} requests, and no copies");
            Mismatch::new(Aspect::Copy, wanted, format!("{arrived} arrive there"))
        })
    }
}

fn host(seen: &Seen) -> &str {
    seen.header("host").unwrap_or_default()
}

/// Whether a copy says what the request said.
fn is_alike(copy: &Seen, own: &Seen) -> bool {
    copy.target == own.target && copy.method == own.method && host(copy) == host(own)
}
