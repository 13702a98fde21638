//! The steps that `check`, `build` and `fix` share: environments, checks, what the targets can carry.

use crate::activity;
use crate::exit::Failure;
use crate::manifest::Manifest;
use crate::report::counted;
use meshc_compiler::values::{Date, did_you_mean};
use meshc_compiler::{Checked, Compilation, Options, Project};
use meshc_language::{Code, Diagnostic, Severity};
use meshc_targets::{Target, fit};
use std::time::{SystemTime, UNIX_EPOCH};

/// The environments of a project, in the order of declaration.
pub(crate) fn environments(project: &Project) -> Vec<String> {
    meshc_compiler::environments(project).iter().map(ToString::to_string).collect()
}

/// Refuses an environment that the project does not have.
pub(crate) fn known_environment(wanted: &str, known: &[String]) -> Result<(), Failure> {
    if known.iter().any(|known| known == wanted) {
        return Ok(());
    }
    let failure = Failure::new(format!("there is no environment `{wanted}`"));
    Err(match did_you_mean(wanted, known.iter().map(String::as_str)) {
        Some(meant) => failure.help(format!("did you mean `{meant}`?")),
        None if known.is_empty() => failure.help("the project declares no environments; leave it out"),
        None => failure.help(format!("the project has {}", known.join(", "))),
    })
}

/// The one environment of a run: the one that is asked for, or the project's default.
pub(crate) fn choose_environment(
    asked: Option<&str>,
    project: &Project,
    manifest: &Manifest,
) -> Result<Option<String>, Failure> {
    let known = environments(project);
    if let Some(asked) = asked {
        known_environment(asked, &known)?;
        return Ok(Some(asked.to_owned()));
    }
    match &manifest.default_environment {
        Some(default) => {
            known_environment(default, &known)
                .map_err(|failure| failure.help("see `default-env` in mesh.toml"))?;
            Ok(Some(default.clone()))
        }
        None if known.is_empty() => Ok(None),
        None => {
            let message = match known.as_slice() {
                [only] => format!("the project has an environment, `{only}`, and none is named"),
                several => format!("the project has several environments: {}", several.join(", ")),
            };
            let help = "name one with `--env`, or set `default-env` in mesh.toml";
            Err(Failure::new(message).help(help))
        }
    }
}

/// Compiles a project, in one environment or in all.
pub(crate) fn compile(project: &Project, only: Option<&str>, manifest: &Manifest) -> Compilation {
    activity::begin(format!("checking {}", counted(project.own, "file")));
    let options = Options {
        cluster_domain: manifest.cluster_domain.clone(),
        today: today(),
        levels: manifest.levels.clone(),
    };
    let mut compilation = meshc_compiler::check(project, only, &options);
    // Of a file that could not be read nothing is known, least of all that it declares nothing.
    let unread = |report: &Diagnostic| {
        let faults = project.reports.iter().filter(|fault| fault.severity == Severity::Error);
        faults.map(|fault| fault.span.file).any(|file| file == report.span.file)
    };
    compilation.reports.retain(|report| report.code != Code::NO_STATEMENTS || !unread(report));
    compilation
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
        route_names: manifest.route_names,
        gateways: manifest.gateways,
        rig: None,
        edge: manifest.edge,
        envoy: manifest.envoy.clone(),
        nginx: manifest.nginx.clone(),
    }
}

/// Adds what the targets cannot carry to the reports; each once, with the environments it happens in.
pub(crate) fn fit_all(
    compilation: &mut Compilation,
    targets: &[&'static dyn Target],
    options: &meshc_targets::Options<'_>,
) {
    activity::begin("asking the targets");
    let total = compilation.environments.len();
    let mut found: Vec<(Diagnostic, Vec<String>)> = Vec::new();
    for (environment, checked) in &compilation.environments {
        for report in targets.iter().flat_map(|target| reports(*target, checked.as_ref(), options)) {
            let name = environment.as_ref().map(ToString::to_string);
            match found.iter_mut().find(|(known, _)| known.order() == report.order()) {
                Some((_, environments)) => environments.extend(name),
                None => found.push((report, name.into_iter().collect())),
            }
        }
    }
    found.retain(|(report, environments)| {
        report.code != Code::UNUSED_DEGRADE || is_unused_everywhere(report, environments, compilation)
    });
    for (mut report, mut environments) in found {
        environments.dedup();
        if environments.len() < total {
            report.environments = environments;
        }
        compilation.reports.push(report);
    }
    compilation.reports.sort_by(|left, right| left.order().cmp(&right.order()));
}

/// Whether a `@degrade` that is unused in these environments is needed in no other: what it stands in front of may hold more
/// there.
fn is_unused_everywhere(report: &Diagnostic, unused: &[String], compilation: &Compilation) -> bool {
    let stands = |checked: &Checked| checked.model().degradations.iter().any(|one| one.span == report.span);
    let may_be_needed = compilation.environments.iter().any(|(name, checked)| {
        let is_known = name.as_ref().is_none_or(|name| unused.iter().any(|one| one == name.as_str()));
        !is_known && checked.as_ref().is_none_or(stands)
    });
    compilation.is_whole && !may_be_needed
}

fn reports(
    target: &'static dyn Target,
    checked: Option<&Checked>,
    options: &meshc_targets::Options<'_>,
) -> Vec<Diagnostic> {
    checked.map(|checked| fit(target, checked, options).1).unwrap_or_default()
}
