package textfile

// lifetime says what becomes of a job's series when the job runs again.
type lifetime int

const (
	ofRun   lifetime = iota // of the last run: those of the run before go
	kept                    // as they are until a run has something newer
	counted                 // counters: a run adds to them
)

// family is a metric that loadgrid writes.
type family struct {
	name, help string
	lifetime   lifetime
}

// families returns all of them in the order in which they are written. A file may
// hold series of several versions of loadgrid, and node_exporter refuses two help
// texts for one name: another text is as good as another name.
func families() []family {
	return []family{
		{"loadgrid_last_run_success", "Whether the last run of the job published its table or found it unchanged (1), or failed (0).", ofRun},
		{"loadgrid_last_run_exit_code", "Exit code of the last run of the job.", ofRun},
		{"loadgrid_last_run_timestamp_seconds", "When the last run of the job ended, in seconds since 1970.", ofRun},
		{"loadgrid_last_success_timestamp_seconds", "When the last run of the job that did not fail ended, in seconds since 1970.", kept},
		{"loadgrid_last_failure_timestamp_seconds", "When the last run of the job that failed ended, in seconds since 1970.", kept},
		{"loadgrid_last_run_info", "Version of loadgrid and outcome of the last run of the job.", ofRun},
		{"loadgrid_last_run_duration_seconds", "How long the last run of the job took, without its wait for another run.", ofRun},
		{"loadgrid_last_run_stage_seconds", "How long each stage of the last run of the job took.", ofRun},
		{"loadgrid_last_run_rows", "Rows that the last run of the job committed.", ofRun},
		{"loadgrid_last_run_copied_bytes", "Bytes that the last run of the job sent by COPY.", ofRun},
		{"loadgrid_last_run_wal_bytes", "WAL that the whole server wrote during the last run of the job.", ofRun},
		{"loadgrid_last_run_retries", "How often the last run of the job tried something again.", ofRun},
		{"loadgrid_last_run_chunks", "Chunks of the last run of the job: committed by it, resumed from earlier starts, or pending.", ofRun},
		{"loadgrid_table_rows", "Rows of the table after its last publish.", kept},
		{"loadgrid_table_heap_bytes", "Size of the table without its indexes after its last publish.", kept},
		{"loadgrid_table_index_bytes", "Size of the table's indexes after its last publish.", kept},
		{"loadgrid_runs_total", "Runs of the job by outcome.", counted},
		{"loadgrid_retries_total", "How often runs of the job tried something again.", counted},
	}
}

// sample is one number of a record.
type sample struct {
	name  string
	value float64
	extra []label // besides those of the job
}

// samples returns the numbers of a record. What is not known has none.
func samples(r Record) []sample {
	success, ended := 1.0, float64(r.Ended.UnixMilli())/1000
	lastOf := "loadgrid_last_success_timestamp_seconds"
	if r.Outcome == Failed {
		success, lastOf = 0, "loadgrid_last_failure_timestamp_seconds"
	}

	all := []sample{
		{"loadgrid_last_run_success", success, nil},
		{"loadgrid_last_run_exit_code", float64(r.ExitCode), nil},
		{"loadgrid_last_run_timestamp_seconds", ended, nil},
		{lastOf, ended, nil},
		{"loadgrid_last_run_info", 1, []label{{"outcome", string(r.Outcome)}, {"version", r.Version}}},
		{"loadgrid_last_run_duration_seconds", r.Seconds, nil},
		{"loadgrid_last_run_rows", float64(r.CopiedRows), nil},
		{"loadgrid_last_run_copied_bytes", float64(r.CopiedBytes), nil},
		{"loadgrid_last_run_retries", float64(r.Retries), nil},
		{"loadgrid_last_run_chunks", float64(r.Chunks.Committed), []label{{"state", "committed"}}},
		{"loadgrid_last_run_chunks", float64(r.Chunks.Resumed), []label{{"state", "resumed"}}},
		{"loadgrid_last_run_chunks", float64(r.Chunks.Pending), []label{{"state", "pending"}}},
		{"loadgrid_retries_total", float64(r.Retries), nil},
	}

	for stage, seconds := range r.Stages {
		all = append(all, sample{"loadgrid_last_run_stage_seconds", seconds, []label{{"stage", stage}}})
	}

	for _, o := range outcomes() {
		var n float64
		if o == r.Outcome {
			n = 1
		}

		all = append(all, sample{"loadgrid_runs_total", n, []label{{"outcome", string(o)}}})
	}

	if r.WALBytes > 0 {
		all = append(all, sample{"loadgrid_last_run_wal_bytes", float64(r.WALBytes), nil})
	}

	if r.Outcome == Published {
		all = append(all, sample{"loadgrid_table_rows", float64(r.TableRows), nil})
		if r.HeapBytes > 0 {
			all = append(all, sample{"loadgrid_table_heap_bytes", float64(r.HeapBytes), nil},
				sample{"loadgrid_table_index_bytes", float64(r.IndexBytes), nil})
		}
	}

	return all
}
