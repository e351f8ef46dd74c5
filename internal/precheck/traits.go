package precheck

import (
	"context"

	"github.com/loadgrid/loadgrid/internal/citus"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/loader/plan"
)

// traitsSQL looks for the sort support of GiST, which is function 11 of an operator class.
const traitsSQL = `
	select exists (
	           select from pg_catalog.pg_opclass c
	           join pg_catalog.pg_am m on m.oid operator(pg_catalog.=) c.opcmethod
	           join pg_catalog.pg_type t on t.oid operator(pg_catalog.=) c.opcintype
	           join pg_catalog.pg_amproc p on p.amprocfamily operator(pg_catalog.=) c.opcfamily
	           where m.amname operator(pg_catalog.=) 'gist' and c.opcdefault
	             and t.typname operator(pg_catalog.=) 'geometry' and p.amprocnum operator(pg_catalog.=) 11),
	       pg_catalog.current_setting('server_version_num')::pg_catalog.int4 operator(pg_catalog.>=) 140000`

// Traits asks a server for what the estimates of a plan depend on.
func Traits(ctx context.Context, q pg.Querier) (s plan.Server, err error) {
	if err := q.QueryRow(ctx, traitsSQL).Scan(&s.SortsGiST, &s.MarksCopied); err != nil {
		return s, pg.Wrap(err, "asking the server how it builds indexes")
	}

	cluster, err := citus.Read(ctx, q)
	s.Nodes = cluster.Workers

	return s, err
}
