drop table if exists starts;
alter table if exists runs drop column if exists imprint;
alter table if exists runs drop column if exists rows_added;
alter table if exists runs drop column if exists published_xid;
alter table if exists runs drop column if exists job_name;
