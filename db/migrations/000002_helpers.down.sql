-- Takes away what 000002 brought. The ledger's schema is the whole search_path here, so
-- PostGIS's type in an argument list would not be found: functions go by their number.
do $migration$
declare
    f regprocedure;
begin
    for f in
        select p.oid from pg_proc p
        where p.pronamespace = (select oid from pg_namespace where nspname = current_schema())
          and p.proname in ('cell_at', 'grid_of', 'cell_parent', 'cell_neighbours', 'cell_row', 'cell_col', 'cell_id')
          and obj_description(p.oid, 'pg_proc') like 'loadgrid: %'
    loop
        execute 'drop function ' || f;
    end loop;
end
$migration$;

drop index if exists runs_oid_idx;
alter table if exists runs drop column if exists aoi;
