-- Jumps of the clock, and an index whose words the program cuts and folds by itself: the program
-- fills it anew after this step. ../schema.sql explains every column.

create table clock_jumps (
    jump_seq   integer primary key,
    event_seq  integer not null,
    order_seq  integer not null,
    draft_seq  integer not null,
    from_at_ms integer not null,
    to_at_ms   integer not null,
    check (300000 < from_at_ms - to_at_ms)
) strict;

create trigger clock_jumps_are_not_changed before update on clock_jumps
begin select raise(abort, 'clock jumps are not changed'); end;
create trigger clock_jumps_are_not_deleted before delete on clock_jumps
begin select raise(abort, 'clock jumps are not deleted'); end;

drop table draft_search;
create virtual table draft_search using fts5 (
    words,
    content = '', contentless_delete = 1,
    tokenize = 'ascii',
    prefix = '10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29'
);

drop table order_search;
create virtual table order_search using fts5 (
    words,
    content = '', contentless_delete = 1,
    tokenize = 'ascii',
    prefix = '10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29'
);
