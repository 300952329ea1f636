//! Counts by upper bound, and the quantiles that can be told from them.

/// How often something stayed below each of some bounds.
#[derive(Debug, Clone)]
pub struct Histogram {
    bounds: &'static [f64],
    /// One for each bound, and one for what is above the last.
    counts: Vec<u64>,
    sum: f64,
}

impl Histogram {
    /// An empty one with ascending bounds.
    pub fn new(bounds: &'static [f64]) -> Self {
        Self { bounds, counts: vec![0; bounds.len() + 1], sum: 0.0 }
    }

    /// One of what was counted elsewhere under the same bounds, and the sum of it.
    pub fn of_counts(bounds: &'static [f64], counted: &[u64], sum: f64) -> Self {
        let counts = (0..=bounds.len()).map(|at| counted.get(at).copied().unwrap_or(0)).collect();
        Self { bounds, counts, sum }
    }

    /// Counts a value.
    pub fn add(&mut self, value: f64) {
        let at = self.bounds.partition_point(|bound| *bound < value);
        if let Some(count) = self.counts.get_mut(at) {
            *count += 1;
        }
        self.sum += value;
    }

    /// Values counted.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Sum of the values.
    pub fn sum(&self) -> f64 {
        self.sum
    }

    /// Each bound with how many values did not pass it.
    pub fn cumulative(&self) -> impl Iterator<Item = (f64, u64)> {
        self.bounds.iter().zip(&self.counts).scan(0, |below, (bound, count)| {
            *below += count;
            Some((*bound, *below))
        })
    }

    /// The value that a share of the values did not pass, within its bucket by a straight line, as Prometheus'
    /// `histogram_quantile` tells it. `None` without values.
    pub fn quantile(&self, share: f64) -> Option<f64> {
        let count = self.count();
        if count == 0 {
            return None;
        }
        let rank = share * count as f64;
        let (mut lower, mut below) = (0.0, 0);
        for (bound, cumulative) in self.cumulative() {
            if cumulative as f64 >= rank && cumulative > below {
                return Some(lower + (bound - lower) * (rank - below as f64) / (cumulative - below) as f64);
            }
            (lower, below) = (bound, cumulative);
        }
        self.bounds.last().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::Histogram;

    #[test]
    fn quantiles_lie_within_their_bucket() {
        let mut histogram = Histogram::new(&[1.0, 2.0, 4.0]);
        assert_eq!(histogram.quantile(0.5), None);
        for value in [0.5, 1.0, 1.5, 1.6, 1.7, 1.8, 3.0, 3.0, 3.0, 9.0] {
            histogram.add(value);
        }
        assert_eq!(histogram.cumulative().collect::<Vec<_>>(), [(1.0, 2), (2.0, 6), (4.0, 9)]);
        assert_eq!((histogram.count(), histogram.sum()), (10, 26.1));
        assert_eq!(histogram.quantile(0.2), Some(1.0));
        assert_eq!(histogram.quantile(0.5), Some(1.75));
        assert_eq!(histogram.quantile(0.9), Some(4.0));
        assert_eq!(histogram.quantile(0.99), Some(4.0), "above the last bound, that bound is what is known");
    }
}
