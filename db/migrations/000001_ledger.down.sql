drop table if exists chunks;
drop table if exists runs;
