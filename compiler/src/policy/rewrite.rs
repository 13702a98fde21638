//! `rewrite`: what the destination sees instead of the path or host that was asked for.

use crate::reading::{Args, Reader, Syntax, TypeDoc};
use crate::values::{Fqdn, PathPrefix, Pattern, Text, words};
use meshc_language::{Span, Spanned};

/// One `rewrite` of a route (Istio `HTTPRewrite`).
#[derive(Clone, Debug, PartialEq)]
pub struct Rewrite {
    /// What is rewritten.
    pub kind: RewriteKind,
    /// Where it was written.
    pub span: Span,
}

/// What is rewritten.
#[derive(Clone, Debug, PartialEq)]
pub enum RewriteKind {
    /// The whole path becomes this one; the query stays.
    Path(Spanned<PathPrefix>),
    /// The prefix that a condition asked for becomes this one.
    Prefix(Spanned<PathPrefix>),
    /// What the expression matches becomes this text; `\1` stands for its first group.
    Matches {
        /// The expression.
        pattern: Spanned<Pattern>,
        /// The text.
        with: Spanned<Text>,
    },
    /// The host becomes this one.
    Host(Spanned<Fqdn>),
}

words! {
    /// What is rewritten.
    enum Part: "part of a request" {
        Path = "path" "the whole path",
        Prefix = "prefix" "the prefix that a condition asked for",
        Matches = "matches" "what a regular expression matches in the path",
        Host = "host" "the host",
    }
}

impl Syntax for Rewrite {
    fn read<'p>(args: &mut Args<'p>, cx: &mut Reader<'_, 'p>) -> Option<Self> {
        let start = args.last;
        let kind = match Spanned::<Part>::read(args, cx)?.value {
            Part::Path => RewriteKind::Path(Spanned::read(args, cx)?),
            Part::Prefix => RewriteKind::Prefix(Spanned::read(args, cx)?),
            Part::Host => RewriteKind::Host(Spanned::read(args, cx)?),
            Part::Matches => {
                let pattern = Spanned::read(args, cx)?;
                if args.take_word("to", cx).is_none() {
                    args.missing("`to` and a text", cx);
                    return None;
                }
                RewriteKind::Matches { pattern, with: Spanned::read(args, cx)? }
            }
        };
        Some(Self { kind, span: start.to(args.last) })
    }

    fn signature() -> String {
        "path <path> | prefix <path> | matches <pattern> to <text> | host <host name>".to_owned()
    }

    fn types(types: &mut Vec<TypeDoc>) {
        Spanned::<PathPrefix>::types(types);
        Spanned::<Pattern>::types(types);
        Spanned::<Fqdn>::types(types);
    }
}
