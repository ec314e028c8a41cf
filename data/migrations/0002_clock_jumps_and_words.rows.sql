insert into clock_jumps values (1, 1, 1, 1, 900000, 100000);
