//! What is taken for granted of a platform because nothing says it.

use meshc_compiler::model::{DestinationId, Model};
use meshc_compiler::routing::Proxy;
use meshc_language::{Code, Diagnostic};
use rustc_hash::FxHashSet;
use std::sync::Arc;

/// Destinations that one note names.
const SHOWN: usize = 3;

/// A note on the pods that headless Services choose by the label `app=NAME`, since nothing says which they are.
pub(super) fn pods(model: &Model, proxies: &[Arc<Proxy>]) -> Option<Diagnostic> {
    let mut guessed: Vec<DestinationId> = Vec::new();
    let mut known: FxHashSet<DestinationId> = FxHashSet::default();
    for upstream in proxies.iter().flat_map(|proxy| proxy.upstreams.as_slice()) {
        let port = upstream.port.number.value.get();
        let found = model.headless(upstream.target, port, upstream.subset.as_deref());
        let unsaid = found.is_some_and(|headless| headless.is_guessed);
        if unsaid && known.insert(upstream.target) {
            guessed.push(upstream.target);
        }
    }
    let first = *guessed.first()?;
    let name = model.mesh.destination_name(first);
    let (_, app) = model.home(first);
    let message = match guessed.len() - 1 {
        0 => format!("the pods of `{name}` are assumed to have the label `app={app}`"),
        more => format!(
            "the pods of `{name}` are assumed to have the label `app={app}`; so are those of {more} more services"
        ),
    };
    let place = model.mesh.name_span(first)?;
    let mut note = Diagnostic::new(Code::GUESSED_PODS, place, message)
        .label("its `address` has no `labels`")
        .consequence("a service whose pods have other labels has no endpoints: 503 or 502 for every request");
    // What a template makes stands in one place.
    let mut places = vec![place];
    for span in guessed.iter().filter_map(|other| model.mesh.name_span(*other)) {
        if places.len() <= SHOWN && !places.contains(&span) {
            places.push(span);
            note = note.related(span, "also here");
        }
    }
    Some(note.help(format!(
        "if the labels differ, write `address {name} kubernetes labels app=web`; if the pods listen on another port, write \
         `port http 80 target 8080`"
    )))
}
