//! The writer's guarantees, on a real file: answers only after the commit, refusals that leave
//! nothing behind, and failures that affect only the command that failed.

use std::sync::atomic::AtomicUsize;
use std::sync::mpsc;

use super::*;
use crate::domain::Timestamp;
use crate::store::Reader;
use crate::store::command::Failed;
use crate::store::sqlite::{migrate, open};

/// A command made from a function. It writes rows of `signing_keys`.
struct Do<F>(F);

#[derive(Debug)]
struct No;

impl<F: Fn(&Tx<'_>) -> Result<(), Failed<No>> + Send + 'static> WriteCommand for Do<F> {
    const NAME: &'static str = "do";
    type Done = ();
    type Refused = No;

    fn run(&self, tx: &Tx<'_>) -> Result<(), Failed<No>> {
        (self.0)(tx)
    }
}

fn put(tx: &Tx<'_>, name: &str) -> Result<(), Failed<No>> {
    let sql = "insert into signing_keys values (?1, zeroblob(32), 0)";
    Ok(tx.execute(sql, [name]).map(drop)?)
}

fn put_named(name: &'static str) -> Do<impl Fn(&Tx<'_>) -> Result<(), Failed<No>>> {
    Do(move |tx: &Tx<'_>| put(tx, name))
}

struct Book {
    writer: Writer,
    thread: WriterThread,
    ended: oneshot::Receiver<Ended>,
    path: std::path::PathBuf,
    _dir: tempfile::TempDir,
}

impl Book {
    fn open(commit: fn(&Connection) -> rusqlite::Result<()>) -> Book {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("book.db");
        let mut conn = open::open_writer(&path).unwrap();
        migrate::migrate(&mut conn).unwrap();
        let (clock, randomness) = (Clock::System, Randomness::System);
        let times = Times::since(Timestamp(0));
        let condition = Arc::new(Condition::of(&path, &Clock::System));
        let state = WriterState {
            lock_wait: LockWait::of(&conn).unwrap(),
            conn,
            clock,
            randomness,
            times,
            known_sizes: KnownSizes::default(),
            next_expiry: Arc::default(),
            commit,
            condition,
            signal: Arc::default(),
            checkpoints: Checkpoints::start(&path).unwrap(),
            file: OpenFile::of(&path),
        };
        let Started { writer, thread, ended } = start(state).unwrap();
        Book { writer, thread, ended, path, _dir: dir }
    }

    /// The names in the file, as another connection sees them.
    fn names(&self) -> Vec<String> {
        let conn = open::open_reader(&self.path).unwrap();
        let sql = "select key_id from signing_keys order by key_id";
        Reader::new(&conn).list(sql, [], |row| row.get(0)).unwrap()
    }

    /// Blocks the writer until the returned sender is dropped, so that commands queue up.
    fn hold(&self) -> mpsc::Sender<()> {
        let (release, released) = mpsc::channel::<()>();
        let (tell, told) = mpsc::channel();
        let released = std::sync::Mutex::new(released);
        let held = self.writer.submit(Do(move |_: &Tx<'_>| {
            tell.send(()).unwrap_or_default();
            released.lock().unwrap().recv().unwrap_or_default();
            Ok(())
        }));
        drop(held.unwrap());
        told.recv().unwrap();
        release
    }
}

fn commit(conn: &Connection) -> rusqlite::Result<()> {
    conn.execute_batch("commit")
}

fn sqlite_failure(code: std::os::raw::c_int) -> rusqlite::Error {
    rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None)
}

#[test]
fn an_answer_comes_after_the_commit_and_a_stop_writes_what_waits() {
    let book = Book::open(commit);
    book.writer.write_blocking(put_named("a")).unwrap();
    assert_eq!(book.names(), ["a"]);
    let release = book.hold();
    let waiting = book.writer.submit(put_named("b")).unwrap();
    drop(release);
    let (path, writer) = (book.path.clone(), book.writer.clone());
    book.thread.stop();
    assert!(waiting.blocking_recv().unwrap().is_ok());
    assert!(matches!(writer.write_blocking(put_named("c")), Err(WriteError::WritesOff)));
    let conn = open::open_reader(&path).unwrap();
    let sql = "select count(*) from signing_keys";
    assert_eq!(Reader::new(&conn).find(sql, [], |row| row.get(0)).unwrap(), Some(2));
}

#[test]
fn a_caller_that_leaves_neither_undoes_the_write_nor_stops_the_writer() {
    let book = Book::open(commit);
    let release = book.hold();
    drop(book.writer.submit(put_named("left")).unwrap());
    drop(release);
    book.writer.write_blocking(put_named("stayed")).unwrap();
    assert_eq!(book.names(), ["left", "stayed"]);
}

#[test]
fn a_batch_shares_one_commit_and_a_refusal_leaves_it_whole() {
    static COMMITS: AtomicUsize = AtomicUsize::new(0);
    let book = Book::open(|conn| {
        COMMITS.fetch_add(1, Ordering::SeqCst);
        commit(conn)
    });
    let release = book.hold();
    let first = book.writer.submit(put_named("a")).unwrap();
    let refused = book.writer.submit(Do(|_: &Tx<'_>| Err(Failed::Refused(No)))).unwrap();
    let last = book.writer.submit(put_named("b")).unwrap();
    drop(release);
    assert!(first.blocking_recv().unwrap().is_ok());
    assert!(matches!(refused.blocking_recv().unwrap(), Err(WriteError::Refused(No))));
    assert!(last.blocking_recv().unwrap().is_ok());
    assert_eq!(book.names(), ["a", "b"]);
    assert_eq!(COMMITS.load(Ordering::SeqCst), 2, "one for the hold, one for the batch");
}

#[test]
fn a_command_that_panics_or_breaks_the_schema_fails_alone_and_leaves_nothing() {
    let book = Book::open(commit);
    let release = book.hold();
    let first = book.writer.submit(put_named("a")).unwrap();
    let panics = book.writer.submit(Do(|tx: &Tx<'_>| {
        put(tx, "half done")?;
        panic!("a bug");
    }));
    let breaks = book.writer.submit(Do(|tx: &Tx<'_>| {
        put(tx, "half done too")?;
        put(tx, "half done too")
    }));
    let last = book.writer.submit(put_named("b")).unwrap();
    drop(release);
    assert!(first.blocking_recv().unwrap().is_ok());
    assert!(matches!(panics.unwrap().blocking_recv().unwrap(), Err(WriteError::Crashed)));
    let broke = breaks.unwrap().blocking_recv().unwrap();
    assert!(matches!(
        broke,
        Err(WriteError::Store(StoreError { kind: StoreErrorKind::Constraint, .. }))
    ));
    assert!(last.blocking_recv().unwrap().is_ok());
    assert_eq!(book.names(), ["a", "b"]);
}

#[test]
fn a_full_queue_is_told_at_once() {
    let book = Book::open(commit);
    let release = book.hold();
    let waiting: Vec<_> =
        (0..QUEUE_MAX).map(|_| book.writer.submit(Do(|_: &Tx<'_>| Ok(()))).unwrap()).collect();
    assert!(matches!(book.writer.write_blocking(put_named("x")), Err(WriteError::QueueFull)));
    drop(release);
    assert!(waiting.into_iter().all(|answer| answer.blocking_recv().unwrap().is_ok()));
    book.writer.write_blocking(put_named("y")).unwrap();
    assert_eq!(book.names(), ["y"]);
}

#[test]
fn a_commit_that_is_known_to_have_failed_is_told_and_the_writer_goes_on() {
    static FAILS: AtomicBool = AtomicBool::new(true);
    let book = Book::open(|conn| match FAILS.swap(false, Ordering::SeqCst) {
        true => Err(sqlite_failure(rusqlite::ffi::SQLITE_FULL)),
        false => commit(conn),
    });
    let answer = book.writer.write_blocking(put_named("a"));
    assert!(matches!(answer, Err(WriteError::Unavailable(StoreErrorKind::DiskFull))));
    assert_eq!(book.names(), [""; 0]);
    book.writer.write_blocking(put_named("a")).unwrap();
    assert_eq!(book.names(), ["a"]);
}

#[test]
fn a_commit_of_unknown_outcome_ends_the_writer() {
    let book = Book::open(|_| Err(sqlite_failure(rusqlite::ffi::SQLITE_IOERR)));
    let answer = book.writer.write_blocking(put_named("a"));
    assert!(matches!(answer, Err(WriteError::WritesOff)));
    let why = book.ended.blocking_recv().unwrap().expect("the thread's end is told");
    assert!(why.contains("disk I/O error"), "{why}");
    assert!(book.writer.is_off());
    assert!(matches!(book.writer.write_blocking(put_named("b")), Err(WriteError::WritesOff)));
}

#[test]
fn a_full_disk_refuses_what_does_not_fit_and_takes_the_rest() {
    let book = Book::open(commit);
    book.writer
        .write_blocking(Do(|tx: &Tx<'_>| {
            let pages: i64 =
                tx.find("pragma page_count", [], |row| row.get(0))?.unwrap_or_default();
            // From here on the file may grow by at most one page.
            let sql = format!("pragma max_page_count = {}", pages + 1);
            Ok(tx.find(sql, [], |_| Ok(())).map(drop)?)
        }))
        .unwrap();
    let release = book.hold();
    let large = book.writer.submit(Do(|tx: &Tx<'_>| {
        (0..1_000).try_for_each(|n| put(tx, &format!("half done {n:0>500}")))
    }));
    let small = book.writer.submit(put_named("small")).unwrap();
    drop(release);
    let large = large.unwrap().blocking_recv().unwrap();
    assert!(matches!(large, Err(WriteError::Unavailable(StoreErrorKind::DiskFull))), "{large:?}");
    assert!(small.blocking_recv().unwrap().is_ok());
    assert_eq!(book.names(), ["small"]);
}

#[test]
fn time_in_the_book_never_runs_backwards() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("book.db");
    let mut conn = open::open_writer(&path).unwrap();
    migrate::migrate(&mut conn).unwrap();
    let clock = Clock::manual(Timestamp(1_000));
    let state = WriterState {
        lock_wait: LockWait::of(&conn).unwrap(),
        conn,
        clock: clock.clone(),
        randomness: Randomness::System,
        times: Times::since(Timestamp(5_000)),
        known_sizes: KnownSizes::default(),
        next_expiry: Arc::default(),
        commit,
        condition: Arc::new(Condition::of(&path, &Clock::System)),
        signal: Arc::default(),
        file: OpenFile::of(&path),
        checkpoints: Checkpoints::start(&path).unwrap(),
    };
    let Started { writer, thread: _thread, .. } = start(state).unwrap();
    let now = |writer: &Writer| {
        let (tell, told) = mpsc::channel();
        let ask = Do(move |tx: &Tx<'_>| {
            tell.send(tx.now()).unwrap_or_default();
            Ok(())
        });
        writer.write_blocking(ask).unwrap();
        told.recv().unwrap()
    };
    assert_eq!(now(&writer), Timestamp(5_000));
    clock.set(Timestamp(9_000));
    assert_eq!(now(&writer), Timestamp(9_000));
    clock.set(Timestamp(2_000));
    assert_eq!(now(&writer), Timestamp(9_000));
}
