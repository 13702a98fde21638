//! What each data plane makes of each feature: a folder for each feature, for all targets for raw proxies.
//!
//! ```text
//! FEATURE/case.mesh                 the smallest mesh that uses it; `# --- NAME.mesh` begins another file
//! FEATURE/TARGET/reports.txt        what the target says of it; absent if nothing
//! FEATURE/TARGET/...                what the target makes of it; absent if it cannot
//! ```
//!
//! `# shows: edge` in a case keeps what the target makes to the files whose path begins so. `UPDATE=1` writes what is expected anew.
//! To add a target, add its name to [`TARGETS`].

#![expect(clippy::panic, reason = "a test fails by panicking")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::indexing_slicing, reason = "a test fails by panicking")]

use crate::istio::{Mesh, in_a_namespace};
use meshc_compiler::routing::proxies;
use meshc_compiler::{Input, Project, check};
use meshc_language::{Code, Diagnostic, Severity, SourceFile};
use meshc_targets::{Artifact, Feature, Gateways, Options, Support, features, fit, target};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The targets for raw proxies.
const TARGETS: &[&str] = &["envoy", "nginx"];

/// The file of a target's reports.
const REPORTS: &str = "reports.txt";

/// The case of one feature.
pub(crate) struct Case {
    pub(crate) feature: Feature,
    pub(crate) name: String,
    files: Vec<(String, String)>,
    /// What the paths that are shown begin with.
    shows: String,
}

/// What a target makes of a case.
pub(crate) struct Outcome {
    reports: Vec<(String, Diagnostic)>,
    /// The files, if the target can carry it.
    pub(crate) artifacts: Option<Vec<Artifact>>,
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/capabilities")
}

/// `HttpListener` as `http-listener`.
fn name(feature: Feature) -> String {
    let mut name = String::new();
    for char in format!("{feature:?}").chars() {
        if char.is_ascii_uppercase() && !name.is_empty() {
            name.push('-');
        }
        name.push(char.to_ascii_lowercase());
    }
    name
}

/// A case for every feature.
pub(crate) fn cases() -> Vec<Case> {
    let case = |feature: &Feature| {
        let name = name(*feature);
        let path = folder().join(&name).join("case.mesh");
        let text = fs::read_to_string(&path).unwrap_or_else(|error| {
            panic!("every feature has a case: {}: {error}", path.display());
        });
        let shows = text.lines().find_map(|line| line.strip_prefix("# shows: ")).unwrap_or_default();
        let mut files = vec![("case.mesh".to_owned(), String::new())];
        for (at, line) in text.lines().enumerate() {
            if let Some(name) = line.strip_prefix("# --- ") {
                files.push((name.to_owned(), "\n".repeat(at)));
            }
            let (_, current) = files.last_mut().unwrap();
            current.push_str(line);
            current.push('\n');
        }
        let shows = shows.to_owned();
        Case { feature: *feature, name, files, shows }
    };
    Feature::ALL.iter().map(case).collect()
}

/// The meshes of all cases, with what is made of them for Istio.
pub(crate) fn meshes_for_istio() -> Vec<Mesh> {
    let mesh = |mut case: Case| {
        for (_, text) in &mut case.files {
            *text = in_a_namespace(text);
        }
        let compilation = check(&case.project(), None, &meshc_compiler::Options::default());
        let checked = compilation.environments.into_iter().next().and_then(|(_, checked)| checked);
        let checked = checked.unwrap_or_else(|| panic!("{}: {:?}", case.name, compilation.reports));
        let artifacts = case.build("istio", &Options::default()).artifacts;
        let resources = artifacts.into_iter().flatten().map(|file| file.text).collect();
        Mesh { name: format!("feature {}", case.name), seed: 0, checked, resources }
    };
    cases().into_iter().map(mesh).collect()
}

/// What a target reports of a mesh of one file, and its files if it can carry the mesh; `None` if the mesh has errors of its own.
pub(crate) fn built(text: &str, target_name: &str) -> Option<(Vec<Diagnostic>, Option<Vec<Artifact>>)> {
    let file = SourceFile { name: "case.mesh".to_owned(), text: text.to_owned() };
    let project = Project::read(vec![Input { module: "case".to_owned(), file }]);
    let compilation = check(&project, None, &meshc_compiler::Options::default());
    let checked = compilation.environments.first()?.1.as_ref()?;
    let options = Options { files: &project.files, gateways: Gateways::All, ..Options::default() };
    let (fitted, reports) = fit(target(target_name).unwrap(), checked, &options);
    Some((reports, fitted.map(|fitted| fitted.emit(&options))))
}

impl Case {
    fn project(&self) -> Project {
        let input = |(name, text): &(String, String)| Input {
            module: name.trim_end_matches(".mesh").to_owned(),
            file: SourceFile { name: name.clone(), text: text.clone() },
        };
        Project::read(self.files.iter().map(input).collect())
    }

    /// What a target makes of it, every gateway being its own.
    pub(crate) fn build(&self, target_name: &str, options: &Options<'_>) -> Outcome {
        let project = self.project();
        let compilation = check(&project, None, &meshc_compiler::Options::default());
        let [(_, checked)] = compilation.environments.as_slice() else {
            panic!("a case has one environment")
        };
        let checked = checked.as_ref().unwrap_or_else(|| panic!("{}: {:?}", self.name, compilation.reports));
        let used = features(checked.model(), &proxies(checked.model(), &[]));
        assert!(used.contains(&self.feature), "{} does not use {:?}", self.name, self.feature);
        let options = Options { files: &project.files, gateways: Gateways::All, ..options.clone() };
        let (fitted, reports) = fit(target(target_name).unwrap(), checked, &options);
        let place = |report: Diagnostic| {
            let file = &project.files[report.span.file.0 as usize];
            let line = file.text.get(..report.span.start as usize).unwrap().matches('\n').count() + 1;
            (format!("{}:{line}", file.name), report)
        };
        Outcome {
            reports: reports.into_iter().map(place).collect(),
            artifacts: fitted.map(|fitted| fitted.emit(&options)),
        }
    }
}

impl Outcome {
    /// Whether some report has this code and severity.
    fn says(&self, code: Code, severity: Severity) -> bool {
        self.reports.iter().any(|(_, report)| report.code == code && report.severity == severity)
    }

    /// Whether some note is about a feature.
    fn notes(&self, feature: Feature) -> bool {
        let about = format!(" approximates {} with ", feature.title());
        self.reports.iter().any(|(_, report)| {
            report.code == Code::EMULATED
                && report.severity == Severity::Note
                && report.message.contains(&about)
        })
    }

    /// What is kept of it.
    fn files(&self, shows: &str) -> BTreeMap<String, String> {
        let artifacts = self.artifacts.iter().flatten().filter(|file| file.path.starts_with(shows));
        let mut files: BTreeMap<String, String> =
            artifacts.map(|file| (file.path.clone(), file.text.clone())).collect();
        let mut lines = String::new();
        for (place, report) in &self.reports {
            lines.push_str(&format!("{place}: {} {}\n", report.code, report.message));
            let said = [Some(&report.label), report.consequence.as_ref()].into_iter().flatten();
            for more in said.filter(|text| !text.is_empty()) {
                lines.push_str(&format!("    {more}\n"));
            }
        }
        if !lines.is_empty() {
            files.insert(REPORTS.to_owned(), lines);
        }
        files
    }
}

/// TCP says no host, so the outbound proxy cannot tell such services apart; gateways have nothing to do with it.
#[test]
fn two_tcp_services_on_one_port_cost_the_outbound_proxy_and_no_gateway() {
    let text = "gateway edge { workload any; listen http 80 { hosts a.com } }
        host a.com via edge { route all -> respond 200 }
        service one { port tcp 5432 }
        service two { port tcp 5432 }
        bindings { address one endpoints [10.0.0.1:5432]; address two endpoints [10.0.0.2:5432] }";
    for target in TARGETS {
        let (reports, artifacts) = built(text, target).unwrap();
        let found: Vec<(Code, Severity)> =
            reports.iter().map(|report| (report.code, report.severity)).collect();
        assert_eq!(found, [(Code::OUTBOUND_LEFT_OUT, Severity::Warning)], "{target}");
        let paths: Vec<String> = artifacts.unwrap().into_iter().map(|file| file.path).collect();
        assert!(!paths.is_empty() && paths.iter().all(|path| path.contains("edge")), "{target}: {paths:?}");
        let alone = text.lines().skip(2).collect::<Vec<_>>().join("\n");
        let (reports, artifacts) = built(&alone, target).unwrap();
        assert!(reports.iter().any(|report| report.severity == Severity::Error), "{target}: {reports:?}");
        assert!(artifacts.is_none(), "{target}");
    }
}

#[test]
fn every_feature_is_carried_as_its_target_says() {
    let mut faults = Vec::new();
    for name in TARGETS {
        let support = |feature| target(name).unwrap().support(feature);
        for case in cases() {
            let outcome = case.build(name, &Options::default());
            let refused = outcome.says(Code::UNSUPPORTED, Severity::Error);
            let noted = outcome.notes(case.feature);
            let made = outcome.artifacts.as_ref().is_some_and(|files| !files.is_empty());
            let met = match support(case.feature) {
                Support::Native => made && !refused && !noted,
                Support::Emulated { .. } => made && !refused && noted,
                Support::Unsupported { .. } => !made && refused,
            };
            if !met {
                faults.push(format!("{name} {}: {:?}", case.name, outcome.reports));
            }
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn every_feature_makes_the_expected_files() {
    let update = std::env::var_os("UPDATE").is_some_and(|value| value == "1");
    let mut faults = Vec::new();
    for name in TARGETS {
        for case in cases() {
            let made = case.build(name, &Options::default()).files(&case.shows);
            let folder = folder().join(&case.name).join(name);
            if update {
                write(&folder, &made);
            }
            faults.extend(differences(&folder, &made));
        }
    }
    assert!(faults.is_empty(), "\n{}\n\n`UPDATE=1` writes the expected files anew", faults.join("\n"));
}

#[test]
fn every_folder_is_of_a_feature() {
    let known: Vec<String> = Feature::ALL.iter().map(|feature| name(*feature)).collect();
    for entry in fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap()) {
        let name = entry.file_name().to_string_lossy().into_owned();
        assert!(name == "mod.rs" || known.contains(&name), "{name} is of no feature");
    }
}

/// The files below a folder, by their paths from it.
fn there(folder: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(at) = folders.pop().filter(|at| at.exists()) {
        for path in fs::read_dir(at).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_string_lossy().into_owned();
                found.insert(name, fs::read_to_string(path).unwrap());
            }
        }
    }
    found
}

fn differences(folder: &Path, made: &BTreeMap<String, String>) -> Vec<String> {
    let there = there(folder);
    let names = there.keys().chain(made.keys().filter(|name| !there.contains_key(*name)));
    let differ = names.filter(|name| there.get(*name) != made.get(*name));
    differ
        .map(|name| {
            let (old, new) = (there.get(name), made.get(name));
            let lines = |text: Option<&String>| text.map_or(0, |text| text.lines().count());
            let pairs = old.zip(new).and_then(|(old, new)| {
                old.lines()
                    .zip(new.lines())
                    .find(|(old, new)| old != new)
                    .map(|(old, new)| format!("`{old}`, made `{new}`"))
            });
            let what = pairs.unwrap_or_else(|| format!("{} lines, made {}", lines(old), lines(new)));
            format!("{}/{name}: expected {what}", folder.display())
        })
        .collect()
}

fn write(folder: &Path, made: &BTreeMap<String, String>) {
    if folder.exists() {
        fs::remove_dir_all(folder).unwrap();
    }
    for (name, text) in made {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}
