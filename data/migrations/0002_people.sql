-- Who works in the back office; what each column means is said in ../schema.sql.

create table users (
    user_seq       integer primary key,
    user_id        text not null unique check (length(user_id) = 36),
    email          text not null unique check (length(email) between 3 and 254 and email = lower(email)),
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
