package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/loader"
)

func newDumpCommand() *cobra.Command {
	var (
		rows     cellFlags
		out, dsn string
	)
	cmd := &cobra.Command{
		Use:   "dump --cell-size DX[,DY] (--extent XMIN,YMIN,XMAX,YMAX | --cols N --rows N | --aoi FILE)",
		Short: "Write the rows as a binary COPY file, without a server",
		Long: `dump writes what load would send: a file of PostgreSQL's binary COPY, with the
columns cell_id bigint, col integer, row integer, geom geometry(Polygon, SRID)
(MultiPolygon with --clip, Point with --geometry point), and one for each --set, then code and coverage where they are asked for, in this order. It
asks no server, but for an area of interest that needs one: a query, or another CRS.`,
		Example: `  loadgrid dump --cell-size 1 --cols 1000 --rows 800 --out grid.copy
  psql -c 'create table grid (cell_id bigint, col integer, row integer, geom geometry(Polygon))'
  psql -c "\copy grid from grid.copy (format binary)"`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			job, err := rows.job(cmd, loader.Table{Name: "dump"})
			if err != nil {
				return err
			}
			p, err := planJob(cmd, job, dsn)
			if err != nil {
				return err
			}
			if err := runDump(cmd, p, out); err != nil {
				return err
			}
			fmt.Fprintf(cmd.ErrOrStderr(), "%s rows, %s\n", formatCount(p.Rows), formatBytes(p.Estimate().CopyBytes))
			return nil
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "`file` to write, - for stdout (default -)")
	registerDSN(cmd, &dsn)
	rows.register(cmd)
	return cmd
}

func runDump(cmd *cobra.Command, p *loader.Plan, out string) error {
	rows := p.NewRows(cmd.Context(), loader.Chunk{Last: geomgen.MaxID, Rows: p.Rows})
	if out != "" && out != "-" {
		return writeFileAtomically(out, func(w io.Writer) error { return copyRows(w, rows, p) })
	}
	w := cmd.OutOrStdout()
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return usageError{errors.New("a binary file on a terminal helps nobody: use --out FILE, or a pipe")}
	}
	return copyRows(w, rows, p)
}

// dumpBuffer is large enough that a write costs little beside its bytes.
const dumpBuffer = 1 << 18

func copyRows(w io.Writer, rows *loader.Rows, p *loader.Plan) error {
	// Hidden from io.Copy, a file's own ReadFrom cannot put a smaller buffer in
	// place of this one.
	if _, err := io.CopyBuffer(struct{ io.Writer }{w}, rows, make([]byte, dumpBuffer)); err != nil {
		return fmt.Errorf("writing the rows: %w", err)
	}
	if rows.Generated() != p.Rows {
		return fmt.Errorf("%d rows planned, %d generated", p.Rows, rows.Generated())
	}
	return nil
}

// writeFileAtomically writes a file beside its place and moves it there when it is whole.
// What is no file, such as /dev/null or a named pipe, is written as it is.
func writeFileAtomically(name string, write func(io.Writer) error) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("writing %s: %w", name, err)
		}
	}()
	if target, err := filepath.EvalSymlinks(name); err == nil {
		name = target // a link stays, and leads to the new file
	}
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
		f, err := os.OpenFile(name, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		return errors.Join(write(f), f.Close())
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
