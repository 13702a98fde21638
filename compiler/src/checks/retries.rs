//! Checks of retries.

use super::Context;
use meshc_language::Diagnostic;

/// All checks of retries.
pub(super) fn check(_: &Context<'_>, _: &mut Vec<Diagnostic>) {}
