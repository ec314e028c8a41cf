//! The next moment at which something expires, as the writer remembers it.

use std::sync::atomic::{AtomicI64, Ordering};

use crate::domain::Timestamp;

/// A time before which nothing expires, as the writer remembers it. It may be too early, after a
/// transaction that was rolled back, but never too late, once the writer was told of the writes of
/// other processes.
#[derive(Debug)]
pub(super) struct NextExpiry(AtomicI64);

impl Default for NextExpiry {
    fn default() -> NextExpiry {
        NextExpiry(AtomicI64::new(i64::MIN))
    }
}

impl NextExpiry {
    /// True if something may have expired by `now`.
    pub fn may_have_come(&self, now: Timestamp) -> bool {
        self.0.load(Ordering::Acquire) <= now.0
    }

    /// Remembers what was read from the book. The writer has the file's lock then, so no other
    /// process can have written since the read when `forget` is called for it.
    pub fn learn(&self, next: Option<Timestamp>) {
        self.0.store(next.map_or(i64::MAX, |next| next.0), Ordering::Release);
    }

    pub fn note(&self, expires_at: Timestamp) {
        self.0.fetch_min(expires_at.0, Ordering::AcqRel);
    }

    /// Another process may have written an earlier moment.
    pub fn forget(&self) {
        self.0.store(i64::MIN, Ordering::Release);
    }

    /// True if nothing is going to expire.
    pub fn is_never(&self) -> bool {
        self.0.load(Ordering::Acquire) == i64::MAX
    }
}
