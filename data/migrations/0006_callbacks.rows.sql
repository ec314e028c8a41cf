insert into session_callbacks values
    (1, 2, '00000000-0000-4000-8000-000000000010', 'waiting', 1, 5004, 4, 4, 500, 'no'),
    (2, 2, '00000000-0000-4000-8000-000000000011', 'delivered', 1, null, 4, 5, 200, null);
