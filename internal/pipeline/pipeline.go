// Package pipeline sends separate statements in one round trip to the server.
package pipeline

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Exec executes statements without parameters, in order. Each is a separate message, and all of
// them are sent before the server answers the first one. They take no more network time than a
// single text with semicolons. Such a text would be an error if the server passes it on unchanged,
// as Citus does with DDL.
//
// The error is the error of the first statement that fails. The server skips the rest, and the
// transaction can only be rolled back.
func Exec(ctx context.Context, tx pgx.Tx, statements ...string) error {
	switch len(statements) {
	case 0:
		return nil
	case 1:
		_, err := tx.Exec(ctx, statements[0])
		return err
	}

	var batch pgconn.Batch
	for _, sql := range statements {
		batch.ExecParams(sql, nil, nil, nil, nil)
	}

	return tx.Conn().PgConn().ExecBatch(ctx, &batch).Close()
}
