drop table if exists shared;
