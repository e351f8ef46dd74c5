package discard

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/loader/job"
	"github.com/loadgrid/loadgrid/loader/ledger"
)

// OfOtherJob drops the unfinished run of another job than j on its table, or refuses to: see
// MustKeep. The connection holds the table's lock.
func OfOtherJob(ctx context.Context, conn *pgxpool.Conn, log *slog.Logger, l ledger.Ledger, j job.Job, run ledger.RunInfo) error {
	if MustKeep(j, run) {
		return &ledger.UnfinishedError{Run: run.ID, Schema: l.Schema, Resumable: true,
			Err: &geomgen.ParamError{Param: "table", Value: run.Table.String(), Reason: fmt.Sprintf("run %d of another job was left unfinished on it", run.ID)}}
	}

	log.Warn("dropping an unfinished run: the job has changed since", "unfinished_run", run.ID,
		"committed_chunks", run.Committed, "committed_rows", run.RowsDone)

	return Unfinished(ctx, conn, log, l, run)
}

// MustKeep reports whether the unfinished run of another job is not for job j to drop. Whoever
// has stopped it has read that it can be resumed; a schedule, which changes its job, and a
// machine that was killed, have not.
func MustKeep(j job.Job, run ledger.RunInfo) bool {
	return !j.ReplacesUnfinished() && run.Committed > 0 && run.LastError != ""
}
