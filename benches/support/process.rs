//! Figures of another process, as Linux keeps them.

use std::fs;

/// Ticks a second that /proc counts CPU time in, on every Linux we know.
const TICKS_PER_SECOND: u64 = 100;

/// CPU a process has used, in microseconds.
pub fn cpu_us(pid: u32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("the process runs");
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let field = |at: usize| -> u64 {
        after_name.split_whitespace().nth(at).and_then(|word| word.parse().ok()).unwrap_or(0)
    };
    (field(11) + field(12)) * 1_000_000 / TICKS_PER_SECOND
}

/// The most memory a process has had, in KiB.
pub fn peak_kib(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("the process runs");
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|word| word.parse().ok()).unwrap_or(0)
}
