//! Requests with a path that a proxy may confuse with that of a rule: the same one with or without a slash at its end (nginx
//! redirects `/c` to `/c/` by itself), and the same one in other letters, which may take another way through the proxy, as may its copies.

use super::Confusion;
use super::draft::Draft;
use super::requests::Site;
use crate::model::{Match, PathTest};
use crate::policy::RewriteKind;
use crate::routing::RuleAction;
use crate::routing::matcher::{Outcome, Request, is_normal};

/// An end that any path may have, with an escape that stays and a sign that some servers cut paths at.
const END: &str = "/x%20y;z";

/// What may be confused with `hit`, a request that the rule takes by an alternative; whichever rule takes it.
pub(super) fn of<'p>(site: &Site<'_, 'p>, one: &'p Match, hit: &Draft) -> Vec<(Confusion, Request)> {
    let request = |path: String| Draft { path, ..hit.clone() }.request();
    let slashes = with_and_without_slash(one, hit);
    let mut all: Vec<(Confusion, Request)> =
        slashes.into_iter().map(|path| (Confusion::FinalSlash, request(path))).collect();
    if let RuleAction::Forward(_) = site.rule.action {
        // Dot segments are resolved before anything is compared.
        let longer = is_open(site, one).then(|| format!("{}{END}", hit.path.trim_end_matches('/')));
        let paths = longer.into_iter().chain([hit.path.clone()]);
        let mut requests = paths.map(|path| request(format!("/.{path}")));
        let other = requests.find(|request| site.is_taken(request));
        all.extend(other.map(|request| (Confusion::Spelling, request)));
    }
    all.retain(|(_, request)| !matches!(site.way.matcher.answer(request), Outcome::Undecided(..)));
    all
}

/// The path that an alternative compares with, once without a slash at its end and once with one; without the path of `hit`.
fn with_and_without_slash(one: &Match, hit: &Draft) -> Vec<String> {
    let Some(path) = &one.path else { return Vec::new() };
    let text = match &path.test {
        PathTest::Exact(text) | PathTest::Prefix(text) | PathTest::Under(text) => text.as_str(),
        PathTest::Pattern(_) => hit.path.as_str(),
    };
    let bare = text.strip_suffix('/').unwrap_or(text);
    let both = [bare.to_owned(), format!("{bare}/")];
    both.into_iter().filter(|path| !bare.is_empty() && *path != hit.path && is_normal(path)).collect()
}

/// Whether a path may end as it likes, and an expression does not look at it on the way.
fn is_open(site: &Site<'_, '_>, one: &Match) -> bool {
    let is_literal = one.path.as_ref().is_none_or(|path| match &path.test {
        PathTest::Prefix(_) | PathTest::Under(_) => true,
        PathTest::Exact(_) | PathTest::Pattern(_) => false,
    });
    let by_expression = |kind: &RewriteKind| matches!(kind, RewriteKind::Matches { .. });
    is_literal && !site.rule.options.rewrite.iter().any(|rewrite| by_expression(&rewrite.kind))
}
