//! Reads and writes the file from subcommands, whether or not a server has it open.

use std::path::Path;

use rusqlite::TransactionBehavior;

use super::lock::{lock_soon, try_lock};
use super::readers::{open_existing, refuse_missing, snapshot};
use super::{migrate, open, place};
use crate::clock::Clock;
use crate::randomness::Randomness;
use crate::store::clock_jumps::{self, Times};
use crate::store::command::{Failed, WriteCommand};
use crate::store::error::StoreError;
use crate::store::known_sizes::KnownSizes;
use crate::store::next_expiry::NextExpiry;
use crate::store::tx::{Begun, Reader, Tx};

/// Runs one command in a transaction of its own, whether or not a server has the file open. Creates
/// the file if it is missing.
pub fn write_once<C: WriteCommand>(
    path: &Path,
    command: &C,
) -> Result<C::Done, Failed<C::Refused>> {
    let path = &place::locate(path)?;
    let mut conn = open::open_writer(path)?;
    // Only the lock's holder may migrate. A server that holds it is about to do so.
    match try_lock(path)? {
        Some(lock) => lock.settle(migrate::migrate(&mut conn))?,
        None if migrate::expect_current(&conn).is_ok() => {}
        None => match lock_soon(path)? {
            Some(lock) => lock.settle(migrate::migrate(&mut conn))?,
            None => migrate::expect_current(&conn)?,
        },
    }
    let transaction =
        conn.transaction_with_behavior(TransactionBehavior::Immediate).map_err(StoreError::from)?;
    // Read within the transaction, because a server may be writing.
    let last = Reader::new(&transaction).load_last_event_time()?;
    let next_seq = Reader::new(&transaction).load_next_event_seq()?;
    let (now, jump) = Times::since(last).begin(Clock::System.now());
    // A running server records the same jump with its next write, which does no harm.
    if let Some(jump) = jump {
        clock_jumps::record(&transaction, jump)?;
    }
    let next_expiry = NextExpiry::default();
    let expired_through = Reader::new(&transaction).expired_through_at(now, &next_expiry)?;
    let known_sizes = KnownSizes::default();
    let begun = Begun { now, next_seq, expired_through };
    let tx = Tx::new(&transaction, begun, &Randomness::System, &known_sizes, &next_expiry);
    let done = command.run(&tx)?;
    drop(tx);
    transaction.commit().map_err(StoreError::from)?;
    Ok(done)
}

/// Like [`write_once`], but an error if the file does not exist: the command makes no sense in a
/// new file.
pub fn write_once_in_existing<C: WriteCommand>(
    path: &Path,
    command: &C,
) -> Result<C::Done, Failed<C::Refused>> {
    refuse_missing(path)?;
    write_once(path, command)
}

/// Reads the file, whether or not a server has it open. An error if the file does not exist.
pub fn read_once<T, E: From<StoreError>>(
    path: &Path,
    read: impl FnOnce(&Reader<'_>) -> Result<T, E>,
) -> Result<T, E> {
    let conn = open_existing(path)?;
    snapshot(&conn, read)
}
