-- When orders and drafts expire, and what has expired. ../schema.sql explains every column.

create table order_expiries (
    order_seq      integer primary key references orders,
    lives_s        integer not null check (lives_s between 1 and 315360000),
    expires_at_ms  integer not null,
    has_operations integer not null check (has_operations in (0, 1)),
    outcome        text check (outcome in ('closed', 'kept', 'removed')),
    event_seq      integer references events,
    check (outcome is null or (outcome = 'kept') = (event_seq is null)),
    check (outcome is not null or event_seq is null),
    check (outcome is null or (outcome = 'removed') = (has_operations = 0))
) strict;

create index order_expiries_due on order_expiries (expires_at_ms) where outcome is null;
create index order_expiries_removed on order_expiries (order_seq) where outcome = 'removed';

create table draft_expiries (
    draft_seq     integer primary key references drafts,
    lives_s       integer check (lives_s between 1 and 315360000),
    expires_at_ms integer,
    removed_at_ms integer,
    check (lives_s is not null or removed_at_ms is not null),
    check (lives_s is not null or expires_at_ms is null)
) strict;

create index draft_expiries_due on draft_expiries (expires_at_ms) where removed_at_ms is null;
create index draft_expiries_removed on draft_expiries (draft_seq)
    where removed_at_ms is not null;

create index drafts_that_amend on drafts (account_seq, amends) where amends is not null;

create table expiry_clock (
    one           integer primary key check (one = 1),
    trusted_at_ms integer not null
) strict;

insert into expiry_clock values (1, 0);

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
