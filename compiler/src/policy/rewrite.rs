//! `rewrite`: what the destination sees instead of the path or host that was asked for.

use crate::reading::{Args, Reader, Syntax, TypeDoc, is_called, wherever_written};
use crate::values::{Fqdn, PathPrefix, Pattern, Replacement, words};
use meshc_language::{Applicability, Code, Diagnostic, Edit, Span, Spanned};

/// One `rewrite` of a route (Istio `HTTPRewrite`).
#[derive(Clone, Debug)]
pub struct Rewrite {
    /// What is rewritten.
    pub kind: RewriteKind,
    /// Where it was written.
    pub span: Span,
}

wherever_written!(Rewrite { kind } at { span });

/// What is rewritten.
#[derive(Clone, Debug, PartialEq)]
pub enum RewriteKind {
    /// The whole path becomes this one; the query stays.
    Path(Spanned<PathPrefix>),
    /// The prefix that a condition asked for becomes this one.
    Prefix(Spanned<PathPrefix>),
    /// What the expression matches becomes this; `\1` stands for its first group.
    Matches {
        /// The expression.
        pattern: Spanned<Pattern>,
        /// What takes its place. It names no group that the expression lacks.
        with: Spanned<Replacement>,
    },
    /// The host becomes this one.
    Host(Spanned<Fqdn>),
}

impl RewriteKind {
    /// Whether it rewrites the host, not the path: one of each goes together.
    #[must_use]
    pub const fn is_of_host(&self) -> bool {
        match self {
            Self::Host(_) => true,
            Self::Path(_) | Self::Prefix(_) | Self::Matches { .. } => false,
        }
    }
}

words! {
    /// What is rewritten.
    enum Part: "part of a request" {
        Path = "path" "the whole path",
        Prefix = "prefix" | "prefix-rewrite" "the prefix that the condition matched",
        Matches = "matches" | "regex" | "uri-regex-rewrite" "what a regular expression matches in the path",
        Host = "host" | "authority" | "host-rewrite" "the host",
    }
}

impl Syntax for Rewrite {
    fn read<'p>(args: &mut Args<'p>, cx: &mut Reader<'_, 'p>) -> Option<Self> {
        let start = args.last;
        let part = match take_uri(args, cx) {
            Some(part) => part,
            None => Spanned::<Part>::read(args, cx)?.value,
        };
        let kind = match part {
            Part::Path => RewriteKind::Path(Spanned::read(args, cx)?),
            Part::Prefix => RewriteKind::Prefix(Spanned::read(args, cx)?),
            Part::Host => RewriteKind::Host(Spanned::read(args, cx)?),
            Part::Matches => read_matches(args, cx)?,
        };
        Some(Self { kind, span: start.to(args.last) })
    }

    fn signature() -> String {
        "path <path> | prefix <path> | matches <pattern> to <replacement> | host <host name>".to_owned()
    }

    fn types(types: &mut Vec<TypeDoc>) {
        Spanned::<PathPrefix>::types(types);
        Spanned::<Pattern>::types(types);
        Spanned::<Replacement>::types(types);
        Spanned::<Fqdn>::types(types);
    }
}

/// Istio's `uri` takes the place of the whole path or of a prefix, by the condition of the route.
fn take_uri<'p>(args: &mut Args<'p>, cx: &mut Reader<'_, 'p>) -> Option<Part> {
    let term = args.peek(cx).filter(|term| term.origin.is_none())?;
    let span = term.span;
    if !term.word().is_some_and(|word| is_called(word, "uri", &[])) {
        return None;
    }
    args.next(cx);
    let edit = Edit { span, replacement: Part::Path.word().to_owned() };
    cx.foreign(span, "rewrite path \"/x\"", Applicability::Unsafe, vec![edit]);
    cx.add_to_help("it replaces the whole path; write `rewrite prefix \"/x\"` if the condition is a prefix, as Istio would replace that alone");
    Some(Part::Path)
}

fn read_matches<'p>(args: &mut Args<'p>, cx: &mut Reader<'_, 'p>) -> Option<RewriteKind> {
    let pattern = Spanned::<Pattern>::read(args, cx)?;
    if args.take_word("to", cx).is_none() {
        args.missing("`to` and the replacement,", cx);
        return None;
    }
    let with = Spanned::<Replacement>::read(args, cx)?;
    let (named, groups) = (with.value.highest_group(), pattern.value.groups());
    if named > groups {
        let has = match groups {
            0 => "no groups".to_owned(),
            1 => "one group".to_owned(),
            groups => format!("{groups} groups"),
        };
        cx.report(
            Diagnostic::new(
                Code::BAD_REPLACEMENT,
                with.span,
                format!("`\\{named}` names a group that the expression lacks"),
            )
            .related(pattern.span, format!("it has {has}"))
            .consequence("Envoy would leave the path as it is, and say nothing")
            .help("name one of its groups, or put the part that is meant in parentheses"),
        );
        return None;
    }
    Some(RewriteKind::Matches { pattern, with })
}
