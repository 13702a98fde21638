//! `fault`: injected delays and failures.

use crate::reading::{Args, Reader, Syntax, TypeDoc, wherever_written};
use crate::values::{Duration, GrpcStatus, Percent, StatusCode, words};
use meshc_language::{Applicability, Code, Diagnostic, Edit, Span, Spanned};

/// `fault delay 7s for 10%` or `fault abort 503 for 10%` (Istio `HTTPFaultInjection`).
#[derive(Clone, Debug)]
pub struct Fault {
    /// What is injected.
    pub kind: Injection,
    /// The share of requests that it hits.
    pub share: Spanned<Percent>,
    /// Where it was written.
    pub span: Span,
}

wherever_written!(Fault { kind, share } at { span });

/// What is injected.
#[derive(Clone, Debug, PartialEq)]
pub enum Injection {
    /// The request waits.
    Delay(Spanned<Duration>),
    /// The request fails.
    Abort(Abort),
}

impl Injection {
    /// Whether the request waits, not fails: one of each goes together.
    #[must_use]
    pub const fn is_delay(&self) -> bool {
        match self {
            Self::Delay(_) => true,
            Self::Abort(_) => false,
        }
    }
}

/// How a request fails.
#[derive(Clone, Debug, PartialEq)]
pub enum Abort {
    /// With an HTTP status.
    Http(Spanned<StatusCode>),
    /// With a gRPC status.
    Grpc(Spanned<GrpcStatus>),
}

words! {
    /// What is injected.
    enum FaultKind: "fault" {
        Delay = "delay" | "fixed-delay" "the request waits",
        Abort = "abort" | "http-status" "the request fails",
    }
}

impl Syntax for Fault {
    fn read<'p>(args: &mut Args<'p>, cx: &mut Reader<'_, 'p>) -> Option<Self> {
        let start = args.last;
        let kind = match Spanned::<FaultKind>::read(args, cx)?.value {
            FaultKind::Delay => {
                args.skip_label(&["fixed-delay"], cx);
                Injection::Delay(Spanned::read(args, cx)?)
            }
            FaultKind::Abort if args.take_word("grpc", cx).is_some() => {
                Injection::Abort(Abort::Grpc(Spanned::read(args, cx)?))
            }
            FaultKind::Abort => {
                args.skip_label(&["http-status", "status"], cx);
                Injection::Abort(Abort::Http(Spanned::read(args, cx)?))
            }
        };
        let share = args.peek(cx).filter(|term| term.word().is_some_and(|word| word.ends_with('%')));
        if let Some(place) = share.filter(|term| term.origin.is_none()).map(|term| term.span) {
            let right = format!("for {}", cx.written(place).unwrap_or_default());
            let edit = Edit { span: place.before(), replacement: "for ".to_owned() };
            cx.foreign(place, &right, Applicability::Safe, vec![edit]);
        } else if !args.take_label("for", &["percentage", "percent"], cx) {
            args.missing("`for` and a share, such as `for 10%`,", cx);
            return None;
        }
        let share = Spanned::<Percent>::read(args, cx)?;
        if share.value.ppm() == 0 {
            cx.report(
                Diagnostic::new(
                    Code::RESPONSE_FAULT,
                    share.span,
                    "a fault for 0 % of the requests injects nothing",
                )
                .help("give it a share, or remove the statement"),
            );
        }
        Some(Self { kind, share, span: start.to(args.last) })
    }

    fn signature() -> String {
        "delay <duration> for <percentage> | abort <status> for <percentage> | abort grpc <gRPC status> for <percentage>".to_owned()
    }

    fn types(types: &mut Vec<TypeDoc>) {
        Spanned::<Duration>::types(types);
        Spanned::<Percent>::types(types);
        Spanned::<StatusCode>::types(types);
        Spanned::<GrpcStatus>::types(types);
    }
}
