package serverfacts

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"net"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
)

// The limits of the measurement of a link.
const (
	maxTrips      = 15
	maxTripsTime  = 2 * time.Second
	firstUpload   = 16 << 10 // bytes
	largestUpload = 1 << 20
	maxUploaded   = 8 << 20 // bytes in all
	maxUploadTime = 2 * time.Second
)

// measureLink measures round trips and the upload. The upload is a statement parameter, which is all that
// a read-only transaction can send.
func (r *reader) measureLink(ctx context.Context, tx pgx.Tx) error {
	l := &r.facts.Link
	l.Local, l.Encrypted = describeConn(tx.Conn().PgConn().Conn())

	var err error
	if l.Latency, l.Trips, err = roundTrips(ctx, tx); err != nil {
		return err
	}

	if l.NotSent = r.facts.Settings.logsParameters(); l.NotSent != "" {
		return nil
	}

	l.UploadBytes, l.UploadTook, err = upload(ctx, tx, l.Latency)

	return err
}

// describeConn reports whether a connection stays on this machine, and whether it is encrypted.
func describeConn(conn net.Conn) (local, encrypted bool) {
	_, encrypted = conn.(*tls.Conn)

	address, tcp := conn.RemoteAddr().(*net.TCPAddr)

	return !tcp || address.IP.IsLoopback(), encrypted
}

// roundTrips returns the median of some round trips, and their number.
func roundTrips(ctx context.Context, tx pgx.Tx) (median time.Duration, n int, err error) {
	var took []time.Duration

	for began := time.Now(); len(took) < maxTrips && time.Since(began) < maxTripsTime; {
		start := time.Now()
		if _, err := tx.Exec(ctx, "select 1"); err != nil {
			return 0, 0, err
		}
		took = append(took, time.Since(start))
	}

	slices.Sort(took)

	return took[len(took)/2], len(took), nil
}

// upload sends increasing numbers of bytes, which the server counts and discards. It returns the largest size
// that it sent, and the shortest time for it, without the latency: a busy machine makes a time longer, but the
// link does not. The bytes are random, so that they cannot be compressed on the way.
func upload(ctx context.Context, tx pgx.Tx, latency time.Duration) (size int64, took time.Duration, err error) {
	payload := make([]byte, largestUpload)
	_, _ = rand.Read(payload) // it never fails

	began, sent := time.Now(), int64(0)
	for next := int64(firstUpload); ; next = min(4*next, largestUpload) {
		start := time.Now()
		if err := send(ctx, tx, payload[:next]); err != nil {
			return 0, 0, err
		}

		// On a fast link the answer may come sooner than the median.
		now := max(time.Since(start)-latency, time.Microsecond)
		if next > size || now < took {
			size, took = next, now
		}
		sent += next

		following := min(4*next, largestUpload)
		if sent+following > maxUploaded || now*time.Duration(following/next) > maxUploadTime-time.Since(began) {
			return size, took, nil
		}
	}
}

// send sends bytes as a parameter.
func send(ctx context.Context, tx pgx.Tx, payload []byte) error {
	return tx.Conn().PgConn().ExecParams(ctx, "select pg_catalog.octet_length($1)", [][]byte{payload},
		[]uint32{pgtype.ByteaOID}, []int16{pgx.BinaryFormatCode}, nil).Read().Err
}

// logsParameters says why the server would log the values of parameters, or returns "" if it would not.
// Megabytes of data do not belong in the log.
func (s Settings) logsParameters() string {
	if s["log_parameter_max_length"].Value == "0" {
		return ""
	}

	// A statement that counts bytes takes less time than this.
	const quick = 1000 // milliseconds

	logs := func(name string) bool {
		limit, known := s[name]
		return known && limit.Number() >= 0 && limit.Number() < quick
	}

	switch {
	case s["log_statement"].Value == "all":
		return "log_statement is all"
	case logs("log_min_duration_statement"):
		return "log_min_duration_statement is " + s["log_min_duration_statement"].Shown
	case logs("log_min_duration_sample"):
		return "log_min_duration_sample is " + s["log_min_duration_sample"].Shown
	case s["pgaudit.log_parameter"].Value == "on":
		return "pgaudit.log_parameter is on"
	case logs("auto_explain.log_min_duration"):
		return "auto_explain.log_min_duration is " + s["auto_explain.log_min_duration"].Shown
	}

	return ""
}
