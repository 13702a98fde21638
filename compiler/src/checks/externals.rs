//! Checks of externals.

use super::Context;
use meshc_language::Diagnostic;

/// All checks of externals.
pub(super) fn check(_: &Context<'_>, _: &mut Vec<Diagnostic>) {}
