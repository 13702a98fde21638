//! Gateways and their listeners: what admission refuses (rules G of the API), and what conflicts at run time.

use super::Context;
use meshc_language::Diagnostic;

/// All checks of gateways but those of TLS settings.
pub(super) fn check(_: &Context<'_>, _: &mut Vec<Diagnostic>) {}

/// Names that a gateway serves and no host claims.
pub(super) fn unused(_: &Context<'_>, _: &mut Vec<Diagnostic>) {}
