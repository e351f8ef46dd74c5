package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/loadgrid/loadgrid/internal/options"
	"github.com/loadgrid/loadgrid/loader"
)

func newDumpCommand() *cobra.Command {
	var o dumpOptions
	cmd := &cobra.Command{
		Use:   "dump --cell-size DX[xDY] (--extent XMIN,YMIN,XMAX,YMAX | --cols N --rows N | --aoi FILE)",
		Short: "Write the rows as a binary COPY file, without a server",
		Long: `dump writes the rows that load would send, as a file in PostgreSQL's binary COPY format.
The columns are, in this order:

  cell_id bigint, col integer, row integer
  geom geometry(Polygon, SRID); MultiPolygon with --clip, Point with --geometry point
  one column for each --set, then one for --each and for each --attribute
  code with --code, and coverage with --coverage
  cell_share and feature_share with --each

It connects to a server only if the area of interest needs one: a query, or an area that
is not in the CRS of the grid.`,
		Example: `  loadgrid dump --cell-size 1 --cols 1000 --rows 800 --out grid.copy
  psql -c 'create table grid (cell_id bigint, col integer, row integer, geom geometry(Polygon))'
  psql -c "\copy grid from grid.copy (format binary)"`,
		Args: noArgs,
	}

	own := options.Table{
		{Name: "out", Group: "Output", Value: options.Text(&o.out, ""), Default: "-", Help: "`file` to write, - for stdout"},
		options.DSNOption(&o.server.DSN),
	}
	addFlags(cmd, o.cells.Table(), own)

	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		values, std := givenValues(cmd), streamsOf(cmd)
		if err := append(o.cells.Table(), own...).Apply(values); err != nil {
			return err
		}

		o.cells.Job.Table = loader.Table{Name: "dump"}
		if err := awaitErr(cmd.Context(), func() error { return o.cells.Complete(cmd.Context(), values, std.in) }); err != nil {
			return err
		}
		return runDump(cmd.Context(), o, std)
	}

	return cmd
}

// dumpOptions select the rows and the file for them.
type dumpOptions struct {
	cells  options.Cells
	server serverOptions
	out    string // "" or - for stdout
}

func runDump(ctx context.Context, o dumpOptions, std streams) error {
	printNotes(std.err, o.cells.Notes)
	p, err := planJob(ctx, o.cells.Job, o.server, std.err)
	if err != nil {
		return err
	}

	if !p.Exact() {
		fmt.Fprintf(std.err, "counting cells, about %.3g\n", float64(p.Rows))
		if p, err = await(ctx, func() (*loader.Plan, error) { return loader.NewPlan(ctx, p.Job) }); err != nil {
			return err
		}
	}

	write := func(w io.Writer) error { return p.WriteCopy(ctx, w) }
	switch {
	case o.out != "" && o.out != "-":
		err = writeFileAtomically(ctx, o.out, write)
	case isTerminal(std.out):
		err = usageError{errors.New("will not write binary data to a terminal: use --out FILE or a pipe")}
	default:
		err = write(std.out)
	}

	if err != nil {
		return err
	}

	fmt.Fprintf(std.err, "%s, %s\n", pluralCount(p.Rows, "row"), formatBytes(p.Estimate().CopyBytes))
	return nil
}

func isTerminal(w io.Writer) bool {
	if p, ok := w.(patientWriter); ok {
		w = p.Unwrap()
	}

	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// writeFileAtomically writes a temporary file in the same directory, and renames it when it is complete.
// It writes directly to anything that is not a regular file, such as /dev/null or a named pipe.
func writeFileAtomically(ctx context.Context, name string, write func(io.Writer) error) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("writing %s: %w", name, err)
		}
	}()

	if target, err := filepath.EvalSymlinks(name); err == nil {
		name = target // keep the link, which then points to the new file
	}

	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
		f, err := await(ctx, func() (*os.File, error) { return os.OpenFile(name, os.O_WRONLY, 0) })
		if err != nil {
			return err
		}
		return errors.Join(write(patientWriter{ctx, f}), f.Close())
	}

	f, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".*.part")
	if err != nil {
		return err
	}

	if err := errors.Join(write(f), f.Chmod(0o644), f.Close()); err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}

	if err := os.Rename(f.Name(), name); err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}

	return nil
}
