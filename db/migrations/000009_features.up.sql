-- The features of a run's area of interest, where rows have their attributes, as package
-- aoi writes them. Every statement may be run again.
--
-- The file alters no other table: each transaction that loads a chunk locks runs, and
-- may last an hour.

create table if not exists run_features (
    run_id   bigint primary key references runs (id) on delete cascade,
    features bytea not null
);

comment on table run_features is
    'loadgrid: the features of the area of interest of runs whose rows have their attributes, as bytes that loadgrid reads when it resumes the run';
comment on column run_features.run_id is 'the run';
comment on column run_features.features is 'polygons and values of each feature, in their order';

-- Who could use the ledger can use it on: the table has the owner and grants of runs.
do $migration$
declare
    g record;
begin
    if (select relowner from pg_class where oid = 'runs'::regclass) <> (select relowner from pg_class where oid = 'run_features'::regclass) then
        execute format('alter table run_features owner to %I', (select pg_get_userbyid(relowner) from pg_class where oid = 'runs'::regclass));
    end if;
    for g in
        select a.privilege_type, case when a.is_grantable then ' with grant option' else '' end as option,
               case when a.grantee = 0 then 'public' else quote_ident(pg_get_userbyid(a.grantee)) end as grantee
        from pg_class c cross join lateral aclexplode(c.relacl) a
        where c.oid = 'runs'::regclass and a.grantee <> c.relowner
    loop
        execute format('grant %s on run_features to %s%s', g.privilege_type, g.grantee, g.option);
    end loop;
end;
$migration$;
