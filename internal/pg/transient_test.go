package pg

import (
	"errors"
	"net"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
)

// Time mends what a server that is away, full or busy says, and nothing else.
func TestTransient(t *testing.T) {
	for code, want := range map[string]bool{
		"08000": true, "08001": true, "08003": true, "08004": true, "08006": true, "08007": true, "08P01": true,
		"57P01": true, "57P02": true, "57P03": true, "57P05": true, "25P03": true, "25P04": true,
		"53300": true, "55P03": true, "40001": true, "40P01": true,
		"57014": false, "57P04": false, "53100": false, "53200": false, "28P01": false, "42P07": false, "23505": false,
		"25006": false, "40002": false, "XX000": false,
	} {
		if got := IsTransient(Wrap(&pgconn.PgError{Code: code}, "trying")); got != want {
			t.Errorf("SQLSTATE %s: %v, want %v", code, got, want)
		}
	}

	if !IsTransient(&lostError{net.ErrClosed}) || !IsTransient(&StallError{}) || IsTransient(errors.New("else")) {
		t.Error("errors of the connection")
	}
}
