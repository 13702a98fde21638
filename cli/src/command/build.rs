//! `meshc build`: checks, then writes the configuration of each target; all of it or nothing.

use crate::activity;
use crate::args::{Build, Format, find_word};
use crate::compilation::{
    Answer, Fit, choose_environment, choose_environments, compile, fit_all, set, target_options,
};
use crate::console::Console;
use crate::diff;
use crate::exit::{Exit, Failure};
use crate::manifest::{ENVIRONMENT_PLACE, Manifest, TARGET_PLACE, check_places};
use crate::outputs::{self, Drift, OutputFolder};
use crate::project_files::{ProjectFiles, shown};
use crate::report::{self, Counts, DRIFT, Extent, Noticed, Sources, counted};
use meshc_compiler::Project;
use meshc_language::Diagnostic;
use meshc_targets::{Artifact, Options, Split, Target, envoy, istio::ApiVersion, target};
use std::mem::ManuallyDrop;
use std::path::{Path, PathBuf};

/// Files whose difference is shown by `--locked`, and the lines of each.
const SHOWN_FILES: usize = 5;
const SHOWN_LINES: usize = 20;

pub(super) fn run(build: &Build, console: &Console) -> Result<Exit, Failure> {
    refuse_contradictions(build)?;
    let mut files = ProjectFiles::find(&build.paths)?;
    overrule(&mut files.manifest, build);
    if let Some(refused) = files.manifest.unknown_api_version() {
        return Err(Failure::new(refused).help("leave `--api-version` out: every release takes `v1alpha3`"));
    }
    // A large mesh takes long to take down, and the process ends anyway.
    let mut project = ManuallyDrop::new(files.project(files.read()?));
    set(&mut project, &build.settings)?;
    let environments = environments(build, &project, &files.manifest)?;
    let place = OutputPlace::of(build, &files, &environments)?;
    let mut compilation = ManuallyDrop::new(compile(&project, &environments, &files.manifest));
    // The trees have served; what follows can have their memory.
    project.trees = Vec::new();
    let options = target_options(&project, &files.manifest);
    let is_whole = compilation.is_whole;
    let Fit { reports, answers, emulated } = fit_all(&mut compilation, &files.manifest.targets, &options);

    let counts = Counts::of(reports);
    let sources = Sources::new(&project.files, files.sources.iter().map(|source| source.shown.clone()));
    let fails = counts.fail(build.reporting.deny);
    if fails || !build.locked || build.reporting.format == Format::Human {
        let extent = Extent { files: files.sources.len(), environments: 0, emulated };
        publish(build, console, &sources, reports, extent)?;
    }
    if fails {
        return Ok(Exit::Findings);
    }
    let emitted = emit(answers, &options);
    match place {
        OutputPlace::Printed => print(emitted, console).map(|()| Exit::Clean),
        OutputPlace::Folder(root) => {
            let abandoned = if is_whole { root.abandoned(&environments) } else { Vec::new() };
            let folders = root.folders(emitted);
            if build.locked {
                compare(&folders, &abandoned, build, &sources, reports, console)
            } else {
                write(&folders, &abandoned, console)
            }
        }
    }
}

/// The environments to build. What is printed can be of one only: nothing would tell where the next begins.
fn environments(build: &Build, project: &Project, manifest: &Manifest) -> Result<Vec<String>, Failure> {
    if build.out.as_deref() == Some(Path::new("-")) {
        let one = choose_environment(&build.env, "`--out -`", project, manifest)?;
        return Ok(one.into_iter().collect());
    }
    choose_environments(&build.env, project, manifest)
}

fn refuse_contradictions(build: &Build) -> Result<(), Failure> {
    if build.out.as_deref() != Some(Path::new("-")) {
        return Ok(());
    }
    if build.locked {
        return Err(Failure::new("`--locked` compares with a folder, and `--out -` has none")
            .help("leave one of them out"));
    }
    if build.reporting.format != Format::Human {
        let message = "`--out -` and this `--format` both write to standard output";
        return Err(Failure::new(message).help("build into a folder, or report with `meshc check`"));
    }
    Ok(())
}

/// What the command line says holds over `mesh.toml`.
fn overrule(manifest: &mut Manifest, build: &Build) {
    if !build.target.is_empty() {
        let mut targets: Vec<&'static dyn Target> = Vec::new();
        for wanted in build.target.iter().filter_map(|name| target(name)) {
            if !targets.iter().any(|known| known.name() == wanted.name()) {
                targets.push(wanted);
            }
        }
        manifest.overrule_targets(targets);
    }
    if let Some(version) = build.api_version.as_deref().and_then(|word| find_word(&ApiVersion::WORDS, word)) {
        manifest.api_version = version;
    }
    if let Some(split) = build.split.as_deref().and_then(|word| find_word(&Split::WORDS, word)) {
        manifest.split = split;
    }
    if let Some(format) =
        build.envoy_format.as_deref().and_then(|word| find_word(&envoy::Format::WORDS, word))
    {
        manifest.envoy.format = format;
    }
    if let Some(layout) =
        build.envoy_layout.as_deref().and_then(|word| find_word(&envoy::Layout::WORDS, word))
    {
        manifest.envoy.layout = layout;
    }
}

/// Where the output goes.
enum OutputPlace {
    Printed,
    Folder(OutputRoot),
}

/// An output folder with places for environment and target.
struct OutputRoot {
    template: String,
    root: PathBuf,
}

/// What one environment and one target make.
struct Emitted {
    environment: Option<String>,
    target: &'static dyn Target,
    artifacts: Vec<Artifact>,
}

impl OutputPlace {
    fn of(build: &Build, files: &ProjectFiles, environments: &[String]) -> Result<Self, Failure> {
        let (template, root) = match &build.out {
            Some(out) if out.as_path() == Path::new("-") => return Ok(Self::Printed),
            Some(out) => (out.to_string_lossy().into_owned(), PathBuf::new()),
            None => (files.manifest.out.clone(), files.root.clone()),
        };
        check_places(&template).map_err(Failure::new)?;
        let (of_environment, of_target) =
            (template.contains(ENVIRONMENT_PLACE), template.contains(TARGET_PLACE));
        if of_environment && !of_target && files.manifest.targets.len() > 1 {
            let message = format!("the output of several targets would mix in `{template}`");
            return Err(Failure::new(message).help(format!("add `{TARGET_PLACE}` to it")));
        }
        if of_target && !of_environment && environments.len() > 1 {
            let message = format!("the output of several environments would mix in `{template}`");
            return Err(Failure::new(message).help(format!(
                "add `{ENVIRONMENT_PLACE}` to it, for example `out/{ENVIRONMENT_PLACE}/{TARGET_PLACE}`, or name one environment with `--env`"
            )));
        }
        if of_environment && environments.is_empty() {
            let message = format!("the project has no environments for `{template}`");
            return Err(Failure::new(message).help(format!("remove `{ENVIRONMENT_PLACE}` from it")));
        }
        Ok(Self::Folder(OutputRoot { template, root }))
    }
}

impl OutputRoot {
    /// `OUT/[ENV/]TARGET`, or what the places in `OUT` say.
    fn folders(&self, emitted: Vec<Emitted>) -> Vec<OutputFolder> {
        let folders = emitted.into_iter().map(|Emitted { environment, target, artifacts }| {
            let environment = environment.unwrap_or_default();
            let filled =
                self.template.replace(ENVIRONMENT_PLACE, &environment).replace(TARGET_PLACE, target.name());
            let base = self.root.join(filled);
            let folder = match (self.is_placed(), environment.as_str()) {
                (true, _) => base.clone(),
                (false, "") => base.join(target.name()),
                (false, environment) => base.join(environment).join(target.name()),
            };
            OutputFolder { base, folder, artifacts }
        });
        folders.collect()
    }

    fn is_placed(&self) -> bool {
        self.template.contains(ENVIRONMENT_PLACE) || self.template.contains(TARGET_PLACE)
    }

    /// Outputs of environments that the project has no more, where the template gives each a folder of its own.
    fn abandoned(&self, environments: &[String]) -> Vec<PathBuf> {
        let whole = if self.is_placed() {
            self.template.clone()
        } else {
            format!("{}/{ENVIRONMENT_PLACE}/{TARGET_PLACE}", self.template)
        };
        let Some((before, rest)) = whole.split_once(&format!("{ENVIRONMENT_PLACE}/{TARGET_PLACE}")) else {
            return Vec::new();
        };
        if !rest.is_empty() || before.contains('{') || !before.ends_with('/') {
            return Vec::new();
        }
        let mut found = outputs::folders_below(&self.root.join(before), 2);
        found.retain(|(path, _)| match path.as_slice() {
            [environment, of_target] => target(of_target).is_some() && !environments.contains(environment),
            // A project that has environments now had none once.
            [of_target] => target(of_target).is_some() && !environments.is_empty(),
            _ => false,
        });
        found.into_iter().map(|(_, folder)| folder).collect()
    }
}

fn publish(
    build: &Build,
    console: &Console,
    sources: &Sources<'_>,
    reports: &[Diagnostic],
    extent: Extent,
) -> Result<(), Failure> {
    let quiet = reports.is_empty() && matches!(build.reporting.format, Format::Human | Format::Github);
    if quiet {
        return Ok(());
    }
    report::publish(console, sources, reports, extent, build.reporting)
}

fn emit(answers: Vec<Answer<'_>>, options: &Options<'_>) -> Vec<Emitted> {
    activity::begin("writing configuration");
    let emitted = answers.into_iter().filter_map(|Answer { environment, target, fitted }| {
        Some(Emitted { environment, target, artifacts: fitted?.emit(options) })
    });
    emitted.collect()
}

fn print(emitted: Vec<Emitted>, console: &Console) -> Result<(), Failure> {
    emitted
        .iter()
        .flat_map(|emitted| &emitted.artifacts)
        .try_for_each(|artifact| console.product(artifact.text.as_bytes()))
}

fn write(folders: &[OutputFolder], abandoned: &[PathBuf], console: &Console) -> Result<Exit, Failure> {
    let done = outputs::write(folders)?;
    let places: Vec<String> = folders.iter().map(|folder| shown(&folder.folder)).collect();
    let line = format!(
        "wrote {} to {} ({} unchanged, {} removed)\n",
        counted(done.written, "file"),
        places.join(", "),
        done.unchanged,
        done.removed
    );
    console.summary(&line);
    for stray in &done.strays {
        let path = crate::sanitise::line(&shown(stray));
        let line = format!("note: `{path}` has a header of meshc, but no source produces it; remove it\n");
        console.report(line.as_bytes());
    }
    for folder in abandoned {
        let path = crate::sanitise::line(&shown(folder));
        let line =
            format!("note: `{path}` belongs to an environment that the project does not have; remove it\n");
        console.report(line.as_bytes());
    }
    Ok(Exit::Clean)
}

fn compare(
    folders: &[OutputFolder],
    abandoned: &[PathBuf],
    build: &Build,
    sources: &Sources<'_>,
    reports: &[Diagnostic],
    console: &Console,
) -> Result<Exit, Failure> {
    let mut drift = outputs::compare(folders)?;
    drift.extend(abandoned.iter().map(|folder| (folder.clone(), Drift::Abandoned)));
    if build.reporting.format == Format::Human {
        if drift.is_empty() {
            console.summary("the output is up to date\n");
        } else {
            console.report(drift_text(&drift).as_bytes());
        }
    } else {
        let noticed: Vec<Noticed> = drift.iter().map(|(path, drift)| noticed(path, drift)).collect();
        report::publish_findings(console, sources, reports, &noticed, build.reporting.format)?;
    }
    Ok(if drift.is_empty() { Exit::Clean } else { Exit::Findings })
}

fn noticed(path: &Path, drift: &Drift) -> Noticed {
    let message = match drift {
        Drift::Missing => "this file is missing",
        Drift::Different { .. } => "this file is out of date",
        Drift::Stale => "no source produces this file any more",
        Drift::Stray => "this file has a header of meshc, but no source produces it",
        Drift::Abandoned => "this output belongs to an environment that the project does not have",
    };
    Noticed { notice: DRIFT, file: shown(path), message: message.to_owned() }
}

fn drift_text(drift: &[(PathBuf, Drift)]) -> String {
    let mut text = String::new();
    let mut diffs = 0;
    for (path, drift) in drift {
        let path = crate::sanitise::line(&shown(path));
        match drift {
            Drift::Missing => text.push_str(&format!("missing   {path}\n")),
            Drift::Stale => text.push_str(&format!("stale     {path}\n")),
            Drift::Stray | Drift::Abandoned => text.push_str(&format!("stray     {path}\n")),
            Drift::Different { old, new } => {
                text.push_str(&format!("different {path}\n"));
                if diffs < SHOWN_FILES {
                    text.push_str(&diff::unified(old, new, SHOWN_LINES));
                }
                diffs += 1;
            }
        }
    }
    let files = if drift.len() == 1 { "1 file is".to_owned() } else { format!("{} files are", drift.len()) };
    text.push_str(&format!("{files} out of date; run `meshc build`"));
    if drift.iter().any(|(_, drift)| matches!(drift, Drift::Stray | Drift::Abandoned)) {
        text.push_str(", and remove stray files");
    }
    text.push('\n');
    text
}
