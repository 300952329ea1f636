//! A small generator for choices that a seed must repeat (which moment to kill at); not for secrets.

/// SplitMix64 (Steele, Lea, Flood 2014): one word of state, good enough to spread choices.
pub struct Random(u64);

impl Random {
    /// The sequence of `seed`.
    pub fn of_seed(seed: u64) -> Random {
        Random(seed)
    }

    /// The next 64 bits.
    pub fn next_word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    /// A number below `bound`, or 0 if `bound` is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.next_word().checked_rem(bound).unwrap_or(0)
    }
}
