-- Rows as a book of the sixth schema has them, for the steps that come after it to run on.
insert into idempotency_keys values (2, zeroblob(16), zeroblob(32), '{}', 4);
