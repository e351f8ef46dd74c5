-- Each statement that loadgrid, before the ledger's table starts got another name, runs against it, with
-- the default schema, as the server gets it. A program of that time may be at work, or look at its
-- runs, when a newer one migrates the ledger: these must go on working, against a view of the name, too.
--
-- name, purpose and from stand above each; all to the next name is the statement. Never change one.
--
-- Not here: the DDL of db/migrations/000004_starts, which no program runs once a ledger has version 4. The
-- SQL functions of the migrations do not mention starts.

-- name: insert
-- purpose: write down who starts a run, and from where
-- from: loader/ledger_starts.go, insertStart
insert into "loadgrid"."starts" (run_id, no, host, os_user, version) values ($1, $2, nullif($3, ''), nullif($4, ''), $5)

-- name: end
-- purpose: write down how a start has ended
-- from: loader/ledger_starts.go, endStart
update "loadgrid"."starts" set ended_at = clock_timestamp(), outcome = $3, rows = $4, seconds = $5, stages = $6,
			retries = $7, troubles = $8, sqlstate = nullif($9, ''), error = nullif($10, '') where run_id = $1 and no = $2

-- name: there
-- purpose: tell a ledger from before starts were written down; $1 is "loadgrid"."starts"
-- from: loader/ledger_starts.go, histories
select to_regclass($1) is not null

-- name: read
-- purpose: read the starts of runs, for runs list, show and resume
-- from: loader/ledger_starts.go, histories
select run_id, no, started_at, ended_at, coalesce(outcome, ''), role, coalesce(host(address), ''), coalesce(host, ''),
			coalesce(os_user, ''), version, coalesce(rows, 0), coalesce(seconds, 0), coalesce(stages, '{}'), coalesce(retries, 0),
			coalesce(troubles, '[]'), coalesce(sqlstate, ''), coalesce(error, '')
		from "loadgrid"."starts" where run_id = any($1) order by run_id, no

-- name: started
-- purpose: note that a run goes on, and number its start: the column of runs, from which the table's no comes
-- from: loader/ledger.go, started
update "loadgrid"."runs" set starts = starts + 1, last_error = null, job = $2 where id = $1 returning starts

-- name: run
-- purpose: read a run, with how often it was started
-- from: loader/ledger.go, query, as run calls it
select r.*, c.* from (select null::bigint as version_id, false as shown, null::text as kept_name, null::text as job_name) old cross join lateral
		(select id, schema_name, table_name, state, chunks, rows, starts, started_at, finished_at,
	coalesce(last_error, '') as last_error, version, fingerprint, job, staging_name, version_id, shown, kept_name, job_name from "loadgrid"."runs") r cross join lateral (select count(*) as n, coalesce(sum(rows), 0)::bigint as rows from "loadgrid"."chunks" where run_id = r.id) c where r.id = $1

-- name: prune
-- purpose: remove old runs, and by the foreign key their starts
-- from: loader/prune_runs.go, prune
delete from "loadgrid"."runs" r
		where state <> 'loading' and finished_at < now() - make_interval(secs => $1)
		  and ($3 = '' or schema_name = $2 and table_name = $3)
		  and (not shown and kept_name is null or shown and version_id <> id and rows_added = 0 and published_xid is null and imprint is not null
		       and exists (select from "loadgrid"."runs" n where n.shown and n.id > r.id and (n.schema_name, n.table_name, n.table_oid) = (r.schema_name, r.table_name, r.table_oid) and n.fingerprint = r.fingerprint)
		       and (not imprint ? 'rows' or exists (select from "loadgrid"."runs" n where n.shown and n.id > r.id and (n.schema_name, n.table_name, n.table_oid) = (r.schema_name, r.table_name, r.table_oid) and n.imprint ? 'rows'))
		       or state = 'published' and not exists (select from pg_class c where c.oid = r.table_oid)
		          and not exists (select from pg_class c join pg_namespace n on n.oid = c.relnamespace
		                          where n.nspname = r.schema_name and c.relname in (r.table_name, r.kept_name)))

-- name: documented last success
-- purpose: the last success of each job, and what went wrong after it, on people's dashboards
-- from: docs/scheduling.md, The ledger
select g.*, f.ended_at as last_failure, f.error as last_error
from (select coalesce(r.job_name, r.table_name) as job, r.schema_name, r.table_name,
             max(s.ended_at) filter (where s.outcome = 'published') as last_success
      from loadgrid.runs r join loadgrid.starts s on s.run_id = r.id
      group by 1, 2, 3) g
left join lateral (
      select s.ended_at, s.error
      from loadgrid.runs r join loadgrid.starts s on s.run_id = r.id
      where (coalesce(r.job_name, r.table_name), r.schema_name, r.table_name) = (g.job, g.schema_name, g.table_name)
        and s.outcome = 'failed' and (g.last_success is null or s.ended_at > g.last_success)
      order by s.ended_at desc limit 1) f on true
order by 1, 2, 3

-- name: documented nights
-- purpose: how the nights of the last month went, on people's dashboards
-- from: docs/scheduling.md, The ledger
select s.started_at, coalesce(r.job_name, r.table_name) as job, s.outcome, round(s.seconds::numeric, 1) as seconds, s.rows,
       round(s.rows / nullif((s.stages ->> 'load')::numeric, 0)) as rows_per_second, s.retries, s.sqlstate
from loadgrid.runs r
join loadgrid.starts s on s.run_id = r.id
where s.started_at > now() - interval '31 days'
order by s.started_at

-- name: documented at work
-- purpose: starts without an end, and the backend of each that is alive, on people's dashboards
-- from: docs/scheduling.md, The ledger
select r.id as run, r.schema_name, r.table_name, s.no as start, s.started_at, s.host, s.os_user,
       (select count(*) from loadgrid.chunks c where c.run_id = r.id) as committed, r.chunks, l.pid as backend
from loadgrid.runs r
join loadgrid.starts s on s.run_id = r.id
left join pg_locks l on l.locktype = 'advisory' and l.granted and l.objsubid = 1
     and l.database = (select oid from pg_database where datname = current_database())
     and l.classid::bigint << 32 | l.objid::bigint = ('x' || encode(substr(sha256(
           'loadgrid\000'::bytea || convert_to(r.schema_name, 'UTF8') || '\000'::bytea || convert_to(r.table_name, 'UTF8')), 1, 8), 'hex'))::bit(64)::bigint
where r.state = 'loading' and s.ended_at is null
order by s.started_at
