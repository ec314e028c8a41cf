//! CPU and memory of processes and threads, from Linux's /proc.

use std::fs;
use std::path::Path;

/// The ticks per second in which /proc counts CPU time, on every Linux that we know.
const TICKS_PER_SECOND: u64 = 100;

/// CPU a process has used, in microseconds; 0 when it has ended.
pub fn cpu_us(pid: u32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    (field(&stat, 11) + field(&stat, 12)) * 1_000_000 / TICKS_PER_SECOND
}

/// CPU of this process and of those that it has started, in microseconds.
pub fn family_cpu_us() -> u64 {
    let own = std::process::id();
    let pids = fs::read_dir("/proc").expect("/proc is there").flatten();
    let pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let is_ours = |pid: &u32| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        *pid == own || field(&stat, 1) == u64::from(own)
    };
    pids.filter(is_ours).map(cpu_us).sum()
}

/// A number of a `stat` file, counted from what comes after the name.
fn field(stat: &str, at: usize) -> u64 {
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    after_name.split_whitespace().nth(at).and_then(|word| word.parse().ok()).unwrap_or(0)
}

/// The most memory a process has had, in MiB.
pub fn peak_mib(pid: u32) -> f64 {
    status_mib(pid, "VmHWM:")
}

/// The memory a process has now, in MiB.
pub fn memory_mib(pid: u32) -> f64 {
    status_mib(pid, "VmRSS:")
}

fn status_mib(pid: u32, name: &str) -> f64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap_or_default();
    let kib: u64 = line.split_whitespace().nth(1).and_then(|word| word.parse().ok()).unwrap_or(0);
    crate::figures::figure(kib) / 1_024.0
}

/// CPU of this process's threads of that name, in microseconds.
pub fn threads_cpu_us(name: &str) -> u64 {
    let tasks = fs::read_dir("/proc/self/task").expect("/proc is there").flatten();
    let named = |folder: &Path| {
        fs::read_to_string(folder.join("comm")).is_ok_and(|found| found.trim() == name)
    };
    tasks.map(|task| task.path()).filter(|at| named(at)).map(|at| scheduled_us(&at)).sum()
}

/// CPU of the calling thread, in microseconds.
pub fn own_thread_cpu_us() -> u64 {
    scheduled_us(Path::new("/proc/thread-self"))
}

/// Nanoseconds on a CPU are the first figure of `schedstat`.
fn scheduled_us(folder: &Path) -> u64 {
    let text = fs::read_to_string(folder.join("schedstat")).unwrap_or_default();
    text.split(' ').next().and_then(|word| word.parse::<u64>().ok()).unwrap_or(0) / 1_000
}

/// Idle and all time of the machine since it started, in ticks.
pub fn machine_ticks() -> (u64, u64) {
    let stat = fs::read_to_string("/proc/stat").expect("/proc is there");
    let line = stat.lines().next().unwrap_or_default();
    // The last two, the time of guests, are included in the others already.
    let times: Vec<u64> =
        line.split_whitespace().skip(1).take(8).filter_map(|word| word.parse().ok()).collect();
    let idle = times.get(3).copied().unwrap_or(0) + times.get(4).copied().unwrap_or(0);
    (idle, times.iter().sum())
}

/// Ticks as microseconds.
pub fn ticks_us(ticks: u64) -> u64 {
    ticks * 1_000_000 / TICKS_PER_SECOND
}
