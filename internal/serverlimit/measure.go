// Package serverlimit owns the measurement of the maximum speed at which a server takes rows, and
// how close a load comes to it.
package serverlimit

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/internal/precheck"
	"github.com/loadgrid/loadgrid/internal/tablelock"
	"github.com/loadgrid/loadgrid/loader/job"
	"github.com/loadgrid/loadgrid/loader/plan"
	"github.com/loadgrid/loadgrid/loader/progress"
)

// Options say what Measure measures, and in what time.
type Options struct {
	// Rows is the number of rows of a COPY, at most 10,000,000. If the server is too slow for the
	// budget, Measure uses fewer. Defaults to 1,000,000.
	Rows int64
	// Schema is the schema of the table, which exists only during a transaction. Defaults to the
	// first schema of the server's search_path, as for a Job.
	Schema string
	// Budget is how long the measured rounds may take together, in all but the slowest cases.
	// Everything else takes some seconds more. Defaults to 40 seconds.
	Budget time.Duration
	// TempDir is the directory of the file with the prepared rows, which takes 127 bytes per row.
	// Defaults to the system's directory for temporary files.
	TempDir string
	// Progress shows the progress, as the stage StageLoad. Defaults to one that nobody reads.
	Progress *progress.Progress
}

// MaxRows is the maximum number of rows of a COPY.
const MaxRows = 10_000_000

const (
	defaultBenchRows = 1_000_000
	benchBudget      = 40 * time.Second
	minRounds        = 3
	maxRounds        = 7
)

func (o Options) withDefaults() (Options, error) {
	if o.Rows == 0 {
		o.Rows = defaultBenchRows
	}

	if o.Rows < 1 || o.Rows > MaxRows {
		return o, &geomgen.ParamError{Param: "rows", Value: strconv.FormatInt(o.Rows, 10),
			Reason: fmt.Sprintf("must lie between 1 and %d", MaxRows)}
	}

	if o.Schema != "" {
		if err := job.CheckIdentifier("schema", o.Schema); err != nil {
			return o, err
		}
	}

	if o.Budget <= 0 {
		o.Budget = benchBudget
	}

	if o.Progress == nil {
		o.Progress = new(progress.Progress)
	}

	return o, nil
}

// Validate checks the options without a server. The error is a *geomgen.ParamError.
func (o Options) Validate() error {
	_, err := o.withDefaults()
	return err
}

// Measure measures the maximum speed at which the server takes rows, and the speed of loadgrid with
// the same rows. Both copy unit cells into a table with the same definition, by the same COPY as in
// a frozen load. They take turns, 3 to 7 times. Each turn creates its table in a transaction that
// is rolled back, so nothing is left whatever happens, and neither number includes the commit's
// flush or the indexes. The server does write WAL for each row.
//
// Invalid options are a *geomgen.ParamError, errors of the server a *ServerError. When ctx ends,
// Measure removes its file and returns the cause.
func Measure(ctx context.Context, pool *pgxpool.Pool, options Options) (result Result, err error) {
	began := time.Now()
	options, err = options.withDefaults()
	if err != nil {
		return Result{}, err
	}

	// There is no use in measuring a connection that load would refuse.
	if err := tablelock.RefusePooler(ctx, pool); err != nil {
		return Result{}, err
	}

	conn, err := pool.Acquire(ctx)
	if err != nil {
		return Result{}, pg.Wrap(err, "connecting")
	}
	defer conn.Release()
	b := &measurement{conn: conn.Conn(), options: options}
	defer func() { err = errors.Join(err, b.close()) }()

	for _, step := range []func(context.Context) error{
		b.prepare, b.fitRows, b.writeFile, b.chooseLimit, b.generate, b.discard, b.measure,
	} {
		if err := step(ctx); err != nil {
			return Result{}, err
		}
	}

	result = b.summarize()
	result.Seconds = time.Since(began).Seconds()

	return result, nil
}

// prepare checks the server, and plans the rows as a load would.
func (b *measurement) prepare(ctx context.Context) error {
	var err error
	if b.table, err = precheck.FindSchemas(ctx, b.conn, job.Table{Schema: b.options.Schema}); err == nil {
		err = b.table.CheckReserved("")
	}

	if err == nil {
		err = precheck.CheckCreate(ctx, b.conn, b.table)
	}

	var param *geomgen.ParamError
	if errors.As(err, &param) { // Measure has no parameter for the table
		return &geomgen.ParamError{Param: "schema", Value: b.table.Schema, Reason: param.Reason}
	}

	if err != nil {
		return err
	}

	b.table = b.table.NewStaging("") // the table is in no ledger
	side := int64(math.Ceil(math.Sqrt(float64(b.options.Rows))))
	b.plan, err = plan.New(ctx, job.Job{Table: b.table.Table, Grid: geomgen.Grid{DX: 1, DY: 1}, Cols: side, Rows: side, Streams: 1})

	return err
}

// fitRows finds how many rows the server takes in the available time. It starts with few, so that a
// slow server is not busy for minutes.
func (b *measurement) fitRows(ctx context.Context) error {
	const few, enough = 1000, 300 * time.Millisecond
	// A backend loads PostGIS when it sees its first geometry.
	if _, err := b.copyGenerated(ctx, 1); err != nil {
		return err
	}

	for n := min(few, b.options.Rows); ; n = min(10*n, b.options.Rows) {
		took, err := b.copyGenerated(ctx, n)
		if err != nil {
			return err
		}

		if n == b.options.Rows || took >= enough {
			b.rows = rowsWithin(b.options.Rows, float64(n)/took.Seconds(), b.options.Budget)
			return nil
		}
	}
}

// rowsWithin returns how many of the rows fit into the budget with the minimum number of rounds. If
// that is not all of them, it rounds the number to two digits.
func rowsWithin(rows int64, perSecond float64, budget time.Duration) int64 {
	most := max(int64(perSecond*budget.Seconds()/(2*minRounds)), 1)
	if most >= rows {
		return rows
	}

	unit := int64(1)

	for most/unit >= 100 {
		unit *= 10
	}

	return most / unit * unit
}

// measure lets the limit and loadgrid take turns, so that changes on the server meanwhile affect
// both.
func (b *measurement) measure(ctx context.Context) error {
	b.options.Progress.Begin(progress.StageLoad, 2*maxRounds*b.rows)
	b.counting = true
	began := time.Now()

	for round := 1; ; round++ {
		turn := time.Now()
		limit, err := b.copyLimit(ctx)
		if err != nil {
			return err
		}

		b.options.Progress.Add(b.rows)
		generated, err := b.copyGenerated(ctx, b.rows)
		if err != nil {
			return err
		}

		b.limitTook, b.loadgridTook = append(b.limitTook, limit), append(b.loadgridTook, generated)
		if !anotherRound(round, time.Since(began), time.Since(turn), b.options.Budget) {
			b.options.Progress.Expect(2 * int64(round) * b.rows)
			return nil
		}
	}
}

// anotherRound tells whether there is time for one more round, given the number of rounds done and
// the time of the last one. It stops below the minimum number only on a server that has become
// slower since fitRows.
func anotherRound(done int, spent, last, budget time.Duration) bool {
	switch {
	case done >= maxRounds:
		return false
	case done >= minRounds:
		return spent+last <= budget
	}

	return spent+last <= budget+budget/8
}

func (b *measurement) summarize() Result {
	r := Result{
		Rows: b.rows, RowsAsked: b.options.Rows, RowBytes: b.plan.RowBytes(), Rounds: len(b.limitTook),
		Limit: rateOf(b.rows, b.limitTook), LimitBy: b.limitBy, LimitWhy: b.limitWhy,
		Loadgrid: rateOf(b.rows, b.loadgridTook), Discarded: b.discarded, Generated: b.generated,
	}

	r.Share = r.Loadgrid.Median / r.Limit.Median
	r.Bottleneck, r.Verdict = r.judge()

	return r
}

// rateOf returns the rate of one or more rounds that took these times.
func rateOf(rows int64, took []time.Duration) Rate {
	sorted := slices.Clone(took)
	slices.Sort(sorted)
	n := len(sorted)
	median := (sorted[(n-1)/2] + sorted[n/2]) / 2
	rate := func(d time.Duration) float64 { return float64(rows) / max(d, time.Nanosecond).Seconds() }

	return Rate{Median: rate(median), Min: rate(sorted[n-1]), Max: rate(sorted[0])}
}
