package catalog

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/loadgrid/loadgrid/internal/pg"
)

const copyKeyCommentSQL = `
	select coalesce((select format('comment on constraint %I on %I.%I is %L', n.conname, $3::text, $4::text, obj_description(o.oid, 'pg_constraint'))
	                 from pg_constraint o, pg_constraint n where o.conrelid = $1 and n.conrelid = $2 and o.contype = 'p' and n.contype = 'p'), '')`

// CopyKeyComment gives the primary key of a table the comment of another one: LIKE copies the comment only to the
// index.
func CopyKeyComment(ctx context.Context, tx pgx.Tx, from, to Relation) error {
	var comment string
	err := tx.QueryRow(ctx, copyKeyCommentSQL, from.OID, to.OID, to.Schema, to.Name).Scan(&comment)
	if err == nil {
		_, err = tx.Exec(ctx, comment)
	}

	return pg.Wrap(err, "giving the primary key of table %s the comment of %s", to, from)
}
