//! The steps that `check`, `build` and `fix` share: environments, checks, what the targets can carry.

use crate::activity;
use crate::args::Settings;
use crate::exit::Failure;
use crate::manifest::Manifest;
use crate::report::counted;
use indexmap::IndexMap;
use meshc_compiler::model::Controller;
use meshc_compiler::values::{Date, Literal, Word, did_you_mean};
use meshc_compiler::{Checked, Compilation, Options, Project};
use meshc_language::{Code, Diagnostic, Severity, Span};
use meshc_targets::{Fitted, Target, fit};
use smol_str::SmolStr;
use std::time::{SystemTime, UNIX_EPOCH};

/// What `--env` takes for every environment of the project.
const ALL_ENVIRONMENTS: &str = "all";

/// The environments of a project, in the order of declaration.
fn environments(project: &Project) -> Vec<String> {
    meshc_compiler::environments(project).iter().map(ToString::to_string).collect()
}

/// Gives the parameters of a project the values of the command line.
pub(crate) fn set(project: &mut Project, settings: &Settings) -> Result<(), Failure> {
    let values: Vec<(String, String)> =
        settings.set.iter().map(|written| setting(written)).collect::<Result<_, _>>()?;
    if !values.is_empty() {
        project.set(&values);
    }
    Ok(())
}

/// The name, with its `$`, and the value of one `--set`.
fn setting(written: &str) -> Result<(String, String), Failure> {
    const FORM: &str = "write `--set '$canary=20%'`, in single quotes: the shell would expand `$canary`";
    let refused = |why: &str| {
        let shown = written.replace(char::is_control, "\u{fffd}");
        Failure::new(format!("`--set {shown}` {why}")).help(FORM)
    };
    if written.chars().any(char::is_control) {
        return Err(refused("has a control character, such as the end of a line"));
    }
    let (name, value) = written.split_once('=').ok_or_else(|| refused("has no `=` and no value"))?;
    let (name, value) = (name.trim(), value.trim());
    let (module, bare) = match name.rsplit_once('.') {
        Some((module, bare)) => (format!("{module}."), bare),
        None => (String::new(), name),
    };
    let bare = bare.strip_prefix('$').unwrap_or(bare);
    if Word::parse(bare).is_err() {
        return Err(refused("does not start with the name of a parameter"));
    }
    if value.is_empty() {
        return Err(refused("has no value"));
    }
    Ok((format!("{module}${bare}"), value.to_owned()))
}

/// Refuses an environment that the project does not have.
fn known_environment(wanted: &str, known: &[String]) -> Result<(), Failure> {
    if known.iter().any(|known| known == wanted) {
        return Ok(());
    }
    let failure = Failure::new(format!("there is no environment `{wanted}`"));
    Err(match did_you_mean(wanted, known.iter().map(String::as_str)) {
        Some(meant) => failure.help(format!("did you mean `{meant}`?")),
        None if known.is_empty() => failure.help("the project declares no environments; remove it"),
        None => failure.help(format!("choose an environment: this project has {}", known.join(", "))),
    })
}

/// The environments of a run, in the order of declaration: those that are asked for, else all of them; none where the project
/// declares none.
pub(crate) fn choose_environments(
    asked: &[String],
    project: &Project,
    manifest: &Manifest,
) -> Result<Vec<String>, Failure> {
    let known = environments(project);
    if let Some(default) = &manifest.default_environment {
        known_environment(default, &known)
            .map_err(|failure| failure.help("see `default-env` in mesh.toml"))?;
    }
    if asked.is_empty() || asked.iter().any(|name| name == ALL_ENVIRONMENTS) {
        return Ok(known);
    }
    for name in asked {
        known_environment(name, &known)?;
    }
    Ok(known.into_iter().filter(|name| asked.contains(name)).collect())
}

/// The environment of a run that takes one: the one that is asked for, the project's default, or its only one.
pub(crate) fn choose_environment(
    asked: &[String],
    what: &str,
    project: &Project,
    manifest: &Manifest,
) -> Result<Option<String>, Failure> {
    let chosen = choose_environments(asked, project, manifest)?;
    let default = manifest.default_environment.as_ref().filter(|_| asked.is_empty());
    match chosen.as_slice() {
        _ if default.is_some() => Ok(default.cloned()),
        [] => Ok(None),
        [only] => Ok(Some(only.clone())),
        several => {
            let message = format!("{what} takes one environment, and there are {}", several.join(", "));
            Err(Failure::new(message).help("choose one with `--env`, or set `default-env` in mesh.toml"))
        }
    }
}

/// Compiles a project in these environments; in all of them where none is named.
pub(crate) fn compile(project: &Project, only: &[String], manifest: &Manifest) -> Compilation {
    activity::begin(format!("checking {}", counted(project.own, "file")));
    let options = Options {
        cluster_domain: manifest.cluster_domain.clone(),
        today: today(),
        levels: manifest.levels.clone(),
        targets: controllers(&manifest.targets),
        other_targets: controllers(&manifest.other_targets),
    };
    let mut compilation = meshc_compiler::check(project, only.iter().map(String::as_str), &options);
    // Of a file that could not be read nothing is known, least of all that it declares nothing.
    let unread = |report: &Diagnostic| {
        let faults = project.reports.iter().filter(|fault| fault.severity == Severity::Error);
        faults.map(|fault| fault.span.file).any(|file| file == report.span.file)
    };
    compilation.reports.retain(|report| report.code != Code::NO_STATEMENTS || !unread(report));
    compilation
}

fn controllers(targets: &[&'static dyn Target]) -> Vec<Controller> {
    targets.iter().filter_map(|target| Controller::parse(target.name()).ok()).collect()
}

fn today() -> Option<Date> {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs();
    Date::from_unix_days(i64::try_from(seconds / 86_400).ok()?)
}

/// What a target is told of the project.
pub(crate) fn target_options<'p>(project: &'p Project, manifest: &Manifest) -> meshc_targets::Options<'p> {
    meshc_targets::Options {
        files: &project.files,
        split: manifest.split,
        api_version: manifest.api_version,
        releases: manifest.releases,
        ambient: manifest.ambient.clone(),
        route_names: manifest.route_names,
        gateways: manifest.gateways,
        rig: None,
        edge: manifest.edge,
        envoy: manifest.envoy.clone(),
        nginx: manifest.nginx.clone(),
    }
}

/// What a target makes of an environment.
pub(crate) struct Answer<'c> {
    pub(crate) environment: Option<String>,
    pub(crate) target: &'static dyn Target,
    /// The model of the environment, if it has no errors and the target can carry it.
    pub(crate) fitted: Option<Fitted<'c>>,
}

/// What the targets say of all environments.
pub(crate) struct Fit<'c> {
    /// Every report of the run.
    pub(crate) reports: &'c [Diagnostic],
    /// One for each environment and target.
    pub(crate) answers: Vec<Answer<'c>>,
    /// How many features each target emulates, by its name; none that emulates nothing.
    pub(crate) emulated: Vec<(&'static str, usize)>,
}

/// Asks the targets about each environment, and adds what they cannot carry to the reports; each once, with the environments it
/// happens in.
pub(crate) fn fit_all<'c>(
    compilation: &'c mut Compilation,
    targets: &[&'static dyn Target],
    options: &meshc_targets::Options<'_>,
) -> Fit<'c> {
    activity::begin("asking the targets");
    let Compilation { reports, environments, is_whole } = compilation;
    let environments: &[(Option<SmolStr>, Option<Checked>)] = environments;
    let mut answers = Vec::with_capacity(environments.len() * targets.len());
    let mut found: IndexMap<(Span, Code, String), (Diagnostic, Vec<String>)> = IndexMap::new();
    let mut emulated: IndexMap<&'static str, usize> = IndexMap::new();
    for (environment, checked) in environments {
        for target in targets {
            let name = environment.as_ref().map(ToString::to_string);
            let (fitted, own) =
                checked.as_ref().map(|checked| fit(*target, checked, options)).unwrap_or_default();
            for report in own {
                let key = (report.span, report.code, report.message.clone());
                let (_, environments) = found.entry(key).or_insert_with(|| {
                    if report.code == Code::EMULATED {
                        *emulated.entry(target.name()).or_default() += 1;
                    }
                    (report, Vec::new())
                });
                environments.extend(name.clone());
            }
            answers.push(Answer { environment: name, target: *target, fitted });
        }
    }
    for (mut report, mut places) in found.into_values() {
        if report.code == Code::UNUSED_DEGRADE
            && !(*is_whole && is_unused_everywhere(&report, &places, environments))
        {
            continue;
        }
        places.dedup();
        if places.len() < environments.len() {
            report.environments = places;
        }
        reports.push(report);
    }
    reports.sort_by(|left, right| left.order().cmp(&right.order()));
    Fit { reports, answers, emulated: emulated.into_iter().collect() }
}

/// Whether a `@degrade` that is unused in these environments is needed in no other: what it stands in front of may hold more
/// there.
fn is_unused_everywhere(
    report: &Diagnostic,
    unused: &[String],
    environments: &[(Option<SmolStr>, Option<Checked>)],
) -> bool {
    let stands = |checked: &Checked| {
        checked.views().any(|view| view.model().degradations.iter().any(|one| one.span == report.span))
    };
    !environments.iter().any(|(name, checked)| {
        let is_known = name.as_ref().is_none_or(|name| unused.iter().any(|one| one == name.as_str()));
        !is_known && checked.as_ref().is_none_or(stands)
    })
}
