//! Values that a run gives to parameters: `--set '$canary=20%'`.

use super::collect::Binding;
use super::definitions::{DefinitionKind, Definitions};
use super::variables::Place;
use crate::values::did_you_mean;
use meshc_language::{Code, Diagnostic, FileId, Span, Statement, Tree};
use rustc_hash::FxHashSet;

/// Reports lines that hold more or less than one value: a comment, a second statement.
pub(super) fn not_one_value(file: FileId, text: &str, tree: &Tree) -> Vec<Diagnostic> {
    let mut reports = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let end = start + line.trim_end().len();
        let mut inside = tree.statements(text).filter(|one| (start..end).contains(&one.span().range().start));
        let is_whole = |one: &Statement<'_>| one.span().range().end == end && one.block().is_none();
        let first = inside.next();
        if !first.is_some_and(|first| is_whole(&first)) || inside.next().is_some() {
            let span = Span::new(file, start as u32, end as u32);
            let message = "`--set` takes one value, and there is more after it";
            reports.push(
                Diagnostic::new(Code::UNEXPECTED_ARGUMENT, span, message)
                    .help("write one value, for example `--set '$canary=20%'`, a text in double quotes: `--set '$greeting=\"hello\"'`"),
            );
        }
        start += line.len();
    }
    reports
}

impl<'p> Definitions<'p> {
    /// Puts the values of the run in place of those of environments and of defaults; returns the parameters that have one.
    pub(super) fn bind_settings(
        &mut self,
        settings: &[Binding<'p>],
        reports: &mut Vec<Diagnostic>,
    ) -> FxHashSet<Place> {
        let mut set = FxHashSet::default();
        for binding in settings {
            let mut arguments = binding.statement.all_arguments();
            let (Some(name), Some(_)) = (arguments.next(), arguments.next()) else { continue };
            let written = name.written();
            let span = name.span();
            match self.parameters_called(written).as_slice() {
                [] => reports.push(self.no_parameter(written, span)),
                [place] if !set.insert(*place) => {
                    let message = format!("`{written}` is set twice");
                    let report = Diagnostic::new(Code::DUPLICATE_DECLARATION, span, message);
                    reports.push(report.help("keep one of them"));
                }
                [place] => self.set_source(*place, (super::ModuleId(place.0 as u32), arguments)),
                several => {
                    let bare = bare(written);
                    let names: Vec<String> = several
                        .iter()
                        .filter_map(|(module, _)| self.project.modules.get(*module))
                        .map(|module| format!("`{module}.{bare}`"))
                        .collect();
                    let message = format!("`{written}` is a parameter of {} modules", names.len());
                    let report = Diagnostic::new(Code::UNKNOWN_VARIABLE, span, message);
                    reports.push(report.help(format!("write {}", names.join(" or "))));
                }
            }
        }
        set
    }

    /// The parameters of the project with this name, which may have a module before it.
    fn parameters_called(&self, written: &str) -> Vec<Place> {
        let module = written.split_once(".$").map(|(module, _)| module);
        let bare = bare(written);
        let is_parameter = |(at, index): &Place| {
            let definition = self.modules.get(*at).and_then(|own| own.definitions.get_index(*index));
            matches!(
                definition.map(|(_, found)| &found.kind),
                Some(DefinitionKind::Variable { parameter: Some(_), .. })
            )
        };
        let modules = self.modules.iter().enumerate().take(self.project.own);
        modules
            .filter(|(at, _)| {
                module.is_none_or(|wanted| self.project.modules.get(*at).is_some_and(|name| name == wanted))
            })
            .filter_map(|(at, own)| Some((at, own.definitions.get_index_of(bare)?)))
            .filter(is_parameter)
            .collect()
    }

    fn no_parameter(&self, written: &str, span: Span) -> Diagnostic {
        let message = format!("there is no parameter `{written}`");
        let report = Diagnostic::new(Code::UNKNOWN_VARIABLE, span, message)
            .consequence("the value would be used nowhere");
        let modules = || self.modules.iter().take(self.project.own);
        let bare = bare(written);
        if modules().any(|own| own.definitions.contains_key(bare)) {
            return report.help(format!(
                "declare it with `param {bare}: type = value`: a constant is the same in every run"
            ));
        }
        let parameters = modules().flat_map(|own| &own.definitions).filter(|(_, definition)| {
            matches!(definition.kind, DefinitionKind::Variable { parameter: Some(_), .. })
        });
        let names: Vec<&str> = parameters.map(|(name, _)| name.as_str()).collect();
        match did_you_mean(bare, names.iter().copied()) {
            Some(meant) => report.help(format!("did you mean `{meant}`?")),
            None if names.is_empty() => report.help("the project declares no parameters"),
            None => report.help(format!("the parameters are {}", names.join(", "))),
        }
    }
}

/// The name without a module before it.
fn bare(written: &str) -> &str {
    written.find('$').and_then(|at| written.get(at..)).unwrap_or(written)
}
