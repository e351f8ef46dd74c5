// Package pipeline sends statements one by one, in one round trip to the server.
package pipeline

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Exec executes statements without parameters, in their order. Each is a message of its own,
// and all of them are sent before the server's first answer is awaited: a network costs as
// little time as it would if they were one text with semicolons. Such a text is an error where
// the server passes it on as it is, as Citus does with DDL.
//
// The error is that of the first statement that fails. The server skips the others, and the
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
