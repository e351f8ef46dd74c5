package copier

import (
	"errors"
	"sync"
	"sync/atomic"

	"github.com/loadgrid/loadgrid/internal/catalog"
	"github.com/loadgrid/loadgrid/loader/job"
	"github.com/loadgrid/loadgrid/loader/progress"
	"github.com/loadgrid/loadgrid/loader/rows"
)

// SQL returns the statement of a COPY in the binary format. source is stdin, or the quoted name of a file.
func SQL(into job.Table, j job.Job, source string, frozen bool) string {
	options := "format binary"
	if frozen {
		options += ", freeze"
	}

	return "copy " + catalog.QuoteTable(into) + " (" + catalog.ColumnList(j.Columns()) + ") from " + source + " (" + options + ")"
}

// CountedRows counts the rows and bytes that are sent, and reports them as progress. The driver may still be in a
// Read after a failed COPY has returned, so it uses a lock, once per packet.
type CountedRows struct {
	mu       sync.Mutex
	rows     *rows.Rows
	progress *progress.Progress
	perDone  int64 // number of sent rows that count as one finished row
	counted  int64 // rows that were sent
	bytes    *atomic.Int64
	over     bool // the attempt has failed
}

// NewCountedRows reports rows to a progress, perDone of them as one finished row, and adds their bytes to bytes.
func NewCountedRows(from *rows.Rows, p *progress.Progress, perDone int64, bytes *atomic.Int64) *CountedRows {
	return &CountedRows{rows: from, progress: p, perDone: perDone, bytes: bytes}
}

// Read reads the rows as bytes of binary COPY: see rows.Rows.
func (r *CountedRows) Read(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()

	if r.over {
		return 0, errAttemptOver
	}

	n, err := r.rows.Read(p)
	r.bytes.Add(int64(n))
	r.progress.Add(r.rows.Generated()/r.perDone - r.counted/r.perDone)
	r.counted = r.rows.Generated()

	return n, err
}

var errAttemptOver = errors.New("this attempt at the chunk is over")

// discard takes back what a failed attempt counted, and ends it.
func (r *CountedRows) discard() {
	r.mu.Lock()
	defer r.mu.Unlock()

	r.progress.Add(-(r.counted / r.perDone))
	r.counted, r.over = 0, true
}
