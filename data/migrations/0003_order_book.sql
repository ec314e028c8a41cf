-- Changes of drafts and orders, and what lists filter by; what each column means is said in
-- ../schema.sql. Foreign keys are off while a step runs and are checked at its end.

-- ── Drafts ──────────────────────────────────────────────────────────────────────────────────

alter table drafts add column amends text check (length(amends) between 1 and 64);
alter table drafts add column replaces integer not null default 0 check (replaces in (0, 1));
alter table drafts add column version integer not null default 0 check (0 <= version);

create index drafts_by_account on drafts (account_seq, draft_seq);
create index drafts_by_status on drafts (account_seq, status, draft_seq);
create index drafts_by_currency on drafts (account_seq, currency, draft_seq);
create index drafts_by_creation on drafts (account_seq, created_at_ms);

alter table draft_items add column version integer not null default 0 check (0 <= version);
alter table order_items add column version integer not null default 0 check (0 <= version);

create table draft_events (
    draft_event_seq integer primary key,
    draft_seq       integer not null references drafts,
    version         integer not null check (0 < version),
    id              text not null check (length(id) = 36),
    method          text not null,
    path            text not null,
    created_at_ms   integer not null,
    created_by      text not null,
    unique (draft_seq, version)
) strict;

create table draft_orders (
    draft_seq integer not null references drafts,
    order_seq integer not null references orders,
    primary key (draft_seq, order_seq)
) strict, without rowid;

insert into draft_orders select draft_seq, order_seq from orders;
drop index orders_by_draft;

create table draft_values (
    account_seq integer not null references accounts,
    filter      text not null check (filter in ('customer_id', 'store_id', 'order_id',
        'itinerary_travel_mode', 'itinerary_arrival_address', 'itinerary_departure_address',
        'items_discount_lines_discount_type')),
    value       text not null,
    draft_seq   integer not null references drafts,
    primary key (account_seq, filter, value, draft_seq)
) strict, without rowid;

create index draft_values_by_draft on draft_values (draft_seq);

create virtual table draft_search using fts5 (
    account,
    words,
    content = '', contentless_delete = 1, prefix = '2 3 4'
);

-- ── Orders ──────────────────────────────────────────────────────────────────────────────────

-- An item's store is its own or its draft's; from now on the row says which.
update order_items set store_id =
    (select drafts.store_id from orders join drafts using (draft_seq)
     where orders.order_seq = order_items.order_seq)
where store_id is null;

create table order_values (
    account_seq integer not null references accounts,
    filter      text not null check (filter in ('customer_id', 'store_id', 'itinerary_travel_mode',
        'itinerary_arrival_address', 'itinerary_departure_address',
        'items_discount_lines_discount_type')),
    value       text not null,
    order_seq   integer not null references orders,
    primary key (account_seq, filter, value, order_seq)
) strict, without rowid;

create index order_values_by_order on order_values (order_seq);

insert into order_values select account_seq, 'store_id', store_id, order_seq from order_stores;
insert into order_values
    select account_seq, 'customer_id', document ->> '$.customer.id', order_seq
    from order_documents join orders using (order_seq)
    where json_type(document, '$.customer.id') = 'text';
insert or ignore into order_values
    select account_seq, 'itinerary_travel_mode', leg.value ->> '$.travel_mode', order_seq
    from order_documents join orders using (order_seq), json_each(document, '$.itinerary') as leg
    where json_type(leg.value, '$.travel_mode') = 'text';
insert or ignore into order_values
    select account_seq, 'itinerary_' || side || '_address',
        leg.value ->> ('$.' || side || '_address.' || part), order_seq
    from order_documents join orders using (order_seq), json_each(document, '$.itinerary') as leg,
        (select 'arrival' as side union all select 'departure'),
        (select 'id' as part union all select 'name')
    where json_type(leg.value, '$.' || side || '_address.' || part) = 'text';
insert or ignore into order_values
    select account_seq, 'items_discount_lines_discount_type', line.value ->> '$.discount_type',
        order_seq
    from order_items join orders using (order_seq),
        json_each(document, '$.discount_lines') as line
    where json_type(line.value, '$.discount_type') = 'text';
drop table order_stores;

create table order_comments (
    comment_seq   integer primary key,
    order_seq     integer not null references orders,
    id            text not null check (length(id) = 36),
    event_seq     integer not null references events,
    document      text,
    created_at_ms integer not null,
    created_by    text not null,
    deleted_at_ms integer,
    deleted_by    text,
    check ((document is null) = (deleted_at_ms is not null))
) strict;

create index order_comments_by_order on order_comments (order_seq, comment_seq);

-- ── What happened ───────────────────────────────────────────────────────────────────────────

-- A check cannot be changed, only the table made anew; its triggers go with it.
create table events_after (
    event_seq     integer primary key,
    order_seq     integer not null references orders,
    previous_seq  integer references events,
    version       integer not null check (0 < version),
    id            text not null check (length(id) = 36),
    kind          text not null check (kind in
        ('api', 'service', 'authorization', 'capture', 'refund', 'cancellation')),
    created_at_ms integer not null,
    created_by    text not null
) strict;
insert into events_after
    select event_seq, order_seq, previous_seq, version, id, kind, created_at_ms, created_by
    from events;
drop table events;
alter table events_after rename to events;

create table service_events (
    event_seq      integer primary key references events,
    state          text not null check (state in ('error', 'failure', 'success', 'pending')),
    service        text not null,
    service_status text not null,
    body_sha256    blob check (length(body_sha256) = 32)
) strict;

create table request_bodies_after (
    event_seq integer primary key references events,
    body      text not null
) strict;
insert into request_bodies_after select event_seq, body from request_bodies;
drop table request_bodies;
alter table request_bodies_after rename to request_bodies;

create trigger events_are_not_changed before update on events
begin select raise(abort, 'events are not changed'); end;
create trigger events_are_not_deleted before delete on events
begin select raise(abort, 'events are not deleted'); end;
create trigger service_events_are_not_changed before update on service_events
begin select raise(abort, 'service events are not changed'); end;
create trigger service_events_are_not_deleted before delete on service_events
begin select raise(abort, 'service events are not deleted'); end;
