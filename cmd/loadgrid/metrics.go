package main

import (
	"context"
	"errors"
	"time"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/textfile"
	"github.com/loadgrid/loadgrid/loader"
)

// writeMetrics writes the metrics of a run for Prometheus, even if the run failed before it
// connected. It is not part of the run, so its errors are only warnings.
func (o *loadOptions) writeMetrics(ctx context.Context, r *reporter, s loader.Summary, failed error, elapsed time.Duration) {
	record := newMetricsRecord(s, elapsed)
	// As named in the job, because the schema is unknown before there is a connection.
	record.Job, record.Table = o.name(), o.job.Table.String()
	record.Version, record.Ended = version(), time.Now()
	if failed != nil {
		record.Outcome, record.ExitCode = textfile.Failed, exitCode(ctx, failed)
	}

	err := textfile.Write(o.metricsFile(), record)
	var warning *textfile.Warning
	switch {
	case errors.As(err, &warning):
		r.log().Warn(warning.Error(), "job", o.name())
	case err != nil:
		r.log().Warn("the metrics were not written", "job", o.name(), "error", err.Error())
	}
}

// metricsFile is the file for the job's metrics, "" for none.
func (o *loadOptions) metricsFile() string { return textfile.Expand(o.textfile, o.name()) }

// checkMetricsFile refuses a file that nobody would read.
func (o *loadOptions) checkMetricsFile() error {
	if o.textfile == "" {
		return nil
	}

	if err := textfile.CheckName(o.textfile); err != nil {
		return &geomgen.ParamError{Param: "metrics-textfile", Value: o.textfile, Reason: err.Error()}
	}
	return nil
}

// checkMetricsFiles refuses a file that several jobs would share.
func checkMetricsFiles(jobs []*preparedJob) error {
	files := make([]string, len(jobs))
	for i, p := range jobs {
		files[i] = p.options.metricsFile()
	}

	i, err := textfile.CheckJobs(files)
	if err == nil {
		return nil
	}
	return jobs[i].locate(&geomgen.ParamError{Param: "metrics-textfile", Value: jobs[i].options.textfile, Reason: err.Error()})
}

// newMetricsRecord returns the metrics of a summary. elapsed is the time since the start of the work,
// because the summary of a run that failed early has no seconds.
func newMetricsRecord(s loader.Summary, elapsed time.Duration) textfile.Record {
	record := textfile.Record{
		Outcome:     textfile.Published,
		ExitCode:    exitDone,
		Seconds:     elapsed.Seconds() - s.WaitSeconds,
		TableRows:   s.TableRows,
		HeapBytes:   s.HeapBytes,
		IndexBytes:  s.IndexBytes,
		CopiedRows:  s.RowsCopied,
		CopiedBytes: s.CopyBytes,
		WALBytes:    s.WALBytes,
		Retries:     int64(s.Retries),
		Stages:      map[string]float64{},
		Chunks: textfile.Chunks{
			Committed: s.ChunksCopied,
			Resumed:   s.ChunksResumed,
			Pending:   s.Chunks - s.ChunksCopied - s.ChunksResumed,
		},
	}

	for stage, seconds := range s.StageSeconds {
		record.Stages[string(stage)] = seconds
	}
	if s.WaitSeconds > 0 {
		record.Stages["wait"] = s.WaitSeconds
	}

	if s.Unchanged {
		record.Outcome = textfile.Unchanged
	}
	return record
}
