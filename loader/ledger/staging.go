package ledger

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/loadgrid/loadgrid/internal/catalog"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/internal/trust"
)

// CheckStaging refuses a run whose staging table has a name that no run uses. Otherwise, a role that can write to
// the ledger could have another table dropped or filled.
func (r RunInfo) CheckStaging() error {
	if catalog.IsStaging(r.Staging) {
		return nil
	}

	return &pg.ServerError{Doing: "checking the ledger", Err: fmt.Errorf("run %d has the staging table %s, whose name no run creates: somebody changed the ledger", r.ID, r.Staging),
		Advice: "delete the run from the ledger's table runs"}
}

// LockStaging locks a staging table until the end of the transaction: in mode access share to read it, or row
// exclusive to fill it. It ensures that it is the table that the run created. The owner of its schema could put
// another table under its name, and a role that can add triggers, perhaps through default privileges, could add
// code.
func (l Ledger) LockStaging(ctx context.Context, tx pgx.Tx, t catalog.Relation, mode string) error {
	if _, err := tx.Exec(ctx, "lock table only "+t.SQL()+" in "+mode+" mode"); err != nil {
		return pg.Wrap(err, "locking staging table %s", t.Table)
	}

	now := t
	if err := now.Find(ctx, tx); err != nil {
		return err
	}

	what := "another table has its name"
	if now.OID == t.OID {
		var err error
		if what, err = trust.AtTable(ctx, tx, l.Owner, t.OID); err != nil {
			return pg.Wrap(err, "looking up the owner of staging table %s", t.Table)
		}
	}

	if what == "" {
		return nil
	}

	return &pg.ServerError{Doing: "checking staging table " + t.String(),
		Err:    fmt.Errorf("somebody has changed it, and their code could run with the rights of this role: %s", what),
		Advice: "drop the run, and revoke what lets others own the table's schema or create triggers there"}
}
