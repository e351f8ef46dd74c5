package pg

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"

	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/loadgrid/loadgrid/internal/sqltext"
)

// ServerError reports trouble with the server: what was tried, what the server
// said with its SQLSTATE, and what to do about it where that is known.
type ServerError struct {
	Doing  string
	Err    error
	Advice string // may be empty
}

func (e *ServerError) Error() string {
	s := e.Doing + ": " + Message(e.Err)
	if e.Advice != "" {
		s += ": " + e.Advice
	}
	return s
}

func (e *ServerError) Unwrap() error { return e.Err }

// Wrap wraps err with what was being done. Errors that say it already,
// and nil, are returned as they are.
func Wrap(err error, doing string, args ...any) error {
	var known *ServerError
	if err == nil || errors.As(err, &known) {
		return err
	}
	return &ServerError{Doing: fmt.Sprintf(doing, args...), Err: err, Advice: advice(err)}
}

// messenger is an error that has words of its own for an error of the server in it,
// and says what to do about it.
type messenger interface {
	error
	ServerMessage() string
}

// Message returns the server's words in one line.
func Message(err error) string {
	var own messenger
	if errors.As(err, &own) {
		return sqltext.OneLine(own.ServerMessage())
	}

	var pgErr *pgconn.PgError
	if errors.As(err, &pgErr) {
		s := fmt.Sprintf("%s (SQLSTATE %s)", pgErr.Message, pgErr.Code)
		if pgErr.Detail != "" {
			s += ", " + pgErr.Detail
		}

		return sqltext.OneLine(s)
	}

	var connectErr *pgconn.ConnectError
	if errors.As(err, &connectErr) {
		return attempts(connectErr.Unwrap())
	}

	return sqltext.OneLine(err.Error())
}

// attempts returns what became of the attempts to connect, each outcome once:
// an address may be tried with TLS and without.
func attempts(err error) string {
	var list []string
	all := []error{err}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		all = joined.Unwrap()
	}

	for _, e := range all {
		if s := sqltext.OneLine(e.Error()); !slices.Contains(list, s) {
			list = append(list, s)
		}
	}

	return strings.Join(list, ", ")
}

// advice says what to do about an error of the server or of the way to it.
func advice(err error) string {
	var pgErr *pgconn.PgError
	if !errors.As(err, &pgErr) {
		switch {
		case errors.Is(err, context.Canceled):
			return ""
		case isCertificate(err):
			return "check sslrootcert, and that the host in the DSN is among the certificate's names"
		case isNetwork(err) || errors.Is(err, context.DeadlineExceeded):
			return "check host and port, that the server runs, and that it lets this machine in"
		}

		return ""
	}

	if pgErr.Code == pgerrcode.QueryCanceled && errors.As(err, new(messenger)) {
		return "" // its own message says it
	}

	switch pgErr.Code {
	case pgerrcode.InvalidPassword, pgerrcode.InvalidAuthorizationSpecification:
		return "check user and password (the DSN, PGUSER, PGPASSWORD, the password file) and the server's pg_hba.conf"
	case pgerrcode.InvalidCatalogName:
		return "create the database, or name another one in the DSN or PGDATABASE"
	case pgerrcode.InsufficientPrivilege:
		return "ask for the privilege, or connect as a role that has it"
	case pgerrcode.ReadOnlySQLTransaction:
		return "this server or session is read-only: connect to the primary, with default_transaction_read_only off"
	case pgerrcode.QueryCanceled:
		return "somebody cancelled it, or a time limit of the server did"
	case pgerrcode.DependentObjectsStillExist:
		return "something depends on the table: drop it before, and make it again after"
	case pgerrcode.DiskFull:
		return "make room on the server's disk"
	case pgerrcode.ConfigurationLimitExceeded:
		return "raise temp_file_limit, or give the role more maintenance_work_mem for index builds, or work_mem for queries, so that they need less of it"
	case pgerrcode.LockNotAvailable:
		return "another session holds it for long: see pg_blocking_pids and pg_stat_activity, and end it, or wait for it"
	case pgerrcode.TooManyConnections:
		return "raise max_connections, or use fewer streams"
	case pgerrcode.CannotConnectNow:
		return "the server is starting or stopping: try again in a moment"
	case pgerrcode.DuplicateTable:
		return "another program has made it in the meantime"
	}

	return ""
}

// isCertificate tells whether the server's certificate was not accepted.
func isCertificate(err error) bool {
	var refused *tls.CertificateVerificationError
	var authority x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	return errors.As(err, &refused) || errors.As(err, &authority) || errors.As(err, &name) || errors.As(err, &invalid)
}

// isNetwork tells whether the connection failed, rather than a statement on it.
func isNetwork(err error) bool {
	var netErr net.Error
	var connectErr *pgconn.ConnectError
	var stallErr *StallError
	return errors.As(err, &netErr) || errors.As(err, &connectErr) || errors.As(err, &stallErr) ||
		errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed)
}

// HasCode reports whether an error has this SQLSTATE.
func HasCode(err error, code string) bool { return SQLState(err) == code }

// SQLState returns the server's code of an error, empty where it is not the server's.
func SQLState(err error) string {
	var pgErr *pgconn.PgError
	if errors.As(err, &pgErr) {
		return pgErr.Code
	}
	return ""
}
