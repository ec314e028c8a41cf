-- Rows as a book of the second schema has them, for the steps that come after it to run on.
insert into users values
    (1, '00000000-0000-4000-8000-000000000007', 'kari@example.no', 'owner', '$argon2id$', 5, null);
insert into user_accounts values (1, 1);
insert into sessions values
    (zeroblob(32), 1, 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 6, 7);
insert into sign_in_links values (zeroblob(32), null, 8);
