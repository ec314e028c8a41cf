-- Rows as a book of the third schema has them, for the steps that come after it to run on.
insert into draft_events values
    (1, 1, 1, '00000000-0000-4000-8000-000000000008', 'PUT', '/draft', 3, 'c');
insert into draft_values values (1, 'store_id', 'torget', 1);
insert into draft_search (rowid, account, words) values (1, 'T00000001', 'ola example no');
insert into order_comments values
    (1, 1, '00000000-0000-4000-8000-000000000009', 2, '{"comment":"Ring twice"}', 8, 'c', null, null);
insert into events values
    (3, 1, 2, 3, '00000000-0000-4000-8000-00000000000a', 'service', 8, 'c');
insert into service_events values (3, 'success', 'kitchen', 'prepared', zeroblob(32));
insert into request_bodies values (3, '{"state":"success"}');
update ledgers set version = 3, last_event_seq = 3;
