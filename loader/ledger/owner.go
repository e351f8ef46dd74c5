package ledger

import (
	"context"
	"fmt"

	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/internal/trust"
)

// ForeignError reports a ledger that another role owns or may alter. A trigger or a function
// that this role puts there runs with the rights of the role that loads.
type ForeignError struct {
	Schema string // the ledger's
	Role   string // the other role, public for all of them
	May    string // what that role is or may, such as: owns table runs
	Cure   string
}

func (e *ForeignError) Error() string {
	return fmt.Sprintf("the ledger in schema %s is not safe to use: role %s %s, so that its code could run with the rights of this role", e.Schema, e.Role, e.May)
}

// CheckOwner returns a *ForeignError for a ledger that a role could use to run code with the
// rights of this one. It reads the catalogue alone.
func (l Ledger) CheckOwner(ctx context.Context, q pg.Querier) error {
	stranger, found, err := trust.InSchema(ctx, q, l.Owner, l.Schema, TableNames())
	if err != nil || !found {
		return pg.Wrap(err, "looking up who owns the ledger in schema %s", l.Schema)
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
		advice = "if you trust that role, name it as ledger-owner; else " + advice
	}

	return advice
}

// CheckWriters returns a *ForeignError for a ledger whose runs another role may write. Where a
// run is resumed by its number, what the ledger has is done: its table is replaced, and its
// steps before and after run, with the rights of this role.
func (l Ledger) CheckWriters(ctx context.Context, q pg.Querier) error {
	stranger, found, err := trust.Writing(ctx, q, l.Owner, l.RunsTable)
	if err != nil || !found {
		return pg.Wrap(err, "looking up who may write the ledger in schema %s", l.Schema)
	}

	e := &ForeignError{Schema: l.Schema, Role: stranger.Role, May: "may write the job of a run", Cure: stranger.Cure}
	return &pg.ServerError{Doing: "checking the ledger", Err: e, Advice: "give the command that began the run again; or " + e.advice()}
}

// TableNames are the names of all tables and views that a ledger has or had.
func TableNames() []string {
	return []string{"runs", "chunks", "attempts", "starts", "identity", "marks", "shared_attempts", "run_features", "held_tables", "schema_migrations"}
}
