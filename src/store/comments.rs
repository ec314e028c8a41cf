//! Comments on orders.

use std::collections::HashMap;

use rusqlite::named_params;

use super::error::StoreError;
use super::order_rows::OrderRows;
use super::tx::{Reader, Tx};
use crate::domain::ids::{CreatedBy, EventSeq, OrderSeq};
use crate::domain::{KeptJson, Timestamp};

/// A comment that was not deleted.
#[derive(Debug, Clone)]
pub struct CommentRecord {
    pub comment_seq: i64,
    pub id: String,
    pub created_at: Timestamp,
    pub created_by: CreatedBy,
    /// The comment as it was sent: a JSON object.
    pub document: KeptJson,
    /// The event that added it.
    pub event_seq: EventSeq,
}

impl Reader<'_> {
    /// Finds an order's comment by id, unless it was deleted.
    pub fn find_comment(
        &self,
        order_seq: OrderSeq,
        id: &str,
    ) -> Result<Option<CommentRecord>, StoreError> {
        let comments = self.list_comments(&OrderRows::new(&[order_seq]))?.remove(&order_seq);
        Ok(comments.into_iter().flatten().find(|comment| comment.id == id))
    }

    /// The comments of several orders by order row, oldest first, without deleted ones.
    pub(super) fn list_comments(
        &self,
        rows: &OrderRows,
    ) -> Result<HashMap<OrderSeq, Vec<CommentRecord>>, StoreError> {
        let sql = "select order_seq, comment_seq, order_comments.id, created_at_ms, created_by,
                document, event_seq
            from json_each(:order_seqs) as listed
            cross join order_comments on order_seq = listed.value
            where document is not null
            order by comment_seq";
        let weigh = |comment: &CommentRecord| comment.document.0.len();
        self.list_by_order(sql, rows, weigh, |columns| {
            Ok(CommentRecord {
                comment_seq: columns.take()?,
                id: columns.take()?,
                created_at: columns.take()?,
                created_by: columns.take()?,
                document: columns.take()?,
                event_seq: columns.take()?,
            })
        })
    }
}

impl Tx<'_> {
    /// Adds a comment to an order. `event_seq` is the event that records it.
    pub fn insert_comment(
        &self,
        order_seq: OrderSeq,
        event_seq: EventSeq,
        created_by: &CreatedBy,
        document: &KeptJson,
    ) -> Result<(), StoreError> {
        let sql = "insert into order_comments
            (order_seq, id, event_seq, document, created_at_ms, created_by)
            values (:order_seq, :id, :event_seq, :document, :now, :created_by)";
        self.insert(
            sql,
            named_params! {
                ":order_seq": order_seq,
                ":id": self.randomness().uuid(),
                ":event_seq": event_seq,
                ":document": document,
                ":now": self.now(),
                ":created_by": created_by,
            },
        )?;
        Ok(())
    }

    /// Deletes a comment. Its text is erased here and in the request that added it; its author and
    /// times stay.
    pub fn delete_comment(
        &self,
        comment: &CommentRecord,
        deleted_by: &CreatedBy,
    ) -> Result<(), StoreError> {
        let sql = "update order_comments
            set document = null, deleted_at_ms = :now, deleted_by = :deleted_by
            where comment_seq = :comment_seq";
        self.execute(
            sql,
            named_params! {
                ":now": self.now(),
                ":deleted_by": deleted_by,
                ":comment_seq": comment.comment_seq,
            },
        )?;
        let sql = "delete from request_bodies where event_seq = :event_seq";
        self.execute(sql, named_params! {":event_seq": comment.event_seq})?;
        Ok(())
    }
}
