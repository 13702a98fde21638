//! References to destinations and gateways as they are written: `[namespace/]name[:port][@subset]`.

use crate::reading::{Args, Reader, Shape, Syntax, Term, TypeDoc, wherever_written};
use crate::values::{Literal, Port as Number};
use meshc_language::{Code, Diagnostic, Span, Spanned};
use smol_str::SmolStr;

/// A reference as it was written.
#[derive(Clone, Debug)]
pub struct Reference {
    /// `namespace/`.
    pub namespace: Option<SmolStr>,
    /// The name; with dots it is a full host name.
    pub name: SmolStr,
    /// `:port`.
    pub port: Option<Spanned<Number>>,
    /// `@subset`.
    pub subset: Option<Spanned<SmolStr>>,
    /// Where `[namespace/]name` stands.
    pub name_span: Span,
    /// Where the reference is used, if its value was written elsewhere: then no edit may touch it.
    pub used: Option<Span>,
    /// The whole reference.
    pub span: Span,
}

wherever_written!(Reference { namespace, name, port, subset } at { name_span, used, span });

impl Reference {
    /// The report as it may be given: where the value was written elsewhere, without edits.
    pub(crate) fn settle(&self, mut report: Diagnostic) -> Diagnostic {
        if let Some(used) = self.used {
            report.fix = None;
            report = report.related(used, "used here");
        }
        report
    }

    fn parse(term: &Term<'_>, cx: &mut Reader<'_, '_>) -> Option<Self> {
        // A value that came from elsewhere is to be mended there.
        let span = term.origin.unwrap_or(term.span);
        let Shape::Word(text) = &term.shape else {
            if !matches!(term.shape, Shape::Unknown) {
                let message = format!("expected a service or external, found {}", term.describe());
                let help = "write `[namespace/]name[:port][@subset]`, without quotes";
                cx.report_at(term, Diagnostic::new(Code::WRONG_FORM, span, message).help(help));
            }
            return None;
        };
        // Places inside the reference can be shown only where it was written as it is.
        let part = |offset: usize, length: usize| {
            if term.origin.is_none() && span.range().len() == text.len() {
                span.part(offset, length)
            } else {
                span
            }
        };
        let (rest, subset) = match text.split_once('@') {
            Some((rest, subset)) => {
                (rest, Some(Spanned::new(SmolStr::new(subset), part(rest.len() + 1, subset.len()))))
            }
            None => (text.as_ref(), None),
        };
        let (path, port) = match rest.split_once(':') {
            None => (rest, None),
            Some((path, port)) => match Number::parse(port) {
                Ok(number) => (path, Some(Spanned::new(number, part(path.len() + 1, port.len())))),
                Err(error) => {
                    let span = part(path.len() + 1, port.len());
                    cx.report_at(
                        term,
                        Diagnostic::new(Code::BAD_LITERAL, span, error.message).maybe_help(error.help),
                    );
                    return None;
                }
            },
        };
        let (namespace, name) = match path.split_once('/') {
            Some((namespace, name)) => (Some(SmolStr::new(namespace)), name),
            None => (None, path),
        };
        if name.is_empty()
            || name.contains('/')
            || subset.as_ref().is_some_and(|subset| subset.value.is_empty())
        {
            let message = format!("`{text}` is not a reference to a destination");
            let help = "write `[namespace/]name[:port][@subset]`";
            cx.report_at(term, Diagnostic::new(Code::BAD_LITERAL, span, message).help(help));
            return None;
        }
        Some(Self {
            namespace,
            name: SmolStr::new(name),
            port,
            subset,
            name_span: part(0, path.len()),
            used: term.origin.map(|_| term.span),
            span,
        })
    }
}

impl Syntax for Reference {
    fn read<'p>(args: &mut Args<'p>, cx: &mut Reader<'_, 'p>) -> Option<Self> {
        let term = args.expect("a service or external", cx)?;
        Self::parse(&term, cx)
    }

    fn signature() -> String {
        "<destination>".to_owned()
    }

    fn types(types: &mut Vec<TypeDoc>) {
        types.push(TypeDoc {
            name: "destination",
            doc: "`[namespace/]name[:port][@subset]` of a declared service or external, such as `reviews@v2`; a name with dots is a full host name",
            words: &[],
        });
    }
}

/// `via edge`: a gateway, `[namespace/]name`, as it was written.
#[derive(Clone, Debug)]
pub struct GatewayReference {
    /// `namespace/`.
    pub namespace: Option<SmolStr>,
    /// The name.
    pub name: SmolStr,
    /// Where it was written.
    pub span: Span,
}

wherever_written!(GatewayReference { namespace, name } at { span });

impl Syntax for GatewayReference {
    fn read<'p>(args: &mut Args<'p>, cx: &mut Reader<'_, 'p>) -> Option<Self> {
        let term = args.expect("a gateway", cx)?;
        let Shape::Word(text) = &term.shape else {
            if !matches!(term.shape, Shape::Unknown) {
                let message = format!("expected a gateway, found {}", term.describe());
                cx.report_at(
                    &term,
                    Diagnostic::new(Code::WRONG_FORM, term.span, message)
                        .help("write its name without quotes"),
                );
            }
            return None;
        };
        let (namespace, name) = match text.split_once('/') {
            Some((namespace, name)) => (Some(SmolStr::new(namespace)), name),
            None => (None, text.as_ref()),
        };
        Some(Self { namespace, name: SmolStr::new(name), span: term.span })
    }

    fn signature() -> String {
        "<gateway>".to_owned()
    }

    fn types(types: &mut Vec<TypeDoc>) {
        types.push(TypeDoc { name: "gateway", doc: "`[namespace/]name` of a declared gateway", words: &[] });
    }
}
