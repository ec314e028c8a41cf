-- Sample rows of a book with schema 1: later migrations are tested on them.
insert into signing_keys values ('k', zeroblob(32), 1);
insert into accounts values (1, 'T00000001', 'Butikken på hjørnet', 'NOK', 'Europe/Oslo', 1);
insert into clients values
    (1, '00000000-0000-4000-8000-000000000001', 1, 'web', zeroblob(32), 'admin:shopping', 1, null);
insert into users values
    (1, '00000000-0000-4000-8000-000000000007', 'kari@example.no', 'owner', '$argon2id$', 5, null);
insert into user_accounts values (1, 1);
insert into sessions values
    (zeroblob(32), 1, 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 6, 7);
insert into sign_in_links values (zeroblob(32), null, 8);
insert into sign_in_attempts values (zeroblob(32), 3, 9);
insert into drafts
    (draft_seq, account_seq, id, status, currency, order_name, store_id, document, store_document,
     options_document, generate_order_id, split_draft, multiple_authorizations, created_at_ms,
     created_by, updated_at_ms, amends, replaces, version)
    values (1, 1, '00000000-0000-4000-8000-000000000002', 'completed', 'NOK', null, null, '{}',
     null, '{}', 'UUID', 1, 0, 2, 'c', 3, null, 0, 1);
insert into draft_items values (1, 1, 0, 39800, 800, 0, 7800, null, '{"id":"chair"}', 0);
insert into draft_events values
    (1, 1, 1, '00000000-0000-4000-8000-000000000008', 'PUT', '/draft', 3, 'c');
insert into draft_values values (1, 'store_id', 'torget', 1);
insert into draft_search (rowid, words) values (1, 'T00000001ola T00000001example');
insert into orders values
    (1, 1, '00000000-0000-4000-8000-000000000003', '00000000-0000-4000-8000-000000000003', 1, 'NOK',
     3, 'c');
insert into draft_orders values (1, 1);
insert into order_names values (1, '00000000-0000-4000-8000-000000000003', 1, null);
insert into order_documents values (1, '{"customer":{"email":"ola@example.no"}}', '{}');
insert into order_items values (1, 1, 0, 39800, 800, 0, 7800, null, '{"id":"chair"}', 0);
insert into order_values values (1, 'store_id', 'torget', 1);
insert into order_search (rowid, words) values (1, 'T00000001ola T00000001example');
insert into ledgers
    (order_seq, account_seq, order_id, currency, total_thousandths, status, payment_status,
     multiple_authorizations, authorizations, lines, holds, version, last_event_seq, updated_at_ms)
    values (1, 1, '00000000-0000-4000-8000-000000000003', 'NOK', 390000, 'open',
     'partially_refunded', 0, '[]', '[[1,39000,0,39000,39000,0,1000,4,[]]]', 0, 4, 4, 9);
insert into events (event_seq, order_seq, previous_seq, version, id, kind, created_at_ms, created_by)
    values
    (1, 1, null, 1, '00000000-0000-4000-8000-000000000004', 'api', 3, 'c'),
    (3, 1, 2, 3, '00000000-0000-4000-8000-00000000000a', 'service', 8, 'c');
insert into events values
    (2, 1, 1, 2, '00000000-0000-4000-8000-000000000005', 'capture', 4, 'c',
     '00000000-0000-4000-8000-000000000006', 1, 39000, null,
     '{"items":[{"line_id":1,"amount":39000}],'
         || '"metadata":{"session_id":"00000000-0000-4000-8000-00000000000e"}}'),
    (4, 1, 3, 4, '00000000-0000-4000-8000-00000000000b', 'refund', 9, 'c',
     '00000000-0000-4000-8000-00000000000c', 1, 1000, null,
     '{"items":[{"line_id":1,"amount":1000}]}');
insert into api_events values (1, 'PUT', '/complete', 1, zeroblob(32));
insert into service_events values (3, 'success', 'kitchen', 'prepared', zeroblob(32));
insert into request_bodies values (1, '{}'), (3, '{"state":"success"}');
insert into order_comments values
    (1, 1, '00000000-0000-4000-8000-000000000009', 1, '{"comment":"Ring twice"}', 8, 'c', null,
     null);
insert into idempotency_keys values (1, zeroblob(16), zeroblob(32), '{}', 4);
