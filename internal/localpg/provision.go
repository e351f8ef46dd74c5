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

// Request says what Provision may use.
type Request struct {
	// DSN is a database to use as it is. Defaults to LOADGRID_DSN, then to none.
	DSN string
	// Out gets a line for each way that is passed over, with the reason, and
	// for the one that is taken. Defaults to nowhere.
	Out io.Writer
	// Image is the container image of PostGIS. Defaults to
	// LOADGRID_POSTGIS_IMAGE, then to loadgrid-postgis:local where it is there,
	// then to postgis/postgis:17-3.5.
	Image string
	// Getenv looks up environment variables. Defaults to os.Getenv.
	Getenv func(string) string
}

// Database is a database with PostGIS. Whoever got it calls Close.
type Database struct {
	DSN string // a URL, which may hold a password: not for logs
	Way string // where it comes from, in one line for people
	// StopCommand is the shell command that does what Close does, for a
	// database that is left up. Empty when there is nothing to stop.
	StopCommand string

	stop     func() error
	once     sync.Once
	closeErr error
}

// Close stops what Provision started and removes its files. Calls after the first
// return the same answer. A database that was given by its DSN stays as it is.
func (d *Database) Close() error {
	d.once.Do(func() {
		if d.stop != nil {
			d.closeErr = d.stop()
		}
	})

	return d.closeErr
}

// Provision gets a database with PostGIS from the first of these that works: the
// DSN of the request; an installed PostgreSQL with PostGIS, run as a throwaway
// server; a container. The error says what to do when none works. After an error
// nothing is left.
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

// provisioner holds what Provision looks up, for tests to replace.
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

// installed runs a throwaway server of what is installed.
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

// container runs a container, where there is an engine and an image.
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
