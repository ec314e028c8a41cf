-- Payout rules, and the rules that were copied to the lines of orders. ../schema.sql explains every
-- column.

create table payout_rules (
    rule_seq      integer primary key,
    account_seq   integer not null references accounts,
    id            text not null unique check (length(id) = 36),
    rule_type     text not null,
    rule_id       text not null check (length(rule_id) between 1 and 200),
    currency      text check (length(currency) = 3),
    document      text not null,
    created_at_ms integer not null,
    created_by    text not null,
    updated_at_ms integer not null,
    deleted_at_ms integer,
    deleted_by    text,
    check ((deleted_at_ms is null) = (deleted_by is null))
) strict;

create index payout_rules_by_account on payout_rules (account_seq, rule_seq);
create index payout_rules_in_use
    on payout_rules (account_seq, rule_seq) where deleted_at_ms is null;
create unique index payout_rules_by_key
    on payout_rules (account_seq, rule_type, rule_id, coalesce(currency, ''))
    where deleted_at_ms is null;

alter table order_items add column payout_rule text;
