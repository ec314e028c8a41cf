//! What must be true of webhooks in every book.

/// Queries that must count no rows, with what such rows would mean.
pub(super) const HOOK_STRAYS: [(&str, &str); 4] = [
    (
        "hooks are past the newest event",
        "select count(*) from hooks where through_seq > max(
            coalesce((select max(event_seq) from events), 0),
            coalesce((select max(draft_event_seq) from draft_events), 0))",
    ),
    (
        "deliveries are of an event that their hook has not reached",
        "select count(*) from deliveries join hooks using (hook_seq)
         where coalesce(event_seq, draft_event_seq, 0) > through_seq",
    ),
    (
        "deliveries are of an event of another account",
        "select count(*) from deliveries join hooks using (hook_seq)
         left join events on events.event_seq = deliveries.event_seq
         left join orders on orders.order_seq = events.order_seq
         left join draft_events on draft_events.draft_event_seq = deliveries.draft_event_seq
         left join drafts on drafts.draft_seq = draft_events.draft_seq
         where coalesce(orders.account_seq, drafts.account_seq, hooks.account_seq)
            <> hooks.account_seq",
    ),
    (
        "deliveries wait without a body",
        "select count(*) from deliveries
         where state = 'waiting'
           and delivery_seq not in (select delivery_seq from delivery_bodies)",
    ),
];
