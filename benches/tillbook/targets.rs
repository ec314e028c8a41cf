//! The performance targets, and whether the figures reach them.

use crate::figures::Figures;
use crate::options::Options;

/// A target and its measured figure.
pub struct Target {
    pub id: &'static str,
    pub what: String,
    pub goal: Goal,
    pub measured: Option<f64>,
}

/// The limit, and its unit.
#[derive(Clone, Copy)]
pub enum Goal {
    AtLeast(f64, &'static str),
    AtMost(f64, &'static str),
}

impl Target {
    /// True if it is reached; `None` when it was not measured.
    pub fn is_reached(&self) -> Option<bool> {
        self.measured.map(|measured| match self.goal {
            Goal::AtLeast(bound, _) => bound <= measured,
            Goal::AtMost(bound, _) => measured <= bound,
        })
    }
}

impl Goal {
    /// The bound in words.
    pub fn words(self) -> String {
        match self {
            Self::AtLeast(bound, unit) => format!("at least {bound}{unit}"),
            Self::AtMost(bound, unit) => format!("at most {bound}{unit}"),
        }
    }

    /// The unit of its figures.
    pub fn unit(self) -> &'static str {
        match self {
            Self::AtLeast(_, unit) | Self::AtMost(_, unit) => unit,
        }
    }
}

/// All targets, in order, with the measured figures.
pub fn targets(figures: &Figures, options: &Options) -> Vec<Target> {
    use Goal::{AtLeast, AtMost};
    let target =
        |id, what: &str, goal, measured| Target { id, what: what.to_owned(), goal, measured };
    let over =
        |a: &str, b: &str| figures.ratio(&format!("{a}/per_second"), &format!("{b}/per_second"));
    let one = |name: &str| figures.median(name);
    let sizes = options.sizes();
    let (few, many) = (sizes[0], options.largest());
    let growth = over(&format!("growth/{many}"), &format!("growth/{few}"));
    let (worst_ratio, worst_cpu) = worst_lists(figures);
    let started = format!("ready with {many} orders, from the start of the process");
    let grown = format!("captures with {many} orders / with {few}, at 64");
    let listed = format!("page of 50, any one filter, p50 with {many} orders / with {few}");
    vec![
        target("T1", "captures / echo at 64", AtLeast(0.40, ""), over("captures/64", "echo/64")),
        target("T1", "captures / echo at 256", AtLeast(0.50, ""), over("captures/256", "echo/256")),
        target("T2", "writer / raw loop at 256", AtLeast(0.70, ""), over("writer/256", "raw/256")),
        target("T2", "writer CPU a capture at 256", AtMost(25.0, " us"), one("writer/256/cpu_us")),
        target("T3", "captures / naive at 64", AtLeast(10.0, ""), over("captures/64", "naive/64")),
        target("T3", "captures / naive at 1", AtLeast(0.95, ""), over("captures/1", "naive/1")),
        target("T4", "server CPU a capture at 64", AtMost(60.0, " us"), one("captures/64/cpu_us")),
        target("T5", "most memory at up to 256", AtMost(64.0, " MiB"), one("memory/peak_mib")),
        target("T5", "idle memory", AtMost(25.0, " MiB"), one("memory/idle_mib")),
        target("T5", &started, AtMost(100.0, " ms"), one("start/ms")),
        target(
            "T6",
            "p99 / p50 at 64",
            AtMost(6.0, ""),
            figures.ratio("captures/64/p99_ms", "captures/64/p50_ms"),
        ),
        target("T7", &grown, AtLeast(0.65, ""), growth),
        target("T8", &listed, AtMost(1.5, ""), worst_ratio),
        target("T8", "its server CPU, the slowest filter", AtMost(1_000.0, " us"), worst_cpu),
        target("T9", "delivered within 500 ms at 2000/s", AtLeast(0.99, ""), one("paced/soon")),
        target(
            "T9",
            "captures with a hook / without, at 64",
            AtLeast(0.60, ""),
            over("unpaced/with", "unpaced/without"),
        ),
        target("T9", "a hook catches up", AtLeast(1_000.0, "/s"), one("behind/per_second")),
        target(
            "T9",
            "memory at the end of it / in the middle",
            AtMost(1.1, ""),
            figures.ratio("behind/end_mib", "behind/middle_mib"),
        ),
    ]
}

/// The worst of the filters: the slowdown with many orders, and the CPU of a page.
fn worst_lists(figures: &Figures) -> (Option<f64>, Option<f64>) {
    let names: Vec<&str> =
        figures.names_below("lists").filter_map(|name| name.strip_suffix("/many/p50_ms")).collect();
    let ratio = |name: &&str| {
        figures.ratio(&format!("lists/{name}/many/p50_ms"), &format!("lists/{name}/few/p50_ms"))
    };
    let cpu = |name: &&str| figures.median(&format!("lists/{name}/many/cpu_us"));
    let worst = |all: Vec<f64>| all.into_iter().max_by(f64::total_cmp);
    (worst(names.iter().filter_map(ratio).collect()), worst(names.iter().filter_map(cpu).collect()))
}
