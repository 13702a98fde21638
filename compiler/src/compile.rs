//! One call that does everything: all environments, all checks, levels, exemptions.

use crate::causes;
use crate::checks;
use crate::declared::declare;
use crate::fixes;
use crate::model::{Controller, Model};
use crate::project::{Definitions, Project, Targets};
use crate::reading::{Accepted, Findings, Scopes};
use crate::reference::Words;
use crate::resolve::resolve;
use crate::routing::{Dropped, Plans, Proxy};
use crate::values::Date;
use indexmap::{IndexMap, IndexSet};
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
    /// The targets that are built: `in envoy { ... }` is read for that target only.
    pub targets: Vec<Controller>,
    /// What else the project builds, if not in this run.
    pub other_targets: Vec<Controller>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            cluster_domain: "cluster.local".to_owned(),
            today: None,
            levels: Levels::new(),
            targets: Controller::ALL.to_vec(),
            other_targets: Vec::new(),
        }
    }
}

/// A model without errors: the only thing that a target takes.
#[derive(Clone, Debug)]
pub struct Checked {
    model: Model,
    plans: Plans,
    exemptions: Exemptions,
    /// What other targets read, where the sources have blocks for targets.
    of_others: Vec<(Controller, Checked)>,
}

impl Checked {
    /// What this target reads.
    #[must_use]
    pub fn for_target(&self, target: Controller) -> &Self {
        self.of_others.iter().find(|(other, _)| *other == target).map_or(self, |(_, checked)| checked)
    }

    /// What each target reads, where they differ.
    pub fn views(&self) -> impl Iterator<Item = &Self> {
        std::iter::once(self).chain(self.of_others.iter().map(|(_, checked)| checked))
    }

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

/// Compiles a project, in the environments that are named or, where none is, in all of them.
#[must_use]
pub fn check<'a>(
    project: &Project,
    only: impl IntoIterator<Item = &'a str>,
    options: &Options,
) -> Compilation {
    let declared = environments(project);
    let known = declared.len();
    let mut chosen: Vec<Option<SmolStr>> = only.into_iter().map(|name| Some(SmolStr::new(name))).collect();
    if chosen.is_empty() {
        chosen.extend(declared.into_iter().map(Some));
    }
    if chosen.is_empty() {
        chosen.push(None);
    }
    let mut collected = Collected::default();
    let mut compiled = Vec::with_capacity(chosen.len());
    let mut differ = false;
    for environment in &chosen {
        let (checked, targets_differ) = compile_for_targets(project, environment, options, &mut collected);
        let failed =
            checked.is_none() || project.reports.iter().any(|report| report.severity == Severity::Error);
        differ |= targets_differ;
        compiled.push((environment.clone(), checked.filter(|_| !failed)));
    }
    let is_whole = chosen.len() >= known && (!differ || options.other_targets.is_empty());
    let mut reports = project.reports.clone();
    reports.extend(collected.merged(chosen.len(), options.targets.len().max(1), is_whole));
    for report in &mut reports {
        without_edit_of_settings(project, report);
        fixes::settle(project, report);
    }
    reports.sort_by(|left, right| left.order().cmp(&right.order()));
    causes::without_effects(project, &mut reports);
    let reports = causes::merge(reports);
    Compilation { reports, environments: compiled, is_whole }
}

/// No machine edits a command line: what it would write is said instead.
fn without_edit_of_settings(project: &Project, report: &mut Diagnostic) {
    let Some(fix) = report.fix.as_ref() else { return };
    if !fix.edits.iter().any(|edit| Some(edit.span.file) == project.settings) {
        return;
    }
    if let [edit] = fix.edits.as_slice() {
        report.help = Some(format!("did you mean `{}`?", edit.replacement));
    }
    report.fix = None;
}

/// The model of one environment, if it has no errors; and whether targets differ in what they read.
fn compile_for_targets(
    project: &Project,
    environment: &Option<SmolStr>,
    options: &Options,
    collected: &mut Collected,
) -> (Option<Checked>, bool) {
    let mut targets = options.targets.iter().copied();
    let first = targets.next();
    let mut whole = compile(project, environment.clone(), first, options);
    let mut failed = whole.failed();
    let differ = whole.targets_differ;
    let of_first: Vec<Option<Controller>> =
        if differ { vec![first] } else { options.targets.iter().copied().map(Some).collect() };
    collected.add(environment, &of_first, whole.reports);
    for target in targets.filter(|_| differ) {
        let other = compile(project, environment.clone(), Some(target), options);
        failed |= other.failed();
        collected.add(environment, &[Some(target)], other.reports);
        whole.checked.of_others.push((target, other.checked));
    }
    ((!failed).then_some(whole.checked), differ)
}

/// The reports of all environments and targets.
#[derive(Default)]
struct Collected(IndexMap<ReportKey, (Diagnostic, Vec<Place>)>);

/// Where a report happens.
type Place = (Option<SmolStr>, Option<Controller>);

impl Collected {
    fn add(
        &mut self,
        environment: &Option<SmolStr>,
        targets: &[Option<Controller>],
        reports: Vec<Diagnostic>,
    ) {
        let targets = if targets.is_empty() { &[None] } else { targets };
        for report in reports {
            let fix = report.fix.clone();
            let (known, places) =
                self.0.entry(ReportKey::of(&report)).or_insert_with(|| (report, Vec::new()));
            // What is right in one place and not in another is no fix.
            if known.fix != fix {
                known.fix = None;
            }
            for target in targets {
                let place = (environment.clone(), *target);
                if places.last() != Some(&place) {
                    places.push(place);
                }
            }
        }
    }

    /// Each report once. What happens in some environments, or for some targets, says in which; that something is not needed
    /// is said only where that holds everywhere.
    fn merged(self, environments: usize, targets: usize, is_whole: bool) -> impl Iterator<Item = Diagnostic> {
        let all = one_of_each_cause(self.0.into_values().collect());
        all.into_iter().filter_map(move |(mut report, places)| {
            let places: IndexSet<Place> = places.into_iter().collect();
            if report.code.is_of_absence() && (!is_whole || places.len() < environments * targets) {
                return None;
            }
            let of_environments: IndexSet<&SmolStr> =
                places.iter().filter_map(|(name, _)| name.as_ref()).collect();
            if environments > 1 && of_environments.len() < environments {
                report.environments = of_environments.into_iter().map(ToString::to_string).collect();
            }
            let of_targets: IndexSet<Controller> = places.iter().filter_map(|(_, target)| *target).collect();
            if targets > 1 && of_targets.len() < targets {
                report.targets = of_targets.into_iter().map(|target| target.word().to_owned()).collect();
            }
            Some(report)
        })
    }
}

/// Reports of one place whose texts differ in a value alone, each in environments of its own, as the first of them.
fn one_of_each_cause(all: Vec<(Diagnostic, Vec<Place>)>) -> Vec<(Diagnostic, Vec<Place>)> {
    let mut kept: Vec<(Diagnostic, Vec<Place>, Vec<String>)> = Vec::with_capacity(all.len());
    let mut by_place: FxHashMap<(Code, Span), Vec<usize>> = FxHashMap::default();
    for (report, places) in all {
        let known = by_place.entry((report.code, report.span)).or_default();
        let is_same = |at: &&usize| {
            kept.get(**at).is_some_and(|(other, others, _)| {
                skeleton(&other.message) == skeleton(&report.message)
                    && !places.iter().any(|(name, _)| others.iter().any(|(other, _)| other == name))
            })
        };
        let same = known.iter().find(is_same).copied();
        match same.and_then(|at| kept.get_mut(at)) {
            Some((earlier, earlier_places, values)) => {
                earlier_places.extend(places);
                values.extend(differing(&earlier.message, &report.message));
                if earlier.fix != report.fix {
                    earlier.fix = None;
                }
            }
            None => {
                known.push(kept.len());
                kept.push((report, places, Vec::new()));
            }
        }
    }
    kept.into_iter().map(|(report, places, values)| (with_others(report, &values), places)).collect()
}

/// A message without what it quotes.
fn skeleton(message: &str) -> Vec<&str> {
    message.split('`').step_by(2).collect()
}

/// The first value of a message that another has otherwise.
fn differing(first: &str, other: &str) -> Option<String> {
    let quoted = |message: &'_ str| -> Vec<String> {
        message.split('`').skip(1).step_by(2).map(ToOwned::to_owned).collect()
    };
    quoted(other).into_iter().zip(quoted(first)).find(|(other, first)| other != first).map(|(other, _)| other)
}

/// The values of other environments that a message lists.
const MOST_VALUES: usize = 3;

/// A report that also says what other environments have in place of its value.
fn with_others(mut report: Diagnostic, values: &[String]) -> Diagnostic {
    let shown: Vec<String> = values.iter().take(MOST_VALUES).map(|value| format!("`{value}`")).collect();
    if !shown.is_empty() {
        let more = values.len() - shown.len();
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        report.message = format!("{}; in other environments {}{more}", report.message, shown.join(", "));
    }
    report
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

/// What one target reads in one environment.
struct Compiled {
    checked: Checked,
    reports: Vec<Diagnostic>,
    targets_differ: bool,
}

impl Compiled {
    fn failed(&self) -> bool {
        self.reports.iter().any(|report| report.severity == Severity::Error)
    }
}

fn compile(
    project: &Project,
    environment: Option<SmolStr>,
    target: Option<Controller>,
    options: &Options,
) -> Compiled {
    let mut found = Findings::default();
    let known = options.targets.iter().chain(&options.other_targets).copied().collect();
    let targets = Targets::new(target, known);
    let definitions = Definitions::read(project, environment, targets, &Words, &mut found.reports);
    let declared = declare(&definitions, &mut found);
    let model = resolve(&definitions, declared, &options.cluster_domain, &mut found);
    // With an item missing, what the checks conclude from absence would be a cascade of the first fault.
    let lost = found.lost
        || definitions.without_namespace
        || project.reports.iter().any(|report| report.severity == Severity::Error);
    found.reports.extend(empty_files(project));
    found.reports.extend(lost_in_silence(project, &found));
    let plans = Plans::default();
    found.reports.extend(checks::run(&model, &plans, &definitions.targets, lost));
    if !lost {
        found.reports.extend(definitions.unused());
    }
    found.accepted.extend(definitions.accepted.iter().cloned());
    let exemptions =
        Exemptions { accepted: found.accepted, today: options.today, levels: options.levels.clone() };
    let reports = exemptions.apply(found.reports, !lost);
    let targets_differ = definitions.targets.differ();
    Compiled { checked: Checked { model, plans, exemptions, of_others: Vec::new() }, reports, targets_differ }
}

/// A report for a statement that was lost without one: nothing may be left out in silence, whatever reading has missed.
fn lost_in_silence(project: &Project, found: &Findings) -> Option<Diagnostic> {
    let is_error = |report: &Diagnostic| report.severity == Severity::Error;
    if !found.lost || project.reports.iter().chain(&found.reports).any(is_error) {
        return None;
    }
    let report = Diagnostic::new(Code::UNEXPECTED_ARGUMENT, found.lost_at?, "this statement cannot be read");
    Some(report.consequence("it is not compiled").help("compare it with its signature in the reference"))
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
            let help = format!("fix what {} reports, or move `until` to a later date", one.code);
            return Some(report.help(help));
        }
        (!used && !one.code.is_of_targets()).then(|| {
            let message = format!("{} is not reported here", one.code);
            Diagnostic::new(Code::UNUSED_ALLOW, one.span, message).help("remove the exemption")
        })
    }
}
