//! The one writer: a thread that owns the writing connection and commits in batches.
//!
//! It takes the commands waiting in a bounded queue, of each account in turn, runs them in one
//! transaction, commits once, and only then answers the callers. A single command does not wait for
//! others. Commands refuse
//! before their first write, so a refusal leaves nothing behind and the batch goes on. If a command
//! fails or panics, the whole batch is rolled back and its commands are run again, each in its own
//! transaction. Savepoints are not used, because SQLite rolls back past them when the disk is full.
//!
//! If a commit fails and certainly wrote nothing (busy, disk full), the batch is told and the
//! writer goes on. After any other failure the outcome is unknown: the writer accepts nothing more,
//! and the process must end and recover by starting again. This thread never logs.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::checkpoints::{self, Checkpoints};
use super::job::{Answer, Failure, Job, Ran, Settled, Task};
use super::lanes::Lanes;
use super::lock_wait::LockWait;
use super::open_file::OpenFile;
use super::rescue;
use crate::clock::Clock;
use crate::randomness::Randomness;
use crate::sabotage::{self, Fault};
use crate::store::clock_jumps::{self, Times};
use crate::store::command::{WriteCommand, WriteError};
use crate::store::commit_signal::CommitSignal;
use crate::store::condition::Condition;
use crate::store::error::{FileLoss, StoreError, StoreErrorKind};
use crate::store::known_sizes::KnownSizes;
use crate::store::next_expiry::NextExpiry;
use crate::store::tx::{Begun, Reader, Tx};

/// The most commands in one transaction.
pub const BATCH_MAX: usize = 256;

/// After this time, a batch is committed and the commands that it has not run yet wait for the
/// next one, in which other accounts have their turn.
const BATCH_MAX_TIME: Duration = Duration::from_millis(10);

/// The most commands that may wait; one more is refused with [`WriteError::QueueFull`].
const QUEUE_MAX: usize = 4_096;

/// After this long without work, the WAL is moved into the file.
const IDLE_BEFORE_CHECKPOINT_S: u64 = 60;

/// A handle to the writer; cheap to clone.
#[derive(Clone)]
pub struct Writer {
    queue: SyncSender<Box<dyn Job>>,
    off: Arc<AtomicBool>,
    condition: Arc<Condition>,
    lock_wait: LockWait,
}

/// The writer's thread, for stopping it.
pub struct WriterThread {
    thread: JoinHandle<Option<Connection>>,
    stopping: Arc<AtomicBool>,
}

/// The writing connection of a writer that has ended. If it is dropped after all other
/// connections to the file, SQLite removes `-wal` and `-shm`, and the book is one file again.
/// Nothing is lost if it is dropped before them.
pub struct LastConnection {
    _conn: Option<Connection>,
}

/// Why the thread ended: `None` if it was told to, else the failure.
pub type Ended = Option<String>;

/// A started writer. `ended` resolves when the thread ends, for any reason.
pub(super) struct Started {
    pub writer: Writer,
    pub thread: WriterThread,
    pub ended: oneshot::Receiver<Ended>,
}

/// The state of the thread.
pub(super) struct WriterState {
    pub conn: Connection,
    pub lock_wait: LockWait,
    pub clock: Clock,
    pub randomness: Randomness,
    pub times: Times,
    pub known_sizes: KnownSizes,
    pub next_expiry: Arc<NextExpiry>,
    /// How a transaction is committed. Tests replace it to make commits fail.
    pub commit: fn(&Connection) -> rusqlite::Result<()>,
    pub condition: Arc<Condition>,
    pub signal: Arc<CommitSignal>,
    pub checkpoints: Checkpoints,
    pub file: OpenFile,
}

impl Writer {
    /// Runs the command and waits for its commit. Dropping the future neither stops the command nor
    /// undoes it.
    pub async fn write<C: WriteCommand>(
        &self,
        command: C,
    ) -> Result<C::Done, WriteError<C::Refused>> {
        let answer = self.submit(command)?;
        answer.await.unwrap_or(Err(WriteError::WritesOff))
    }

    /// Like [`Writer::write`], for threads that may block.
    pub fn write_blocking<C: WriteCommand>(
        &self,
        command: C,
    ) -> Result<C::Done, WriteError<C::Refused>> {
        let answer = self.submit(command)?;
        answer.blocking_recv().unwrap_or(Err(WriteError::WritesOff))
    }

    /// True once the writer accepts no more commands.
    pub fn is_off(&self) -> bool {
        self.off.load(Ordering::Acquire)
    }

    /// Stops waiting for other processes' locks, because the server is stopping. A command that
    /// would have to wait is refused as busy.
    pub fn stop_waiting(&self) {
        self.lock_wait.stop_waiting();
    }

    fn submit<C: WriteCommand>(&self, command: C) -> Result<Answer<C>, WriteError<C::Refused>> {
        if self.is_off() {
            return Err(WriteError::WritesOff);
        }
        if let Some(kind) = self.condition.refusal() {
            return Err(WriteError::Unavailable(kind));
        }
        let (reply, answer) = oneshot::channel();
        match self.queue.try_send(Box::new(Task { command, reply, outcome: None })) {
            Ok(()) => Ok(answer),
            Err(TrySendError::Full(_)) => Err(WriteError::QueueFull),
            Err(TrySendError::Disconnected(_)) => Err(WriteError::WritesOff),
        }
    }
}

impl WriterThread {
    /// Ends the writer once its queue is empty, and waits for that. Every [`Writer`] refuses from
    /// then on.
    pub fn stop(self) -> LastConnection {
        self.stopping.store(true, Ordering::Release);
        // If the thread panicked, `ended` has already reported it.
        LastConnection { _conn: self.thread.join().ok().flatten() }
    }
}

pub(super) fn start(state: WriterState) -> Result<Started, StoreError> {
    let (queue, waiting) = sync_channel(QUEUE_MAX);
    let off = Arc::new(AtomicBool::new(false));
    let stopping = Arc::new(AtomicBool::new(false));
    let (end, ended) = oneshot::channel();
    let (condition, lock_wait) = (state.condition.clone(), state.lock_wait.clone());
    let (thread_off, thread_stopping) = (off.clone(), stopping.clone());
    let thread = std::thread::Builder::new().name("writer".into()).spawn(move || {
        let off = SetOnDrop(thread_off);
        let (why, conn) = match run(state, &waiting, &thread_stopping) {
            Ok(conn) => (None, conn),
            Err(why) => (Some(why), None),
        };
        drop(off);
        // While the server is stopping, the receiver may be gone.
        end.send(why).unwrap_or_default();
        conn
    })?;
    let writer = Writer { queue, off, condition, lock_wait };
    Ok(Started { writer, thread: WriterThread { thread, stopping }, ended })
}

/// Marks the writer as off when the thread ends, even by a panic.
struct SetOnDrop(Arc<AtomicBool>);

impl Drop for SetOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

/// How often an idle writer checks whether it must stop.
const STOP_CHECK_MS: u64 = 50;

/// Writes until it is told to stop, and returns what [`WriterState::close`] does. An error is a
/// failure after which nothing more may be written.
fn run(
    mut state: WriterState,
    waiting: &Receiver<Box<dyn Job>>,
    stopping: &AtomicBool,
) -> Result<Option<Connection>, String> {
    let mut idle_ms: u64 = 0;
    let mut lanes = Lanes::default();
    loop {
        let next = lanes.wait_for(waiting, Duration::from_millis(STOP_CHECK_MS));
        if let Some(why) = state.checkpoints.failure() {
            return Err(why.clone());
        }
        match next {
            Ok(()) => {
                idle_ms = 0;
                match state.run_batch(lanes.next(BATCH_MAX)) {
                    Ok(not_run) => lanes.put_back(not_run),
                    Err(OutcomeUnknown(why)) => return Err(why),
                }
                state.checkpoints.note_commit();
            }
            Err(RecvTimeoutError::Timeout) if stopping.load(Ordering::Acquire) => break,
            Err(RecvTimeoutError::Timeout) => {
                idle_ms += STOP_CHECK_MS;
                if let Some(loss) = state.condition.loss() {
                    state.save(loss);
                } else if idle_ms == STOP_CHECK_MS {
                    state.note_written();
                } else if idle_ms == IDLE_BEFORE_CHECKPOINT_S * 1_000
                    && let Err(why) = checkpoints::passive(&state.conn)
                {
                    return Err(why.to_string());
                }
            }
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    state.close()
}

/// The outcome of the last write is unknown, so nothing more may be written. The text is the
/// failure.
struct OutcomeUnknown(String);

type Batch = Vec<Box<dyn Job>>;

impl WriterState {
    /// Notes the newest events of orders and drafts, for the thread that checks whether the file
    /// has them. The writer knows them even if the file has been written over, because it holds
    /// the newest pages in memory.
    fn note_written(&self) {
        let sql = "select (select coalesce(max(event_seq), 0) from events),
            (select coalesce(max(draft_event_seq), 0) from draft_events)";
        // A failure here will also be met by the next command, which reports it.
        let newest = self.conn.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)));
        if let Ok((event_seq, draft_event_seq)) = newest {
            self.condition.note_written(event_seq, draft_event_seq);
        }
    }

    /// Saves what a lost file has, unless that was done. The writer has nothing else to do then.
    fn save(&self, loss: FileLoss) {
        if !matches!(self.condition.saved(), Some(Ok(_))) {
            let saved = rescue::save(&self.conn, &self.file, loss, self.clock.now());
            self.condition.note_saved(saved.map_err(|why| why.to_string()));
        }
    }

    /// Looks at the file a last time, and moves the WAL into it. Returns the connection, unless the
    /// file was lost: then SQLite must remove nothing at its path.
    fn close(self) -> Result<Option<Connection>, String> {
        if let Some(loss) = self.file.loss() {
            self.condition.declare_lost(loss);
        }
        let loss = self.condition.loss();
        loss.into_iter().for_each(|loss| self.save(loss));
        self.checkpoints.stop();
        if loss.is_some_and(FileLoss::keeps_wal) {
            return Ok(None);
        }
        checkpoints::empty(&self.conn).map_err(|why| why.to_string())?;
        Ok(loss.is_none().then_some(self.conn))
    }

    /// Runs and commits a batch, or as much of it as fits in [`BATCH_MAX_TIME`]. Returns the rest.
    fn run_batch(&mut self, mut batch: Batch) -> Result<Batch, OutcomeUnknown> {
        let begun = match self.begin() {
            Ok(begun) => begun,
            Err(error) => {
                return self.give_up(batch, error.kind, error.to_string()).map(|()| Batch::new());
            }
        };
        let tx = Tx::new(&self.conn, begun, &self.randomness, &self.known_sizes, &self.next_expiry);
        let (began, mut ran) = (Instant::now(), 0);
        let failure = batch.iter_mut().find_map(|job| {
            if 0 < ran && BATCH_MAX_TIME <= began.elapsed() {
                return None;
            }
            ran += 1;
            match job.run(&tx) {
                Ran::Clean if self.conn.is_autocommit() => Some(Failure::RolledBackAlready),
                Ran::Clean => None,
                Ran::Failed(failure) => Some(failure),
            }
        });
        // Returns its statements to the connection.
        drop(tx);
        let not_run = batch.split_off(ran);
        if let Some(Failure::Store(StoreErrorKind::DiskFull, _)) = failure {
            self.condition.note_disk_full(true);
        }
        match failure {
            None => self.commit(batch)?,
            Some(Failure::Store(kind, why)) if !kind.is_known_outcome() => {
                // Nothing can be written any more, so the rest is told the same.
                self.give_up(not_run, kind, why.clone()).unwrap_or_default();
                self.give_up(batch, kind, why)?;
                return Ok(Batch::new());
            }
            Some(_) => self.run_again(batch)?,
        }
        Ok(not_run)
    }

    /// A command of the batch failed: runs each command in its own transaction, unless the batch
    /// has only one.
    fn run_again(&mut self, batch: Batch) -> Result<(), OutcomeUnknown> {
        self.roll_back()?;
        if batch.len() == 1 {
            batch.into_iter().for_each(|job| job.settle(Settled::RolledBack));
            return Ok(());
        }
        batch.into_iter().try_for_each(|job| self.run_batch(vec![job]).map(drop))
    }

    fn begin(&mut self) -> Result<Begun, StoreError> {
        self.lock_wait.begin(&self.conn)?;
        let (now, jump) = self.times.begin(self.clock.now());
        let recorded = jump.map_or(Ok(()), |jump| clock_jumps::record(&self.conn, jump));
        // Read in each transaction, since a command of another process may have appended events.
        let reader = Reader::new(&self.conn);
        let begun = recorded.and_then(|()| {
            let next_seq = reader.load_next_event_seq()?;
            let expired_through = reader.expired_through_at(now, &self.next_expiry)?;
            Ok(Begun { now, next_seq, expired_through })
        });
        drop(reader);
        if begun.is_err() {
            // SQLite may have ended the transaction by itself.
            self.conn.execute_batch("rollback").unwrap_or_default();
        }
        begun
    }

    /// Callers are told of success only after SQLite has returned Ok from the commit.
    fn commit(&mut self, batch: Batch) -> Result<(), OutcomeUnknown> {
        if sabotage::is_on(Fault::AnswerBeforeCommit) {
            batch.into_iter().for_each(|job| job.settle(Settled::Committed));
            return (self.commit)(&self.conn).map_err(|why| OutcomeUnknown(why.to_string()));
        }
        match (self.commit)(&self.conn).map_err(StoreError::from) {
            Ok(()) => {
                self.condition.note_disk_full(false);
                if let Some(jump) = self.times.commit() {
                    self.condition.note_clock_jump(jump);
                }
                batch.into_iter().for_each(|job| job.settle(Settled::Committed));
                self.signal.note_commit();
                Ok(())
            }
            Err(error) => {
                if error.kind.is_known_outcome() {
                    self.roll_back()?;
                }
                self.give_up(batch, error.kind, error.to_string())
            }
        }
    }

    fn give_up(
        &self,
        batch: Batch,
        kind: StoreErrorKind,
        why: String,
    ) -> Result<(), OutcomeUnknown> {
        if kind == StoreErrorKind::DiskFull {
            self.condition.note_disk_full(true);
        }
        let known = kind.is_known_outcome();
        let settled = if known { Settled::Unavailable(kind) } else { Settled::Unknown };
        batch.into_iter().for_each(|job| job.settle(settled));
        if known { Ok(()) } else { Err(OutcomeUnknown(why)) }
    }

    fn roll_back(&self) -> Result<(), OutcomeUnknown> {
        if self.conn.is_autocommit() {
            return Ok(());
        }
        self.conn.execute_batch("rollback").map_err(|error| OutcomeUnknown(error.to_string()))
    }
}

#[cfg(test)]
#[path = "writer_tests.rs"]
mod tests;
