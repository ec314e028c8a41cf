-- Callbacks of order sessions, and the secret that they are signed with. ../schema.sql explains every
-- column.

alter table accounts add column
    callback_secret text check (length(callback_secret) between 1 and 1000);

create table session_callbacks (
    callback_seq  integer primary key,
    session_seq   integer not null references order_sessions,
    id            text not null check (length(id) = 36),
    state         text not null check (state in ('waiting', 'delivered', 'failed')),
    tries         integer not null check (tries between 0 and 20),
    next_at_ms    integer,
    created_at_ms integer not null,
    tried_at_ms   integer,
    status        integer check (status between 100 and 999),
    error         text,
    check ((state = 'waiting') = (next_at_ms is not null)),
    check ((tries = 0) = (tried_at_ms is null))
) strict;

create index session_callbacks_due on session_callbacks (next_at_ms, callback_seq)
    where state = 'waiting';
create index session_callbacks_by_session on session_callbacks (session_seq);
create index session_callbacks_by_age on session_callbacks (created_at_ms)
    where state <> 'waiting';
