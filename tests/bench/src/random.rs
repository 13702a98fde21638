//! A linear congruential generator: the meshes must not change with a library's version.

/// Knuth's MMIX generator; only its upper half is used, the lower bits have short periods.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: usize) -> Self {
        let mut random = Self(seed as u64 ^ 0x5DEE_CE66_D1CE_5EED);
        // Neighbouring seeds start out alike.
        for _ in 0..4 {
            random.below(1);
        }
        random
    }

    /// A number from 0 up to, and without, `bound`; 0 for a bound of 0.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize).checked_rem(bound).unwrap_or(0)
    }

    /// One of `choices`.
    pub(crate) fn pick(&mut self, choices: &[&'static str]) -> &'static str {
        choices.get(self.below(choices.len())).copied().unwrap_or_default()
    }
}
