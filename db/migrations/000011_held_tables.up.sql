-- Tables that are on hold: no load begins on them. Every statement may be run again.
--
-- The file alters no other table: each transaction that loads a chunk locks runs, and
-- may last an hour.

create table if not exists held_tables (
    schema_name   text not null,
    table_name    text not null,
    reason        text,
    held_at       timestamptz not null default pg_catalog.clock_timestamp(),
    role          text not null default session_user,
    address       inet default pg_catalog.inet_client_addr(),
    host          text,
    os_user       text,
    primary key (schema_name, table_name)
);

comment on table held_tables is 'loadgrid: tables that are on hold, on which no load begins';
comment on column held_tables.reason is 'why, in the words of the person who put the table on hold';
comment on column held_tables.held_at is 'since when';
comment on column held_tables.address is 'where the connection came from; null for a socket of the server';
comment on column held_tables.host is 'what the machine calls itself';

-- Who could use the ledger can use it on: the table has the owner and grants of runs.
do $migration$
declare
    g record;
begin
    if (select relowner from pg_class where oid = 'runs'::regclass) <> (select relowner from pg_class where oid = 'held_tables'::regclass) then
        execute format('alter table held_tables owner to %I', (select pg_get_userbyid(relowner) from pg_class where oid = 'runs'::regclass));
    end if;
    for g in
        select a.privilege_type, case when a.is_grantable then ' with grant option' else '' end as option,
               case when a.grantee = 0 then 'public' else quote_ident(pg_get_userbyid(a.grantee)) end as grantee
        from pg_class c cross join lateral aclexplode(c.relacl) a
        where c.oid = 'runs'::regclass and a.grantee <> c.relowner
    loop
        execute format('grant %s on held_tables to %s%s', g.privilege_type, g.grantee, g.option);
    end loop;
end;
$migration$;
