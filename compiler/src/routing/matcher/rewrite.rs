//! What the destination sees instead of the path that was asked for.

use super::condition::Asked;
use super::outcome::Doubt;
use crate::model::{Match, PathTest};
use crate::policy::{Rewrite, RewriteKind};

/// The path after the rewrites of a rule, of which `held` is the alternative that holds.
pub(super) fn path<'p>(
    asked: &Asked<'p, '_>,
    rewrites: &'p [Rewrite],
    held: Option<&Match>,
) -> Result<String, Doubt<'p>> {
    let mut path = asked.target.path.clone();
    for rewrite in rewrites {
        path = match &rewrite.kind {
            RewriteKind::Path(whole) => whole.value.as_str().to_owned(),
            RewriteKind::Prefix(with) => replaced(&path, held, with.value.as_str()),
            RewriteKind::Matches { pattern, with } => {
                asked.patterns.replace(&pattern.value, &path, with.value.as_str())?
            }
            RewriteKind::Host(_) => continue,
        };
    }
    Ok(path)
}

/// The host that a rule gives to its requests.
pub(super) fn host(rewrites: &[Rewrite]) -> Option<&str> {
    rewrites.iter().find_map(|rewrite| match &rewrite.kind {
        RewriteKind::Host(host) => Some(host.value.as_str()),
        RewriteKind::Path(_) | RewriteKind::Prefix(_) | RewriteKind::Matches { .. } => None,
    })
}

/// The path with what the condition asked for replaced: all of an exact path, the bytes of a prefix, the segments of `under`.
///
/// Envoy `prefix_rewrite` does the first two. Where no path was asked for, it takes the prefix for `/`; a pattern, which
/// is reported, for all of the path.
pub(super) fn replaced(path: &str, held: Option<&Match>, with: &str) -> String {
    let test = held.and_then(|one| one.path.as_ref()).map(|path| &path.test);
    let behind = |prefix: &str| path.get(prefix.len()..).unwrap_or_default();
    match test {
        Some(PathTest::Exact(_) | PathTest::Pattern(_)) => with.to_owned(),
        Some(PathTest::Prefix(prefix)) => format!("{with}{}", behind(prefix)),
        Some(PathTest::Under(prefix)) => {
            // What is left begins with `/`, or is nothing.
            let left = format!("{}{}", with.strip_suffix('/').unwrap_or(with), behind(prefix));
            if left.is_empty() { "/".to_owned() } else { left }
        }
        None => format!("{with}{}", behind("/")),
    }
}
