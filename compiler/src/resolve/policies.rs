//! `policy NAME` at a route or a destination: what the policy says holds where the place itself says nothing.

use super::Resolver;
use crate::policy::Bundle;
use crate::project::{DefinitionKind, PolicyBody};
use crate::reading::listed;
use crate::values::Word;
use meshc_language::{Code, Diagnostic, Spanned};
use std::sync::Arc;

/// Puts policies into a place that names them. `side` is what they say for such a place, and `check` reports what they say beside
/// it. The place wins over its policies, and the first of them over the others; where that decides anything, it is reported.
pub(crate) fn put_policies<'d, 'p, B: Bundle>(
    place: &mut B,
    names: &[Spanned<Word>],
    side: fn(&PolicyBody) -> &B,
    cx: &mut Resolver<'d, 'p>,
    check: impl Fn(&Spanned<Word>, &PolicyBody, &mut Resolver<'d, 'p>),
) {
    let own = place.clone();
    let mut earlier: Vec<(&Spanned<Word>, Arc<PolicyBody>)> = Vec::new();
    for name in names {
        let Some(body) = policy(name, cx) else { continue };
        check(name, &body, cx);
        for (first, given) in &earlier {
            report_dispute(first, name, &own.disputed(side(given), side(&body)), cx);
        }
        place.complete(side(&body));
        earlier.push((name, body));
    }
}

fn report_dispute(
    first: &Spanned<Word>,
    second: &Spanned<Word>,
    statements: &[&'static str],
    cx: &mut Resolver<'_, '_>,
) {
    if statements.is_empty() {
        return;
    }
    let (one, other, said) = (first.value.as_str(), second.value.as_str(), listed(statements));
    cx.report(
        Diagnostic::new(
            Code::POLICIES_DISAGREE,
            second.span,
            format!("policies `{one}` and `{other}` both say {said}"),
        )
        .related(first.span, "this policy is named first, and holds")
        .consequence(format!("what `{other}` says of {said} is left out where both say the same thing"))
        .help(format!("write {said} at the place itself, or name first the policy that is to hold")),
    );
}

/// The body of a policy by name; reports it if there is none.
fn policy(name: &Spanned<Word>, cx: &mut Resolver<'_, '_>) -> Option<Arc<PolicyBody>> {
    let written = name.value.as_str();
    match cx.definitions.find(cx.module, written).map(|(_, definition)| &definition.kind) {
        Some(DefinitionKind::Policy(body)) => body.clone(),
        _ => {
            cx.misnamed = true;
            let known = cx.definitions.names(cx.module, |kind| matches!(kind, DefinitionKind::Policy(_)));
            let unknown = cx.definitions.unknown(cx.module, "policy", written, name.span, &known);
            unknown.into_iter().for_each(|report| cx.report(report));
            None
        }
    }
}
