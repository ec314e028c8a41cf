//! What a command is handed: a transaction to write in, or a snapshot to read.
//!
//! Both hide their connection, so that only this folder can write SQL. All that reads is a method
//! of [`Reader`]; a [`Tx`] is a reader too, of its own unfinished writes.

use std::borrow::Cow;
use std::cell::RefCell;
use std::ops::Deref;
use std::path::Path;

use rusqlite::{CachedStatement, Connection, OptionalExtension, Params, Row};

use super::error::StoreError;
use crate::domain::Timestamp;
use crate::randomness::Randomness;

/// A snapshot of the book that does not change while it is read.
pub struct Reader<'c> {
    conn: &'c Connection,
    /// The statements that have been run, at hand for the next command of a batch: the connection's
    /// own cache hashes the whole text of each, twice.
    statements: RefCell<Vec<(&'static str, CachedStatement<'c>)>>,
}

/// The text of a statement: one of the program's own, or one that was put together.
pub(super) type Sql = Cow<'static, str>;

/// The writer's transaction: the only thing that can write.
pub struct Tx<'c> {
    reader: Reader<'c>,
    now: Timestamp,
    randomness: &'c Randomness,
}

impl<'c> Reader<'c> {
    pub(super) fn new(conn: &'c Connection) -> Reader<'c> {
        Reader { conn, statements: RefCell::default() }
    }

    /// The first row of a query, if it has one.
    pub(super) fn find<T>(
        &self,
        sql: impl Into<Sql>,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, StoreError> {
        self.run(sql, |statement| statement.query_row(params, read).optional())
    }

    /// All rows of a query.
    pub(super) fn list<T>(
        &self,
        sql: impl Into<Sql>,
        params: impl Params,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, StoreError> {
        self.run(sql, |statement| statement.query_map(params, read)?.collect())
    }

    fn run<T>(
        &self,
        sql: impl Into<Sql>,
        run: impl FnOnce(&mut CachedStatement<'c>) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let text = match sql.into() {
            Cow::Borrowed(text) => text,
            Cow::Owned(text) => return Ok(run(&mut self.conn.prepare_cached(&text)?)?),
        };
        let mut statement = match self.take_statement(text) {
            Some(statement) => statement,
            None => self.conn.prepare_cached(text)?,
        };
        let done = run(&mut statement);
        self.statements.borrow_mut().push((text, statement));
        Ok(done?)
    }

    /// A text of the program's own stands in one place for as long as the program runs.
    fn take_statement(&self, text: &'static str) -> Option<CachedStatement<'c>> {
        let mut statements = self.statements.borrow_mut();
        let at = statements.iter().position(|(of, _)| std::ptr::eq(*of, text))?;
        Some(statements.swap_remove(at).1)
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
    pub(super) fn execute(
        &self,
        sql: impl Into<Sql>,
        params: impl Params,
    ) -> Result<usize, StoreError> {
        self.run(sql, |statement| statement.execute(params))
    }

    /// Inserts one row; its rowid.
    pub(super) fn insert(
        &self,
        sql: impl Into<Sql>,
        params: impl Params,
    ) -> Result<i64, StoreError> {
        self.run(sql, |statement| statement.insert(params))
    }
}

impl<'c> Deref for Tx<'c> {
    type Target = Reader<'c>;

    fn deref(&self) -> &Reader<'c> {
        &self.reader
    }
}
