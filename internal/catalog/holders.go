package catalog

import (
	"context"

	"github.com/loadgrid/loadgrid/internal/pg"
)

const holdersSQL = WithTree + `
	select coalesce(string_agg(distinct format('backend %s (%s%s%s)', a.pid, coalesce(nullif(a.application_name, '') || ' of ', ''),
	                                           coalesce(a.usename::text, a.backend_type), coalesce(', ' || a.state, '')), ', '), '')
	from tables t join pg_locks l on l.relation = t.oid join pg_stat_activity a on a.pid = l.pid
	where l.locktype = 'relation' and l.granted and l.pid <> pg_backend_pid()
	  and l.database = (select oid from pg_database where datname = current_database())`

// Holders describes the other sessions that hold a lock on the table or one of its partitions, for people. It is
// best effort: they may just have released it.
func (t Relation) Holders(ctx context.Context, q pg.Querier) string {
	var holders string
	if err := t.Find(ctx, q); err == nil {
		err = q.QueryRow(ctx, holdersSQL, t.OID).Scan(&holders)
		if err == nil && holders != "" {
			return holders
		}
	}

	return "another session, which has since released it"
}
