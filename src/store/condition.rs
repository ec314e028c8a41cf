//! Health of the database file, for `/health` and the back office.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{OnceLock, RwLock};

use super::clock_jumps::ClockJump;
use super::error::{FileLoss, StoreErrorKind};
use super::sqlite::open::wal_bytes;
use crate::clock::Clock;
use crate::domain::Timestamp;

/// A larger WAL means that a long read keeps it from being moved into the file. It is twice what
/// heavy load needs.
const WAL_BYTES_MAX: u64 = 512 << 20;

/// How long a jump of the clock is reported.
const JUMP_TOLD_MS: i64 = 7 * 24 * 60 * 60 * 1_000;

/// A problem that a person must look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// The file is damaged, or an order does not add up. Nothing more is written: only a person can
    /// say what the data should be, and each write could make it worse.
    Damaged,
    /// The file at the book's path is not the one that the server has open. Nothing more is
    /// written, since it would be missing from the book at the next start.
    Lost(FileLoss),
    /// The last write failed because the disk was full.
    DiskFull,
    /// The WAL is far larger than it should be.
    WalLarge,
    /// In the last seven days the clock went back further than a correction does, so times before
    /// that are wrong.
    ClockJumped(ClockJump),
    /// The clock is more than an hour ahead of this time, when it was last looked at. Nothing
    /// expires until a person confirms the clock.
    ExpiryWaits(Timestamp),
}

/// The file in which the records of a lost file were saved, or why they could not be saved.
pub type Saved = Result<PathBuf, String>;

/// The known problems of a database file, shared by all who serve it.
#[derive(Debug)]
pub struct Condition {
    database: PathBuf,
    clock: Clock,
    /// The last jump of the clock, and whether it is still to be logged.
    clock_jump: RwLock<Option<(ClockJump, bool)>>,
    damaged: AtomicBool,
    loss: OnceLock<FileLoss>,
    /// True if the file is damaged or lost.
    is_closed: AtomicBool,
    saved: RwLock<Option<Saved>>,
    last_event_seq: AtomicI64,
    last_draft_event_seq: AtomicI64,
    disk_full: AtomicBool,
    wal_large: AtomicBool,
    /// See [`Trouble::ExpiryWaits`]; `i64::MIN` if nothing waits.
    expiry_waits_since: AtomicI64,
}

impl Condition {
    pub(super) fn of(database: &Path, clock: &Clock) -> Condition {
        Condition {
            database: database.to_owned(),
            clock: clock.clone(),
            clock_jump: RwLock::new(None),
            damaged: AtomicBool::new(false),
            loss: OnceLock::new(),
            is_closed: AtomicBool::new(false),
            saved: RwLock::new(None),
            last_event_seq: AtomicI64::new(0),
            last_draft_event_seq: AtomicI64::new(0),
            disk_full: AtomicBool::new(false),
            wal_large: AtomicBool::new(false),
            expiry_waits_since: AtomicI64::new(i64::MIN),
        }
    }

    /// All current problems, worst first.
    pub fn troubles(&self) -> Vec<Trouble> {
        let all = [
            (&self.damaged, Trouble::Damaged),
            (&self.disk_full, Trouble::DiskFull),
            (&self.wal_large, Trouble::WalLarge),
        ];
        let lost = self.loss().map(Trouble::Lost);
        let others = all.into_iter().filter(|(is_present, _)| is_present.load(Ordering::Acquire));
        let jumped = self.clock_jump().map(Trouble::ClockJumped);
        let waits_since = self.expiry_waits_since.load(Ordering::Acquire);
        let waits =
            (waits_since != i64::MIN).then_some(Trouble::ExpiryWaits(Timestamp(waits_since)));
        let others = others.map(|(_, trouble)| trouble);
        lost.into_iter().chain(others).chain(jumped).chain(waits).collect()
    }

    /// Notes since when expired orders wait for a person to confirm the clock; `None` if they do
    /// not. True if that is news.
    pub fn note_expiry_waits(&self, since: Option<Timestamp>) -> bool {
        let since = since.map_or(i64::MIN, |since| since.0);
        let before = self.expiry_waits_since.swap(since, Ordering::AcqRel);
        since != i64::MIN && before == i64::MIN
    }

    /// The last jump of the clock, for seven days.
    pub fn clock_jump(&self) -> Option<ClockJump> {
        let (jump, _) = (*self.clock_jump.read().ok()?)?;
        let is_recent = self.clock.now().0.saturating_sub(jump.to.0) < JUMP_TOLD_MS;
        is_recent.then_some(jump)
    }

    /// A jump that has not been logged; each is returned once.
    pub fn take_untold_clock_jump(&self) -> Option<ClockJump> {
        let mut held = self.clock_jump.write().ok()?;
        let (jump, is_untold) = held.as_mut()?;
        std::mem::take(is_untold).then_some(*jump)
    }

    pub(super) fn note_clock_jump(&self, jump: ClockJump) {
        self.set_clock_jump(jump, true);
    }

    /// Notes a jump that was logged before the server was last started.
    pub(super) fn note_told_clock_jump(&self, jump: ClockJump) {
        self.set_clock_jump(jump, false);
    }

    fn set_clock_jump(&self, jump: ClockJump, is_untold: bool) {
        if let Ok(mut held) = self.clock_jump.write() {
            *held = Some((jump, is_untold));
        }
    }

    pub fn is_damaged(&self) -> bool {
        self.damaged.load(Ordering::Acquire)
    }

    /// Stops all writes; see [`Trouble::Damaged`].
    pub fn declare_damaged(&self) {
        self.damaged.store(true, Ordering::Release);
        self.is_closed.store(true, Ordering::Release);
    }

    /// How the file was lost, if it was.
    pub fn loss(&self) -> Option<FileLoss> {
        self.loss.get().copied()
    }

    /// Stops all writes; see [`Trouble::Lost`]. Only the first loss counts.
    pub fn declare_lost(&self, loss: FileLoss) {
        self.loss.get_or_init(|| loss);
        self.is_closed.store(true, Ordering::Release);
    }

    /// Why nothing may be written; `None` if writes are allowed.
    pub(super) fn refusal(&self) -> Option<StoreErrorKind> {
        if !self.is_closed.load(Ordering::Acquire) {
            return None;
        }
        Some(self.loss().map_or(StoreErrorKind::Corrupt, StoreErrorKind::Lost))
    }

    /// The `event_seq` and the `draft_event_seq` of the newest rows when the writer was last idle.
    pub(super) fn last_written(&self) -> (i64, i64) {
        let load = |seq: &AtomicI64| seq.load(Ordering::Acquire);
        (load(&self.last_event_seq), load(&self.last_draft_event_seq))
    }

    pub(super) fn note_written(&self, event_seq: i64, draft_event_seq: i64) {
        self.last_event_seq.store(event_seq, Ordering::Release);
        self.last_draft_event_seq.store(draft_event_seq, Ordering::Release);
    }

    /// The outcome of saving a lost file's records; `None` until it is known.
    pub fn saved(&self) -> Option<Saved> {
        self.saved.read().ok()?.clone()
    }

    pub(super) fn note_saved(&self, saved: Saved) {
        if let Ok(mut held) = self.saved.write() {
            *held = Some(saved);
        }
    }

    pub(super) fn note_disk_full(&self, is_full: bool) {
        self.disk_full.store(is_full, Ordering::Release);
    }

    /// Checks the size of the WAL. Returns its bytes if it has just become too large, so that it is
    /// reported once.
    pub fn look_at_wal(&self) -> Option<u64> {
        let bytes = wal_bytes(&self.database);
        let is_large = WAL_BYTES_MAX < bytes;
        let was_large = self.wal_large.swap(is_large, Ordering::AcqRel);
        (is_large && !was_large).then_some(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wal_that_has_grown_too_large_is_told_once_and_forgotten_when_it_shrinks() {
        let dir = tempfile::tempdir().unwrap();
        let condition = Condition::of(&dir.path().join("book.db"), &Clock::System);
        assert_eq!(condition.look_at_wal(), None);
        let wal = std::fs::File::create(dir.path().join("book.db-wal")).unwrap();
        for (bytes, told, troubles) in [
            (WAL_BYTES_MAX, None, vec![]),
            (WAL_BYTES_MAX + 1, Some(WAL_BYTES_MAX + 1), vec![Trouble::WalLarge]),
            (WAL_BYTES_MAX + 2, None, vec![Trouble::WalLarge]),
            (0, None, vec![]),
        ] {
            wal.set_len(bytes).unwrap();
            assert_eq!(condition.look_at_wal(), told);
            assert_eq!(condition.troubles(), troubles);
        }
    }
}
