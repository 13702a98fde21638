//! Fixes never change what is meant: what a report proposes is looked at once more here, whoever made it.

use crate::project::Project;
use meshc_language::{Applicability, Diagnostic, Fix, Span, Statement};

/// Takes a fix away that would write the value of a variable in its place, and makes one a guess that not all environments and targets want.
pub(crate) fn settle(project: &Project, report: &mut Diagnostic) {
    if report.fix.as_ref().is_some_and(|fix| !keeps_variables(project, fix)) {
        report.fix = None;
    }
    let everywhere = report.environments.is_empty() && report.targets.is_empty();
    let Some(fix) = report.fix.as_mut().filter(|fix| fix.applicability == Applicability::Safe) else {
        return;
    };
    if !everywhere && !fix.edits.iter().all(|edit| is_of_environments(project, edit.span)) {
        fix.applicability = Applicability::Unsafe;
    }
}

/// Whether all variables in the places that a fix replaces are still there afterwards.
fn keeps_variables(project: &Project, fix: &Fix) -> bool {
    let written = |span: Span| project.files.get(span.file.0 as usize).map_or("", |file| file.slice(span));
    let mut before: Vec<&str> = fix.edits.iter().flat_map(|edit| variables(written(edit.span))).collect();
    let mut after: Vec<&str> = fix.edits.iter().flat_map(|edit| variables(&edit.replacement)).collect();
    before.sort_unstable();
    after.sort_unstable();
    before == after
}

/// The names behind each `$` of a text.
fn variables(text: &str) -> impl Iterator<Item = &str> {
    text.split('$').skip(1).filter_map(|rest| {
        let rest = rest.strip_prefix('{').unwrap_or(rest);
        let is_name = |char: char| char.is_ascii_lowercase() || char.is_ascii_digit() || char == '-';
        let end = rest.find(|char| !is_name(char)).unwrap_or(rest.len());
        rest.get(..end).filter(|name| !name.is_empty())
    })
}

/// Whether a place stands in the block of an `in`: what is changed there is changed for the environments or targets that it names.
fn is_of_environments(project: &Project, place: Span) -> bool {
    let index = place.file.0 as usize;
    let (Some(tree), Some(file)) = (project.trees.get(index), project.files.get(index)) else { return false };
    let mut around = tree.statements(&file.text).find(|statement| statement.span().contains(place));
    while let Some(statement) = around {
        if statement.is("in") {
            return statement.block().is_some_and(|block| block.span().contains(place));
        }
        around = inside(statement, place);
    }
    false
}

fn inside<'p>(statement: Statement<'p>, place: Span) -> Option<Statement<'p>> {
    statement.block()?.statements().find(|inner| inner.span().contains(place))
}

#[cfg(test)]
mod tests {
    use super::variables;

    #[test]
    fn variables_are_found_in_words_and_strings() {
        let found: Vec<&str> = variables("a$b-c ${d}e $ \"^x$\" $1").collect();
        assert_eq!(found, ["b-c", "d", "1"]);
    }
}
