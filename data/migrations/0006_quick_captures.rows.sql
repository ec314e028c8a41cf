-- Rows as a book of the sixth schema has them, for the steps that come after it to run on.
insert into idempotency_keys values (2, zeroblob(16), zeroblob(32), '{}', 4);
insert into events values
    (4, 1, 3, 4, '00000000-0000-4000-8000-00000000000b', 'refund', 9, 'c',
     '00000000-0000-4000-8000-00000000000c', 1, 1000, null,
     '{"items":[{"line_id":1,"amount":1000}]}');
