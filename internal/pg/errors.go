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

// ServerError reports a problem with the server: what was tried, the server's message with its SQLSTATE, and what
// to do about it if that is known.
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

// Wrap wraps err with what was tried. It returns nil, and errors that already contain it, unchanged.
func Wrap(err error, doing string, args ...any) error {
	var known *ServerError
	if err == nil || errors.As(err, &known) {
		return err
	}
	return &ServerError{Doing: fmt.Sprintf(doing, args...), Err: err, Advice: advice(err)}
}

// messenger is an error with its own words for a server error that it wraps, and with its own advice.
type messenger interface {
	error
	ServerMessage() string
}

// Message returns the server's message in one line.
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

// attempts returns the results of the attempts to connect, without duplicates: an address may be tried with TLS
// and without.
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

// advice returns what to do about an error of the server or of the connection to it.
func advice(err error) string {
	var pgErr *pgconn.PgError
	if !errors.As(err, &pgErr) {
		switch {
		case errors.Is(err, context.Canceled):
			return ""
		case isCertificate(err):
			return "check sslrootcert, and that the certificate names the host in the DSN"
		case isNetwork(err) || errors.Is(err, context.DeadlineExceeded):
			return "check host and port, that the server runs, and that it lets this machine in"
		}

		return ""
	}

	if pgErr.Code == pgerrcode.QueryCanceled && errors.As(err, new(messenger)) {
		return "" // its own message contains it
	}

	switch pgErr.Code {
	case pgerrcode.InvalidAuthorizationSpecification, pgerrcode.InvalidPassword:
		if strings.HasPrefix(pgErr.Message, "Peer authentication failed") {
			return "the socket lets in only the role with the name of your system user: connect to a host, such as localhost, with a password, or change the server's pg_hba.conf"
		}
		return "loadgrid does not ask for a password: check user and password (the DSN, PGUSER, PGPASSWORD, the password file) and the server's pg_hba.conf"
	case pgerrcode.InvalidCatalogName:
		return "create the database, or name another one in the DSN or PGDATABASE"
	case pgerrcode.InsufficientPrivilege:
		return "ask for the privilege, or connect as a role that has it"
	case pgerrcode.ReadOnlySQLTransaction:
		return "this server or session is read-only: connect to the primary, with default_transaction_read_only off"
	case pgerrcode.QueryCanceled:
		return "somebody cancelled it, or a time limit of the server did"
	case pgerrcode.DependentObjectsStillExist:
		return "other objects depend on the table: drop them first, and create them again afterwards"
	case pgerrcode.DiskFull:
		return "free space on the server's disk"
	case pgerrcode.ConfigurationLimitExceeded:
		return "raise temp_file_limit, or give the role more maintenance_work_mem for index builds, or work_mem for queries, so that they need fewer temporary files"
	case pgerrcode.LockNotAvailable:
		return "another session has held it for long: find it in pg_blocking_pids and pg_stat_activity, and end it or wait for it"
	case pgerrcode.TooManyConnections:
		return "raise max_connections, or use fewer streams"
	case pgerrcode.CannotConnectNow:
		return "the server is starting or stopping: try again in a moment"
	case pgerrcode.DuplicateTable:
		return "another program has created it in the meantime"
	}

	return ""
}

// isCertificate reports whether the server's certificate was rejected.
func isCertificate(err error) bool {
	var refused *tls.CertificateVerificationError
	var authority x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	return errors.As(err, &refused) || errors.As(err, &authority) || errors.As(err, &name) || errors.As(err, &invalid)
}

// isNetwork reports whether the connection failed, rather than a statement on it.
func isNetwork(err error) bool {
	var netErr net.Error
	var connectErr *pgconn.ConnectError
	var stallErr *StallError
	return errors.As(err, &netErr) || errors.As(err, &connectErr) || errors.As(err, &stallErr) ||
		errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed)
}

// HasCode reports whether an error has this SQLSTATE.
func HasCode(err error, code string) bool { return SQLState(err) == code }

// SQLState returns the server's code of an error, or "" if the error is not the server's.
func SQLState(err error) string {
	var pgErr *pgconn.PgError
	if errors.As(err, &pgErr) {
		return pgErr.Code
	}
	return ""
}
