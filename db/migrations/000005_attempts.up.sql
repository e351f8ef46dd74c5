-- The table starts becomes attempts. For one release a view has the old name, so that
-- programs and queries from before go on. Every statement may be run again.
--
-- The file alters no other table: each transaction that loads a chunk locks runs, and
-- may last an hour.

do $migration$
declare
    c name;
begin
    -- The ledger's table refers to runs. One of somebody else in the same schema does not,
    -- and the new name is then taken.
    if not exists (select from pg_constraint where conrelid = to_regclass('attempts') and confrelid = 'runs'::regclass and contype = 'f') then
        alter table starts rename to attempts;
    end if;
    for c in select conname from pg_constraint where conrelid = 'attempts'::regclass and starts_with(conname, 'starts_') loop
        execute format('alter table attempts rename constraint %I to %I', c, 'attempts' || substr(c, 7));
    end loop;
end;
$migration$;

comment on table attempts is 'loadgrid: attempts at runs: the first begins a run, each later one resumes it';
comment on column attempts.rows is 'rows that this attempt has copied and committed';

-- Who could use the table can use the view. The server looks at the table with the rights
-- of the view's owner, so the view has the owner of the table, and the grants of the table,
-- those on columns too, and no others.
do $migration$
declare
    t constant pg_class := (select c from pg_class c where oid = 'attempts'::regclass);
    g record;
begin
    if to_regclass('starts') is not null then
        return;
    end if;
    create view starts as select * from attempts;
    if t.relowner <> (select relowner from pg_class where oid = 'starts'::regclass) then
        execute format('alter view starts owner to %I', pg_get_userbyid(t.relowner));
    end if;
    for g in -- default privileges of the schema
        select distinct case when a.grantee = 0 then 'public' else quote_ident(pg_get_userbyid(a.grantee)) end as grantee
        from pg_class c cross join lateral aclexplode(c.relacl) a
        where c.oid = 'starts'::regclass and a.grantee <> c.relowner
    loop
        execute format('revoke all on starts from %s cascade', g.grantee);
    end loop;
    -- Policies on rows do not hold the owner of their table. From PostgreSQL 15 the view can
    -- look with the rights of who asks; before, the owner alone has it.
    if t.relrowsecurity and current_setting('server_version_num')::integer < 150000 then
        return;
    end if;
    if t.relrowsecurity then
        alter view starts set (security_invoker = true);
    end if;
    for g in
        select a.privilege_type, x.columns, case when a.is_grantable then ' with grant option' else '' end as option,
               case when a.grantee = 0 then 'public' else quote_ident(pg_get_userbyid(a.grantee)) end as grantee
        from (select t.relacl as acl, '' as columns
              union all
              select attacl, format('(%I)', attname) from pg_attribute
              where attrelid = t.oid and attnum > 0 and not attisdropped) x
        cross join lateral aclexplode(x.acl) a
        where a.grantee <> t.relowner
    loop
        execute format('grant %s %s on starts to %s%s', g.privilege_type, g.columns, g.grantee, g.option);
    end loop;
end;
$migration$;

comment on view starts is 'loadgrid: the table attempts under its name of before, for one release';
