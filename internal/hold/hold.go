// Package hold owns tables that are on hold, with who put them there and why. No load starts on such a table.
package hold

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/loadgrid/loadgrid/internal/catalog"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/internal/precheck"
	"github.com/loadgrid/loadgrid/internal/tablelock"
	"github.com/loadgrid/loadgrid/loader/job"
	"github.com/loadgrid/loadgrid/loader/ledger"
)

// Hold is a table that is on hold.
type Hold struct {
	Table   job.Table `json:"table"`            // with its schema
	Reason  string    `json:"reason,omitempty"` // as given by the person who put it on hold
	Since   time.Time `json:"since"`            // by the server's clock
	Role    string    `json:"role"`
	Address string    `json:"address,omitempty"` // of the client, empty for a socket on the server
	Host    string    `json:"host,omitempty"`    // the client's own name for its machine
	OSUser  string    `json:"os_user,omitempty"`
}

// By says who put the table on hold: ROLE (USER)@HOST.
func (h Hold) By() string {
	return ledger.Attempt{Role: h.Role, Address: h.Address, Host: h.Host, OSUser: h.OSUser}.StartedBy()
}

// Error reports a table that is on hold: nothing was loaded.
type Error struct{ Hold Hold }

func (e *Error) Error() string {
	text := fmt.Sprintf("table %s is on hold (since %s, by %s)", e.Hold.Table, e.Hold.Since.Format(time.RFC3339), e.Hold.By())
	if e.Hold.Reason != "" {
		text += ": " + e.Hold.Reason
	}

	return text
}

// NotHeldError reports a table that is not on hold.
type NotHeldError struct{ Table job.Table }

func (e *NotHeldError) Error() string { return fmt.Sprintf("table %s is not on hold", e.Table) }

// Placed is the result of Put.
type Placed struct {
	Hold
	Before  bool   // the table was already on hold, and keeps its earlier reason
	Running string // who holds the table's lock and is still loading it, empty for nobody
	Unknown bool   // the table does not exist, and the ledger has no run for it
}

const putSQL = `
	insert into {held} (schema_name, table_name, reason, host, os_user)
	values ($1, $2, nullif($3, ''), nullif($4, ''), nullif($5, '')) on conflict do nothing`

// Put puts a table on hold, and creates the ledger if it is missing. A load that checks for a hold later
// does not start. One that checked earlier already holds the table's lock, and Running names it.
func Put(ctx context.Context, pool *pgxpool.Pool, l ledger.Ledger, t job.Table, reason string) (p Placed, err error) {
	if err := l.MigrateUp(ctx, pool); err != nil {
		return p, err
	}

	err = onTable(ctx, pool, t, func(conn *pgxpool.Conn, t job.Table) error {
		host, _ := os.Hostname()
		login := ""
		if u, err := user.Current(); err == nil {
			login = u.Username
		}

		done, err := conn.Exec(ctx, l.SQL(putSQL), t.Schema, t.Name, pg.CleanText(reason), pg.CleanText(host), pg.CleanText(login))
		if err != nil {
			return pg.Wrap(err, "putting table %s on hold", t)
		}

		var found bool
		if p.Hold, found, err = find(ctx, conn, l, t); err == nil && !found {
			err = fmt.Errorf("table %s was released at the same time", t)
		}
		if err != nil {
			return err
		}

		p.Before = done.RowsAffected() == 0
		if p.Unknown, err = unknown(ctx, conn, l, t); err != nil {
			return err
		}

		// Only now, because a load takes the lock before it checks whether the table is on hold.
		holders, err := tablelock.Holders(ctx, conn, []job.Table{t})
		p.Running = holders[t].Text

		return err
	})

	return p, err
}

// onTable calls do with the table, after looking up its schema.
func onTable(ctx context.Context, pool *pgxpool.Pool, t job.Table, do func(*pgxpool.Conn, job.Table) error) error {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return pg.Wrap(err, "connecting")
	}
	defer conn.Release()

	found, err := precheck.FindSchemas(ctx, conn.Conn(), t)
	if err != nil {
		return err
	}

	return do(conn, found.Table)
}

// unknown reports whether neither the database nor the ledger has a table of this name.
func unknown(ctx context.Context, q pg.Querier, l ledger.Ledger, t job.Table) (bool, error) {
	if there, err := catalog.Exists(ctx, q, t.Schema, t.Name); err != nil || there {
		return false, err
	}

	var known bool
	err := q.QueryRow(ctx, l.SQL("select exists (select from {runs} where schema_name = $1 and table_name = $2)"), t.Schema, t.Name).Scan(&known)

	return !known, pg.Wrap(err, "asking the ledger in schema %s for runs of table %s", l.Schema, t)
}

const releaseSQL = `
	delete from {held} where schema_name = $1 and table_name = $2
	returning coalesce(reason, ''), held_at, role, coalesce(host(address), ''), coalesce(host, ''), coalesce(os_user, '')`

// Release allows loads of a table again, and returns the hold that it had. The error is a *NotHeldError if the table
// is not on hold, and a *ledger.NoLedgerError if there is no ledger.
func Release(ctx context.Context, pool *pgxpool.Pool, l ledger.Ledger, t job.Table) (h Hold, err error) {
	err = onTable(ctx, pool, t, func(conn *pgxpool.Conn, t job.Table) error {
		there, err := l.Exists(ctx, conn)
		if err == nil && !there {
			err = &ledger.NoLedgerError{Schema: l.Schema, Database: pool.Config().ConnConfig.Database}
		}
		if err != nil {
			return err
		}

		a, err := accessTo(ctx, conn, l)
		if err == nil {
			err = a.refused(l)
		}
		if err != nil {
			return err
		}
		if !a.readable {
			return &NotHeldError{t}
		}

		h.Table = t
		err = conn.QueryRow(ctx, l.SQL(releaseSQL), t.Schema, t.Name).Scan(&h.Reason, &h.Since, &h.Role, &h.Address, &h.Host, &h.OSUser)
		if errors.Is(err, pgx.ErrNoRows) {
			return &NotHeldError{t}
		}

		return pg.Wrap(err, "releasing table %s", t)
	})

	return h, err
}

// access is what a role may do with the ledger's table of holds.
type access struct {
	exists   bool // the table exists, in a ledger that the role may use
	readable bool // the role may read it
	loads    bool // the role may begin a run
}

// refused returns the error of a role that cannot see holds, or nil.
func (a access) refused(l ledger.Ledger) error {
	if !a.exists || a.readable {
		return nil
	}

	table := l.SQL("{held}")
	return &pg.ServerError{Doing: "asking the ledger in schema " + l.Schema + " which tables are on hold", Err: errors.New("the role may not read " + table),
		Advice: "run 'grant select on " + table + " to ROLE' as its owner; if the whole ledger belongs to another role, see docs/security.md"}
}

// accessTo returns what the role may do. The migration grants the table of holds to all roles that could read the runs. If a role
// may not use the ledger, its next statement fails and says so.
func accessTo(ctx context.Context, q pg.Querier, l ledger.Ledger) (a access, err error) {
	if err := l.CheckOwner(ctx, q); err != nil {
		return a, err
	}

	err = q.QueryRow(ctx, `select count(*) > 0, coalesce(bool_or(has_table_privilege(c.oid, 'SELECT')), false), coalesce(bool_or(has_table_privilege(r.oid, 'INSERT')), false)
		from pg_class c join pg_namespace n on n.oid = c.relnamespace left join pg_class r on r.relnamespace = n.oid and r.relname = 'runs'
		where n.nspname = $1 and c.relname = 'held_tables' and c.relkind = 'r' and has_schema_privilege(n.oid, 'USAGE')`, l.Schema).
		Scan(&a.exists, &a.readable, &a.loads)

	return a, pg.Wrap(err, "looking for the ledger in schema %s", l.Schema)
}

const listSQL = `
	select schema_name, table_name, coalesce(reason, ''), held_at, role, coalesce(host(address), ''), coalesce(host, ''), coalesce(os_user, '')
	from {held} where ($1 = '' or schema_name = $1) and ($2 = '' or table_name = $2) order by 1, 2`

// List returns the tables that are on hold, ordered by name: all of them, or those with one name, in one schema or in
// any. It returns none if there is no ledger, or if the role may not read them.
func List(ctx context.Context, q pg.Querier, l ledger.Ledger, t job.Table) ([]Hold, error) {
	if a, err := accessTo(ctx, q, l); err != nil || !a.readable {
		return nil, err
	}

	return read(ctx, q, l, t)
}

// read returns the holds of a ledger that the role may read: see List.
func read(ctx context.Context, q pg.Querier, l ledger.Ledger, t job.Table) ([]Hold, error) {
	rows, err := q.Query(ctx, l.SQL(listSQL), t.Schema, t.Name)
	if err != nil {
		return nil, pg.Wrap(err, "asking the ledger in schema %s which tables are on hold", l.Schema)
	}

	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (h Hold, err error) {
		err = row.Scan(&h.Table.Schema, &h.Table.Name, &h.Reason, &h.Since, &h.Role, &h.Address, &h.Host, &h.OSUser)
		return h, err
	})

	return list, pg.Wrap(err, "asking the ledger in schema %s which tables are on hold", l.Schema)
}

// find returns the hold on a table with a schema.
func find(ctx context.Context, q pg.Querier, l ledger.Ledger, t job.Table) (h Hold, found bool, err error) {
	list, err := List(ctx, q, l, t)
	if err != nil || len(list) == 0 {
		return h, false, err
	}

	return list[0], true, nil
}

// Check returns an *Error for a table that is on hold, and a *pg.ServerError for a role that cannot see holds: a load must not
// pass over a hold in silence. The caller must hold the table's lock: see Put.
func Check(ctx context.Context, q pg.Querier, l ledger.Ledger, t job.Table) error {
	a, err := accessTo(ctx, q, l)
	if err == nil && a.loads { // otherwise the load fails by itself, with all privileges that it lacks
		err = a.refused(l)
	}
	if err != nil || !a.readable {
		return err
	}

	list, err := read(ctx, q, l, t)
	if err == nil && len(list) > 0 {
		err = &Error{list[0]}
	}

	return err
}
