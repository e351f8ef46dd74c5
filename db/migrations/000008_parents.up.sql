-- Which parents the cells of a window have, of a table that is distributed by parent: a query
-- with these in it asks the shards alone that hold them. Every statement may be run again.
--
-- The functions run in sessions of readers, whatever their search_path is, so what they call
-- has its schema: see 000006.
do $migration$
declare
    statement text;
begin
    foreach statement in array array[

-- Along one direction of a lattice, cell k reaches from line stride * k - before to line
-- stride * k + after. A line is computed as the loader does it, so the answer is right to the
-- last bit. Quotients are only a first guess, some cells too far away.
$sql$
create or replace function ledger.cells_between(origin double precision, step double precision, stride integer, before integer, after integer,
    low double precision, high double precision, out first bigint, out last bigint)
language plpgsql immutable strict parallel safe as $body$
declare
    reach pg_catalog.float8;
    d pg_catalog.float8;
    k pg_catalog.float8;
begin
    first := -1073741824;
    last := 1073741823;
    if step operator(pg_catalog.<) '1e-150' or step operator(pg_catalog.>) '1e150' or pg_catalog.abs(origin) operator(pg_catalog.>) '1e150' then
        return; -- at the ends of what a number can be: all cells
    end if;

    reach := '8589934592' operator(pg_catalog.*) step; -- no cell is that far away
    low := greatest(low, origin operator(pg_catalog.-) reach);
    high := least(high, origin operator(pg_catalog.+) reach);
    if not low operator(pg_catalog.<=) high then
        last := first operator(pg_catalog.-) 1;
        return;
    end if;

    d := low operator(pg_catalog.-) origin;
    d := case when pg_catalog.abs(d) operator(pg_catalog.>) '1e-150' then d operator(pg_catalog./) step else '0' end;
    k := pg_catalog.floor((d operator(pg_catalog.-) after) operator(pg_catalog./) stride) operator(pg_catalog.-) '2';
    while (origin operator(pg_catalog.+) (((stride operator(pg_catalog.*) k) operator(pg_catalog.+) after) operator(pg_catalog.*) step)) operator(pg_catalog.<) low loop
        k := k operator(pg_catalog.+) '1';
    end loop;
    first := greatest(first, k::pg_catalog.int8);

    d := high operator(pg_catalog.-) origin;
    d := case when pg_catalog.abs(d) operator(pg_catalog.>) '1e-150' then d operator(pg_catalog./) step else '0' end;
    k := pg_catalog.ceil((d operator(pg_catalog.+) before) operator(pg_catalog./) stride) operator(pg_catalog.+) '2';
    while (origin operator(pg_catalog.+) (((stride operator(pg_catalog.*) k) operator(pg_catalog.-) before) operator(pg_catalog.*) step)) operator(pg_catalog.>) high loop
        k := k operator(pg_catalog.-) '1';
    end loop;
    last := least(last, k::pg_catalog.int8);
end
$body$
$sql$,

$sql$
comment on function ledger.cells_between(double precision, double precision, integer, integer, integer, double precision, double precision) is
'of loadgrid: the first and the last cell along one direction of a grid that meet what lies from low to high'
$sql$,

$sql$
create or replace function ledger.parents_of(grid jsonb, levels integer, xmin double precision, ymin double precision, xmax double precision, ymax double precision)
returns bigint[]
language plpgsql immutable strict parallel safe as $body$
declare
    x0 pg_catalog.float8 := grid operator(pg_catalog.->>) 'x0'::pg_catalog.text;
    y0 pg_catalog.float8 := grid operator(pg_catalog.->>) 'y0'::pg_catalog.text;
    dx pg_catalog.float8 := grid operator(pg_catalog.->>) 'dx'::pg_catalog.text;
    dy pg_catalog.float8 := grid operator(pg_catalog.->>) 'dy'::pg_catalog.text;
    shape pg_catalog.text := coalesce(grid operator(pg_catalog.->>) 'shape'::pg_catalog.text, 'square');
    turn pg_catalog.float8 := coalesce(grid operator(pg_catalog.->>) 'rotate'::pg_catalog.text, '0');
    half pg_catalog.float8; sine pg_catalog.float8; cosine pg_catalog.float8;
    us pg_catalog.float8[]; vs pg_catalog.float8[];
    height pg_catalog.float8;
    -- Columns and the rows of each of them; of pointy hexagons rows, and the columns of each. Every
    -- second column of hexagons lies half a cell higher: odd ones have rows of their own.
    pointy boolean := shape operator(pg_catalog.=) 'hexagon-pointy';
    a record; even record; odd record;
    highest bigint;
    count pg_catalog.float8;
begin
    if x0 is null or y0 is null or dx is null or dy is null or not dx operator(pg_catalog.>) '0' or not dy operator(pg_catalog.>) '0' then
        raise exception 'parents_of: % is no grid: x0, y0, dx and dy must be there, as grid_of gives them', grid
            using errcode = 'invalid_parameter_value';
    end if;
    if levels operator(pg_catalog.<) 1 or levels operator(pg_catalog.>) 30 then
        raise exception 'parents_of: a parent is 1 to 30 levels above its cells, not %', levels
            using errcode = 'invalid_parameter_value';
    end if;

    if turn operator(pg_catalog.<>) '0' then
        -- The centres of the cells whose boxes meet the window lie within half a box of it. What
        -- is around them in the grid's own directions has some more cells.
        half := ((dx operator(pg_catalog.+) dy) operator(pg_catalog./) '2') operator(pg_catalog.*) '1.001';
        sine := pg_catalog.sind(turn);
        cosine := pg_catalog.cosd(turn);
        select pg_catalog.array_agg((cosine operator(pg_catalog.*) p.x) operator(pg_catalog.+) (sine operator(pg_catalog.*) p.y)),
               pg_catalog.array_agg((cosine operator(pg_catalog.*) p.y) operator(pg_catalog.-) (sine operator(pg_catalog.*) p.x)) into us, vs
        from (select c.x operator(pg_catalog.-) x0, c.y operator(pg_catalog.-) y0
              from (values (xmin operator(pg_catalog.-) half, ymin operator(pg_catalog.-) half), (xmax operator(pg_catalog.+) half, ymin operator(pg_catalog.-) half),
                           (xmin operator(pg_catalog.-) half, ymax operator(pg_catalog.+) half), (xmax operator(pg_catalog.+) half, ymax operator(pg_catalog.+) half)) c (x, y)) p (x, y);
        xmin := (select pg_catalog.min(u) from pg_catalog.unnest(us) u);
        xmax := (select pg_catalog.max(u) from pg_catalog.unnest(us) u);
        ymin := (select pg_catalog.min(v) from pg_catalog.unnest(vs) v);
        ymax := (select pg_catalog.max(v) from pg_catalog.unnest(vs) v);
        x0 := 0;
        y0 := 0;
    end if;

    height := (dx operator(pg_catalog.*) '2' operator(pg_catalog.*) '0.8660254037844387') operator(pg_catalog./) '2';
    case
        when shape operator(pg_catalog.=) 'square' then
            select * into a from ledger.cells_between(x0, dx, 1, 0, 1, xmin, xmax);
            select * into even from ledger.cells_between(y0, dy, 1, 0, 1, ymin, ymax);
            odd := even;
        when shape operator(pg_catalog.=) 'xyz' then
            -- Rows count downwards, and tiles end at the edge of the world.
            highest := (1::pg_catalog.int8 operator(pg_catalog.<<) coalesce((grid operator(pg_catalog.->>) 'zoom'::pg_catalog.text)::pg_catalog.int4, 0)) operator(pg_catalog.-) 1;
            select greatest(b.first, 0) as first, least(b.last, highest) as last into a
            from ledger.cells_between(x0, dx, 1, 0, 1, xmin, xmax) b;
            select greatest(b.first, 0) as first, least(b.last, highest) as last into even
            from ledger.cells_between(operator(pg_catalog.-) y0, dy, 1, 0, 1, operator(pg_catalog.-) ymax, operator(pg_catalog.-) ymin) b;
            odd := even;
        when shape operator(pg_catalog.=) 'hexagon-flat' then
            select * into a from ledger.cells_between(x0, dx operator(pg_catalog./) '2', 3, 2, 2, xmin, xmax);
            select * into even from ledger.cells_between(y0, height, 2, 1, 1, ymin, ymax);
            select * into odd from ledger.cells_between(y0, height, 2, 0, 2, ymin, ymax);
        when pointy then
            select * into a from ledger.cells_between(y0, dx operator(pg_catalog./) '2', 3, 2, 2, ymin, ymax);
            select * into even from ledger.cells_between(x0, height, 2, 1, 1, xmin, xmax);
            select * into odd from ledger.cells_between(x0, height, 2, 0, 2, xmin, xmax);
        else
            raise exception 'parents_of: there is no shape %: square, xyz, hexagon-flat or hexagon-pointy', shape
                using errcode = 'invalid_parameter_value';
    end case;
    if a.first operator(pg_catalog.>) a.last or greatest(even.last, odd.last) operator(pg_catalog.<) least(even.first, odd.first) then
        return '{}';
    end if;

    count := (((a.last operator(pg_catalog.>>) levels) operator(pg_catalog.-) (a.first operator(pg_catalog.>>) levels)) operator(pg_catalog.+) 1)::pg_catalog.float8
        operator(pg_catalog.*) (((greatest(even.last, odd.last) operator(pg_catalog.>>) levels)
        operator(pg_catalog.-) (least(even.first, odd.first) operator(pg_catalog.>>) levels)) operator(pg_catalog.+) 1)::pg_catalog.float8;
    if count operator(pg_catalog.>) '100000' then
        raise exception 'parents_of: % parents are too many for a query', count
            using errcode = 'program_limit_exceeded', hint = 'A window that large asks all shards: leave the condition on parent out.';
    end if;

    return (
        select coalesce(pg_catalog.array_agg(p.id order by p.id), '{}')
        from pg_catalog.generate_series(a.first operator(pg_catalog.>>) levels, a.last operator(pg_catalog.>>) levels) m
        cross join lateral (select greatest(a.first, m operator(pg_catalog.<<) levels),
                                   least(a.last, ((m operator(pg_catalog.+) 1) operator(pg_catalog.<<) levels) operator(pg_catalog.-) 1)) h (low, high)
        cross join lateral (
            select case when h.low operator(pg_catalog.<) h.high then least(even.first, odd.first)
                        when (h.low operator(pg_catalog.&) 1) operator(pg_catalog.=) 0 then even.first else odd.first end,
                   case when h.low operator(pg_catalog.<) h.high then greatest(even.last, odd.last)
                        when (h.low operator(pg_catalog.&) 1) operator(pg_catalog.=) 0 then even.last else odd.last end) r (first, last)
        cross join lateral pg_catalog.generate_series(r.first operator(pg_catalog.>>) levels, r.last operator(pg_catalog.>>) levels) n
        cross join lateral (
            select ledger.cell_id((case when pointy then n else m end operator(pg_catalog.<<) levels)::pg_catalog.int4,
                                  (case when pointy then m else n end operator(pg_catalog.<<) levels)::pg_catalog.int4)
                   operator(pg_catalog.>>) (2 operator(pg_catalog.*) levels)) p (id));
end
$body$
$sql$,

$sql$
comment on function ledger.parents_of(jsonb, integer, double precision, double precision, double precision, double precision) is
'loadgrid: the parents, so many levels above, of all cells of a grid whose box meets a window or touches it; of a turned grid some more. '
'The grid is what grid_of returns'
$sql$

    ] loop
        execute replace(replace(statement, '$body$', '$x' || md5(current_schema()) || '$'), 'ledger.', quote_ident(current_schema()) || '.');
    end loop;
end
$migration$;

-- The one that takes PostGIS's type, where there is PostGIS.
do $migration$
declare
    postgis text := (select quote_ident(n.nspname) from pg_extension e join pg_namespace n on n.oid = e.extnamespace
                     where e.extname = 'postgis');
    statement text;
begin
    if postgis is null then
        return;
    end if;

    foreach statement in array array[

$sql$
create or replace function ledger.parents_of(tab regclass, "window" postgis.geometry) returns bigint[]
language plpgsql stable strict parallel safe as $body$
declare
    grid pg_catalog.jsonb := ledger.grid_of(tab);
    levels pg_catalog.int4 := (select (r.job operator(pg_catalog.->>) 'parent_levels'::pg_catalog.text)::pg_catalog.int4
                               from ledger.run_of(tab) o join ledger.runs r on r.id operator(pg_catalog.=) o.run);
    box postgis.box3d := "window"::postgis.box3d;
begin
    if levels is null then
        raise exception 'parents_of: table % has no parents', tab
            using errcode = 'invalid_parameter_value', hint = 'Load it with --distribute-by parent:K.';
    end if;
    if postgis.st_isempty("window") then
        return '{}';
    end if;
    if postgis.st_srid("window") operator(pg_catalog.<>) (grid operator(pg_catalog.->>) 'srid'::pg_catalog.text)::pg_catalog.int4 then
        raise exception 'parents_of: the window has SRID %, the grid of table % has %', postgis.st_srid("window"), tab, grid operator(pg_catalog.->>) 'srid'::pg_catalog.text
            using errcode = 'invalid_parameter_value', hint = 'Bring the window into the grid''s CRS, with ST_Transform.';
    end if;
    return ledger.parents_of(grid, levels, postgis.st_xmin(box), postgis.st_ymin(box), postgis.st_xmax(box), postgis.st_ymax(box));
end
$body$
$sql$,

$sql$
comment on function ledger.parents_of(regclass, postgis.geometry) is
'loadgrid: the parents of all cells whose box meets the box of a geometry or touches it, in the grid of a table that loadgrid loaded with '
'--distribute-by; of a turned grid some more. A query with these in it, as constants or a parameter, asks the shards alone that hold them'
$sql$

    ] loop
        -- Between the names of the ledger, not in them: they may end in postgis themselves.
        execute (select string_agg(replace(part, 'postgis.', postgis || '.'), quote_ident(current_schema()) || '.' order by n)
                 from unnest(string_to_array(replace(statement, '$body$', '$x' || md5(current_schema() || '.' || postgis) || '$'), 'ledger.'))
                 with ordinality u(part, n));
    end loop;
end;
$migration$;
