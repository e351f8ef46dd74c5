package localpg

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"

	"github.com/loadgrid/loadgrid/internal/container"
)

// Environment variables that Provision reads.
const (
	DSNVariable   = "LOADGRID_DSN"
	ImageVariable = "LOADGRID_POSTGIS_IMAGE"
)

// Request says what Provision can use.
type Request struct {
	// DSN is an existing database to use. Defaults to LOADGRID_DSN, then to none.
	DSN string
	// Out gets a line for each source that is skipped, with the reason, and for the source that is
	// used. Defaults to nowhere.
	Out io.Writer
	// Image is the container image of PostGIS. Defaults to LOADGRID_POSTGIS_IMAGE, then to
	// loadgrid-postgis:local if it exists, then to postgis/postgis:17-3.5.
	Image string
	// Getenv looks up environment variables. Defaults to os.Getenv.
	Getenv func(string) string
}

// Database is a database with PostGIS. The caller of Provision must call Close.
type Database struct {
	DSN string // a URL, which may have a password: keep it out of logs
	Way string // its source, in one line for people
	// StopCommand is the shell command that does what Close does, for a database that stays up. It
	// is empty if there is nothing to stop.
	StopCommand string

	stop     func() error
	once     sync.Once
	closeErr error
}

// Close stops what Provision started and removes its files. Later calls return the same result.
// Close does nothing to a database that was given by its DSN.
func (d *Database) Close() error {
	d.once.Do(func() {
		if d.stop != nil {
			d.closeErr = d.stop()
		}
	})

	return d.closeErr
}

// Provision gets a database with PostGIS from the first of these sources that works: the DSN of the
// request; an installed PostgreSQL with PostGIS, run as a throwaway server; a container. If none
// works, the error says what to do. After an error nothing is left.
func Provision(ctx context.Context, r Request) (*Database, error) {
	return newProvisioner().provision(ctx, r)
}

func newProvisioner() provisioner {
	return provisioner{
		find:     Find,
		start:    func(ctx context.Context, i Installation) (*Server, error) { return Start(ctx, i, Options{}) },
		lookPath: exec.LookPath,
	}
}

// provisioner holds the functions that tests replace.
type provisioner struct {
	find     func() (Installation, error)
	start    func(context.Context, Installation) (*Server, error)
	lookPath func(string) (string, error)
}

func (p provisioner) provision(ctx context.Context, r Request) (*Database, error) {
	if r.Getenv == nil {
		r.Getenv = os.Getenv
	}

	if r.Out == nil {
		r.Out = io.Discard
	}

	if r.DSN == "" {
		r.DSN = r.Getenv(DSNVariable)
	}

	if r.Image == "" {
		r.Image = r.Getenv(ImageVariable)
	}

	if r.DSN != "" {
		return announce(r, &Database{DSN: r.DSN, Way: "the database that --dsn or " + DSNVariable + " names"})
	}

	var reasons []error

	for _, way := range []func(context.Context, Request) (*Database, error){p.installed, p.container} {
		db, err := way(ctx, r)
		if err == nil {
			return announce(r, db)
		}

		if ctx.Err() != nil {
			return nil, err
		}

		fmt.Fprintf(r.Out, "skipped: %v\n", err)
		reasons = append(reasons, err)
	}

	return nil, fmt.Errorf("there is no PostGIS. Do one of these: set %s to a database with PostGIS; install PostgreSQL with PostGIS "+
		"(Debian, Ubuntu: apt-get install postgresql-postgis); start docker or podman. What was tried:\n%w",
		DSNVariable, errors.Join(reasons...))
}

func announce(r Request, db *Database) (*Database, error) {
	fmt.Fprintf(r.Out, "using %s\n", db.Way)
	return db, nil
}

// installed runs a throwaway server of the installed PostgreSQL.
func (p provisioner) installed(ctx context.Context, _ Request) (*Database, error) {
	inst, err := p.find()
	if err != nil {
		return nil, err
	}

	server, err := p.start(ctx, inst)
	if err != nil {
		return nil, err
	}

	return &Database{
		DSN:         server.DSN(),
		Way:         fmt.Sprintf("a throwaway server of the installed PostgreSQL %s with PostGIS %s, in %s", inst.Version, inst.PostGIS, server.Dir()),
		StopCommand: server.StopCommand(),
		stop:        server.Stop,
	}, nil
}

// container runs a container, if there is an engine and an image.
func (p provisioner) container(ctx context.Context, r Request) (*Database, error) {
	engine, err := container.FindEngine(ctx, p.lookPath)
	if err != nil {
		return nil, err
	}

	image, err := engine.Obtain(ctx, r.Image, r.Out)
	if err != nil {
		return nil, err
	}

	c, err := engine.Start(ctx, image, databaseName, func(ctx context.Context, dsn string) error {
		return execute(ctx, dsn, "create extension if not exists postgis")
	})
	if err != nil {
		return nil, err
	}

	return &Database{
		DSN:         c.DSN,
		Way:         fmt.Sprintf("a container of %s (%s)", image, c),
		StopCommand: c.RemoveCommand(),
		stop:        c.Remove,
	}, nil
}
