-- The schema of the first release. ../schema.sql explains every column.

pragma application_id = 1414283851; -- "TLBK"

create table book (
    one            integer primary key check (one = 1),
    release        text not null,
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
    name          text not null
        check (length(name) between 1 and 200 and instr(name, char(0)) = 0),
    currency      text not null check (length(currency) = 3),
    time_zone     text not null check (length(time_zone) between 1 and 64),
    created_at_ms integer not null
) strict;

create table clients (
    client_seq     integer primary key,
    client_id      text not null unique check (length(client_id) = 36),
    account_seq    integer not null references accounts,
    name           text not null
        check (length(name) between 1 and 200 and instr(name, char(0)) = 0),
    secret_sha256  blob not null check (length(secret_sha256) = 32),
    grants         text not null check (0 < length(grants)),
    created_at_ms  integer not null,
    disabled_at_ms integer
) strict;

create index clients_by_account on clients (account_seq);

create table users (
    user_seq       integer primary key,
    user_id        text not null unique check (length(user_id) = 36),
    email          text not null unique
        check (length(email) between 3 and 254 and email = lower(email)),
    role           text not null check (role in ('owner', 'manager', 'packer', 'viewer')),
    password_hash  text not null,
    created_at_ms  integer not null,
    disabled_at_ms integer
) strict;

create table user_accounts (
    user_seq    integer not null references users,
    account_seq integer not null references accounts,
    primary key (user_seq, account_seq)
) strict, without rowid;

create table sessions (
    token_sha256    blob primary key check (length(token_sha256) = 32),
    user_seq        integer not null references users,
    form_token      text not null check (length(form_token) = 43),
    created_at_ms   integer not null,
    last_seen_at_ms integer not null
) strict, without rowid;

create index sessions_by_user on sessions (user_seq);

create table sign_in_links (
    token_sha256  blob primary key check (length(token_sha256) = 32),
    user_seq      integer references users,
    expires_at_ms integer not null
) strict, without rowid;

create table sign_in_attempts (
    name_sha256 blob primary key check (length(name_sha256) = 32),
    failures    integer not null check (1 <= failures),
    last_at_ms  integer not null
) strict, without rowid;

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
    amends                  text check (length(amends) between 1 and 64),
    replaces                integer not null default 0 check (replaces in (0, 1)),
    version                 integer not null default 0 check (0 <= version),
    unique (account_seq, id)
) strict;

create index drafts_by_account on drafts (account_seq, draft_seq);
create index drafts_by_status on drafts (account_seq, status, draft_seq);
create index drafts_by_currency on drafts (account_seq, currency, draft_seq);
create index drafts_by_creation on drafts (account_seq, created_at_ms);

create table draft_items (
    draft_seq              integer not null references drafts,
    line_id                integer not null check (0 <= line_id),
    position               integer not null check (0 <= position),
    gross_amount           integer not null,
    discount_amount        integer not null
        check (abs(discount_amount) <= abs(gross_amount)
            and 0 <= discount_amount * sign(gross_amount)),
    manual_discount_amount integer not null,
    tax_amount             integer not null,
    store_id               text,
    document               text not null,
    version                integer not null default 0 check (0 <= version),
    primary key (draft_seq, line_id)
) strict, without rowid;

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

create table draft_values (
    account_seq integer not null references accounts,
    filter      text not null,
    value       text not null,
    draft_seq   integer not null references drafts,
    primary key (account_seq, filter, value, draft_seq)
) strict, without rowid;

create index draft_values_by_draft on draft_values (draft_seq);

create virtual table draft_search using fts5 (
    words,
    content = '', contentless_delete = 1,
    tokenize = "unicode61 categories 'L* M* N* Co'",
    prefix = '10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29'
);

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
        check (abs(discount_amount) <= abs(gross_amount)
            and 0 <= discount_amount * sign(gross_amount)),
    manual_discount_amount integer not null,
    tax_amount             integer not null,
    store_id               text,
    document               text not null,
    version                integer not null default 0 check (0 <= version),
    primary key (order_seq, line_id)
) strict, without rowid;

create table ledgers (
    order_seq               integer primary key references orders,
    account_seq             integer not null references accounts,
    order_id                text not null,
    currency                text not null check (length(currency) = 3),
    total_thousandths       integer not null,
    status                  text not null
        check (status = 'open' or status = 'closed' or status = 'cancelled'),
    payment_status          text not null
        check (payment_status = 'pending' or payment_status = 'partially_paid'
            or payment_status = 'paid' or payment_status = 'partially_refunded'
            or payment_status = 'refunded'),
    multiple_authorizations integer not null check (multiple_authorizations in (0, 1)),
    authorizations          text not null,
    lines                   text not null,
    holds                   integer not null check (holds in (0, 1)),
    version                 integer not null check (0 <= version),
    last_event_seq          integer,
    updated_at_ms           integer not null,
    closed_at_ms            integer,
    closed_by               text,
    cancelled_at_ms         integer,
    cancelled_by            text,
    cancelled_reason        text
        check (cancelled_reason = 'customer' or cancelled_reason = 'merchant'
            or cancelled_reason = 'fraud' or cancelled_reason = 'expired'
            or cancelled_reason = 'other'),
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
create index ledgers_that_hold
    on ledgers (account_seq, order_seq, status, currency) where holds = 1;

create table order_values (
    account_seq integer not null references accounts,
    filter      text not null,
    value       text not null,
    order_seq   integer not null references orders,
    primary key (account_seq, filter, value, order_seq)
) strict, without rowid;

create index order_values_by_order on order_values (order_seq);

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

create virtual table order_search using fts5 (
    words,
    content = '', contentless_delete = 1,
    tokenize = "unicode61 categories 'L* M* N* Co'",
    prefix = '10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29'
);

create table events (
    event_seq        integer primary key,
    order_seq        integer not null references ledgers,
    previous_seq     integer,
    version          integer not null check (0 < version),
    id               text not null check (length(id) = 36),
    kind             text not null check (kind = 'api' or kind = 'service'
        or kind = 'authorization' or kind = 'capture' or kind = 'refund' or kind = 'cancellation'),
    created_at_ms    integer not null,
    created_by       text not null,
    operation_id     text check (length(operation_id) = 36),
    success          integer check (success in (0, 1)),
    amount           integer check (abs(amount) <= 9007199254740991),
    authorization_id text check (length(authorization_id) <= 40),
    document         text,
    check (iif(kind = 'api' or kind = 'service',
        coalesce(operation_id, success, amount, authorization_id, document) is null,
        operation_id is not null and success is not null and amount is not null
            and document is not null))
) strict;

create table api_events (
    event_seq   integer primary key references events,
    method      text not null,
    path        text not null,
    draft_seq   integer references drafts,
    body_sha256 blob check (length(body_sha256) = 32)
) strict;

create table service_events (
    event_seq      integer primary key references events,
    state          text not null check (state in ('error', 'failure', 'success', 'pending')),
    service        text not null,
    service_status text not null,
    body_sha256    blob check (length(body_sha256) = 32)
) strict;

create table request_bodies (
    event_seq integer primary key references events,
    body      text not null
) strict;

create table idempotency_keys (
    key_seq       integer primary key,
    key_hash      blob not null unique check (length(key_hash) = 16),
    fingerprint   blob not null check (length(fingerprint) = 32),
    answer        text not null,
    created_at_ms integer not null
) strict;

create trigger orders_are_not_changed before update on orders
begin select raise(abort, 'orders are not changed'); end;
create trigger orders_are_not_deleted before delete on orders
begin select raise(abort, 'orders are not deleted'); end;
create trigger events_are_not_changed before update on events
begin select raise(abort, 'events are not changed'); end;
create trigger events_are_not_deleted before delete on events
begin select raise(abort, 'events are not deleted'); end;
create trigger api_events_are_not_changed before update on api_events
begin select raise(abort, 'api events are not changed'); end;
create trigger api_events_are_not_deleted before delete on api_events
begin select raise(abort, 'api events are not deleted'); end;
create trigger service_events_are_not_changed before update on service_events
begin select raise(abort, 'service events are not changed'); end;
create trigger service_events_are_not_deleted before delete on service_events
begin select raise(abort, 'service events are not deleted'); end;

insert into book (one, release, access_version) values (1, '0.1.0', 0);
