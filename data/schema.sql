-- The complete schema of a Tillbook file, with every column explained. Applying the files in
-- migrations/ in order gives the same schema; a test compares the two.
--
-- Conventions:
--   * `…_seq` is an integer that rises in the order of creation and keys a row. It never leaves
--     the file. `id` columns are the public names, UUID v4 unless a comment says otherwise.
--   * `…_at_ms` is UTC milliseconds since 1970. From one row to the next it falls only where
--     clock_jumps records a jump.
--   * `…_amount` is in minor units of the order's currency, between -(2^53 - 1) and 2^53 - 1.
--   * `…_by` is the id of the API client or the back-office user who made the change.
--   * `document` is JSON text as a client sent it, without the fields that the server computes.
--
-- What a capture touches: it looks up one row of `order_names`, rewrites one small row of
-- `ledgers`, and appends one row to `events` and, if it carries an idempotency key, one to
-- `idempotency_keys`. The only indexes it updates are the key's, `ledgers_by_payment_status` if
-- the status changes, and `ledgers_that_hold` if the order no longer holds anything.

-- ── The file itself ─────────────────────────────────────────────────────────────────────────

create table book (
    -- Always 1: the table has one row.
    one            integer primary key check (one = 1),
    -- The version of Tillbook whose schema the file has, as in 0.1.0; each migration sets it. An
    -- older Tillbook that is given the file can name the version to use.
    release        text not null,
    -- Raised whenever a client is created or disabled, so that a running server reloads its
    -- snapshot of clients and their scopes.
    access_version integer not null,
    -- The seed that generated the demo shop in this file; null in a real book. `demo --reset`
    -- refuses to delete a file in which this is null.
    demo_seed      integer
) strict;

-- Falls of the clock by more than five minutes, which the writer followed. Rows are appended and
-- never updated or deleted.
create table clock_jumps (
    jump_seq   integer primary key,
    -- The newest event, order and draft before the jump; 0 in a book without any.
    event_seq  integer not null,
    order_seq  integer not null,
    draft_seq  integer not null,
    -- The last time before the jump, and the first time after it.
    from_at_ms integer not null,
    to_at_ms   integer not null,
    check (300000 < from_at_ms - to_at_ms)
) strict;

-- The keys that sign access tokens (HS256). They are stored so that tokens survive a restart.
create table signing_keys (
    -- The token header's `kid`.
    key_id        text primary key,
    -- 32 random bytes.
    secret        blob not null check (length(secret) = 32),
    created_at_ms integer not null
) strict, without rowid;

-- ── Accounts, clients and users ─────────────────────────────────────────────────────────────

create table accounts (
    account_seq   integer primary key,
    -- `T` or `P` and eight digits, as in T12345678.
    account_id    text not null unique
        check (account_id glob '[PT][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]'),
    -- The shop's name, shown in the back office.
    name          text not null
        check (length(name) between 1 and 200 and instr(name, char(0)) = 0),
    -- ISO 4217; the currency of totals in the back office. Each order has its own currency.
    currency      text not null check (length(currency) = 3),
    -- IANA time zone name; it decides when the shop's days begin and end.
    time_zone     text not null check (length(time_zone) between 1 and 64),
    created_at_ms integer not null,
    -- The merchant's own payment page, the link of new order sessions. `{session_id}` in it becomes
    -- the session's id. Null without such a page.
    checkout_url  text check (length(checkout_url) between 1 and 2000),
    -- The secret of the header Dintero-Signature of callbacks; stored as it is, because signing
    -- needs it. Null without one; callbacks then have no such header.
    callback_secret text check (length(callback_secret) between 1 and 1000)) strict;

-- API clients. Never deleted, because events refer to them.
create table clients (
    client_seq     integer primary key,
    -- UUID v4, sent as the user name when a token is requested.
    client_id      text not null unique check (length(client_id) = 36),
    account_seq    integer not null references accounts,
    name           text not null
        check (length(name) between 1 and 200 and instr(name, char(0)) = 0),
    -- SHA-256 of the secret, which is 32 random bytes and is shown only once.
    secret_sha256  blob not null check (length(secret_sha256) = 32),
    -- Scopes, separated by one space.
    grants         text not null check (0 < length(grants)),
    created_at_ms  integer not null,
    -- When the client was disabled; null while it is enabled.
    disabled_at_ms integer
) strict;

create index clients_by_account on clients (account_seq);

-- People who work in the back office. Never deleted, because events refer to them.
create table users (
    user_seq       integer primary key,
    -- UUID v4; the value that `…_by` columns hold.
    user_id        text not null unique check (length(user_id) = 36),
    -- The address that they sign in with, in lower case.
    email          text not null unique
        check (length(email) between 3 and 254 and email = lower(email)),
    -- What the user may do; it applies to every account in user_accounts.
    role           text not null check (role in ('owner', 'manager', 'packer', 'viewer')),
    -- Argon2id, as a PHC string.
    password_hash  text not null,
    created_at_ms  integer not null,
    -- When the user was disabled; null while they may sign in.
    disabled_at_ms integer
) strict;

-- The accounts that a user has access to.
create table user_accounts (
    user_seq    integer not null references users,
    account_seq integer not null references accounts,
    primary key (user_seq, account_seq)
) strict, without rowid;

-- Signed-in browsers. A session is deleted on sign-out, when the user's password changes and when
-- the user is disabled.
create table sessions (
    -- SHA-256 of the cookie's 32 random bytes.
    token_sha256    blob primary key check (length(token_sha256) = 32),
    user_seq        integer not null references users,
    -- The CSRF token: every form of the session carries it, so another site cannot submit one.
    form_token      text not null check (length(form_token) = 43),
    created_at_ms   integer not null,
    -- When a page was last requested, to the minute.
    last_seen_at_ms integer not null
) strict, without rowid;

create index sessions_by_user on sessions (user_seq);

-- Links that sign a user in, each usable once.
create table sign_in_links (
    -- SHA-256 of the link's 32 random bytes.
    token_sha256  blob primary key check (length(token_sha256) = 32),
    -- The user that the link signs in; null for the link that creates the first owner.
    user_seq      integer references users,
    expires_at_ms integer not null
) strict, without rowid;

-- Consecutive wrong passwords, stored so that guessing stays slow across restarts.
create table sign_in_attempts (
    -- SHA-256 of the e-mail address that was tried, or of the network address that tried.
    name_sha256 blob primary key check (length(name_sha256) = 32),
    failures    integer not null check (1 <= failures),
    -- Read from the machine's clock, so unlike other times it may fall.
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
    -- The custom or reserved order id; null if completing the draft generates one.
    order_name              text check (length(order_name) between 1 and 64),
    -- The store of items that do not name their own; null if the draft names no store.
    store_id                text,
    -- The fields of `order`, except its items.
    document                text not null,
    -- The request's `store` field, next to `order`; null if it was not sent.
    store_document          text,
    -- `options` as sent.
    options_document        text not null,
    -- The options that have an effect, copied out of options_document.
    generate_order_id       text not null
        check (generate_order_id in ('UUID', 'ALPHANUMERIC_9', 'ALPHANUMERIC_9_RESERVE')),
    split_draft             integer not null check (split_draft in (0, 1)),
    multiple_authorizations integer not null check (multiple_authorizations in (0, 1)),
    created_at_ms           integer not null,
    created_by              text not null,
    updated_at_ms           integer not null,
    -- `options.order_id`: the order that completing this draft changes; null if completing it
    -- creates new orders.
    amends                  text check (length(amends) between 1 and 64),
    -- `options.replace`: 1 if the draft's items and fields replace those of that order.
    replaces                integer not null default 0 check (replaces in (0, 1)),
    -- Number of the draft's events, and so the version of the last one.
    version                 integer not null default 0 check (0 <= version),
    unique (account_seq, id)
) strict;

create index drafts_by_account on drafts (account_seq, draft_seq);
create index drafts_by_status on drafts (account_seq, status, draft_seq);
create index drafts_by_currency on drafts (account_seq, currency, draft_seq);
create index drafts_by_creation on drafts (account_seq, created_at_ms);
create index drafts_that_amend on drafts (account_seq, amends) where amends is not null;

create table draft_items (
    draft_seq              integer not null references drafts,
    -- The line's number, unique within its order.
    line_id                integer not null check (0 <= line_id),
    -- Position among the order's items, from 0.
    position               integer not null check (0 <= position),
    -- The amount before discounts, including tax.
    gross_amount           integer not null,
    -- Sum of all discount lines; has the gross amount's sign and never exceeds it.
    discount_amount        integer not null
        check (abs(discount_amount) <= abs(gross_amount)
            and 0 <= discount_amount * sign(gross_amount)),
    -- Sum of the discount lines of type `manual`.
    manual_discount_amount integer not null,
    -- Sum of all tax lines.
    tax_amount             integer not null,
    -- The item's own store; null if it does not name one.
    store_id               text,
    -- The item as sent, without `line_id`.
    document               text not null,
    -- The draft's version in which the item was added or last changed.
    version                integer not null default 0 check (0 <= version),
    primary key (draft_seq, line_id)
) strict, without rowid;

-- The history of drafts: one row per change, the creation included. The content of a change is not
-- kept here: the draft has the result.
create table draft_events (
    -- Numbered together with events: no event of an order has the number of a later row of this
    -- table. Rows of books that version 0.1.0 made were numbered apart.
    draft_event_seq integer primary key,
    draft_seq       integer not null references drafts,
    -- Position in its draft's history, from 1.
    version         integer not null check (0 < version),
    id              text not null check (length(id) = 36),
    method          text not null,
    path            text not null,
    created_at_ms   integer not null,
    created_by      text not null,
    unique (draft_seq, version)
) strict;

-- The result of completing a draft: the orders that it created, or the order that it changed.
create table draft_orders (
    draft_seq integer not null references drafts,
    order_seq integer not null references orders,
    primary key (draft_seq, order_seq)
) strict, without rowid;

-- Like order_values, for drafts.
create table draft_values (
    account_seq integer not null references accounts,
    -- As in order_values. `order_id` is the draft's own order id, or that of the order it changes.
    filter      text not null,
    value       text not null,
    draft_seq   integer not null references drafts,
    primary key (account_seq, filter, value, draft_seq)
) strict, without rowid;

create index draft_values_by_draft on draft_values (draft_seq);

-- Like order_search, for drafts. The rowid is the draft_seq.
create virtual table draft_search using fts5 (
    words,
    content = '', contentless_delete = 1,
    tokenize = 'ascii',
    prefix = '10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29'
);

-- ── Payout rules ────────────────────────────────────────────────────────────────────────────

-- An account's rules for splitting money between destinations. Rows are never deleted, so that keys
-- can name them.
create table payout_rules (
    rule_seq      integer primary key,
    account_seq   integer not null references accounts,
    id            text not null unique check (length(id) = 36),
    -- What the rule is matched with. No check lists the words, so that a new one does not have to
    -- rebuild the table; `RuleType` in the code lists them.
    rule_type     text not null,
    -- The value that is matched, such as the id of a store.
    rule_id       text not null check (length(rule_id) between 1 and 200),
    -- ISO 4217; null if the rule is for every currency without a rule of its own.
    currency      text check (length(currency) = 3),
    -- The rule as sent, with its destinations, without the three columns above.
    document      text not null,
    created_at_ms integer not null,
    created_by    text not null,
    updated_at_ms integer not null,
    -- When and by whom the rule was deleted; null while it is in use.
    deleted_at_ms integer,
    deleted_by    text,
    check ((deleted_at_ms is null) = (deleted_by is null))
) strict;

create index payout_rules_by_account on payout_rules (account_seq, rule_seq);
create index payout_rules_in_use
    on payout_rules (account_seq, rule_seq) where deleted_at_ms is null;
create unique index payout_rules_by_key
    on payout_rules (account_seq, rule_type, rule_id, coalesce(currency, ''))
    where deleted_at_ms is null;

-- ── Orders ──────────────────────────────────────────────────────────────────────────────────

-- The names by which paths find an order: its id, its order id, and order ids that drafts have
-- reserved. They share one namespace per account.
create table order_names (
    account_seq integer not null references accounts,
    name        text not null check (length(name) between 1 and 64),
    -- The order with that name; null while a draft reserves the name, and after the order was
    -- removed.
    order_seq   integer references orders,
    -- The draft that reserved the name or, of a removed order, made it; null if there is none.
    draft_seq   integer references drafts,
    primary key (account_seq, name),
    check (order_seq is not null or draft_seq is not null)
) strict, without rowid;

-- The facts of an order that never change. Rows are never updated or deleted.
create table orders (
    order_seq     integer primary key,
    account_seq   integer not null references accounts,
    id            text not null check (length(id) = 36),
    -- The custom or generated order id; equal to `id` if there is neither.
    order_id      text not null check (length(order_id) between 1 and 64),
    -- The draft that created the order.
    draft_seq     integer not null references drafts,
    currency      text not null check (length(currency) = 3),
    created_at_ms integer not null,
    created_by    text not null
) strict;

create index orders_by_creation on orders (account_seq, created_at_ms);

-- The fields of an order that a client sent and may change or erase: customer, addresses, metadata.
create table order_documents (
    order_seq        integer primary key references orders,
    document         text not null,
    options_document text not null
) strict;

-- Like draft_items, for orders. An item that names no store of its own has the draft's store.
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
    -- The payout rule that was copied to the line when the draft was completed: JSON with
    -- `rule_type`, `rule_id` and `destinations`; null if the line has no payout. Never changed.
    payout_rule            text,
    primary key (order_seq, line_id)
) strict, without rowid;

-- The one small row that a payment operation reads and rewrites. The checks compare each word with
-- `=`, because SQLite builds a table at every row that it checks with `in` and more than two words.
create table ledgers (
    order_seq               integer primary key references orders,
    -- Copies of these three columns of orders, where they never change, so that lists and payment
    -- operations read no other table.
    account_seq             integer not null references accounts,
    order_id                text not null,
    currency                text not null check (length(currency) = 3),
    -- Sum of the lines, in thousandths of the currency's unit, so that orders in currencies with
    -- different decimals can be sorted. Changes only when a draft changes the lines.
    total_thousandths       integer not null,
    status                  text not null
        check (status = 'open' or status = 'closed' or status = 'cancelled'),
    -- Derived from `lines` on every change; `verify` checks it.
    payment_status          text not null
        check (payment_status = 'pending' or payment_status = 'partially_paid'
            or payment_status = 'paid' or payment_status = 'partially_refunded'
            or payment_status = 'refunded'),
    multiple_authorizations integer not null check (multiple_authorizations in (0, 1)),
    -- JSON array of all authorization ids, oldest first; [] without multiple_authorizations.
    authorizations          text not null,
    -- JSON array, sorted by line id, of
    --   [line_id, payable, authorized, captured, direct, cancelled, refunded, moved_by, parts,
    --    payout]
    -- payable is gross minus discount, with its sign. The five sums add up the successful
    -- operations, in units of that sign; direct is the part of captured that was captured before
    -- any authorization. moved_by is the event_seq that last changed a sum, or null. parts is []
    -- or, with multiple_authorizations, [position in authorizations, authorized, captured,
    -- cancelled, refunded] for each authorization of the line. payout is absent or
    --   [rule_type, rule_id, [[destination, weight], ...], [[authorization, boxes], ...]]
    -- with weights that add up to 10^12, a position in authorizations (null without
    -- multiple_authorizations), and [held, kept, refunded] for each destination.
    lines                   text not null,
    -- 1 if any line holds an authorized amount that is neither captured nor cancelled.
    holds                   integer not null check (holds in (0, 1)),
    -- Number of the order's events, and so the version of the last one.
    version                 integer not null check (0 <= version),
    -- The order's newest event, the head of the list that events.previous_seq links. Not declared
    -- as a reference, because SQLite would then copy every page that an operation changes.
    last_event_seq          integer,
    updated_at_ms           integer not null,
    -- When and by whom the order was closed; null unless it is closed now.
    closed_at_ms            integer,
    closed_by               text,
    -- When, by whom and why the order was cancelled; null unless it is cancelled.
    cancelled_at_ms         integer,
    cancelled_by            text,
    cancelled_reason        text
        check (cancelled_reason = 'customer' or cancelled_reason = 'merchant'
            or cancelled_reason = 'fraud' or cancelled_reason = 'expired'
            or cancelled_reason = 'other'),
    check ((status = 'closed') = (closed_at_ms is not null)),
    check ((status = 'cancelled') = (cancelled_at_ms is not null))
) strict;

-- Each index gives one list in its order. The columns after order_seq let a filter decide without
-- reading the row; a capture never changes them.
create index ledgers_by_account on ledgers (account_seq, order_seq);
create index ledgers_by_status on ledgers (account_seq, status, order_seq, currency);
create index ledgers_by_payment_status
    on ledgers (account_seq, payment_status, order_seq, status, currency);
create index ledgers_by_currency on ledgers (account_seq, currency, order_seq);
create index ledgers_by_total
    on ledgers (account_seq, total_thousandths, order_seq, status, currency);
create index ledgers_that_hold
    on ledgers (account_seq, order_seq, status, currency) where holds = 1;

-- Values for the list filters that no index of ledgers answers. Each value has one row per order.
-- They are computed from the order's documents and replaced when those change; payment operations
-- never touch them.
create table order_values (
    account_seq integer not null references accounts,
    -- The filter's name in a query string, such as `customer_id`. For the addresses of an
    -- itinerary, both the `id` and the `name` are values. No check lists the names, so that a new
    -- filter does not have to rebuild the table; `ValueFilter` in the code lists them.
    filter      text not null,
    value       text not null,
    order_seq   integer not null references orders,
    primary key (account_seq, filter, value, order_seq)
) strict, without rowid;

create index order_values_by_order on order_values (order_seq);

-- Sessions in which a payer pays an order on a page. A session reserves nothing.
create table order_sessions (
    session_seq     integer primary key,
    order_seq       integer not null references orders,
    -- Payment operations that belong to the session name it as metadata.session_id.
    id              text not null unique check (length(id) = 36),
    -- The secret part of the test page's address: 16 random bytes as base64url. Stored as it is,
    -- because the link is shown again, and its holder can do nothing but answer for this payer.
    -- Null if checkout_url is set.
    token           text unique check (length(token) = 22),
    -- The address of the merchant's own page, with the session's id in it; null for the test page.
    checkout_url    text,
    -- Sum of the items.
    amount          integer not null check (amount between 1 and 9007199254740991),
    -- The session as sent, with every item's amount. The request's `url` is called `urls`.
    document        text not null,
    -- An open session whose expires_at_ms has passed counts as expired everywhere; a sweep then
    -- sets the status.
    status          text not null
        check (status in ('open', 'completed', 'failed', 'cancelled', 'expired')),
    created_at_ms   integer not null,
    created_by      text not null,
    expires_at_ms   integer not null,
    -- When the payer put the payment on hold; null if they did not.
    held_at_ms      integer,
    -- When the session ended; null while the status is open.
    ended_at_ms     integer,
    -- The event of the successful operation that completed the session.
    transaction_seq integer references events,
    check ((token is null) <> (checkout_url is null)),
    check ((status = 'open') = (ended_at_ms is null)),
    check ((status = 'completed') = (transaction_seq is not null))
) strict;

create index order_sessions_by_order on order_sessions (order_seq, session_seq);
create index order_sessions_open on order_sessions (order_seq, session_seq)
    where status = 'open';
create index order_sessions_by_expiry on order_sessions (expires_at_ms) where status = 'open';

-- Callbacks of order sessions: one of each session that has ended, if its callback_url asks for it.
-- Inserted by the transaction that ends the session; the address and its query are made from the
-- session when it is called. Finished ones are deleted after 30 days.
create table session_callbacks (
    callback_seq  integer primary key,
    session_seq   integer not null references order_sessions,
    -- UUID v4, the header event-delivery, the same on every try.
    id            text not null check (length(id) = 36),
    state         text not null check (state in ('waiting', 'delivered', 'failed')),
    tries         integer not null check (tries between 0 and 20),
    -- When the next try is due; null once the callback is delivered or given up.
    next_at_ms    integer,
    created_at_ms integer not null,
    -- The last try: when it began, the status of the answer, and why it failed. Null before it.
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

-- Comments on orders, by API clients and back-office users.
create table order_comments (
    comment_seq   integer primary key,
    order_seq     integer not null references orders,
    id            text not null check (length(id) = 36),
    -- The event that added the comment. Deleting the comment erases the body of that request.
    event_seq     integer not null references events,
    -- The comment as sent; null once it has been deleted.
    document      text,
    created_at_ms integer not null,
    created_by    text not null,
    deleted_at_ms integer,
    deleted_by    text,
    check ((document is null) = (deleted_at_ms is not null))
) strict;

create index order_comments_by_order on order_comments (order_seq, comment_seq);

-- The search index of orders: words of the order id and of the e-mail addresses, names and phone
-- numbers of the customer and the addressees. The rowid is the order_seq. Only the index is stored,
-- not the text.
create virtual table order_search using fts5 (
    -- Words separated by spaces, folded by `store::words`, each cut to 20 characters and prefixed
    -- with the account id (nine characters). The tokenizer finds nothing in them to cut or to fold.
    -- A search matches the beginning of a word. There is one prefix index for each length, so every
    -- search reads one list of rows, newest first.
    words,
    content = '', contentless_delete = 1,
    tokenize = 'ascii',
    prefix = '10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29'
);

-- ── History ─────────────────────────────────────────────────────────────────────────────────

-- All events of all orders. Rows are appended and never updated or deleted. An order's events form
-- a linked list from the newest back, so that appending one updates no index.
create table events (
    -- Position in the journal, which the events of drafts are part of too.
    event_seq        integer primary key,
    order_seq        integer not null references ledgers,
    -- The order's previous event; null for the first. Not declared as a reference, because a
    -- capture would then have to read an old page; reading the list and `verify` report a missing
    -- event.
    previous_seq     integer,
    -- Position in its order's history, from 1.
    version          integer not null check (0 < version),
    id               text not null check (length(id) = 36),
    -- 'api' has a row in api_events and 'service' one in service_events. The other kinds are
    -- payment operations, which are stored entirely in this row.
    kind             text not null check (kind = 'api' or kind = 'service'
        or kind = 'authorization' or kind = 'capture' or kind = 'refund' or kind = 'cancellation'),
    created_at_ms    integer not null,
    created_by       text not null,
    -- The operation's public id. This column and the four after it belong to payment operations
    -- and are null for other events.
    operation_id     text check (length(operation_id) = 36),
    -- 1 if the gateway carried it out; 0 is recorded but changes no sum.
    success          integer check (success in (0, 1)),
    -- Sum of the operation's items.
    amount           integer check (abs(amount) <= 9007199254740991),
    -- The authorization that the operation draws on; set only with multiple_authorizations.
    authorization_id text check (length(authorization_id) <= 40),
    -- The complete operation as sent, including its items. Items of lines with a payout rule also
    -- have the `payout` that was computed.
    document         text,
    check (iif(kind = 'api' or kind = 'service',
        coalesce(operation_id, success, amount, authorization_id, document) is null,
        operation_id is not null and success is not null and amount is not null
            and document is not null))
) strict;

-- Changes to orders other than payment operations. Rows are never updated or deleted.
create table api_events (
    event_seq   integer primary key references events,
    method      text not null,
    path        text not null,
    -- The completed draft that created or changed the order; null if the order was changed
    -- directly.
    draft_seq   integer references drafts,
    -- SHA-256 of the body in request_bodies; null if the request had no body.
    body_sha256 blob check (length(body_sha256) = 32)
) strict;

-- Steps that other services reported about an order: events of kind `service`. Rows are never
-- updated or deleted.
create table service_events (
    event_seq      integer primary key references events,
    state          text not null check (state in ('error', 'failure', 'success', 'pending')),
    -- The name of the service.
    service        text not null,
    -- The service's own name for the step.
    service_status text not null,
    -- SHA-256 of the body in request_bodies, which also holds `description` and `metadata`.
    body_sha256    blob check (length(body_sha256) = 32)
) strict;

-- Request bodies of API and service events. They are kept apart from the events so that personal
-- data can be erased while the event and the body's hash remain.
create table request_bodies (
    event_seq integer primary key references events,
    body      text not null
) strict;

-- ── Expiry ──────────────────────────────────────────────────────────────────────────────────

-- When orders with `options.order_time_to_live` expire, and what came of it. An order without a
-- payment operation is removed: everything that a client sent about it is deleted, and its rows in
-- orders, ledgers, events and order_names stay and keep its ids taken. An order with an operation
-- is closed. Books of versions before this table have no rows for their orders.
create table order_expiries (
    order_seq      integer primary key references orders,
    -- The option, in seconds.
    lives_s        integer not null check (lives_s between 1 and 315360000),
    -- The order's created_at_ms plus lives_s.
    expires_at_ms  integer not null,
    -- 1 once the order has a payment operation, also a failed one.
    has_operations integer not null check (has_operations in (0, 1)),
    -- Null until a sweep has carried it out; reads compare expires_at_ms with the clock before.
    -- `kept` is an order with an operation that was closed or cancelled already.
    outcome        text check (outcome in ('closed', 'kept', 'removed')),
    -- The event that closed or removed the order.
    event_seq      integer references events,
    check (outcome is null or (outcome = 'kept') = (event_seq is null)),
    check (outcome is not null or event_seq is null),
    check (outcome is null or (outcome = 'removed') = (has_operations = 0))
) strict;

create index order_expiries_due on order_expiries (expires_at_ms) where outcome is null;
create index order_expiries_removed on order_expiries (order_seq) where outcome = 'removed';

-- When drafts expire, and which were removed. The rows of a removed draft in drafts, draft_events
-- and draft_orders stay, without anything that a client sent.
create table draft_expiries (
    draft_seq     integer primary key references drafts,
    -- The option, in seconds; null if the draft was removed with its order and had no such option.
    lives_s       integer check (lives_s between 1 and 315360000),
    -- The draft's created_at_ms plus lives_s; null once the draft was completed or removed, since
    -- it then ends with its orders.
    expires_at_ms integer,
    -- The moment from which it is gone, which may be before the sweep; null until then.
    removed_at_ms integer,
    check (lives_s is not null or removed_at_ms is not null),
    check (lives_s is not null or expires_at_ms is null)
) strict;

create index draft_expiries_due on draft_expiries (expires_at_ms) where removed_at_ms is null;
create index draft_expiries_removed on draft_expiries (draft_seq)
    where removed_at_ms is not null;

-- The time up to which the clock is trusted. If the clock is more than an hour ahead of it, nothing
-- that is due after it expires until a person confirms the clock.
create table expiry_clock (
    -- Always 1: the table has one row.
    one           integer primary key check (one = 1),
    trusted_at_ms integer not null
) strict;

insert into expiry_clock values (1, 0);

-- ── Stored answers ──────────────────────────────────────────────────────────────────────────

-- Answers to requests that carried an Idempotency-Key, written in the same transaction as the
-- change. Kept for 30 days; the newest 1,000 are kept at any age.
create table idempotency_keys (
    key_seq       integer primary key,
    -- The first 16 bytes of the SHA-256 of three lines: the account id; the id of the client or,
    -- for a form, of the user; the key.
    key_hash      blob not null unique check (length(key_hash) = 16),
    -- SHA-256 of method, path, query and canonical body; for a form, of its path and fields.
    fingerprint   blob not null check (length(fingerprint) = 32),
    -- The name of the row that the answer, which was a 200, is rendered from: `event` and the
    -- event_seq of an operation or of a service's event, `orders` and an order_seq, `draft` and a
    -- draft_seq (for the orders of a completed draft as well), or `payout_rule` and a rule_seq. Rows of earlier versions have the
    -- answer itself, several order_seqs, or the id of a form's operation or order.
    answer        text not null,
    created_at_ms integer not null
) strict;

-- ── Webhooks ────────────────────────────────────────────────────────────────────────────────

-- Subscriptions to events. A hook is a cursor into the journal, which is all rows of events and
-- draft_events in the order of their numbers: both draw them from one counter.
create table hooks (
    hook_seq          integer primary key,
    account_seq       integer not null references accounts,
    id                text not null unique check (length(id) = 36),
    url               text not null check (length(url) between 1 and 2048),
    -- The names of events, separated by one space.
    events            text not null check (0 < length(events)),
    -- JSON arrays of the paths to keep in bodies and to leave out; null if the hook has none.
    fields            text,
    exclude_fields    text,
    secret_type       text not null check (secret_type in ('HMAC-SHA1', 'Authorization')),
    -- The secret itself, because every delivery is signed with it.
    secret            text not null check (length(secret) between 1 and 1000),
    -- The secret before the last rotation, and until when it signs as well.
    previous_secret   text check (length(previous_secret) between 1 and 1000),
    previous_until_ms integer,
    -- The last event of the journal whose deliveries were made.
    through_seq       integer not null check (0 <= through_seq),
    -- When and why the hook was paused: by request, because its receiver answered 410, or because
    -- every delivery failed for 75 hours. Null while it is active.
    paused_at_ms      integer,
    paused_because    text check (paused_because in ('request', 'gone', 'failing')),
    -- The first failed try since the last success, and how many deliveries failed their first try
    -- since then; null and 0 after a success.
    failing_since_ms  integer,
    failing_count     integer not null check (0 <= failing_count),
    -- All deliveries that succeeded and that were given up, those deleted since included.
    delivered_count   integer not null check (0 <= delivered_count),
    failed_count      integer not null check (0 <= failed_count),
    created_at_ms     integer not null,
    created_by        text not null,
    updated_at_ms     integer not null,
    -- When and by whom the hook was deleted; null unless it is.
    deleted_at_ms     integer,
    deleted_by        text,
    check ((previous_secret is null) = (previous_until_ms is null)),
    check ((paused_at_ms is null) = (paused_because is null)),
    check ((deleted_at_ms is null) = (deleted_by is null))
) strict;

create index hooks_by_account on hooks (account_seq, hook_seq);

-- The deliveries of hooks, one per event and hook; pings too.
create table deliveries (
    delivery_seq     integer primary key,
    hook_seq         integer not null references hooks,
    -- The event-delivery and webhook-id of every try.
    id               text not null check (length(id) = 36),
    -- The name of the event, or `ping`.
    event            text not null,
    -- The row of events or of draft_events that the delivery is about; both null for a ping.
    event_seq        integer references events,
    draft_event_seq  integer references draft_events,
    state            text not null
        check (state in ('waiting', 'delivered', 'failed', 'skipped')),
    -- Tries so far in the present round; sending a delivery again begins a new round.
    tries            integer not null check (0 <= tries),
    -- When the next try is due; 0 for a first try, which is due at once and in the order of the
    -- rows; null unless the delivery is waiting.
    next_at_ms       integer,
    created_at_ms    integer not null,
    -- The last try: when it began, how long it took, the status of the answer (null if there was
    -- none), why it failed, and the beginning of the answer; its headers are a JSON object.
    tried_at_ms      integer,
    duration_ms      integer,
    status           integer,
    error            text check (length(error) <= 500),
    response_headers text,
    response         text check (length(response) <= 4096),
    -- Bytes of the body, also after it was deleted.
    bytes            integer not null check (0 <= bytes),
    check ((next_at_ms is not null) = (state = 'waiting')),
    check (event_seq is null or draft_event_seq is null)
) strict;

create index deliveries_by_hook on deliveries (hook_seq, delivery_seq);
create index deliveries_that_wait on deliveries (hook_seq, next_at_ms, delivery_seq, bytes)
    where state = 'waiting';

-- The bodies of deliveries, kept apart so that the outcome of a try rewrites only a small row. A
-- body is deleted seven days after its delivery was made, unless the delivery is still waiting.
create table delivery_bodies (
    delivery_seq integer primary key references deliveries,
    body         text not null
) strict;

-- ── Append-only tables ──────────────────────────────────────────────────────────────────────

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
create trigger clock_jumps_are_not_changed before update on clock_jumps
begin select raise(abort, 'clock jumps are not changed'); end;
create trigger clock_jumps_are_not_deleted before delete on clock_jumps
begin select raise(abort, 'clock jumps are not deleted'); end;
create trigger removed_orders_stay_removed before update on order_expiries
    when old.outcome = 'removed'
begin select raise(abort, 'a removed order stays removed'); end;
create trigger removed_orders_are_not_forgotten before delete on order_expiries
    when old.outcome = 'removed'
begin select raise(abort, 'a removed order stays removed'); end;
create trigger removed_drafts_stay_removed before update on draft_expiries
    when old.removed_at_ms is not null and new.removed_at_ms is null
begin select raise(abort, 'a removed draft stays removed'); end;
create trigger removed_drafts_are_not_forgotten before delete on draft_expiries
    when old.removed_at_ms is not null
begin select raise(abort, 'a removed draft stays removed'); end;
