//! From paths on the command line to the sources of a project.

use crate::activity;
use crate::exit::Failure;
use crate::manifest::{self, Manifest};
use crate::report::counted;
use crate::walk::{Nested, walk};
use meshc_compiler::{Input, Project};
use meshc_language::parse::MAX_FILE_SIZE;
use meshc_language::{Code, Diagnostic, FileId, SourceFile, Span, decode};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Component, Path, PathBuf};
use std::time::SystemTime;

/// The sources of a project and what it says about itself.
pub(crate) struct ProjectFiles {
    /// The folder that module names start from.
    pub(crate) root: PathBuf,
    /// Its `mesh.toml`, or what holds without one.
    pub(crate) manifest: Manifest,
    /// The sources, sorted by name.
    pub(crate) sources: Vec<Source>,
}

/// One source.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    /// Where it is.
    pub(crate) path: PathBuf,
    /// How reports call it: from the current folder if it is below it.
    pub(crate) shown: String,
    /// Path from the root, with `/`.
    pub(crate) name: String,
    /// Whether it was given, or stands in a folder that was given.
    pub(crate) given: bool,
}

/// The text of a source.
#[derive(Clone, Debug)]
pub(crate) struct Text {
    /// The text.
    pub(crate) text: String,
    /// Why it cannot be compiled: a report on file 0.
    pub(crate) refused: Option<Diagnostic>,
}

impl ProjectFiles {
    /// Finds the project that `paths` belong to, and its sources.
    pub(crate) fn find(paths: &[PathBuf]) -> Result<Self, Failure> {
        activity::begin("looking for sources");
        let given = if paths.is_empty() { vec![resolve(Path::new("."))?] } else { resolve_all(paths)? };
        let files = match project_root(&given) {
            Some(root) => Self::of_project(root, if paths.is_empty() { &[] } else { &given })?,
            None => Self::of_paths(&given)?,
        };
        files.refuse_reserved_modules()?;
        Ok(files)
    }

    /// A file whose module would be one of the standard library could never be used.
    fn refuse_reserved_modules(&self) -> Result<(), Failure> {
        let reserved = self.sources.iter().find(|source| module(&source.name).starts_with("std."));
        reserved.map_or(Ok(()), |source| {
            let message = format!("`{}` would be the module `{}`", source.shown, module(&source.name));
            Err(Failure::new(message)
                .help("modules below `std` ship with meshc; give the folder another name"))
        })
    }

    /// Sources that are no files: their names, with `/` between folders.
    pub(crate) fn inline<'n>(names: impl IntoIterator<Item = &'n String>) -> Result<Self, Failure> {
        let source = |name: &String| Source {
            path: PathBuf::from(name),
            shown: name.clone(),
            name: name.clone(),
            given: true,
        };
        let mut sources: Vec<Source> = names.into_iter().map(source).collect();
        sources.sort_by(|left, right| left.name.cmp(&right.name));
        let files = Self { root: PathBuf::new(), manifest: Manifest::default(), sources };
        files.refuse_reserved_modules()?;
        Ok(files)
    }

    fn of_project(root: PathBuf, given: &[Given]) -> Result<Self, Failure> {
        if let Some(stranger) = given.iter().find(|given| !given.path.starts_with(&root)) {
            let message =
                format!("`{}` is not part of the project in `{}`", shown(&stranger.path), shown(&root));
            return Err(Failure::new(message).help("run meshc once for each project"));
        }
        let manifest = Manifest::read(&root.join(manifest::FILE_NAME))?;
        let mut paths =
            walk(&root, manifest.fixed_out().map(|out| root.join(out)).as_deref(), Nested::Skipped)?;
        paths.extend(given.iter().filter(|given| !given.folder).map(|given| given.path.clone()));
        let is_given =
            |path: &Path| given.is_empty() || given.iter().any(|given| path.starts_with(&given.path));
        let sources = sources(paths, &root, is_given);
        if sources.is_empty() {
            return Err(no_sources(&root));
        }
        Ok(Self { root, manifest, sources })
    }

    /// Without a `mesh.toml`: what is given, below the deepest folder that holds it all.
    fn of_paths(given: &[Given]) -> Result<Self, Failure> {
        let mut root = given.first().map(|first| first.home().to_owned()).unwrap_or_default();
        while !given.iter().all(|given| given.path.starts_with(&root)) && root.pop() {}
        let mut paths = Vec::new();
        for given in given {
            if given.folder {
                let found = walk(&given.path, Some(&root.join("out")), Nested::Skipped)?;
                if found.is_empty() {
                    return Err(no_sources(&given.path));
                }
                paths.extend(found);
            } else {
                paths.push(given.path.clone());
            }
        }
        Ok(Self { sources: sources(paths, &root, |_| true), root, manifest: Manifest::default() })
    }

    /// The sources that are given, without the project around them: projects inside a given folder included.
    pub(crate) fn alone(paths: &[PathBuf]) -> Result<Vec<Source>, Failure> {
        if paths.is_empty() {
            return Self::find(paths).map(|files| files.sources);
        }
        let mut found = Vec::new();
        for given in resolve_all(paths)? {
            if given.folder {
                let below = walk(&given.path, None, Nested::Taken)?;
                if below.is_empty() {
                    return Err(no_sources(&given.path));
                }
                found.extend(below);
            } else {
                found.push(given.path);
            }
        }
        Ok(sources(found, Path::new(""), |_| true))
    }

    /// The texts of the sources.
    pub(crate) fn read(&self) -> Result<Vec<Text>, Failure> {
        activity::begin(format!("reading {}", counted(self.sources.len(), "file")));
        self.sources.par_iter().map(read).collect()
    }

    /// The project with these texts, in the order of the sources.
    pub(crate) fn project(&self, texts: Vec<Text>) -> Project {
        activity::begin(format!("parsing {}", counted(self.sources.len(), "file")));
        let mut refused = Vec::new();
        let mut inputs = Vec::with_capacity(texts.len());
        for (index, (source, text)) in self.sources.iter().zip(texts).enumerate() {
            let text = match text.refused {
                None => text.text,
                Some(report) => {
                    refused.push((index, report, text.text));
                    String::new()
                }
            };
            let file = SourceFile { name: source.name.clone(), text };
            inputs.push(Input { module: module(&source.name), file });
        }
        let mut project = Project::read(inputs);
        // Such a file takes part with no statements; its text is there for the report to show.
        for (index, mut report, text) in refused {
            report.span.file = FileId(u32::try_from(index).unwrap_or(u32::MAX));
            project.reports.push(report);
            if let Some(file) = project.files.get_mut(index) {
                file.text = text;
            }
        }
        project
    }
}

/// Reads one source. What is not UTF-8 or too large is refused with a report.
pub(crate) fn read(source: &Source) -> Result<Text, Failure> {
    let cannot = |error: std::io::Error| Failure::file("read", Path::new(&source.shown), error);
    if fs::metadata(&source.path).map_err(cannot)?.len() > MAX_FILE_SIZE as u64 {
        let span = Span::new(FileId(0), 0, 0);
        let report = Diagnostic::new(Code::FILE_TOO_LARGE, span, "the file is larger than 1 GiB");
        return Ok(Text { text: String::new(), refused: Some(report.help("split it into modules")) });
    }
    Ok(decoded(fs::read(&source.path).map_err(cannot)?))
}

/// The text of these bytes.
pub(crate) fn decoded(bytes: Vec<u8>) -> Text {
    match decode(FileId(0), bytes) {
        Ok(text) => Text { text, refused: None },
        Err(refused) => {
            let (text, report) = *refused;
            Text { text, refused: Some(report) }
        }
    }
}

/// A path of the command line, resolved.
struct Given {
    path: PathBuf,
    folder: bool,
}

impl Given {
    /// The folder that it is or stands in.
    fn home(&self) -> &Path {
        if self.folder { &self.path } else { self.path.parent().unwrap_or(&self.path) }
    }
}

fn resolve_all(paths: &[PathBuf]) -> Result<Vec<Given>, Failure> {
    paths.iter().map(|path| resolve(path)).collect()
}

fn resolve(path: &Path) -> Result<Given, Failure> {
    let cannot = |error| Failure::file("read", path, error);
    let metadata = fs::metadata(path).map_err(cannot)?;
    if metadata.is_dir() {
        return Ok(Given { path: fs::canonicalize(path).map_err(cannot)?, folder: true });
    }
    // The folder is resolved, not the file: a link to a source is a source where it stands.
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let folder = fs::canonicalize(parent).map_err(cannot)?;
    let name = path.file_name().unwrap_or_default();
    if name == manifest::FILE_NAME {
        return Ok(Given { path: folder, folder: true });
    }
    check_kind(path, &metadata)?;
    Ok(Given { path: folder.join(name), folder: false })
}

fn check_kind(path: &Path, metadata: &fs::Metadata) -> Result<(), Failure> {
    let shown = path.display();
    if !metadata.is_file() {
        return Err(Failure::new(format!("`{shown}` is neither a file nor a folder")));
    }
    match path.extension().and_then(OsStr::to_str) {
        Some("mesh") => Ok(()),
        Some("yaml" | "yml") => {
            Err(Failure::new(format!("`{shown}` is YAML; this version reads `.mesh` sources only"))
                .help("checking Istio's YAML comes with a later version"))
        }
        _ => Err(Failure::new(format!("`{shown}` is not a `.mesh` source"))),
    }
}

/// The nearest folder with a `mesh.toml` above the first path.
fn project_root(given: &[Given]) -> Option<PathBuf> {
    let home = given.first()?.home();
    home.ancestors().find(|folder| folder.join(manifest::FILE_NAME).is_file()).map(Path::to_owned)
}

/// What tells that a file is another one than before: its time and its size.
pub(crate) type Stamp = (Option<SystemTime>, u64);

/// The sources of a project and its `mesh.toml`, as they are now.
pub(crate) fn stamps(paths: &[PathBuf]) -> Result<BTreeMap<PathBuf, Stamp>, Failure> {
    let given = if paths.is_empty() { vec![resolve(Path::new("."))?] } else { resolve_all(paths)? };
    let root = project_root(&given);
    let mut found: Vec<PathBuf> = root.iter().map(|root| root.join(manifest::FILE_NAME)).collect();
    let folders = given.iter().filter(|given| given.folder).map(|given| given.path.clone());
    for folder in root.map_or_else(|| folders.collect(), |root| vec![root]) {
        found.extend(walk(&folder, None, Nested::Skipped)?);
    }
    found.extend(given.into_iter().filter(|given| !given.folder).map(|given| given.path));
    // A file that has gone meanwhile is no source any more.
    let stamped = found.into_iter().filter_map(|path| {
        let metadata = fs::metadata(&path).ok()?;
        Some((path, (metadata.modified().ok(), metadata.len())))
    });
    Ok(stamped.collect())
}

fn sources(mut paths: Vec<PathBuf>, root: &Path, given: impl Fn(&Path) -> bool) -> Vec<Source> {
    paths.sort();
    paths.dedup();
    let mut sources: Vec<Source> = paths
        .into_iter()
        .map(|path| Source { shown: shown(&path), name: name(&path, root), given: given(&path), path })
        .collect();
    sources.sort_by(|left, right| left.name.cmp(&right.name));
    sources
}

fn no_sources(folder: &Path) -> Failure {
    Failure::new(format!("there is no `.mesh` source in `{}`", shown(folder))).help(
        "name another folder, or start with `meshc init`; hidden and git-ignored files, output folders and folders \
         with a mesh.toml of their own are not searched",
    )
}

/// The path from the current folder if it is below it, else the whole path.
pub(crate) fn shown(path: &Path) -> String {
    let here = std::env::current_dir().and_then(fs::canonicalize).ok();
    match here.as_deref().and_then(|here| path.strip_prefix(here).ok()) {
        Some(rest) if rest.as_os_str().is_empty() => ".".to_owned(),
        Some(rest) => rest.to_string_lossy().into_owned(),
        None => path.to_string_lossy().into_owned(),
    }
}

fn name(path: &Path, root: &Path) -> String {
    let parts = path.strip_prefix(root).unwrap_or(path).components();
    let parts = parts.filter(|part| matches!(part, Component::Normal(_)));
    parts.map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}

/// The module of a source. What cannot stand in the name of a module becomes `_`, which no `use` can name.
fn module(name: &str) -> String {
    let stem = name.strip_suffix(".mesh").unwrap_or(name);
    let letter = |char: char| match char {
        '/' => '.',
        'a'..='z' | '0'..='9' | '-' => char,
        _ => '_',
    };
    stem.chars().map(letter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_are_named_by_their_path() {
        assert_eq!(module("platform/slow-retry.mesh"), "platform.slow-retry");
        assert_eq!(module("My Files/a.b.mesh"), "_y__iles.a_b");
    }

    #[test]
    fn names_start_at_the_root() {
        assert_eq!(name(Path::new("/p/a/b.mesh"), Path::new("/p")), "a/b.mesh");
        assert_eq!(name(Path::new("/p/a.mesh"), Path::new("")), "p/a.mesh");
    }
}
