package precheck

import (
	"context"

	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/loadgrid/loadgrid/internal/catalog"
	"github.com/loadgrid/loadgrid/internal/citus"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/loader/job"
	"github.com/loadgrid/loadgrid/loader/ledger"
)

// ServerOf is Server on a connection of a pool.
func ServerOf(ctx context.Context, pool *pgxpool.Pool, j job.Job) (catalog.Relation, citus.Cluster, error) {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return catalog.Relation{}, citus.Cluster{}, pg.Wrap(err, "connecting")
	}
	defer conn.Release()

	return Server(ctx, conn.Conn(), j)
}

// MigrateToKnow migrates an existing ledger before the load reads what the table holds, either to add to the table
// or to keep its version: an older ledger does not know versions, or a restored table. To keep a version, it also
// creates a missing ledger, which adopts a table whose ledger was lost.
func MigrateToKnow(ctx context.Context, pool *pgxpool.Pool, q pg.Querier, t catalog.Relation, j job.Job, l ledger.Ledger) error {
	if t.OID == 0 || j.Keep == 0 && !j.Appends() {
		return nil
	}

	there, err := l.Exists(ctx, q)
	if err != nil || !there && j.Keep == 0 {
		return err
	}

	err = l.MigrateUp(ctx, pool)
	if pg.HasCode(err, pgerrcode.InsufficientPrivilege) {
		return nil // the checks of the table report what the role lacks there, and a later migration runs again
	}

	return err
}
