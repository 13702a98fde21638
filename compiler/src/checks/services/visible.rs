//! Who sees a service or an external (rule C7).

use super::Called;
use crate::model::{DestinationId, Visibility, Visible};
use meshc_language::{Applicability, Code, Diagnostic, Span};

/// C7: only a service entry can be hidden from every namespace, and a policy of a hidden one cannot.
pub(super) fn can_be_said(called: &Called<'_>, reports: &mut Vec<Diagnostic>) {
    let Some(visibility) = called.visibility.filter(|visibility| visibility.to.contains(&Visible::Nowhere))
    else {
        return;
    };
    let message = match called.target {
        DestinationId::Service(_) => "only an external can be visible `nowhere`",
        DestinationId::External(_) if has_a_policy(called) => {
            "an external that is visible `nowhere` has no policy"
        }
        DestinationId::External(_) => return,
    };
    reports.push(
        Diagnostic::new(Code::BAD_LITERAL, visibility.span, message)
            .consequence("Istio would refuse the destination rule")
            .help("write `here`, or remove its policy"),
    );
}

fn has_a_policy(called: &Called<'_>) -> bool {
    !called.subsets.is_empty() || called.policies().any(|policy| !policy.is_empty())
}

/// C7: `here` and the name of the own namespace are the same.
pub(super) fn names_each_namespace_once(called: &Called<'_>, reports: &mut Vec<Diagnostic>) {
    let (Some(visibility), Some(own)) = (called.visibility, called.namespace) else { return };
    let names_own =
        |visible: &Visible| matches!(visible, Visible::In(namespace) if namespace.as_str() == own);
    if !visibility.to.contains(&Visible::Here) || !visibility.to.iter().any(names_own) {
        return;
    }
    let words: Vec<&str> = visibility.to.iter().filter(|visible| !names_own(visible)).map(word).collect();
    let report = Diagnostic::new(
        Code::BAD_LITERAL,
        visibility.span,
        format!("`here` and `{own}` are the same namespace"),
    )
    .consequence("Istio would refuse it")
    .help(format!("write `visible {}`", words.join(", ")));
    // In a template, or in a file with another namespace elsewhere, it may be another namespace.
    let applicability = if called.is_applied { Applicability::Unsafe } else { Applicability::Safe };
    reports.push(match surplus(visibility, names_own) {
        Some(surplus) => report.edit(applicability, surplus, ""),
        None => report,
    });
}

fn word(visible: &Visible) -> &str {
    match visible {
        Visible::Here => "here",
        Visible::Everywhere => "everywhere",
        Visible::Nowhere => "nowhere",
        Visible::In(namespace) => namespace.as_str(),
    }
}

/// The first element that is named so, with the comma that parts it from its neighbour.
fn surplus(visibility: &Visibility, named: impl Fn(&Visible) -> bool) -> Option<Span> {
    let at = visibility.to.iter().position(named)?;
    let place = *visibility.places.get(at)?;
    match at.checked_sub(1).and_then(|before| visibility.places.get(before)) {
        Some(before) => Some(Span { start: before.end, ..place }),
        None => visibility.places.get(at + 1).map(|next| Span { end: next.start, ..place }),
    }
}

/// Whether a resource of namespace `home` is seen in namespace `viewer`.
pub(in crate::checks) fn is_visible(
    visibility: Option<&Visibility>,
    home: Option<&str>,
    viewer: Option<&str>,
) -> bool {
    let Some(visibility) = visibility else { return true };
    visibility.to.iter().any(|visible| match visible {
        Visible::Everywhere => true,
        Visible::Nowhere => false,
        Visible::Here => home == viewer,
        Visible::In(namespace) => viewer == Some(namespace.as_str()),
    })
}

/// Whether every namespace that sees the one also sees the other. Each is given with its namespace.
pub(in crate::checks) fn sees_all(
    (one, one_home): (Option<&Visibility>, Option<&str>),
    (other, other_home): (Option<&Visibility>, Option<&str>),
) -> bool {
    let everywhere = |visibility: Option<&Visibility>| {
        visibility.is_none_or(|visibility| visibility.to.contains(&Visible::Everywhere))
    };
    if everywhere(other) {
        return true;
    }
    let Some(one) = one.filter(|one| !everywhere(Some(one))) else { return false };
    one.to.iter().all(|visible| match visible {
        Visible::Everywhere | Visible::Nowhere => true,
        Visible::Here => is_visible(other, other_home, one_home),
        Visible::In(namespace) => is_visible(other, other_home, Some(namespace.as_str())),
    })
}
