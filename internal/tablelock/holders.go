package tablelock

import (
	"cmp"
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/loader/job"
)

const holdersSQL = `
	select l.classid::bigint << 32 | l.objid::bigint, l.pid, coalesce(a.application_name, ''), coalesce(a.client_addr::text, 'this server'),
	       coalesce((select max(c.objid::bigint) from pg_locks c
	                 where c.pid = l.pid and c.locktype = 'advisory' and c.objsubid = 2 and c.mode = 'ShareLock' and c.classid::bigint = $2), 0)
	from pg_locks l left join pg_stat_activity a on a.pid = l.pid
	where l.locktype = 'advisory' and l.granted and l.objsubid = 1
	  and l.database = (select oid from pg_database where datname = current_database())
	  and (l.classid::bigint << 32 | l.objid::bigint) = any($1)`

// Holder describes who holds a table.
type Holder struct {
	Text string // as in a *LockedError
	Gone bool   // its process was killed, and the server still runs its last statement
}

// Holders returns the holders of those tables that are held. It takes no lock.
func Holders(ctx context.Context, q pg.Querier, tables []job.Table) (map[job.Table]Holder, error) {
	keys, byKey := make([]int64, len(tables)), make(map[int64]job.Table)
	for i, t := range tables {
		keys[i] = keyOf(t)
		byKey[keys[i]] = t
	}

	space := thisClient().space
	rows, err := q.Query(ctx, holdersSQL, keys, int64(space))
	if err != nil {
		return nil, pg.Wrap(err, "asking the server who holds which table")
	}

	held := make(map[job.Table]Holder)
	var key, pid, process int64
	var app, host string
	_, err = pgx.ForEachRow(rows, []any{&key, &pid, &app, &host, &process}, func() error {
		by := client{}
		if process != 0 {
			by = client{space: space, process: uint32(process)}
		}

		held[byKey[key]] = Holder{Text: describe(pid, app, host), Gone: by.state() == clientGone}

		return nil
	})

	return held, pg.Wrap(err, "asking the server who holds which table")
}

const tryAllSQL = `
	select k from unnest($1::bigint[]) k where not pg_try_advisory_xact_lock(k)`

// TryAll takes the locks of tables until the end of the transaction, so that no run begins on any
// of them. If a run holds one of them, the error is a *LockedError.
func TryAll(ctx context.Context, tx pgx.Tx, tables []job.Table) error {
	keys, byKey := make([]int64, len(tables)), make(map[int64]job.Table)
	for i, t := range tables {
		keys[i] = keyOf(t)
		byKey[keys[i]] = t
	}

	rows, err := tx.Query(ctx, tryAllSQL, keys)
	if err != nil {
		return pg.Wrap(err, "locking %d tables", len(tables))
	}

	held, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return pg.Wrap(err, "locking %d tables", len(tables))
	}

	if len(held) == 0 {
		return nil
	}

	t := byKey[held[0]]
	holders, err := Holders(ctx, tx, []job.Table{t})
	if err != nil {
		return err
	}

	return &LockedError{Table: t, Holder: cmp.Or(holders[t].Text, "it has just ended")}
}
