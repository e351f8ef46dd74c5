-- The ledger: which runs there are, and which of their chunks are committed.
-- Every statement may be run again, so that a migration which was killed in the
-- middle can be repeated.

create table if not exists runs (
    id            bigint generated always as identity primary key,
    schema_name   text not null,
    table_name    text not null,
    staging_name  text not null,
    job           jsonb not null,
    fingerprint   text not null,
    chunks        bigint not null check (chunks > 0),
    rows          bigint not null check (rows > 0),
    state         text not null default 'loading' check (state in ('loading', 'published', 'dropped')),
    table_oid     oid,
    starts        integer not null default 1,
    started_at    timestamptz not null default now(),
    finished_at   timestamptz,
    last_error    text,
    version       text not null
);

comment on table runs is 'loadgrid: executions of jobs';
comment on column runs.chunks is 'number of chunks, chosen by the first start and kept by those that resume';
comment on column runs.table_oid is 'the table that the run published';
comment on column runs.starts is 'how often the run was started, resumed or not';

-- One unfinished run a table: what a rerun resumes is never in doubt.
create unique index if not exists runs_loading_key on runs (schema_name, table_name) where state = 'loading';
create index if not exists runs_table_idx on runs (schema_name, table_name, id);

-- The row of a chunk is inserted before its COPY, in the same transaction: the
-- primary key keeps out a second attempt, also one that wakes up late.
create table if not exists chunks (
    run_id        bigint not null references runs (id) on delete cascade,
    chunk_no      bigint not null,
    first_id      bigint not null,
    last_id       bigint not null,
    rows          bigint not null,
    committed_at  timestamptz not null default now(),
    primary key (run_id, chunk_no)
);

comment on table chunks is 'loadgrid: committed chunks of runs';
