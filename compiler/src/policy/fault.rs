//! `fault`: injected delays and failures.

use crate::reading::{Args, Reader, Syntax, TypeDoc, is_called, wherever_written};
use crate::values::{Duration, GrpcStatus, Literal, Percent, StatusCode, words};
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
                args.owner = "fault delay";
                args.skip_label(&["fixed-delay"], cx);
                Injection::Delay(Spanned::read(args, cx)?)
            }
            FaultKind::Abort if args.take_word("grpc", cx).is_some() => {
                Injection::Abort(Abort::Grpc(Spanned::read(args, cx)?))
            }
            FaultKind::Abort => {
                args.owner = "fault abort";
                args.skip_label(&["http-status", "status"], cx);
                Injection::Abort(Abort::Http(Spanned::read(args, cx)?))
            }
        };
        args.owner = "fault";
        let share = match read_foreign_share(args, cx) {
            Some(share) => share,
            None => read_share(args, cx)?,
        };
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

/// Where others write the share, `percentage 10`: with its sign it is `for 10%`.
fn read_foreign_share<'p>(args: &mut Args<'p>, cx: &mut Reader<'_, 'p>) -> Option<Spanned<Percent>> {
    let label = args.peek(cx).filter(|term| term.origin.is_none())?;
    if !label.word().is_some_and(|word| is_called(word, "percentage", &["percent"])) {
        return None;
    }
    let label = args.next(cx)?;
    let number = args.peek(cx).filter(|term| term.origin.is_none()).and_then(|term| {
        let text = term.word()?;
        let text = if text.ends_with('%') { text.to_owned() } else { format!("{text}%") };
        Some((Percent::parse(&text).ok()?, text, term.span))
    });
    let Some((share, text, span)) = number else {
        args.put_back(label);
        return None;
    };
    args.next(cx);
    let place = label.span.to(span);
    let right = format!("for {text}");
    cx.foreign(place, &right, Applicability::Safe, vec![Edit { span: place, replacement: right.clone() }]);
    Some(Spanned::new(share, span))
}

/// `for 10%`; without `for`, reported.
fn read_share<'p>(args: &mut Args<'p>, cx: &mut Reader<'_, 'p>) -> Option<Spanned<Percent>> {
    let share = args.peek(cx).filter(|term| term.word().is_some_and(|word| word.ends_with('%')));
    if let Some(place) = share.filter(|term| term.origin.is_none()).map(|term| term.span) {
        let right = format!("for {}", cx.written(place).unwrap_or_default());
        let edit = Edit { span: place.before(), replacement: "for ".to_owned() };
        cx.foreign(place, &right, Applicability::Safe, vec![edit]);
    } else if !args.take_label("for", &["percentage", "percent"], cx) {
        args.missing("`for` and a share, such as `for 10%`,", cx);
        return None;
    }
    Spanned::<Percent>::read(args, cx)
}
