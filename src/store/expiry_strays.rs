//! What `verify` finds wrong with expiries.

/// Queries that must count no rows, with what such rows would mean.
pub(super) const EXPIRY_STRAYS: [(&str, &str); 7] = [
    (
        "orders or drafts expire at another time than their creation and time to live give",
        "select (select count(*) from order_expiries join orders using (order_seq)
                where expires_at_ms <> created_at_ms + 1000 * lives_s)
            + (select count(*) from draft_expiries join drafts using (draft_seq)
                where expires_at_ms <> created_at_ms + 1000 * lives_s)",
    ),
    (
        "orders that expire have operations that this does not count, or none that it counts",
        "select count(*) from order_expiries where has_operations <> (order_seq in
            (select order_seq from events where operation_id is not null))",
    ),
    (
        "orders were closed or removed by an event of another order",
        "select count(*) from order_expiries join events using (event_seq)
         where events.order_seq <> order_expiries.order_seq",
    ),
    (
        "removed orders still have something that a client sent",
        "select count(*) from order_expiries where outcome = 'removed' and (
            order_seq in (select order_seq from order_documents)
            or order_seq in (select order_seq from order_items)
            or order_seq in (select order_seq from order_values)
            or order_seq in (select order_seq from order_comments)
            or order_seq in (select rowid from order_search)
            or order_seq in (select order_seq from order_sessions
                where status = 'open' or 1 < (select count(*) from json_each(document)))
            or order_seq in (select order_seq from session_callbacks
                join order_sessions using (session_seq))
            or order_seq in (select order_seq from request_bodies join events using (event_seq)))",
    ),
    (
        "removed orders can still be looked up by a name",
        "select count(*) from order_names join order_expiries using (order_seq)
         where outcome = 'removed'",
    ),
    (
        "names of removed orders are free",
        "select count(*) from order_expiries join orders using (order_seq)
         where outcome = 'removed' and not (
            exists (select 1 from order_names where order_names.account_seq = orders.account_seq
                and name = orders.id)
            and exists (select 1 from order_names where order_names.account_seq = orders.account_seq
                and name = orders.order_id))",
    ),
    (
        "removed drafts still have something that a client sent",
        "select count(*) from draft_expiries join drafts using (draft_seq)
         where removed_at_ms is not null and (
            document <> '{}' or options_document <> '{}' or store_document is not null
            or draft_seq in (select draft_seq from draft_items)
            or draft_seq in (select draft_seq from draft_values)
            or draft_seq in (select rowid from draft_search))",
    ),
];
