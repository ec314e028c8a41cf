//! A connection in use, with its prepared statements.

use std::borrow::Cow;
use std::cell::RefCell;
use std::path::Path;

use rusqlite::{CachedStatement, Connection, OptionalExtension, Params, Row};

use crate::store::error::StoreError;

/// The text of a statement: a constant, or one put together at run time.
pub(in crate::store) type Sql = Cow<'static, str>;

/// A connection inside a transaction that the caller has begun.
pub(in crate::store) struct Session<'c> {
    conn: &'c Connection,
    /// The statements run so far, ready for the next command of a batch. The connection's own cache
    /// would hash the whole text of each, twice.
    statements: RefCell<Vec<(&'static str, CachedStatement<'c>)>>,
}

impl<'c> Session<'c> {
    pub fn new(conn: &'c Connection) -> Session<'c> {
        Session { conn, statements: RefCell::default() }
    }

    /// The path of the database file.
    pub fn path(&self) -> &Path {
        Path::new(self.conn.path().unwrap_or_default())
    }

    /// The first row of a query, if there is one.
    pub fn find<T>(
        &self,
        sql: impl Into<Sql>,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, StoreError> {
        self.run(sql, |statement| statement.query_row(params, read).optional())
    }

    pub fn list<T>(
        &self,
        sql: impl Into<Sql>,
        params: impl Params,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, StoreError> {
        self.run(sql, |statement| statement.query_map(params, read)?.collect())
    }

    /// Runs a statement and returns how many rows it changed.
    pub fn execute(&self, sql: impl Into<Sql>, params: impl Params) -> Result<usize, StoreError> {
        self.run(sql, |statement| statement.execute(params))
    }

    /// Inserts one row and returns its rowid.
    pub fn insert(&self, sql: impl Into<Sql>, params: impl Params) -> Result<i64, StoreError> {
        self.run(sql, |statement| statement.insert(params))
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

    /// A constant has one address for the whole run, so comparing addresses is enough.
    fn take_statement(&self, text: &'static str) -> Option<CachedStatement<'c>> {
        let mut statements = self.statements.borrow_mut();
        let at = statements.iter().position(|(of, _)| std::ptr::eq(*of, text))?;
        Some(statements.swap_remove(at).1)
    }
}
