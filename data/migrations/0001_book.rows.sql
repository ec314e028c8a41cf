-- Rows as a book of the first schema has them, for the steps that come after it to run on.
insert into signing_keys values ('k', zeroblob(32), 1);
insert into accounts values (1, 'T00000001', 'Butikken på hjørnet', 'NOK', 'Europe/Oslo', 1);
insert into clients values
    (1, '00000000-0000-4000-8000-000000000001', 1, 'web', zeroblob(32), 'admin:shopping', 1, null);
insert into drafts values
    (1, 1, '00000000-0000-4000-8000-000000000002', 'completed', 'NOK', null, null, '{}', null, '{}',
     'UUID', 1, 0, 2, 'c', 3);
insert into draft_items values (1, 1, 0, 39800, 800, 0, 7800, null, '{"id":"chair"}');
insert into orders values
    (1, 1, '00000000-0000-4000-8000-000000000003', '00000000-0000-4000-8000-000000000003', 1, 'NOK',
     3, 'c');
insert into order_documents values (1, '{"customer":{"email":"ola@example.no"}}', '{}');
insert into order_items values (1, 1, 0, 39800, 800, 0, 7800, null, '{"id":"chair"}');
insert into order_names values (1, '00000000-0000-4000-8000-000000000003', 1, null);
insert into order_search (rowid, account, words) values (1, 'T00000001', 'ola example no');
insert into events values
    (1, 1, null, 1, '00000000-0000-4000-8000-000000000004', 'api', 3, 'c'),
    (2, 1, 1, 2, '00000000-0000-4000-8000-000000000005', 'capture', 4, 'c');
insert into api_events values (1, 'PUT', '/complete', 1, zeroblob(32));
insert into request_bodies values (1, '{}');
insert into operations values
    (2, '00000000-0000-4000-8000-000000000006', 1, 39000, null,
     '{"items":[{"line_id":1,"amount":39000}]}');
insert into ledgers values
    (1, 1, 'NOK', 390000, 'open', 'paid', 0, '[]', '[[1,39000,0,39000,39000,0,0,2,[]]]', 0, 2, 2,
     4, null, null, null, null, null);
insert into order_stores values (1, 'torget', 1);
insert into idempotency_keys values (1, 1, 'c', 'key', zeroblob(32), '{}', 4);
