//! Checks of services.

use super::Context;
use meshc_language::Diagnostic;

/// All checks of services.
pub(super) fn check(_: &Context<'_>, _: &mut Vec<Diagnostic>) {}
