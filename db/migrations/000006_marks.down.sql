-- Takes away what 000006 brought. grid_of is the one of 000003 again; cell_at stays, which
-- needs nothing of 000006. Functions go by their number: see 000002.
do $migration$
declare
    f regprocedure;
begin
    for f in
        select p.oid from pg_proc p
        where p.pronamespace = (select oid from pg_namespace where nspname = current_schema())
          and (p.proname in ('run_of', 'key_mark', 'key_text', 'key_comment') and obj_description(p.oid, 'pg_proc') like 'of loadgrid: %'
               or p.proname in ('cell_neighbours', 'cell_parent') and p.proargtypes[0] = 'regclass'::regtype
                  and obj_description(p.oid, 'pg_proc') like 'loadgrid: %')
    loop
        execute 'drop function ' || f;
    end loop;
    if to_regclass('runs') is null then
        return;
    end if;

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

drop table if exists marks;
drop table if exists identity;
