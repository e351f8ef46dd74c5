drop table if exists shared_attempts;
