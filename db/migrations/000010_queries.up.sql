-- Queries by arithmetic: the cells of points without a spatial join, and cells without a table of
-- them. Every statement may be run again.
--
-- The functions run in sessions of readers, whatever their search_path is, so what they call
-- has its schema: see 000006. Here the operators get theirs when the file is run: one with a blank
-- on each side, as in (a + b), is taken from pg_catalog. Those all bind alike, so each has brackets.
do $migration$
declare
    steps text;
    op text;
    statement text;
begin
    -- The Hilbert curve by five bits of column and row at a time. A step is an element of an array: by
    -- the state, 0 to 3, and five bits of each, it has ten bits of the cell_id, times 4096, and the
    -- next state, times 1024. State 1 exchanges columns and rows, state 2 turns by 180 degrees. The
    -- function of 000006 says how cells follow one another: in state 1 where three steps of zeros
    -- lie above. It is asked only for the first 1024 cells of a side, so this may be run again.
    select array_agg(((cell_id(v, u)::integer << 12)
               | ((case cell_id(32 * u, 32 * v + 1)::integer & 1023 when cell_id(1, 0) then 0 when cell_id(0, 1) then 1 when cell_id(30, 31) then 2
                   when cell_id(31, 30) then 3 end # state) << 10)) order by state, col, line)::text into steps
    from generate_series(0, 3) state, generate_series(0, 31) col, generate_series(0, 31) line,
        lateral (select case when state < 2 then col else 31 - col end, case when state < 2 then line else 31 - line end) turned (x, y),
        lateral (select case when state & 1 = 0 then x else y end, case when state & 1 = 0 then y else x end) cell (u, v);

    -- The function of 000006 stays, for all that the new one leaves to it. The new one keeps the number
    -- of the old one, which views refer to.
    if (select l.lanname from pg_proc p join pg_language l on l.oid = p.prolang
        where p.oid = to_regprocedure(format('%I.cell_at(jsonb, double precision, double precision)', current_schema()))) = 'plpgsql' then
        execute format('create or replace function cell_at_any(grid jsonb, x double precision, y double precision) returns bigint '
            'language plpgsql immutable strict parallel safe as %L', (
            select prosrc from pg_proc where oid = to_regprocedure(format('%I.cell_at(jsonb, double precision, double precision)', current_schema()))));
    end if;

    foreach statement in array array[

$sql$
comment on function ledger.cell_at_any(jsonb, double precision, double precision) is
'of loadgrid: cell_at for all grids and all places'
$sql$,

$sql$
create or replace function ledger.curve_steps() returns integer[]
language sql immutable parallel safe as $body$
    select '$steps$'::integer[]
$body$
$sql$,

$sql$
comment on function ledger.curve_steps() is
'of loadgrid: the Hilbert curve by five bits of column and row at a time'
$sql$,

$sql$
create or replace function ledger.cell_id(col integer, "row" integer) returns bigint
language plpgsql immutable strict parallel safe as $body$
declare
    x integer := col;
    y integer := "row";
    signs bigint := 0;
    id bigint;
    step integer;
begin
    if (x | y) < 0 then
        if x < 0 then
            x := -1 - x;
            signs := 1152921504606846976;
        end if;
        if y < 0 then
            y := -1 - y;
            signs := signs | 2305843009213693952;
        end if;
    end if;

    if (x | y) < 32768 then
        step := (ledger.curve_steps())[(1025 + ((x >> 5) & 992)) + (y >> 10)];
        id := step >> 12;
    else
        if (x | y) > 1073741823 then
            raise exception 'cell_id: there is no cell (%, %): columns and rows run from -1073741824 to 1073741823', col, "row"
                using errcode := 'numeric_value_out_of_range';
        end if;
        step := (ledger.curve_steps())[(1 + ((x >> 20) & 992)) + (y >> 25)];
        id := step >> 12;
        step := (ledger.curve_steps())[((1 + (step & 3072)) + ((x >> 15) & 992)) + ((y >> 20) & 31)];
        id := (id << 10) | (step >> 12);
        step := (ledger.curve_steps())[((1 + (step & 3072)) + ((x >> 10) & 992)) + ((y >> 15) & 31)];
        id := (id << 10) | (step >> 12);
        step := (ledger.curve_steps())[((1 + (step & 3072)) + ((x >> 5) & 992)) + ((y >> 10) & 31)];
        id := (id << 10) | (step >> 12);
    end if;

    step := (ledger.curve_steps())[((1 + (step & 3072)) + (x & 992)) + ((y >> 5) & 31)];
    id := (id << 10) | (step >> 12);
    step := (ledger.curve_steps())[((1 + (step & 3072)) + ((x & 31) << 5)) + (y & 31)];
    return ((id << 10) | (step >> 12)) | signs;
end
$body$
$sql$,

-- What cell_at says of a place in an ordinary grid of squares; the rest, and what lies within
-- rounding of a line, is left to cell_at_any. The server refuses results that are too large or
-- too small for a number: these bounds keep all that is computed here away from both.
$sql$
create or replace function ledger.square_at(grid jsonb, x0 double precision, y0 double precision, dx double precision, dy double precision,
    x double precision, y double precision) returns bigint
language plpgsql immutable parallel safe as $body$
declare
    a double precision;
    b double precision;
    c double precision;
    r double precision;
    i integer;
    k integer;
    step integer;
    id bigint;
begin
    if pg_catalog.abs(x0) < '1e290' and pg_catalog.abs(y0) < '1e290' and dx < '1e100' and dy < '1e100' then
        a := x - x0;
        b := y - y0;
        if pg_catalog.abs(a) > '1e-180' and pg_catalog.abs(b) > '1e-180'
            and (pg_catalog.abs(a) * '1e-9') < dx and (pg_catalog.abs(b) * '1e-9') < dy then
            c := pg_catalog.floor(a / dx);
            r := pg_catalog.floor(b / dy);
            if (x0 + (c * dx)) <= x and (x0 + ((c + '1') * dx)) > x and (y0 + (r * dy)) <= y and (y0 + ((r + '1') * dy)) > y then
                if c >= '0' and r >= '0' and c < '32768' and r < '32768' then
                    -- cell_id, without the call.
                    i := c::integer;
                    k := r::integer;
                    step := (ledger.curve_steps())[(1025 + ((i >> 5) & 992)) + (k >> 10)];
                    id := step >> 12;
                    step := (ledger.curve_steps())[((1 + (step & 3072)) + (i & 992)) + ((k >> 5) & 31)];
                    return (((id << 10) | (step >> 12)) << 10) | ((ledger.curve_steps())[((1 + (step & 3072)) + ((i & 31) << 5)) + (k & 31)] >> 12);
                end if;
                return ledger.cell_id(c::integer, r::integer);
            end if;
        end if;
    end if;
    return ledger.cell_at_any(grid, x, y);
end
$body$
$sql$,

$sql$
comment on function ledger.square_at(jsonb, double precision, double precision, double precision, double precision, double precision, double precision) is
'of loadgrid: cell_at of a place in a grid of squares, given the numbers of the grid beside it'
$sql$,

$sql$
create or replace function ledger.cell_at(grid jsonb, x double precision, y double precision) returns bigint
language sql immutable parallel safe as $body$
    select case when (grid ?| '{shape,rotate}'::pg_catalog.text[]) then ledger.cell_at_any(grid, x, y)
                else ledger.square_at(grid, (grid ->> 'x0'::pg_catalog.text)::double precision, (grid ->> 'y0'::pg_catalog.text)::double precision,
                                      (grid ->> 'dx'::pg_catalog.text)::double precision, (grid ->> 'dy'::pg_catalog.text)::double precision, x, y) end
$body$
$sql$,

-- cell_at asks this for each point of a query, so the usual answer takes one statement: see run_of for
-- the others.
$sql$
create or replace function ledger.grid_of(tab regclass) returns jsonb
language plpgsql stable strict parallel safe as $body$
declare
    grid pg_catalog.jsonb;
    k record;
begin
    select r.job -> 'grid'::pg_catalog.text into grid
    from pg_catalog.pg_constraint c
    join pg_catalog.pg_description d on d.objoid = c.oid and d.classoid = 'pg_catalog.pg_constraint'::pg_catalog.regclass::pg_catalog.oid and d.objsubid = 0
    join ledger.marks m on m.mark = d.description
    join ledger.runs r on r.id = m.run_id and r.state = 'published'
    where c.conrelid = tab::pg_catalog.oid and c.contype = 'p'
    order by r.id desc limit 1;
    if grid is not null then
        return grid;
    end if;

    select o.run, o.other into k from ledger.run_of(tab) o;
    if k.other is not null then
        raise exception 'grid_of: table % is of another ledger, %', tab, k.other
            using errcode := 'undefined_object', hint := 'Call the functions in that ledger''s schema. '
                'If it is not in this database, restore it from where the table came from, or load the table again.';
    end if;

    select r.job -> 'grid'::pg_catalog.text into grid from ledger.runs r where r.id = k.run;
    if grid is null then
        raise exception 'grid_of: no run published table %, as far as this ledger knows', tab
            using errcode := 'undefined_object', hint := 'Was it loaded with loadgrid, and with this ledger schema?';
    end if;
    return grid;
end
$body$
$sql$,

-- Sine and cosine of degrees, rounded to the nearest number as the loader has them, by their
-- series: sind and cosd may differ in the last bit, from server to server as well.
$sql$
create or replace function ledger.sine_cosine(degrees double precision, out sine double precision, out cosine double precision)
language plpgsql immutable strict parallel safe as $body$
declare
    quarters double precision := pg_catalog.round(degrees / '90');
    rest numeric;
    square numeric;
    s numeric := 1;
    c numeric := 1;
begin
    degrees := (degrees - (quarters * '90')) * '1073741824';
    rest := (pg_catalog.trunc(degrees)::bigint::numeric * '1152921504606846976')
        + pg_catalog.trunc((degrees - pg_catalog.trunc(degrees)) * '1152921504606846976')::bigint::numeric;
    rest := pg_catalog.round(rest * '0.000000000000000000000000000014098657419642452520360533544965811557173630878', 45); -- pi / 180 / 2^90
    square := pg_catalog.round(rest * rest, 45);
    for k in reverse 30 .. 2 by 2 loop
        s := pg_catalog.round('1' - ((s * square) / (k * (k + 1))::numeric), 45);
        c := pg_catalog.round('1' - ((c * square) / (k * (k - 1))::numeric), 45);
    end loop;
    s := s * rest;

    if (quarters::integer & 1) = 0 then
        sine := s;
        cosine := c;
    else
        sine := c;
        cosine := operator(pg_catalog.-) s;
    end if;
    if (quarters::integer & 2) <> 0 then
        sine := operator(pg_catalog.-) sine;
        cosine := operator(pg_catalog.-) cosine;
    end if;
end
$body$
$sql$,

$sql$
comment on function ledger.sine_cosine(double precision) is
'of loadgrid: sine and cosine of an angle in degrees, the same on each server'
$sql$,

-- Corners of cells lie on a lattice: {x0, y0, step of columns, step of rows, cosine, sine}.
$sql$
create or replace function ledger.lattice_of(grid jsonb) returns double precision[]
language plpgsql immutable strict parallel safe as $body$
declare
    x0 double precision := grid ->> 'x0'::pg_catalog.text;
    y0 double precision := grid ->> 'y0'::pg_catalog.text;
    dx double precision := grid ->> 'dx'::pg_catalog.text;
    dy double precision := grid ->> 'dy'::pg_catalog.text;
    shape pg_catalog.text := coalesce(grid ->> 'shape'::pg_catalog.text, 'square');
    turn double precision := coalesce(grid ->> 'rotate'::pg_catalog.text, '0');
    height double precision;
    t record;
begin
    if x0 is null or y0 is null or dx is null or dy is null or not dx > '0' or not dy > '0' then
        raise exception '% is no grid: x0, y0, dx and dy must be there, as grid_of gives them', grid
            using errcode := 'invalid_parameter_value';
    end if;

    if pg_catalog.starts_with(shape, 'hexagon') then
        height := (dx * '2') * '0.8660254037844387';
        dx := dx / '2';
        dy := height / '2';
        if shape = 'hexagon-pointy' then
            height := dx;
            dx := dy;
            dy := height;
        end if;
    elsif shape = 'xyz' then
        dy := operator(pg_catalog.-) dy;
    elsif shape <> 'square' then
        raise exception 'there is no shape %: square, xyz, hexagon-flat or hexagon-pointy', shape
            using errcode := 'invalid_parameter_value';
    end if;

    select s.sine, s.cosine into t from ledger.sine_cosine(turn) s;
    return array[x0, y0, dx, dy, t.cosine, t.sine];
end
$body$
$sql$,

$sql$
comment on function ledger.lattice_of(jsonb) is
'of loadgrid: the lattice of points where corners of a grid''s cells lie'
$sql$,

-- Along each direction, which cells meet a box: columns and the rows of each of them; of pointy
-- hexagons rows, and the columns of each. Every second column of hexagons lies half a cell
-- higher, so odd ones have rows of their own. Of a turned grid there are some cells more.
$sql$
create or replace function ledger.cell_ranges(grid jsonb, xmin double precision, ymin double precision, xmax double precision, ymax double precision,
    out first bigint, out last bigint, out even_first bigint, out even_last bigint, out odd_first bigint, out odd_last bigint)
language plpgsql immutable strict parallel safe as $body$
declare
    lattice double precision[] := ledger.lattice_of(grid);
    x0 double precision := lattice[1];
    y0 double precision := lattice[2];
    sx double precision := lattice[3];
    sy double precision := lattice[4];
    shape pg_catalog.text := coalesce(grid ->> 'shape'::pg_catalog.text, 'square');
    half double precision;
    highest bigint;
    turned record;
begin
    if lattice[6] <> '0' or lattice[5] <> '1' then
        -- The centres of the cells whose boxes meet the window lie within half a box of it. What
        -- is around them in the grid's own directions has some more cells.
        half := (((grid ->> 'dx'::pg_catalog.text)::double precision + (grid ->> 'dy'::pg_catalog.text)::double precision) / '2') * '1.001';
        select pg_catalog.min(p.x) as xmin, pg_catalog.min(p.y) as ymin, pg_catalog.max(p.x) as xmax, pg_catalog.max(p.y) as ymax into turned
        from (values ((xmin - half) - x0, (ymin - half) - y0), ((xmax + half) - x0, (ymin - half) - y0),
                     ((xmin - half) - x0, (ymax + half) - y0), ((xmax + half) - x0, (ymax + half) - y0)) c (x, y)
        cross join lateral (select (lattice[5] * c.x) + (lattice[6] * c.y), (lattice[5] * c.y) - (lattice[6] * c.x)) p (x, y);
        xmin := turned.xmin;
        ymin := turned.ymin;
        xmax := turned.xmax;
        ymax := turned.ymax;
        x0 := 0;
        y0 := 0;
    end if;

    if shape = 'hexagon-flat' then
        select b.first, b.last into first, last from ledger.cells_between(x0, sx, 3, 2, 2, xmin, xmax) b;
        select b.first, b.last into even_first, even_last from ledger.cells_between(y0, sy, 2, 1, 1, ymin, ymax) b;
        select b.first, b.last into odd_first, odd_last from ledger.cells_between(y0, sy, 2, 0, 2, ymin, ymax) b;
        return;
    end if;
    if shape = 'hexagon-pointy' then
        select b.first, b.last into first, last from ledger.cells_between(y0, sy, 3, 2, 2, ymin, ymax) b;
        select b.first, b.last into even_first, even_last from ledger.cells_between(x0, sx, 2, 1, 1, xmin, xmax) b;
        select b.first, b.last into odd_first, odd_last from ledger.cells_between(x0, sx, 2, 0, 2, xmin, xmax) b;
        return;
    end if;

    select b.first, b.last into first, last from ledger.cells_between(x0, sx, 1, 0, 1, xmin, xmax) b;
    if shape = 'xyz' then
        -- Rows count downwards, and tiles end at the edge of the world.
        highest := (1::bigint << coalesce((grid ->> 'zoom'::pg_catalog.text)::integer, 0)) - 1;
        select greatest(b.first, 0), least(b.last, highest) into even_first, even_last
        from ledger.cells_between(operator(pg_catalog.-) y0, operator(pg_catalog.-) sy, 1, 0, 1, operator(pg_catalog.-) ymax, operator(pg_catalog.-) ymin) b;
        first := greatest(first, 0);
        last := least(last, highest);
    else
        select b.first, b.last into even_first, even_last from ledger.cells_between(y0, sy, 1, 0, 1, ymin, ymax) b;
    end if;
    odd_first := even_first;
    odd_last := even_last;
end
$body$
$sql$,

$sql$
comment on function ledger.cell_ranges(jsonb, double precision, double precision, double precision, double precision) is
'of loadgrid: which columns of a grid meet a box, and which rows in even and odd ones; of pointy hexagons rows, and columns'
$sql$,

$sql$
create or replace function ledger.parents_of(grid jsonb, levels integer, xmin double precision, ymin double precision, xmax double precision, ymax double precision)
returns bigint[]
language plpgsql immutable strict parallel safe as $body$
declare
    pointy boolean := coalesce(grid ->> 'shape'::pg_catalog.text, 'square') = 'hexagon-pointy';
    a record;
    lowest bigint;
    highest bigint;
    count double precision;
begin
    if levels < 1 or levels > 30 then
        raise exception 'parents_of: a parent is 1 to 30 levels above its cells, not %', levels
            using errcode := 'invalid_parameter_value';
    end if;

    select r.* into a from ledger.cell_ranges(grid, xmin, ymin, xmax, ymax) r;
    lowest := least(a.even_first, a.odd_first);
    highest := greatest(a.even_last, a.odd_last);
    if a.first > a.last or highest < lowest then
        return '{}';
    end if;

    count := (((a.last >> levels) - (a.first >> levels)) + 1)::double precision * (((highest >> levels) - (lowest >> levels)) + 1)::double precision;
    if count > '100000' then
        raise exception 'parents_of: % parents are too many for a query', count
            using errcode := 'program_limit_exceeded', hint := 'A window that large asks all shards: leave the condition on parent out.';
    end if;

    return (
        select coalesce(pg_catalog.array_agg(p.id order by p.id), '{}')
        from pg_catalog.generate_series(a.first >> levels, a.last >> levels) m
        cross join lateral (select greatest(a.first, m << levels), least(a.last, ((m + 1) << levels) - 1)) h (low, high)
        cross join lateral (
            select case when h.low < h.high then lowest when (h.low & 1) = 0 then a.even_first else a.odd_first end,
                   case when h.low < h.high then highest when (h.low & 1) = 0 then a.even_last else a.odd_last end) r (first, last)
        cross join lateral pg_catalog.generate_series(r.first >> levels, r.last >> levels) n
        cross join lateral (
            select ledger.cell_id((case when pointy then n else m end << levels)::integer, (case when pointy then m else n end << levels)::integer)
                   >> (2 * levels)) p (id));
end
$body$
$sql$,

$sql$
comment on function ledger.parents_of(jsonb, integer, double precision, double precision, double precision, double precision) is
'loadgrid: the parents, so many levels above, of all cells of a grid whose box meets a window or touches it; of a turned grid some more. '
'The grid is what grid_of returns'
$sql$

    ] loop
        foreach op in array array['+', '-', '*', '/', '&', '|', '<<', '>>', '<', '<=', '=', '>=', '>', '<>', '->', '->>', '?|'] loop
            statement := replace(statement, ' ' || op || ' ', ' operator(pg_catalog.' || op || ') ');
        end loop;
        execute replace(replace(replace(statement, '$steps$', steps), '$body$', '$x' || md5(current_schema()) || '$'), 'ledger.', quote_ident(current_schema()) || '.');
    end loop;
end
$migration$;

-- Those that take PostGIS's types, where there is PostGIS.
do $migration$
declare
    postgis text := (select quote_ident(n.nspname) from pg_extension e join pg_namespace n on n.oid = e.extnamespace
                     where e.extname = 'postgis');
    op text;
    statement text;
begin
    if postgis is null then
        return;
    end if;

    execute format('create or replace function schemas(out ledger text, out postgis text) language sql immutable parallel safe as %L',
        format('select %L::pg_catalog.text, %L::pg_catalog.text', quote_ident(current_schema()), postgis));
    comment on function schemas() is 'of loadgrid: the schemas of the ledger and of PostGIS, quoted, for queries that functions make';

    foreach statement in array array[

$sql$
create or replace function ledger.lattice_point(lattice double precision[], k bigint, m bigint) returns postgis.geometry
language sql immutable parallel safe as $body$
    select postgis.st_makepoint(
        lattice[1] + ((lattice[5] * (k * lattice[3])) - (lattice[6] * (m * lattice[4]))),
        lattice[2] + ((lattice[6] * (k * lattice[3])) + (lattice[5] * (m * lattice[4]))))
$body$
$sql$,

$sql$
comment on function ledger.lattice_point(double precision[], bigint, bigint) is
'of loadgrid: the point in column k and row m of a lattice'
$sql$,

-- The same corners in the same order as those of the loader's Shape.ring.
$sql$
create or replace function ledger.cell_shape(lattice double precision[], shape text, kind text, srid integer, col integer, "row" integer) returns postgis.geometry
language plpgsql immutable strict parallel safe as $body$
declare
    k bigint := col;
    m bigint := "row";
    a postgis.geometry;
    b postgis.geometry;
begin
    if shape = 'hexagon-flat' then
        k := 3 * k;
        m := (2 * m) + (col & 1);
    elsif shape = 'hexagon-pointy' then
        k := (2 * k) + ("row" & 1);
        m := 3 * m;
    end if;

    if kind = 'point' then
        a := ledger.lattice_point(lattice, k, m);
        if pg_catalog.starts_with(shape, 'hexagon') then
            return postgis.st_setsrid(a, srid);
        end if;
        b := ledger.lattice_point(lattice, k + 1, m + 1);
        return postgis.st_setsrid(postgis.st_makepoint((postgis.st_x(a) / '2') + (postgis.st_x(b) / '2'), (postgis.st_y(a) / '2') + (postgis.st_y(b) / '2')), srid);
    end if;

    if shape = 'square' then
        a := postgis.st_makeline(array[ledger.lattice_point(lattice, k + 1, m), ledger.lattice_point(lattice, k + 1, m + 1),
            ledger.lattice_point(lattice, k, m + 1), ledger.lattice_point(lattice, k, m), ledger.lattice_point(lattice, k + 1, m)]);
    elsif shape = 'xyz' then
        a := postgis.st_makeline(array[ledger.lattice_point(lattice, k, m + 1), ledger.lattice_point(lattice, k, m),
            ledger.lattice_point(lattice, k + 1, m), ledger.lattice_point(lattice, k + 1, m + 1), ledger.lattice_point(lattice, k, m + 1)]);
    elsif shape = 'hexagon-flat' then
        a := postgis.st_makeline(array[ledger.lattice_point(lattice, k - 2, m), ledger.lattice_point(lattice, k - 1, m - 1),
            ledger.lattice_point(lattice, k + 1, m - 1), ledger.lattice_point(lattice, k + 2, m), ledger.lattice_point(lattice, k + 1, m + 1),
            ledger.lattice_point(lattice, k - 1, m + 1), ledger.lattice_point(lattice, k - 2, m)]);
    else
        a := postgis.st_makeline(array[ledger.lattice_point(lattice, k, m - 2), ledger.lattice_point(lattice, k + 1, m - 1),
            ledger.lattice_point(lattice, k + 1, m + 1), ledger.lattice_point(lattice, k, m + 2), ledger.lattice_point(lattice, k - 1, m + 1),
            ledger.lattice_point(lattice, k - 1, m - 1), ledger.lattice_point(lattice, k, m - 2)]);
    end if;

    a := postgis.st_setsrid(postgis.st_makepolygon(a), srid);
    return case when kind = 'multipolygon' then postgis.st_multi(a) else a end;
end
$body$
$sql$,

$sql$
comment on function ledger.cell_shape(double precision[], text, text, integer, integer, integer) is
'of loadgrid: the geometry of a cell, as the loader writes it'
$sql$,

$sql$
create or replace function ledger.cell_geom(grid jsonb, col integer, "row" integer) returns postgis.geometry
language plpgsql immutable strict parallel safe as $body$
begin
    return ledger.cell_shape(ledger.lattice_of(grid), coalesce(grid ->> 'shape'::pg_catalog.text, 'square'), 'polygon',
        coalesce((grid ->> 'srid'::pg_catalog.text)::integer, 0), col, "row");
end
$body$
$sql$,

$sql$
comment on function ledger.cell_geom(jsonb, integer, integer) is
'loadgrid: the polygon of the cell of a grid in a column and a row, whether a table has it or not. The grid is what grid_of returns'
$sql$,

$sql$
create or replace function ledger.cell_geom(tab regclass, id bigint) returns postgis.geometry
language plpgsql stable strict parallel safe as $body$
declare
    grid pg_catalog.jsonb := ledger.grid_of(tab);
begin
    return ledger.cell_shape(ledger.lattice_of(grid), coalesce(grid ->> 'shape'::pg_catalog.text, 'square'), ledger.geometry_of(tab),
        coalesce((grid ->> 'srid'::pg_catalog.text)::integer, 0), ledger.cell_col(id), ledger.cell_row(id));
end
$body$
$sql$,

$sql$
comment on function ledger.cell_geom(regclass, bigint) is
'loadgrid: the geometry of a cell in the grid of a table that loadgrid loaded, whether the table has the cell or not: as the table has it, but whole. '
'Of a table without geometries it is the polygon'
$sql$,

$sql$
create or replace function ledger.geometry_of(tab regclass) returns text
language sql stable strict parallel safe as $body$
    select case when r.job ->> 'geometry'::pg_catalog.text = 'point' or r.job ->> 'geometry'::pg_catalog.text = 'multipolygon'
                then r.job ->> 'geometry'::pg_catalog.text else 'polygon' end
    from ledger.run_of(tab) o join ledger.runs r on r.id = o.run
$body$
$sql$,

$sql$
comment on function ledger.geometry_of(regclass) is
'of loadgrid: which geometry of a cell a table has: polygon, multipolygon or point'
$sql$,

-- A box along the axes meets the cells that the ranges have, where those are rectangles along the axes,
-- too. Other windows and cells are compared one by one. The planner does not see how few they are, so
-- it would compile a query that is soon over.
$sql$
create or replace function ledger.cells_in(grid jsonb, kind text, "window" postgis.geometry, out cell_id bigint, out col integer, out "row" integer, out geom postgis.geometry)
returns setof record
language plpgsql immutable strict parallel safe rows 1000 set jit to off as $body$
declare
    lattice double precision[] := ledger.lattice_of(grid);
    shape pg_catalog.text := coalesce(grid ->> 'shape'::pg_catalog.text, 'square');
    srid integer := coalesce((grid ->> 'srid'::pg_catalog.text)::integer, 0);
    pointy boolean := shape = 'hexagon-pointy';
    boxes boolean := (shape = 'square' or shape = 'xyz') and lattice[6] = '0' and lattice[5] = '1'
        and pg_catalog.octet_length(postgis.st_asbinary("window")) = 93 and postgis.st_asbinary("window") = postgis.st_asbinary(postgis.st_envelope("window"));
    box postgis.box3d := "window"::postgis.box3d;
    r record;
begin
    if postgis.st_srid("window") <> srid then
        raise exception 'cells: the window has SRID %, the grid has %', postgis.st_srid("window"), srid
            using errcode := 'invalid_parameter_value', hint := 'Bring the window into the grid''s CRS, with ST_Transform.';
    end if;

    select e.* into r from ledger.cell_ranges(grid, postgis.st_xmin(box), postgis.st_ymin(box), postgis.st_xmax(box), postgis.st_ymax(box)) e;
    return query
        select ledger.cell_id(s.col, s."row"), s.col, s."row", case when kind = 'polygon' then s.geom else ledger.cell_shape(lattice, shape, kind, srid, s.col, s."row") end
        from (select c.col, c."row", ledger.cell_shape(lattice, shape, 'polygon', srid, c.col, c."row") as geom
              from pg_catalog.generate_series(r.first, r.last) a
              cross join lateral pg_catalog.generate_series(case when (a & 1) = 0 then r.even_first else r.odd_first end,
                                                            case when (a & 1) = 0 then r.even_last else r.odd_last end) b
              cross join lateral (select (case when pointy then b else a end)::integer, (case when pointy then a else b end)::integer) c (col, "row")
              offset 0) s
        where boxes or postgis.st_intersects(s.geom, "window");
end
$body$
$sql$,

$sql$
comment on function ledger.cells_in(jsonb, text, postgis.geometry) is
'of loadgrid: the cells of a grid that intersect a window, with their geometries of a kind: polygon, multipolygon or point'
$sql$,

$sql$
create or replace function ledger.cells(grid jsonb, xmin double precision, ymin double precision, xmax double precision, ymax double precision,
    out cell_id bigint, out col integer, out "row" integer, out geom postgis.geometry)
returns setof record
language sql immutable parallel safe rows 1000 as $body$
    select i.cell_id, i.col, i."row", i.geom
    from ledger.cells_in(grid, 'polygon', postgis.st_makeenvelope(xmin, ymin, xmax, ymax, coalesce((grid ->> 'srid'::pg_catalog.text)::integer, 0))) i
$body$
$sql$,

$sql$
comment on function ledger.cells(jsonb, double precision, double precision, double precision, double precision) is
'loadgrid: the cells of a grid that intersect a box, without a table of them: cell_id, col, row and the whole polygon. The grid is what grid_of returns'
$sql$,

$sql$
create or replace function ledger.cells(tab regclass, "window" postgis.geometry, out cell_id bigint, out col integer, out "row" integer, out geom postgis.geometry)
returns setof record
language sql stable parallel safe rows 1000 as $body$
    select i.cell_id, i.col, i."row", i.geom
    from (select ledger.grid_of(tab) as grid, ledger.geometry_of(tab) as kind offset 0) g
    cross join lateral ledger.cells_in(g.grid, g.kind, "window") i
$body$
$sql$,

$sql$
comment on function ledger.cells(regclass, postgis.geometry) is
'loadgrid: the cells in the grid of a table that loadgrid loaded that intersect a window, whether the table has them or not: cell_id, col, row and the '
'geometry as the table has it, but whole'
$sql$,

-- A query that gives column and row, as integers, of the places that another one gives as x and y, and
-- what else that has in "keep". What is in no cell is left out. It computes what cell_at does, in the
-- same steps, with the numbers of the grid as constants.
$sql$
create or replace function ledger.places_query(grid jsonb, places text, keep text) returns text
language plpgsql immutable strict parallel safe set extra_float_digits to 1 as $body$
declare
    lattice double precision[] := ledger.lattice_of(grid);
    shape pg_catalog.text := coalesce(grid ->> 'shape'::pg_catalog.text, 'square');
    far pg_catalog.text;
    numbers pg_catalog.text[];
    x0 pg_catalog.text;
    y0 pg_catalog.text;
    q pg_catalog.text := places;
begin
    for i in 1 .. 4 loop
        if pg_catalog.abs(lattice[i]) > '1e100' or (i > 2 and pg_catalog.abs(lattice[i]) < '1e-100') then
            return pg_catalog.format('select %1$s.cell_col(l.id) as c, %1$s.cell_row(l.id) as r, %2$s '
                'from (select %5$s as id, %2$s from (%4$s) l) l where l.id is not null',
                (select s.ledger from ledger.schemas() s), keep, grid, q,
                ledger.once_query(pg_catalog.format('%s.cell_at(%L::pg_catalog.jsonb, l.x, l.y)', (select s.ledger from ledger.schemas() s), grid)));
        end if;
    end loop;

    numbers := (select pg_catalog.array_agg(pg_catalog.format('%L::double precision', n) order by i) from pg_catalog.unnest(lattice) with ordinality u (n, i));
    x0 := numbers[1];
    y0 := numbers[2];
    if shape = 'square' and lattice[6] = '0' and lattice[5] = '1' or shape = 'xyz' then
        return ledger.boxes_query(grid, lattice, keep, places);
    end if;

    -- No cell is that far away; here infinite numbers and what is none end as well.
    far := pg_catalog.format('%L::double precision',
        '8589934592' * ((grid ->> 'dx'::pg_catalog.text)::double precision + (grid ->> 'dy'::pg_catalog.text)::double precision));
    q := pg_catalog.format('select l.x, l.y, %4$s from (%5$s) l '
        'where case when pg_catalog.abs(l.x - %1$s) <= %3$s and pg_catalog.abs(l.y - %2$s) <= %3$s then true else false end', x0, y0, far, keep, q);

    if lattice[6] <> '0' or lattice[5] <> '1' then
        q := pg_catalog.format('select %1$s as a, %2$s as b, %3$s from (%4$s) l',
            ledger.once_query(pg_catalog.format('(l.x - %s)', x0)), ledger.once_query(pg_catalog.format('(l.y - %s)', y0)), keep, q);
        q := pg_catalog.format('select %1$s as x, %2$s as y, %3$s from (%4$s) l',
            ledger.once_query(pg_catalog.format('(%s + %s)', ledger.product_query(numbers[5], 'l.a'), ledger.product_query(numbers[6], 'l.b'))),
            ledger.once_query(pg_catalog.format('(%s - %s)', ledger.product_query(numbers[5], 'l.b'), ledger.product_query(numbers[6], 'l.a'))), keep, q);
        lattice[1] := 0;
        lattice[2] := 0;
        x0 := '''0''::double precision';
        y0 := x0;
    end if;
    if shape = 'square' then
        return ledger.boxes_query(grid, lattice, keep, q);
    end if;

    if shape = 'hexagon-flat' then
        q := ledger.hexagons_query('l.x', 'l.y', x0, y0, numbers[3], numbers[4], 'l.c', 'l.r', keep, q);
    else
        q := ledger.hexagons_query('l.y', 'l.x', y0, x0, numbers[4], numbers[3], 'l.r', 'l.c', keep, q);
    end if;
    return pg_catalog.format('select l.c::integer as c, l.r::integer as r, %1$s from (select l.* from (%2$s) l '
        'where case when l.c >= ''-1073741824'' and l.c <= ''1073741823'' and l.r >= ''-1073741824'' and l.r <= ''1073741823'' then true else false end) l', keep, q);
end
$body$
$sql$,

$sql$
comment on function ledger.places_query(jsonb, text, text) is
'of loadgrid: a query for column and row of the cells of a grid that places are in'
$sql$,

-- An expression that is computed once, wherever its column is used: the planner takes no subquery apart that has a
-- volatile function, and pushes no condition into it. OFFSET 0 does the same, but keeps workers out.
$sql$
create or replace function ledger.once_query(expression text) returns text
language sql immutable strict parallel safe as $body$
    select pg_catalog.format('case when pg_catalog.pg_is_in_recovery() is null then null else %s end', expression)
$body$
$sql$,

$sql$
comment on function ledger.once_query(text) is
'of loadgrid: an expression in SQL that a query computes once a row'
$sql$,

-- The server refuses a quotient that is too small for a number; here it is 0. "close" says that one that
-- is tiny must be computed nevertheless, unless |a| * 2^1075 <= b.
$sql$
create or replace function ledger.quotient_query(a text, b text, close boolean) returns text
language sql immutable strict parallel safe as $body$
    select pg_catalog.format(case when close
        then 'case when pg_catalog.abs(%1$s) > ''1e-180'' or ((pg_catalog.abs(%1$s) * ''4.149515568880993e+180'') * ''9.755464219737476e+142'') > %2$s then (%1$s / %2$s) else ''0'' end'
        else 'case when pg_catalog.abs(%1$s) > ''1e-180'' then (%1$s / %2$s) else ''0'' end' end, a, b)
$body$
$sql$,

$sql$
comment on function ledger.quotient_query(text, text, boolean) is
'of loadgrid: a quotient in SQL that is 0 where it is too small for a number'
$sql$,

$sql$
create or replace function ledger.product_query(a text, b text) returns text
language sql immutable strict parallel safe as $body$
    select pg_catalog.format('case when pg_catalog.abs(%2$s) > ''1e-180'' or (pg_catalog.abs(%1$s * (%2$s * ''4.149515568880993e+180'')) * ''9.755464219737476e+142'') > ''1'' '
        'then (%1$s * %2$s) else ''0'' end', a, b)
$body$
$sql$,

$sql$
comment on function ledger.product_query(text, text) is
'of loadgrid: a product in SQL that is 0 where it is too small for a number'
$sql$,

-- The lines at the ends of the grid leave out what is in no cell, and infinite numbers. The quotient is
-- corrected where it was rounded over a line. Rows of tiles count downwards, and a tile has its upper edge.
$sql$
create or replace function ledger.boxes_query(grid jsonb, lattice double precision[], keep text, places text) returns text
language plpgsql immutable strict parallel safe set extra_float_digits to 1 as $body$
declare
    down boolean := lattice[4] < '0';
    lowest pg_catalog.float8 := case when down then 0 else -1073741824 end;
    highest pg_catalog.float8 := case when down then 1::bigint << coalesce((grid ->> 'zoom'::pg_catalog.text)::integer, 0) else 1073741824 end;
    n pg_catalog.text[] := (select pg_catalog.array_agg(pg_catalog.format('%L::double precision', v) order by i) from pg_catalog.unnest(
        lattice operator(pg_catalog.||) array[lattice[1] + (lowest * lattice[3]), lattice[1] + (highest * lattice[3]), lattice[2] + (lowest * lattice[4]), lattice[2] + (highest * lattice[4])]
        ) with ordinality u (v, i));
    q pg_catalog.text;
begin
    q := pg_catalog.format('select %1$s as c, %2$s as r, l.x, l.y, %3$s from (%4$s) l where case when l.x >= %5$s and l.x < %6$s and %7$s then true else false end',
        ledger.once_query(pg_catalog.format('pg_catalog.floor(%s)', ledger.quotient_query(pg_catalog.format('(l.x - %s)', n[1]), n[3], false))),
        ledger.once_query(pg_catalog.format('pg_catalog.floor(%s)', ledger.quotient_query(pg_catalog.format('(l.y - %s)', n[2]), n[4], false))), keep, places, n[7], n[8],
        pg_catalog.format(case when down then 'l.y <= %s and l.y > %s' else 'l.y >= %s and l.y < %s' end, n[9], n[10]));
    return pg_catalog.format(
        'select (l.c + case when (%1$s + (l.c * %2$s)) > l.x then ''-1'' when (%1$s + ((l.c + ''1'') * %2$s)) <= l.x then ''1'' else ''0''::double precision end)::integer as c, '
        '(l.r + case when (%3$s + (l.r * %4$s)) %5$s l.y then ''-1'' when (%3$s + ((l.r + ''1'') * %4$s)) %6$s l.y then ''1'' else ''0''::double precision end)::integer as r, %7$s from (%8$s) l',
        n[1], n[3], n[2], n[4], case when down then 'operator(pg_catalog.<)' else 'operator(pg_catalog.>)' end,
        case when down then 'operator(pg_catalog.>=)' else 'operator(pg_catalog.<=)' end, keep, q);
end
$body$
$sql$,

$sql$
comment on function ledger.boxes_query(jsonb, double precision[], text, text) is
'of loadgrid: a query for column and row of the squares or tiles that places are in'
$sql$,

-- Corners point in direction a; b is the one across.
$sql$
create or replace function ledger.hexagons_query(a text, b text, a0 text, b0 text, sa text, sb text, col text, "row" text, keep text, places text) returns text
language plpgsql immutable strict parallel safe as $body$
declare
    q pg_catalog.text;
begin
    q := pg_catalog.format('select %1$s as a, %2$s as b, %3$s as p, %4$s as q, %5$s from (%6$s) l', a, b,
        ledger.once_query(pg_catalog.format('(%s - %s)', a, a0)), ledger.once_query(pg_catalog.format('(%s - %s)', b, b0)), keep, places);
    -- The line of centres left of the point, and on it the hexagon beside the point.
    q := pg_catalog.format('select l.a, l.b, %1$s as p, %2$s as q, %3$s from (%4$s) l',
        ledger.once_query(ledger.quotient_query('l.p', sa, true)), ledger.once_query(ledger.quotient_query('l.q', sb, false)), keep, q);
    q := pg_catalog.format('select l.a, l.b, %1$s as c, l.q, %2$s from (%3$s) l',
        ledger.once_query(pg_catalog.format('pg_catalog.floor(%s)', ledger.quotient_query('l.p', '''3''::double precision', true))), keep, q);
    q := pg_catalog.format('select l.a, l.b, l.c, %1$s as odd, l.q, %2$s from (%3$s) l', ledger.once_query('(l.c::bigint & ''1'')::double precision'), keep, q);
    q := pg_catalog.format('select l.a, l.b, l.c, l.odd, %1$s as m, %2$s from (%3$s) l',
        ledger.once_query('((''2'' * pg_catalog.floor(((l.q - l.odd) + ''1'') / ''2'')) + l.odd)'), keep, q);
    q := pg_catalog.format('select l.a, l.b, l.c, l.odd, %1$s as m, %2$s from (%3$s) l', ledger.once_query(pg_catalog.format(
        '(l.m + case when (%1$s + ((l.m - ''1'') * %2$s)) > l.b then ''-2'' when (%1$s + ((l.m + ''1'') * %2$s)) <= l.b then ''2'' else ''0''::double precision end)', b0, sb)), keep, q);
    -- Is the point beyond its slanted edges?
    q := pg_catalog.format('select l.c, l.odd, l.m, %1$s as p, %2$s as q, %3$s from (%4$s) l',
        ledger.once_query(pg_catalog.format('(l.a - (%s + ((''3'' * l.c) * %s)))', a0, sa)), ledger.once_query(pg_catalog.format('(l.b - (%s + (l.m * %s)))', b0, sb)), keep, q);
    q := pg_catalog.format('select l.c, l.odd, l.m, %1$s as p, %2$s as q, %3$s from (%4$s) l',
        ledger.once_query(ledger.quotient_query('l.p', sa, false)), ledger.once_query(ledger.quotient_query('l.q', sb, true)), keep, q);
    q := pg_catalog.format('select l.c, l.odd, l.m, l.q, %1$s as beyond, %2$s from (%3$s) l', ledger.once_query('((l.p + pg_catalog.abs(l.q)) >= ''2'')'), keep, q);
    q := pg_catalog.format('select case when l.beyond then (l.c + ''1'') else l.c end as c, '
        '(case when l.beyond then ((l.m + case when l.q >= ''0'' then ''1''::double precision else ''-1'' end) - (''1'' - l.odd)) else (l.m - l.odd) end / ''2'') as r, %1$s from (%2$s) l', keep, q);
    return pg_catalog.format('select %1$s as c, %2$s as r, %3$s from (%4$s) l', col, "row", keep, q);
end
$body$
$sql$,

$sql$
comment on function ledger.hexagons_query(text, text, text, text, text, text, text, text, text, text) is
'of loadgrid: a query for column and row of the hexagons that places are in'
$sql$,

-- The points as x, y, the value v, and in the grid's CRS as point.
$sql$
create or replace function ledger.points_query(tab regclass, points regclass, "column" name, value name, srid integer) returns text
language plpgsql stable parallel safe as $body$
declare
    postgis_schema pg_catalog.text := (select s.postgis from ledger.schemas() s);
    kind record;
    number pg_catalog.regtype;
    category pg_catalog."char";
    point pg_catalog.text := pg_catalog.format('%I', "column");
    have integer := 0;
begin
    select a.atttypid, a.atttypmod into kind from pg_catalog.pg_attribute a where a.attrelid = points and a.attname = "column" and a.attnum > 0 and not a.attisdropped;
    if not found then
        raise exception 'points_per_cell: % has no column %', points, "column" using errcode := 'undefined_column';
    end if;

    if kind.atttypmod > 0 then
        have := postgis.postgis_typmod_srid(kind.atttypmod);
    end if;
    if kind.atttypid = 'postgis.geography'::pg_catalog.regtype then
        point := pg_catalog.format('%s::%s.geometry', point, postgis_schema);
        have := case when have = 0 then 4326 else have end;
    elsif kind.atttypid <> 'postgis.geometry'::pg_catalog.regtype then
        raise exception 'points_per_cell: column % of % is of type %, not geometry or geography', "column", points, pg_catalog.format_type(kind.atttypid, kind.atttypmod)
            using errcode := 'datatype_mismatch';
    end if;

    if have = 0 then -- each may have an SRID of its own
        point := pg_catalog.format('case when %1$s.st_srid(%2$s) = %3$s or %1$s.st_isempty(%2$s) then %2$s else %1$s.st_transform(%2$s, %3$s) end', postgis_schema, point, srid);
    elsif have <> srid then
        raise notice 'points_per_cell: the points are in EPSG:%, the grid of % is in EPSG:%: each point is transformed, which takes longer than all the rest', have, tab, srid
            using hint := 'If you ask often, store the points in the CRS of the grid.';
        point := pg_catalog.format('%1$s.st_transform(%2$s, %3$s)', postgis_schema, point, srid);
    end if;

    if value is not null then
        select a.atttypid, t.typcategory into number, category
        from pg_catalog.pg_attribute a join pg_catalog.pg_type t on t.oid = a.atttypid
        where a.attrelid = points and a.attname = value and a.attnum > 0 and not a.attisdropped;
        if not found then
            raise exception 'points_per_cell: % has no column %', points, value using errcode := 'undefined_column';
        end if;
        if category <> 'N' then
            raise exception 'points_per_cell: column % of % is of type %, not a number', value, points, number
                using errcode := 'datatype_mismatch';
        end if;
    end if;

    return pg_catalog.format('select %1$s as x, %2$s as y, l.point, l.v from (select %3$s as point, %4$s as v from %5$s) l',
        ledger.once_query(pg_catalog.format('%s.st_x(l.point)', postgis_schema)), ledger.once_query(pg_catalog.format('%s.st_y(l.point)', postgis_schema)),
        case when point = pg_catalog.format('%I', "column") then point else ledger.once_query(point) end,
        case when value is null then 'null::numeric'
             when number = 'pg_catalog.float4'::pg_catalog.regtype then pg_catalog.format('%I::double precision', value)
             else pg_catalog.format('%I', value) end, ledger.relation_name(points));
end
$body$
$sql$,

$sql$
comment on function ledger.points_query(regclass, regclass, name, name, integer) is
'of loadgrid: a query for the coordinates and values of points in the CRS of a grid'
$sql$,

$sql$
create or replace function ledger.relation_name(relation regclass) returns text
language sql stable strict parallel safe as $body$
    select pg_catalog.format('%I.%I', n.nspname, c.relname) from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace where c.oid = relation
$body$
$sql$,

$sql$
comment on function ledger.relation_name(regclass) is
'of loadgrid: the name of a table with its schema, quoted'
$sql$,

$sql$
create or replace function ledger.rows_of(relation regclass) returns double precision
language sql stable strict parallel safe as $body$
    select coalesce(pg_catalog.sum(greatest(c.reltuples, 0)), 0)
    from pg_catalog.pg_class c
    where c.oid = relation and c.relkind <> 'p' or exists (select from pg_catalog.pg_partition_tree(relation) t where t.relid = c.oid and t.isleaf)
$body$
$sql$,

$sql$
comment on function ledger.rows_of(regclass) is
'of loadgrid: about how many rows a table has, by the statistics of the server; 0 where there are none'
$sql$,

$sql$
create or replace function ledger.points_per_cell_query(tab regclass, points regclass, "column" name, value name default null, within_part boolean default false) returns text
language plpgsql stable parallel safe set extra_float_digits to 1 as $body$
declare
    grid pg_catalog.jsonb := ledger.grid_of(tab);
    job pg_catalog.jsonb := (select r.job from ledger.run_of(tab) o join ledger.runs r on r.id = o.run);
    cells pg_catalog.text := ledger.relation_name(tab);
    id pg_catalog.text := pg_catalog.format('%I', job ->> 'id_column'::pg_catalog.text);
    pairs boolean := coalesce((job -> 'each'::pg_catalog.text) ->> 'name'::pg_catalog.text, '') <> '';
    places pg_catalog.text := ledger.points_query(tab, points, "column", value, coalesce((grid ->> 'srid'::pg_catalog.text)::integer, 0));
    total pg_catalog.text := 'pg_catalog.sum(l.v)::numeric';
    part pg_catalog.text := '%1$s.st_intersects(t.%2$s, l.point)';
begin
    if within_part and not coalesce((job ->> 'clip'::pg_catalog.text)::boolean, false) then
        raise exception 'points_per_cell: the cells of table % are whole: within_part is for tables that were loaded with --clip', tab
            using errcode := 'invalid_parameter_value';
    end if;
    if value is null then
        total := 'null::numeric';
    elsif exists (select from pg_catalog.pg_attribute a where a.attrelid = points and a.attname = value
                  and (a.atttypid = 'pg_catalog.float4'::pg_catalog.regtype or a.atttypid = 'pg_catalog.float8'::pg_catalog.regtype)) then
        total := 'pg_catalog.sum(l.v)::pg_catalog.text::numeric'; -- a cast to numeric rounds to 15 digits
    end if;
    if pairs then -- a cell has several rows
        part := 'exists (select from %3$s o where o.%4$s = t.%4$s and %1$s.st_intersects(o.%2$s, l.point))';
        cells := pg_catalog.format('(select distinct t.%1$s, t.col, t."row" from %2$s t)', id, cells);
    end if;

    if within_part then
        return pg_catalog.format('select t.%1$s as cell_id, pg_catalog.count(*) as count, %2$s as sum from (%3$s) l join %4$s t on t.col = l.c and t."row" = l.r where %5$s group by t.%1$s',
            id, total, ledger.places_query(grid, places, 'l.point, l.v'), cells,
            pg_catalog.format(part, (select s.postgis from ledger.schemas() s), pg_catalog.format('%I', job ->> 'geom_column'::pg_catalog.text), ledger.relation_name(tab), id));
    end if;

    -- A table that is much larger than the points is not read as a whole: the index of its key finds the cells. In
    -- others column and row are one key, which is quicker than two: the factor is more than there are rows, and
    -- odd, since the hash of a bigint mixes its halves.
    if ledger.rows_of(tab) > (20 * ledger.rows_of(points)) then
        return pg_catalog.format('select t.%1$s as cell_id, l.count, l.sum '
            'from (select l.c, l.r, pg_catalog.count(*) as count, %2$s as sum from (%3$s) l group by l.c, l.r) l join %4$s t on t.%1$s = %5$s.cell_id(l.c, l.r)',
            id, total, ledger.places_query(grid, places, 'l.v'), cells, (select s.ledger from ledger.schemas() s));
    end if;
    return pg_catalog.format('select t.%1$s as cell_id, l.count, l.sum '
        'from (select ((l.c * 2654435761) + l.r) as key, pg_catalog.count(*) as count, %2$s as sum from (%3$s) l group by 1) l join %4$s t on ((t.col * 2654435761) + t."row") = l.key',
        id, total, ledger.places_query(grid, places, 'l.v'), cells);
end
$body$
$sql$,

$sql$
comment on function ledger.points_per_cell_query(regclass, regclass, name, name, boolean) is
'loadgrid: the query that points_per_cell runs, for \gexec, EXPLAIN or CREATE TABLE AS'
$sql$,

$sql$
create or replace function ledger.points_per_cell(tab regclass, points regclass, "column" name, value name default null, within_part boolean default false)
returns table (cell_id bigint, count bigint, sum numeric)
language plpgsql stable parallel restricted rows 100000 set extra_float_digits to 1 as $body$
begin
    return query execute ledger.points_per_cell_query(tab, points, "column", value, within_part);
end
$body$
$sql$,

$sql$
comment on function ledger.points_per_cell(regclass, regclass, name, name, boolean) is
'loadgrid: how many points of a table lie in each cell of a table that loadgrid loaded, and the sum of a column of theirs. One pass over the points, by '
'arithmetic: it needs no spatial index. A cell without points gives no row, nor does a point in no cell of the table: points_outside counts those. '
'Each point is in the cell that cell_at says. With within_part, a point in a cell that was clipped counts only where it lies in the part'
$sql$,

$sql$
create or replace function ledger.points_outside(tab regclass, points regclass, "column" name, within_part boolean default false) returns bigint
language plpgsql stable parallel restricted as $body$
declare
    outside bigint;
begin
    execute pg_catalog.format('select (select pg_catalog.count(*) from %s) - coalesce(pg_catalog.sum(l.count), 0)::bigint from (%s) l',
        ledger.relation_name(points), ledger.points_per_cell_query(tab, points, "column", null, within_part)) into outside;
    return outside;
end
$body$
$sql$,

$sql$
comment on function ledger.points_outside(regclass, regclass, name, boolean) is
'loadgrid: how many points of a table points_per_cell does not count: those in no cell of the table, and those that are NULL or EMPTY'
$sql$

    ] loop
        foreach op in array array['+', '-', '*', '/', '&', '|', '<<', '>>', '<', '<=', '=', '>=', '>', '<>', '->', '->>', '?|'] loop
            statement := replace(statement, ' ' || op || ' ', ' operator(pg_catalog.' || op || ') ');
        end loop;
        -- Between the names of the ledger, not in them: they may end in postgis themselves.
        execute (select string_agg(replace(part, 'postgis.', postgis || '.'), quote_ident(current_schema()) || '.' order by n)
                 from unnest(string_to_array(replace(statement, '$body$', '$x' || md5(current_schema() || '.' || postgis) || '$'), 'ledger.'))
                 with ordinality u(part, n));
    end loop;
end;
$migration$;
