//! The measured figures by name, several of each, and their medians.

use std::collections::BTreeMap;

/// Every figure that was measured, by a name such as `captures/64/per_second`.
#[derive(Default)]
pub struct Figures {
    by_name: BTreeMap<String, Vec<f64>>,
}

impl Figures {
    /// Adds a figure.
    pub fn add(&mut self, name: impl Into<String>, value: f64) {
        self.by_name.entry(name.into()).or_default().push(value);
    }

    /// The median of the figures of a name; `None` without any.
    pub fn median(&self, name: &str) -> Option<f64> {
        self.by_name.get(name).map(|values| median(values))
    }

    /// The median ratio of two figures, pairwise by repetition.
    pub fn ratio(&self, over: &str, under: &str) -> Option<f64> {
        let (over, under) = (self.by_name.get(over)?, self.by_name.get(under)?);
        let ratios: Vec<f64> =
            over.iter().zip(under).filter(|(_, u)| 0.0 < **u).map(|(o, u)| o / u).collect();
        (!ratios.is_empty()).then(|| median(&ratios))
    }

    /// The names below a prefix such as `lists`, without the prefix.
    pub fn names_below<'a>(&'a self, folder: &'a str) -> impl Iterator<Item = &'a str> {
        let below = move |name: &'a String| name.strip_prefix(folder)?.strip_prefix('/');
        self.by_name.keys().filter_map(below)
    }
}

/// The median.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(0.0)
}

/// Converts a whole number to a figure.
pub fn figure(number: impl TryInto<u64>) -> f64 {
    let number = number.try_into().unwrap_or(0);
    // Counts of a benchmark stay far below 2^53.
    u32::try_from(number).map_or_else(|_| figure(number / 2) * 2.0, f64::from)
}

/// Rate per second, from a count and a time.
pub fn per_second(count: impl TryInto<u64>, took: std::time::Duration) -> f64 {
    figure(count) / took.as_secs_f64().max(1e-9)
}
