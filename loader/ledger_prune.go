package loader

import (
	"context"
	"time"

	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/loader/job"
)

// prune removes runs of a table, or of all where that has no name.
func (l ledger) prune(ctx context.Context, q pg.Querier, t job.Table, age time.Duration) (int64, error) {
	tag, err := q.Exec(ctx, "delete from "+l.runs+` r
		where state <> 'loading' and finished_at < now() - make_interval(secs => $1)
		  and ($3 = '' or schema_name = $2 and table_name = $3)
		  and (not shown and kept_name is null or `+l.addedNothing()+`
		       or state = 'published' and not exists (select from pg_class c where c.oid = r.table_oid)
		          and not exists (select from pg_class c join pg_namespace n on n.oid = c.relnamespace
		                          where n.nspname = r.schema_name and c.relname in (r.table_name, r.kept_name)))`,
		age.Seconds(), t.Schema, t.Name)
	return tag.RowsAffected(), pg.Wrap(err, "removing old runs from the ledger in schema %s", l.schema)
}

// addedNothing is SQL for whether a run, r, that the table shows has given it no row,
// and nobody will ask for it: a newer one is of the same job, and, where this one has
// noted how many rows there were, has noted it anew. A job that finds its cells there
// each night would fill the ledger with such runs.
func (l ledger) addedNothing() string {
	newer := "select from " + l.runs + " n where n.shown and n.id > r.id and (n.schema_name, n.table_name, n.table_oid) = (r.schema_name, r.table_name, r.table_oid)"
	return `shown and version_id <> id and rows_added = 0 and published_xid is null and imprint is not null
		       and exists (` + newer + ` and n.fingerprint = r.fingerprint)
		       and (not imprint ? 'rows' or exists (` + newer + ` and n.imprint ? 'rows'))`
}
