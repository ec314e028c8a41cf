-- The whole schema of a Tillbook file, every column explained. It equals what the files in
-- migrations/ make one after the other; a test compares them.
--
-- Reading it:
--   * `…_seq` is an integer that rises in the order of creation and keys a row. It never leaves
--     the file. `id` columns are the public names, UUID v4 unless said otherwise.
--   * `…_at_ms` is UTC milliseconds since 1970, and never falls from one row to the next.
--   * `…_amount` is minor units of the order's currency, between -(2^53 - 1) and 2^53 - 1.
--   * `…_by` is the id of the API client or the user who did it.
--   * `document` is JSON text as a client sent it, less what the server computes.
--
-- What a capture touches: one look-up in `order_names`, one small row of `ledgers` rewritten, one
-- row each appended to `events`, `operations` and `idempotency_keys`. It moves no index but the
-- key's, that of the payment status when the status really changes, and that of the orders which
-- hold something when the last of it is taken.

-- ── The file itself ─────────────────────────────────────────────────────────────────────────

create table book (
    -- Always 1: the table has one row.
    one            integer primary key check (one = 1),
    -- Raised whenever a client is made or changed; a running server reloads who may do what.
    access_version integer not null,
    -- The seed of the demo shop in this file, null in a real book. `demo --reset` deletes no
    -- file in which this is null.
    demo_seed      integer
) strict;

-- The keys that sign access tokens (HS256). They live here so that tokens survive a restart.
create table signing_keys (
    -- The token header's `kid`.
    key_id        text primary key,
    -- 32 random bytes.
    secret        blob not null check (length(secret) = 32),
    created_at_ms integer not null
) strict, without rowid;

-- ── Who ─────────────────────────────────────────────────────────────────────────────────────

create table accounts (
    account_seq   integer primary key,
    -- `T` or `P` and eight digits, as in T12345678.
    account_id    text not null unique
        check (account_id glob '[PT][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]'),
    -- What people call the shop.
    name          text not null check (length(name) between 1 and 200 and instr(name, char(0)) = 0),
    -- ISO 4217; what the back office shows sums in. An order has its own.
    currency      text not null check (length(currency) = 3),
    -- IANA name; where the shop's days begin and end.
    time_zone     text not null check (length(time_zone) between 1 and 64),
    created_at_ms integer not null
) strict;

-- API clients. Never deleted: events name them.
create table clients (
    client_seq     integer primary key,
    -- UUID v4, the user name of the token request.
    client_id      text not null unique check (length(client_id) = 36),
    account_seq    integer not null references accounts,
    name           text not null check (length(name) between 1 and 200 and instr(name, char(0)) = 0),
    -- SHA-256 of the secret, which is 32 random bytes and shown once.
    secret_sha256  blob not null check (length(secret_sha256) = 32),
    -- Scopes, separated by one space.
    grants         text not null check (0 < length(grants)),
    created_at_ms  integer not null,
    -- When it was disabled; null while it may be used.
    disabled_at_ms integer
) strict;

create index clients_by_account on clients (account_seq);

-- People who work in the back office. Never deleted: events name them.
create table users (
    user_seq       integer primary key,
    -- UUID v4; what `…_by` columns say.
    user_id        text not null unique check (length(user_id) = 36),
    -- Their name at sign-in, in lower case.
    email          text not null unique check (length(email) between 3 and 254 and email = lower(email)),
    -- What they may do in each of their accounts.
    role           text not null check (role in ('owner', 'manager', 'packer', 'viewer')),
    -- Argon2id, as a PHC string.
    password_hash  text not null,
    created_at_ms  integer not null,
    -- When they were disabled; null while they may sign in.
    disabled_at_ms integer
) strict;

-- Which accounts a user works on.
create table user_accounts (
    user_seq    integer not null references users,
    account_seq integer not null references accounts,
    primary key (user_seq, account_seq)
) strict, without rowid;

-- Browsers that are signed in. Deleted on sign-out, on a new password and when the user is
-- disabled.
create table sessions (
    -- SHA-256 of the cookie's 32 random bytes.
    token_sha256    blob primary key check (length(token_sha256) = 32),
    user_seq        integer not null references users,
    -- What every form of the session carries, so that no other site can send one.
    form_token      text not null check (length(form_token) = 43),
    created_at_ms   integer not null,
    -- When a page was last asked for, to the minute.
    last_seen_at_ms integer not null
) strict, without rowid;

create index sessions_by_user on sessions (user_seq);

-- Links that sign somebody in once.
create table sign_in_links (
    -- SHA-256 of the link's 32 random bytes.
    token_sha256  blob primary key check (length(token_sha256) = 32),
    -- Whom it signs in; null makes the first owner.
    user_seq      integer references users,
    expires_at_ms integer not null
) strict, without rowid;

-- Wrong passwords in a row, so that guessing is slowed across restarts.
create table sign_in_attempts (
    -- SHA-256 of whom they were for, or of the address that they came from.
    name_sha256 blob primary key check (length(name_sha256) = 32),
    failures    integer not null check (1 <= failures),
    -- By the machine's clock, not the book's.
    last_at_ms  integer not null
) strict, without rowid;

-- ── Drafts ──────────────────────────────────────────────────────────────────────────────────

create table drafts (
    draft_seq               integer primary key,
    account_seq             integer not null references accounts,
    id                      text not null check (length(id) = 36),
    status                  text not null check (status in ('open', 'completed', 'deleted')),
    -- The order's currency, ISO 4217.
    currency                text not null check (length(currency) = 3),
    -- The custom or reserved order id; null when the order will be named on completion.
    order_name              text check (length(order_name) between 1 and 64),
    -- The store that items without one of their own belong to; null when none is named.
    store_id                text,
    -- The fields of `order` but its items.
    document                text not null,
    -- `store` as sent beside `order`, or null.
    store_document          text,
    -- `options` as sent.
    options_document        text not null,
    -- The options that act, see the contract's D1.
    generate_order_id       text not null
        check (generate_order_id in ('UUID', 'ALPHANUMERIC_9', 'ALPHANUMERIC_9_RESERVE')),
    split_draft             integer not null check (split_draft in (0, 1)),
    multiple_authorizations integer not null check (multiple_authorizations in (0, 1)),
    created_at_ms           integer not null,
    created_by              text not null,
    updated_at_ms           integer not null,
    -- `options.order_id`: the order that the draft changes when it is completed; null when it makes
    -- orders of its own.
    amends                  text check (length(amends) between 1 and 64),
    -- `options.replace`: whether that order's items and fields are replaced by the draft's.
    replaces                integer not null default 0 check (replaces in (0, 1)),
    -- How many changes the draft has seen; the last draft event's version.
    version                 integer not null default 0 check (0 <= version),
    unique (account_seq, id)
) strict;

create index drafts_by_account on drafts (account_seq, draft_seq);
create index drafts_by_status on drafts (account_seq, status, draft_seq);
create index drafts_by_currency on drafts (account_seq, currency, draft_seq);
create index drafts_by_creation on drafts (account_seq, created_at_ms);

create table draft_items (
    draft_seq              integer not null references drafts,
    -- The line's number, unique in its order.
    line_id                integer not null check (0 <= line_id),
    -- The place of the item among the order's items, from 0.
    position               integer not null check (0 <= position),
    -- Before discounts, tax included.
    gross_amount           integer not null,
    -- All discount lines together; of the gross amount's sign and never more than it.
    discount_amount        integer not null
        check (abs(discount_amount) <= abs(gross_amount) and 0 <= discount_amount * sign(gross_amount)),
    -- Those of type `manual`.
    manual_discount_amount integer not null,
    -- All tax lines together.
    tax_amount             integer not null,
    -- The item's own store; null when it has none.
    store_id               text,
    -- The item as sent, less `line_id`.
    document               text not null,
    -- The draft's version that the item was added or last changed with.
    version                integer not null default 0 check (0 <= version),
    primary key (draft_seq, line_id)
) strict, without rowid;

-- What was done to drafts: one row a change, from the making on. What a change said is the draft.
create table draft_events (
    draft_event_seq integer primary key,
    draft_seq       integer not null references drafts,
    -- The how-manieth event of its draft this is, from 1.
    version         integer not null check (0 < version),
    id              text not null check (length(id) = 36),
    method          text not null,
    path            text not null,
    created_at_ms   integer not null,
    created_by      text not null,
    unique (draft_seq, version)
) strict;

-- What a completed draft became: the orders that it made, or the one that it changed.
create table draft_orders (
    draft_seq integer not null references drafts,
    order_seq integer not null references orders,
    primary key (draft_seq, order_seq)
) strict, without rowid;

-- Like order_values.
create table draft_values (
    account_seq integer not null references accounts,
    -- As in order_values; `order_id` is the draft's own or the one of the order it changes.
    filter      text not null check (filter in ('customer_id', 'store_id', 'order_id',
        'itinerary_travel_mode', 'itinerary_arrival_address', 'itinerary_departure_address',
        'items_discount_lines_discount_type')),
    value       text not null,
    draft_seq   integer not null references drafts,
    primary key (account_seq, filter, value, draft_seq)
) strict, without rowid;

create index draft_values_by_draft on draft_values (draft_seq);

-- Like order_search; the rowid is the draft's draft_seq.
create virtual table draft_search using fts5 (
    words,
    content = '', contentless_delete = 1,
    tokenize = "unicode61 categories 'L* M* N* Co'",
    prefix = '10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29'
);

-- ── Orders ──────────────────────────────────────────────────────────────────────────────────

-- What an order is called in paths: its id, its order id, and order ids that drafts have reserved,
-- in one namespace an account.
create table order_names (
    account_seq integer not null references accounts,
    name        text not null check (length(name) between 1 and 64),
    -- The order of that name; null while a draft holds the name.
    order_seq   integer references orders,
    -- The draft that reserved the name; null for an order's own id.
    draft_seq   integer references drafts,
    primary key (account_seq, name),
    check (order_seq is not null or draft_seq is not null)
) strict, without rowid;

-- What never changes about an order. Rows are never changed or deleted.
create table orders (
    order_seq     integer primary key,
    account_seq   integer not null references accounts,
    id            text not null check (length(id) = 36),
    -- The custom or generated order id, or the id.
    order_id      text not null check (length(order_id) between 1 and 64),
    -- The draft it was made from.
    draft_seq     integer not null references drafts,
    currency      text not null check (length(currency) = 3),
    created_at_ms integer not null,
    created_by    text not null
) strict;

create index orders_by_creation on orders (account_seq, created_at_ms);

-- What a client says about an order and may change or have erased: customer, addresses, metadata.
create table order_documents (
    order_seq        integer primary key references orders,
    document         text not null,
    options_document text not null
) strict;

-- Like draft_items; the store is the one of the item's draft where it has none of its own.
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
    version                integer not null default 0 check (0 <= version),
    primary key (order_seq, line_id)
) strict, without rowid;

-- The one small row that a payment operation reads and rewrites. Its words are checked one by one:
-- for `in (...)` of more than two, SQLite makes a table of them at every row.
create table ledgers (
    order_seq               integer primary key references orders,
    -- These three repeated from orders, which never change, so that the list's indexes and a payment
    -- operation need no other table.
    account_seq             integer not null references accounts,
    order_id                text not null,
    currency                text not null check (length(currency) = 3),
    -- What the lines come to, in thousandths of the currency's unit whatever its decimals, so that
    -- orders in different currencies can be sorted. Changes only when a draft changes the lines.
    total_thousandths       integer not null,
    status                  text not null
        check (status = 'open' or status = 'closed' or status = 'cancelled'),
    -- Derived from `lines` by the domain on every change; `verify` derives it again.
    payment_status          text not null
        check (payment_status = 'pending' or payment_status = 'partially_paid'
            or payment_status = 'paid' or payment_status = 'partially_refunded'
            or payment_status = 'refunded'),
    multiple_authorizations integer not null check (multiple_authorizations in (0, 1)),
    -- JSON array of every authorization's id, oldest first; [] without multiple_authorizations.
    authorizations          text not null,
    -- JSON array, sorted by line id, of
    --   [line_id, payable, authorized, captured, direct, cancelled, refunded, moved_by, parts]
    -- payable is gross less discount, with its sign; the five sums are what successful operations
    -- add up to, in units of that sign, direct being the part of captured that was taken before
    -- any authorization; moved_by is the event that last moved a sum, or null; parts is [] or, with
    -- multiple_authorizations, [position in authorizations, authorized, captured, cancelled,
    -- refunded] for each authorization of the line.
    lines                   text not null,
    -- Whether any line holds something: authorized, not captured from it and not released.
    holds                   integer not null check (holds in (0, 1)),
    -- How many events the order has; the last event's version.
    version                 integer not null check (0 <= version),
    -- The head of the order's list of events, see events.previous_seq. Its reference would make
    -- SQLite keep a copy of each page that an operation changes.
    last_event_seq          integer,
    updated_at_ms           integer not null,
    -- When and by whom it was last closed; null unless it is closed.
    closed_at_ms            integer,
    closed_by               text,
    -- When, by whom and why it was cancelled; null unless it is.
    cancelled_at_ms         integer,
    cancelled_by            text,
    cancelled_reason        text
        check (cancelled_reason = 'customer' or cancelled_reason = 'merchant'
            or cancelled_reason = 'fraud' or cancelled_reason = 'expired'
            or cancelled_reason = 'other'),
    check ((status = 'closed') = (closed_at_ms is not null)),
    check ((status = 'cancelled') = (cancelled_at_ms is not null))
) strict;

-- Each gives a list in its order. What stands behind the order_seq is there to filter by without
-- reading the row, and no capture changes it.
create index ledgers_by_account on ledgers (account_seq, order_seq);
create index ledgers_by_status on ledgers (account_seq, status, order_seq, currency);
create index ledgers_by_payment_status
    on ledgers (account_seq, payment_status, order_seq, status, currency);
create index ledgers_by_currency on ledgers (account_seq, currency, order_seq);
create index ledgers_by_total
    on ledgers (account_seq, total_thousandths, order_seq, status, currency);
create index ledgers_that_hold on ledgers (account_seq, order_seq, status, currency) where holds = 1;

-- What lists of orders are filtered by and no index of ledgers answers: each value once an order,
-- made of its documents and made anew when they change. A payment operation touches none of them.
create table order_values (
    account_seq integer not null references accounts,
    -- The filter's name in a query. Of an itinerary's addresses both `id` and `name` are values.
    filter      text not null check (filter in ('customer_id', 'store_id', 'itinerary_travel_mode',
        'itinerary_arrival_address', 'itinerary_departure_address',
        'items_discount_lines_discount_type')),
    value       text not null,
    order_seq   integer not null references orders,
    primary key (account_seq, filter, value, order_seq)
) strict, without rowid;

create index order_values_by_order on order_values (order_seq);

-- What was said about an order by whoever works on it.
create table order_comments (
    comment_seq   integer primary key,
    order_seq     integer not null references orders,
    id            text not null check (length(id) = 36),
    -- The event that added it. Its request's body is erased when the comment is deleted.
    event_seq     integer not null references events,
    -- The comment as sent; null once it was deleted.
    document      text,
    created_at_ms integer not null,
    created_by    text not null,
    deleted_at_ms integer,
    deleted_by    text,
    check ((document is null) = (deleted_at_ms is not null))
) strict;

create index order_comments_by_order on order_comments (order_seq, comment_seq);

-- Words to find an order by: order id, and the customer's and addressees' e-mails, names, phones.
-- The rowid is the order's order_seq. Nothing is stored but the index.
create virtual table order_search using fts5 (
    -- The first 20 letters of each word, right behind the nine of the account id; separated by
    -- spaces. What is typed is the beginning of such a word, and every length of it has an index of
    -- its own: whatever is looked for is one list of rows, read from the newest.
    words,
    content = '', contentless_delete = 1,
    tokenize = "unicode61 categories 'L* M* N* Co'",
    prefix = '10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29'
);

-- ── What happened ───────────────────────────────────────────────────────────────────────────

-- Every event of every order, appended, never changed or deleted. An order's events are a list
-- from the newest back, so that a new one moves no index.
create table events (
    event_seq        integer primary key,
    order_seq        integer not null references ledgers,
    -- The order's event before this one; null for its first. `verify` and every reading of the list
    -- find one that is not there, so that no capture looks for a page of long ago.
    previous_seq     integer,
    -- The how-manieth event of its order this is, from 1.
    version          integer not null check (0 < version),
    id               text not null check (length(id) = 36),
    -- 'api' has a row in api_events, 'service' one in service_events; the others are payment
    -- operations, which stand here whole.
    kind             text not null check (kind = 'api' or kind = 'service'
        or kind = 'authorization' or kind = 'capture' or kind = 'refund' or kind = 'cancellation'),
    created_at_ms    integer not null,
    created_by       text not null,
    -- From here on of a payment operation; null of any other event.
    operation_id     text check (length(operation_id) = 36),
    -- Whether the gateway did it; 0 is recorded and moves nothing.
    success          integer check (success in (0, 1)),
    -- What its items add up to.
    amount           integer check (abs(amount) <= 9007199254740991),
    -- Only with multiple_authorizations: the authorization it draws on.
    authorization_id text check (length(authorization_id) <= 40),
    -- The operation as sent: items and all the rest.
    document         text,
    check (iif(kind = 'api' or kind = 'service',
        coalesce(operation_id, success, amount, authorization_id, document) is null,
        operation_id is not null and success is not null and amount is not null
            and document is not null))
) strict;

-- A change through the API. Never changed or deleted.
create table api_events (
    event_seq   integer primary key references events,
    method      text not null,
    path        text not null,
    -- The draft that made or changed the order; null for a change of the order itself.
    draft_seq   integer references drafts,
    -- SHA-256 of the body in request_bodies; null when there was none.
    body_sha256 blob check (length(body_sha256) = 32)
) strict;

-- What a service said about an order: an event of kind `service`. Never changed or deleted.
create table service_events (
    event_seq      integer primary key references events,
    state          text not null check (state in ('error', 'failure', 'success', 'pending')),
    -- Tells services apart.
    service        text not null,
    -- What the service calls its step.
    service_status text not null,
    -- SHA-256 of the body in request_bodies, which also has `description` and `metadata`.
    body_sha256    blob check (length(body_sha256) = 32)
) strict;

-- The bodies of such events, apart from the events so that personal data can be erased while the
-- event, and the proof of what it was, remains.
create table request_bodies (
    event_seq integer primary key references events,
    body      text not null
) strict;

-- ── Requests answered ───────────────────────────────────────────────────────────────────────

-- The answers of requests that carried an Idempotency-Key, written in the transaction of what
-- they did, kept for 30 days, and the newest thousand whatever their age.
create table idempotency_keys (
    key_seq       integer primary key,
    -- The first 16 bytes of the SHA-256 of the account's id, the id of the client that sent it, or
    -- of the user whose form it was, and the key, with line breaks between them.
    key_hash      blob not null unique check (length(key_hash) = 16),
    -- SHA-256 of method, path, query and the canonical body; of a form, of its path and fields.
    fingerprint   blob not null check (length(fingerprint) = 32),
    -- The body of the answer, which was a 200; of a form, the id of the operation that it recorded
    -- or of the order that it commented on.
    answer        text not null,
    created_at_ms integer not null
) strict;

-- ── What is written stays written ───────────────────────────────────────────────────────────

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
