//! Checks of routes.

use super::Context;
use meshc_language::Diagnostic;

/// All checks of routes.
pub(super) fn check(_: &Context<'_>, _: &mut Vec<Diagnostic>) {}
