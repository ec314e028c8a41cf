insert into order_expiries values (1, 60, 60003, 1, 'kept', null);
insert into draft_expiries values (1, 60, null, null);
