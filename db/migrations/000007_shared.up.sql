-- Which process has tried which job, where several processes share the jobs of a file, and
-- in which batch. Every statement may be run again.
--
-- The file alters no other table: each transaction that loads a chunk locks runs, and
-- may last an hour.

create table if not exists shared_attempts (
    id            bigint generated always as identity primary key,
    batch         text,
    job           text not null,
    job_name      text not null,
    schema_name   text not null,
    table_name    text not null,
    run_id        bigint references runs (id) on delete cascade,
    attempt       integer,
    began_at      timestamptz not null default pg_catalog.clock_timestamp(),
    ended_at      timestamptz,
    outcome       text,
    exit_code     integer,
    sqlstate      text,
    error         text,
    role          text not null default session_user,
    address       inet default pg_catalog.inet_client_addr(),
    host          text,
    os_user       text,
    process       bigint
);

create index if not exists shared_attempts_job_idx on shared_attempts (job);
create index if not exists shared_attempts_run_idx on shared_attempts (run_id);

comment on table shared_attempts is 'loadgrid: attempts at jobs that several processes share';
comment on column shared_attempts.batch is 'what the processes call the round in which each job is done once; null: none is named';
comment on column shared_attempts.job is 'a digest of the job''s name and of what it says';
comment on column shared_attempts.schema_name is 'of the table; empty where the attempt failed before it was known';
comment on column shared_attempts.run_id is 'the run that the attempt began or resumed, or that made a table which is unchanged; null: there is none';
comment on column shared_attempts.attempt is 'which attempt at the run it is';
comment on column shared_attempts.ended_at is 'null: it is at work, or was killed';
comment on column shared_attempts.outcome is 'published, unchanged, failed or stopped. Whether a run is published, its state says';
comment on column shared_attempts.exit_code is 'what the process would end with, had it no other job';
comment on column shared_attempts.address is 'where the connection came from; null for a socket of the server';
comment on column shared_attempts.host is 'what the machine calls itself';
comment on column shared_attempts.process is 'the number of the process on that machine';

-- Who could use the ledger can use it on: the table has the owner and grants of runs.
do $migration$
declare
    g record;
begin
    if (select relowner from pg_class where oid = 'runs'::regclass) <> (select relowner from pg_class where oid = 'shared_attempts'::regclass) then
        execute format('alter table shared_attempts owner to %I', (select pg_get_userbyid(relowner) from pg_class where oid = 'runs'::regclass));
    end if;
    for g in
        select a.privilege_type, case when a.is_grantable then ' with grant option' else '' end as option,
               case when a.grantee = 0 then 'public' else quote_ident(pg_get_userbyid(a.grantee)) end as grantee
        from pg_class c cross join lateral aclexplode(c.relacl) a
        where c.oid = 'runs'::regclass and a.grantee <> c.relowner
    loop
        execute format('grant %s on shared_attempts to %s%s', g.privilege_type, g.grantee, g.option);
    end loop;
end;
$migration$;
