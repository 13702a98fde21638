//! A project: its modules, what they define, what they import, and the environments.

mod collect;
mod definitions;
mod imports;
mod parameter;
mod settings;
mod targets;
mod unfold;
mod variables;

pub use definitions::{Definition, DefinitionKind, Definitions, Module, PolicyBody};
pub use parameter::ParameterType;
pub(crate) use targets::Targets;
pub(crate) use unfold::{FILE_BUDGET, item_budget};

use meshc_language::{Diagnostic, FileId, SourceFile, Tree, parse};
use rayon::prelude::*;

/// A module of the project, by its place in [`Project::modules`]. Its file has the same number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModuleId(pub u32);

impl ModuleId {
    /// The file of the module.
    #[must_use]
    pub const fn file(self) -> FileId {
        FileId(self.0)
    }
}

/// The modules that ship inside the program: name and source.
pub const STANDARD_LIBRARY: &[(&str, &str)] = &[
    ("std.http", include_str!("../../../stdlib/http.mesh")),
    ("std.rollout", include_str!("../../../stdlib/rollout.mesh")),
    ("std.service", include_str!("../../../stdlib/service.mesh")),
    ("std.tls", include_str!("../../../stdlib/tls.mesh")),
];

/// One file as it is given to the compiler.
#[derive(Clone, Debug)]
pub struct Input {
    /// Name of the module: the path from the project root with `.` for `/` and without `.mesh`.
    pub module: String,
    /// The file.
    pub file: SourceFile,
}

/// All files of one compilation, read.
#[derive(Clone, Debug)]
pub struct Project {
    /// The files; those of the standard library last.
    pub files: Vec<SourceFile>,
    /// Module names, in the same order.
    pub modules: Vec<String>,
    /// Syntax trees, in the same order.
    pub trees: Vec<Tree>,
    /// How many of the files are the user's.
    pub own: usize,
    /// Reports about syntax.
    pub reports: Vec<Diagnostic>,
    /// The file of the values that a run gives to parameters; see [`Project::set`].
    pub settings: Option<FileId>,
}

/// The name of the file that holds what a run gives to parameters.
pub const COMMAND_LINE: &str = "<command line>";

impl Project {
    /// Reads the files. `inputs` are in the order of their names, which makes every later order independent of how
    /// they were found.
    #[must_use]
    pub fn read(inputs: Vec<Input>) -> Self {
        let own = inputs.len();
        let library = STANDARD_LIBRARY.iter().map(|(module, text)| Input {
            module: (*module).to_owned(),
            file: SourceFile { name: format!("<{module}>"), text: (*text).to_owned() },
        });
        let (modules, files): (Vec<String>, Vec<SourceFile>) =
            inputs.into_iter().chain(library).map(|input| (input.module, input.file)).unzip();
        let parsed: Vec<_> = files
            .par_iter()
            .enumerate()
            .map(|(index, file)| parse(FileId(index as u32), &file.text))
            .collect();
        let mut trees = Vec::with_capacity(parsed.len());
        let mut reports = Vec::new();
        for file in parsed {
            trees.push(file.tree);
            reports.extend(file.diagnostics);
        }
        Self { files, modules, trees, own, reports, settings: None }
    }

    /// Gives values to parameters, over what environments and defaults say. Each is a name, with `$` and with or without its
    /// module before it (`platform.defaults.$limit`), and a value as a source would have it. They become a file of their own,
    /// one on each line, so that reports have a place to point at.
    pub fn set(&mut self, values: &[(String, String)]) {
        let file = FileId(u32::try_from(self.files.len()).unwrap_or(u32::MAX));
        let text: String = values.iter().map(|(name, value)| format!("{name} = {value}\n")).collect();
        let parsed = parse(file, &text);
        self.reports.extend(parsed.diagnostics);
        self.reports.extend(settings::not_one_value(file, &text, &parsed.tree));
        self.files.push(SourceFile { name: COMMAND_LINE.to_owned(), text });
        self.modules.push(COMMAND_LINE.to_owned());
        self.trees.push(parsed.tree);
        self.settings = Some(file);
    }
}
