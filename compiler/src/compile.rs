//! One call that does everything: all environments, all checks, levels, exemptions.

use crate::checks;
use crate::elaborate::{Found, elaborate};
use crate::model::Model;
use crate::project::{Definitions, Project};
use crate::reading::Accepted;
use crate::values::Date;
use indexmap::IndexMap;
use meshc_language::{Code, Diagnostic, Severity};
use smol_str::SmolStr;

/// The level of a report in a project.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Not reported.
    Allow,
    /// Reported as this.
    Report(Severity),
}

/// Levels that a project gives to codes. Errors cannot be lowered: what is reported as one is provably wrong.
pub type Levels = IndexMap<Code, Level>;

/// What a compilation depends on beside its files.
#[derive(Clone, Debug)]
pub struct Options {
    /// The domain of the cluster.
    pub cluster_domain: String,
    /// The day, for exemptions that expire; none of them does without it.
    pub today: Option<Date>,
    /// Levels of warnings and notes.
    pub levels: Levels,
}

impl Default for Options {
    fn default() -> Self {
        Self { cluster_domain: "cluster.local".to_owned(), today: None, levels: Levels::new() }
    }
}

/// A model without errors: the only thing that a target takes.
#[derive(Clone, Debug)]
pub struct Checked {
    model: Model,
}

impl Checked {
    /// The model.
    #[must_use]
    pub fn model(&self) -> &Model {
        &self.model
    }
}

/// The outcome of a compilation.
#[derive(Debug)]
pub struct Compilation {
    /// Reports, sorted by place. What happens in some environments only says in which.
    pub reports: Vec<Diagnostic>,
    /// For each environment asked for (`None` where the project has none): its model, if it has no errors.
    pub environments: Vec<(Option<SmolStr>, Option<Checked>)>,
}

impl Compilation {
    /// Whether there is an error.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.reports.iter().any(|report| report.severity == Severity::Error)
    }
}

/// The environments that a project declares, in order.
#[must_use]
pub fn environments(project: &Project) -> Vec<SmolStr> {
    Definitions::environment_list(project)
}

/// Compiles a project, in the environments that are named or in all of them.
#[must_use]
pub fn check(project: &Project, only: Option<&str>, options: &Options) -> Compilation {
    let declared = environments(project);
    let chosen: Vec<Option<SmolStr>> = match only {
        Some(environment) => vec![Some(SmolStr::new(environment))],
        None if declared.is_empty() => vec![None],
        None => declared.into_iter().map(Some).collect(),
    };
    let mut collected: IndexMap<ReportKey, (Diagnostic, Vec<SmolStr>)> = IndexMap::new();
    let mut compiled = Vec::with_capacity(chosen.len());
    let several = chosen.len() > 1;
    for environment in &chosen {
        let (model, reports) = compile(project, environment.clone(), options);
        let failed = reports.iter().chain(&project.reports).any(|report| report.severity == Severity::Error);
        for report in reports {
            let entry = collected.entry(ReportKey::of(&report)).or_insert_with(|| (report, Vec::new()));
            entry.1.extend(environment.clone().filter(|environment| entry.1.last() != Some(environment)));
        }
        compiled.push((environment.clone(), (!failed).then_some(Checked { model })));
    }
    let mut reports = project.reports.clone();
    reports.extend(collected.into_values().map(|(mut report, environments)| {
        if several && environments.len() < chosen.len() {
            report.environments = environments.iter().map(ToString::to_string).collect();
        }
        report
    }));
    reports.sort_by(|left, right| left.order().cmp(&right.order()));
    Compilation { reports, environments: compiled }
}

/// What makes two reports the same in two environments.
#[derive(PartialEq, Eq, Hash)]
struct ReportKey {
    code: Code,
    span: meshc_language::Span,
    message: String,
}

impl ReportKey {
    fn of(report: &Diagnostic) -> Self {
        Self { code: report.code, span: report.span, message: report.message.clone() }
    }
}

fn compile(project: &Project, environment: Option<SmolStr>, options: &Options) -> (Model, Vec<Diagnostic>) {
    let mut found = Found::default();
    let definitions = Definitions::read(project, environment, &mut found.reports);
    let model = elaborate(&definitions, &options.cluster_domain, &mut found);
    // With an item missing, what the checks conclude from absence would be a cascade of the first fault.
    let lost = found.lost || project.reports.iter().any(|report| report.severity == Severity::Error);
    found.reports.extend(empty_files(project));
    found.reports.extend(checks::run(&model, lost));
    if !lost {
        found.reports.extend(definitions.unused());
    }
    let reports = silence(found.reports, &found.accepted, options, lost);
    (model, reports)
}

/// Files that declare nothing.
fn empty_files(project: &Project) -> impl Iterator<Item = Diagnostic> {
    let own = project.trees.iter().zip(&project.files).take(project.own);
    own.filter(|(tree, file)| tree.statements(&file.text).next().is_none()).map(|(tree, _)| {
        let span = meshc_language::Span::new(tree.file, 0, 0);
        Diagnostic::new(Code::NO_STATEMENTS, span, "this file declares nothing").help("remove it, or declare something in it")
    })
}

/// Applies levels and exemptions; reports exemptions that have expired or match nothing.
fn silence(reports: Vec<Diagnostic>, accepted: &[Accepted], options: &Options, lost: bool) -> Vec<Diagnostic> {
    let mut used = vec![false; accepted.len()];
    let expired = |accepted: &Accepted| match (&accepted.until, options.today) {
        (Some(until), Some(today)) => until.value < today,
        _ => false,
    };
    let mut kept: Vec<Diagnostic> = Vec::with_capacity(reports.len());
    for mut report in reports {
        let exemption = accepted.iter().position(|one| {
            one.code == report.code && one.scope.contains(report.span) && report.severity != Severity::Error
        });
        if let Some(at) = exemption {
            if let Some(used) = used.get_mut(at) {
                *used = true;
            }
            if !accepted.get(at).is_some_and(expired) {
                continue;
            }
        }
        match options.levels.get(&report.code) {
            Some(Level::Allow) if report.severity != Severity::Error => continue,
            Some(Level::Report(severity)) => report.severity = report.severity.max(*severity),
            _ => {}
        }
        kept.push(report);
    }
    for (one, used) in accepted.iter().zip(used) {
        if expired(one) {
            let message = format!("the exemption from {} has expired", one.code);
            kept.push(Diagnostic::new(Code::EXPIRED_ALLOW, one.span, message).help("mend what it excused, or give it a later day"));
        } else if !used && !lost {
            let message = format!("nothing here reports {}", one.code);
            kept.push(Diagnostic::new(Code::UNUSED_ALLOW, one.span, message).help("remove the exemption"));
        }
    }
    kept
}
