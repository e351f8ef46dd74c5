package loader

import (
	"context"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/loader/job"
	"github.com/loadgrid/loadgrid/loader/ledger"
	"github.com/loadgrid/loadgrid/loader/plan"
	"github.com/loadgrid/loadgrid/loader/progress"
)

// Summary is what a run came to. Of one that failed it has what is known until then.
type Summary struct {
	Run           int64                      `json:"run"` // its number in the ledger, or of the run that made an unchanged table
	Job           string                     `json:"job"`
	Table         job.Table                  `json:"table"`
	Rows          int64                      `json:"rows"`
	Unchanged     bool                       `json:"unchanged"`              // nothing was done: see Options.SkipUnchanged
	Appended      bool                       `json:"appended"`               // to a table that was there
	RowsSkipped   int64                      `json:"rows_skipped,omitempty"` // of them there already
	RowsResumed   int64                      `json:"rows_resumed"`           // of them committed by earlier starts
	RowsCopied    int64                      `json:"rows_copied"`            // of them committed by this one
	Chunks        int64                      `json:"chunks"`
	ChunksCopied  int64                      `json:"chunks_copied"`
	ChunksResumed int64                      `json:"chunks_resumed"`
	Method        plan.Method                `json:"method"`
	Streams       int                        `json:"streams"`
	Retries       int                        `json:"retries"`                // how often something was tried again
	WaitSeconds   float64                    `json:"wait_seconds,omitempty"` // for another run, in no stage
	Seconds       float64                    `json:"seconds"`
	StageSeconds  map[progress.Stage]float64 `json:"stage_seconds"`
	CopyBytes     int64                      `json:"copy_bytes"` // sent by COPY, what was tried again included
	TableRows     int64                      `json:"table_rows"` // of the table now, with what other runs have added
	HeapBytes     int64                      `json:"heap_bytes"`
	IndexBytes    int64                      `json:"index_bytes"`
	WALBytes      int64                      `json:"wal_bytes"` // of the whole server meanwhile
}

// summarize ends the last stage, and says what the run came to.
func (l *load) summarize(ctx context.Context, outcome string) Summary {
	ctx, cancel := l.stopping(ctx)
	defer cancel()
	l.progress.Begin("", 0)
	s := l.summary
	s.ChunksCopied, s.RowsCopied, s.CopyBytes = l.chunksCopied.Load(), l.rowsCopied.Load(), l.bytesCopied.Load()
	s.Retries, _ = l.retries.all()
	s.StageSeconds = l.progress.Seconds()
	for _, seconds := range s.StageSeconds {
		s.Seconds += seconds
	}
	if s.Unchanged {
		s.TableRows = s.Rows
		return s
	}
	s.Run, s.Rows, s.Chunks, s.Appended = l.run, l.plan.Rows, l.plan.Chunks, l.appends()
	s.Method, s.Streams = l.plan.Method, l.plan.Streams
	if outcome == ledger.OutcomePublished {
		l.warnSkipped()
		l.recordAttemptEnd(ctx, outcome, nil)
		l.measure(ctx, &s)
	}
	return s
}

// measure is best effort: the table is published.
func (l *load) measure(ctx context.Context, s *Summary) {
	if end := walPosition(ctx, l.pool); l.walStart > 0 && end > 0 {
		s.WALBytes = end - l.walStart
	}
	var err error
	if s.TableRows, err = l.ledger.RowsShown(ctx, l.pool, s.Table); err != nil {
		l.log.Warn("the table is published, but how many rows it has now is not known", "error", pg.Message(err))
	}
	err = l.pool.QueryRow(ctx, `
		with recursive tables (oid) as (
			select c.oid from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = $1 and c.relname = $2
			union all select i.inhrelid from pg_inherits i join tables t on t.oid = i.inhparent)
		select sum(pg_relation_size(oid)), sum(pg_indexes_size(oid)) from tables`,
		s.Table.Schema, s.Table.Name).Scan(&s.HeapBytes, &s.IndexBytes)
	if err != nil {
		l.log.Warn("the table is published, but its size is not known", "error", pg.Message(err))
	}
}

// walPosition returns how many bytes of WAL the server has written in its life,
// 0 when it does not say.
func walPosition(ctx context.Context, pool *pgxpool.Pool) int64 {
	var n int64
	if err := pool.QueryRow(ctx, "select (pg_current_wal_insert_lsn() - '0/0')::bigint").Scan(&n); err != nil {
		return 0
	}
	return n
}
