//! Renders a comment on an order.

use crate::clock::rfc3339;
use crate::json::ObjectText;
use crate::store::CommentRecord;

/// The comment's JSON text.
pub fn render(comment: &CommentRecord) -> String {
    let mut object = ObjectText::default();
    object
        .text("id", &comment.id)
        .text("created_at", &rfc3339(comment.created_at))
        .text("created_by", &comment.created_by.0)
        .members_of(&comment.document.0)
        .end()
}
