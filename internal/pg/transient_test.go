package pg

import (
	"errors"
	"net"
	"testing"

	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5/pgconn"
)

// Errors of a server that is away, full or busy are transient, and no others.
func TestTransient(t *testing.T) {
	for code, want := range map[string]bool{
		pgerrcode.ConnectionException:                           true,
		pgerrcode.SQLClientUnableToEstablishSQLConnection:       true,
		pgerrcode.ConnectionDoesNotExist:                        true,
		pgerrcode.SQLServerRejectedEstablishmentOfSQLConnection: true,
		pgerrcode.ConnectionFailure:                             true,
		pgerrcode.TransactionResolutionUnknown:                  true,
		pgerrcode.ProtocolViolation:                             true,
		pgerrcode.AdminShutdown:                                 true,
		pgerrcode.CrashShutdown:                                 true,
		pgerrcode.CannotConnectNow:                              true,
		pgerrcode.IdleSessionTimeout:                            true,
		pgerrcode.IdleInTransactionSessionTimeout:               true,
		TransactionTimeout:                                      true,
		pgerrcode.TooManyConnections:                            true,
		pgerrcode.LockNotAvailable:                              true,
		pgerrcode.SerializationFailure:                          true,
		pgerrcode.DeadlockDetected:                              true,

		pgerrcode.QueryCanceled:                           false,
		pgerrcode.DatabaseDropped:                         false,
		pgerrcode.DiskFull:                                false,
		pgerrcode.OutOfMemory:                             false,
		pgerrcode.InvalidPassword:                         false,
		pgerrcode.DuplicateTable:                          false,
		pgerrcode.UniqueViolation:                         false,
		pgerrcode.ReadOnlySQLTransaction:                  false,
		pgerrcode.TransactionIntegrityConstraintViolation: false,
		pgerrcode.InternalError:                           false,
	} {
		if got := IsTransient(Wrap(&pgconn.PgError{Code: code}, "trying")); got != want {
			t.Errorf("SQLSTATE %s: %v, want %v", code, got, want)
		}
	}

	// Citus, when a node is lost during a commit; and PostGIS, which has no code of its own either.
	for file, want := range map[string]bool{"remote_transaction.c": true, "remote_commands.c": true, "multi_copy.c": true, "lwgeom_pg.c": false, "fd.c": false} {
		for _, code := range []string{pgerrcode.InternalError, pgerrcode.IOError} {
			if got := IsTransient(Wrap(&pgconn.PgError{Code: code, File: file}, "committing")); got != want {
				t.Errorf("SQLSTATE %s of %s: %v, want %v", code, file, got, want)
			}
		}
	}

	if IsTransient(&pgconn.PgError{Code: pgerrcode.UniqueViolation, File: "multi_copy.c"}) {
		t.Error("a code of its own")
	}

	if !IsTransient(&lostError{net.ErrClosed}) || !IsTransient(&StallError{}) || IsTransient(errors.New("else")) {
		t.Error("errors of the connection")
	}
}
