//! `visible`: which namespaces may see a resource.

use crate::reading::{Args, Comma, Reader, Syntax, TypeDoc, wherever_written};
use crate::values::Namespace;
use meshc_language::{Applicability, Edit, Span, Spanned};

/// `visible here, team-a` (Istio `exportTo`).
#[derive(Clone, Debug)]
pub struct Visibility {
    /// Who sees it.
    pub to: Vec<Visible>,
    /// Where each of them was written.
    pub places: Vec<Span>,
    /// Where it was written.
    pub span: Span,
}

wherever_written!(Visibility { to } at { places, span });

/// Who sees a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Visible {
    /// Its own namespace (`.`).
    Here,
    /// Every namespace (`*`).
    Everywhere,
    /// None (`~`): for a service entry that only gateways use.
    Nowhere,
    /// This namespace.
    In(Namespace),
}

impl Syntax for Spanned<Visible> {
    fn read<'p>(args: &mut Args<'p>, cx: &mut Reader<'_, 'p>) -> Option<Self> {
        for (word, visible) in
            [("here", Visible::Here), ("everywhere", Visible::Everywhere), ("nowhere", Visible::Nowhere)]
        {
            if let Some(span) = args.take_word(word, cx) {
                return Some(Self::new(visible, span));
            }
        }
        if let Some(foreign) = take_foreign(args, cx) {
            return Some(foreign);
        }
        Spanned::<Namespace>::read(args, cx)
            .map(|namespace| Self::new(Visible::In(namespace.value), namespace.span))
    }

    fn signature() -> String {
        "here | everywhere | nowhere | <namespace>".to_owned()
    }

    fn types(types: &mut Vec<TypeDoc>) {
        Spanned::<Namespace>::types(types);
    }
}

/// The signs of Istio's `exportTo`; `all` could be a namespace, but hardly is.
fn take_foreign<'p>(args: &mut Args<'p>, cx: &mut Reader<'_, 'p>) -> Option<Spanned<Visible>> {
    let term = args.peek(cx).filter(|term| term.origin.is_none())?;
    let span = term.span;
    let (right, visible, applicability) = match term.text()? {
        "*" => ("everywhere", Visible::Everywhere, Applicability::Safe),
        "." => ("here", Visible::Here, Applicability::Safe),
        "~" => ("nowhere", Visible::Nowhere, Applicability::Safe),
        "all" => ("everywhere", Visible::Everywhere, Applicability::Unsafe),
        _ => return None,
    };
    args.next(cx);
    let edit = Edit { span, replacement: right.to_owned() };
    cx.foreign(span, &format!("visible {right}"), applicability, vec![edit]);
    Some(Spanned::new(visible, span))
}

impl Syntax for Visibility {
    fn read<'p>(args: &mut Args<'p>, cx: &mut Reader<'_, 'p>) -> Option<Self> {
        let start = args.last;
        let Comma(named) = Comma::<Spanned<Visible>>::read(args, cx)?;
        let (to, places): (Vec<Visible>, Vec<Span>) =
            named.into_iter().map(|one| (one.value, one.span)).unzip();
        let span = start.to(args.last);
        let alone = |visible: &Visible| matches!(visible, Visible::Everywhere | Visible::Nowhere);
        let repeated =
            to.iter().enumerate().any(|(at, visible)| to.iter().take(at).any(|earlier| earlier == visible));
        if repeated || (to.len() > 1 && to.iter().any(alone)) {
            let message = if repeated {
                "a namespace is named twice"
            } else {
                "`everywhere` and `nowhere` exclude other words"
            };
            cx.report(
                meshc_language::Diagnostic::new(meshc_language::Code::BAD_LITERAL, span, message)
                    .consequence("Istio would refuse the resource")
                    .help("name each namespace once, or use one of the two words alone"),
            );
            return None;
        }
        Some(Self { to, places, span })
    }

    fn signature() -> String {
        Comma::<Spanned<Visible>>::signature()
    }

    fn types(types: &mut Vec<TypeDoc>) {
        Spanned::<Visible>::types(types);
    }
}
