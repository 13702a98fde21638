//! Whether a count is what a share would make of it.

/// How unlikely a count must be before it speaks against a share: it happens by chance once in a million times at most.
pub const FALSE_ALARM: f64 = 1e-6;

/// Whether `count` of `total` is likely enough for a share in parts per million.
///
/// Chernoff's bound for a binomial distribution: a share as far off as `count / total` is seen with a chance of at most
/// `2 exp(-total * divergence(count / total, share))`. It holds for every total and share, however small.
#[must_use]
pub fn is_plausible(count: u64, total: u64, ppm: u32) -> bool {
    if total == 0 {
        return true;
    }
    let (seen, share) = (to_f64(count) / to_f64(total), f64::from(ppm) / 1e6);
    2.0 * (-to_f64(total) * divergence(seen, share)).exp() >= FALSE_ALARM
}

/// The shares that are plausible for a total, in percent: `8.1 % to 12.3 %`.
#[must_use]
pub fn range(total: u64, ppm: u32) -> String {
    let plausible = (0..=total).filter(|count| is_plausible(*count, total, ppm));
    let (first, last) =
        plausible.fold((None, None), |(first, _), count| (first.or(Some(count)), Some(count)));
    format!("{} to {}", percent(first.unwrap_or_default(), total), percent(last.unwrap_or_default(), total))
}

/// A part as percent.
#[must_use]
pub fn percent(count: u64, total: u64) -> String {
    format!("{:.1} %", 100.0 * to_f64(count) / to_f64(total.max(1)))
}

/// The divergence of Kullback and Leibler between two coins.
fn divergence(seen: f64, share: f64) -> f64 {
    let term = |seen: f64, share: f64| match (seen > 0.0, share > 0.0) {
        (false, _) => 0.0,
        (true, false) => f64::INFINITY,
        (true, true) => seen * (seen / share).ln(),
    };
    term(seen, share) + term(1.0 - seen, 1.0 - share)
}

/// Counts of requests are far from where this would round.
fn to_f64(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_counts_are_plausible_and_far_ones_are_not() {
        for (count, total, ppm, plausible) in [
            (200, 2_000, 100_000, true),
            (150, 2_000, 100_000, true),
            (120, 2_000, 100_000, false),
            (290, 2_000, 100_000, false),
            (0, 2_000, 0, true),
            (1, 2_000, 0, false),
            (2_000, 2_000, 1_000_000, true),
            (1_999, 2_000, 1_000_000, false),
            (0, 2_000, 1_000, true),
            (0, 2_000, 10_000, false),
            (1_000, 2_000, 500_000, true),
            (1, 1, 500_000, true),
            (0, 0, 500_000, true),
        ] {
            assert_eq!(is_plausible(count, total, ppm), plausible, "{count} of {total} at {ppm} ppm");
        }
        // The divergence of 6.6 % and of 13.8 % from 10 % is 0.0072, and 2 exp(-2000 * 0.0072) is a millionth.
        assert_eq!(range(2_000, 100_000), "6.6 % to 13.8 %");
    }
}
