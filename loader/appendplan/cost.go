package appendplan

import (
	"fmt"
	"time"

	"github.com/loadgrid/loadgrid/loader/job"
	"github.com/loadgrid/loadgrid/loader/plan"
)

// indexCost is the measured cost of a row in an index: see docs/estimates.md.
type indexCost struct {
	insert, build float64 // microseconds, into an existing index and into a new one
	bytes, wal    float64 // growth of the index, and WAL of an insert
}

// costOf considers what matters most: the access method, and whether the rows come in the index's order. Access
// methods of extensions count as GiST.
func costOf(i Index, s plan.Server) indexCost {
	switch i.Method {
	case "btree":
		if i.InOrder {
			return indexCost{insert: 0.8, build: 0.4, bytes: 26, wal: 70}
		}

		return indexCost{insert: 1.5, build: 0.5, bytes: 34, wal: 80}
	case "brin":
		return indexCost{insert: 0.4, build: 0.2, bytes: 0.2, wal: 0.5}
	case "hash":
		return indexCost{insert: 2.5, build: 1.4, bytes: 45, wal: 100}
	case "spgist":
		return indexCost{insert: 6, build: 4, bytes: 94, wal: 160}
	}

	if i.Method == "gist" && !s.SortsGiST {
		return indexCost{insert: 7, build: 5.4, bytes: 52, wal: 130}
	}

	return indexCost{insert: 7, build: 1.2, bytes: 47, wal: 130}
}

const (
	// stageRow is the time in microseconds to load a row into the staging table with its key, and moveRow the
	// time to insert it from there into the table without its indexes.
	stageRow, moveRow = 1.4, 1.4
	// walInsert is the WAL of an inserted row in addition to its columns.
	walInsert = 56
	// grown is how much larger an entry is in an index that grew by inserts, which leave pages half full, than in
	// a newly built one.
	grown = 1.2
	// knownRows is how many rows an index needs before its size shows the size of an entry.
	knownRows = 10_000
)

// Estimate sets the costs and the hints.
func (a *Plan) Estimate(p *plan.Plan) {
	n := float64(p.Rows)
	server, _ := p.Server()
	cost := func(micros, wal float64) Cost {
		if a.Unlogged {
			wal = 0
		}

		return Cost{plan.WholeBytes(n * wal), n * micros / 1e6}
	}

	fresh := p.Estimate()
	a.NewTable = Cost{fresh.WALBytes, fresh.Seconds}
	if a.Attach {
		a.Staging = a.NewTable
	} else {
		staged := *p
		staged.Job.Index = job.IndexNone
		a.Staging = Cost{staged.Estimate().WALBytes, n * stageRow / 1e6}
		a.Move = cost(moveRow, float64(p.ColumnBytes()+walInsert))
	}

	a.Total = a.Staging.plus(a.Move)

	for k := range a.Indexes {
		i := &a.Indexes[k]
		c := costOf(*i, server)
		looser := grown
		if i.Method == "gist" && !server.SortsGiST {
			looser = 1 // inserts built it, too
		}

		if i.Rows >= knownRows && i.Method != "brin" && i.Method != "hash" {
			c.bytes = float64(i.Bytes) / float64(i.Rows) * looser
		}

		switch {
		case !a.Attach:
			i.Cost = cost(c.insert, c.wal)
		case i.loaded(p.Job):
			c.bytes /= looser
		default:
			c.bytes /= looser
			i.Cost = cost(c.build, c.bytes)
		}

		i.Growth = plan.WholeBytes(n * c.bytes)
		a.Total = a.Total.plus(i.Cost)
	}

	a.Hints = a.hints(p)
}

// loaded reports whether a partition has this index before it is attached.
func (i Index) loaded(j job.Job) bool {
	switch i.Method {
	case "btree":
		return i.Constraint && i.InOrder
	case "gist", "brin":
		return i.Columns == j.GeomColumn || i.Columns == job.QuoteName(j.GeomColumn)
	}

	return false
}

// worthwhile is the least saving for a hint.
const worthwhile = 10 * time.Second

// hints returns what would save time: rebuilding indexes other than keys if that is faster than inserting the
// rows, and using partitions.
func (a *Plan) hints(p *plan.Plan) []string {
	hints := []string{}
	if a.Attach {
		return hints
	}

	server, _ := p.Server()
	saves := func(now, then float64) bool { return now-then > worthwhile.Seconds() }

	for _, i := range a.Indexes {
		rebuild := (float64(a.Rows) + float64(p.Rows)) * costOf(i, server).build / 1e6
		if !i.Constraint && saves(i.Cost.Seconds, rebuild) {
			hints = append(hints, fmt.Sprintf(
				"dropping index %s before the load and rebuilding it afterwards would take about %s instead of %s; until then, queries cannot use it",
				i.Name, roughly(rebuild), roughly(i.Cost.Seconds)))
		}
	}

	attached := a.NewTable.Seconds

	for _, i := range a.Indexes {
		if !i.loaded(p.Job) {
			attached += float64(p.Rows) * costOf(i, server).build / 1e6
		}
	}

	if a.NoPartition && saves(a.Total.Seconds, attached) {
		hints = append(hints, fmt.Sprintf(
			"the table has no partition for these ids: with partitions, the rows become new partitions with their own indexes, in about %s instead of %s",
			roughly(attached), roughly(a.Total.Seconds)))
	}

	return hints
}

// roughly formats seconds without false precision.
func roughly(seconds float64) string {
	if seconds > 1e9 {
		return "more than 30 years"
	}
	return time.Duration(seconds * float64(time.Second)).Round(time.Second).String()
}
