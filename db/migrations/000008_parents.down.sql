-- Takes away what 000008 brought. Functions go by their number: see 000002.
do $migration$
declare
    f regprocedure;
begin
    for f in
        select p.oid from pg_proc p
        where p.pronamespace = (select oid from pg_namespace where nspname = current_schema())
          and p.proname in ('parents_of', 'cells_between') and obj_description(p.oid, 'pg_proc') ~ '^(of )?loadgrid: '
    loop
        execute 'drop function ' || f;
    end loop;
end;
$migration$;
