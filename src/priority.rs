//! The priority of threads: those that requests of other clients do not wait for let the others
//! run first.

use std::cell::Cell;

/// How far the system's scheduler puts such a thread behind the others (`nice(2)`).
#[cfg(target_os = "linux")]
const NICE: i32 = 5;

thread_local! {
    static IS_LOWERED: Cell<bool> = const { Cell::new(false) };
}

/// Lowers the priority of the calling thread for the rest of its life.
///
/// Where the processors are busy, captures then wait for less than a scheduler's slice of it. Only
/// Linux has priorities of single threads; elsewhere this does nothing.
pub fn lower_this_thread() {
    if IS_LOWERED.replace(true) {
        return;
    }
    #[cfg(target_os = "linux")]
    // If the system refuses, the work is done all the same.
    rustix::process::nice(NICE).unwrap_or_default();
}
