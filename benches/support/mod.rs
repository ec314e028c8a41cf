//! What the benchmarks share: the machine's state, medians, options.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// A folder below the build's own, so that it is on the same disk and never in memory.
pub fn work_folder(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    drop(fs::remove_dir_all(&folder));
    fs::create_dir_all(&folder).expect("the build folder can be written");
    refuse_memory(&folder);
    folder
}

/// On a file system in memory a sync costs nothing, and every figure would be wrong.
fn refuse_memory(folder: &Path) {
    let mounts = fs::read_to_string("/proc/mounts").expect("/proc is there");
    let full = folder.canonicalize().expect("the folder was just made");
    let holding = mounts
        .lines()
        .filter_map(|line| line.split(' ').nth(1).zip(line.split(' ').nth(2)))
        .filter(|(at, _)| full.starts_with(at))
        .max_by_key(|(at, _)| at.len());
    let kind = holding.map_or("unknown", |(_, kind)| kind);
    assert!(!matches!(kind, "tmpfs" | "ramfs"), "{} is in memory", folder.display());
}

/// How the machine is just before a run: idle per cent, and syncs a second of 4 KiB writes.
pub fn machine(folder: &Path) -> (u64, u64) {
    let before = cpu_times();
    let file = File::create(folder.join("sync-probe")).expect("the folder can be written");
    std::thread::park_timeout(Duration::from_millis(300));
    let after = cpu_times();
    let (idle, all) = (after.0 - before.0, after.1 - before.1);
    let probe = Instant::now();
    let mut syncs = 0;
    while probe.elapsed() < Duration::from_millis(200) {
        file.write_all_at(&[7; 4096], 0).expect("the probe can be written");
        file.sync_data().expect("the probe can be synced");
        syncs += 1;
    }
    let per_second = syncs * 1_000 / u64::try_from(probe.elapsed().as_millis()).unwrap_or(1).max(1);
    (idle * 100 / all.max(1), per_second)
}

fn cpu_times() -> (u64, u64) {
    let stat = fs::read_to_string("/proc/stat").expect("/proc is there");
    let line = stat.lines().next().unwrap_or_default();
    let times: Vec<u64> =
        line.split_whitespace().skip(1).filter_map(|word| word.parse().ok()).collect();
    let idle = times.get(3).copied().unwrap_or(0) + times.get(4).copied().unwrap_or(0);
    (idle, times.iter().sum())
}

/// The middle of some figures.
pub fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(0.0)
}

/// A whole number as a figure to calculate with.
pub fn figure(number: u64) -> f64 {
    // Counts of a benchmark stay far below 2^53.
    u32::try_from(number).map_or_else(|_| figure(number / 2) * 2.0, f64::from)
}

/// The value of `--name N` on the command line, or a default.
pub fn option(name: &str, default: u64) -> u64 {
    let arguments: Vec<String> = std::env::args().collect();
    let at = arguments.iter().position(|word| word == name);
    at.and_then(|at| arguments.get(at + 1)?.parse().ok()).unwrap_or(default)
}
