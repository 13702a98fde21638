//! `route`: where it leads, the normal form of its condition, and what policies say of it.

use super::{Resolver, put_policies};
use crate::declared::{self, Entrance, Written};
use crate::model::{
    Action, DestinationId, Match, MatchBinding, Mirror, Route, RouteOptions, WeightedDestination, normalise,
};
use crate::reading::Misplaced;
use meshc_language::{Applicability, Code, Diagnostic, Span};

impl Resolver<'_, '_> {
    /// A route; `None` if its condition names what is not there.
    pub(super) fn route(&mut self, declared: declared::Route) -> Option<Route> {
        let declared::Route {
            kind,
            name,
            condition,
            action,
            options,
            misplaced,
            span,
            attributes,
            incomplete,
        } = declared;
        let before = self.reports.len();
        let written = condition.as_ref().map(|condition| condition.span);
        let matches = match condition {
            Some(condition) => self.alternatives(condition.value)?,
            None => Vec::new(),
        };
        let action = self.action(action);
        let target = action.only_target();
        misplaced.into_iter().for_each(|statement| self.report_misplaced(statement, target));
        let options = self.options(options);
        let is_faulty =
            self.reports.get(before..).is_some_and(|new| new.iter().any(Diagnostic::leaves_a_hole));
        Some(Route {
            kind,
            name,
            matches,
            condition: written,
            action,
            options,
            span,
            attributes,
            incomplete: incomplete || is_faulty,
        })
    }

    fn alternatives(&mut self, condition: Written) -> Option<Vec<Match>> {
        let resolved = condition.resolved(&mut |entrance| match entrance {
            Entrance::Mesh => Some(MatchBinding::Mesh),
            Entrance::Gateway(reference) => self.gateway(&reference).map(MatchBinding::Gateway),
        })?;
        Some(normalise(&resolved, &mut |report| self.report(report)))
    }

    fn action(&mut self, declared: declared::Action) -> Action {
        match declared {
            declared::Action::Redirect(redirect) => Action::Redirect(redirect),
            declared::Action::Respond(respond) => Action::Respond(respond),
            declared::Action::Delegate(delegate) => Action::Delegate(delegate),
            declared::Action::Forward(destinations) => {
                Action::Forward(destinations.into_iter().filter_map(|one| self.weighted(one)).collect())
            }
        }
    }

    fn weighted(&mut self, declared: declared::WeightedReference) -> Option<WeightedDestination> {
        let declared::WeightedReference { weight, reference, headers } = declared;
        Some(WeightedDestination { weight, destination: self.destination(&reference)?, headers })
    }

    /// The options of a route, with the statements of the policies that it names.
    fn options(&mut self, declared: declared::RouteOptions) -> RouteOptions {
        let declared::RouteOptions { mirrors: declared_mirrors, policies, mut shared } = declared;
        let mut mirrors = Vec::with_capacity(declared_mirrors.len());
        for mirror in declared_mirrors {
            let declared::Mirror { share, reference, span } = mirror;
            match self.destination(&reference) {
                Some(destination) => mirrors.push(Mirror { share, destination, span }),
                None => self.lost = true,
            }
        }
        put_policies(
            &mut shared,
            &policies,
            |body| &body.route,
            self,
            |name, body, resolver| {
                if !body.traffic.is_empty() {
                    let message =
                        format!("policy `{}` has statements of destinations, not of routes", name.value);
                    let report = Diagnostic::new(Code::WRONG_SIDE, name.span, message);
                    resolver.report(report.help("use it in a `service`, a `subset` or an `external`"));
                }
            },
        );
        RouteOptions { mirrors, shared }
    }

    /// Reports a statement on calling, with an edit that moves it into the only destination of the route.
    fn report_misplaced(&mut self, misplaced: Misplaced, target: Option<DestinationId>) {
        let Misplaced { statement, report } = misplaced;
        let place =
            target.and_then(|target| self.mesh.name_span(target)).and_then(|name| self.block_of(name));
        let (Some(block), Some(text)) = (place, self.written(statement)) else { return self.report(report) };
        let one_line = !self.written(block).unwrap_or_default().contains('\n');
        let moved = if one_line { format!("; {text} ") } else { format!("  {text}\n") };
        let before_brace =
            Span { start: block.end.saturating_sub(1), end: block.end.saturating_sub(1), ..block };
        let report = report.edit(Applicability::Unsafe, statement, "");
        self.report(report.edit(Applicability::Unsafe, before_brace, moved));
    }

    /// The block of the item that has its name here.
    fn block_of(&self, name: Span) -> Option<Span> {
        let index = name.file.0 as usize;
        let project = self.definitions.project;
        let (tree, file) = (project.trees.get(index)?, project.files.get(index)?);
        let item = tree.statements(&file.text).find(|item| item.span().contains(name))?;
        item.block().map(|block| block.span())
    }
}
