insert into order_sessions values
    (1, 1, '00000000-0000-4000-8000-00000000000d', 'aaaaaaaaaaaaaaaaaaaaaa', null, 39000,
     '{"items":[{"line_id":"1","amount":39000}]}', 'open', 9, 'c', 86400009, null, null, null),
    (2, 1, '00000000-0000-4000-8000-00000000000e', null, 'https://shop.example/pay/2', 39000,
     '{"items":[{"line_id":"1","amount":39000}]}', 'completed', 3, 'c', 86400003, null, 4, 2);
