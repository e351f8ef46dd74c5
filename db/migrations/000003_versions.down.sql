alter table if exists runs drop column if exists kept_no;
alter table if exists runs drop column if exists kept_name;
alter table if exists runs drop column if exists shown;
alter table if exists runs drop column if exists version_id;
