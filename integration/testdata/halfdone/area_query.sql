--
-- PostgreSQL database dump
--


-- Dumped from database version 15.20 (Debian 15.20-0+deb12u1)
-- Dumped by pg_dump version 15.20 (Debian 15.20-0+deb12u1)

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

--
-- Name: loadgrid; Type: SCHEMA; Schema: -; Owner: -
--

CREATE SCHEMA loadgrid;


--
-- Name: postgis; Type: EXTENSION; Schema: -; Owner: -
--

CREATE EXTENSION IF NOT EXISTS postgis WITH SCHEMA public;


--
-- Name: EXTENSION postgis; Type: COMMENT; Schema: -; Owner: -
--

COMMENT ON EXTENSION postgis IS 'PostGIS geometry and geography spatial types and functions';


--
-- Name: cell_at(regclass, public.geometry); Type: FUNCTION; Schema: loadgrid; Owner: -
--

CREATE FUNCTION loadgrid.cell_at(tab regclass, point public.geometry) RETURNS bigint
    LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
    AS $$
declare
    grid jsonb := loadgrid.grid_of(tab);
begin
    if public.geometrytype(point) <> 'POINT' then
        raise exception 'cell_at: needs a point, not a %', public.geometrytype(point)
            using errcode = 'invalid_parameter_value';
    end if;
    if public.st_srid(point) <> (grid ->> 'srid')::integer then
        raise exception 'cell_at: the point has SRID %, the grid of table % has %', public.st_srid(point), tab, grid ->> 'srid'
            using errcode = 'invalid_parameter_value', hint = 'Bring the point into the grid''s CRS, with ST_Transform.';
    end if;
    return loadgrid.cell_at(grid, public.st_x(point), public.st_y(point));
end
$$;


--
-- Name: FUNCTION cell_at(tab regclass, point public.geometry); Type: COMMENT; Schema: loadgrid; Owner: -
--

COMMENT ON FUNCTION loadgrid.cell_at(tab regclass, point public.geometry) IS 'loadgrid: the cell_id of the cell that a point is in, in the grid of a table that loadgrid loaded; null where there is none. Of many points cell_at(grid, x, y) is faster, with grid_of(table) in from';


--
-- Name: cell_at(jsonb, double precision, double precision); Type: FUNCTION; Schema: loadgrid; Owner: -
--

CREATE FUNCTION loadgrid.cell_at(grid jsonb, x double precision, y double precision) RETURNS bigint
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
    AS $$
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
        return loadgrid.cell_id(c::integer, r::integer);
    end if;
    return null;
end
$$;


--
-- Name: FUNCTION cell_at(grid jsonb, x double precision, y double precision); Type: COMMENT; Schema: loadgrid; Owner: -
--

COMMENT ON FUNCTION loadgrid.cell_at(grid jsonb, x double precision, y double precision) IS 'loadgrid: the cell_id of the cell of a grid that a place is in, null where there is none. A cell has its left and lower edges, not the others; a tile (xyz) has its left and upper edges. The grid is what grid_of returns: call that once a query, in from';


--
-- Name: cell_col(bigint); Type: FUNCTION; Schema: loadgrid; Owner: -
--

CREATE FUNCTION loadgrid.cell_col(id bigint) RETURNS integer
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
    AS $$
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
$$;


--
-- Name: FUNCTION cell_col(id bigint); Type: COMMENT; Schema: loadgrid; Owner: -
--

COMMENT ON FUNCTION loadgrid.cell_col(id bigint) IS 'loadgrid: the column of the cell with a cell_id, 0 to 4611686018427387903';


--
-- Name: cell_id(integer, integer); Type: FUNCTION; Schema: loadgrid; Owner: -
--

CREATE FUNCTION loadgrid.cell_id(col integer, "row" integer) RETURNS bigint
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
    AS $$
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
$$;


--
-- Name: FUNCTION cell_id(col integer, "row" integer); Type: COMMENT; Schema: loadgrid; Owner: -
--

COMMENT ON FUNCTION loadgrid.cell_id(col integer, "row" integer) IS 'loadgrid: the cell_id of a cell by its column and row, both from -1073741824 to 1073741823';


--
-- Name: cell_neighbours(bigint, text); Type: FUNCTION; Schema: loadgrid; Owner: -
--

CREATE FUNCTION loadgrid.cell_neighbours(id bigint, shape text DEFAULT 'square'::text) RETURNS SETOF bigint
    LANGUAGE plpgsql IMMUTABLE STRICT ROWS 8 PARALLEL SAFE
    AS $$
declare
    col integer := loadgrid.cell_col(id);
    "row" integer := loadgrid.cell_row(id);
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
            return next loadgrid.cell_id(c, r);
        end if;
    end loop;
end
$$;


--
-- Name: FUNCTION cell_neighbours(id bigint, shape text); Type: COMMENT; Schema: loadgrid; Owner: -
--

COMMENT ON FUNCTION loadgrid.cell_neighbours(id bigint, shape text) IS 'loadgrid: the cells around a cell: the eight of a square or of a tile (xyz), the six of hexagon-flat and hexagon-pointy. Those that have no cell_id are left out, and so are tiles west and north of the world; those beyond the last tile of a zoom are not';


--
-- Name: cell_parent(bigint, integer); Type: FUNCTION; Schema: loadgrid; Owner: -
--

CREATE FUNCTION loadgrid.cell_parent(id bigint, k integer) RETURNS bigint
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
    AS $$
declare
    col integer := loadgrid.cell_col(id);
    "row" integer := loadgrid.cell_row(id);
begin
    if k < 1 then
        raise exception 'cell_parent: a larger cell is 1 or more times the size, not %', k
            using errcode = 'invalid_parameter_value';
    end if;
    -- Division rounds to 0, and what is below 0 belongs further down.
    return loadgrid.cell_id(
        case when col >= 0 then col / k else -1 - (-1 - col) / k end,
        case when "row" >= 0 then "row" / k else -1 - (-1 - "row") / k end);
end
$$;


--
-- Name: FUNCTION cell_parent(id bigint, k integer); Type: COMMENT; Schema: loadgrid; Owner: -
--

COMMENT ON FUNCTION loadgrid.cell_parent(id bigint, k integer) IS 'loadgrid: the cell that holds a cell in the grid with the same origin and k times the cell size; of tiles k = 2 is the zoom above. Hexagons do not nest: there is no such cell of them';


--
-- Name: cell_row(bigint); Type: FUNCTION; Schema: loadgrid; Owner: -
--

CREATE FUNCTION loadgrid.cell_row(id bigint) RETURNS integer
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
    AS $$
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
$$;


--
-- Name: FUNCTION cell_row(id bigint); Type: COMMENT; Schema: loadgrid; Owner: -
--

COMMENT ON FUNCTION loadgrid.cell_row(id bigint) IS 'loadgrid: the row of the cell with a cell_id, 0 to 4611686018427387903';


--
-- Name: grid_of(regclass); Type: FUNCTION; Schema: loadgrid; Owner: -
--

CREATE FUNCTION loadgrid.grid_of(tab regclass) RETURNS jsonb
    LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
    AS $$
declare
    grid jsonb := (select r.job -> 'grid' from loadgrid.runs r where r.table_oid = tab and r.state = 'published'
                   order by r.shown desc, r.id desc limit 1);
begin
    if grid is null then
        raise exception 'grid_of: no run published table %, as far as this ledger knows', tab
            using errcode = 'undefined_object', hint = 'Was it loaded with loadgrid, and with this ledger schema?';
    end if;
    return grid;
end
$$;


--
-- Name: FUNCTION grid_of(tab regclass); Type: COMMENT; Schema: loadgrid; Owner: -
--

COMMENT ON FUNCTION loadgrid.grid_of(tab regclass) IS 'loadgrid: the grid of a table that loadgrid loaded: origin (x0, y0), cell size (dx, dy), srid and, where they are not the default, shape, rotate and zoom';


SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- Name: chunks; Type: TABLE; Schema: loadgrid; Owner: -
--

CREATE TABLE loadgrid.chunks (
    run_id bigint NOT NULL,
    chunk_no bigint NOT NULL,
    first_id bigint NOT NULL,
    last_id bigint NOT NULL,
    rows bigint NOT NULL,
    committed_at timestamp with time zone DEFAULT now() NOT NULL
);


--
-- Name: TABLE chunks; Type: COMMENT; Schema: loadgrid; Owner: -
--

COMMENT ON TABLE loadgrid.chunks IS 'loadgrid: committed chunks of runs';


--
-- Name: runs; Type: TABLE; Schema: loadgrid; Owner: -
--

CREATE TABLE loadgrid.runs (
    id bigint NOT NULL,
    schema_name text NOT NULL,
    table_name text NOT NULL,
    staging_name text NOT NULL,
    job jsonb NOT NULL,
    fingerprint text NOT NULL,
    chunks bigint NOT NULL,
    rows bigint NOT NULL,
    state text DEFAULT 'loading'::text NOT NULL,
    table_oid oid,
    starts integer DEFAULT 1 NOT NULL,
    started_at timestamp with time zone DEFAULT now() NOT NULL,
    finished_at timestamp with time zone,
    last_error text,
    version text NOT NULL,
    aoi bytea,
    version_id bigint,
    shown boolean DEFAULT false NOT NULL,
    kept_name text,
    kept_no bigint,
    job_name text,
    published_xid xid8,
    rows_added bigint,
    imprint jsonb,
    CONSTRAINT runs_chunks_check CHECK ((chunks > 0)),
    CONSTRAINT runs_rows_check CHECK ((rows > 0)),
    CONSTRAINT runs_state_check CHECK ((state = ANY (ARRAY['loading'::text, 'published'::text, 'dropped'::text])))
);


--
-- Name: TABLE runs; Type: COMMENT; Schema: loadgrid; Owner: -
--

COMMENT ON TABLE loadgrid.runs IS 'loadgrid: executions of jobs';


--
-- Name: COLUMN runs.chunks; Type: COMMENT; Schema: loadgrid; Owner: -
--

COMMENT ON COLUMN loadgrid.runs.chunks IS 'number of chunks, chosen by the first start and kept by those that resume';


--
-- Name: COLUMN runs.table_oid; Type: COMMENT; Schema: loadgrid; Owner: -
--

COMMENT ON COLUMN loadgrid.runs.table_oid IS 'the table that the run published';


--
-- Name: COLUMN runs.starts; Type: COMMENT; Schema: loadgrid; Owner: -
--

COMMENT ON COLUMN loadgrid.runs.starts IS 'how often the run was started, resumed or not';


--
-- Name: COLUMN runs.aoi; Type: COMMENT; Schema: loadgrid; Owner: -
--

COMMENT ON COLUMN loadgrid.runs.aoi IS 'the area of interest in the grid''s CRS, as EWKB';


--
-- Name: COLUMN runs.version_id; Type: COMMENT; Schema: loadgrid; Owner: -
--

COMMENT ON COLUMN loadgrid.runs.version_id IS 'the run that made the version of the table which has the rows: this one, or the one it appended to';


--
-- Name: COLUMN runs.shown; Type: COMMENT; Schema: loadgrid; Owner: -
--

COMMENT ON COLUMN loadgrid.runs.shown IS 'the table shows the rows of this run';


--
-- Name: COLUMN runs.kept_name; Type: COMMENT; Schema: loadgrid; Owner: -
--

COMMENT ON COLUMN loadgrid.runs.kept_name IS 'the table that keeps the rows of this run since others took their place';


--
-- Name: COLUMN runs.kept_no; Type: COMMENT; Schema: loadgrid; Owner: -
--

COMMENT ON COLUMN loadgrid.runs.kept_no IS 'the order in which the versions of a table that are kept were put away';


--
-- Name: COLUMN runs.job_name; Type: COMMENT; Schema: loadgrid; Owner: -
--

COMMENT ON COLUMN loadgrid.runs.job_name IS 'what the job is called in its file, else the table as the job names it';


--
-- Name: COLUMN runs.published_xid; Type: COMMENT; Schema: loadgrid; Owner: -
--

COMMENT ON COLUMN loadgrid.runs.published_xid IS 'the transaction in which the run was published';


--
-- Name: COLUMN runs.rows_added; Type: COMMENT; Schema: loadgrid; Owner: -
--

COMMENT ON COLUMN loadgrid.runs.rows_added IS 'the rows that the table got from this run: those that it held already are not among them';


--
-- Name: COLUMN runs.imprint; Type: COMMENT; Schema: loadgrid; Owner: -
--

COMMENT ON COLUMN loadgrid.runs.imprint IS 'the table as the run left it: its files, columns and indexes';


--
-- Name: runs_id_seq; Type: SEQUENCE; Schema: loadgrid; Owner: -
--

ALTER TABLE loadgrid.runs ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME loadgrid.runs_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: schema_migrations; Type: TABLE; Schema: loadgrid; Owner: -
--

CREATE TABLE loadgrid.schema_migrations (
    version bigint NOT NULL,
    dirty boolean NOT NULL
);


--
-- Name: starts; Type: TABLE; Schema: loadgrid; Owner: -
--

CREATE TABLE loadgrid.starts (
    run_id bigint NOT NULL,
    no integer NOT NULL,
    started_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    ended_at timestamp with time zone,
    outcome text,
    role text DEFAULT SESSION_USER NOT NULL,
    address inet DEFAULT inet_client_addr(),
    host text,
    os_user text,
    version text NOT NULL,
    rows bigint,
    seconds double precision,
    stages jsonb,
    retries integer,
    troubles jsonb,
    sqlstate text,
    error text
);


--
-- Name: TABLE starts; Type: COMMENT; Schema: loadgrid; Owner: -
--

COMMENT ON TABLE loadgrid.starts IS 'loadgrid: starts of runs, of which those after the first have resumed it';


--
-- Name: COLUMN starts.ended_at; Type: COMMENT; Schema: loadgrid; Owner: -
--

COMMENT ON COLUMN loadgrid.starts.ended_at IS 'null: it is at work, or was killed';


--
-- Name: COLUMN starts.outcome; Type: COMMENT; Schema: loadgrid; Owner: -
--

COMMENT ON COLUMN loadgrid.starts.outcome IS 'published, failed or stopped';


--
-- Name: COLUMN starts.address; Type: COMMENT; Schema: loadgrid; Owner: -
--

COMMENT ON COLUMN loadgrid.starts.address IS 'where the connection came from; null for a socket of the server';


--
-- Name: COLUMN starts.host; Type: COMMENT; Schema: loadgrid; Owner: -
--

COMMENT ON COLUMN loadgrid.starts.host IS 'what the machine calls itself';


--
-- Name: COLUMN starts.rows; Type: COMMENT; Schema: loadgrid; Owner: -
--

COMMENT ON COLUMN loadgrid.starts.rows IS 'rows that this start has copied and committed';


--
-- Name: COLUMN starts.stages; Type: COMMENT; Schema: loadgrid; Owner: -
--

COMMENT ON COLUMN loadgrid.starts.stages IS 'seconds that each stage took';


--
-- Name: COLUMN starts.troubles; Type: COMMENT; Schema: loadgrid; Owner: -
--

COMMENT ON COLUMN loadgrid.starts.troubles IS 'the last errors after which something was tried again';


--
-- Name: loadgrid_staging_0fa6c7e1_9c5521b5; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.loadgrid_staging_0fa6c7e1_9c5521b5 (
    id bigint NOT NULL,
    col integer,
    "row" integer,
    shape public.geometry(Polygon,25832),
    coverage real
)
PARTITION BY RANGE (id);


--
-- Name: loadgrid_staging_0fa6c7e1_9c5521b5_p0; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.loadgrid_staging_0fa6c7e1_9c5521b5_p0 (
    id bigint NOT NULL,
    col integer,
    "row" integer,
    shape public.geometry(Polygon,25832),
    coverage real,
    CONSTRAINT loadgrid_bounds CHECK (((id >= 96938686) AND (id < 96960310)))
)
WITH (autovacuum_enabled='false');


--
-- Name: loadgrid_staging_0fa6c7e1_9c5521b5_p2; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.loadgrid_staging_0fa6c7e1_9c5521b5_p2 (
    id bigint NOT NULL,
    col integer,
    "row" integer,
    shape public.geometry(Polygon,25832),
    coverage real,
    CONSTRAINT loadgrid_bounds CHECK (((id >= 96960505) AND (id < 96960710)))
)
WITH (autovacuum_enabled='false');


--
-- Name: loadgrid_staging_0fa6c7e1_9c5521b5_p0; Type: TABLE ATTACH; Schema: public; Owner: -
--

ALTER TABLE ONLY public.loadgrid_staging_0fa6c7e1_9c5521b5 ATTACH PARTITION public.loadgrid_staging_0fa6c7e1_9c5521b5_p0 FOR VALUES FROM ('96938686') TO ('96960310');


--
-- Name: loadgrid_staging_0fa6c7e1_9c5521b5_p2; Type: TABLE ATTACH; Schema: public; Owner: -
--

ALTER TABLE ONLY public.loadgrid_staging_0fa6c7e1_9c5521b5 ATTACH PARTITION public.loadgrid_staging_0fa6c7e1_9c5521b5_p2 FOR VALUES FROM ('96960505') TO ('96960710');


--
-- Data for Name: chunks; Type: TABLE DATA; Schema: loadgrid; Owner: -
--

INSERT INTO loadgrid.chunks VALUES
	(1, 0, 96938686, 96960309, 55, '2026-11-28 16:08:42.639777+00'),
	(1, 2, 96960505, 96960698, 54, '2026-11-28 16:08:42.711347+00');


--
-- Data for Name: runs; Type: TABLE DATA; Schema: loadgrid; Owner: -
--

INSERT INTO loadgrid.runs OVERRIDING SYSTEM VALUE VALUES
	(1, 'public', 'grid', 'loadgrid_staging_0fa6c7e1_9c5521b5', '{"area": {"sql": "select ''SRID=25832;POLYGON((691000 5334000, 699500 5336250, 694000 5343125, 691000 5334000))''::geometry", "rule": "centroid", "srid": 25832}, "grid": {"dx": 250, "dy": 250, "x0": 0, "y0": 0, "srid": 25832, "shape": "hexagon-pointy", "rotate": 10}, "index": "both", "table": {"name": "grid", "schema": "public"}, "streams": 2, "coverage": true, "id_column": "id", "if_exists": "fail", "partitions": 4, "geom_column": "shape", "ledger_schema": "loadgrid"}', 'c65ac60a8ac155b698d1c13c5eb73a24007da83713f36fc906ea60e2bd539f1c', 4, 218, 'loading', NULL, 1, '2026-11-28 16:08:42.539462+00', NULL, NULL, 'dev', '\x0106000020e86400000100000001030000000100000004000000000000007016254100000000fc58544100000000e02d254100000040e561544100000000d8582541000000802e5b5441000000007016254100000000fc585441', NULL, false, NULL, NULL, 'public.grid', NULL, NULL, NULL);


--
-- Data for Name: schema_migrations; Type: TABLE DATA; Schema: loadgrid; Owner: -
--

INSERT INTO loadgrid.schema_migrations VALUES
	(4, false);


--
-- Data for Name: starts; Type: TABLE DATA; Schema: loadgrid; Owner: -
--

INSERT INTO loadgrid.starts VALUES
	(1, 1, '2026-11-28 16:08:42.544355+00', NULL, NULL, 'loadgrid', '192.0.2.1', 'client', 'loader', 'dev', NULL, NULL, NULL, NULL, NULL, NULL, NULL);


--
-- Data for Name: loadgrid_staging_0fa6c7e1_9c5521b5_p0; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.loadgrid_staging_0fa6c7e1_9c5521b5_p0 VALUES
	(96938686, 3711, 13689, '0103000020E86400000100000007000000D869CEF33119254114F03DFA31595441BFB97EF9B01A2541B1FCD7265A595441633D87265A1A25411D8BC4B3975954411E71DF4D84182541EC0C1714AD59544137212F48051725414E007DE784595441939D261B5C172541E271905A47595441D869CEF33119254114F03DFA31595441', 0.8926421),
	(96938687, 3711, 13688, '0103000020E864000001000000070000004D9615C1091825410A55B740CC58544134E6C5C688192541A861516DF4585441D869CEF33119254114F03DFA31595441939D261B5C172541E271905A47595441AE4D7615DD1525414565F62D1F5954410ACA6DE833162541D9D609A1E15854414D9615C1091825410A55B740CC585441', 0.4063283),
	(96960226, 3730, 13690, '0103000020E864000001000000070000006D38B9C851562541A34DCC10EA5A5441548869CED0572541405A663D125B5441F70B72FB79572541ACE852CA4F5B5441B33FCA22A45525417B6AA52A655B5441CBEF191D25542541DD5D0BFE3C5B5441286C11F07B54254171CF1E71FF5A54416D38B9C851562541A34DCC10EA5A5441', 0.6797599),
	(96960236, 3728, 13690, '0103000020E864000001000000070000001700090CA84F254106383D78C45A5441FE4FB91127512541A344D7A4EC5A5441A1D3C13ED05025410FD3C3312A5B54415D071A66FA4E2541DE5416923F5B544175B769607B4D254140487C65175B5441D2336133D24D2541D4B98FD8D95A54411700090CA84F254106383D78C45A5441', 0.86943984),
	(96960237, 3729, 13690, '0103000020E86400000100000007000000431C61EAFC522541D4C28444D75A5441286C11F07B54254171CF1E71FF5A5441CBEF191D25542541DD5D0BFE3C5B5441892372444F522541ACDF5D5E525B5441A1D3C13ED05025410FD3C3312A5B5441FE4FB91127512541A344D7A4EC5A5441431C61EAFC522541D4C28444D75A5441', 0.7772603),
	(96960238, 3729, 13691, '0103000020E86400000100000007000000CBEF191D25542541DD5D0BFE3C5B5441B33FCA22A45525417B6AA52A655B544156C3D24F4D552541E8F891B7A25B544112F72A7777532541B67AE417B85B54412CA77A71F8512541196E4AEB8F5B5441892372444F522541ACDF5D5E525B5441CBEF191D25542541DD5D0BFE3C5B5441', 1),
	(96960239, 3728, 13691, '0103000020E86400000100000007000000A1D3C13ED05025410FD3C3312A5B5441892372444F522541ACDF5D5E525B54412CA77A71F8512541196E4AEB8F5B5441E8DAD29822502541E8EF9C4BA55B5441008B2293A34E25414BE3021F7D5B54415D071A66FA4E2541DE5416923F5B5441A1D3C13ED05025410FD3C3312A5B5441', 1),
	(96960240, 3728, 13692, '0103000020E86400000100000007000000008B2293A34E25414BE3021F7D5B5441E8DAD29822502541E8EF9C4BA55B54418B5EDBC5CB4F2541547E89D8E25B5441479233EDF54D25412300DC38F85B54415F4283E7764C254185F3410CD05B5441BCBE7ABACD4C25411965557F925B5441008B2293A34E25414BE3021F7D5B5441', 1),
	(96960241, 3728, 13693, '0103000020E864000001000000070000008B5EDBC5CB4F2541547E89D8E25B544173AE8BCB4A512541F18A23050B5C5441163294F8F35025415D191092485C5441D265EC1F1E4F25412C9B62F25D5C5441EA153C1A9F4D25418F8EC8C5355C5441479233EDF54D25412300DC38F85B54418B5EDBC5CB4F2541547E89D8E25B5441', 1),
	(96960243, 3729, 13692, '0103000020E864000001000000070000002CA77A71F8512541196E4AEB8F5B544112F72A7777532541B67AE417B85B5441B57A33A4205325412209D1A4F55B544173AE8BCB4A512541F18A23050B5C54418B5EDBC5CB4F2541547E89D8E25B5441E8DAD29822502541E8EF9C4BA55B54412CA77A71F8512541196E4AEB8F5B5441', 1),
	(96960254, 3728, 13694, '0103000020E86400000100000007000000EA153C1A9F4D25418F8EC8C5355C5441D265EC1F1E4F25412C9B62F25D5C544175E9F44CC74E254198294F7F9B5C5441311D4D74F14C254167ABA1DFB05C544149CD9C6E724B2541C99E07B3885C5441A6499441C94B25415D101B264B5C5441EA153C1A9F4D25418F8EC8C5355C5441', 1),
	(96960256, 3727, 13695, '0103000020E8640000010000000700000049CD9C6E724B2541C99E07B3885C5441311D4D74F14C254167ABA1DFB05C5441D4A055A19A4C2541D4398E6CEE5C544190D4ADC8C44A2541A2BBE0CC035D5441A884FDC24549254105AF46A0DB5C54410501F5959C49254198205A139E5C544149CD9C6E724B2541C99E07B3885C5441', 1),
	(96960257, 3726, 13695, '0103000020E864000001000000070000001DB144901D482541FB13C0E6755C54410501F5959C49254198205A139E5C5441A884FDC24549254105AF46A0DB5C544164B855EA6F472541D4309900F15C54417E68A5E4F04525413724FFD3C85C5441DBE49CB747462541CA9512478B5C54411DB144901D482541FB13C0E6755C5441', 1),
	(96960258, 3726, 13694, '0103000020E8640000010000000700000094DD8B5DF5462541F278392D105C54417A2D3C63744825418F85D359385C54411DB144901D482541FB13C0E6755C5441DBE49CB747462541CA9512478B5C5441F394ECB1C84425412C89781A635C54415011E4841F452541C0FA8B8D255C544194DD8B5DF5462541F278392D105C5441', 1),
	(96960259, 3727, 13694, '0103000020E86400000100000007000000BEF9E33B4A4A2541C00381F9225C5441A6499441C94B25415D101B264B5C544149CD9C6E724B2541C99E07B3885C54410501F5959C49254198205A139E5C54411DB144901D482541FB13C0E6755C54417A2D3C63744825418F85D359385C5441BEF9E33B4A4A2541C00381F9225C5441', 1),
	(96960260, 3727, 13693, '0103000020E864000001000000070000005F4283E7764C254185F3410CD05B5441479233EDF54D25412300DC38F85B5441EA153C1A9F4D25418F8EC8C5355C5441A6499441C94B25415D101B264B5C5441BEF9E33B4A4A2541C00381F9225C54411B76DB0EA14A25415475946CE55B54415F4283E7764C254185F3410CD05B5441', 1),
	(96960261, 3727, 13692, '0103000020E86400000100000007000000D46ECAB44E4B25417C58BB526A5B5441BCBE7ABACD4C25411965557F925B54415F4283E7764C254185F3410CD05B54411B76DB0EA14A25415475946CE55B544133262B0922492541B768FA3FBD5B544190A222DC784925414BDA0DB37F5B5441D46ECAB44E4B25417C58BB526A5B5441', 1),
	(96960262, 3726, 13692, '0103000020E86400000100000007000000AA5272D6F9472541AECD7386575B544190A222DC784925414BDA0DB37F5B544133262B0922492541B768FA3FBD5B5441F15983304C47254186EA4CA0D25B5441090AD32ACD452541E8DDB273AA5B54416686CAFD234625417C4FC6E66C5B5441AA5272D6F9472541AECD7386575B5441', 1),
	(96960263, 3726, 13693, '0103000020E8640000010000000700000033262B0922492541B768FA3FBD5B54411B76DB0EA14A25415475946CE55B5441BEF9E33B4A4A2541C00381F9225C54417A2D3C63744825418F85D359385C544194DD8B5DF5462541F278392D105C5441F15983304C47254186EA4CA0D25B544133262B0922492541B768FA3FBD5B5441', 1),
	(96960264, 3725, 13693, '0103000020E86400000100000007000000090AD32ACD452541E8DDB273AA5B5441F15983304C47254186EA4CA0D25B544194DD8B5DF5462541F278392D105C54415011E4841F452541C0FA8B8D255C544168C1337FA043254123EEF160FD5B5441C53D2B52F7432541B75F05D4BF5B5441090AD32ACD452541E8DDB273AA5B5441', 1),
	(96960265, 3725, 13692, '0103000020E864000001000000070000007E361AF8A4442541DF422CBA445B54416686CAFD234625417C4FC6E66C5B5441090AD32ACD452541E8DDB273AA5B5441C53D2B52F7432541B75F05D4BF5B5441DDED7A4C784225411A536BA7975B54413A6A721FCF422541AEC47E1A5A5B54417E361AF8A4442541DF422CBA445B5441', 1),
	(96960266, 3724, 13692, '0103000020E86400000100000007000000521AC2195041254110B8E4ED315B54413A6A721FCF422541AEC47E1A5A5B5441DDED7A4C784225411A536BA7975B54419921D373A2402541E8D4BD07AD5B5441B1D1226E233F25414BC823DB845B54410E4E1A417A3F2541DF39374E475B5441521AC2195041254110B8E4ED315B5441', 1),
	(96960267, 3724, 13693, '0103000020E86400000100000007000000DDED7A4C784225411A536BA7975B5441C53D2B52F7432541B75F05D4BF5B544168C1337FA043254123EEF160FD5B544124F58BA6CA412541F26F44C1125C54413CA5DBA04B4025415463AA94EA5B54419921D373A2402541E8D4BD07AD5B5441DDED7A4C784225411A536BA7975B5441', 1),
	(96960268, 3724, 13694, '0103000020E864000001000000070000003CA5DBA04B4025415463AA94EA5B544124F58BA6CA412541F26F44C1125C5441C77894D3734125415EFE304E505C544183ACECFA9D3F25412C8083AE655C54419B5C3CF51E3E25418F73E9813D5C5441F8D833C8753E254123E5FCF4FF5B54413CA5DBA04B4025415463AA94EA5B5441', 1),
	(96960269, 3725, 13694, '0103000020E8640000010000000700000068C1337FA043254123EEF160FD5B54415011E4841F452541C0FA8B8D255C5441F394ECB1C84425412C89781A635C5441AFC844D9F2422541FB0ACB7A785C5441C77894D3734125415EFE304E505C544124F58BA6CA412541F26F44C1125C544168C1337FA043254123EEF160FD5B5441', 1),
	(96960270, 3725, 13695, '0103000020E86400000100000007000000F394ECB1C84425412C89781A635C5441DBE49CB747462541CA9512478B5C54417E68A5E4F04525413724FFD3C85C54413A9CFD0B1B44254105A65134DE5C5441524C4D069C4225416899B707B65C5441AFC844D9F2422541FB0ACB7A785C5441F394ECB1C84425412C89781A635C5441', 1),
	(96960271, 3724, 13695, '0103000020E86400000100000007000000C77894D3734125415EFE304E505C5441AFC844D9F2422541FB0ACB7A785C5441524C4D069C4225416899B707B65C54410E80A52DC6402541371B0A68CB5C54412630F527473F2541990E703BA35C544183ACECFA9D3F25412C8083AE655C5441C77894D3734125415EFE304E505C5441', 1),
	(96960272, 3723, 13695, '0103000020E864000001000000070000009B5C3CF51E3E25418F73E9813D5C544183ACECFA9D3F25412C8083AE655C54412630F527473F2541990E703BA35C5441E2634D4F713D25416890C29BB85C5441FC139D49F23B2541CB83286F905C54415990941C493C25415EF53BE2525C54419B5C3CF51E3E25418F73E9813D5C5441', 1),
	(96960273, 3723, 13694, '0103000020E86400000100000007000000128983C2F63C254186D862C8D75B5441F8D833C8753E254123E5FCF4FF5B54419B5C3CF51E3E25418F73E9813D5C54415990941C493C25415EF53BE2525C54417140E416CA3A2541C1E8A1B52A5C5441CEBCDBE9203B2541555AB528ED5B5441128983C2F63C254186D862C8D75B5441', 1),
	(96960274, 3722, 13694, '0103000020E86400000100000007000000E66C2BE4A1392541B74D1BFCC45B5441CEBCDBE9203B2541555AB528ED5B54417140E416CA3A2541C1E8A1B52A5C54412D743C3EF43825418F6AF415405C544145248C3875372541F25D5AE9175C5441A2A0830BCC37254186CF6D5CDA5B5441E66C2BE4A1392541B74D1BFCC45B5441', 1),
	(96960275, 3722, 13695, '0103000020E864000001000000070000007140E416CA3A2541C1E8A1B52A5C54415990941C493C25415EF53BE2525C5441FC139D49F23B2541CB83286F905C5441B847F5701C3A25419A057BCFA55C5441D0F7446B9D382541FCF8E0A27D5C54412D743C3EF43825418F6AF415405C54417140E416CA3A2541C1E8A1B52A5C5441', 1),
	(96960276, 3721, 13695, '0103000020E8640000010000000700000045248C3875372541F25D5AE9175C54412D743C3EF43825418F6AF415405C5441D0F7446B9D382541FCF8E0A27D5C54418C2B9D92C7362541CB7A3303935C5441A4DBEC8C483525412E6E99D66A5C54410158E45F9F352541C1DFAC492D5C544145248C3875372541F25D5AE9175C5441', 1),
	(96960277, 3720, 13695, '0103000020E864000001000000070000001908345A2034254124D3121D055C54410158E45F9F352541C1DFAC492D5C5441A4DBEC8C483525412E6E99D66A5C5441600F45B472332541FDEFEB36805C54417ABF94AEF33125415FE3510A585C5441D73B8C814A322541F254657D1A5C54411908345A2034254124D3121D055C5441', 1),
	(96960278, 3720, 13694, '0103000020E8640000010000000700000090347B27F83225411A388C639F5B544176842B2D77342541B8442690C75B54411908345A2034254124D3121D055C5441D73B8C814A322541F254657D1A5C5441EFEBDB7BCB3025415548CB50F25B54414C68D34E22312541E9B9DEC3B45B544190347B27F83225411A388C639F5B5441', 1),
	(96960279, 3721, 13694, '0103000020E86400000100000007000000BA50D3054D362541E9C2D32FB25B5441A2A0830BCC37254186CF6D5CDA5B544145248C3875372541F25D5AE9175C54410158E45F9F352541C1DFAC492D5C54411908345A2034254124D3121D055C544176842B2D77342541B8442690C75B5441BA50D3054D362541E9C2D32FB25B5441', 1),
	(96960280, 3721, 13693, '0103000020E864000001000000070000005B9972B179382541AEB294425F5B544143E922B7F83925414BBF2E6F875B5441E66C2BE4A1392541B74D1BFCC45B5441A2A0830BCC37254186CF6D5CDA5B5441BA50D3054D362541E9C2D32FB25B544117CDCAD8A33625417D34E7A2745B54415B9972B179382541AEB294425F5B5441', 1),
	(96960281, 3720, 13693, '0103000020E864000001000000070000002F7D1AD324352541E0274D764C5B544117CDCAD8A33625417D34E7A2745B5441BA50D3054D362541E9C2D32FB25B544176842B2D77342541B8442690C75B544190347B27F83225411A388C639F5B5441EDB072FA4E332541AEA99FD6615B54412F7D1AD324352541E0274D764C5B5441', 1),
	(96960282, 3720, 13692, '0103000020E86400000100000007000000A6A961A0FC332541D68CC6BCE65A54418CF911A67B352541749960E90E5B54412F7D1AD324352541E0274D764C5B5441EDB072FA4E332541AEA99FD6615B54410561C2F4CF312541119D05AA395B544162DDB9C726322541A50E191DFC5A5441A6A961A0FC332541D68CC6BCE65A5441', 1),
	(96960283, 3721, 13692, '0103000020E86400000100000007000000D0C5B97E51372541A5170E89F95A5441B8156A84D03825414224A8B5215B54415B9972B179382541AEB294425F5B544117CDCAD8A33625417D34E7A2745B54412F7D1AD324352541E0274D764C5B54418CF911A67B352541749960E90E5B5441D0C5B97E51372541A5170E89F95A5441', 1),
	(96960284, 3722, 13692, '0103000020E86400000100000007000000FCE1115DA63A254173A255550C5B5441E431C262253C254111AFEF81345B544187B5CA8FCE3B25417D3DDC0E725B544143E922B7F83925414BBF2E6F875B54415B9972B179382541AEB294425F5B5441B8156A84D03825414224A8B5215B5441FCE1115DA63A254173A255550C5B5441', 1),
	(96960285, 3722, 13693, '0103000020E8640000010000000700000087B5CA8FCE3B25417D3DDC0E725B54416F057B954D3D25411A4A763B9A5B5441128983C2F63C254186D862C8D75B5441CEBCDBE9203B2541555AB528ED5B5441E66C2BE4A1392541B74D1BFCC45B544143E922B7F83925414BBF2E6F875B544187B5CA8FCE3B25417D3DDC0E725B5441', 1),
	(96960286, 3723, 13693, '0103000020E86400000100000007000000B1D1226E233F25414BC823DB845B54419921D373A2402541E8D4BD07AD5B54413CA5DBA04B4025415463AA94EA5B5441F8D833C8753E254123E5FCF4FF5B5441128983C2F63C254186D862C8D75B54416F057B954D3D25411A4A763B9A5B5441B1D1226E233F25414BC823DB845B5441', 1),
	(96960287, 3723, 13692, '0103000020E8640000010000000700000028FE693BFB3D2541422D9D211F5B54410E4E1A417A3F2541DF39374E475B5441B1D1226E233F25414BC823DB845B54416F057B954D3D25411A4A763B9A5B544187B5CA8FCE3B25417D3DDC0E725B5441E431C262253C254111AFEF81345B544128FE693BFB3D2541422D9D211F5B5441', 1),
	(96960288, 3723, 13691, '0103000020E86400000100000007000000C74609E727402541061D5E34CC5A5441AF96B9ECA6412541A329F860F45A5441521AC2195041254110B8E4ED315B54410E4E1A417A3F2541DF39374E475B544128FE693BFB3D2541422D9D211F5B5441857A610E523E2541D59EB094E15A5441C74609E727402541061D5E34CC5A5441', 1),
	(96960289, 3723, 13690, '0103000020E864000001000000070000003F7350B4FF3E2541FD81D77A665A544124C300BA7E4025419A8E71A78E5A5441C74609E727402541061D5E34CC5A5441857A610E523E2541D59EB094E15A54419D2AB108D33C254138921668B95A5441FAA6A8DB293D2541CC032ADB7B5A54413F7350B4FF3E2541FD81D77A665A5441', 1),
	(96960290, 3722, 13690, '0103000020E864000001000000070000001357F8D5AA3B25412EF78FAE535A5441FAA6A8DB293D2541CC032ADB7B5A54419D2AB108D33C254138921668B95A5441595E0930FD3A2541061469C8CE5A5441710E592A7E3925416907CF9BA65A5441CE8A50FDD4392541FD78E20E695A54411357F8D5AA3B25412EF78FAE535A5441', 1),
	(96960291, 3722, 13691, '0103000020E864000001000000070000009D2AB108D33C254138921668B95A5441857A610E523E2541D59EB094E15A544128FE693BFB3D2541422D9D211F5B5441E431C262253C254111AFEF81345B5441FCE1115DA63A254173A255550C5B5441595E0930FD3A2541061469C8CE5A54419D2AB108D33C254138921668B95A5441', 1),
	(96960292, 3721, 13691, '0103000020E86400000100000007000000710E592A7E3925416907CF9BA65A5441595E0930FD3A2541061469C8CE5A5441FCE1115DA63A254173A255550C5B5441B8156A84D03825414224A8B5215B5441D0C5B97E51372541A5170E89F95A54412D42B151A8372541388921FCBB5A5441710E592A7E3925416907CF9BA65A5441', 1),
	(96960293, 3720, 13691, '0103000020E8640000010000000700000045F2004C293625419B7C87CF935A54412D42B151A8372541388921FCBB5A5441D0C5B97E51372541A5170E89F95A54418CF911A67B352541749960E90E5B5441A6A961A0FC332541D68CC6BCE65A5441032659735334254169FED92FA95A544145F2004C293625419B7C87CF935A5441', 1),
	(96960294, 3720, 13690, '0103000020E86400000100000007000000BD1E48190135254191E100162E5A5441A26EF81E803625412FEE9A42565A544145F2004C293625419B7C87CF935A5441032659735334254169FED92FA95A54411BD6A86DD4322541CCF13F03815A54417852A0402B33254160635376435A5441BD1E48190135254191E100162E5A5441', 1),
	(96960295, 3721, 13690, '0103000020E86400000100000007000000E73AA0F755382541606C48E2405A5441CE8A50FDD4392541FD78E20E695A5441710E592A7E3925416907CF9BA65A54412D42B151A8372541388921FCBB5A544145F2004C293625419B7C87CF935A5441A26EF81E803625412FEE9A42565A5441E73AA0F755382541606C48E2405A5441', 1),
	(96960296, 3721, 13689, '0103000020E8640000010000000700000088833FA3823A2541255C09F5ED5954416FD3EFA8013C2541C268A321165A54411357F8D5AA3B25412EF78FAE535A5441CE8A50FDD4392541FD78E20E695A5441E73AA0F755382541606C48E2405A544143B797CAAC382541F4DD5B55035A544188833FA3823A2541255C09F5ED595441', 0.508513),
	(96960297, 3720, 13689, '0103000020E864000001000000070000005C67E7C42D37254157D1C128DB59544143B797CAAC382541F4DD5B55035A5441E73AA0F755382541606C48E2405A5441A26EF81E803625412FEE9A42565A5441BD1E48190135254191E100162E5A5441199B3FEC5735254125531489F05954415C67E7C42D37254157D1C128DB595441', 0.6060133),
	(96960308, 3724, 13690, '0103000020E86400000100000007000000698FA89254422541CB0C1F47795A544150DF5898D34325416919B973A15A5441F36261C57C432541D5A7A500DF5A5441AF96B9ECA6412541A329F860F45A5441C74609E727402541061D5E34CC5A544124C300BA7E4025419A8E71A78E5A5441698FA89254422541CB0C1F47795A5441', 1),
	(96960309, 3724, 13691, '0103000020E86400000100000007000000F36261C57C432541D5A7A500DF5A5441DBB211CBFB44254172B43F2D075B54417E361AF8A4442541DF422CBA445B54413A6A721FCF422541AEC47E1A5A5B5441521AC2195041254110B8E4ED315B5441AF96B9ECA6412541A329F860F45A5441F36261C57C432541D5A7A500DF5A5441', 1);


--
-- Data for Name: loadgrid_staging_0fa6c7e1_9c5521b5_p2; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.loadgrid_staging_0fa6c7e1_9c5521b5_p2 VALUES
	(96960505, 3713, 13692, '0103000020E8640000010000000700000078E4F88BAA1C254130C1D126635A54416034A991291E2541CECD6B538B5A544103B8B1BED21D25413A5C58E0C85A5441BFEB09E6FC1B254108DEAA40DE5A5441D79B59E07D1A25416BD11014B65A5441341851B3D41A2541FF422487785A544178E4F88BAA1C254130C1D126635A5441', 0.9623389),
	(96960524, 3715, 13697, '0103000020E864000001000000070000002D0695897322254160C872C65F5C54411456458FF2232541FDD40CF3875C5441B8D94DBC9B2325416963F97FC55C5441730DA6E3C521254138E54BE0DA5C54418CBDF5DD462025419BD8B1B3B25C5441E839EDB09D2025412F4AC526755C54412D0695897322254160C872C65F5C5441', 1),
	(96960527, 3715, 13696, '0103000020E86400000100000007000000A232DC564B212541572DEC0CFA5B54418A828C5CCA222541F4398639225C54412D0695897322254160C872C65F5C5441E839EDB09D2025412F4AC526755C544101EA3CAB1E1F2541913D2BFA4C5C54415E66347E751F254125AF3E6D0F5C5441A232DC564B212541572DEC0CFA5B5441', 0.9997458),
	(96960528, 3716, 13696, '0103000020E86400000100000007000000CE4E3435A024254125B833D90C5C5441B69EE43A1F262541C2C4CD05355C54415922ED67C82525412E53BA92725C54411456458FF2232541FDD40CF3875C54412D0695897322254160C872C65F5C54418A828C5CCA222541F4398639225C5441CE4E3435A024254125B833D90C5C5441', 1),
	(96960529, 3716, 13697, '0103000020E864000001000000070000005922ED67C82525412E53BA92725C54413E729D6D47272541CC5F54BF9A5C5441E2F5A59AF026254138EE404CD85C54419F29FEC11A252541067093ACED5C5441B8D94DBC9B2325416963F97FC55C54411456458FF2232541FDD40CF3875C54415922ED67C82525412E53BA92725C5441', 1),
	(96960530, 3717, 13697, '0103000020E86400000100000007000000833E45461D292541FDDD015F855C54416A8EF54B9C2A25419AEA9B8BAD5C54410E12FE78452A254106798818EB5C5441C94556A06F282541D5FADA78005D5441E2F5A59AF026254138EE404CD85C54413E729D6D47272541CC5F54BF9A5C5441833E45461D292541FDDD015F855C5441', 1),
	(96960531, 3717, 13696, '0103000020E86400000100000007000000F86A8C13F5272541F4427BA51F5C5441E0BA3C1974292541914F15D2475C5441833E45461D292541FDDD015F855C54413E729D6D47272541CC5F54BF9A5C54415922ED67C82525412E53BA92725C5441B69EE43A1F262541C2C4CD05355C5441F86A8C13F5272541F4427BA51F5C5441', 1),
	(96960532, 3718, 13696, '0103000020E864000001000000070000002487E4F1492B2541C2CDC271325C54410CD794F7C82C25415FDA5C9E5A5C5441AF5A9D24722C2541CB68492B985C54416A8EF54B9C2A25419AEA9B8BAD5C5441833E45461D292541FDDD015F855C5441E0BA3C1974292541914F15D2475C54412487E4F1492B2541C2CDC271325C5441', 1),
	(96960533, 3719, 13696, '0103000020E8640000010000000700000050A33CD09E2E254191580A3E455C544136F3ECD51D3025412E65A46A6D5C5441D976F502C72F25419AF390F7AA5C544196AA4D2AF12D25416975E357C05C5441AF5A9D24722C2541CB68492B985C54410CD794F7C82C25415FDA5C9E5A5C544150A33CD09E2E254191580A3E455C5441', 1),
	(96960534, 3719, 13697, '0103000020E86400000100000007000000D976F502C72F25419AF390F7AA5C5441C0C6A5084631254137002B24D35C5441644AAE35EF302541A38E17B1105D54411F7E065D192F254172106A11265D54413A2E56579A2D2541D503D0E4FD5C544196AA4D2AF12D25416975E357C05C5441D976F502C72F25419AF390F7AA5C5441', 1),
	(96960535, 3718, 13697, '0103000020E86400000100000007000000AF5A9D24722C2541CB68492B985C544196AA4D2AF12D25416975E357C05C54413A2E56579A2D2541D503D0E4FD5C5441F561AE7EC42B2541A3852245135D54410E12FE78452A254106798818EB5C54416A8EF54B9C2A25419AEA9B8BAD5C5441AF5A9D24722C2541CB68492B985C5441', 1),
	(96960536, 3718, 13698, '0103000020E864000001000000070000000E12FE78452A254106798818EB5C5441F561AE7EC42B2541A3852245135D544199E5B6AB6D2B25410F140FD2505D544154190FD397292541DE956132665D54416DC95ECD182825414189C7053E5D5441C94556A06F282541D5FADA78005D54410E12FE78452A254106798818EB5C5441', 1),
	(96960537, 3719, 13698, '0103000020E864000001000000070000003A2E56579A2D2541D503D0E4FD5C54411F7E065D192F254172106A11265D5441C3010F8AC22E2541DE9E569E635D5441803567B1EC2C2541AD20A9FE785D544199E5B6AB6D2B25410F140FD2505D5441F561AE7EC42B2541A3852245135D54413A2E56579A2D2541D503D0E4FD5C5441', 1),
	(96960538, 3719, 13699, '0103000020E86400000100000007000000C3010F8AC22E2541DE9E569E635D5441AA51BF8F413025417BABF0CA8B5D54414ED5C7BCEA2F2541E839DD57C95D5441090920E4142E2541B7BB2FB8DE5D544124B96FDE952C25411AAF958BB65D5441803567B1EC2C2541AD20A9FE785D5441C3010F8AC22E2541DE9E569E635D5441', 1),
	(96960539, 3718, 13699, '0103000020E8640000010000000700000099E5B6AB6D2B25410F140FD2505D5441803567B1EC2C2541AD20A9FE785D544124B96FDE952C25411AAF958BB65D5441DFECC705C02A2541E830E8EBCB5D5441F89C1700412925414B244EBFA35D544154190FD397292541DE956132665D544199E5B6AB6D2B25410F140FD2505D5441', 1),
	(96960540, 3717, 13699, '0103000020E864000001000000070000006DC95ECD182825414189C7053E5D544154190FD397292541DE956132665D5441F89C1700412925414B244EBFA35D5441B3D06F276B2725411AA6A01FB95D5441CC80BF21EC2525417D9906F3905D544128FDB6F442262541100B1A66535D54416DC95ECD182825414189C7053E5D5441', 1),
	(96960541, 3717, 13698, '0103000020E86400000100000007000000E2F5A59AF026254138EE404CD85C5441C94556A06F282541D5FADA78005D54416DC95ECD182825414189C7053E5D544128FDB6F442262541100B1A66535D544143AD06EFC324254172FE7F392B5D54419F29FEC11A252541067093ACED5C5441E2F5A59AF026254138EE404CD85C5441', 1),
	(96960542, 3716, 13698, '0103000020E86400000100000007000000B8D94DBC9B2325416963F97FC55C54419F29FEC11A252541067093ACED5C544143AD06EFC324254172FE7F392B5D5441FEE05E16EE2225414180D299405D54411791AE106F212541A473386D185D5441730DA6E3C521254138E54BE0DA5C5441B8D94DBC9B2325416963F97FC55C5441', 1),
	(96960543, 3716, 13699, '0103000020E8640000010000000700000043AD06EFC324254172FE7F392B5D544128FDB6F442262541100B1A66535D5441CC80BF21EC2525417D9906F3905D544189B41749162425414B1B5953A65D5441A264674397222541AE0EBF267E5D5441FEE05E16EE2225414180D299405D544143AD06EFC324254172FE7F392B5D5441', 1),
	(96960546, 3717, 13701, '0103000020E86400000100000007000000565478541427254186348DACF65D54413EA4285A93282541234127D91E5E5441E12731873C2825418FCF13665C5E54419D5B89AE662625415E5166C6715E5441B50BD9A8E7242541C144CC99495E54411288D07B3E25254155B6DF0C0C5E5441565478541427254186348DACF65D5441', 1),
	(96960547, 3717, 13700, '0103000020E86400000100000007000000CC80BF21EC2525417D9906F3905D5441B3D06F276B2725411AA6A01FB95D5441565478541427254186348DACF65D54411288D07B3E25254155B6DF0C0C5E54412C382076BF232541B7A945E0E35D544189B41749162425414B1B5953A65D5441CC80BF21EC2525417D9906F3905D5441', 1),
	(96960548, 3718, 13700, '0103000020E86400000100000007000000F89C1700412925414B244EBFA35D5441DFECC705C02A2541E830E8EBCB5D54418270D032692A254154BFD478095E54413EA4285A93282541234127D91E5E5441565478541427254186348DACF65D5441B3D06F276B2725411AA6A01FB95D5441F89C1700412925414B244EBFA35D5441', 1),
	(96960549, 3719, 13700, '0103000020E8640000010000000700000024B96FDE952C25411AAF958BB65D5441090920E4142E2541B7BB2FB8DE5D5441AC8C2811BE2D2541234A1C451C5E54416AC08038E82B2541F2CB6EA5315E54418270D032692A254154BFD478095E5441DFECC705C02A2541E830E8EBCB5D544124B96FDE952C25411AAF958BB65D5441', 1),
	(96960550, 3719, 13701, '0103000020E86400000100000007000000AC8C2811BE2D2541234A1C451C5E544194DCD8163D2F2541C056B671445E54413760E143E62E25412CE5A2FE815E5441F393396B102D2541FB66F55E975E54410D448965912B25415E5A5B326F5E54416AC08038E82B2541F2CB6EA5315E5441AC8C2811BE2D2541234A1C451C5E5441', 1),
	(96960551, 3718, 13701, '0103000020E864000001000000070000008270D032692A254154BFD478095E54416AC08038E82B2541F2CB6EA5315E54410D448965912B25415E5A5B326F5E5441C977E18CBB2925412CDCAD92845E5441E12731873C2825418FCF13665C5E54413EA4285A93282541234127D91E5E54418270D032692A254154BFD478095E5441', 1),
	(96960552, 3718, 13702, '0103000020E86400000100000007000000E12731873C2825418FCF13665C5E5441C977E18CBB2925412CDCAD92845E54416CFBE9B964292541986A9A1FC25E5441282F42E18E27254167ECEC7FD75E544140DF91DB0F262541CADF5253AF5E54419D5B89AE662625415E5166C6715E5441E12731873C2825418FCF13665C5E5441', 1),
	(96960553, 3719, 13702, '0103000020E864000001000000070000000D448965912B25415E5A5B326F5E5441F393396B102D2541FB66F55E975E544196174298B92C254167F5E1EBD45E5441544B9ABFE32A25413677344CEA5E54416CFBE9B964292541986A9A1FC25E5441C977E18CBB2925412CDCAD92845E54410D448965912B25415E5A5B326F5E5441', 1),
	(96960554, 3719, 13703, '0103000020E8640000010000000700000096174298B92C254167F5E1EBD45E54417E67F29D382E254104027C18FD5E544121EBFACAE12D2541719068A53A5F5441DD1E53F20B2C25414012BB05505F5441F7CEA2EC8C2A2541A30521D9275F5441544B9ABFE32A25413677344CEA5E544196174298B92C254167F5E1EBD45E5441', 1),
	(96960555, 3718, 13703, '0103000020E864000001000000070000006CFBE9B964292541986A9A1FC25E5441544B9ABFE32A25413677344CEA5E5441F7CEA2EC8C2A2541A30521D9275F5441B302FB13B7282541718773393D5F5441CBB24A0E38272541D47AD90C155F5441282F42E18E27254167ECEC7FD75E54416CFBE9B964292541986A9A1FC25E5441', 1),
	(96960624, 3719, 13707, '0103000020E864000001000000070000006A2D75A6B02A2541F04B6D3946605441527D25AC2F2C25418D5807666E605441F5002ED9D82B2541FAE6F3F2AB605441B0348600032A2541C9684653C1605441CBE4D5FA832825412C5CAC26996054412861CDCDDA282541BFCDBF995B6054416A2D75A6B02A2541F04B6D3946605441', 0.5348678),
	(96960638, 3719, 13705, '0103000020E8640000010000000700000080A25B1FB52B2541ACA0A7928D5F544168F20B25342D254149AD41BFB55F54410B761452DD2C2541B53B2E4CF35F5441C7A96C79072B254184BD80AC08605441E159BC7388292541E7B0E67FE05F54413ED6B346DF2925417B22FAF2A25F544180A25B1FB52B2541ACA0A7928D5F5441', 1),
	(96960639, 3719, 13704, '0103000020E86400000100000007000000F7CEA2EC8C2A2541A30521D9275F5441DD1E53F20B2C25414012BB05505F544180A25B1FB52B2541ACA0A7928D5F54413ED6B346DF2925417B22FAF2A25F54415686034160282541DD1560C67A5F5441B302FB13B7282541718773393D5F5441F7CEA2EC8C2A2541A30521D9275F5441', 1),
	(96960640, 3720, 13704, '0103000020E8640000010000000700000021EBFACAE12D2541719068A53A5F5441073BABD0602F25410F9D02D2625F5441AABEB3FD092F25417B2BEF5EA05F544168F20B25342D254149AD41BFB55F544180A25B1FB52B2541ACA0A7928D5F5441DD1E53F20B2C25414012BB05505F544121EBFACAE12D2541719068A53A5F5441', 1),
	(96960641, 3720, 13705, '0103000020E86400000100000007000000AABEB3FD092F25417B2BEF5EA05F5441920E6403893025411838898BC85F544135926C303230254184C6751806605441F1C5C4575C2E25415348C8781B6054410B761452DD2C2541B53B2E4CF35F544168F20B25342D254149AD41BFB55F5441AABEB3FD092F25417B2BEF5EA05F5441', 1),
	(96960642, 3721, 13705, '0103000020E86400000100000007000000D6DA0BDC5E32254149B6362BB35F5441BE2ABCE1DD332541E6C2D057DB5F544161AEC40E873325415251BDE4186054411DE21C36B131254121D30F452E60544135926C303230254184C6751806605441920E6403893025411838898BC85F5441D6DA0BDC5E32254149B6362BB35F5441', 1),
	(96960643, 3721, 13704, '0103000020E864000001000000070000004B0753A936312541401BB0714D5F5441335703AFB5322541DD274A9E755F5441D6DA0BDC5E32254149B6362BB35F5441920E6403893025411838898BC85F5441AABEB3FD092F25417B2BEF5EA05F5441073BABD0602F25410F9D02D2625F54414B0753A936312541401BB0714D5F5441', 1),
	(96960644, 3722, 13704, '0103000020E864000001000000070000007723AB878B3425410EA6F73D605F54415F735B8D0A362541ACB2916A885F544102F763BAB335254118417EF7C55F5441BE2ABCE1DD332541E6C2D057DB5F5441D6DA0BDC5E32254149B6362BB35F5441335703AFB5322541DD274A9E755F54417723AB878B3425410EA6F73D605F5441', 1),
	(96960645, 3723, 13704, '0103000020E86400000100000007000000A33F0366E0372541DD303F0A735F5441898FB36B5F3925417A3DD9369B5F54412C13BC9808392541E6CBC5C3D85F5441EA4614C032372541B54D1824EE5F544102F763BAB335254118417EF7C55F54415F735B8D0A362541ACB2916A885F5441A33F0366E0372541DD303F0A735F5441', 1),
	(96960646, 3723, 13705, '0103000020E864000001000000070000002C13BC9808392541E6CBC5C3D85F544114636C9E873A254183D85FF000605441B7E674CB303A2541EF664C7D3E605441731ACDF25A382541BEE89EDD536054418DCA1CEDDB36254121DC04B12B605441EA4614C032372541B54D1824EE5F54412C13BC9808392541E6CBC5C3D85F5441', 0.70100904),
	(96960647, 3722, 13705, '0103000020E8640000010000000700000002F763BAB335254118417EF7C55F5441EA4614C032372541B54D1824EE5F54418DCA1CEDDB36254121DC04B12B60544149FE741406352541F05D57114160544161AEC40E873325415251BDE418605441BE2ABCE1DD332541E6C2D057DB5F544102F763BAB335254118417EF7C55F5441', 1),
	(96960648, 3722, 13706, '0103000020E8640000010000000700000061AEC40E873325415251BDE41860544149FE741406352541F05D571141605441EC817D41AF3425415CEC439E7E605441A8B5D568D93225412A6E96FE93605441C06525635A3125418D61FCD16B6054411DE21C36B131254121D30F452E60544161AEC40E873325415251BDE418605441', 1),
	(96960649, 3723, 13706, '0103000020E864000001000000070000008DCA1CEDDB36254121DC04B12B605441731ACDF25A382541BEE89EDD53605441169ED51F043825412A778B6A91605441D4D12D472E362541F9F8DDCAA6605441EC817D41AF3425415CEC439E7E60544149FE741406352541F05D5711416054418DCA1CEDDB36254121DC04B12B605441', 0.7280233),
	(96960651, 3722, 13707, '0103000020E86400000100000007000000EC817D41AF3425415CEC439E7E605441D4D12D472E362541F9F8DDCAA660544177553674D73525416687CA57E460544132898E9B0134254135091DB8F96054414B39DE958232254197FC828BD1605441A8B5D568D93225412A6E96FE93605441EC817D41AF3425415CEC439E7E605441', 0.75503755),
	(96960652, 3721, 13707, '0103000020E86400000100000007000000C06525635A3125418D61FCD16B605441A8B5D568D93225412A6E96FE936054414B39DE958232254197FC828BD1605441066D36BDAC302541667ED5EBE66054411F1D86B72D2F2541C9713BBFBE6054417C997D8A842F25415CE34E3281605441C06525635A3125418D61FCD16B605441', 1),
	(96960653, 3721, 13706, '0103000020E8640000010000000700000035926C303230254184C67518066054411DE21C36B131254121D30F452E605441C06525635A3125418D61FCD16B6054417C997D8A842F25415CE34E32816054419449CD84052E2541BFD6B40559605441F1C5C4575C2E25415348C8781B60544135926C303230254184C6751806605441', 1),
	(96960654, 3720, 13706, '0103000020E864000001000000070000000B761452DD2C2541B53B2E4CF35F5441F1C5C4575C2E25415348C8781B6054419449CD84052E2541BFD6B40559605441527D25AC2F2C25418D5807666E6054416A2D75A6B02A2541F04B6D3946605441C7A96C79072B254184BD80AC086054410B761452DD2C2541B53B2E4CF35F5441', 1),
	(96960655, 3720, 13707, '0103000020E864000001000000070000009449CD84052E2541BFD6B405596054417C997D8A842F25415CE34E32816054411F1D86B72D2F2541C9713BBFBE605441DA50DEDE572D254198F38D1FD4605441F5002ED9D82B2541FAE6F3F2AB605441527D25AC2F2C25418D5807666E6054419449CD84052E2541BFD6B40559605441', 1),
	(96960656, 3720, 13708, '0103000020E86400000100000007000000F5002ED9D82B2541FAE6F3F2AB605441DA50DEDE572D254198F38D1FD46054417ED4E60B012D254104827AAC116154413B083F332B2B2541D203CD0C2761544154B88E2DAC29254135F732E0FE605441B0348600032A2541C9684653C1605441F5002ED9D82B2541FAE6F3F2AB605441', 0.5711726),
	(96960657, 3721, 13708, '0103000020E864000001000000070000001F1D86B72D2F2541C9713BBFBE605441066D36BDAC302541667ED5EBE6605441AAF03EEA55302541D20CC2782461544165249711802E2541A18E14D9396154417ED4E60B012D254104827AAC11615441DA50DEDE572D254198F38D1FD46054411F1D86B72D2F2541C9713BBFBE605441', 1),
	(96960658, 3721, 13709, '0103000020E86400000100000007000000AAF03EEA55302541D20CC278246154419140EFEFD43125416F195CA54C61544135C4F71C7E312541DBA748328A615441F0F74F44A82F2541AA299B929F61544109A89F3E292E25410D1D01667761544165249711802E2541A18E14D939615441AAF03EEA55302541D20CC27824615441', 0.809066),
	(96960659, 3720, 13709, '0103000020E864000001000000070000007ED4E60B012D254104827AAC1161544165249711802E2541A18E14D93961544109A89F3E292E25410D1D016677615441C4DBF765532C2541DC9E53C68C615441DF8B4760D42A25413E92B999646154413B083F332B2B2541D203CD0C276154417ED4E60B012D254104827AAC11615441', 0.60747737),
	(96960663, 3721, 13710, '0103000020E8640000010000000700000009A89F3E292E25410D1D016677615441F0F74F44A82F2541AA299B929F615441937B5871512F254116B8871FDD6154414FAFB0987B2D2541E539DA7FF2615441675F0093FC2B2541482D4053CA615441C4DBF765532C2541DC9E53C68C61544109A89F3E292E25410D1D016677615441', 0.48495302),
	(96960670, 3722, 13708, '0103000020E864000001000000070000004B39DE958232254197FC828BD160544132898E9B0134254135091DB8F9605441D60C97C8AA332541A1970945376154419140EFEFD43125416F195CA54C615441AAF03EEA55302541D20CC27824615441066D36BDAC302541667ED5EBE66054414B39DE958232254197FC828BD1605441', 0.78205174),
	(96960698, 3724, 13704, '0103000020E86400000100000007000000CD5B5B44353B2541ABBB86D6855F5441B5AB0B4AB43C254149C82003AE5F5441582F14775D3C2541B5560D90EB5F544114636C9E873A254183D85FF0006054412C13BC9808392541E6CBC5C3D85F5441898FB36B5F3925417A3DD9369B5F5441CD5B5B44353B2541ABBB86D6855F5441', 0.6739948);


--
-- Data for Name: spatial_ref_sys; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Name: runs_id_seq; Type: SEQUENCE SET; Schema: loadgrid; Owner: -
--

SELECT pg_catalog.setval('loadgrid.runs_id_seq', 1, true);


--
-- Name: chunks chunks_pkey; Type: CONSTRAINT; Schema: loadgrid; Owner: -
--

ALTER TABLE ONLY loadgrid.chunks
    ADD CONSTRAINT chunks_pkey PRIMARY KEY (run_id, chunk_no);


--
-- Name: runs runs_pkey; Type: CONSTRAINT; Schema: loadgrid; Owner: -
--

ALTER TABLE ONLY loadgrid.runs
    ADD CONSTRAINT runs_pkey PRIMARY KEY (id);


--
-- Name: schema_migrations schema_migrations_pkey; Type: CONSTRAINT; Schema: loadgrid; Owner: -
--

ALTER TABLE ONLY loadgrid.schema_migrations
    ADD CONSTRAINT schema_migrations_pkey PRIMARY KEY (version);


--
-- Name: starts starts_pkey; Type: CONSTRAINT; Schema: loadgrid; Owner: -
--

ALTER TABLE ONLY loadgrid.starts
    ADD CONSTRAINT starts_pkey PRIMARY KEY (run_id, no);


--
-- Name: loadgrid_staging_0fa6c7e1_9c5521b5 loadgrid_staging_0fa6c7e1_9c5521b5_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.loadgrid_staging_0fa6c7e1_9c5521b5
    ADD CONSTRAINT loadgrid_staging_0fa6c7e1_9c5521b5_pkey PRIMARY KEY (id);


--
-- Name: loadgrid_staging_0fa6c7e1_9c5521b5_p0 loadgrid_staging_0fa6c7e1_9c5521b5_p0_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.loadgrid_staging_0fa6c7e1_9c5521b5_p0
    ADD CONSTRAINT loadgrid_staging_0fa6c7e1_9c5521b5_p0_pkey PRIMARY KEY (id);


--
-- Name: loadgrid_staging_0fa6c7e1_9c5521b5_p2 loadgrid_staging_0fa6c7e1_9c5521b5_p2_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.loadgrid_staging_0fa6c7e1_9c5521b5_p2
    ADD CONSTRAINT loadgrid_staging_0fa6c7e1_9c5521b5_p2_pkey PRIMARY KEY (id);


--
-- Name: runs_loading_key; Type: INDEX; Schema: loadgrid; Owner: -
--

CREATE UNIQUE INDEX runs_loading_key ON loadgrid.runs USING btree (schema_name, table_name) WHERE (state = 'loading'::text);


--
-- Name: runs_oid_idx; Type: INDEX; Schema: loadgrid; Owner: -
--

CREATE INDEX runs_oid_idx ON loadgrid.runs USING btree (table_oid, id) WHERE (state = 'published'::text);


--
-- Name: runs_table_idx; Type: INDEX; Schema: loadgrid; Owner: -
--

CREATE INDEX runs_table_idx ON loadgrid.runs USING btree (schema_name, table_name, id);


--
-- Name: loadgrid_staging_0fa6c7e1_9c5521b5_shape_brin_idx; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX loadgrid_staging_0fa6c7e1_9c5521b5_shape_brin_idx ON ONLY public.loadgrid_staging_0fa6c7e1_9c5521b5 USING brin (shape) WITH (pages_per_range='8');


--
-- Name: loadgrid_staging_0fa6c7e1_9c5521b5_p0_shape_brin_idx; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX loadgrid_staging_0fa6c7e1_9c5521b5_p0_shape_brin_idx ON public.loadgrid_staging_0fa6c7e1_9c5521b5_p0 USING brin (shape) WITH (pages_per_range='8');


--
-- Name: loadgrid_staging_0fa6c7e1_9c5521b5_shape_idx; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX loadgrid_staging_0fa6c7e1_9c5521b5_shape_idx ON ONLY public.loadgrid_staging_0fa6c7e1_9c5521b5 USING gist (shape) WITH (buffering=off);


--
-- Name: loadgrid_staging_0fa6c7e1_9c5521b5_p0_shape_idx; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX loadgrid_staging_0fa6c7e1_9c5521b5_p0_shape_idx ON public.loadgrid_staging_0fa6c7e1_9c5521b5_p0 USING gist (shape) WITH (buffering=off);


--
-- Name: loadgrid_staging_0fa6c7e1_9c5521b5_p2_shape_brin_idx; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX loadgrid_staging_0fa6c7e1_9c5521b5_p2_shape_brin_idx ON public.loadgrid_staging_0fa6c7e1_9c5521b5_p2 USING brin (shape) WITH (pages_per_range='8');


--
-- Name: loadgrid_staging_0fa6c7e1_9c5521b5_p2_shape_idx; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX loadgrid_staging_0fa6c7e1_9c5521b5_p2_shape_idx ON public.loadgrid_staging_0fa6c7e1_9c5521b5_p2 USING gist (shape) WITH (buffering=off);


--
-- Name: loadgrid_staging_0fa6c7e1_9c5521b5_p0_pkey; Type: INDEX ATTACH; Schema: public; Owner: -
--

ALTER INDEX public.loadgrid_staging_0fa6c7e1_9c5521b5_pkey ATTACH PARTITION public.loadgrid_staging_0fa6c7e1_9c5521b5_p0_pkey;


--
-- Name: loadgrid_staging_0fa6c7e1_9c5521b5_p0_shape_brin_idx; Type: INDEX ATTACH; Schema: public; Owner: -
--

ALTER INDEX public.loadgrid_staging_0fa6c7e1_9c5521b5_shape_brin_idx ATTACH PARTITION public.loadgrid_staging_0fa6c7e1_9c5521b5_p0_shape_brin_idx;


--
-- Name: loadgrid_staging_0fa6c7e1_9c5521b5_p0_shape_idx; Type: INDEX ATTACH; Schema: public; Owner: -
--

ALTER INDEX public.loadgrid_staging_0fa6c7e1_9c5521b5_shape_idx ATTACH PARTITION public.loadgrid_staging_0fa6c7e1_9c5521b5_p0_shape_idx;


--
-- Name: loadgrid_staging_0fa6c7e1_9c5521b5_p2_pkey; Type: INDEX ATTACH; Schema: public; Owner: -
--

ALTER INDEX public.loadgrid_staging_0fa6c7e1_9c5521b5_pkey ATTACH PARTITION public.loadgrid_staging_0fa6c7e1_9c5521b5_p2_pkey;


--
-- Name: loadgrid_staging_0fa6c7e1_9c5521b5_p2_shape_brin_idx; Type: INDEX ATTACH; Schema: public; Owner: -
--

ALTER INDEX public.loadgrid_staging_0fa6c7e1_9c5521b5_shape_brin_idx ATTACH PARTITION public.loadgrid_staging_0fa6c7e1_9c5521b5_p2_shape_brin_idx;


--
-- Name: loadgrid_staging_0fa6c7e1_9c5521b5_p2_shape_idx; Type: INDEX ATTACH; Schema: public; Owner: -
--

ALTER INDEX public.loadgrid_staging_0fa6c7e1_9c5521b5_shape_idx ATTACH PARTITION public.loadgrid_staging_0fa6c7e1_9c5521b5_p2_shape_idx;


--
-- Name: chunks chunks_run_id_fkey; Type: FK CONSTRAINT; Schema: loadgrid; Owner: -
--

ALTER TABLE ONLY loadgrid.chunks
    ADD CONSTRAINT chunks_run_id_fkey FOREIGN KEY (run_id) REFERENCES loadgrid.runs(id) ON DELETE CASCADE;


--
-- Name: starts starts_run_id_fkey; Type: FK CONSTRAINT; Schema: loadgrid; Owner: -
--

ALTER TABLE ONLY loadgrid.starts
    ADD CONSTRAINT starts_run_id_fkey FOREIGN KEY (run_id) REFERENCES loadgrid.runs(id) ON DELETE CASCADE;


--
-- PostgreSQL database dump complete
--


