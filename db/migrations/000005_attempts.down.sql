-- The table gets its name of before, with what it holds. What uses the view is in the way,
-- as what uses a table is for 000004.
do $migration$
declare
    c name;
begin
    if not exists (select from pg_constraint where conrelid = to_regclass('attempts') and confrelid = to_regclass('runs') and contype = 'f') then
        return;
    end if;
    if exists (select from pg_class where oid = to_regclass('starts') and relkind = 'v') then
        drop view starts;
    end if;
    alter table attempts rename to starts;
    for c in select conname from pg_constraint where conrelid = 'starts'::regclass and starts_with(conname, 'attempts_') loop
        execute format('alter table starts rename constraint %I to %I', c, 'starts' || substr(c, 9));
    end loop;
    comment on table starts is 'loadgrid: starts of runs, of which those after the first have resumed it';
    comment on column starts.rows is 'rows that this start has copied and committed';
end;
$migration$;
