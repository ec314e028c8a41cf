-- The first schema; what each column means is said in ../schema.sql.

pragma application_id = 1414089804; -- "TILL"

create table book (
    one            integer primary key check (one = 1),
    access_version integer not null,
    demo_seed      integer
) strict;

create table signing_keys (
    key_id        text primary key,
    secret        blob not null check (length(secret) = 32),
    created_at_ms integer not null
) strict, without rowid;

create table accounts (
    account_seq   integer primary key,
    account_id    text not null unique
        check (account_id glob '[PT][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]'),
    name          text not null check (length(name) between 1 and 200 and instr(name, char(0)) = 0),
    currency      text not null check (length(currency) = 3),
    time_zone     text not null check (length(time_zone) between 1 and 64),
    created_at_ms integer not null
) strict;

create table clients (
    client_seq     integer primary key,
    client_id      text not null unique check (length(client_id) = 36),
    account_seq    integer not null references accounts,
    name           text not null check (length(name) between 1 and 200 and instr(name, char(0)) = 0),
    secret_sha256  blob not null check (length(secret_sha256) = 32),
    grants         text not null check (0 < length(grants)),
    created_at_ms  integer not null,
    disabled_at_ms integer
) strict;

create index clients_by_account on clients (account_seq);

create table drafts (
    draft_seq               integer primary key,
    account_seq             integer not null references accounts,
    id                      text not null check (length(id) = 36),
    status                  text not null check (status in ('open', 'completed', 'deleted')),
    currency                text not null check (length(currency) = 3),
    order_name              text check (length(order_name) between 1 and 64),
    store_id                text,
    document                text not null,
    store_document          text,
    options_document        text not null,
    generate_order_id       text not null
        check (generate_order_id in ('UUID', 'ALPHANUMERIC_9', 'ALPHANUMERIC_9_RESERVE')),
    split_draft             integer not null check (split_draft in (0, 1)),
    multiple_authorizations integer not null check (multiple_authorizations in (0, 1)),
    created_at_ms           integer not null,
    created_by              text not null,
    updated_at_ms           integer not null,
    unique (account_seq, id)
) strict;

create table draft_items (
    draft_seq              integer not null references drafts,
    line_id                integer not null check (0 <= line_id),
    position               integer not null check (0 <= position),
    gross_amount           integer not null,
    discount_amount        integer not null
        check (abs(discount_amount) <= abs(gross_amount) and 0 <= discount_amount * sign(gross_amount)),
    manual_discount_amount integer not null,
    tax_amount             integer not null,
    store_id               text,
    document               text not null,
    primary key (draft_seq, line_id)
) strict, without rowid;

create table order_names (
    account_seq integer not null references accounts,
    name        text not null check (length(name) between 1 and 64),
    order_seq   integer references orders,
    draft_seq   integer references drafts,
    primary key (account_seq, name),
    check (order_seq is not null or draft_seq is not null)
) strict, without rowid;

create table orders (
    order_seq     integer primary key,
    account_seq   integer not null references accounts,
    id            text not null check (length(id) = 36),
    order_id      text not null check (length(order_id) between 1 and 64),
    draft_seq     integer not null references drafts,
    currency      text not null check (length(currency) = 3),
    created_at_ms integer not null,
    created_by    text not null
) strict;

create index orders_by_creation on orders (account_seq, created_at_ms);
create index orders_by_draft on orders (draft_seq);

create table order_documents (
    order_seq        integer primary key references orders,
    document         text not null,
    options_document text not null
) strict;

create table order_items (
    order_seq              integer not null references orders,
    line_id                integer not null check (0 <= line_id),
    position               integer not null check (0 <= position),
    gross_amount           integer not null,
    discount_amount        integer not null
        check (abs(discount_amount) <= abs(gross_amount) and 0 <= discount_amount * sign(gross_amount)),
    manual_discount_amount integer not null,
    tax_amount             integer not null,
    store_id               text,
    document               text not null,
    primary key (order_seq, line_id)
) strict, without rowid;

create table ledgers (
    order_seq               integer primary key references orders,
    account_seq             integer not null references accounts,
    currency                text not null check (length(currency) = 3),
    total_thousandths       integer not null,
    status                  text not null check (status in ('open', 'closed', 'cancelled')),
    payment_status          text not null check (payment_status in
        ('pending', 'partially_paid', 'paid', 'partially_refunded', 'refunded')),
    multiple_authorizations integer not null check (multiple_authorizations in (0, 1)),
    authorizations          text not null,
    lines                   text not null,
    holds                   integer not null check (holds in (0, 1)),
    version                 integer not null check (0 <= version),
    last_event_seq          integer references events,
    updated_at_ms           integer not null,
    closed_at_ms            integer,
    closed_by               text,
    cancelled_at_ms         integer,
    cancelled_by            text,
    cancelled_reason        text
        check (cancelled_reason in ('customer', 'merchant', 'fraud', 'expired', 'other')),
    check ((status = 'closed') = (closed_at_ms is not null)),
    check ((status = 'cancelled') = (cancelled_at_ms is not null))
) strict;

create index ledgers_by_account on ledgers (account_seq, order_seq);
create index ledgers_by_status on ledgers (account_seq, status, order_seq, currency);
create index ledgers_by_payment_status
    on ledgers (account_seq, payment_status, order_seq, status, currency);
create index ledgers_by_currency on ledgers (account_seq, currency, order_seq);
create index ledgers_by_total
    on ledgers (account_seq, total_thousandths, order_seq, status, currency);
create index ledgers_that_hold on ledgers (account_seq, order_seq, status, currency) where holds = 1;

create table order_stores (
    account_seq integer not null references accounts,
    store_id    text not null,
    order_seq   integer not null references orders,
    primary key (account_seq, store_id, order_seq)
) strict, without rowid;

create virtual table order_search using fts5 (
    account,
    words,
    content = '', contentless_delete = 1, prefix = '2 3 4'
);

create table events (
    event_seq     integer primary key,
    order_seq     integer not null references orders,
    previous_seq  integer references events,
    version       integer not null check (0 < version),
    id            text not null check (length(id) = 36),
    kind          text not null
        check (kind in ('api', 'authorization', 'capture', 'refund', 'cancellation')),
    created_at_ms integer not null,
    created_by    text not null
) strict;

create table operations (
    event_seq        integer primary key references events,
    id               text not null check (length(id) = 36),
    success          integer not null check (success in (0, 1)),
    amount           integer not null check (abs(amount) <= 9007199254740991),
    authorization_id text check (length(authorization_id) <= 40),
    document         text not null
) strict;

create table api_events (
    event_seq   integer primary key references events,
    method      text not null,
    path        text not null,
    draft_seq   integer references drafts,
    body_sha256 blob check (length(body_sha256) = 32)
) strict;

create table request_bodies (
    event_seq integer primary key references api_events,
    body      text not null
) strict;

create table idempotency_keys (
    key_seq       integer primary key,
    account_seq   integer not null references accounts,
    client_id     text not null,
    key           text not null check (length(key) between 1 and 255),
    fingerprint   blob not null check (length(fingerprint) = 32),
    answer        text not null,
    created_at_ms integer not null,
    unique (account_seq, client_id, key)
) strict;

create trigger orders_are_not_changed before update on orders
begin select raise(abort, 'orders are not changed'); end;
create trigger orders_are_not_deleted before delete on orders
begin select raise(abort, 'orders are not deleted'); end;
create trigger events_are_not_changed before update on events
begin select raise(abort, 'events are not changed'); end;
create trigger events_are_not_deleted before delete on events
begin select raise(abort, 'events are not deleted'); end;
create trigger operations_are_not_changed before update on operations
begin select raise(abort, 'operations are not changed'); end;
create trigger operations_are_not_deleted before delete on operations
begin select raise(abort, 'operations are not deleted'); end;
create trigger api_events_are_not_changed before update on api_events
begin select raise(abort, 'api events are not changed'); end;
create trigger api_events_are_not_deleted before delete on api_events
begin select raise(abort, 'api events are not deleted'); end;

insert into book (one, access_version) values (1, 0);
