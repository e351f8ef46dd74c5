-- Takes away what 000010 brought. cell_at, cell_id and parents_of work on alone as far as they did before: the files that
-- made them take them away. Functions go by their number: see 000002.
do $migration$
declare
    f regprocedure;
begin
    for f in
        select p.oid from pg_proc p
        where p.pronamespace = (select oid from pg_namespace where nspname = current_schema())
          and p.proname in ('points_per_cell', 'points_per_cell_query', 'points_outside', 'points_query', 'places_query', 'hexagons_query', 'quotient_query',
                            'product_query', 'boxes_query', 'relation_name', 'once_query', 'rows_of', 'cells', 'cells_in', 'cell_geom', 'cell_shape', 'geometry_of', 'lattice_point', 'schemas')
          and obj_description(p.oid, 'pg_proc') ~ '^(of )?loadgrid: '
    loop
        execute 'drop function ' || f;
    end loop;
end;
$migration$;
