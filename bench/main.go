// Command bench measures loadgrid against its peers, in turn, on the same server and
// the same grids. It writes docs/benchmarks.md, its charts, and the measurements
// themselves. `make bench` runs it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"syscall"

	"github.com/loadgrid/loadgrid/internal/localpg"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// options are the command's flags.
type options struct {
	rounds     int
	only       *regexp.Regexp
	reportOnly bool
	loadgrid   string // the program
	folder     string // for the report
	server     string // the version of the server of $LOADGRID_DSN, which alone is measured
}

func parse(args []string, stderr io.Writer) (options, error) {
	var o options
	fs := flag.NewFlagSet("bench", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.IntVar(&o.rounds, "rounds", 5, "number of turns of each contender")
	only := fs.String("only", "", "measure only the arms whose ids match this regular expression, and keep the other measurements")
	fs.BoolVar(&o.reportOnly, "report", false, "measure nothing, and only write the report")
	fs.StringVar(&o.server, "server", "", "compare loadgrid with SQL alone on the server of $LOADGRID_DSN, which has this version, and keep the other measurements: see servers.sh")
	fs.StringVar(&o.loadgrid, "loadgrid", "bin/loadgrid", "the program to measure")
	fs.StringVar(&o.folder, "out", "docs", "the folder for benchmarks.md, its charts and benchmarks.json")
	if err := fs.Parse(args); err != nil {
		return o, err
	}

	var err error
	o.only, err = regexp.Compile(*only)
	return o, err
}

func run(ctx context.Context, args []string, stderr io.Writer) error {
	o, err := parse(args, stderr)
	if err != nil {
		return err
	}

	if o.loadgrid, err = filepath.Abs(o.loadgrid); err != nil {
		return err
	}

	file := filepath.Join(o.folder, "benchmarks.json")
	all, err := readMeasurements(file)
	if err != nil {
		return err
	}

	switch {
	case o.reportOnly:
	case o.server != "":
		r, err := measureServer(ctx, o, stderr)
		if err != nil {
			return err
		}

		all.put(r)
		if err := all.write(file); err != nil {
			return err
		}
	default:
		// A server in a container has other limits and cannot read the dumps.
		if _, err := localpg.Find(); err != nil {
			return fmt.Errorf("%w; bench/setup.sh installs it", err)
		}

		p := findPrograms(ctx, o.loadgrid, filepath.Join("bench", "peers"))
		if all.Machine, err = describeMachine(ctx, p); err != nil {
			return err
		}

		save := func(r result) error {
			r.Version = all.Machine.Versions["loadgrid"]
			all.put(r)
			return all.write(file)
		}
		if err := measureAll(ctx, o, p, stderr, save); err != nil {
			return err
		}
	}

	return all.report(o.folder)
}

// measureAll measures one arm after the other, and saves each when it is done.
func measureAll(ctx context.Context, o options, p programs, stderr io.Writer, save func(result) error) (err error) {
	measure := func(a arm) error {
		if !o.only.MatchString(a.id) {
			return nil
		}
		r, err := a.measure(ctx, o.rounds, stderr)
		if err != nil {
			return err
		}
		return save(r)
	}
	if err := measure(generationArm(p)); err != nil {
		return err
	}

	dir, err := os.MkdirTemp("", "loadgrid-bench-*")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := os.Chmod(dir, 0o755); err != nil { // the server reads the dumps
		return err
	}

	for _, server := range []string{untuned, tuned} {
		if err := measureOn(ctx, server, p, dir, measure, o); err != nil {
			return fmt.Errorf("on the %s server: %w", server, err)
		}
	}

	return nil
}

// measureOn measures the arms of one server.
func measureOn(ctx context.Context, server string, p programs, dir string, measure func(arm) error, o options) (err error) {
	db, err := startDatabase(ctx, server, p)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.close(ctx)) }()

	title := func(format string) string { return fmt.Sprintf(format, server) }
	for _, load := range []struct {
		id, title string
		g         grid
	}{
		{"load_0.8_" + server, title("2. Load alone, 0.8 million cells, %s server"), grid08()},
		{"load_3.2_" + server, title("2. Load alone, 3.2 million cells, %s server"), grid32()},
	} {
		a, err := copyArm(ctx, db, p, load.g, load.id, load.title, dir)
		if err != nil {
			return err
		}
		if err := measure(a); err != nil {
			return err
		}
	}

	arms := []arm{
		readyArm(db, p, grid08(), "ready_0.8_"+server, title("3. Ready to query, 0.8 million cells, %s server"), dir),
		readyArm(db, p, grid32(), "ready_3.2_"+server, title("3. Ready to query, 3.2 million cells, %s server"), dir),
	}

	floor, err := floorArm(ctx, db, grid32(), dir)
	if err != nil {
		return err
	}

	for _, a := range append(arms, floor) {
		if err := measure(a); err != nil {
			return err
		}
	}

	if err := measureQueries(ctx, db, measure, o); err != nil {
		return err
	}

	if server == untuned {
		if err := measureTuning(ctx, db, measure, o); err != nil {
			return err
		}

		if err := measureGrowth(ctx, db, dir, measure); err != nil {
			return err
		}

		if err := measureMasks(ctx, db, dir, measure, o); err != nil {
			return err
		}
	}

	if server == tuned { // where SQL alone is faster
		if err := measureFeatures(ctx, db, measure, o); err != nil {
			return err
		}

		if err := measurePoints(ctx, db, measure, o); err != nil {
			return err
		}

		if err := measureCookbook(ctx, db, measure, o); err != nil {
			return err
		}
	}

	return measure(readyArm(db, p, gridEU(), "ready_30_"+server, title("3. Ready to query, 29.9 million cells, %s server"), dir))
}

func measureGrowth(ctx context.Context, db *database, dir string, measure func(arm) error) error {
	growth, err := growthArm(ctx, db, dir)
	if err != nil {
		return err
	}

	return measure(growth)
}

func measureQueries(ctx context.Context, db *database, measure func(arm) error, o options) error {
	loaded := false
	for _, a := range queryArms(db, grid32()) {
		if o.only.MatchString(a.id) && !loaded {
			if err := db.loadQueried(ctx, grid32()); err != nil {
				return err
			}
			loaded = true
		}
		if err := measure(a); err != nil {
			return err
		}
	}

	return db.dropQueried(ctx, grid32())
}
