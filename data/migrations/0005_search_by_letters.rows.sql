-- Rows as a book of the fifth schema has them, for the steps that come after it to run on.
delete from order_search where rowid = 1;
insert into order_search (rowid, words) values (1, 'T00000001ola T00000001example');
