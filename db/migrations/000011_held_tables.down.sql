drop table if exists held_tables;
