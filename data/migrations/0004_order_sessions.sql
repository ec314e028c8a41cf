-- Order sessions, and the payment page of an account. ../schema.sql explains every column.

alter table accounts add column
    checkout_url  text check (length(checkout_url) between 1 and 2000);

create table order_sessions (
    session_seq     integer primary key,
    order_seq       integer not null references orders,
    id              text not null unique check (length(id) = 36),
    token           text unique check (length(token) = 22),
    checkout_url    text,
    amount          integer not null check (amount between 1 and 9007199254740991),
    document        text not null,
    status          text not null
        check (status in ('open', 'completed', 'failed', 'cancelled', 'expired')),
    created_at_ms   integer not null,
    created_by      text not null,
    expires_at_ms   integer not null,
    held_at_ms      integer,
    ended_at_ms     integer,
    transaction_seq integer references events,
    check ((token is null) <> (checkout_url is null)),
    check ((status = 'open') = (ended_at_ms is null)),
    check ((status = 'completed') = (transaction_seq is not null))
) strict;

create index order_sessions_by_order on order_sessions (order_seq, session_seq);
create index order_sessions_open on order_sessions (order_seq, session_seq)
    where status = 'open';
create index order_sessions_by_expiry on order_sessions (expires_at_ms) where status = 'open';
