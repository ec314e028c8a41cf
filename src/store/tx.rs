//! What a command is handed: a transaction to write in, or a snapshot to read.
//!
//! Both hide their connection, so that only this folder can write SQL. All that reads is a method
//! of [`Reader`]; a [`Tx`] is a reader too, of its own unfinished writes.

use std::ops::Deref;
use std::path::Path;

use rusqlite::{Connection, OptionalExtension, Params, Row};

use super::error::StoreError;
use crate::clock::Randomness;
use crate::domain::Timestamp;

/// A snapshot of the book that does not change while it is read.
pub struct Reader<'c> {
    conn: &'c Connection,
}

/// The writer's transaction: the only thing that can write.
pub struct Tx<'c> {
    reader: Reader<'c>,
    now: Timestamp,
    randomness: &'c Randomness,
}

impl<'c> Reader<'c> {
    pub(super) fn new(conn: &'c Connection) -> Reader<'c> {
        Reader { conn }
    }

    /// The first row of a query, if it has one.
    pub(super) fn find<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, StoreError> {
        Ok(self.conn.prepare_cached(sql)?.query_row(params, read).optional()?)
    }

    /// All rows of a query.
    pub(super) fn list<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, StoreError> {
        let mut statement = self.conn.prepare_cached(sql)?;
        let rows = statement.query_map(params, read)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

impl<'c> Tx<'c> {
    pub(super) fn new(conn: &'c Connection, now: Timestamp, randomness: &'c Randomness) -> Tx<'c> {
        Tx { reader: Reader::new(conn), now, randomness }
    }

    /// The time of the batch; never before anything that stands in the book.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Where new ids come from.
    pub fn randomness(&self) -> &Randomness {
        self.randomness
    }

    /// The file that is written.
    pub(super) fn path(&self) -> &Path {
        Path::new(self.conn.path().unwrap_or_default())
    }

    /// Runs one statement; the number of rows it wrote.
    pub(super) fn execute(&self, sql: &str, params: impl Params) -> Result<usize, StoreError> {
        Ok(self.conn.prepare_cached(sql)?.execute(params)?)
    }

    /// Inserts one row; its rowid.
    pub(super) fn insert(&self, sql: &str, params: impl Params) -> Result<i64, StoreError> {
        Ok(self.conn.prepare_cached(sql)?.insert(params)?)
    }
}

impl<'c> Deref for Tx<'c> {
    type Target = Reader<'c>;

    fn deref(&self) -> &Reader<'c> {
        &self.reader
    }
}
