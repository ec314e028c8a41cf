//! Limits how many lines of one kind are logged in a minute. A kind is a place in the code, so
//! there are few kinds, however many callers there are.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tracing::callsite::Identifier;

use super::counted;

/// Lines of one kind that are written in a period.
pub const LINES_MAX: u64 = 100;
/// How long the lines of a kind are counted together.
pub const PERIOD: Duration = Duration::from_secs(60);
/// Characters of its message by which a kind is named when lines of it were left out.
const NAME_CHARS_MAX: usize = 60;

/// Whether a line is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Write,
    LeaveOut,
}

/// The lines of each kind in its current period.
#[derive(Debug, Default)]
pub struct Limits {
    kinds: Mutex<HashMap<Identifier, Period>>,
}

#[derive(Debug)]
struct Period {
    began: Instant,
    lines: u64,
    /// The start of the last message that was left out.
    name: String,
}

impl Period {
    /// A line with the number of lines that were left out; `None` if all were written.
    fn summary(&self) -> Option<String> {
        let left_out = self.lines.checked_sub(LINES_MAX).filter(|left_out| 0 < *left_out)?;
        let name = &self.name;
        let lines = counted(left_out, "more line", "more lines");
        Some(format!("left out {lines} of one kind, such as: {name}"))
    }
}

impl Limits {
    /// Counts a line of a kind.
    pub fn count(&self, kind: Identifier, message: &str, now: Instant) -> Verdict {
        let mut kinds = self.lock();
        let period = kinds.entry(kind).or_insert_with(|| Period {
            began: now,
            lines: 0,
            name: String::new(),
        });
        period.lines += 1;
        if period.lines <= LINES_MAX {
            return Verdict::Write;
        }
        if period.name.is_empty() {
            period.name = message.chars().take(NAME_CHARS_MAX).collect();
        }
        Verdict::LeaveOut
    }

    /// Ends the periods that are over and returns their summary lines.
    pub fn end_periods(&self, now: Instant) -> Vec<String> {
        let is_over =
            |_: &Identifier, period: &mut Period| PERIOD <= now.duration_since(period.began);
        self.lock().extract_if(is_over).filter_map(|(_, period)| period.summary()).collect()
    }

    /// Ends all periods, since nothing more is logged.
    pub fn end_all(&self) -> Vec<String> {
        self.lock().drain().filter_map(|(_, period)| period.summary()).collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Identifier, Period>> {
        self.kinds.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
