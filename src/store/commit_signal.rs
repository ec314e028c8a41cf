//! Tells the reader of the journal that the writer has committed something.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;

/// Wakes the reader of the journal. Without active hooks, a commit only reads a flag.
#[derive(Debug, Default)]
pub struct CommitSignal {
    is_watched: AtomicBool,
    hooks_changed: AtomicBool,
    notify: Notify,
}

impl CommitSignal {
    /// Sets whether commits wake the reader of the journal; without active hooks they need not.
    pub fn watch(&self, is_watched: bool) {
        self.is_watched.store(is_watched, Ordering::Release);
    }

    /// Notes that a command changed hooks or their deliveries, and wakes the reader.
    pub fn note_hooks_changed(&self) {
        self.hooks_changed.store(true, Ordering::Release);
        self.notify.notify_one();
    }

    /// True once after [`CommitSignal::note_hooks_changed`].
    pub fn take_hooks_changed(&self) -> bool {
        self.hooks_changed.swap(false, Ordering::AcqRel)
    }

    /// Waits for the next commit or change. Returns at once if one came since the last wait.
    pub async fn wait(&self) {
        self.notify.notified().await;
    }

    /// Wakes the reader without a commit or a change.
    pub fn wake(&self) {
        self.notify.notify_one();
    }

    pub(super) fn note_commit(&self) {
        if self.is_watched.load(Ordering::Acquire) {
            self.notify.notify_one();
        }
    }
}
