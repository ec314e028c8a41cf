-- Wrong passwords, so that guessing is slowed across restarts; what each column means is said in
-- ../schema.sql.

create table sign_in_attempts (
    name_sha256 blob primary key check (length(name_sha256) = 32),
    failures    integer not null check (1 <= failures),
    last_at_ms  integer not null
) strict, without rowid;
