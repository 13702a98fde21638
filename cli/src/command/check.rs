//! `meshc check`: everything that is provably wrong, in all environments.

use crate::args::Check;
use crate::compilation::{compile, environments, fit_all, known_environment, target_options};
use crate::console::Console;
use crate::exit::{Exit, Failure};
use crate::project_files::ProjectFiles;
use crate::report::{self, Counts, Extent, Sources};
use std::mem::ManuallyDrop;

pub(super) fn run(check: &Check, console: &Console) -> Result<Exit, Failure> {
    let files = ProjectFiles::find(&check.paths)?;
    // A large mesh takes long to take down, and the process ends anyway.
    let mut project = ManuallyDrop::new(files.project(files.read()?));
    if let Some(wanted) = &check.env {
        known_environment(wanted, &environments(&project))?;
    }
    let mut compilation = ManuallyDrop::new(compile(&project, check.env.as_deref(), &files.manifest));
    project.trees = Vec::new();
    fit_all(&mut compilation, &files.manifest.targets, &target_options(&project, &files.manifest));
    let sources = Sources::new(&project.files, files.sources.iter().map(|source| source.shown.clone()));
    let environments = compilation.environments.iter().filter(|(name, _)| name.is_some()).count();
    let extent = Extent { files: files.sources.len(), environments };
    report::publish(console, &sources, &compilation.reports, extent, check.reporting)?;
    Ok(Counts::of(&compilation.reports).exit(check.reporting.deny))
}
