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
-- Name: grid; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.grid (
    cell_id bigint NOT NULL,
    col integer,
    "row" integer,
    geom public.geometry(Polygon)
);


--
-- Name: loadgrid_staging_0fa6c7e1_c60de566; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.loadgrid_staging_0fa6c7e1_c60de566 (
    cell_id bigint NOT NULL,
    col integer,
    "row" integer,
    geom public.geometry(Polygon)
)
WITH (autovacuum_enabled='false');


--
-- Data for Name: chunks; Type: TABLE DATA; Schema: loadgrid; Owner: -
--

INSERT INTO loadgrid.chunks VALUES
	(1, 0, 0, 63, 64, '2026-11-28 16:08:27.603677+00'),
	(2, 0, 0, 31, 32, '2026-11-28 16:08:28.01626+00'),
	(2, 2, 64, 127, 32, '2026-11-28 16:08:28.047923+00');


--
-- Data for Name: runs; Type: TABLE DATA; Schema: loadgrid; Owner: -
--

INSERT INTO loadgrid.runs OVERRIDING SYSTEM VALUE VALUES
	(2, 'public', 'grid', 'loadgrid_staging_0fa6c7e1_c60de566', '{"cols": 16, "grid": {"dx": 1, "dy": 1, "x0": 0, "y0": 0, "srid": 0}, "rows": 12, "index": "gist", "table": {"name": "grid", "schema": "public"}, "streams": 2, "id_column": "cell_id", "if_exists": "replace", "chunk_rows": 32, "geom_column": "geom", "ledger_schema": "loadgrid"}', 'eeae7c40e6906afae162c5d24cd1eb54c4eeaac4e7ac96b07733d2012b234cc3', 6, 192, 'loading', NULL, 1, '2026-11-28 16:08:27.997429+00', NULL, NULL, 'dev', NULL, NULL, false, NULL, NULL, 'public.grid', NULL, NULL, NULL),
	(1, 'public', 'grid', 'loadgrid_staging_0fa6c7e1_ccb8cb71', '{"cols": 8, "grid": {"dx": 1, "dy": 1, "x0": 0, "y0": 0, "srid": 0}, "rows": 8, "index": "gist", "table": {"name": "grid", "schema": "public"}, "id_column": "cell_id", "if_exists": "fail", "geom_column": "geom", "ledger_schema": "loadgrid"}', '3630b332aef29c3ef44af7fd6e92c7713196ac576dc97efcb3d91b7765a815b3', 1, 64, 'published', 4000000000, 1, '2026-11-28 16:08:27.599526+00', '2026-11-28 16:08:27.865535+00', NULL, 'dev', NULL, 1, true, NULL, NULL, 'public.grid', '948', 64, '{"files": "cd661f204967f5b0c67b293112e8d770", "columns": ["cell_id int8", "col int4", "row int4", "geom geometry(Polygon)"], "indexes": ["btree unique (cell_id)", "gist (geom)"], "numbers": [1, 2, 3, 4]}');


--
-- Data for Name: schema_migrations; Type: TABLE DATA; Schema: loadgrid; Owner: -
--

INSERT INTO loadgrid.schema_migrations VALUES
	(4, false);


--
-- Data for Name: starts; Type: TABLE DATA; Schema: loadgrid; Owner: -
--

INSERT INTO loadgrid.starts VALUES
	(1, 1, '2026-11-28 16:08:27.601997+00', '2026-11-28 16:08:27.867654+00', 'published', 'loadgrid', '192.0.2.1', 'client', 'loader', 'dev', 64, 0.303162, '{"load": 0.102047, "plan": 0.039924, "index": 0.037968, "freeze": 0.000069, "analyze": 0.001671, "publish": 0.121483}', 0, '[]', NULL, NULL),
	(2, 1, '2026-11-28 16:08:28.000148+00', NULL, NULL, 'loadgrid', '192.0.2.1', 'client', 'loader', 'dev', NULL, NULL, NULL, NULL, NULL, NULL, NULL);


--
-- Data for Name: grid; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.grid VALUES
	(0, 0, 0, '01030000000100000005000000000000000000F03F0000000000000000000000000000F03F000000000000F03F0000000000000000000000000000F03F00000000000000000000000000000000000000000000F03F0000000000000000'),
	(1, 1, 0, '01030000000100000005000000000000000000004000000000000000000000000000000040000000000000F03F000000000000F03F000000000000F03F000000000000F03F000000000000000000000000000000400000000000000000'),
	(2, 1, 1, '010300000001000000050000000000000000000040000000000000F03F00000000000000400000000000000040000000000000F03F0000000000000040000000000000F03F000000000000F03F0000000000000040000000000000F03F'),
	(3, 0, 1, '01030000000100000005000000000000000000F03F000000000000F03F000000000000F03F0000000000000040000000000000000000000000000000400000000000000000000000000000F03F000000000000F03F000000000000F03F'),
	(4, 0, 2, '01030000000100000005000000000000000000F03F0000000000000040000000000000F03F00000000000008400000000000000000000000000000084000000000000000000000000000000040000000000000F03F0000000000000040'),
	(5, 0, 3, '01030000000100000005000000000000000000F03F0000000000000840000000000000F03F00000000000010400000000000000000000000000000104000000000000000000000000000000840000000000000F03F0000000000000840'),
	(6, 1, 3, '010300000001000000050000000000000000000040000000000000084000000000000000400000000000001040000000000000F03F0000000000001040000000000000F03F000000000000084000000000000000400000000000000840'),
	(7, 1, 2, '010300000001000000050000000000000000000040000000000000004000000000000000400000000000000840000000000000F03F0000000000000840000000000000F03F000000000000004000000000000000400000000000000040'),
	(8, 2, 2, '010300000001000000050000000000000000000840000000000000004000000000000008400000000000000840000000000000004000000000000008400000000000000040000000000000004000000000000008400000000000000040'),
	(9, 2, 3, '010300000001000000050000000000000000000840000000000000084000000000000008400000000000001040000000000000004000000000000010400000000000000040000000000000084000000000000008400000000000000840'),
	(10, 3, 3, '010300000001000000050000000000000000001040000000000000084000000000000010400000000000001040000000000000084000000000000010400000000000000840000000000000084000000000000010400000000000000840'),
	(11, 3, 2, '010300000001000000050000000000000000001040000000000000004000000000000010400000000000000840000000000000084000000000000008400000000000000840000000000000004000000000000010400000000000000040'),
	(12, 3, 1, '010300000001000000050000000000000000001040000000000000F03F00000000000010400000000000000040000000000000084000000000000000400000000000000840000000000000F03F0000000000001040000000000000F03F'),
	(13, 2, 1, '010300000001000000050000000000000000000840000000000000F03F00000000000008400000000000000040000000000000004000000000000000400000000000000040000000000000F03F0000000000000840000000000000F03F'),
	(14, 2, 0, '01030000000100000005000000000000000000084000000000000000000000000000000840000000000000F03F0000000000000040000000000000F03F0000000000000040000000000000000000000000000008400000000000000000'),
	(15, 3, 0, '01030000000100000005000000000000000000104000000000000000000000000000001040000000000000F03F0000000000000840000000000000F03F0000000000000840000000000000000000000000000010400000000000000000'),
	(16, 4, 0, '01030000000100000005000000000000000000144000000000000000000000000000001440000000000000F03F0000000000001040000000000000F03F0000000000001040000000000000000000000000000014400000000000000000'),
	(17, 4, 1, '010300000001000000050000000000000000001440000000000000F03F00000000000014400000000000000040000000000000104000000000000000400000000000001040000000000000F03F0000000000001440000000000000F03F'),
	(18, 5, 1, '010300000001000000050000000000000000001840000000000000F03F00000000000018400000000000000040000000000000144000000000000000400000000000001440000000000000F03F0000000000001840000000000000F03F'),
	(19, 5, 0, '01030000000100000005000000000000000000184000000000000000000000000000001840000000000000F03F0000000000001440000000000000F03F0000000000001440000000000000000000000000000018400000000000000000'),
	(20, 6, 0, '010300000001000000050000000000000000001C4000000000000000000000000000001C40000000000000F03F0000000000001840000000000000F03F000000000000184000000000000000000000000000001C400000000000000000'),
	(21, 7, 0, '01030000000100000005000000000000000000204000000000000000000000000000002040000000000000F03F0000000000001C40000000000000F03F0000000000001C40000000000000000000000000000020400000000000000000'),
	(22, 7, 1, '010300000001000000050000000000000000002040000000000000F03F000000000000204000000000000000400000000000001C4000000000000000400000000000001C40000000000000F03F0000000000002040000000000000F03F'),
	(23, 6, 1, '010300000001000000050000000000000000001C40000000000000F03F0000000000001C400000000000000040000000000000184000000000000000400000000000001840000000000000F03F0000000000001C40000000000000F03F'),
	(24, 6, 2, '010300000001000000050000000000000000001C4000000000000000400000000000001C40000000000000084000000000000018400000000000000840000000000000184000000000000000400000000000001C400000000000000040'),
	(25, 7, 2, '0103000000010000000500000000000000000020400000000000000040000000000000204000000000000008400000000000001C4000000000000008400000000000001C40000000000000004000000000000020400000000000000040'),
	(26, 7, 3, '0103000000010000000500000000000000000020400000000000000840000000000000204000000000000010400000000000001C4000000000000010400000000000001C40000000000000084000000000000020400000000000000840'),
	(27, 6, 3, '010300000001000000050000000000000000001C4000000000000008400000000000001C40000000000000104000000000000018400000000000001040000000000000184000000000000008400000000000001C400000000000000840'),
	(28, 5, 3, '010300000001000000050000000000000000001840000000000000084000000000000018400000000000001040000000000000144000000000000010400000000000001440000000000000084000000000000018400000000000000840'),
	(29, 5, 2, '010300000001000000050000000000000000001840000000000000004000000000000018400000000000000840000000000000144000000000000008400000000000001440000000000000004000000000000018400000000000000040'),
	(30, 4, 2, '010300000001000000050000000000000000001440000000000000004000000000000014400000000000000840000000000000104000000000000008400000000000001040000000000000004000000000000014400000000000000040'),
	(31, 4, 3, '010300000001000000050000000000000000001440000000000000084000000000000014400000000000001040000000000000104000000000000010400000000000001040000000000000084000000000000014400000000000000840'),
	(32, 4, 4, '010300000001000000050000000000000000001440000000000000104000000000000014400000000000001440000000000000104000000000000014400000000000001040000000000000104000000000000014400000000000001040'),
	(33, 4, 5, '010300000001000000050000000000000000001440000000000000144000000000000014400000000000001840000000000000104000000000000018400000000000001040000000000000144000000000000014400000000000001440'),
	(34, 5, 5, '010300000001000000050000000000000000001840000000000000144000000000000018400000000000001840000000000000144000000000000018400000000000001440000000000000144000000000000018400000000000001440'),
	(35, 5, 4, '010300000001000000050000000000000000001840000000000000104000000000000018400000000000001440000000000000144000000000000014400000000000001440000000000000104000000000000018400000000000001040'),
	(36, 6, 4, '010300000001000000050000000000000000001C4000000000000010400000000000001C40000000000000144000000000000018400000000000001440000000000000184000000000000010400000000000001C400000000000001040'),
	(37, 7, 4, '0103000000010000000500000000000000000020400000000000001040000000000000204000000000000014400000000000001C4000000000000014400000000000001C40000000000000104000000000000020400000000000001040'),
	(38, 7, 5, '0103000000010000000500000000000000000020400000000000001440000000000000204000000000000018400000000000001C4000000000000018400000000000001C40000000000000144000000000000020400000000000001440'),
	(39, 6, 5, '010300000001000000050000000000000000001C4000000000000014400000000000001C40000000000000184000000000000018400000000000001840000000000000184000000000000014400000000000001C400000000000001440'),
	(40, 6, 6, '010300000001000000050000000000000000001C4000000000000018400000000000001C400000000000001C4000000000000018400000000000001C40000000000000184000000000000018400000000000001C400000000000001840'),
	(41, 7, 6, '010300000001000000050000000000000000002040000000000000184000000000000020400000000000001C400000000000001C400000000000001C400000000000001C40000000000000184000000000000020400000000000001840'),
	(42, 7, 7, '0103000000010000000500000000000000000020400000000000001C40000000000000204000000000000020400000000000001C4000000000000020400000000000001C400000000000001C4000000000000020400000000000001C40'),
	(43, 6, 7, '010300000001000000050000000000000000001C400000000000001C400000000000001C4000000000000020400000000000001840000000000000204000000000000018400000000000001C400000000000001C400000000000001C40'),
	(44, 5, 7, '0103000000010000000500000000000000000018400000000000001C40000000000000184000000000000020400000000000001440000000000000204000000000000014400000000000001C4000000000000018400000000000001C40'),
	(45, 5, 6, '010300000001000000050000000000000000001840000000000000184000000000000018400000000000001C4000000000000014400000000000001C400000000000001440000000000000184000000000000018400000000000001840'),
	(46, 4, 6, '010300000001000000050000000000000000001440000000000000184000000000000014400000000000001C4000000000000010400000000000001C400000000000001040000000000000184000000000000014400000000000001840'),
	(47, 4, 7, '0103000000010000000500000000000000000014400000000000001C40000000000000144000000000000020400000000000001040000000000000204000000000000010400000000000001C4000000000000014400000000000001C40'),
	(48, 3, 7, '0103000000010000000500000000000000000010400000000000001C40000000000000104000000000000020400000000000000840000000000000204000000000000008400000000000001C4000000000000010400000000000001C40'),
	(49, 2, 7, '0103000000010000000500000000000000000008400000000000001C40000000000000084000000000000020400000000000000040000000000000204000000000000000400000000000001C4000000000000008400000000000001C40'),
	(50, 2, 6, '010300000001000000050000000000000000000840000000000000184000000000000008400000000000001C4000000000000000400000000000001C400000000000000040000000000000184000000000000008400000000000001840'),
	(51, 3, 6, '010300000001000000050000000000000000001040000000000000184000000000000010400000000000001C4000000000000008400000000000001C400000000000000840000000000000184000000000000010400000000000001840'),
	(52, 3, 5, '010300000001000000050000000000000000001040000000000000144000000000000010400000000000001840000000000000084000000000000018400000000000000840000000000000144000000000000010400000000000001440'),
	(53, 3, 4, '010300000001000000050000000000000000001040000000000000104000000000000010400000000000001440000000000000084000000000000014400000000000000840000000000000104000000000000010400000000000001040'),
	(54, 2, 4, '010300000001000000050000000000000000000840000000000000104000000000000008400000000000001440000000000000004000000000000014400000000000000040000000000000104000000000000008400000000000001040'),
	(55, 2, 5, '010300000001000000050000000000000000000840000000000000144000000000000008400000000000001840000000000000004000000000000018400000000000000040000000000000144000000000000008400000000000001440'),
	(56, 1, 5, '010300000001000000050000000000000000000040000000000000144000000000000000400000000000001840000000000000F03F0000000000001840000000000000F03F000000000000144000000000000000400000000000001440'),
	(57, 1, 4, '010300000001000000050000000000000000000040000000000000104000000000000000400000000000001440000000000000F03F0000000000001440000000000000F03F000000000000104000000000000000400000000000001040'),
	(58, 0, 4, '01030000000100000005000000000000000000F03F0000000000001040000000000000F03F00000000000014400000000000000000000000000000144000000000000000000000000000001040000000000000F03F0000000000001040'),
	(59, 0, 5, '01030000000100000005000000000000000000F03F0000000000001440000000000000F03F00000000000018400000000000000000000000000000184000000000000000000000000000001440000000000000F03F0000000000001440'),
	(60, 0, 6, '01030000000100000005000000000000000000F03F0000000000001840000000000000F03F0000000000001C4000000000000000000000000000001C4000000000000000000000000000001840000000000000F03F0000000000001840'),
	(61, 1, 6, '010300000001000000050000000000000000000040000000000000184000000000000000400000000000001C40000000000000F03F0000000000001C40000000000000F03F000000000000184000000000000000400000000000001840'),
	(62, 1, 7, '0103000000010000000500000000000000000000400000000000001C4000000000000000400000000000002040000000000000F03F0000000000002040000000000000F03F0000000000001C4000000000000000400000000000001C40'),
	(63, 0, 7, '01030000000100000005000000000000000000F03F0000000000001C40000000000000F03F00000000000020400000000000000000000000000000204000000000000000000000000000001C40000000000000F03F0000000000001C40');


--
-- Data for Name: loadgrid_staging_0fa6c7e1_c60de566; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.loadgrid_staging_0fa6c7e1_c60de566 VALUES
	(0, 0, 0, '01030000000100000005000000000000000000F03F0000000000000000000000000000F03F000000000000F03F0000000000000000000000000000F03F00000000000000000000000000000000000000000000F03F0000000000000000'),
	(1, 1, 0, '01030000000100000005000000000000000000004000000000000000000000000000000040000000000000F03F000000000000F03F000000000000F03F000000000000F03F000000000000000000000000000000400000000000000000'),
	(2, 1, 1, '010300000001000000050000000000000000000040000000000000F03F00000000000000400000000000000040000000000000F03F0000000000000040000000000000F03F000000000000F03F0000000000000040000000000000F03F'),
	(3, 0, 1, '01030000000100000005000000000000000000F03F000000000000F03F000000000000F03F0000000000000040000000000000000000000000000000400000000000000000000000000000F03F000000000000F03F000000000000F03F'),
	(4, 0, 2, '01030000000100000005000000000000000000F03F0000000000000040000000000000F03F00000000000008400000000000000000000000000000084000000000000000000000000000000040000000000000F03F0000000000000040'),
	(5, 0, 3, '01030000000100000005000000000000000000F03F0000000000000840000000000000F03F00000000000010400000000000000000000000000000104000000000000000000000000000000840000000000000F03F0000000000000840'),
	(6, 1, 3, '010300000001000000050000000000000000000040000000000000084000000000000000400000000000001040000000000000F03F0000000000001040000000000000F03F000000000000084000000000000000400000000000000840'),
	(7, 1, 2, '010300000001000000050000000000000000000040000000000000004000000000000000400000000000000840000000000000F03F0000000000000840000000000000F03F000000000000004000000000000000400000000000000040'),
	(8, 2, 2, '010300000001000000050000000000000000000840000000000000004000000000000008400000000000000840000000000000004000000000000008400000000000000040000000000000004000000000000008400000000000000040'),
	(9, 2, 3, '010300000001000000050000000000000000000840000000000000084000000000000008400000000000001040000000000000004000000000000010400000000000000040000000000000084000000000000008400000000000000840'),
	(10, 3, 3, '010300000001000000050000000000000000001040000000000000084000000000000010400000000000001040000000000000084000000000000010400000000000000840000000000000084000000000000010400000000000000840'),
	(11, 3, 2, '010300000001000000050000000000000000001040000000000000004000000000000010400000000000000840000000000000084000000000000008400000000000000840000000000000004000000000000010400000000000000040'),
	(12, 3, 1, '010300000001000000050000000000000000001040000000000000F03F00000000000010400000000000000040000000000000084000000000000000400000000000000840000000000000F03F0000000000001040000000000000F03F'),
	(13, 2, 1, '010300000001000000050000000000000000000840000000000000F03F00000000000008400000000000000040000000000000004000000000000000400000000000000040000000000000F03F0000000000000840000000000000F03F'),
	(14, 2, 0, '01030000000100000005000000000000000000084000000000000000000000000000000840000000000000F03F0000000000000040000000000000F03F0000000000000040000000000000000000000000000008400000000000000000'),
	(15, 3, 0, '01030000000100000005000000000000000000104000000000000000000000000000001040000000000000F03F0000000000000840000000000000F03F0000000000000840000000000000000000000000000010400000000000000000'),
	(16, 4, 0, '01030000000100000005000000000000000000144000000000000000000000000000001440000000000000F03F0000000000001040000000000000F03F0000000000001040000000000000000000000000000014400000000000000000'),
	(17, 4, 1, '010300000001000000050000000000000000001440000000000000F03F00000000000014400000000000000040000000000000104000000000000000400000000000001040000000000000F03F0000000000001440000000000000F03F'),
	(18, 5, 1, '010300000001000000050000000000000000001840000000000000F03F00000000000018400000000000000040000000000000144000000000000000400000000000001440000000000000F03F0000000000001840000000000000F03F'),
	(19, 5, 0, '01030000000100000005000000000000000000184000000000000000000000000000001840000000000000F03F0000000000001440000000000000F03F0000000000001440000000000000000000000000000018400000000000000000'),
	(20, 6, 0, '010300000001000000050000000000000000001C4000000000000000000000000000001C40000000000000F03F0000000000001840000000000000F03F000000000000184000000000000000000000000000001C400000000000000000'),
	(21, 7, 0, '01030000000100000005000000000000000000204000000000000000000000000000002040000000000000F03F0000000000001C40000000000000F03F0000000000001C40000000000000000000000000000020400000000000000000'),
	(22, 7, 1, '010300000001000000050000000000000000002040000000000000F03F000000000000204000000000000000400000000000001C4000000000000000400000000000001C40000000000000F03F0000000000002040000000000000F03F'),
	(23, 6, 1, '010300000001000000050000000000000000001C40000000000000F03F0000000000001C400000000000000040000000000000184000000000000000400000000000001840000000000000F03F0000000000001C40000000000000F03F'),
	(24, 6, 2, '010300000001000000050000000000000000001C4000000000000000400000000000001C40000000000000084000000000000018400000000000000840000000000000184000000000000000400000000000001C400000000000000040'),
	(25, 7, 2, '0103000000010000000500000000000000000020400000000000000040000000000000204000000000000008400000000000001C4000000000000008400000000000001C40000000000000004000000000000020400000000000000040'),
	(26, 7, 3, '0103000000010000000500000000000000000020400000000000000840000000000000204000000000000010400000000000001C4000000000000010400000000000001C40000000000000084000000000000020400000000000000840'),
	(27, 6, 3, '010300000001000000050000000000000000001C4000000000000008400000000000001C40000000000000104000000000000018400000000000001040000000000000184000000000000008400000000000001C400000000000000840'),
	(28, 5, 3, '010300000001000000050000000000000000001840000000000000084000000000000018400000000000001040000000000000144000000000000010400000000000001440000000000000084000000000000018400000000000000840'),
	(29, 5, 2, '010300000001000000050000000000000000001840000000000000004000000000000018400000000000000840000000000000144000000000000008400000000000001440000000000000004000000000000018400000000000000040'),
	(30, 4, 2, '010300000001000000050000000000000000001440000000000000004000000000000014400000000000000840000000000000104000000000000008400000000000001040000000000000004000000000000014400000000000000040'),
	(31, 4, 3, '010300000001000000050000000000000000001440000000000000084000000000000014400000000000001040000000000000104000000000000010400000000000001040000000000000084000000000000014400000000000000840'),
	(64, 0, 8, '01030000000100000005000000000000000000F03F0000000000002040000000000000F03F00000000000022400000000000000000000000000000224000000000000000000000000000002040000000000000F03F0000000000002040'),
	(65, 0, 9, '01030000000100000005000000000000000000F03F0000000000002240000000000000F03F00000000000024400000000000000000000000000000244000000000000000000000000000002240000000000000F03F0000000000002240'),
	(66, 1, 9, '010300000001000000050000000000000000000040000000000000224000000000000000400000000000002440000000000000F03F0000000000002440000000000000F03F000000000000224000000000000000400000000000002240'),
	(67, 1, 8, '010300000001000000050000000000000000000040000000000000204000000000000000400000000000002240000000000000F03F0000000000002240000000000000F03F000000000000204000000000000000400000000000002040'),
	(68, 2, 8, '010300000001000000050000000000000000000840000000000000204000000000000008400000000000002240000000000000004000000000000022400000000000000040000000000000204000000000000008400000000000002040'),
	(69, 3, 8, '010300000001000000050000000000000000001040000000000000204000000000000010400000000000002240000000000000084000000000000022400000000000000840000000000000204000000000000010400000000000002040'),
	(70, 3, 9, '010300000001000000050000000000000000001040000000000000224000000000000010400000000000002440000000000000084000000000000024400000000000000840000000000000224000000000000010400000000000002240'),
	(71, 2, 9, '010300000001000000050000000000000000000840000000000000224000000000000008400000000000002440000000000000004000000000000024400000000000000040000000000000224000000000000008400000000000002240'),
	(72, 2, 10, '010300000001000000050000000000000000000840000000000000244000000000000008400000000000002640000000000000004000000000000026400000000000000040000000000000244000000000000008400000000000002440'),
	(73, 3, 10, '010300000001000000050000000000000000001040000000000000244000000000000010400000000000002640000000000000084000000000000026400000000000000840000000000000244000000000000010400000000000002440'),
	(74, 3, 11, '010300000001000000050000000000000000001040000000000000264000000000000010400000000000002840000000000000084000000000000028400000000000000840000000000000264000000000000010400000000000002640'),
	(75, 2, 11, '010300000001000000050000000000000000000840000000000000264000000000000008400000000000002840000000000000004000000000000028400000000000000040000000000000264000000000000008400000000000002640'),
	(76, 1, 11, '010300000001000000050000000000000000000040000000000000264000000000000000400000000000002840000000000000F03F0000000000002840000000000000F03F000000000000264000000000000000400000000000002640'),
	(77, 1, 10, '010300000001000000050000000000000000000040000000000000244000000000000000400000000000002640000000000000F03F0000000000002640000000000000F03F000000000000244000000000000000400000000000002440'),
	(78, 0, 10, '01030000000100000005000000000000000000F03F0000000000002440000000000000F03F00000000000026400000000000000000000000000000264000000000000000000000000000002440000000000000F03F0000000000002440'),
	(79, 0, 11, '01030000000100000005000000000000000000F03F0000000000002640000000000000F03F00000000000028400000000000000000000000000000284000000000000000000000000000002640000000000000F03F0000000000002640'),
	(112, 7, 11, '0103000000010000000500000000000000000020400000000000002640000000000000204000000000000028400000000000001C4000000000000028400000000000001C40000000000000264000000000000020400000000000002640'),
	(113, 7, 10, '0103000000010000000500000000000000000020400000000000002440000000000000204000000000000026400000000000001C4000000000000026400000000000001C40000000000000244000000000000020400000000000002440'),
	(114, 6, 10, '010300000001000000050000000000000000001C4000000000000024400000000000001C40000000000000264000000000000018400000000000002640000000000000184000000000000024400000000000001C400000000000002440'),
	(115, 6, 11, '010300000001000000050000000000000000001C4000000000000026400000000000001C40000000000000284000000000000018400000000000002840000000000000184000000000000026400000000000001C400000000000002640'),
	(116, 5, 11, '010300000001000000050000000000000000001840000000000000264000000000000018400000000000002840000000000000144000000000000028400000000000001440000000000000264000000000000018400000000000002640'),
	(117, 4, 11, '010300000001000000050000000000000000001440000000000000264000000000000014400000000000002840000000000000104000000000000028400000000000001040000000000000264000000000000014400000000000002640'),
	(118, 4, 10, '010300000001000000050000000000000000001440000000000000244000000000000014400000000000002640000000000000104000000000000026400000000000001040000000000000244000000000000014400000000000002440'),
	(119, 5, 10, '010300000001000000050000000000000000001840000000000000244000000000000018400000000000002640000000000000144000000000000026400000000000001440000000000000244000000000000018400000000000002440'),
	(120, 5, 9, '010300000001000000050000000000000000001840000000000000224000000000000018400000000000002440000000000000144000000000000024400000000000001440000000000000224000000000000018400000000000002240'),
	(121, 4, 9, '010300000001000000050000000000000000001440000000000000224000000000000014400000000000002440000000000000104000000000000024400000000000001040000000000000224000000000000014400000000000002240'),
	(122, 4, 8, '010300000001000000050000000000000000001440000000000000204000000000000014400000000000002240000000000000104000000000000022400000000000001040000000000000204000000000000014400000000000002040'),
	(123, 5, 8, '010300000001000000050000000000000000001840000000000000204000000000000018400000000000002240000000000000144000000000000022400000000000001440000000000000204000000000000018400000000000002040'),
	(124, 6, 8, '010300000001000000050000000000000000001C4000000000000020400000000000001C40000000000000224000000000000018400000000000002240000000000000184000000000000020400000000000001C400000000000002040'),
	(125, 6, 9, '010300000001000000050000000000000000001C4000000000000022400000000000001C40000000000000244000000000000018400000000000002440000000000000184000000000000022400000000000001C400000000000002240'),
	(126, 7, 9, '0103000000010000000500000000000000000020400000000000002240000000000000204000000000000024400000000000001C4000000000000024400000000000001C40000000000000224000000000000020400000000000002240'),
	(127, 7, 8, '0103000000010000000500000000000000000020400000000000002040000000000000204000000000000022400000000000001C4000000000000022400000000000001C40000000000000204000000000000020400000000000002040');


--
-- Data for Name: spatial_ref_sys; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Name: runs_id_seq; Type: SEQUENCE SET; Schema: loadgrid; Owner: -
--

SELECT pg_catalog.setval('loadgrid.runs_id_seq', 2, true);


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
-- Name: grid grid_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.grid
    ADD CONSTRAINT grid_pkey PRIMARY KEY (cell_id);


--
-- Name: CONSTRAINT grid_pkey ON grid; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON CONSTRAINT grid_pkey ON public.grid IS 'loadgrid dev, run 1';


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
-- Name: grid_geom_idx; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX grid_geom_idx ON public.grid USING gist (geom) WITH (buffering=off);


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


