//! The sources below a folder.
//!
//! No hidden files, none that a `.gitignore` of the project excludes. A symbolic link is what it leads to, under its own name: what it
//! is left out for would be missed by nobody but production. Three things keep that within reason:
//!
//! - A file is one source, however many links lead to it: its own place comes first, then links in order.
//! - A folder is entered once, and never one that holds the project: so cycles end, and a link to `..` brings nothing in.
//! - A link with the name of a source that leads nowhere is an error. Others are nobody's business, such as an editor's locks.

use crate::exit::Failure;
use crate::manifest;
use crate::project_files::shown;
use ignore::WalkBuilder;
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

/// Whether folders with a `mesh.toml` of their own belong to the folder around them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Nested {
    Taken,
    Skipped,
}

/// The sources below `folder`, but for those in `out`.
pub(crate) fn walk(folder: &Path, out: Option<&Path>, nested: Nested) -> Result<Vec<PathBuf>, Failure> {
    let mut walk = Walk {
        root: fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned()),
        nested,
        found: Vec::new(),
        files: BTreeSet::new(),
        folders: BTreeSet::new(),
    };
    walk.folders.insert(walk.root.clone());
    let mut links = walk.below(folder, out)?;
    while !links.is_empty() {
        links.sort();
        let mut further = Vec::new();
        for link in links {
            further.extend(walk.link(link)?);
        }
        links = further;
    }
    Ok(walk.found)
}

struct Walk {
    /// The folder without links in its path.
    root: PathBuf,
    nested: Nested,
    found: Vec<PathBuf>,
    /// Where the sources are that are found, without links.
    files: BTreeSet<PathBuf>,
    /// The folders that links led to, and the root, without links.
    folders: BTreeSet<PathBuf>,
}

impl Walk {
    /// Takes the files below a folder; the links in it.
    fn below(&mut self, folder: &Path, out: Option<&Path>) -> Result<Vec<PathBuf>, Failure> {
        let (root, nested) = (folder.to_owned(), self.nested);
        let out = out.filter(|out| *out != folder).map(Path::to_owned);
        let mut builder = WalkBuilder::new(folder);
        // What is compiled depends on the project, never on the settings of whoever compiles it.
        builder
            .hidden(true)
            .ignore(false)
            .git_ignore(true)
            .git_global(false)
            .git_exclude(false)
            .require_git(false)
            .parents(false);
        builder.filter_entry(move |entry| {
            let path = entry.path();
            let inner = nested == Nested::Skipped && path != root && path.join(manifest::FILE_NAME).is_file();
            out.as_deref() != Some(path) && !inner
        });
        let mut links = Vec::new();
        for entry in builder.build() {
            let entry = entry.map_err(|error| Failure::file("read", folder, error))?;
            let Some(kind) = entry.file_type() else { continue };
            if entry.depth() > 0 && kind.is_symlink() {
                links.push(entry.into_path());
            } else if kind.is_file() && is_source(entry.path()) {
                self.file(entry.into_path());
            }
        }
        Ok(links)
    }

    /// Takes what a link leads to; the links in that.
    fn link(&mut self, link: PathBuf) -> Result<Vec<PathBuf>, Failure> {
        let target = match fs::canonicalize(&link) {
            Ok(target) => target,
            Err(error) if is_source(&link) => {
                let message = format!("cannot follow the symbolic link `{}`: {error}", shown(&link));
                return Err(Failure::new(message).help("remove the link, or make it lead to a file"));
            }
            Err(_) => return Ok(Vec::new()),
        };
        if target.is_file() && is_source(&link) {
            self.file(link);
            return Ok(Vec::new());
        }
        let holds_the_project = self.root.starts_with(&target);
        if target.is_dir() && !holds_the_project && self.folders.insert(target) {
            return self.below(&link, None);
        }
        Ok(Vec::new())
    }

    fn file(&mut self, path: PathBuf) {
        let place = fs::canonicalize(&path).unwrap_or_else(|_| path.clone());
        if self.files.insert(place) {
            self.found.push(path);
        }
    }
}

fn is_source(path: &Path) -> bool {
    path.extension() == Some(OsStr::new("mesh"))
}
