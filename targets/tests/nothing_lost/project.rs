//! Sources of a project, and what the compiler makes of them.

use meshc_compiler::{Compilation, Input, Options, Project, check};
use meshc_language::SourceFile;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// The sources of one project.
#[derive(Clone)]
pub(crate) struct Sources {
    pub(crate) name: String,
    /// Module and text.
    pub(crate) files: Vec<(String, String)>,
    /// The part of the first file that it is about, if not all of it.
    pub(crate) focus: Option<Range<usize>>,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

impl Sources {
    /// A project of one file.
    pub(crate) fn of_one(name: &str, text: String) -> Self {
        Self { name: name.to_owned(), files: vec![("case".to_owned(), text)], focus: None }
    }

    /// The `.mesh` files below a folder.
    fn below(folder: &Path) -> Self {
        let mut files = Vec::new();
        let mut folders = vec![folder.to_path_buf()];
        while let Some(at) = folders.pop() {
            for path in fs::read_dir(at).unwrap().map(|entry| entry.unwrap().path()) {
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|end| end == "mesh") {
                    let module = path
                        .with_extension("")
                        .strip_prefix(folder)
                        .unwrap()
                        .to_str()
                        .unwrap()
                        .replace('/', ".");
                    files.push((module, fs::read_to_string(&path).unwrap()));
                }
            }
        }
        files.sort();
        Self { name: folder.file_name().unwrap().to_str().unwrap().to_owned(), files, focus: None }
    }

    /// The examples, and the project that uses all of the standard library.
    pub(crate) fn of_the_repository() -> Vec<Self> {
        let mut all: Vec<Self> = fs::read_dir(root().join("examples"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.is_dir())
            .map(|path| Self::below(&path))
            .collect();
        all.push(Self::below(&root().join("tests/golden/library")));
        all.sort_by(|left, right| left.name.cmp(&right.name));
        all.retain(|sources| !sources.files.is_empty());
        all
    }

    pub(crate) fn read(&self) -> Project {
        let input = |(module, text): &(String, String)| Input {
            module: module.clone(),
            file: SourceFile { name: format!("{module}.mesh"), text: text.clone() },
        };
        Project::read(self.files.iter().map(input).collect())
    }

    /// The compilation in every environment.
    pub(crate) fn check(&self) -> (Project, Compilation) {
        let project = self.read();
        let compilation = check(&project, None, &Options::default());
        (project, compilation)
    }
}
