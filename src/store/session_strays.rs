//! What must be true of order sessions in every book.

/// Queries that must count no rows, with what such rows would mean.
pub(super) const SESSION_STRAYS: [(&str, &str); 3] = [
    (
        "order sessions have a status that contradicts their end",
        "select count(*) from order_sessions
         where status not in ('open', 'completed', 'failed', 'cancelled', 'expired')
            or (status = 'open') <> (ended_at_ms is null)
            or (status = 'completed') <> (transaction_seq is not null)
            or (token is null) = (checkout_url is null)",
    ),
    (
        "order sessions were completed by something else than a successful operation of theirs",
        "select count(*) from order_sessions
         left join events on event_seq = transaction_seq
         where transaction_seq is not null
           and (events.order_seq is not order_sessions.order_seq
             or success is not 1
             or kind not in ('authorization', 'capture')
             or iif(json_valid(events.document),
                  events.document ->> '$.metadata.session_id', null) is not order_sessions.id)",
    ),
    (
        "order sessions have items that do not add up to their amount",
        "select count(*) from order_sessions
         where amount < 1
            or not json_valid(document)
            or amount is not (select total(value ->> '$.amount')
                from json_each(iif(json_valid(document), document, '{}'), '$.items'))",
    ),
];
