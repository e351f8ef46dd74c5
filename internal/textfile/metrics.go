package textfile

import (
	"math"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
)

// The labels, and the prefix of the names of all metrics.
const (
	labelJob     = "job_name"
	labelTable   = "table"
	labelOutcome = "outcome"
	metricPrefix = "loadgrid_"
)

// The metrics that outlive a run: they keep their value until a run has a newer one, or they are
// counters, to which a run adds.
const (
	lastSuccess  = "loadgrid_last_success_timestamp_seconds"
	lastFailure  = "loadgrid_last_failure_timestamp_seconds"
	tableRows    = "loadgrid_table_rows"
	tableHeap    = "loadgrid_table_heap_bytes"
	tableIndexes = "loadgrid_table_index_bytes"
	runsTotal    = "loadgrid_runs_total"
	retriesTotal = "loadgrid_retries_total"
)

// metrics collects the metrics of a run. node_exporter refuses two help texts for one name, even
// from two versions of loadgrid, so changing a text is as serious as changing a name.
type metrics struct {
	registry *prometheus.Registry
	labels   prometheus.Labels
	previous previous
}

// newMetrics returns the metrics of a record and of the runs before it. Unknown values have no
// metric.
func newMetrics(r Record, p previous) *prometheus.Registry {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		labels:   prometheus.Labels{labelJob: validUTF8(r.Job), labelTable: validUTF8(r.Table)},
		previous: p,
	}

	m.addLastRun(r)
	m.addTable(r)
	m.addCounters(r)

	return m.registry
}

func (m *metrics) addLastRun(r Record) {
	ended, success := float64(r.Ended.UnixMilli())/1000, 1.0
	var succeeded, failed *float64
	if r.Outcome == Failed {
		success, failed = 0, &ended
	} else {
		succeeded = &ended
	}

	m.gauge("loadgrid_last_run_success", "Whether the last run of the job published its table or found it unchanged (1), or failed (0).", success)
	m.gauge("loadgrid_last_run_exit_code", "Exit code of the last run of the job.", float64(r.ExitCode))
	m.gauge("loadgrid_last_run_timestamp_seconds", "When the last run of the job ended, in seconds since 1970.", ended)
	m.kept(lastSuccess, "When the last run of the job that did not fail ended, in seconds since 1970.", succeeded)
	m.kept(lastFailure, "When the last run of the job that failed ended, in seconds since 1970.", failed)

	info := m.vector("loadgrid_last_run_info", "Version of loadgrid and outcome of the last run of the job.", "version", labelOutcome)
	info.WithLabelValues(validUTF8(r.Version), string(r.Outcome)).Set(1)

	m.gauge("loadgrid_last_run_duration_seconds", "How long the last run of the job took, without its wait for another run.", r.Seconds)
	stages := m.vector("loadgrid_last_run_stage_seconds", "How long each stage of the last run of the job took.", "stage")
	for stage, seconds := range r.Stages {
		if isFinite(seconds) {
			stages.WithLabelValues(validUTF8(stage)).Set(seconds)
		}
	}

	m.gauge("loadgrid_last_run_rows", "Rows that the last run of the job committed.", float64(r.CopiedRows))
	m.gauge("loadgrid_last_run_copied_bytes", "Bytes that the last run of the job sent by COPY.", float64(r.CopiedBytes))
	if r.WALBytes > 0 {
		m.gauge("loadgrid_last_run_wal_bytes", "WAL that the whole server wrote during the last run of the job.", float64(r.WALBytes))
	}
	m.gauge("loadgrid_last_run_retries", "How often the last run of the job tried something again.", float64(r.Retries))

	chunks := m.vector("loadgrid_last_run_chunks", "Chunks of the last run of the job: committed by it, resumed from earlier starts, or pending.", "state")
	chunks.WithLabelValues("committed").Set(float64(r.Chunks.Committed))
	chunks.WithLabelValues("resumed").Set(float64(r.Chunks.Resumed))
	chunks.WithLabelValues("pending").Set(float64(r.Chunks.Pending))
}

func (m *metrics) addTable(r Record) {
	var rows, heap, indexes *float64
	known := func(n int64) *float64 {
		f := float64(n)
		return &f
	}

	if r.Outcome == Published {
		rows = known(r.TableRows)
	}
	if r.Outcome == Published && r.HeapBytes > 0 {
		heap, indexes = known(r.HeapBytes), known(r.IndexBytes)
	}

	m.kept(tableRows, "Rows of the table after its last publish.", rows)
	m.kept(tableHeap, "Size of the table without its indexes after its last publish.", heap)
	m.kept(tableIndexes, "Size of the table's indexes after its last publish.", indexes)
}

func (m *metrics) addCounters(r Record) {
	runs := prometheus.NewCounterVec(prometheus.CounterOpts{Name: runsTotal, Help: "Runs of the job by outcome.", ConstLabels: m.labels}, []string{labelOutcome})
	m.registry.MustRegister(runs)
	for _, outcome := range outcomes() {
		n, _ := m.previous.value(runsTotal, string(outcome))
		if outcome == r.Outcome {
			n = max(0, n) + 1
		}
		runs.WithLabelValues(string(outcome)).Add(max(0, n))
	}

	retries := prometheus.NewCounter(prometheus.CounterOpts{Name: retriesTotal, Help: "How often runs of the job tried something again.", ConstLabels: m.labels})
	m.registry.MustRegister(retries)
	before, _ := m.previous.value(retriesTotal, "")
	retries.Add(max(0, before) + float64(max(0, r.Retries)))
}

// gauge adds a number of the last run, unless it is not finite.
func (m *metrics) gauge(name, help string, value float64) {
	if isFinite(value) {
		m.vector(name, help).WithLabelValues().Set(value)
	}
}

// kept adds a number of the run or, if it has none, the number that an earlier run left.
func (m *metrics) kept(name, help string, value *float64) {
	if value != nil {
		m.gauge(name, help, *value)
	} else if before, ok := m.previous.value(name, ""); ok {
		m.gauge(name, help, before)
	}
}

func (m *metrics) vector(name, help string, labels ...string) *prometheus.GaugeVec {
	v := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help, ConstLabels: m.labels}, labels)
	m.registry.MustRegister(v)
	return v
}

func isFinite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// validUTF8 returns text that the format allows.
func validUTF8(s string) string { return strings.ToValidUTF8(s, "?") }
