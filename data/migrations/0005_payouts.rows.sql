insert into payout_rules values
    (1, 1, '00000000-0000-4000-8000-000000000011', 'order.items.store.id', 'torget', 'NOK',
     '{"destinations":[{"type":"percentage","value":100,"destination":"torget"}]}', 10, 'c', 11,
     null, null);
update order_items set payout_rule =
    '{"rule_type":"order.items.store.id","rule_id":"torget","destinations":[{"type":"percentage","value":100,"destination":"torget"}]}';
update ledgers set lines =
    '[[1,39000,0,39000,39000,0,1000,4,[],["order.items.store.id","torget",[["torget",1000000000000]],[[null,[[0,38000,1000]]]]]]]';
