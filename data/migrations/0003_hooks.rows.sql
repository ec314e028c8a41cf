insert into hooks values
    (1, 1, '00000000-0000-4000-8000-00000000000d', 'https://shop.example/hook',
     'shopping_order_update shopping_draft_add', '["order.id"]', null, 'HMAC-SHA1', 'whsec_bmV3',
     'old', 86400000, 4, 900000, 'request', 800000, 2, 5, 1, 10, 'c', 900000, null, null);
insert into deliveries values
    (1, 1, '00000000-0000-4000-8000-00000000000e', 'shopping_order_update', 4, null, 'waiting', 2,
     950000, 11, 12, 30, 503, 'the status is not 2xx', '{"retry-after":"1"}', 'busy', 2),
    (2, 1, '00000000-0000-4000-8000-00000000000f', 'shopping_draft_add', null, 1, 'delivered', 1,
     null, 11, 12, 30, 200, null, null, null, 2),
    (3, 1, '00000000-0000-4000-8000-000000000010', 'ping', null, null, 'failed', 10, null, 11, 12,
     30, null, 'connection refused', null, null, 2);
insert into delivery_bodies values (1, '{}');
