//! The shares of the destinations of a route.

use crate::reading::Reader;
use crate::values::Percent;
use meshc_language::{Code, Diagnostic, Span, Spanned};

/// The share of one destination as it was written.
#[derive(Clone, Copy)]
pub(super) enum Share {
    /// A part of all.
    Percent(Spanned<Percent>),
    /// What the others leave.
    Rest(Span),
    /// Nothing is said.
    None,
}

/// A share, and the destination that has it.
type Written = (Share, Span);

/// The weights: `rest` takes what the others leave, and all of them add up to 100 %. Where they do not, they are parts of their sum,
/// as Istio takes them.
pub(super) fn of_destinations(
    parsed: &[Written],
    cx: &mut Reader<'_, '_>,
) -> Option<Vec<Option<Spanned<Percent>>>> {
    if let [only] = parsed
        && matches!(only.0, Share::None)
    {
        return Some(vec![None]);
    }
    let mut total: u32 = 0;
    let mut rest: Option<Span> = None;
    for part in parsed {
        match &part.0 {
            Share::Percent(percent) => total = total.saturating_add(percent.value.ppm()),
            Share::Rest(span) => {
                if let Some(first) = rest {
                    let message = "only one destination can take the rest";
                    let report = Diagnostic::new(Code::UNEXPECTED_ARGUMENT, *span, message);
                    cx.report(report.related(first, "the first one").help("give one of them a percentage"));
                    return None;
                }
                rest = Some(*span);
            }
            Share::None => {}
        }
    }
    let whole = Percent::HUNDRED.ppm();
    let rest_share = whole.saturating_sub(total);
    if total == 0 && rest.is_none() && parsed.len() > 1 {
        report_no_shares(parsed, cx);
        return None;
    }
    parsed.iter().filter(|part| matches!(part.0, Share::None)).for_each(|part| report_missing(part, cx));
    let is_complete = parsed.iter().all(|part| !matches!(part.0, Share::None));
    if is_complete && (total > whole || (total < whole && rest.is_none())) {
        report_total(parsed, total, cx);
    }
    let shares = parsed.iter().map(|part| match &part.0 {
        Share::Percent(percent) => (percent.value.ppm(), percent.span),
        Share::Rest(span) => (rest_share, *span),
        Share::None => (0, part.1),
    });
    Some(of_the_sum(&shares.collect::<Vec<_>>()))
}

/// Shares as parts of their sum; what is lost by rounding goes to the last that has any.
fn of_the_sum(shares: &[(u32, Span)]) -> Vec<Option<Spanned<Percent>>> {
    let whole = u64::from(Percent::HUNDRED.ppm());
    let sum: u64 = shares.iter().map(|(share, _)| u64::from(*share)).sum();
    let mut left = whole;
    let last = shares.iter().rposition(|(share, _)| *share > 0).unwrap_or(0);
    let mut parts: Vec<u64> = Vec::with_capacity(shares.len());
    for (share, _) in shares {
        let part = (u64::from(*share) * whole).checked_div(sum).unwrap_or(0).min(left);
        left -= part;
        parts.push(part);
    }
    if let Some(part) = parts.get_mut(last) {
        *part += left;
    }
    let weight = |(part, (_, span)): (u64, &(u32, Span))| {
        let share = Percent::from_ppm(u32::try_from(part).ok()?)?;
        Some(Spanned::new(share, *span))
    };
    parts.into_iter().zip(shares).map(weight).collect()
}

#[cold]
fn report_missing(part: &Written, cx: &mut Reader<'_, '_>) {
    let message = "this destination has no share of the traffic";
    cx.report(
        Diagnostic::new(Code::WEIGHT_MISSING, part.1, message)
            .consequence("Istio would never send it a request")
            .help("write a percentage before it, or `rest`")
            .edit(meshc_language::Applicability::Unsafe, part.1.before(), "rest "),
    );
}

#[cold]
fn report_no_shares(parsed: &[Written], cx: &mut Reader<'_, '_>) {
    let Some(span) = parsed.iter().map(|part| part.1).reduce(Span::to) else { return };
    cx.report(
        Diagnostic::new(Code::NO_SHARES, span, "none of these destinations has a share of the traffic")
            .consequence("Istio would refuse the virtual service")
            .help("write a percentage before each of them, or `rest` before one: `90% a, rest b`"),
    );
}

#[cold]
fn report_total(parsed: &[Written], total: u32, cx: &mut Reader<'_, '_>) {
    let Some(span) = parsed.iter().map(|part| part.1).reduce(Span::to) else { return };
    let percent = f64::from(total) / 10_000.0;
    let consequence = if parsed.len() == 1 {
        "Istio would send all requests to the only destination, whatever its weight"
    } else {
        "Istio would use them as weights of that sum, not as percentages"
    };
    cx.report(
        Diagnostic::new(Code::WEIGHTS_TOTAL, span, format!("these shares add up to {percent} %"))
            .consequence(consequence)
            .help("make them add up to 100 %; `rest` is the remaining share"),
    );
}

#[cfg(test)]
mod tests {
    use super::{Percent, Span, of_the_sum};

    #[test]
    fn shares_are_parts_of_their_sum() {
        let parts = |shares: &[u32]| -> Vec<u32> {
            let shares: Vec<(u32, Span)> =
                shares.iter().map(|share| (*share, Span::new(meshc_language::FileId(0), 0, 0))).collect();
            of_the_sum(&shares).into_iter().flatten().map(|share| share.value.ppm()).collect()
        };
        let whole = Percent::HUNDRED.ppm();
        assert_eq!(parts(&[100_000, 900_000]), [100_000, 900_000]);
        assert_eq!(parts(&[100_000, 800_000]), [111_111, 888_889]);
        assert_eq!(parts(&[1_000_000, 1_000_000]), [500_000, 500_000]);
        assert_eq!(parts(&[100_000, 0]), [whole, 0]);
        // The only destination gets everything, whatever its share.
        assert_eq!(parts(&[0]), [whole]);
    }
}
