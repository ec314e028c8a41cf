//! How the book fares beyond any one request: what people must see to, for `/health` and the back
//! office.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use super::sqlite::open::wal_bytes;

/// A WAL past this, twice what a load brings it to, is one that somebody's long reading keeps from
/// being put back.
const WAL_BYTES_MAX: u64 = 512 << 20;

/// Something that people must see to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// The file is damaged, or an order does not add up. Nothing is written any more: only people
    /// can say what the book should be, and each write could make it worse.
    Damaged,
    /// The last write found no room.
    DiskFull,
    /// The WAL has grown far past what it should be.
    WalLarge,
}

/// What is known of the book's troubles; shared by everybody who serves it.
#[derive(Debug)]
pub struct Condition {
    database: PathBuf,
    damaged: AtomicBool,
    disk_full: AtomicBool,
    wal_large: AtomicBool,
}

impl Condition {
    pub(super) fn of(database: &Path) -> Condition {
        Condition {
            database: database.to_owned(),
            damaged: AtomicBool::new(false),
            disk_full: AtomicBool::new(false),
            wal_large: AtomicBool::new(false),
        }
    }

    /// All that must be seen to, the worst first.
    pub fn troubles(&self) -> Vec<Trouble> {
        let all = [
            (&self.damaged, Trouble::Damaged),
            (&self.disk_full, Trouble::DiskFull),
            (&self.wal_large, Trouble::WalLarge),
        ];
        all.into_iter().filter(|(is, _)| is.load(Ordering::Acquire)).map(|(_, what)| what).collect()
    }

    /// Whether the book was found not to be right.
    pub fn is_damaged(&self) -> bool {
        self.damaged.load(Ordering::Acquire)
    }

    /// From now on nothing is written; see [`Trouble::Damaged`].
    pub fn declare_damaged(&self) {
        self.damaged.store(true, Ordering::Release);
    }

    pub(super) fn note_disk_full(&self, is_full: bool) {
        self.disk_full.store(is_full, Ordering::Release);
    }

    /// Looks how large the WAL is. Its bytes, when it has just grown too large.
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
        let condition = Condition::of(&dir.path().join("book.db"));
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
