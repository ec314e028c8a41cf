//! A connection in use, and the statements that it has prepared.

use std::borrow::Cow;
use std::cell::RefCell;
use std::path::Path;

use rusqlite::{CachedStatement, Connection, OptionalExtension, Params, Row};

use crate::store::error::StoreError;

/// The text of a statement: one of the program's own, or one that was put together.
pub(in crate::store) type Sql = Cow<'static, str>;

/// A connection, in a transaction that whoever made this has begun.
pub(in crate::store) struct Session<'c> {
    conn: &'c Connection,
    /// The statements that have been run, at hand for the next command of a batch: the connection's
    /// own cache hashes the whole text of each, twice.
    statements: RefCell<Vec<(&'static str, CachedStatement<'c>)>>,
}

impl<'c> Session<'c> {
    pub fn new(conn: &'c Connection) -> Session<'c> {
        Session { conn, statements: RefCell::default() }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        Path::new(self.conn.path().unwrap_or_default())
    }

    /// The first row of a query, if it has one.
    pub fn find<T>(
        &self,
        sql: impl Into<Sql>,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, StoreError> {
        self.run(sql, |statement| statement.query_row(params, read).optional())
    }

    /// All rows of a query.
    pub fn list<T>(
        &self,
        sql: impl Into<Sql>,
        params: impl Params,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, StoreError> {
        self.run(sql, |statement| statement.query_map(params, read)?.collect())
    }

    /// Runs one statement; the number of rows it wrote.
    pub fn execute(&self, sql: impl Into<Sql>, params: impl Params) -> Result<usize, StoreError> {
        self.run(sql, |statement| statement.execute(params))
    }

    /// Inserts one row; its rowid.
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

    /// A text of the program's own stands in one place for as long as the program runs.
    fn take_statement(&self, text: &'static str) -> Option<CachedStatement<'c>> {
        let mut statements = self.statements.borrow_mut();
        let at = statements.iter().position(|(of, _)| std::ptr::eq(*of, text))?;
        Some(statements.swap_remove(at).1)
    }
}
