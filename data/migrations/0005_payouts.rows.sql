insert into payout_rules values
    (1, 1, '00000000-0000-4000-8000-000000000011', 'order.items.store.id', 'torget', 'NOK',
     '{"destinations":[{"type":"percentage","value":100,"destination":"torget"}]}', 10, 'c', 11,
     null, null);
