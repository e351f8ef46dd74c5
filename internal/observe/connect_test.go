package observe

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/loadgrid/loadgrid/internal/pg"
)

func TestConnect(t *testing.T) {
	refused := &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}

	for name, test := range map[string]struct {
		err   error
		tries int // until it succeeds
	}{
		"starting":                  {&pgconn.PgError{Code: pgerrcode.CannotConnectNow}, 3},
		"stopped":                   {&pgconn.PgError{Code: pgerrcode.AdminShutdown}, 3},
		"no room":                   {&pgconn.PgError{Code: pgerrcode.TooManyConnections}, 3},
		"broken before it is ready": {fmt.Errorf("failed to receive message: %w", io.ErrUnexpectedEOF), 3},
		"reset":                     {&net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", errReset)}, 3},
		"wrong password":            {&pgconn.PgError{Code: pgerrcode.InvalidPassword}, 1},
		"nobody there":              {refused, 1},
		"no such host":              {&net.DNSError{Name: "nohost", IsNotFound: true}, 1},
		"no answer":                 {context.DeadlineExceeded, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tries := 0

				err := New(nil, nil, nil).Connect(t.Context(), func() error {
					if tries++; tries == 3 {
						return nil
					}

					return pg.Wrap(test.err, "connecting")
				})
				if tries != test.tries || (err == nil) != (tries == 3) {
					t.Errorf("%d tries, want %d: %v", tries, test.tries, err)
				}
			})
		})
	}
}
