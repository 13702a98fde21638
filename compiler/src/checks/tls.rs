//! TLS settings of listeners and of destinations.

use super::Context;
use meshc_language::Diagnostic;

/// TLS of gateways' listeners.
pub(super) fn listeners(_: &Context<'_>, _: &mut Vec<Diagnostic>) {}

/// TLS of services and externals.
pub(super) fn clients(_: &Context<'_>, _: &mut Vec<Diagnostic>) {}
