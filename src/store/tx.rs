//! What commands and readers are given: a transaction to write in, or a snapshot to read.
//!
//! Both hide their connection, so that only the store can run SQL. Everything that reads is a
//! method of [`Reader`]; a [`Tx`] also reads, and sees its own writes.

use std::cell::Cell;
use std::ops::Deref;
use std::path::Path;

use rusqlite::{Connection, Params, Row};

use super::error::StoreError;
use super::known_sizes::KnownSizes;
use super::next_expiry::NextExpiry;
use super::sqlite::session::{Session, Sql};
use crate::domain::Timestamp;
use crate::domain::ids::EventSeq;
use crate::domain::time_to_live::expires_through;
use crate::randomness::Randomness;

/// A snapshot of the database that does not change while it is read.
pub struct Reader<'c> {
    session: Session<'c>,
    now: Timestamp,
    /// See [`Reader::expired_through`]; `None` until it is asked for.
    expired_through: Cell<Option<Option<Timestamp>>>,
}

/// The transaction of a write command. Nothing else can write.
pub struct Tx<'c> {
    reader: Reader<'c>,
    randomness: &'c Randomness,
    known_sizes: &'c KnownSizes,
    next_expiry: &'c NextExpiry,
    next_seq: Cell<EventSeq>,
}

/// The values that a transaction begins with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Begun {
    pub now: Timestamp,
    /// The number of the next event that is appended.
    pub next_seq: EventSeq,
    /// See [`Reader::expired_through`].
    pub expired_through: Option<Timestamp>,
}

impl<'c> Reader<'c> {
    /// A reader to which nothing has expired: for checks, and for times that are in the book.
    pub(super) fn new(conn: &'c Connection) -> Reader<'c> {
        Reader::at(conn, Timestamp(i64::MIN))
    }

    /// A reader that judges at `now` what has expired.
    pub(super) fn at(conn: &'c Connection, now: Timestamp) -> Reader<'c> {
        Reader { session: Session::new(conn), now, expired_through: Cell::new(None) }
    }

    /// The time at which reads judge what has expired. In a transaction that writes, it is the time
    /// of the batch; see `clock_jumps` for how that follows the clock.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// The time through which orders or drafts have expired that no sweep has removed yet; `None`
    /// if there are no such ones.
    pub(super) fn expired_through(&self) -> Result<Option<Timestamp>, StoreError> {
        if let Some(known) = self.expired_through.get() {
            return Ok(known);
        }
        let through = match self.now {
            Timestamp(i64::MIN) => None,
            now => self.load_expired_through(now)?.0,
        };
        self.expired_through.set(Some(through));
        Ok(through)
    }

    /// Like [`Reader::expired_through`], for the writer's next transaction. Reads the book only if
    /// something may have expired.
    pub(super) fn expired_through_at(
        &self,
        now: Timestamp,
        known: &NextExpiry,
    ) -> Result<Option<Timestamp>, StoreError> {
        if !known.may_have_come(now) {
            return Ok(None);
        }
        let (through, next) = self.load_expired_through(now)?;
        known.learn(next);
        Ok(through)
    }

    /// The time through which something has expired, and the next moment at which something does.
    fn load_expired_through(
        &self,
        now: Timestamp,
    ) -> Result<(Option<Timestamp>, Option<Timestamp>), StoreError> {
        let (trusted, next) = self.load_next_expiry()?;
        let through = expires_through(now, trusted);
        Ok((next.filter(|next| *next <= through).map(|_| through), next))
    }

    /// The first row of a query, if there is one.
    pub(super) fn find<T>(
        &self,
        sql: impl Into<Sql>,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, StoreError> {
        self.session.find(sql, params, read)
    }

    pub(super) fn list<T>(
        &self,
        sql: impl Into<Sql>,
        params: impl Params,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, StoreError> {
        self.session.list(sql, params, read)
    }
}

impl<'c> Tx<'c> {
    /// `known_sizes` and `next_expiry` are what earlier transactions of the same writer have
    /// remembered.
    pub(super) fn new(
        conn: &'c Connection,
        begun: Begun,
        randomness: &'c Randomness,
        known_sizes: &'c KnownSizes,
        next_expiry: &'c NextExpiry,
    ) -> Tx<'c> {
        let Begun { now, next_seq, expired_through } = begun;
        let next_seq = Cell::new(next_seq);
        let reader = Reader::at(conn, now);
        reader.expired_through.set(Some(expired_through));
        Tx { reader, randomness, known_sizes, next_expiry, next_seq }
    }

    /// The source of new ids.
    pub fn randomness(&self) -> &Randomness {
        self.randomness
    }

    pub(super) fn known_sizes(&self) -> &KnownSizes {
        self.known_sizes
    }

    pub(super) fn next_expiry(&self) -> &NextExpiry {
        self.next_expiry
    }

    /// The number that the next event of an order or a draft gets. Reads nothing.
    pub fn next_event_seq(&self) -> EventSeq {
        self.next_seq.get()
    }

    /// The number of the newest event; 0 in a book without any.
    pub fn newest_event_seq(&self) -> EventSeq {
        EventSeq(self.next_seq.get().0 - 1)
    }

    /// Notes that an event was appended under a number.
    pub(super) fn note_appended(&self, event_seq: EventSeq) {
        self.next_seq.set(EventSeq(event_seq.0 + 1));
    }

    pub(super) fn path(&self) -> &Path {
        self.session.path()
    }

    /// Runs a statement and returns how many rows it changed.
    pub(super) fn execute(
        &self,
        sql: impl Into<Sql>,
        params: impl Params,
    ) -> Result<usize, StoreError> {
        self.session.execute(sql, params)
    }

    /// Inserts one row and returns its rowid.
    pub(super) fn insert(
        &self,
        sql: impl Into<Sql>,
        params: impl Params,
    ) -> Result<i64, StoreError> {
        self.session.insert(sql, params)
    }
}

impl<'c> Deref for Tx<'c> {
    type Target = Reader<'c>;

    fn deref(&self) -> &Reader<'c> {
        &self.reader
    }
}
