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
