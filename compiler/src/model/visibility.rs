//! `visible`: which namespaces may see a resource.

use crate::reading::{Args, Comma, Reader, Syntax, TypeDoc, wherever_written};
use crate::values::Namespace;
use meshc_language::{Span, Spanned};

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
