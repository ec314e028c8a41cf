//! Order sessions (docs/contract.md, Decision 11).

use std::collections::HashMap;

use rusqlite::{Row, named_params};

use super::error::StoreError;
use super::order_rows::OrderRows;
use super::row::Columns;
use super::tx::{Reader, Tx};
use crate::domain::ids::{
    AccountId, CreatedBy, EventSeq, LineId, OrderName, OrderSeq, ResourceId, SessionSeq,
};
use crate::domain::money::Amount;
use crate::domain::operation::{DistinctItems, OperationItem, OperationItems, OperationKind};
use crate::domain::order_session::{SESSION_LIFE_MS, SessionStatus};
use crate::domain::{KeptJson, Timestamp};
use crate::json::{self, Tree};

/// A stored session.
#[derive(Debug, Clone)]
pub struct OrderSessionRecord {
    pub session_seq: SessionSeq,
    pub order_seq: OrderSeq,
    pub account_id: AccountId,
    /// The order's name in links.
    pub order_id: OrderName,
    pub id: ResourceId,
    pub checkout: Checkout,
    pub amount: Amount,
    /// The session as sent, with every item's amount.
    pub document: KeptJson,
    /// The status at the time of the read.
    pub status: SessionStatus,
    /// Whether the row is open, which an expired session's is until a sweep has ended it.
    pub is_stored_open: bool,
    pub created_at: Timestamp,
    pub created_by: CreatedBy,
    pub expires_at: Timestamp,
    /// When the payer put the payment on hold.
    pub held_at: Option<Timestamp>,
    /// When the session ended; for an expired one, the time when it expired.
    pub ended_at: Option<Timestamp>,
    /// The successful operation that completed it.
    pub transaction: Option<SessionTransaction>,
}

/// The operation that completed a session.
#[derive(Debug, Clone)]
pub struct SessionTransaction {
    pub event_seq: EventSeq,
    pub kind: OperationKind,
    pub id: ResourceId,
}

/// The page on which a session is paid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Checkout {
    /// The test page, with the secret part of its address.
    TestPage { token: String },
    /// The merchant's own page.
    Own { url: String },
}

/// A session that is to be inserted.
#[derive(Debug, Clone)]
pub struct NewOrderSession {
    pub order_seq: OrderSeq,
    pub id: ResourceId,
    pub checkout: Checkout,
    pub amount: Amount,
    pub document: KeptJson,
    pub created_by: CreatedBy,
}

impl OrderSessionRecord {
    /// The items that the session asks the payer for; an error if the document is damaged.
    pub fn items(&self) -> Result<OperationItems, StoreError> {
        let document = json::parse(self.document.0.as_bytes()).unwrap_or(Tree::Null);
        let item = |item: &Tree| {
            let line_id = item.member("line_id")?.as_text()?.parse().ok()?;
            let amount = item.member("amount")?.as_integer()?;
            Some(OperationItem { line_id: LineId::new(line_id)?, amount: Amount::new(amount)? })
        };
        let items = document.member("items").map(Tree::elements).unwrap_or_default();
        let items = items.iter().map(item).collect::<Option<Vec<_>>>();
        let items = items.and_then(DistinctItems::new).map(OperationItems::new);
        let whole = items.and_then(Result::ok).filter(|items| items.total() == self.amount);
        whole.ok_or_else(|| StoreError::inconsistent("the items of a session do not add up"))
    }
}

/// A query for whole sessions. `$rest` selects and sorts the rows.
macro_rules! select_sessions {
    ($end:literal) => {
        concat!(
            "select order_sessions.order_seq, session_seq, account_id, orders.order_id,
                order_sessions.id, token, order_sessions.checkout_url, order_sessions.amount,
                order_sessions.document, status, order_sessions.created_at_ms,
                order_sessions.created_by, expires_at_ms, held_at_ms, ended_at_ms,
                transaction_seq, events.kind, operation_id
            from order_sessions
            join orders on orders.order_seq = order_sessions.order_seq
            join accounts on accounts.account_seq = orders.account_seq
            left join events on events.event_seq = transaction_seq ",
            $end
        )
    };
}

impl Reader<'_> {
    /// The session in row `session_seq`, which must exist.
    pub fn load_order_session(
        &self,
        session_seq: SessionSeq,
    ) -> Result<OrderSessionRecord, StoreError> {
        let sql = select_sessions!("where session_seq = :session_seq");
        let params = named_params! {":session_seq": session_seq};
        let found = self.find(sql, params, |row| Ok(self.read_session(row)))?;
        found.ok_or_else(|| StoreError::inconsistent("a session does not exist"))?
    }

    /// A session of an order, by its id.
    pub fn find_order_session(
        &self,
        order_seq: OrderSeq,
        id: &ResourceId,
    ) -> Result<Option<OrderSessionRecord>, StoreError> {
        let sql = select_sessions!(
            "where order_sessions.id = :id and order_sessions.order_seq = :order_seq"
        );
        let params = named_params! {":id": id, ":order_seq": order_seq};
        self.find(sql, params, |row| Ok(self.read_session(row)))?.transpose()
    }

    /// The session whose test page has this token in its address, unless its order has expired.
    pub fn find_session_of_token(
        &self,
        token: &str,
    ) -> Result<Option<OrderSessionRecord>, StoreError> {
        let sql = select_sessions!("where token = :token");
        let params = named_params! {":token": token};
        let found = self.find(sql, params, |row| Ok(self.read_session(row)))?.transpose()?;
        match found {
            Some(session) if self.find_order_end(session.order_seq)?.is_some() => Ok(None),
            found => Ok(found),
        }
    }

    /// All sessions of an order, oldest first.
    pub fn list_order_sessions(
        &self,
        order_seq: OrderSeq,
    ) -> Result<Vec<OrderSessionRecord>, StoreError> {
        let sql =
            select_sessions!("where order_sessions.order_seq = :order_seq order by session_seq");
        let params = named_params! {":order_seq": order_seq};
        self.list(sql, params, |row| Ok(self.read_session(row)))?.into_iter().collect()
    }

    /// How many sessions of an order are open.
    pub fn count_open_sessions(&self, order_seq: OrderSeq) -> Result<i64, StoreError> {
        let sql = "select count(*) from order_sessions
            where order_seq = :order_seq and status = 'open' and :now < expires_at_ms";
        let params = named_params! {":order_seq": order_seq, ":now": self.now()};
        Ok(self.find(sql, params, |row| row.get(0))?.unwrap_or_default())
    }

    /// The ids of the open sessions of several orders by order row, oldest first.
    pub(super) fn list_open_session_ids(
        &self,
        rows: &OrderRows,
    ) -> Result<HashMap<OrderSeq, Vec<ResourceId>>, StoreError> {
        let sql = "select order_seq, order_sessions.id, expires_at_ms
            from json_each(:order_seqs) as listed
            cross join order_sessions on order_seq = listed.value
            where status = 'open'
            order by session_seq";
        let all = self.list_by_order(
            sql,
            rows,
            |_| 0,
            |columns| {
                let (id, expires_at): (ResourceId, Timestamp) = (columns.take()?, columns.take()?);
                Ok((id, SessionStatus::Open.at(expires_at, self.now())))
            },
        )?;
        let open = |sessions: Vec<(ResourceId, SessionStatus)>| {
            let open = sessions.into_iter().filter(|(_, status)| *status == SessionStatus::Open);
            open.map(|(id, _)| id).collect()
        };
        Ok(all.into_iter().map(|(order_seq, sessions)| (order_seq, open(sessions))).collect())
    }

    /// True if a session has expired and is still stored as open.
    pub fn has_expired_sessions(&self) -> Result<bool, StoreError> {
        let sql = "select 1 from order_sessions
            where status = 'open' and expires_at_ms <= :now limit 1";
        Ok(self.find(sql, named_params! {":now": self.now()}, |_| Ok(()))?.is_some())
    }

    /// The sessions that have expired and are still stored as open, at most `count_max`.
    pub fn list_expired_sessions(
        &self,
        count_max: u32,
    ) -> Result<Vec<OrderSessionRecord>, StoreError> {
        let sql = select_sessions!(
            "where status = 'open' and expires_at_ms <= :now
             order by expires_at_ms limit :count_max"
        );
        let params = named_params! {":now": self.now(), ":count_max": count_max};
        self.list(sql, params, |row| Ok(self.read_session(row)))?.into_iter().collect()
    }

    fn read_session(&self, row: &Row<'_>) -> Result<OrderSessionRecord, StoreError> {
        let mut columns = Columns::of(row);
        let columns = &mut columns;
        let mut session = OrderSessionRecord {
            order_seq: columns.take()?,
            session_seq: columns.take()?,
            account_id: columns.take()?,
            order_id: columns.take()?,
            id: columns.take()?,
            checkout: read_checkout(columns)?,
            amount: columns.take()?,
            document: columns.take()?,
            status: columns.take()?,
            is_stored_open: false,
            created_at: columns.take()?,
            created_by: columns.take()?,
            expires_at: columns.take()?,
            held_at: columns.take()?,
            ended_at: columns.take()?,
            transaction: read_transaction(columns)?,
        };
        session.is_stored_open = session.status == SessionStatus::Open;
        session.status = session.status.at(session.expires_at, self.now());
        if session.status == SessionStatus::Expired {
            session.ended_at = Some(session.expires_at);
        }
        Ok(session)
    }
}

impl Tx<'_> {
    pub fn insert_order_session(
        &self,
        session: &NewOrderSession,
    ) -> Result<SessionSeq, StoreError> {
        let (token, checkout_url) = match &session.checkout {
            Checkout::TestPage { token } => (Some(token), None),
            Checkout::Own { url } => (None, Some(url)),
        };
        let sql = "insert into order_sessions
            (order_seq, id, token, checkout_url, amount, document, status, created_at_ms,
             created_by, expires_at_ms)
            values (:order_seq, :id, :token, :checkout_url, :amount, :document, 'open', :now,
             :created_by, :expires_at_ms)";
        let session_seq = self.insert(
            sql,
            named_params! {
                ":order_seq": session.order_seq,
                ":id": session.id,
                ":token": token,
                ":checkout_url": checkout_url,
                ":amount": session.amount,
                ":document": session.document,
                ":now": self.now(),
                ":created_by": session.created_by,
                ":expires_at_ms": self.now().0.saturating_add(SESSION_LIFE_MS),
            },
        )?;
        Ok(SessionSeq(session_seq))
    }

    /// Notes that the payer put the payment on hold.
    pub fn hold_order_session(&self, session_seq: SessionSeq) -> Result<(), StoreError> {
        let sql = "update order_sessions set held_at_ms = :now where session_seq = :session_seq";
        self.execute(sql, named_params! {":now": self.now(), ":session_seq": session_seq})?;
        Ok(())
    }

    /// Ends an open session; `transaction` is the event of the operation that completed it.
    pub fn end_order_session(
        &self,
        session_seq: SessionSeq,
        status: SessionStatus,
        transaction: Option<EventSeq>,
    ) -> Result<(), StoreError> {
        let sql = "update order_sessions set status = :status, ended_at_ms = :now,
                transaction_seq = :transaction_seq
            where session_seq = :session_seq and status = 'open'";
        self.execute(
            sql,
            named_params! {
                ":status": status,
                ":now": self.now(),
                ":transaction_seq": transaction,
                ":session_seq": session_seq,
            },
        )?;
        Ok(())
    }
}

fn read_checkout(columns: &mut Columns<'_>) -> Result<Checkout, StoreError> {
    let (token, url): (Option<String>, Option<String>) = (columns.take()?, columns.take()?);
    match (token, url) {
        (Some(token), None) => Ok(Checkout::TestPage { token }),
        (None, Some(url)) => Ok(Checkout::Own { url }),
        _ => Err(StoreError::inconsistent("a session has not exactly one payment page")),
    }
}

fn read_transaction(columns: &mut Columns<'_>) -> Result<Option<SessionTransaction>, StoreError> {
    let (event_seq, kind, id): (Option<EventSeq>, Option<String>, Option<ResourceId>) =
        (columns.take()?, columns.take()?, columns.take()?);
    let Some(event_seq) = event_seq else { return Ok(None) };
    let kind = kind.as_deref().and_then(OperationKind::parse);
    match (kind, id) {
        (Some(kind), Some(id)) => Ok(Some(SessionTransaction { event_seq, kind, id })),
        _ => Err(StoreError::inconsistent(
            "a session was completed by an event that is not an operation",
        )),
    }
}
