package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/spf13/cobra"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/loader"
)

// columnFlags are the flags that say what the columns are.
type columnFlags struct {
	id, geom string
	set      []string
}

func (f *columnFlags) register(cmd *cobra.Command) {
	fs := cmd.Flags()
	fs.StringVar(&f.id, "id-column", "cell_id", "`name` of the primary key")
	fs.StringVar(&f.geom, "geom-column", "geom", "`name` of the geometry")
	fs.StringArrayVar(&f.set, "set", nil, "a column that is the same in each row, `NAME[:TYPE]=VALUE`; may be given several times")
}

// jobFlags are the flags that load, plan and dump share: which rows there are.
type jobFlags struct {
	grid    gridFlags
	area    areaFlags
	columns columnFlags
	codes   codeFlags
}

func (f *jobFlags) register(cmd *cobra.Command) {
	f.grid.register(cmd)
	f.area.register(cmd)
	f.columns.register(cmd)
	f.codes.register(cmd)
}

// job returns a job for the table with what the flags say.
func (f *jobFlags) job(cmd *cobra.Command, table loader.Table) (loader.Job, error) {
	job := loader.Job{Table: table}
	for _, set := range []func(*cobra.Command, *loader.Job) error{f.grid.grid, f.area.area, f.columns.columns, f.codes.codes} {
		if err := set(cmd, &job); err != nil {
			return job, err
		}
	}
	return job, nil
}

// layoutFlags are the flags that say how the table is made and filled.
type layoutFlags struct {
	streams, partitions int
	chunkRows           int64
	index               string
	unlogged            bool
}

func (f *layoutFlags) register(cmd *cobra.Command) {
	fs := cmd.Flags()
	fs.IntVar(&f.partitions, "partitions", 0, "`number` of partitions of the table, ranges of the key with equal numbers of rows; 0 for a plain table")
	fs.StringVar(&f.index, "index", "gist", "spatial index of a new table: `gist|brin|both|none`")
	fs.BoolVar(&f.unlogged, "unlogged", false, "make an unlogged table: no WAL, and empty after a crash of the server")
	fs.IntVar(&f.streams, "streams", 0, "`number` of connections that copy at the same time; left out, the plan chooses")
	fs.Int64Var(&f.chunkRows, "chunk-rows", 0, "load a plain table in chunks of at most so many `rows`, each a transaction and resumed by itself; left out, the plan chooses")
}

// layout puts the flags into a job.
func (f *layoutFlags) layout(cmd *cobra.Command, job *loader.Job) error {
	if f.index == "" {
		return &geomgen.ParamError{Param: "index", Value: `""`, Reason: "must be gist, brin, both or none"}
	}
	job.Streams, job.ChunkRows, job.Partitions = f.streams, f.chunkRows, f.partitions
	job.Index, job.Unlogged = loader.Index(f.index), f.unlogged
	return positive(cmd, "streams", "chunk-rows")
}

// serverFlags are the flags that say which server, and where its ledger is.
type serverFlags struct {
	dsn, ledger string
}

func (f *serverFlags) register(cmd *cobra.Command) {
	registerDSN(cmd, &f.dsn)
	cmd.Flags().StringVar(&f.ledger, "ledger-schema", loader.DefaultLedgerSchema, "`schema` of the ledger")
}

func registerDSN(cmd *cobra.Command, dsn *string) {
	cmd.Flags().StringVar(dsn, "dsn", "",
		"`connection` string or URL, as psql takes it; defaults to $LOADGRID_DSN, then to the PG* environment, service file and password file")
}

// resolveDSN returns the connection string to use; empty leaves it to the PG*
// environment.
func resolveDSN(dsn string) string {
	if dsn == "" {
		return os.Getenv("LOADGRID_DSN")
	}
	return dsn
}

func (f *serverFlags) open(ctx context.Context, streams int) (*pgxpool.Pool, error) {
	if f.ledger == "" {
		return nil, &geomgen.ParamError{Param: "ledger-schema", Value: `""`, Reason: "the name is empty"}
	}
	return loader.Open(ctx, resolveDSN(f.dsn), streams)
}

// with opens the server for a command that looks at the ledger, and closes it after.
func (f *serverFlags) with(cmd *cobra.Command, do func(context.Context, *pgxpool.Pool) error) error {
	pool, err := f.open(cmd.Context(), 1)
	if err != nil {
		return err
	}
	defer loader.Close(pool)
	return do(cmd.Context(), pool)
}

func (f *columnFlags) columns(_ *cobra.Command, job *loader.Job) error {
	job.IDColumn, job.GeomColumn = f.id, f.geom
	for param, name := range map[string]string{"id-column": f.id, "geom-column": f.geom} {
		if name == "" {
			return &geomgen.ParamError{Param: param, Value: `""`, Reason: "the name is empty"}
		}
	}
	for _, s := range f.set {
		c, err := loader.ParseConstant(s)
		if err != nil {
			return err
		}
		job.Set = append(job.Set, c)
	}
	return nil
}

// positive refuses a zero or negative number that somebody gave; not given, a
// flag leaves its default to the job.
func positive(cmd *cobra.Command, names ...string) error {
	for _, name := range names {
		f := cmd.Flags().Lookup(name)
		if n, err := strconv.ParseInt(f.Value.String(), 10, 64); f.Changed && (err != nil || n < 1) {
			return &geomgen.ParamError{Param: name, Value: f.Value.String(), Reason: "must be at least 1"}
		}
	}
	return nil
}

// numbers reads a list of numbers separated by commas.
func numbers(param, s string, least, most int) ([]float64, error) {
	parts := strings.Split(s, ",")
	if len(parts) < least || len(parts) > most {
		want := strconv.Itoa(least)
		if most != least {
			want += " or " + strconv.Itoa(most)
		}
		return nil, &geomgen.ParamError{Param: param, Value: s, Reason: fmt.Sprintf("must be %s numbers separated by commas", want)}
	}
	list := make([]float64, len(parts))
	for i, p := range parts {
		f, err := strconv.ParseFloat(strings.TrimSpace(p), 64)
		if err != nil {
			return nil, &geomgen.ParamError{Param: param, Value: s, Reason: fmt.Sprintf("%q is no number", p)}
		}
		list[i] = f
	}
	return list, nil
}
