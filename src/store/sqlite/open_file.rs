//! Notices that the book's path no longer leads to the file that the server has open, or that
//! another program wrote over the file.
//!
//! Nothing here opens and closes the file except through SQLite: closing any descriptor of a file
//! releases all locks that the process holds on it.

use std::ffi::OsString;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::{Connection, named_params};

use super::open;
use super::readers::snapshot;
use crate::store::condition::Condition;
use crate::store::error::{FileLoss, StoreError, StoreErrorKind};
use crate::store::tx::Reader;

/// A file's device and inode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct FileId(u64, u64);

/// The files of an open book, as they were when it was opened.
#[derive(Debug, Clone)]
pub(in crate::store) struct OpenFile {
    path: PathBuf,
    database: Option<FileId>,
    beside: [(&'static str, FileLoss, Option<FileId>); 3],
}

impl OpenFile {
    /// Remembers the files of a book that has just been opened.
    pub fn of(path: &Path) -> OpenFile {
        let beside = [
            ("-wal", FileLoss::WalLost),
            ("-shm", FileLoss::IndexLost),
            (".lock", FileLoss::LockLost),
        ];
        OpenFile {
            path: path.to_owned(),
            database: id_of(path),
            beside: beside.map(|(ending, loss)| (ending, loss, id_of(&beside_path(path, ending)))),
        }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How a file was lost, if one was.
    pub fn loss(&self) -> Option<FileLoss> {
        match std::fs::symlink_metadata(&self.path) {
            Ok(metadata) if Some(FileId::of(&metadata)) == self.database => {}
            Ok(_) => return Some(FileLoss::Replaced),
            Err(error) if is_absence(&error) => return Some(self.kind_of_absence()),
            // The folder cannot be searched, which says nothing about the file.
            Err(_) => return None,
        }
        let is_lost = |(ending, _, known): &&(&str, FileLoss, Option<FileId>)| {
            known.is_some() && id_of(&beside_path(&self.path, ending)) != *known
        };
        self.beside.iter().find(is_lost).map(|(_, loss, _)| *loss)
    }

    /// The present path of the open file, if the system knows it and the file was not deleted.
    pub fn moved_to(&self) -> Option<PathBuf> {
        let descriptors = std::fs::read_dir("/proc/self/fd").ok()?;
        descriptors.filter_map(Result::ok).find_map(|descriptor| {
            // This looks at the open file through its descriptor and does not open it.
            let metadata = std::fs::metadata(descriptor.path()).ok()?;
            let is_same = Some(FileId::of(&metadata)) == self.database && 0 < metadata.nlink();
            is_same.then(|| std::fs::read_link(descriptor.path()).ok()).flatten()
        })
    }

    fn kind_of_absence(&self) -> FileLoss {
        if self.moved_to().is_some() { FileLoss::Moved } else { FileLoss::Deleted }
    }
}

impl FileId {
    fn of(metadata: &Metadata) -> FileId {
        FileId(metadata.dev(), metadata.ino())
    }
}

fn id_of(path: &Path) -> Option<FileId> {
    std::fs::symlink_metadata(path).ok().map(|metadata| FileId::of(&metadata))
}

fn is_absence(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory)
}

/// The path of the file beside the database with that ending.
pub(super) fn beside_path(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(ending);
    PathBuf::from(name)
}

/// Each look reads the events that are 1, 2, 4 and so on to 2^19 before the newest.
const EVENTS_BACK_BITS: u32 = 20;

/// Checks an open book's files repeatedly.
pub struct FileWatch {
    file: OpenFile,
    condition: Arc<Condition>,
    conn: Connection,
    known: Known,
}

/// The findings of the last look. The numbers only grow while a book is open, and events never
/// change.
#[derive(Debug, Clone, Default)]
struct Known {
    bytes: u64,
    last_draft_event_seq: i64,
    last_draft_event_id: Option<String>,
    last_event_seq: i64,
    last_event_id: Option<String>,
}

impl FileWatch {
    pub(super) fn open(
        file: &OpenFile,
        condition: &Arc<Condition>,
    ) -> Result<FileWatch, StoreError> {
        let conn = open::open_reader(&file.path)?;
        let (file, condition) = (file.clone(), condition.clone());
        Ok(FileWatch { file, condition, conn, known: Known::default() })
    }

    /// How the file was lost, if it was. An error of the kind `Corrupt` means that the file is
    /// damaged; any other error says nothing about the file.
    pub fn look(&mut self) -> Result<Option<FileLoss>, StoreError> {
        if let Some(loss) = self.file.loss() {
            return Ok(Some(loss));
        }
        let bytes = std::fs::metadata(&self.file.path)?.len();
        if bytes < self.known.bytes {
            return Ok(Some(FileLoss::Overwritten));
        }
        match self.read_back(bytes) {
            Ok(is_ours) => Ok((!is_ours).then_some(FileLoss::Overwritten)),
            Err(error) if self.means_overwritten(&error, bytes) => Ok(Some(FileLoss::Overwritten)),
            Err(error) => Err(error),
        }
    }

    /// Where the file is now, if it was moved.
    pub fn moved_to(&self) -> Option<PathBuf> {
        self.file.moved_to()
    }

    /// Reads from the file itself what the server wrote. False if it is not there.
    fn read_back(&mut self, bytes: u64) -> Result<bool, StoreError> {
        // Forgets all pages, so that they are read again.
        self.conn.execute_batch("pragma shrink_memory")?;
        let (event_seq, draft_event_seq) = self.condition.last_written();
        let (found, kept, bytes_max) = snapshot(&self.conn, |reader| {
            let found = find_newest(reader, bytes)?.filter(|found| {
                event_seq <= found.last_event_seq && draft_event_seq <= found.last_draft_event_seq
            });
            let Some(found) = found else {
                return Ok::<_, StoreError>((None, (None, None), 0));
            };
            let kept_event_id = find_event_id(reader, self.known.last_event_seq)?;
            let kept_draft_event_id = find_draft_event_id(reader, self.known.last_draft_event_seq)?;
            let kept = (kept_event_id, kept_draft_event_id);
            let sql = "select page_count * page_size from pragma_page_count, pragma_page_size";
            let bytes_max: Option<i64> = reader.find(sql, [], |row| row.get(0))?;
            Ok((Some(found), kept, bytes_max.unwrap_or_default()))
        })?;
        let Some(found) = found else {
            return Ok(false);
        };
        let known = std::mem::replace(&mut self.known, found);
        let found = &self.known;
        // A checkpoint never writes more pages than the last commit had, but a file may have been
        // longer when it was opened.
        let is_grown = known.bytes != 0 && known.bytes < bytes;
        let is_too_long = is_grown && u64::try_from(bytes_max).unwrap_or_default() < bytes;
        Ok(known.last_event_seq <= found.last_event_seq
            && known.last_draft_event_seq <= found.last_draft_event_seq
            && (known.last_event_id, known.last_draft_event_id) == kept
            && !is_too_long)
    }

    /// True if an error means that another file was written over this one: it is not a database any
    /// more, lacks our tables, or has pages that the server did not write.
    fn means_overwritten(&self, error: &StoreError, bytes: u64) -> bool {
        let error_of_sqlite = error.source.downcast_ref::<rusqlite::Error>();
        let code = error_of_sqlite.and_then(rusqlite::Error::sqlite_error_code);
        match code {
            Some(rusqlite::ErrorCode::NotADatabase | rusqlite::ErrorCode::Unknown) => true,
            _ => error.kind == StoreErrorKind::Corrupt && self.known.bytes < bytes,
        }
    }
}

/// The findings of a look; `None` if an event is missing among the newest.
fn find_newest(reader: &Reader<'_>, bytes: u64) -> Result<Option<Known>, StoreError> {
    let newest = |sql: &'static str| {
        let seq: Option<i64> = reader.find(sql, [], |row| row.get(0))?;
        Ok::<_, StoreError>(seq.unwrap_or_default())
    };
    let last_event_seq = newest("select coalesce(max(event_seq), 0) from events")?;
    // Events of orders and drafts together are numbered without gaps. If an older copy was written
    // over the file while the server goes on writing, its newest pages are right and those a little
    // before are not.
    let backwards = (0..EVENTS_BACK_BITS).map(|bits| last_event_seq - (1 << bits));
    for event_seq in backwards.take_while(|event_seq| 0 < *event_seq) {
        if !has_event(reader, event_seq)? {
            return Ok(None);
        }
    }
    let last_draft_event_seq =
        newest("select coalesce(max(draft_event_seq), 0) from draft_events")?;
    Ok(Some(Known {
        bytes,
        last_draft_event_seq,
        last_draft_event_id: find_draft_event_id(reader, last_draft_event_seq)?,
        last_event_seq,
        last_event_id: find_event_id(reader, last_event_seq)?,
    }))
}

fn find_draft_event_id(
    reader: &Reader<'_>,
    draft_event_seq: i64,
) -> Result<Option<String>, StoreError> {
    let sql = "select id from draft_events where draft_event_seq = :draft_event_seq";
    reader.find(sql, named_params! {":draft_event_seq": draft_event_seq}, |row| row.get(0))
}

/// Whether an event of an order or of a draft has that number.
fn has_event(reader: &Reader<'_>, event_seq: i64) -> Result<bool, StoreError> {
    let sql = "select exists (select 1 from events where event_seq = :event_seq)
        or exists (select 1 from draft_events where draft_event_seq = :event_seq)";
    let found = reader.find(sql, named_params! {":event_seq": event_seq}, |row| row.get(0))?;
    Ok(found.unwrap_or(false))
}

fn find_event_id(reader: &Reader<'_>, event_seq: i64) -> Result<Option<String>, StoreError> {
    let sql = "select id from events where event_seq = :event_seq";
    reader.find(sql, named_params! {":event_seq": event_seq}, |row| row.get(0))
}
