-- Which run's rows a table shows, and under which name a version that was replaced
-- is kept. Every statement may be run again.

alter table runs add column if not exists version_id bigint;
alter table runs add column if not exists shown boolean not null default false;
alter table runs add column if not exists kept_name text;
alter table runs add column if not exists kept_no bigint;

comment on column runs.version_id is 'the run that made the version of the table which has the rows: this one, or the one it appended to';
comment on column runs.shown is 'the table shows the rows of this run';
comment on column runs.kept_name is 'the table that keeps the rows of this run since others took their place';
comment on column runs.kept_no is 'the order in which the versions of a table that are kept were put away';

-- What earlier versions of the program have published, as far as it can be told.
update runs r set version_id = coalesce(
    (select max(b.id) from runs b
     where b.schema_name = r.schema_name and b.table_name = r.table_name and b.state = 'published'
       and b.id <= r.id and b.job ->> 'if_exists' <> 'append'), r.id)
where r.state = 'published' and r.version_id is null;

update runs r set shown = true
from (select schema_name, table_name, max(version_id) as version_id from runs where state = 'published' group by 1, 2) latest
where r.state = 'published' and not r.shown and r.kept_name is null
  and (latest.schema_name, latest.table_name, latest.version_id) = (r.schema_name, r.table_name, r.version_id)
  and exists (select from pg_class c join pg_namespace n on n.oid = c.relnamespace
              where c.oid = r.table_oid and n.nspname = r.schema_name and c.relname = r.table_name);

-- A partitioned table stays when its partitions are replaced: several runs have
-- published it, and the one that it shows is asked for.
do $migration$
begin
    -- The end of the text is one that no name has: see 000002.
    execute replace(replace(
$sql$
create or replace function ledger.grid_of(tab regclass) returns jsonb
language plpgsql stable strict parallel safe as $body$
declare
    grid jsonb := (select r.job -> 'grid' from ledger.runs r where r.table_oid = tab and r.state = 'published'
                   order by r.shown desc, r.id desc limit 1);
begin
    if grid is null then
        raise exception 'grid_of: no run published table %, as far as this ledger knows', tab
            using errcode = 'undefined_object', hint = 'Was it loaded with loadgrid, and with this ledger schema?';
    end if;
    return grid;
end
$body$
$sql$, '$body$', '$x' || md5(current_schema()) || '$'), 'ledger.', quote_ident(current_schema()) || '.');
end;
$migration$;
