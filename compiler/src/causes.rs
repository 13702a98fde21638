//! One cause gives one report: a name that leads nowhere is reported where it is used first, with the other places; and what is
//! missing because what shapes the mesh could not be read is not reported as well.

use crate::project::Project;
use meshc_language::{Code, Diagnostic, Severity, Span, Statement};
use rustc_hash::FxHashMap;

/// Other places that a report lists.
const MAX_PLACES: usize = 4;

/// Reports whose cause is what is not declared, wherever it is used.
const OF_A_MISSING_NAME: &[Code] = &[
    Code::UNKNOWN_DESTINATION,
    Code::UNKNOWN_SUBSET,
    Code::UNKNOWN_PORT,
    Code::UNKNOWN_GATEWAY,
    Code::UNKNOWN_VARIABLE,
    Code::UNKNOWN_DEFINITION,
    Code::UNKNOWN_ENVIRONMENT,
];

/// What reports with one cause share.
#[derive(PartialEq, Eq, Hash)]
struct Cause {
    code: Code,
    message: String,
    help: Option<String>,
    environments: Vec<String>,
    targets: Vec<String>,
}

/// What follows where names are missing.
const OF_MISSING_THINGS: &[Code] = &[
    Code::NAMESPACE_NEEDED,
    Code::NOT_VISIBLE,
    Code::PARAMETER_WITHOUT_VALUE,
    Code::WRONG_TEMPLATE_ARGUMENTS,
    Code::HOST_CLAIMED_TWICE,
    Code::HOST_NOT_SERVED,
    Code::WRONG_ROUTE_KIND,
    Code::PORT_NOT_SERVED,
    Code::GATEWAY_NOT_BOUND,
    Code::NO_DESTINATION_PORT,
];

/// What follows where a listener could not be read.
const OF_A_BROKEN_GATEWAY: &[Code] = &[
    Code::HOST_NOT_SERVED,
    Code::WRONG_ROUTE_KIND,
    Code::PORT_NOT_SERVED,
    Code::TLS_NEEDED,
    Code::TLS_ON_PLAINTEXT,
];

/// Errors that are looked at as a cause: a project with more of them has no single one.
const MOST_CAUSES: usize = 32;

/// Leaves out errors that may be the doing of others: of what shapes the mesh, or of a gateway. At least one error stays.
pub(crate) fn without_effects(project: &Project, reports: &mut Vec<Diagnostic>) {
    let errors = || reports.iter().filter(|report| report.severity == Severity::Error);
    if errors().nth(1).is_none() {
        return;
    }
    let is_reading = |report: &&Diagnostic| {
        let code = report.code;
        code < Code::UNKNOWN_DESTINATION || matches!(code, Code::BAD_LITERAL | Code::WRONG_FORM)
    };
    let of =
        |place: Place| errors().filter(is_reading).find(|report| place_of(project, report.span) == place);
    let shapes = of(Place::Shape).map(|report| report.span).or_else(|| {
        let names = [
            Code::UNKNOWN_DEFINITION,
            Code::UNKNOWN_VARIABLE,
            Code::UNKNOWN_MODULE,
            Code::WRONG_TEMPLATE_ARGUMENTS,
        ];
        let mut found = errors().filter(|report| names.contains(&report.code)).take(MOST_CAUSES);
        found.find(|report| place_of(project, report.span) == Place::Shape).map(|report| report.span)
    });
    let gateway = of(Place::Gateway).is_some();
    if shapes.is_none() && !gateway {
        return;
    }
    reports.retain(|report| {
        let code = &report.code;
        let is_effect = shapes.is_some_and(|cause| cause != report.span)
            && (OF_A_MISSING_NAME.contains(code) || OF_MISSING_THINGS.contains(code));
        report.severity != Severity::Error || !(is_effect || (gateway && OF_A_BROKEN_GATEWAY.contains(code)))
    });
}

/// What a place of the sources belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// A definition, or a statement that makes items: what it lacks may be named anywhere.
    Shape,
    Gateway,
    /// Another item.
    Item,
}

fn place_of(project: &Project, place: Span) -> Place {
    let index = place.file.0 as usize;
    let (Some(tree), Some(file)) = (project.trees.get(index), project.files.get(index)) else {
        return Place::Item;
    };
    let mut around = tree.statements(&file.text).find(|statement| statement.span().contains(place));
    // Attributes and comments stand before their statement.
    if around.is_none() {
        return Place::Item;
    }
    while let Some(statement) = around {
        match statement.keyword().and_then(|keyword| keyword.word()).unwrap_or_default() {
            "gateway" => return Place::Gateway,
            "host" | "service" | "external" | "raw" | "bindings" | "policy" | "retry" => return Place::Item,
            "in" | "for" | "template" => around = inside(statement, place),
            _ => return Place::Shape,
        }
    }
    Place::Shape
}

fn inside<'p>(statement: Statement<'p>, place: Span) -> Option<Statement<'p>> {
    statement.block()?.statements().find(|inner| inner.span().contains(place))
}

/// Merges reports, sorted by place, that have one cause.
pub(crate) fn merge(reports: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let mut merged: Vec<(Diagnostic, usize)> = Vec::with_capacity(reports.len());
    let mut first: FxHashMap<Cause, usize> = FxHashMap::default();
    for report in reports {
        if !OF_A_MISSING_NAME.contains(&report.code) {
            merged.push((report, 0));
            continue;
        }
        let key = Cause {
            code: report.code,
            message: report.message.clone(),
            help: report.help.clone(),
            environments: report.environments.clone(),
            targets: report.targets.clone(),
        };
        let next = merged.len();
        match merged.get_mut(*first.entry(key).or_insert(next)) {
            Some((earlier, places)) => {
                *places += 1;
                add(earlier, report, *places);
            }
            None => merged.push((report, 0)),
        }
    }
    merged.into_iter().map(|(report, places)| with_rest(report, places)).collect()
}

/// Says how many places are not listed.
fn with_rest(mut report: Diagnostic, places: usize) -> Diagnostic {
    let rest = places.saturating_sub(MAX_PLACES);
    if let Some(last) = report.related.last_mut().filter(|_| rest > 0) {
        last.text = format!("also used here, and in {rest} more places");
    }
    report
}

/// Adds another place to the report of the first; one fix mends all of them.
fn add(earlier: &mut Diagnostic, report: Diagnostic, places: usize) {
    let Diagnostic {
        code: _,
        severity: _,
        message: _,
        span,
        label: _,
        related: _,
        consequence: _,
        help: _,
        fix,
        environments: _,
        targets: _,
    } = report;
    if places <= MAX_PLACES {
        earlier.related.push(meshc_language::Related { span, text: "also used here".to_owned() });
    }
    if let (Some(all), Some(fix)) = (&mut earlier.fix, fix) {
        all.edits.extend(fix.edits.into_iter().filter(|edit| !all.edits.contains(edit)).collect::<Vec<_>>());
    }
}
