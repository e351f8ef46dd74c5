package ledger

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/loadgrid/loadgrid/internal/catalog"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/internal/trust"
)

// CheckStaging refuses a run whose staging table has a name that no run gives: who may write
// the ledger could have another table dropped or filled.
func (r RunInfo) CheckStaging() error {
	if catalog.IsStaging(r.Staging) {
		return nil
	}

	return &pg.ServerError{Doing: "checking the ledger", Err: fmt.Errorf("run %d has the staging table %s, which no run has made: somebody has written that", r.ID, r.Staging),
		Advice: "delete the run from the ledger's table runs"}
}

// LockStaging locks a staging table until the end of the transaction, in mode access share to
// read it or row exclusive to fill it, and sees to it that it is the one that the run has
// made. Who owns its schema can put another one under its name, and who may give it triggers,
// as default privileges may say, code of theirs.
func (l Ledger) LockStaging(ctx context.Context, tx pgx.Tx, t catalog.Relation, mode string) error {
	if _, err := tx.Exec(ctx, "lock table only "+t.SQL()+" in "+mode+" mode"); err != nil {
		return pg.Wrap(err, "locking staging table %s", t.Table)
	}

	now := t
	if err := now.Find(ctx, tx); err != nil {
		return err
	}

	what := "another one has its name"
	if now.OID == t.OID {
		var err error
		if what, err = trust.AtTable(ctx, tx, l.Owner, t.OID); err != nil {
			return pg.Wrap(err, "looking up who owns staging table %s", t.Table)
		}
	}

	if what == "" {
		return nil
	}

	return &pg.ServerError{Doing: "checking staging table " + t.String(),
		Err:    fmt.Errorf("somebody has changed it, whose code could run with the rights of this role: %s", what),
		Advice: "drop the run, and revoke what lets others own the table's schema or make triggers there"}
}
