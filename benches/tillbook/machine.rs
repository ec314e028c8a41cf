//! The machine: its disk, its load, and repeating measurements that other load disturbed.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::figures::{Figures, per_second};
use crate::options::Options;
use crate::process::{family_cpu_us, machine_ticks, ticks_us};

/// Per cent of the machine that others may use during a repetition that counts.
const OTHERS_PERCENT_MAX: u64 = 15;
/// Idle per cent that a repetition waits for.
const IDLE_PERCENT_MIN: u64 = 80;
/// The most attempts at a repetition, and the most observations of the machine before one.
const TRIES_MAX: u32 = 3;
const CHECKS_MAX: u32 = 10;

/// For how long the machine is observed and the disk is probed before a repetition.
const OBSERVED: Duration = Duration::from_millis(300);
const PROBED: Duration = Duration::from_millis(100);

/// The machine that the benchmark runs on.
pub struct Machine {
    folder: PathBuf,
    bar: ProgressBar,
    retries_when_busy: bool,
    /// Repetitions that count although the machine was busy.
    pub busy: u64,
    /// The least idle per cent before a repetition.
    pub idle_percent_min: u64,
}

impl Machine {
    /// Makes the benchmark's folder below the build folder.
    pub fn new(options: &Options, repetitions: u64) -> Machine {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).with_file_name("bench");
        fs::create_dir_all(&folder).expect("the build folder can be written");
        refuse_memory(&folder);
        let style = ProgressStyle::with_template("{bar:40} {pos} of {len} repetitions, {elapsed}");
        let bar = ProgressBar::new(repetitions).with_style(style.expect("a template"));
        Machine { folder, bar, retries_when_busy: !options.quick, busy: 0, idle_percent_min: 100 }
    }

    /// Where the data sets and the report are.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// An empty folder for one use.
    pub fn work_folder(&self, name: &str) -> PathBuf {
        let folder = self.folder.join("work").join(name);
        drop(fs::remove_dir_all(&folder));
        fs::create_dir_all(&folder).expect("the build folder can be written");
        folder
    }

    /// Prints a line, beside the progress bar where there is one.
    pub fn say(&self, line: &str) {
        self.bar.suspend(|| println!("{line}"));
    }

    /// Runs a repetition when the machine is idle, and again if others used the machine meanwhile.
    /// Accepts the last attempt as it is.
    pub fn repetition<T>(&mut self, name: &str, mut run: impl FnMut() -> T) -> T {
        let mut tries = 1;
        loop {
            let idle = self.wait_until_idle();
            let syncs = syncs_per_second(&self.folder, PROBED, 0);
            let (began, ticks, ours) = (Instant::now(), machine_ticks(), family_cpu_us());
            let result = run();
            let others = others_percent(ticks, ours);
            let took = began.elapsed();
            self.say(&format!(
                "{name}: idle {idle} %, {syncs:.0} syncs/s before; others used {others} % of \
                 {:.1} s",
                took.as_secs_f64()
            ));
            let is_busy = OTHERS_PERCENT_MAX < others;
            if is_busy && self.retries_when_busy && tries < TRIES_MAX {
                tries += 1;
                continue;
            }
            self.busy += u64::from(is_busy);
            self.idle_percent_min = self.idle_percent_min.min(idle);
            self.bar.inc(1);
            return result;
        }
    }

    /// Waits a while for an idle machine and returns its idle time in per cent.
    fn wait_until_idle(&self) -> u64 {
        let mut checks = 1;
        loop {
            let idle = idle_percent();
            if IDLE_PERCENT_MIN <= idle || !self.retries_when_busy || CHECKS_MAX <= checks {
                return idle;
            }
            checks += 1;
        }
    }

    /// Measures the disk: syncs of 4 KiB, over the same block and at the end of a file.
    pub fn measure_disk(&mut self, options: &Options, figures: &mut Figures) {
        for repetition in 1..=options.repetitions() {
            let time = options.turn() / 3;
            let folder = self.folder.clone();
            let (over, append) = self.repetition(&format!("fsync {repetition}"), || {
                (syncs_per_second(&folder, time, 0), syncs_per_second(&folder, time, BLOCK))
            });
            figures.add("fsync/overwrite", over);
            figures.add("fsync/append", append);
        }
    }

    /// Removes the progress bar.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

/// Bytes of a block that is written and synced.
const BLOCK: usize = 4_096;

/// Writes and syncs blocks, each `step` bytes after the one before.
fn syncs_per_second(folder: &Path, time: Duration, step: usize) -> f64 {
    let file = File::create(folder.join("sync-probe")).expect("the folder can be written");
    let (probe, mut syncs, mut at) = (Instant::now(), 0_u64, 0_usize);
    while probe.elapsed() < time {
        let offset = u64::try_from(at).unwrap_or(0);
        file.write_all_at(&[7; BLOCK], offset).expect("the probe can be written");
        file.sync_data().expect("the probe can be synced");
        syncs += 1;
        at += step;
    }
    per_second(syncs, probe.elapsed())
}

/// How idle the machine is now, in per cent.
fn idle_percent() -> u64 {
    let before = machine_ticks();
    std::thread::park_timeout(OBSERVED);
    let after = machine_ticks();
    (after.0 - before.0) * 100 / (after.1 - before.1).max(1)
}

/// The share of the machine that other processes have used since `ticks`, in per cent.
fn others_percent(ticks: (u64, u64), ours_us: u64) -> u64 {
    let (idle, all) = machine_ticks();
    let (idle, all) = (ticks_us(idle - ticks.0), ticks_us(all - ticks.1));
    let ours = family_cpu_us().saturating_sub(ours_us);
    all.saturating_sub(idle).saturating_sub(ours) * 100 / all.max(1)
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
    assert!(
        !matches!(kind, "tmpfs" | "ramfs"),
        "{} is in memory; set CARGO_TARGET_DIR to a folder on a disk",
        folder.display()
    );
}
