-- A table is known by more than its number, which changes when it is restored from a dump.
-- The ledger has an id of its own, and the comment of a table's primary key, which
-- travels with the table, names it and the run. Every statement may be run again.
--
-- The file alters no other table: each transaction that loads a chunk locks runs, and
-- may last an hour.

create table if not exists identity (
    id   uuid not null default pg_catalog.gen_random_uuid(),
    one  boolean primary key default true check (one)
);

insert into identity default values on conflict do nothing;

comment on table identity is 'loadgrid: the id of this ledger, which comments of primary keys name';

create table if not exists marks (
    run_id  bigint primary key references runs (id) on delete cascade,
    mark    text not null
);

create index if not exists marks_mark_idx on marks (mark);

comment on table marks is 'loadgrid: what the comment of a table''s primary key said when a run published it';
comment on column marks.mark is 'the comment, which no other table has: it names the run, the ledger and a random key';

-- Who could use the ledger can use it on: the tables have the owner and grants of runs.
do $migration$
declare
    t name;
    g record;
begin
    foreach t in array array['identity', 'marks']::name[] loop
        if (select relowner from pg_class where oid = 'runs'::regclass) <> (select relowner from pg_class where oid = t::text::regclass) then
            execute format('alter table %I owner to %I', t, (select pg_get_userbyid(relowner) from pg_class where oid = 'runs'::regclass));
        end if;
        for g in
            select a.privilege_type, case when a.is_grantable then ' with grant option' else '' end as option,
                   case when a.grantee = 0 then 'public' else quote_ident(pg_get_userbyid(a.grantee)) end as grantee
            from pg_class c cross join lateral aclexplode(c.relacl) a
            where c.oid = 'runs'::regclass and a.grantee <> c.relowner and (t = 'marks' or a.privilege_type = 'SELECT')
        loop
            execute format('grant %s on %I to %s%s', g.privilege_type, t, g.grantee, g.option);
        end loop;
    end loop;
end;
$migration$;

-- The functions run in sessions of readers, whatever their search_path is, so what they call
-- has its schema: functions, operators and types. BETWEEN, IN and CASE with a value take
-- operators by name, and are left out. Words of the grammar, such as bigint, need no schema.
do $migration$
declare
    statement text;
begin
    foreach statement in array array[

-- The format of the comment: key_comment writes it, key_mark reads it, and nothing else
-- knows it. loadgrid before this version has written the first part alone.
$sql$
create or replace function ledger.key_comment(program text, run bigint) returns text
language sql volatile strict as $body$
select pg_catalog.format('loadgrid %s, run %s (%s), ledger %s', program, run,
                         pg_catalog.left(pg_catalog.gen_random_uuid()::pg_catalog.text, 8), (select i.id from ledger.identity i))
$body$
$sql$,

$sql$
comment on function ledger.key_comment(text, bigint) is
'of loadgrid: a comment for the primary key of the table that a run has published, with a random key: no other comment is the same'
$sql$,

$sql$
create or replace function ledger.key_text(tab regclass) returns text
language plpgsql stable strict parallel safe as $body$
begin
    return (select d.description
            from pg_catalog.pg_constraint k join pg_catalog.pg_description d on d.objoid operator(pg_catalog.=) k.oid
            where k.conrelid operator(pg_catalog.=) tab::pg_catalog.oid and k.contype operator(pg_catalog.=) 'p'
              and d.classoid operator(pg_catalog.=) 'pg_catalog.pg_constraint'::pg_catalog.regclass::pg_catalog.oid
              and d.objsubid operator(pg_catalog.=) 0);
end
$body$
$sql$,

$sql$
comment on function ledger.key_text(regclass) is 'of loadgrid: the comment of a table''s primary key'
$sql$,

$sql$
create or replace function ledger.key_mark(tab regclass, out mark text, out run bigint, out ledger uuid)
language plpgsql stable strict parallel safe as $body$
declare
    comment pg_catalog.text := ledger.key_text(tab);
    part pg_catalog.text[] := pg_catalog.regexp_match(comment,
        '^loadgrid .*, run ([0-9]{1,18})(?: [(][0-9a-f]{8}[)], ledger ([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}))?$');
begin
    run := part[1];
    ledger := part[2];
    if ledger is not null then
        mark := comment;
    end if;
end
$body$
$sql$,

$sql$
comment on function ledger.key_mark(regclass) is
'of loadgrid: what the comment of a table''s primary key says: the run, and where it is not of an older loadgrid the ledger, and then the comment itself'
$sql$,

$sql$
create or replace function ledger.run_of(tab regclass, out run bigint, out other uuid)
language plpgsql stable strict parallel safe as $body$
declare
    comment pg_catalog.text := ledger.key_text(tab);
    k record;
    in_schema pg_catalog.text;
    named pg_catalog.text;
    of_version pg_catalog.int8;
    recorded pg_catalog.jsonb;
    present pg_catalog.jsonb;
    rows_recorded pg_catalog.int8;
    rows_present pg_catalog.int8;
begin
    -- Asked for each point of a query, so the comment is compared before it is read.
    select r.id into run from ledger.marks m join ledger.runs r on r.id operator(pg_catalog.=) m.run_id
    where m.mark operator(pg_catalog.=) comment and r.state operator(pg_catalog.=) 'published'
    order by r.id desc limit 1;
    if run is not null then
        return;
    end if;

    select * into k from ledger.key_mark(tab);
    if k.mark is not null then
        if not exists (select from ledger.identity i where i.id operator(pg_catalog.=) k.ledger) then
            other := k.ledger;
        end if;
        return;
    end if;

    select n.nspname, c.relname into in_schema, named
    from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid operator(pg_catalog.=) c.relnamespace
    where c.oid operator(pg_catalog.=) tab::pg_catalog.oid;

    -- The comment names no ledger: an older loadgrid wrote it. The table's number and name tell of one that
    -- was not restored, where the comment's run, if there is one, is of the same number.
    select r.id into run from ledger.runs r
    where r.table_oid operator(pg_catalog.=) tab::pg_catalog.oid and r.state operator(pg_catalog.=) 'published'
      and r.schema_name operator(pg_catalog.=) in_schema and coalesce(r.kept_name, r.table_name) operator(pg_catalog.=) named
      and (k.run is null or exists (select from ledger.runs o where o.id operator(pg_catalog.=) k.run
                                    and o.table_oid operator(pg_catalog.=) r.table_oid))
    order by r.shown desc, r.id desc limit 1;
    if run is not null or k.run is null then
        return;
    end if;

    -- One that was restored has the name, the columns and as many rows as were recorded.
    select coalesce(r.version_id, r.id) into of_version from ledger.runs r
    where r.id operator(pg_catalog.=) k.run and r.state operator(pg_catalog.=) 'published'
      and r.schema_name operator(pg_catalog.=) in_schema and coalesce(r.kept_name, r.table_name) operator(pg_catalog.=) named;

    select r.imprint operator(pg_catalog.->) 'columns'::pg_catalog.text into recorded from ledger.runs r
    where coalesce(r.version_id, r.id) operator(pg_catalog.=) of_version and r.state operator(pg_catalog.=) 'published'
    order by r.id desc limit 1;

    select pg_catalog.jsonb_agg(pg_catalog.concat(a.attname, ' ', case y.typname when 'geometry' then
               pg_catalog.regexp_replace(pg_catalog.format_type(a.atttypid, a.atttypmod), '^.*geometry', 'geometry')
               else y.typname end) order by a.attnum) into present
    from pg_catalog.pg_attribute a join pg_catalog.pg_type y on y.oid operator(pg_catalog.=) a.atttypid
    where a.attrelid operator(pg_catalog.=) tab::pg_catalog.oid and a.attnum operator(pg_catalog.>) '0'::pg_catalog.int2 and not a.attisdropped;
    if (present operator(pg_catalog.=) recorded) is not true then
        return;
    end if;

    -- A run that has recorded how many rows there were knows those of the runs before.
    select pg_catalog.sum(coalesce((r.imprint operator(pg_catalog.->>) 'rows'::pg_catalog.text)::pg_catalog.int8, r.rows_added, r.rows)) into rows_recorded
    from ledger.runs r
    where coalesce(r.version_id, r.id) operator(pg_catalog.=) of_version and r.state operator(pg_catalog.=) 'published'
      and not exists (select from ledger.runs o
                      where coalesce(o.version_id, o.id) operator(pg_catalog.=) of_version and o.state operator(pg_catalog.=) 'published'
                        and o.id operator(pg_catalog.>) r.id and (o.imprint operator(pg_catalog.->>) 'rows'::pg_catalog.text) is not null);

    execute pg_catalog.format('select pg_catalog.count(*) from %I.%I', in_schema, named) into rows_present;
    if rows_present operator(pg_catalog.=) rows_recorded then
        select pg_catalog.max(r.id) into run from ledger.runs r
        where coalesce(r.version_id, r.id) operator(pg_catalog.=) of_version and r.state operator(pg_catalog.=) 'published';
    end if;
end
$body$
$sql$,

$sql$
comment on function ledger.run_of(regclass) is
'of loadgrid: the run whose rows a table shows, the last of them, by the comment of its primary key; or the other ledger that the comment names'
$sql$,

$sql$
create or replace function ledger.grid_of(tab regclass) returns jsonb
language plpgsql stable strict parallel safe as $body$
declare
    k record;
    grid pg_catalog.jsonb;
begin
    select * into k from ledger.run_of(tab);
    if k.other is not null then
        raise exception 'grid_of: table % is of another ledger, %', tab, k.other
            using errcode = 'undefined_object', hint = 'Call the functions in that ledger''s schema. '
                'If it is not in this database, restore it from where the table came from, or load the table again.';
    end if;

    select r.job operator(pg_catalog.->) 'grid'::pg_catalog.text into grid from ledger.runs r where r.id operator(pg_catalog.=) k.run;
    if grid is null then
        raise exception 'grid_of: no run published table %, as far as this ledger knows', tab
            using errcode = 'undefined_object', hint = 'Was it loaded with loadgrid, and with this ledger schema?';
    end if;
    return grid;
end
$body$
$sql$,

-- The functions of 000002 again, with a schema for each function, operator and type. A minus before a
-- number is part of the number.
$sql$
create or replace function ledger.cell_id(col integer, "row" integer) returns bigint
language plpgsql immutable strict parallel safe as $body$
declare
    x bigint := case when col operator(pg_catalog.<) 0 then -1 operator(pg_catalog.-) col else col end;
    y bigint := case when "row" operator(pg_catalog.<) 0 then -1 operator(pg_catalog.-) "row" else "row" end;
    a bigint := x operator(pg_catalog.#) y;
    b bigint := a operator(pg_catalog.#) 1073741823;
    c bigint := (x operator(pg_catalog.|) y) operator(pg_catalog.#) 1073741823;
    d bigint := x operator(pg_catalog.&) (operator(pg_catalog.~) y);
    e bigint; f bigint; g bigint; h bigint;
begin
    if x operator(pg_catalog.>) 1073741823 or y operator(pg_catalog.>) 1073741823 then
        raise exception 'cell_id: there is no cell (%, %): columns and rows run from -1073741824 to 1073741823', col, "row"
            using errcode = 'numeric_value_out_of_range';
    end if;
    e := a operator(pg_catalog.|) (b operator(pg_catalog.>>) 1);
    f := a operator(pg_catalog.#) (a operator(pg_catalog.>>) 1);
    g := c operator(pg_catalog.#) (c operator(pg_catalog.>>) 1) operator(pg_catalog.#) (b operator(pg_catalog.&) (d operator(pg_catalog.>>) 1));
    h := d operator(pg_catalog.#) (d operator(pg_catalog.>>) 1) operator(pg_catalog.#) (a operator(pg_catalog.&) (c operator(pg_catalog.>>) 1));

    c := g operator(pg_catalog.#) (e operator(pg_catalog.&) (g operator(pg_catalog.>>) 2))
        operator(pg_catalog.#) (f operator(pg_catalog.&) (h operator(pg_catalog.>>) 2));
    d := h operator(pg_catalog.#) (f operator(pg_catalog.&) (g operator(pg_catalog.>>) 2))
        operator(pg_catalog.#) ((e operator(pg_catalog.#) f) operator(pg_catalog.&) (h operator(pg_catalog.>>) 2));
    a := (e operator(pg_catalog.&) (e operator(pg_catalog.>>) 2)) operator(pg_catalog.#) (f operator(pg_catalog.&) (f operator(pg_catalog.>>) 2));
    b := (e operator(pg_catalog.&) (f operator(pg_catalog.>>) 2))
        operator(pg_catalog.#) (f operator(pg_catalog.&) ((e operator(pg_catalog.#) f) operator(pg_catalog.>>) 2));

    g := c operator(pg_catalog.#) (a operator(pg_catalog.&) (c operator(pg_catalog.>>) 4))
        operator(pg_catalog.#) (b operator(pg_catalog.&) (d operator(pg_catalog.>>) 4));
    h := d operator(pg_catalog.#) (b operator(pg_catalog.&) (c operator(pg_catalog.>>) 4))
        operator(pg_catalog.#) ((a operator(pg_catalog.#) b) operator(pg_catalog.&) (d operator(pg_catalog.>>) 4));
    e := (a operator(pg_catalog.&) (a operator(pg_catalog.>>) 4)) operator(pg_catalog.#) (b operator(pg_catalog.&) (b operator(pg_catalog.>>) 4));
    f := (a operator(pg_catalog.&) (b operator(pg_catalog.>>) 4))
        operator(pg_catalog.#) (b operator(pg_catalog.&) ((a operator(pg_catalog.#) b) operator(pg_catalog.>>) 4));

    c := g operator(pg_catalog.#) (e operator(pg_catalog.&) (g operator(pg_catalog.>>) 8))
        operator(pg_catalog.#) (f operator(pg_catalog.&) (h operator(pg_catalog.>>) 8));
    d := h operator(pg_catalog.#) (f operator(pg_catalog.&) (g operator(pg_catalog.>>) 8))
        operator(pg_catalog.#) ((e operator(pg_catalog.#) f) operator(pg_catalog.&) (h operator(pg_catalog.>>) 8));
    a := (e operator(pg_catalog.&) (e operator(pg_catalog.>>) 8)) operator(pg_catalog.#) (f operator(pg_catalog.&) (f operator(pg_catalog.>>) 8));
    b := (e operator(pg_catalog.&) (f operator(pg_catalog.>>) 8))
        operator(pg_catalog.#) (f operator(pg_catalog.&) ((e operator(pg_catalog.#) f) operator(pg_catalog.>>) 8));

    g := c operator(pg_catalog.#) (a operator(pg_catalog.&) (c operator(pg_catalog.>>) 16))
        operator(pg_catalog.#) (b operator(pg_catalog.&) (d operator(pg_catalog.>>) 16));
    h := d operator(pg_catalog.#) (b operator(pg_catalog.&) (c operator(pg_catalog.>>) 16))
        operator(pg_catalog.#) ((a operator(pg_catalog.#) b) operator(pg_catalog.&) (d operator(pg_catalog.>>) 16));

    -- The two bits of each digit, spread over 60 bits.
    a := x operator(pg_catalog.#) y;
    b := (h operator(pg_catalog.#) (h operator(pg_catalog.>>) 1))
        operator(pg_catalog.|) ((a operator(pg_catalog.|) (g operator(pg_catalog.#) (g operator(pg_catalog.>>) 1)))
        operator(pg_catalog.#) 1073741823);
    a := (a operator(pg_catalog.|) (a operator(pg_catalog.<<) 16)) operator(pg_catalog.&) 281470681808895;
    b := (b operator(pg_catalog.|) (b operator(pg_catalog.<<) 16)) operator(pg_catalog.&) 281470681808895;
    a := (a operator(pg_catalog.|) (a operator(pg_catalog.<<) 8)) operator(pg_catalog.&) 71777214294589695;
    b := (b operator(pg_catalog.|) (b operator(pg_catalog.<<) 8)) operator(pg_catalog.&) 71777214294589695;
    a := (a operator(pg_catalog.|) (a operator(pg_catalog.<<) 4)) operator(pg_catalog.&) 1085102592571150095;
    b := (b operator(pg_catalog.|) (b operator(pg_catalog.<<) 4)) operator(pg_catalog.&) 1085102592571150095;
    a := (a operator(pg_catalog.|) (a operator(pg_catalog.<<) 2)) operator(pg_catalog.&) 3689348814741910323;
    b := (b operator(pg_catalog.|) (b operator(pg_catalog.<<) 2)) operator(pg_catalog.&) 3689348814741910323;
    return ((a operator(pg_catalog.|) (a operator(pg_catalog.<<) 1)) operator(pg_catalog.&) 6148914691236517205)
        operator(pg_catalog.|) (((b operator(pg_catalog.|) (b operator(pg_catalog.<<) 1)) operator(pg_catalog.&) 6148914691236517205)
        operator(pg_catalog.<<) 1) operator(pg_catalog.|) case when col operator(pg_catalog.<) 0 then 1152921504606846976
        else 0 end operator(pg_catalog.|) case when "row" operator(pg_catalog.<) 0 then 2305843009213693952 else 0 end;
end
$body$
$sql$,

$sql$
create or replace function ledger.cell_col(id bigint) returns integer
language plpgsql immutable strict parallel safe as $body$
declare
    i0 bigint := id operator(pg_catalog.&) 384307168202282325;
    i1 bigint := (id operator(pg_catalog.>>) 1) operator(pg_catalog.&) 384307168202282325;
    w bigint := (384307168202282325 operator(pg_catalog.#) i0 operator(pg_catalog.#) i1)
        operator(pg_catalog.|) ((i0 operator(pg_catalog.&) i1) operator(pg_catalog.<<) 1);
    x bigint;
begin
    if id operator(pg_catalog.<) 0 or id operator(pg_catalog.>) 4611686018427387903 then
        raise exception 'cell_col: there is no cell_id %: they run from 0 to 4611686018427387903', id
            using errcode = 'numeric_value_out_of_range';
    end if;
    w := w operator(pg_catalog.#) (w operator(pg_catalog.>>) 2);
    w := w operator(pg_catalog.#) (w operator(pg_catalog.>>) 4);
    w := w operator(pg_catalog.#) (w operator(pg_catalog.>>) 8);
    w := w operator(pg_catalog.#) (w operator(pg_catalog.>>) 16);
    w := (w operator(pg_catalog.#) (w operator(pg_catalog.>>) 32)) operator(pg_catalog.>>) 2;
    x := i1 operator(pg_catalog.#) (w operator(pg_catalog.&) i0)
        operator(pg_catalog.#) ((w operator(pg_catalog.>>) 1) operator(pg_catalog.&) 384307168202282325);
    x := (x operator(pg_catalog.|) (x operator(pg_catalog.>>) 1)) operator(pg_catalog.&) 3689348814741910323;
    x := (x operator(pg_catalog.|) (x operator(pg_catalog.>>) 2)) operator(pg_catalog.&) 1085102592571150095;
    x := (x operator(pg_catalog.|) (x operator(pg_catalog.>>) 4)) operator(pg_catalog.&) 71777214294589695;
    x := (x operator(pg_catalog.|) (x operator(pg_catalog.>>) 8)) operator(pg_catalog.&) 281470681808895;
    x := (x operator(pg_catalog.|) (x operator(pg_catalog.>>) 16)) operator(pg_catalog.&) 1073741823;
    return case when (id operator(pg_catalog.&) 1152921504606846976) operator(pg_catalog.=) 0 then x else -1 operator(pg_catalog.-) x end;
end
$body$
$sql$,

$sql$
create or replace function ledger.cell_row(id bigint) returns integer
language plpgsql immutable strict parallel safe as $body$
declare
    i0 bigint := id operator(pg_catalog.&) 384307168202282325;
    i1 bigint := (id operator(pg_catalog.>>) 1) operator(pg_catalog.&) 384307168202282325;
    w bigint := (384307168202282325 operator(pg_catalog.#) i0 operator(pg_catalog.#) i1)
        operator(pg_catalog.|) ((i0 operator(pg_catalog.&) i1) operator(pg_catalog.<<) 1);
    y bigint;
begin
    if id operator(pg_catalog.<) 0 or id operator(pg_catalog.>) 4611686018427387903 then
        raise exception 'cell_row: there is no cell_id %: they run from 0 to 4611686018427387903', id
            using errcode = 'numeric_value_out_of_range';
    end if;
    w := w operator(pg_catalog.#) (w operator(pg_catalog.>>) 2);
    w := w operator(pg_catalog.#) (w operator(pg_catalog.>>) 4);
    w := w operator(pg_catalog.#) (w operator(pg_catalog.>>) 8);
    w := w operator(pg_catalog.#) (w operator(pg_catalog.>>) 16);
    w := (w operator(pg_catalog.#) (w operator(pg_catalog.>>) 32)) operator(pg_catalog.>>) 2;
    y := i0 operator(pg_catalog.#) i1 operator(pg_catalog.#) (w operator(pg_catalog.&) i0)
        operator(pg_catalog.#) ((w operator(pg_catalog.>>) 1) operator(pg_catalog.&) 384307168202282325);
    y := (y operator(pg_catalog.|) (y operator(pg_catalog.>>) 1)) operator(pg_catalog.&) 3689348814741910323;
    y := (y operator(pg_catalog.|) (y operator(pg_catalog.>>) 2)) operator(pg_catalog.&) 1085102592571150095;
    y := (y operator(pg_catalog.|) (y operator(pg_catalog.>>) 4)) operator(pg_catalog.&) 71777214294589695;
    y := (y operator(pg_catalog.|) (y operator(pg_catalog.>>) 8)) operator(pg_catalog.&) 281470681808895;
    y := (y operator(pg_catalog.|) (y operator(pg_catalog.>>) 16)) operator(pg_catalog.&) 1073741823;
    return case when (id operator(pg_catalog.&) 2305843009213693952) operator(pg_catalog.=) 0 then y else -1 operator(pg_catalog.-) y end;
end
$body$
$sql$,

$sql$
create or replace function ledger.cell_neighbours(id bigint, shape pg_catalog.text default 'square') returns setof bigint
language plpgsql immutable strict parallel safe rows 8 as $body$
declare
    col integer := ledger.cell_col(id);
    "row" integer := ledger.cell_row(id);
    dcol integer[];
    drow integer[];
    c integer;
    r integer;
    lowest integer := case when shape operator(pg_catalog.=) 'xyz' then 0 else -1073741824 end;
begin
    case
        when (shape operator(pg_catalog.=) 'square' or shape operator(pg_catalog.=) 'xyz') then
            dcol := '{-1,0,1,-1,1,-1,0,1}';
            drow := '{-1,-1,-1,0,0,1,1,1}';
        when shape operator(pg_catalog.=) 'hexagon-flat' and (col operator(pg_catalog.&) 1) operator(pg_catalog.=) 0 then
            dcol := '{-1,-1,0,0,1,1}';
            drow := '{-1,0,-1,1,-1,0}';
        when shape operator(pg_catalog.=) 'hexagon-flat' then
            dcol := '{-1,-1,0,0,1,1}';
            drow := '{0,1,-1,1,0,1}';
        when shape operator(pg_catalog.=) 'hexagon-pointy' and ("row" operator(pg_catalog.&) 1) operator(pg_catalog.=) 0 then
            dcol := '{-1,0,-1,1,-1,0}';
            drow := '{-1,-1,0,0,1,1}';
        when shape operator(pg_catalog.=) 'hexagon-pointy' then
            dcol := '{0,1,-1,1,0,1}';
            drow := '{-1,-1,0,0,1,1}';
        else
            raise exception 'cell_neighbours: there is no shape %: square, xyz, hexagon-flat or hexagon-pointy', shape
                using errcode = 'invalid_parameter_value';
    end case;
    for i in 1 .. pg_catalog.array_length(dcol, 1) loop
        c := col operator(pg_catalog.+) dcol[i];
        r := "row" operator(pg_catalog.+) drow[i];
        if c operator(pg_catalog.>=) lowest and c operator(pg_catalog.<=) 1073741823 and r operator(pg_catalog.>=) lowest
            and r operator(pg_catalog.<=) 1073741823 then
            return next ledger.cell_id(c, r);
        end if;
    end loop;
end
$body$
$sql$,

$sql$
create or replace function ledger.cell_parent(id bigint, k integer) returns bigint
language plpgsql immutable strict parallel safe as $body$
declare
    col integer := ledger.cell_col(id);
    "row" integer := ledger.cell_row(id);
begin
    if k operator(pg_catalog.<) 1 then
        raise exception 'cell_parent: a larger cell is 1 or more times the size, not %', k
            using errcode = 'invalid_parameter_value';
    end if;
    -- Division rounds to 0, and what is below 0 belongs further down.
    return ledger.cell_id(case when col operator(pg_catalog.>=) 0 then col operator(pg_catalog./) k
        else -1 operator(pg_catalog.-) ((-1 operator(pg_catalog.-) col) operator(pg_catalog./) k) end, case
        when "row" operator(pg_catalog.>=) 0 then "row" operator(pg_catalog./) k
        else -1 operator(pg_catalog.-) ((-1 operator(pg_catalog.-) "row") operator(pg_catalog./) k) end);
end
$body$
$sql$,

-- The two that ask the ledger for the shape of a table's cells.
$sql$
create or replace function ledger.cell_neighbours(tab regclass, id bigint) returns setof bigint
language plpgsql stable strict parallel safe rows 8 as $body$
declare
    grid pg_catalog.jsonb := ledger.grid_of(tab);
    shape pg_catalog.text := coalesce(grid operator(pg_catalog.->>) 'shape'::pg_catalog.text, 'square');
    zoom pg_catalog.int4 := coalesce((grid operator(pg_catalog.->>) 'zoom'::pg_catalog.text)::pg_catalog.int4, 0);
    side pg_catalog.int4;
begin
    if shape operator(pg_catalog.<>) 'xyz' then
        return query select n from ledger.cell_neighbours(id, shape) n;
        return;
    end if;

    side := 1 operator(pg_catalog.<<) zoom;
    return query select n from ledger.cell_neighbours(id, shape) n
                 where ledger.cell_col(n) operator(pg_catalog.<) side and ledger.cell_row(n) operator(pg_catalog.<) side;
end
$body$
$sql$,

$sql$
comment on function ledger.cell_neighbours(regclass, bigint) is
'loadgrid: the cells around a cell in the grid of a table that loadgrid loaded, whether the table has them or not: the eight of a square or of a tile, '
'the six of a hexagon. Those that have no cell_id are left out, and so are tiles beyond the world'
$sql$,

$sql$
create or replace function ledger.cell_parent(tab regclass, id bigint, k integer) returns bigint
language plpgsql stable strict parallel safe as $body$
begin
    if pg_catalog.starts_with(coalesce(ledger.grid_of(tab) operator(pg_catalog.->>) 'shape'::pg_catalog.text, 'square'), 'hexagon') then
        raise exception 'cell_parent: the cells of table % are hexagons, which do not nest: no larger hexagon holds whole ones', tab
            using errcode = 'feature_not_supported', hint = 'Squares and tiles nest.';
    end if;
    return ledger.cell_parent(id, k);
end
$body$
$sql$,

$sql$
comment on function ledger.cell_parent(regclass, bigint, integer) is
'loadgrid: the cell that holds a cell of a table that loadgrid loaded, in the grid with the same origin and k times the cell size; of tiles k = 2 is the '
'zoom above. A table of hexagons is refused: they do not nest'
$sql$,

-- The same rule and the same arithmetic as CellAt in loadgrid's package geomgen: both
-- must give the same cell for each point. The server refuses results that are too large or
-- too small for a number, so those are kept away, or set to what Go gets: infinity never
-- has a cell, and what is too small is 0.
$sql$
create or replace function ledger.cell_at(grid jsonb, x double precision, y double precision) returns bigint
language plpgsql immutable strict parallel safe as $body$
declare
    x0 pg_catalog.float8 := grid operator(pg_catalog.->>) 'x0'::pg_catalog.text;
    y0 pg_catalog.float8 := grid operator(pg_catalog.->>) 'y0'::pg_catalog.text;
    dx pg_catalog.float8 := grid operator(pg_catalog.->>) 'dx'::pg_catalog.text;
    dy pg_catalog.float8 := grid operator(pg_catalog.->>) 'dy'::pg_catalog.text;
    shape pg_catalog.text := coalesce(grid operator(pg_catalog.->>) 'shape'::pg_catalog.text, 'square');
    turn pg_catalog.float8 := coalesce(grid operator(pg_catalog.->>) 'rotate'::pg_catalog.text, '0');
    far pg_catalog.float8;
    c pg_catalog.float8; r pg_catalog.float8;
    -- A quotient a / b with |a| < small and b < 1e130 is 0 where |a| * 2^1075 <= b, in two steps.
    small constant pg_catalog.float8 := '1e-180';
    two600 constant pg_catalog.float8 := '4.149515568880993e+180';
    two475 constant pg_catalog.float8 := '9.755464219737476e+142';
    -- Of turned grids.
    quarters pg_catalog.float8; n pg_catalog.int4; rest pg_catalog."numeric"; z pg_catalog."numeric";
    s pg_catalog."numeric" := 1; t pg_catalog."numeric" := 1; sine pg_catalog.float8; cosine pg_catalog.float8;
    -- Of hexagons, along the direction in which their corners point, and across.
    a pg_catalog.float8; a0 pg_catalog.float8; sa pg_catalog.float8; b pg_catalog.float8; b0 pg_catalog.float8; sb pg_catalog.float8;
    odd pg_catalog.float8; m pg_catalog.float8; p pg_catalog.float8; q pg_catalog.float8;
begin
    if x0 is null or y0 is null or dx is null or dy is null or not dx operator(pg_catalog.>) '0' or not dy operator(pg_catalog.>) '0'
        or not pg_catalog.abs(x0) operator(pg_catalog.<) 'infinity' or not pg_catalog.abs(y0) operator(pg_catalog.<) 'infinity'
        or not dx operator(pg_catalog.<) 'infinity' or not dy operator(pg_catalog.<) 'infinity' then
        raise exception 'cell_at: % is no grid: x0, y0, dx and dy must be there, as grid_of gives them', grid
            using errcode = 'invalid_parameter_value';
    end if;
    if not (pg_catalog.abs(x) operator(pg_catalog.<) 'infinity' and pg_catalog.abs(y) operator(pg_catalog.<) 'infinity') then
        return null;
    end if;

    -- Grids at the ends of what a number can be are brought to the middle: products with
    -- powers of two are exact. Beside such large cells all that is small is alike.
    if dx operator(pg_catalog.>) '1e100' or dy operator(pg_catalog.>) '1e100' or pg_catalog.abs(x0) operator(pg_catalog.>) '1e100'
        or pg_catalog.abs(y0) operator(pg_catalog.>) '1e100' then
        x := case when pg_catalog.abs(x) operator(pg_catalog.>) '1e-100' then x operator(pg_catalog./) two600
            else pg_catalog.sign(x) operator(pg_catalog.*) '1e-290' end;
        y := case when pg_catalog.abs(y) operator(pg_catalog.>) '1e-100' then y operator(pg_catalog./) two600
            else pg_catalog.sign(y) operator(pg_catalog.*) '1e-290' end;
        x0 := case when pg_catalog.abs(x0) operator(pg_catalog.>) '1e-100' then x0 operator(pg_catalog./) two600
            else pg_catalog.sign(x0) operator(pg_catalog.*) '1e-290' end;
        y0 := case when pg_catalog.abs(y0) operator(pg_catalog.>) '1e-100' then y0 operator(pg_catalog./) two600
            else pg_catalog.sign(y0) operator(pg_catalog.*) '1e-290' end;
        dx := case when dx operator(pg_catalog.>) '1e-100' then dx operator(pg_catalog./) two600 else '1e-290' end;
        dy := case when dy operator(pg_catalog.>) '1e-100' then dy operator(pg_catalog./) two600 else '1e-290' end;
    end if;

    -- No cell is that far away.
    far := '8589934592' operator(pg_catalog.*) (dx operator(pg_catalog.+) dy);
    if pg_catalog.abs(x) operator(pg_catalog.>) '1e300' or pg_catalog.abs(y) operator(pg_catalog.>) '1e300'
        or not (pg_catalog.abs(x operator(pg_catalog.-) x0) operator(pg_catalog.<=) far
        and pg_catalog.abs(y operator(pg_catalog.-) y0) operator(pg_catalog.<=) far) then
        return null;
    end if;

    if dx operator(pg_catalog.<) '1e-290' or dy operator(pg_catalog.<) '1e-290' then
        x := x operator(pg_catalog.*) two600;
        y := y operator(pg_catalog.*) two600;
        x0 := x0 operator(pg_catalog.*) two600;
        y0 := y0 operator(pg_catalog.*) two600;
        dx := dx operator(pg_catalog.*) two600;
        dy := dy operator(pg_catalog.*) two600;
    end if;

    if turn operator(pg_catalog.<>) '0' then
        -- Sine and cosine rounded to the nearest number, as the loader has them, by their
        -- series: sind and cosd may differ in the last bit, from server to server as well.
        quarters := pg_catalog.round(turn operator(pg_catalog./) '90');
        turn := (turn operator(pg_catalog.-) (quarters operator(pg_catalog.*) '90')) operator(pg_catalog.*) '1073741824';
        rest := (pg_catalog.trunc(turn)::pg_catalog.int8::pg_catalog."numeric" operator(pg_catalog.*) '1152921504606846976')
            operator(pg_catalog.+) pg_catalog.trunc((turn operator(pg_catalog.-) pg_catalog.trunc(turn))
            operator(pg_catalog.*) '1152921504606846976')::pg_catalog.int8::pg_catalog."numeric";
        rest := pg_catalog.round(rest operator(pg_catalog.*) '0.000000000000000000000000000014098657419642452520360533544965811557173630878', 45); -- pi / 180 / 2^90
        z := pg_catalog.round(rest operator(pg_catalog.*) rest, 45);
        for k in reverse 30 .. 2 by 2 loop
            s := pg_catalog.round('1' operator(pg_catalog.-) ((s operator(pg_catalog.*) z)
                operator(pg_catalog./) (k operator(pg_catalog.*) (k operator(pg_catalog.+) 1))::pg_catalog."numeric"), 45);
            t := pg_catalog.round('1' operator(pg_catalog.-) ((t operator(pg_catalog.*) z)
                operator(pg_catalog./) (k operator(pg_catalog.*) (k operator(pg_catalog.-) 1))::pg_catalog."numeric"), 45);
        end loop;
        sine := s operator(pg_catalog.*) rest;
        cosine := t;
        n := quarters::pg_catalog.int4 operator(pg_catalog.&) 3;
        if n operator(pg_catalog.=) 1 then
            a := sine; sine := cosine; cosine := operator(pg_catalog.-) a;
        elsif n operator(pg_catalog.=) 2 then
            sine := operator(pg_catalog.-) sine; cosine := operator(pg_catalog.-) cosine;
        elsif n operator(pg_catalog.=) 3 then
            a := sine; sine := operator(pg_catalog.-) cosine; cosine := a;
        end if;
        a := x operator(pg_catalog.-) x0;
        b := y operator(pg_catalog.-) y0;
        -- Sine and cosine are 0, or more than 1e-30. Products that are too small are 0.
        x := case when pg_catalog.abs(a) operator(pg_catalog.>) small
            or (pg_catalog.abs(cosine operator(pg_catalog.*) (a operator(pg_catalog.*) two600)) operator(pg_catalog.*) two475)
            operator(pg_catalog.>) '1' then cosine operator(pg_catalog.*) a else '0' end operator(pg_catalog.+) case
            when pg_catalog.abs(b) operator(pg_catalog.>) small
            or (pg_catalog.abs(sine operator(pg_catalog.*) (b operator(pg_catalog.*) two600)) operator(pg_catalog.*) two475)
            operator(pg_catalog.>) '1' then sine operator(pg_catalog.*) b else '0' end;
        y := case when pg_catalog.abs(b) operator(pg_catalog.>) small
            or (pg_catalog.abs(cosine operator(pg_catalog.*) (b operator(pg_catalog.*) two600)) operator(pg_catalog.*) two475)
            operator(pg_catalog.>) '1' then cosine operator(pg_catalog.*) b else '0' end operator(pg_catalog.-) case
            when pg_catalog.abs(a) operator(pg_catalog.>) small
            or (pg_catalog.abs(sine operator(pg_catalog.*) (a operator(pg_catalog.*) two600)) operator(pg_catalog.*) two475)
            operator(pg_catalog.>) '1' then sine operator(pg_catalog.*) a else '0' end;
        x0 := 0;
        y0 := 0;
    end if;

    case
        when (shape operator(pg_catalog.=) 'square' or shape operator(pg_catalog.=) 'xyz') then
            -- Corrected where the quotient was rounded over a line. One that is nearly 0 needs no more than that.
            a := x operator(pg_catalog.-) x0;
            c := case when pg_catalog.abs(a) operator(pg_catalog.>) small then pg_catalog.floor(a operator(pg_catalog./) dx) else '0' end;
            if (x0 operator(pg_catalog.+) (c operator(pg_catalog.*) dx)) operator(pg_catalog.>) x then
                c := c operator(pg_catalog.-) '1';
            elsif (x0 operator(pg_catalog.+) ((c operator(pg_catalog.+) '1') operator(pg_catalog.*) dx)) operator(pg_catalog.<=) x then
                c := c operator(pg_catalog.+) '1';
            end if;
            if shape operator(pg_catalog.=) 'square' then
                b := y operator(pg_catalog.-) y0;
                r := case when pg_catalog.abs(b) operator(pg_catalog.>) small then pg_catalog.floor(b operator(pg_catalog./) dy) else '0' end;
                if (y0 operator(pg_catalog.+) (r operator(pg_catalog.*) dy)) operator(pg_catalog.>) y then
                    r := r operator(pg_catalog.-) '1';
                elsif (y0 operator(pg_catalog.+) ((r operator(pg_catalog.+) '1') operator(pg_catalog.*) dy)) operator(pg_catalog.<=) y then
                    r := r operator(pg_catalog.+) '1';
                end if;
            else
                -- Rows count downwards, and a tile has its upper edge.
                b := y0 operator(pg_catalog.-) y;
                r := case when pg_catalog.abs(b) operator(pg_catalog.>) small then pg_catalog.floor(b operator(pg_catalog./) dy) else '0' end;
                if (y0 operator(pg_catalog.-) (r operator(pg_catalog.*) dy)) operator(pg_catalog.<) y then
                    r := r operator(pg_catalog.-) '1';
                elsif (y0 operator(pg_catalog.-) ((r operator(pg_catalog.+) '1') operator(pg_catalog.*) dy)) operator(pg_catalog.>=) y then
                    r := r operator(pg_catalog.+) '1';
                end if;
                far := pg_catalog.power('2'::pg_catalog.float8, coalesce((grid
                    operator(pg_catalog.->>) 'zoom'::pg_catalog.text)::pg_catalog.float8, '0'));
                if c operator(pg_catalog.<) '0' or r operator(pg_catalog.<) '0' or c operator(pg_catalog.>=) far or r operator(pg_catalog.>=) far then
                    return null;
                end if;
            end if;
        when (shape operator(pg_catalog.=) 'hexagon-flat' or shape operator(pg_catalog.=) 'hexagon-pointy') then
            sa := dx operator(pg_catalog./) '2';
            sb := (dx operator(pg_catalog.*) '2' operator(pg_catalog.*) '0.8660254037844387') operator(pg_catalog./) '2';
            if shape operator(pg_catalog.=) 'hexagon-flat' then
                a := x; a0 := x0; b := y; b0 := y0;
            else
                a := y; a0 := y0; b := x; b0 := x0;
            end if;
            -- The line of centres left of the point, and on it the hexagon beside the point.
            p := a operator(pg_catalog.-) a0;
            p := case when pg_catalog.abs(p) operator(pg_catalog.>) small
                or (pg_catalog.abs(p) operator(pg_catalog.*) two600 operator(pg_catalog.*) two475) operator(pg_catalog.>) sa then p
                operator(pg_catalog./) sa else '0' end;
            c := pg_catalog.floor(case when pg_catalog.abs(p) operator(pg_catalog.>) small
                or (pg_catalog.abs(p) operator(pg_catalog.*) two600 operator(pg_catalog.*) two475) operator(pg_catalog.>) '3' then p
                operator(pg_catalog./) '3' else '0' end);
            odd := c::pg_catalog.int8 operator(pg_catalog.&) '1';
            q := b operator(pg_catalog.-) b0;
            q := case when pg_catalog.abs(q) operator(pg_catalog.>) small then q operator(pg_catalog./) sb else '0' end;
            m := ('2' operator(pg_catalog.*) pg_catalog.floor(((q operator(pg_catalog.-) odd) operator(pg_catalog.+) '1') operator(pg_catalog./) '2'))
                operator(pg_catalog.+) odd;
            if (b0 operator(pg_catalog.+) ((m operator(pg_catalog.-) '1') operator(pg_catalog.*) sb)) operator(pg_catalog.>) b then
                m := m operator(pg_catalog.-) '2';
            elsif (b0 operator(pg_catalog.+) ((m operator(pg_catalog.+) '1') operator(pg_catalog.*) sb)) operator(pg_catalog.<=) b then
                m := m operator(pg_catalog.+) '2';
            end if;
            -- Is the point beyond its slanted edges?
            p := a operator(pg_catalog.-) (a0 operator(pg_catalog.+) ('3' operator(pg_catalog.*) c operator(pg_catalog.*) sa));
            p := case when pg_catalog.abs(p) operator(pg_catalog.>) small then p operator(pg_catalog./) sa else '0' end;
            q := b operator(pg_catalog.-) (b0 operator(pg_catalog.+) (m operator(pg_catalog.*) sb));
            q := case when pg_catalog.abs(q) operator(pg_catalog.>) small
                or (pg_catalog.abs(q) operator(pg_catalog.*) two600 operator(pg_catalog.*) two475) operator(pg_catalog.>) sb then q
                operator(pg_catalog./) sb else '0' end;
            if (p operator(pg_catalog.+) pg_catalog.abs(q)) operator(pg_catalog.>=) '2' then
                c := c operator(pg_catalog.+) '1';
                odd := '1' operator(pg_catalog.-) odd;
                m := m operator(pg_catalog.+) case when q operator(pg_catalog.>=) '0' then '1'::pg_catalog.float8 else '-1' end;
            end if;
            r := (m operator(pg_catalog.-) odd) operator(pg_catalog./) '2';
            if shape operator(pg_catalog.=) 'hexagon-pointy' then
                p := c; c := r; r := p;
            end if;
        else
            raise exception 'cell_at: there is no shape %: square, xyz, hexagon-flat or hexagon-pointy', shape
                using errcode = 'invalid_parameter_value';
    end case;
    if c operator(pg_catalog.>=) '-1073741824' and c operator(pg_catalog.<=) '1073741823' and r operator(pg_catalog.>=) '-1073741824'
        and r operator(pg_catalog.<=) '1073741823' then
        return ledger.cell_id(c::pg_catalog.int4, r::pg_catalog.int4);
    end if;
    return null;
end
$body$
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
    statement text := $sql$
create or replace function ledger.cell_at(tab regclass, point postgis.geometry) returns bigint
language plpgsql stable strict parallel safe as $body$
declare
    grid pg_catalog.jsonb := ledger.grid_of(tab);
begin
    if postgis.st_isempty(point) then
        return null;
    end if;
    if postgis.st_geometrytype(point) operator(pg_catalog.<>) 'ST_Point' then -- GeometryType says POINTM of some
        raise exception 'cell_at: needs a point, not a %', postgis.geometrytype(point)
            using errcode = 'invalid_parameter_value';
    end if;
    if postgis.st_srid(point) operator(pg_catalog.<>) (grid operator(pg_catalog.->>) 'srid'::pg_catalog.text)::pg_catalog.int4 then
        raise exception 'cell_at: the point has SRID %, the grid of table % has %', postgis.st_srid(point), tab, grid operator(pg_catalog.->>) 'srid'::pg_catalog.text
            using errcode = 'invalid_parameter_value', hint = 'Bring the point into the grid''s CRS, with ST_Transform.';
    end if;
    return ledger.cell_at(grid, postgis.st_x(point), postgis.st_y(point));
end
$body$
$sql$;
begin
    if postgis is not null then
        -- Between the names of the ledger, not in them: they may end in postgis themselves.
        execute (select string_agg(replace(part, 'postgis.', postgis || '.'), quote_ident(current_schema()) || '.' order by n)
                 from unnest(string_to_array(replace(statement, '$body$', '$x' || md5(current_schema() || '.' || postgis) || '$'), 'ledger.'))
                 with ordinality u(part, n));
    end if;
end;
$migration$;
