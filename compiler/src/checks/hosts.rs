//! Host blocks: who claims which host, where it comes in, and whether somebody serves it there.

use super::Context;
use meshc_language::Diagnostic;

/// Claims and bindings.
pub(super) fn check(_: &Context<'_>, _: &mut Vec<Diagnostic>) {}

/// Hosts that their gateways do not serve.
pub(super) fn coverage(_: &Context<'_>, _: &mut Vec<Diagnostic>) {}
