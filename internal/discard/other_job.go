package discard

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/loader/job"
	"github.com/loadgrid/loadgrid/loader/ledger"
)

// OtherJob drops the unfinished run of a job other than j, or refuses with a
// *ledger.UnfinishedError.
func OtherJob(ctx context.Context, db conn, log *slog.Logger, l ledger.Ledger, j job.Job, run ledger.RunInfo) error {
	if MustKeep(j, run) {
		return &ledger.UnfinishedError{Run: run.ID, Schema: l.Schema, Resumable: true,
			Err: &geomgen.ParamError{Param: "table", Value: run.Table.String(), Reason: fmt.Sprintf("run %d of another job was left unfinished on it", run.ID)}}
	}

	log.Warn("dropping an unfinished run: the job has changed since", "unfinished_run", run.ID,
		"committed_chunks", run.Committed, "committed_rows", run.RowsDone)

	return Unfinished(ctx, db, log, l, run)
}

// MustKeep reports whether j must not drop the unfinished run of another job. A user who stopped a
// run has read that it can be resumed. A schedule that changes its job has not, and neither has
// anyone when the machine was killed.
func MustKeep(j job.Job, run ledger.RunInfo) bool {
	return !j.ReplacesUnfinished() && run.Committed > 0 && run.LastError != ""
}
