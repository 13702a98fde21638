//! All resources of a model: which there are, in which file each stands, and their text.

use super::document::Writer;
use super::plan::{Planned, plan};
use crate::artifact::{Artifact, HEADER};
use crate::target::{Options, Split};
use meshc_compiler::Checked;
use rayon::prelude::*;

/// The files of a model, each with its resources in an order in which they can be applied.
pub(super) fn artifacts(checked: &Checked, options: &Options<'_>) -> Vec<Artifact> {
    let writer = Writer::new(checked.model(), options);
    let mut planned: Vec<(String, Planned)> = plan(checked.model(), writer.layout())
        .into_iter()
        .map(|planned| (path(&writer, planned, options.split), planned))
        .collect();
    planned.sort();
    let files: Vec<&[(String, Planned)]> = planned.chunk_by(|left, right| left.0 == right.0).collect();
    files.par_iter().filter_map(|resources| file(&writer, resources)).collect()
}

/// Resources that are written together before they go into their file: a large file is never held twice.
const BATCH: usize = 2048;

/// One file; nothing if none of its resources has anything to say.
fn file(writer: &Writer<'_>, resources: &[(String, Planned)]) -> Option<Artifact> {
    let (path, _) = resources.first()?;
    let mut text = String::from(HEADER);
    for batch in resources.chunks(BATCH) {
        let parts: Vec<String> = batch.par_chunks(64).map(|resources| documents(writer, resources)).collect();
        for part in parts {
            text.push_str(&part);
        }
    }
    (text.len() > HEADER.len()).then(|| Artifact::new(path.clone(), text))
}

fn documents(writer: &Writer<'_>, resources: &[(String, Planned)]) -> String {
    let mut text = String::with_capacity(resources.len() * 2048);
    for (_, planned) in resources {
        if let Some(document) = writer.document(*planned) {
            text.push_str("---\n");
            writer.write(*planned, &document, &mut text);
        }
    }
    text
}

/// The file of a resource. A name with `_` cannot be that of a namespace.
fn path(writer: &Writer<'_>, planned: Planned, split: Split) -> String {
    let namespace = writer.namespace(planned).unwrap_or("_no-namespace");
    match split {
        Split::Namespace => format!("{namespace}.yaml"),
        Split::Resource => {
            format!("{namespace}/{}-{}.yaml", planned.kind().to_ascii_lowercase(), writer.name(planned))
        }
    }
}
