//! `meshc check`: everything that is provably wrong, in all environments.

use crate::args::Check;
use crate::compilation::{choose_environments, compile, fit_all, set, target_options};
use crate::console::Console;
use crate::exit::{Exit, Failure};
use crate::project_files::ProjectFiles;
use crate::report::{self, Counts, Extent, Sources};
use std::mem::ManuallyDrop;

pub(super) fn run(check: &Check, console: &Console) -> Result<Exit, Failure> {
    let files = ProjectFiles::find(&check.paths)?;
    // A large mesh takes long to take down, and the process ends anyway.
    let mut project = ManuallyDrop::new(files.project(files.read()?));
    set(&mut project, &check.settings)?;
    let environments = choose_environments(&check.env, &project, &files.manifest)?;
    let mut compilation = ManuallyDrop::new(compile(&project, &environments, &files.manifest));
    project.trees = Vec::new();
    let fit = fit_all(&mut compilation, &files.manifest.targets, &target_options(&project, &files.manifest));
    let sources = Sources::new(&project.files, files.sources.iter().map(|source| source.shown.clone()));
    let extent =
        Extent { files: files.sources.len(), environments: environments.len(), emulated: fit.emulated };
    report::publish(console, &sources, &compilation.reports, extent, check.reporting)?;
    Ok(Counts::of(&compilation.reports).exit(check.reporting.deny))
}
