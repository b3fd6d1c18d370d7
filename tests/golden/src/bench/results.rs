//! The figures of one design, as they are shown, written as JSON and kept in `docs/benchmarks.json`.

use serde::{Deserialize, Serialize};

use super::ladder::IDLE;
use super::process::Usage;

/// One design.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DesignFigures {
    pub design: String,
    pub artifact_bytes: u64,
    /// WebAssembly operations per cycle.
    pub operations_per_cycle: Option<f64>,
    /// Ours first.
    pub engines: Vec<EngineFigures>,
    /// Engines that could not be measured, and why.
    pub failures: Vec<(String, String)>,
}

/// One simulator of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EngineFigures {
    pub engine: String,
    /// Cycles whose outputs were compared with ours before anything was timed.
    pub compared_cycles: u64,
    /// Median of the runs, per second of processor time.
    pub cycles_per_second: f64,
    pub slowest: f64,
    pub fastest: f64,
    pub cycles_per_run: u64,
    /// From the sources to the end of the first cycle.
    pub first_cycle: Usage,
    /// Largest resident size of the running simulator.
    pub running_kilobytes: u64,
}

impl DesignFigures {
    pub fn ours(&self) -> Option<&EngineFigures> {
        self.engines.iter().find(|engine| engine.engine == "ours")
    }

    /// The fastest engine whose name starts so.
    pub fn best(&self, prefix: &str) -> Option<&EngineFigures> {
        let named = self
            .engines
            .iter()
            .filter(|engine| engine.engine.starts_with(prefix));
        named.max_by(|a, b| a.cycles_per_second.total_cmp(&b.cycles_per_second))
    }

    /// How many times as fast as the best of those engines ours is.
    pub fn ratio(&self, prefix: &str) -> Option<f64> {
        Some(self.ours()?.cycles_per_second / self.best(prefix)?.cycles_per_second)
    }
}

/// Geometric mean of ours against the best of those engines, over all designs but the idle one.
pub fn mean_ratio(all: &[DesignFigures], prefix: &str) -> Option<f64> {
    let busy = all.iter().filter(|figures| figures.design != IDLE);
    geometric_mean(busy.filter_map(|figures| figures.ratio(prefix)))
}

/// Geometric mean of those that are there.
fn geometric_mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (mut sum, mut count) = (0.0, 0u32);
    for value in values {
        sum += value.ln();
        count += 1;
    }
    (count > 0).then(|| (sum / f64::from(count)).exp())
}

#[cfg(test)]
mod tests {
    use super::geometric_mean;

    #[test]
    fn mean_of_two_and_eight_is_four() {
        let mean = geometric_mean([2.0, 8.0].into_iter());
        assert!(mean.is_some_and(|mean| (mean - 4.0).abs() < 1e-9));
        assert_eq!(geometric_mean(std::iter::empty()), None);
    }
}
