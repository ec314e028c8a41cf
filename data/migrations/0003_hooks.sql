-- Webhooks: hooks, their deliveries and the bodies of those. ../schema.sql explains every column.

create table hooks (
    hook_seq          integer primary key,
    account_seq       integer not null references accounts,
    id                text not null unique check (length(id) = 36),
    url               text not null check (length(url) between 1 and 2048),
    events            text not null check (0 < length(events)),
    fields            text,
    exclude_fields    text,
    secret_type       text not null check (secret_type in ('HMAC-SHA1', 'Authorization')),
    secret            text not null check (length(secret) between 1 and 1000),
    previous_secret   text check (length(previous_secret) between 1 and 1000),
    previous_until_ms integer,
    through_seq       integer not null check (0 <= through_seq),
    paused_at_ms      integer,
    paused_because    text check (paused_because in ('request', 'gone', 'failing')),
    failing_since_ms  integer,
    failing_count     integer not null check (0 <= failing_count),
    delivered_count   integer not null check (0 <= delivered_count),
    failed_count      integer not null check (0 <= failed_count),
    created_at_ms     integer not null,
    created_by        text not null,
    updated_at_ms     integer not null,
    deleted_at_ms     integer,
    deleted_by        text,
    check ((previous_secret is null) = (previous_until_ms is null)),
    check ((paused_at_ms is null) = (paused_because is null)),
    check ((deleted_at_ms is null) = (deleted_by is null))
) strict;

create index hooks_by_account on hooks (account_seq, hook_seq);

create table deliveries (
    delivery_seq     integer primary key,
    hook_seq         integer not null references hooks,
    id               text not null check (length(id) = 36),
    event            text not null,
    event_seq        integer references events,
    draft_event_seq  integer references draft_events,
    state            text not null
        check (state in ('waiting', 'delivered', 'failed', 'skipped')),
    tries            integer not null check (0 <= tries),
    next_at_ms       integer,
    created_at_ms    integer not null,
    tried_at_ms      integer,
    duration_ms      integer,
    status           integer,
    error            text check (length(error) <= 500),
    response_headers text,
    response         text check (length(response) <= 4096),
    bytes            integer not null check (0 <= bytes),
    check ((next_at_ms is not null) = (state = 'waiting')),
    check (event_seq is null or draft_event_seq is null)
) strict;

create index deliveries_by_hook on deliveries (hook_seq, delivery_seq);
create index deliveries_that_wait on deliveries (hook_seq, next_at_ms, delivery_seq, bytes)
    where state = 'waiting';

create table delivery_bodies (
    delivery_seq integer primary key references deliveries,
    body         text not null
) strict;
