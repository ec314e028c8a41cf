//! The statements that read the histories of orders.

/// Whether the request bodies of API and service events are read with an order. Answers without
/// those events do not need them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Bodies {
    #[default]
    Read,
    LeaveOut,
}

/// The statement that reads the events of several orders.
pub(super) fn select_events(bodies: Bodies) -> &'static str {
    match bodies {
        Bodies::Read => SELECT_EVENTS,
        Bodies::LeaveOut => SELECT_EVENTS_WITHOUT_BODIES,
    }
}

/// The events of several orders, unordered: sorting here would copy every document and body. A step
/// must lead to a smaller `event_seq`, so that the recursion ends even in a damaged file. The
/// recursion carries no documents; they are joined at the end, each only from the table for the
/// event's kind.
macro_rules! select_events {
    ($body:literal, $bodies:literal) => {
        concat!(
            "with recursive found (order_seq, event_seq, previous_seq) as (
        select listed.value, events.event_seq, previous_seq
        from json_each(:order_seqs) as listed
        cross join ledgers on ledgers.order_seq = listed.value
        cross join events on events.event_seq = ledgers.last_event_seq
        union all
        select found.order_seq, events.event_seq, events.previous_seq
        from found
        cross join events on events.event_seq = found.previous_seq
        where events.event_seq < found.event_seq)
    select found.order_seq, found.previous_seq, found.event_seq, events.version, events.id,
        events.created_at_ms, events.created_by, kind,
        operation_id, success, amount, authorization_id, events.document,
        method, path, drafts.id,
        state, service, service_status, ",
            $body,
            "
    from found
    cross join events on events.event_seq = found.event_seq
    left join api_events on api_events.event_seq = iif(kind = 'api', found.event_seq, null)
    left join service_events
        on service_events.event_seq = iif(kind = 'service', found.event_seq, null)
    left join drafts on drafts.draft_seq = api_events.draft_seq",
            $bodies
        )
    };
}

const SELECT_EVENTS: &str = select_events!(
    "body",
    "
    left join request_bodies
        on request_bodies.event_seq = iif(kind in ('api', 'service'), found.event_seq, null)"
);

/// Like [`SELECT_EVENTS`], without the request bodies, which are most of the bytes of a long
/// history.
const SELECT_EVENTS_WITHOUT_BODIES: &str = select_events!("null", "");
