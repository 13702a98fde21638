//! One call that does everything: all environments, all checks, levels, exemptions.

use crate::causes;
use crate::checks;
use crate::elaborate::{Found, elaborate};
use crate::model::Model;
use crate::project::{Definitions, Project};
use crate::reading::{Accepted, Scopes};
use crate::routing::{Dropped, Plans, Proxy};
use crate::values::Date;
use indexmap::IndexMap;
use meshc_language::{Code, Diagnostic, Severity, Span};
use rustc_hash::FxHashMap;
use smol_str::SmolStr;
use std::sync::Arc;

/// The level of a report in a project.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Not reported.
    Allow,
    /// Reported as this.
    Report(Severity),
}

/// Levels that a project gives to codes. Errors cannot be lowered for a whole project: the sources accept single ones, with a reason.
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
    plans: Plans,
    exemptions: Exemptions,
}

impl Checked {
    /// The model.
    #[must_use]
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// The plan of what each proxy is told: gateways in order of declaration, then the outbound proxies, without the statements
    /// inside of `dropped`. With nothing left out it is made once, whoever asks.
    #[must_use]
    pub fn proxies(&self, dropped: &[Dropped]) -> Vec<Arc<Proxy>> {
        self.plans.proxies_without(&self.model, dropped)
    }

    /// The reports of a target, without those that the sources accept, at the levels of the project.
    #[must_use]
    pub fn settle(&self, reports: Vec<Diagnostic>) -> Vec<Diagnostic> {
        self.exemptions.apply(reports, false)
    }
}

/// The outcome of a compilation.
#[derive(Debug)]
pub struct Compilation {
    /// Reports, sorted by place. What happens in some environments only says in which.
    pub reports: Vec<Diagnostic>,
    /// For each environment asked for (`None` where the project has none): its model, if it has no errors.
    pub environments: Vec<(Option<SmolStr>, Option<Checked>)>,
    /// Whether these are all environments of the project.
    pub is_whole: bool,
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
    let known = declared.len();
    let chosen: Vec<Option<SmolStr>> = match only {
        Some(environment) => vec![Some(SmolStr::new(environment))],
        None if declared.is_empty() => vec![None],
        None => declared.into_iter().map(Some).collect(),
    };
    let mut collected: IndexMap<ReportKey, (Diagnostic, Vec<SmolStr>)> = IndexMap::new();
    let mut compiled = Vec::with_capacity(chosen.len());
    let several = chosen.len() > 1;
    let is_whole = chosen.len() >= known;
    for environment in &chosen {
        let (checked, reports) = compile(project, environment.clone(), options);
        let failed = reports.iter().chain(&project.reports).any(|report| report.severity == Severity::Error);
        for report in reports {
            let entry = collected.entry(ReportKey::of(&report)).or_insert_with(|| (report, Vec::new()));
            entry.1.extend(environment.clone().filter(|environment| entry.1.last() != Some(environment)));
        }
        compiled.push((environment.clone(), (!failed).then_some(checked)));
    }
    let mut reports = project.reports.clone();
    reports.extend(collected.into_values().map(|(mut report, environments)| {
        if several && environments.len() < chosen.len() {
            report.environments = environments.iter().map(ToString::to_string).collect();
        }
        report
    }));
    reports.sort_by(|left, right| left.order().cmp(&right.order()));
    let reports = causes::merge(reports);
    Compilation { reports, environments: compiled, is_whole }
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

fn compile(project: &Project, environment: Option<SmolStr>, options: &Options) -> (Checked, Vec<Diagnostic>) {
    let mut found = Found::default();
    let definitions = Definitions::read(project, environment, &mut found.reports);
    let model = elaborate(&definitions, &options.cluster_domain, &mut found);
    // With an item missing, what the checks conclude from absence would be a cascade of the first fault.
    let lost = found.lost || project.reports.iter().any(|report| report.severity == Severity::Error);
    found.reports.extend(empty_files(project));
    let plans = Plans::default();
    found.reports.extend(checks::run(&model, &plans, lost));
    if !lost {
        found.reports.extend(definitions.unused());
    }
    found.accepted.extend(definitions.accepted.iter().cloned());
    let exemptions =
        Exemptions { accepted: found.accepted, today: options.today, levels: options.levels.clone() };
    let reports = exemptions.apply(found.reports, !lost);
    (Checked { model, plans, exemptions }, reports)
}

/// Files that declare nothing.
fn empty_files(project: &Project) -> impl Iterator<Item = Diagnostic> + '_ {
    let own = project.trees.iter().zip(&project.files).take(project.own);
    let read =
        |tree: &meshc_language::Tree| !project.reports.iter().any(|report| report.span.file == tree.file);
    own.filter(move |(tree, file)| tree.statements(&file.text).next().is_none() && read(tree)).map(
        |(tree, _)| {
            let span = meshc_language::Span::new(tree.file, 0, 0);
            Diagnostic::new(Code::NO_STATEMENTS, span, "this file declares nothing")
                .help("remove it, or declare something in it")
        },
    )
}

/// What the sources and the project accept.
#[derive(Clone, Debug)]
struct Exemptions {
    accepted: Vec<Accepted>,
    today: Option<Date>,
    levels: Levels,
}

impl Exemptions {
    /// Applies levels and exemptions. With `complete`, also reports exemptions that have expired or match nothing: all
    /// reports but those of targets have been seen then.
    fn apply(&self, reports: Vec<Diagnostic>, complete: bool) -> Vec<Diagnostic> {
        let mut used = vec![false; self.accepted.len()];
        let mut kept: Vec<Diagnostic> = Vec::with_capacity(reports.len());
        let mut scopes: FxHashMap<Code, Vec<(Span, usize)>> = FxHashMap::default();
        for (at, one) in self.accepted.iter().enumerate() {
            scopes.entry(one.code).or_default().push((one.scope, at));
        }
        let scopes: FxHashMap<Code, Scopes<usize>> =
            scopes.into_iter().map(|(code, scopes)| (code, scopes.into_iter().collect())).collect();
        for mut report in reports {
            let around = scopes
                .get(&report.code)
                .filter(|_| report.severity != Severity::Error || report.code.can_be_accepted());
            let around = around.into_iter().flat_map(|scopes| scopes.around(report.span));
            let exemption = around.map(|(_, at)| *at).min();
            if let Some((at, one)) = exemption.and_then(|at| Some((at, self.accepted.get(at)?))) {
                if let Some(used) = used.get_mut(at) {
                    *used = true;
                }
                if !self.has_expired(one) {
                    continue;
                }
            }
            match self.levels.get(&report.code) {
                Some(Level::Allow) if report.severity != Severity::Error => continue,
                Some(Level::Report(severity)) if report.severity != Severity::Error => {
                    report.severity = *severity
                }
                Some(Level::Allow | Level::Report(_)) | None => {}
            }
            kept.push(report);
        }
        if complete {
            kept.extend(self.accepted.iter().zip(used).filter_map(|(one, used)| self.without_use(one, used)));
        }
        kept
    }

    fn has_expired(&self, one: &Accepted) -> bool {
        matches!((&one.until, self.today), (Some(until), Some(today)) if until.value < today)
    }

    fn without_use(&self, one: &Accepted, used: bool) -> Option<Diagnostic> {
        if self.has_expired(one) {
            let message = format!("the exemption from {} has expired", one.code);
            let report = Diagnostic::new(Code::EXPIRED_ALLOW, one.span, message);
            return Some(report.help("mend what it excused, or give it a later day"));
        }
        (!used && !one.code.is_of_targets()).then(|| {
            let message = format!("nothing here reports {}", one.code);
            Diagnostic::new(Code::UNUSED_ALLOW, one.span, message).help("remove the exemption")
        })
    }
}
