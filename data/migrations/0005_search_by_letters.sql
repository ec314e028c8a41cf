-- What an order is found by: words that carry their account, with an index for every number of
-- letters typed, so that a search reads one list, from its newest row. Before, what was longer
-- than four letters gathered all rows that it finds, and then sorted out one account's.
--
-- The words are read from the old index, which is all that has kept them. It knew no combining
-- vowel signs: names in scripts that write them are found by what stands before the first.

alter table order_search rename to old_order_search;
create virtual table old_order_words using fts5vocab (old_order_search, instance);

create virtual table order_search using fts5 (
    words,
    content = '', contentless_delete = 1,
    tokenize = "unicode61 categories 'L* M* N* Co'",
    prefix = '10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29'
);

insert into order_search (rowid, words)
select order_seq, group_concat(accounts.account_id || substr(term, 1, 20), ' ')
from old_order_words join orders on order_seq = doc join accounts using (account_seq)
where col = 'words' group by order_seq;

drop table old_order_words;
drop table old_order_search;

alter table draft_search rename to old_draft_search;
create virtual table old_draft_words using fts5vocab (old_draft_search, instance);

create virtual table draft_search using fts5 (
    words,
    content = '', contentless_delete = 1,
    tokenize = "unicode61 categories 'L* M* N* Co'",
    prefix = '10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29'
);

insert into draft_search (rowid, words)
select draft_seq, group_concat(accounts.account_id || substr(term, 1, 20), ' ')
from old_draft_words join drafts on draft_seq = doc join accounts using (account_seq)
where col = 'words' group by draft_seq;

drop table old_draft_words;
drop table old_draft_search;
