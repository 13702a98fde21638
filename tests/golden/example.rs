//! One example: a folder with a `mesh.toml`, read and built as the program does it.

use crate::istio::{Mesh, in_a_namespace};
use meshc_compiler::{Compilation, Input, Options, Project, check};
use meshc_language::{Code, Diagnostic, SourceFile};
use meshc_targets::istio::ApiVersion;
use meshc_targets::{Artifact, Gateways, Split, Target, fit, target};
use serde::Deserialize;
use std::fs;
use std::path::{Path, PathBuf};

/// A project and where its expected output stands.
pub(super) struct Example {
    /// Its folder below `examples/`.
    pub(super) name: String,
    pub(super) folder: PathBuf,
    manifest: Manifest,
    /// Path from its folder with `/`, and text; sorted.
    pub(super) sources: Vec<(String, String)>,
}

/// The output for one environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Build {
    pub(super) target: &'static str,
    pub(super) environment: Option<String>,
    pub(super) artifacts: Vec<Artifact>,
}

/// What an example may say in `mesh.toml`: anything else could change its output unseen.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Manifest {
    #[serde(rename = "edition")]
    _edition: String,
    out: String,
    #[serde(rename = "default-env")]
    _default_env: Option<String>,
    #[serde(default)]
    istio: IstioManifest,
}

#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct IstioManifest {
    route_names: Option<bool>,
}

impl Example {
    /// Every folder below `examples/` that has a `mesh.toml`.
    pub(super) fn all() -> Vec<Self> {
        let root = root().join("examples");
        let manifests = files(&root, "toml");
        assert!(!manifests.is_empty(), "there are no examples in {}", root.display());
        manifests.iter().map(|manifest| Self::read(manifest, &root)).collect()
    }

    fn read(manifest: &Path, root: &Path) -> Self {
        let folder = manifest.parent().unwrap().to_owned();
        let text = fs::read_to_string(manifest).unwrap();
        let manifest = toml::from_str(&text).unwrap();
        let name = folder.strip_prefix(root).unwrap().display().to_string();
        Self { name, manifest, sources: sources(&folder), folder }
    }

    /// A project that is no example.
    pub(super) fn of(name: &str, sources: Vec<(String, String)>) -> Self {
        Self { name: name.to_owned(), folder: PathBuf::new(), manifest: Manifest::default(), sources }
    }

    /// The same project with other texts.
    pub(super) fn map(&self, text: impl Fn(&str) -> String) -> Self {
        let sources = self.sources.iter().map(|(name, old)| (name.clone(), text(old))).collect();
        Self {
            name: self.name.clone(),
            folder: self.folder.clone(),
            manifest: self.manifest.clone(),
            sources,
        }
    }

    pub(super) fn project(&self) -> Project {
        let input = |(name, text): &(String, String)| Input {
            module: name.strip_suffix(".mesh").unwrap().replace('/', "."),
            file: SourceFile { name: name.clone(), text: text.clone() },
        };
        Project::read(self.sources.iter().map(input).collect())
    }

    pub(super) fn check(&self, options: &Options) -> Compilation {
        check(&self.project(), None, options)
    }

    /// The output for Istio in each environment, and what there is to report.
    pub(super) fn build(&self, split: Split, api_version: ApiVersion) -> (Vec<Build>, Vec<String>) {
        self.build_for(target("istio").unwrap(), split, api_version)
    }

    /// The output of a target for each environment, and what there is to report; for targets that emulate, notes are not.
    /// No day is given: exemptions never expire here.
    pub(super) fn build_for(
        &self,
        target: &'static dyn Target,
        split: Split,
        api_version: ApiVersion,
    ) -> (Vec<Build>, Vec<String>) {
        let project = self.project();
        let Compilation { mut reports, environments, is_whole: _ } =
            check(&project, None, &Options::default());
        let route_names = self.manifest.istio.route_names.unwrap_or(true);
        let options = meshc_targets::Options {
            files: &project.files,
            split,
            api_version,
            route_names,
            gateways: Gateways::All,
            ..meshc_targets::Options::default()
        };
        let mut builds = Vec::new();
        for (environment, checked) in environments {
            let Some(checked) = checked else { continue };
            let (fitted, unfit) = fit(target, &checked, &options);
            // Whether a loss is accepted in vain shows in all environments together: `meshc check` says so.
            let silent = [Code::EMULATED, Code::UNUSED_DEGRADE, Code::WITHOUT_EFFECT, Code::GUESSED_PODS];
            reports.extend(unfit.into_iter().filter(|report| !silent.contains(&report.code)));
            if let Some(fitted) = fitted {
                let environment = environment.map(|name| name.to_string());
                builds.push(Build { target: target.name(), environment, artifacts: fitted.emit(&options) });
            }
        }
        let reports = reports.iter().map(|report| shown(report, &project)).collect();
        (builds, reports)
    }
}

impl Example {
    /// Its mesh in each environment, with what is made of it for Istio.
    pub(super) fn meshes_for_istio(&self) -> Vec<Mesh> {
        let itself = self.map(in_a_namespace);
        let (builds, _) = itself.build(Split::default(), ApiVersion::default());
        let checked = itself.check(&Options::default()).environments;
        let of = |environment: &Option<String>| {
            builds.iter().find(|build| build.environment == *environment).map(Build::resources)
        };
        let mesh = |(environment, checked): (Option<_>, Option<_>)| {
            let environment = environment.map(|name| format!("{name}"));
            let name = format!("{} {}", self.name, environment.as_deref().unwrap_or_default());
            Some(Mesh { name, seed: 0, checked: checked?, resources: of(&environment)? })
        };
        checked.into_iter().filter_map(mesh).collect()
    }
}

impl Build {
    /// All that it makes, as one text.
    fn resources(&self) -> String {
        self.artifacts.iter().map(|file| file.text.as_str()).collect()
    }

    /// The files that the program would write, and their texts.
    pub(super) fn files(&self, example: &Example) -> impl Iterator<Item = (PathBuf, String)> {
        let environment = self.environment.as_deref().unwrap_or("no-environment");
        let out = example.manifest.out.replace("{target}", self.target).replace("{env}", environment);
        let folder = example.folder.join(out);
        self.artifacts.iter().map(move |file| (folder.join(&file.path), file.text.clone()))
    }
}

fn shown(report: &Diagnostic, project: &Project) -> String {
    let file = project.files.get(report.span.file.0 as usize).unwrap();
    let line = file.text.get(..report.span.start as usize).unwrap().matches('\n').count() + 1;
    format!("{}:{line}: {} {}", file.name, report.code, report.message)
}

/// The folder of the repository.
pub(super) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The sources below a folder: path from it with `/`, and text.
pub(super) fn sources(folder: &Path) -> Vec<(String, String)> {
    let read = |path: PathBuf| {
        let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
        (name, fs::read_to_string(&path).unwrap())
    };
    files(folder, "mesh").into_iter().map(read).collect()
}

/// All files below a folder whose name ends with `.extension`, sorted.
pub(super) fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = all_files(folder);
    found.retain(|path| path.extension().is_some_and(|end| end == extension));
    found
}

/// All files below a folder, sorted.
pub(super) fn all_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let entries = fs::read_dir(folder).into_iter().flatten();
    for path in entries.map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            found.extend(all_files(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The documents of a YAML text.
pub(super) fn documents(text: &str) -> Vec<serde_yaml::Value> {
    let parts = serde_yaml::Deserializer::from_str(text);
    let read = parts.map(|part| serde_yaml::Value::deserialize(part).unwrap());
    read.filter(|document| !document.is_null()).collect()
}
