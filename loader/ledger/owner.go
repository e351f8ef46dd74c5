package ledger

import (
	"context"
	"fmt"

	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/internal/trust"
)

// ForeignError reports a ledger that another role owns or can alter. A trigger or function of that role would run
// with the rights of the loading role.
type ForeignError struct {
	Schema string // of the ledger
	Role   string // the other role; public means all roles
	May    string // what that role is or can do, such as: owns table runs
	Cure   string
}

func (e *ForeignError) Error() string {
	return fmt.Sprintf("the ledger in schema %s is not safe to use: role %s %s, so that its code could run with the rights of this role", e.Schema, e.Role, e.May)
}

// CheckOwner returns a *ForeignError if a role could use the ledger to run code with the rights of the current
// role. It reads only the catalogue.
func (l Ledger) CheckOwner(ctx context.Context, q pg.Querier) error {
	stranger, found, err := trust.InSchema(ctx, q, l.Owner, l.Schema, TableNames())
	if err != nil || !found {
		return pg.Wrap(err, "looking up the owner of the ledger in schema %s", l.Schema)
	}

	e := &ForeignError{Schema: l.Schema, Role: stranger.Role, May: stranger.May, Cure: stranger.Cure}
	return &pg.ServerError{Doing: "checking the ledger", Err: e, Advice: e.advice()}
}

func (e *ForeignError) advice() string {
	advice := "choose another ledger-schema"
	if e.Cure != "" {
		advice = "run '" + e.Cure + "', or " + advice
	}
	if e.Role != "public" {
		advice = "if you trust that role, set ledger-owner to it; otherwise " + advice
	}

	return advice
}

// CheckWriters returns a *ForeignError if another role can write runs in the ledger. A run that is resumed by its
// number does what the ledger holds: it replaces the table and runs the hooks, all with the rights of the current
// role.
func (l Ledger) CheckWriters(ctx context.Context, q pg.Querier) error {
	stranger, found, err := trust.Writing(ctx, q, l.Owner, l.RunsTable)
	if err != nil || !found {
		return pg.Wrap(err, "looking up the roles that can write to the ledger in schema %s", l.Schema)
	}

	e := &ForeignError{Schema: l.Schema, Role: stranger.Role, May: "may write the job of a run", Cure: stranger.Cure}
	return &pg.ServerError{Doing: "checking the ledger", Err: e, Advice: "repeat the command that began the run; or " + e.advice()}
}

// TableNames returns the names of all tables and views that a ledger has or had.
func TableNames() []string {
	return []string{"runs", "chunks", "attempts", "starts", "identity", "marks", "shared_attempts", "run_features", "held_tables", "schema_migrations"}
}
