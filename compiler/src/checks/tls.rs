//! TLS: how it ends at the listeners of gateways, and how it begins on the way to services and externals.

mod clients;
mod listeners;
mod origination;

pub(super) use clients::clients;
pub(super) use listeners::listeners;

use crate::policy::FileRef;
use meshc_language::Span;

/// A statement of a `tls` block: its keyword and where its value stands.
type Setting = (&'static str, Span);

/// `` `cert`, `key` ``.
fn listed(settings: &[Setting]) -> String {
    crate::reading::listed(&settings.iter().map(|(keyword, _)| *keyword).collect::<Vec<_>>())
}

fn file_span(file: &Option<FileRef>) -> Option<Span> {
    file.as_ref().map(|FileRef(path)| path.span)
}
