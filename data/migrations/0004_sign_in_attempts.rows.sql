-- Rows as a book of the fourth schema has them, for the steps that come after it to run on.
insert into sign_in_attempts values (zeroblob(32), 3, 9);
