-- The area of interest of a run, and functions for those who query the tables:
-- cell_id and back, neighbours, parents, and which cell a point is in.
--
-- Every statement may be run again. The functions are called from sessions with
-- any search_path, so they name one another by schema: ledger in their text stands
-- for the schema that this file is run in.

alter table runs add column if not exists aoi bytea;

comment on column runs.aoi is 'the area of interest in the grid''s CRS, as EWKB';

-- grid_of looks runs up by table.
create index if not exists runs_oid_idx on runs (table_oid, id) where state = 'published';

do $migration$
declare
    statement text;
begin
    foreach statement in array array[

-- The Hilbert curve of order 30 without a loop over its 30 digits. What a digit is
-- depends on how the digits above it turn and mirror the square; that is a product
-- over the bits of col and row, which is taken for all bits at once, over 1, 2, 4, 8
-- and 16 bits. a, b, c and d hold the factors. Source: the method of H. S. Warren,
-- Hacker's Delight, 2nd edition (2012), chapter 16, in the form of
-- http://threadlocalmutex.com/?p=126.
$sql$
create or replace function ledger.cell_id(col integer, "row" integer) returns bigint
language plpgsql immutable strict parallel safe as $body$
declare
    x bigint := case when col < 0 then -1 - col else col end;
    y bigint := case when "row" < 0 then -1 - "row" else "row" end;
    a bigint := x # y;
    b bigint := a # 1073741823;
    c bigint := (x | y) # 1073741823;
    d bigint := x & ~y;
    e bigint; f bigint; g bigint; h bigint;
begin
    if x > 1073741823 or y > 1073741823 then
        raise exception 'cell_id: there is no cell (%, %): columns and rows run from -1073741824 to 1073741823', col, "row"
            using errcode = 'numeric_value_out_of_range';
    end if;
    e := a | (b >> 1);
    f := a # (a >> 1);
    g := c # (c >> 1) # (b & (d >> 1));
    h := d # (d >> 1) # (a & (c >> 1));

    c := g # (e & (g >> 2)) # (f & (h >> 2));
    d := h # (f & (g >> 2)) # ((e # f) & (h >> 2));
    a := (e & (e >> 2)) # (f & (f >> 2));
    b := (e & (f >> 2)) # (f & ((e # f) >> 2));

    g := c # (a & (c >> 4)) # (b & (d >> 4));
    h := d # (b & (c >> 4)) # ((a # b) & (d >> 4));
    e := (a & (a >> 4)) # (b & (b >> 4));
    f := (a & (b >> 4)) # (b & ((a # b) >> 4));

    c := g # (e & (g >> 8)) # (f & (h >> 8));
    d := h # (f & (g >> 8)) # ((e # f) & (h >> 8));
    a := (e & (e >> 8)) # (f & (f >> 8));
    b := (e & (f >> 8)) # (f & ((e # f) >> 8));

    g := c # (a & (c >> 16)) # (b & (d >> 16));
    h := d # (b & (c >> 16)) # ((a # b) & (d >> 16));

    -- The two bits of each digit, spread over 60 bits.
    a := x # y;
    b := h # (h >> 1) | ((a | (g # (g >> 1))) # 1073741823);
    a := (a | (a << 16)) & 281470681808895;
    b := (b | (b << 16)) & 281470681808895;
    a := (a | (a << 8)) & 71777214294589695;
    b := (b | (b << 8)) & 71777214294589695;
    a := (a | (a << 4)) & 1085102592571150095;
    b := (b | (b << 4)) & 1085102592571150095;
    a := (a | (a << 2)) & 3689348814741910323;
    b := (b | (b << 2)) & 3689348814741910323;
    return ((a | (a << 1)) & 6148914691236517205)
        | (((b | (b << 1)) & 6148914691236517205) << 1)
        | case when col < 0 then 1152921504606846976 else 0 end
        | case when "row" < 0 then 2305843009213693952 else 0 end;
end
$body$
$sql$,

$sql$
comment on function ledger.cell_id(integer, integer) is
'loadgrid: the cell_id of a cell by its column and row, both from -1073741824 to 1073741823'
$sql$,

-- The way back: a digit 0 exchanges col and row of all that is below it, a digit 3
-- mirrors it besides. w counts both, modulo 2, from the highest digit down.
$sql$
create or replace function ledger.cell_col(id bigint) returns integer
language plpgsql immutable strict parallel safe as $body$
declare
    i0 bigint := id & 384307168202282325;
    i1 bigint := (id >> 1) & 384307168202282325;
    w bigint := (384307168202282325 # i0 # i1) | ((i0 & i1) << 1);
    x bigint;
begin
    if id < 0 or id > 4611686018427387903 then
        raise exception 'cell_col: there is no cell_id %: they run from 0 to 4611686018427387903', id
            using errcode = 'numeric_value_out_of_range';
    end if;
    w := w # (w >> 2);
    w := w # (w >> 4);
    w := w # (w >> 8);
    w := w # (w >> 16);
    w := (w # (w >> 32)) >> 2;
    x := i1 # (w & i0) # ((w >> 1) & 384307168202282325);
    x := (x | (x >> 1)) & 3689348814741910323;
    x := (x | (x >> 2)) & 1085102592571150095;
    x := (x | (x >> 4)) & 71777214294589695;
    x := (x | (x >> 8)) & 281470681808895;
    x := (x | (x >> 16)) & 1073741823;
    return case when id & 1152921504606846976 = 0 then x else -1 - x end;
end
$body$
$sql$,

$sql$
comment on function ledger.cell_col(bigint) is
'loadgrid: the column of the cell with a cell_id, 0 to 4611686018427387903'
$sql$,

$sql$
create or replace function ledger.cell_row(id bigint) returns integer
language plpgsql immutable strict parallel safe as $body$
declare
    i0 bigint := id & 384307168202282325;
    i1 bigint := (id >> 1) & 384307168202282325;
    w bigint := (384307168202282325 # i0 # i1) | ((i0 & i1) << 1);
    y bigint;
begin
    if id < 0 or id > 4611686018427387903 then
        raise exception 'cell_row: there is no cell_id %: they run from 0 to 4611686018427387903', id
            using errcode = 'numeric_value_out_of_range';
    end if;
    w := w # (w >> 2);
    w := w # (w >> 4);
    w := w # (w >> 8);
    w := w # (w >> 16);
    w := (w # (w >> 32)) >> 2;
    y := i0 # i1 # (w & i0) # ((w >> 1) & 384307168202282325);
    y := (y | (y >> 1)) & 3689348814741910323;
    y := (y | (y >> 2)) & 1085102592571150095;
    y := (y | (y >> 4)) & 71777214294589695;
    y := (y | (y >> 8)) & 281470681808895;
    y := (y | (y >> 16)) & 1073741823;
    return case when id & 2305843009213693952 = 0 then y else -1 - y end;
end
$body$
$sql$,

$sql$
comment on function ledger.cell_row(bigint) is
'loadgrid: the row of the cell with a cell_id, 0 to 4611686018427387903'
$sql$,

$sql$
create or replace function ledger.cell_neighbours(id bigint, shape text default 'square') returns setof bigint
language plpgsql immutable strict parallel safe rows 8 as $body$
declare
    col integer := ledger.cell_col(id);
    "row" integer := ledger.cell_row(id);
    dcol integer[];
    drow integer[];
    c integer;
    r integer;
    lowest integer := case when shape = 'xyz' then 0 else -1073741824 end;
begin
    case
        when shape in ('square', 'xyz') then
            dcol := '{-1,0,1,-1,1,-1,0,1}';
            drow := '{-1,-1,-1,0,0,1,1,1}';
        when shape = 'hexagon-flat' and col & 1 = 0 then
            dcol := '{-1,-1,0,0,1,1}';
            drow := '{-1,0,-1,1,-1,0}';
        when shape = 'hexagon-flat' then
            dcol := '{-1,-1,0,0,1,1}';
            drow := '{0,1,-1,1,0,1}';
        when shape = 'hexagon-pointy' and "row" & 1 = 0 then
            dcol := '{-1,0,-1,1,-1,0}';
            drow := '{-1,-1,0,0,1,1}';
        when shape = 'hexagon-pointy' then
            dcol := '{0,1,-1,1,0,1}';
            drow := '{-1,-1,0,0,1,1}';
        else
            raise exception 'cell_neighbours: there is no shape %: square, xyz, hexagon-flat or hexagon-pointy', shape
                using errcode = 'invalid_parameter_value';
    end case;
    for i in 1 .. array_length(dcol, 1) loop
        c := col + dcol[i];
        r := "row" + drow[i];
        if c between lowest and 1073741823 and r between lowest and 1073741823 then
            return next ledger.cell_id(c, r);
        end if;
    end loop;
end
$body$
$sql$,

$sql$
comment on function ledger.cell_neighbours(bigint, text) is
'loadgrid: the cells around a cell: the eight of a square or of a tile (xyz), the six of hexagon-flat and hexagon-pointy. '
'Those that have no cell_id are left out, and so are tiles west and north of the world; those beyond the last tile of a zoom are not'
$sql$,

$sql$
create or replace function ledger.cell_parent(id bigint, k integer) returns bigint
language plpgsql immutable strict parallel safe as $body$
declare
    col integer := ledger.cell_col(id);
    "row" integer := ledger.cell_row(id);
begin
    if k < 1 then
        raise exception 'cell_parent: a larger cell is 1 or more times the size, not %', k
            using errcode = 'invalid_parameter_value';
    end if;
    -- Division rounds to 0, and what is below 0 belongs further down.
    return ledger.cell_id(
        case when col >= 0 then col / k else -1 - (-1 - col) / k end,
        case when "row" >= 0 then "row" / k else -1 - (-1 - "row") / k end);
end
$body$
$sql$,

$sql$
comment on function ledger.cell_parent(bigint, integer) is
'loadgrid: the cell that holds a cell in the grid with the same origin and k times the cell size; of tiles k = 2 is the zoom above. '
'Hexagons do not nest: there is no such cell of them'
$sql$,

$sql$
create or replace function ledger.grid_of(tab regclass) returns jsonb
language plpgsql stable strict parallel safe as $body$
declare
    grid jsonb := (select r.job -> 'grid' from ledger.runs r where r.table_oid = tab and r.state = 'published' order by r.id desc limit 1);
begin
    if grid is null then
        raise exception 'grid_of: no run published table %, as far as this ledger knows', tab
            using errcode = 'undefined_object', hint = 'Was it loaded with loadgrid, and with this ledger schema?';
    end if;
    return grid;
end
$body$
$sql$,

$sql$
comment on function ledger.grid_of(regclass) is
'loadgrid: the grid of a table that loadgrid loaded: origin (x0, y0), cell size (dx, dy), srid and, where they are not the default, shape, rotate and zoom'
$sql$,

-- The same rule and the same arithmetic as CellAt in loadgrid's package geomgen: both
-- must give the same cell for each point.
$sql$
create or replace function ledger.cell_at(grid jsonb, x double precision, y double precision) returns bigint
language plpgsql immutable strict parallel safe as $body$
declare
    x0 float8 := grid ->> 'x0';
    y0 float8 := grid ->> 'y0';
    dx float8 := grid ->> 'dx';
    dy float8 := grid ->> 'dy';
    shape text := coalesce(grid ->> 'shape', 'square');
    turn float8 := coalesce(grid ->> 'rotate', '0');
    far float8 := 8589934592 * (dx + dy);
    c float8; r float8;
    -- Of turned grids.
    quarters float8; rest numeric; z numeric; s numeric := 1; t numeric := 1; sine float8; cosine float8;
    -- Of hexagons, along the direction in which their corners point, and across.
    a float8; a0 float8; sa float8; b float8; b0 float8; sb float8; odd integer; m float8; p float8; q float8;
begin
    if x0 is null or y0 is null or not dx > 0 or not dy > 0 or far is null then
        raise exception 'cell_at: % is no grid: x0, y0, dx and dy must be there, as grid_of gives them', grid
            using errcode = 'invalid_parameter_value';
    end if;
    -- No cell is that far away; here infinite numbers and what is none end as well.
    if not (abs(x - x0) <= far and abs(y - y0) <= far) then
        return null;
    end if;

    if turn <> 0 then
        -- Sine and cosine rounded to the nearest number, as the loader has them, by their
        -- series: sind and cosd may differ in the last bit, from server to server as well.
        quarters := round(turn / 90);
        turn := (turn - quarters * 90) * 1073741824;
        rest := trunc(turn)::bigint * 1152921504606846976::numeric + trunc((turn - trunc(turn)) * 1152921504606846976)::bigint;
        rest := round(rest * 0.000000000000000000000000000014098657419642452520360533544965811557173630878, 45); -- pi / 180 / 2^90
        z := round(rest * rest, 45);
        for n in reverse 30 .. 2 by 2 loop
            s := round(1 - s * z / (n * (n + 1)), 45);
            t := round(1 - t * z / (n * (n - 1)), 45);
        end loop;
        sine := s * rest;
        cosine := t;
        case quarters::integer & 3
            when 0 then
            when 1 then a := sine; sine := cosine; cosine := -a;
            when 2 then sine := -sine; cosine := -cosine;
            else a := sine; sine := -cosine; cosine := a;
        end case;
        a := x - x0;
        b := y - y0;
        x := cosine * a + sine * b;
        y := cosine * b - sine * a;
        x0 := 0;
        y0 := 0;
    end if;

    case
        when shape in ('square', 'xyz') then
            -- Corrected where the quotient was rounded over a line.
            c := floor((x - x0) / dx);
            c := c - (x0 + c * dx > x)::integer + (x0 + (c + 1) * dx <= x)::integer;
            if shape = 'square' then
                r := floor((y - y0) / dy);
                r := r - (y0 + r * dy > y)::integer + (y0 + (r + 1) * dy <= y)::integer;
            else
                -- Rows count downwards, and a tile has its upper edge.
                r := floor((y0 - y) / dy);
                r := r - (y0 - r * dy < y)::integer + (y0 - (r + 1) * dy >= y)::integer;
                far := power(2::float8, coalesce((grid ->> 'zoom')::integer, 0));
                if c < 0 or r < 0 or c >= far or r >= far then
                    return null;
                end if;
            end if;
        when shape in ('hexagon-flat', 'hexagon-pointy') then
            sa := dx / 2;
            sb := dx * 2 * 0.8660254037844387::float8 / 2;
            if shape = 'hexagon-flat' then
                a := x; a0 := x0; b := y; b0 := y0;
            else
                a := y; a0 := y0; b := x; b0 := x0;
            end if;
            -- The line of centres left of the point, and on it the hexagon beside the point.
            c := floor((a - a0) / sa / 3);
            odd := c::bigint & 1;
            m := 2 * floor(((b - b0) / sb - odd + 1) / 2) + odd;
            m := m - 2 * (b0 + (m - 1) * sb > b)::integer + 2 * (b0 + (m + 1) * sb <= b)::integer;
            -- Is the point beyond its slanted edges?
            p := (a - (a0 + 3 * c * sa)) / sa;
            q := (b - (b0 + m * sb)) / sb;
            if p + abs(q) >= 2 then
                c := c + 1;
                odd := 1 - odd;
                m := m + case when q >= 0 then 1 else -1 end;
            end if;
            r := (m - odd) / 2;
            if shape = 'hexagon-pointy' then
                p := c; c := r; r := p;
            end if;
        else
            raise exception 'cell_at: there is no shape %: square, xyz, hexagon-flat or hexagon-pointy', shape
                using errcode = 'invalid_parameter_value';
    end case;
    if c between -1073741824 and 1073741823 and r between -1073741824 and 1073741823 then
        return ledger.cell_id(c::integer, r::integer);
    end if;
    return null;
end
$body$
$sql$,

$sql$
comment on function ledger.cell_at(jsonb, double precision, double precision) is
'loadgrid: the cell_id of the cell of a grid that a place is in, null where there is none. A cell has its left and lower edges, not the others; '
'a tile (xyz) has its left and upper edges. The grid is what grid_of returns: call that once a query, in from'
$sql$

    ] loop
        -- A name may hold what ends a function's text: that is given an end which no name has.
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
        raise notice 'cell_at of a table and a point is left out: PostGIS is not in this database';
        return;
    end if;
    foreach statement in array array[

$sql$
create or replace function ledger.cell_at(tab regclass, point postgis.geometry) returns bigint
language plpgsql stable strict parallel safe as $body$
declare
    grid jsonb := ledger.grid_of(tab);
begin
    if postgis.geometrytype(point) <> 'POINT' then
        raise exception 'cell_at: needs a point, not a %', postgis.geometrytype(point)
            using errcode = 'invalid_parameter_value';
    end if;
    if postgis.st_srid(point) <> (grid ->> 'srid')::integer then
        raise exception 'cell_at: the point has SRID %, the grid of table % has %', postgis.st_srid(point), tab, grid ->> 'srid'
            using errcode = 'invalid_parameter_value', hint = 'Bring the point into the grid''s CRS, with ST_Transform.';
    end if;
    return ledger.cell_at(grid, postgis.st_x(point), postgis.st_y(point));
end
$body$
$sql$,

$sql$
comment on function ledger.cell_at(regclass, postgis.geometry) is
'loadgrid: the cell_id of the cell that a point is in, in the grid of a table that loadgrid loaded; null where there is none. '
'Of many points cell_at(grid, x, y) is faster, with grid_of(table) in from'
$sql$

    ] loop
        -- Between the names of the ledger, not in them: they may end in postgis themselves.
        execute (select string_agg(replace(part, 'postgis.', postgis || '.'), quote_ident(current_schema()) || '.' order by n)
                 from unnest(string_to_array(replace(statement, '$body$', '$x' || md5(current_schema() || '.' || postgis) || '$'), 'ledger.'))
                 with ordinality u(part, n));
    end loop;
end
$migration$;
