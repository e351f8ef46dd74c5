-- Who started a run, from where, and how that went; and what tells later whether a
-- table is still what its run has made. Every statement may be run again.

alter table runs add column if not exists job_name text;
alter table runs add column if not exists published_xid xid8;
alter table runs add column if not exists rows_added bigint;
alter table runs add column if not exists imprint jsonb;

comment on column runs.job_name is 'what the job is called in its file, else the table as the job names it';
comment on column runs.published_xid is 'the transaction in which the run was published';
comment on column runs.rows_added is 'the rows that the table got from this run: those that it held already are not among them';
comment on column runs.imprint is 'the table as the run left it: its files, columns and indexes';

do $migration$
declare
    runs_owner constant name := (select pg_get_userbyid(relowner) from pg_class where oid = 'runs'::regclass);
    g record;
begin
    -- Since 000005 the table is attempts, and starts a view of it.
    if exists (select from pg_constraint where conrelid = to_regclass('attempts') and confrelid = 'runs'::regclass and contype = 'f') then
        return;
    end if;

    create table if not exists starts (
        run_id        bigint not null references runs (id) on delete cascade,
        no            integer not null,
        started_at    timestamptz not null default clock_timestamp(),
        ended_at      timestamptz,
        outcome       text,
        role          text not null default session_user,
        address       inet default inet_client_addr(),
        host          text,
        os_user       text,
        version       text not null,
        rows          bigint,
        seconds       double precision,
        stages        jsonb,
        retries       integer,
        troubles      jsonb,
        sqlstate      text,
        error         text,
        primary key (run_id, no)
    );

    comment on table starts is 'loadgrid: starts of runs, of which those after the first have resumed it';
    comment on column starts.ended_at is 'null: it is at work, or was killed';
    comment on column starts.outcome is 'published, failed or stopped';
    comment on column starts.address is 'where the connection came from; null for a socket of the server';
    comment on column starts.host is 'what the machine calls itself';
    comment on column starts.rows is 'rows that this start has copied and committed';
    comment on column starts.stages is 'seconds that each stage took';
    comment on column starts.troubles is 'the last errors after which something was tried again';

    -- Who could use the ledger can use it on: the table has the owner and grants of runs.
    if runs_owner <> (select pg_get_userbyid(relowner) from pg_class where oid = 'starts'::regclass) then
        execute format('alter table starts owner to %I', runs_owner);
    end if;
    for g in
        select a.privilege_type, case when a.is_grantable then ' with grant option' else '' end as option,
               case when a.grantee = 0 then 'public' else quote_ident(pg_get_userbyid(a.grantee)) end as grantee
        from pg_class c cross join lateral aclexplode(c.relacl) a
        where c.oid = 'runs'::regclass and a.grantee <> c.relowner
    loop
        execute format('grant %s on starts to %s%s', g.privilege_type, g.grantee, g.option);
    end loop;
end;
$migration$;
