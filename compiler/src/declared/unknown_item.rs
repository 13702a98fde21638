//! Statements at the top of a file that no item begins with: what was meant.

use crate::reading::Reader;
use meshc_language::{Applicability, Code, Diagnostic, Statement};

#[cold]
pub(super) fn report_unknown_item(keyword: &str, statement: Statement<'_>, cx: &mut Reader<'_, '_>) {
    cx.lost = true;
    let span = statement.keyword().map_or(statement.head(), |keyword| keyword.span());
    if cx.vocabulary().is_later(keyword) {
        let message = format!("`{keyword}` is not built yet");
        let report = Diagnostic::new(Code::NOT_YET, span, message);
        cx.report(
            report
                .consequence("nothing is compiled while it is here")
                .help("remove it until a later version has it"),
        );
        return;
    }
    if !cx.scope.applied.is_empty() && cx.vocabulary().is_definition(keyword) {
        let message = format!("a template cannot hold `{keyword}`");
        cx.report(
            Diagnostic::new(Code::UNKNOWN_KEYWORD, span, message).help("declare it at the top of a file"),
        );
        return;
    }
    if let Some(right) = cx.vocabulary().foreign_item(keyword).filter(|right| *right != keyword) {
        let example = cx.vocabulary().example(right).unwrap_or(right);
        let edit = meshc_language::Edit { span, replacement: right.to_owned() };
        cx.foreign(span, example, Applicability::Unsafe, vec![edit]);
        return;
    }
    if cx.vocabulary().is_definition(keyword) {
        cx.report(definition_in_block(keyword, span));
        return;
    }
    if keyword.is_empty() {
        let report = Diagnostic::new(Code::UNKNOWN_KEYWORD, span, "an item begins with a word");
        let items = crate::reading::listed(&cx.vocabulary().items());
        cx.report(report.consequence("it is not compiled").help(format!("an item is one of {items}")));
        return;
    }
    let items = cx.vocabulary().items();
    let homes = cx.vocabulary().homes(keyword);
    let report = Diagnostic::new(Code::UNKNOWN_KEYWORD, span, format!("there is no item `{keyword}`"))
        .consequence("it is not compiled");
    cx.report(match crate::values::did_you_mean(keyword, items.iter().copied()) {
        Some(meant) => {
            report.help(format!("did you mean `{meant}`?")).edit(Applicability::Unsafe, span, meant)
        }
        None if !homes.is_empty() => {
            report.help(format!("`{keyword}` belongs inside {}", crate::reading::listed(&homes)))
        }
        None => report.help(format!("an item is one of {}", crate::reading::listed(&items))),
    });
}

/// The report for a definition, or what shapes a file, inside of `in` or `for`.
fn definition_in_block(keyword: &str, span: meshc_language::Span) -> Diagnostic {
    let message = format!("`{keyword}` is allowed at the top of a file only");
    Diagnostic::new(Code::UNKNOWN_KEYWORD, span, message).consequence("it is not compiled").help(
        match keyword {
            "namespace" => {
                "make it a parameter: `param $ns: namespace`, `namespace $ns`, and a value in each `env`"
            }
            "const" | "param" => {
                "declare a parameter at the top: `param $limit: duration`, and a value in each `env`"
            }
            _ => "declare it at the top of a file, and use it in the block",
        },
    )
}
