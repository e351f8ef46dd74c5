package integration

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgerrcode"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	collectortrace "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/loadgrid/loadgrid/loader"
)

// objects parses what a process wrote to stderr with --log-format json: each line is an object.
func (r result) objects(t *testing.T) []map[string]any {
	t.Helper()
	var list []map[string]any
	for line := range strings.Lines(r.stderr) {
		var o map[string]any
		if err := json.Unmarshal([]byte(line), &o); err != nil {
			t.Errorf("not an object: %q: %v", line, err)
			continue
		}
		list = append(list, o)
	}

	return list
}

// With --log-format json, everything on stderr is an object with its job and, once there is a run, its
// number. Objects about a chunk name the chunk.
func TestLogFormatJSON(t *testing.T) {
	s := newSandbox(t)
	args := s.load("grid", appendArgs(smallGrid(), "--log-format", "json")...)
	b := s.pauseAtChunk(5)
	p := start(t, s.dsn, args...)
	b.waitUntilReached()
	s.waitForChunks(5)
	s.exec("select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1 and wait_event = 'advisory'", s.application())
	p.waitForOutput("trying again", 1)
	_ = p.cmd.Process.Signal(interrupt)
	r := p.wait()
	b.remove()
	r.expect(t, 130, `"msg":"stopped by SIGINT: run 1 has 5 of 40 chunks committed`)
	seen := map[string]int{}

	for _, o := range r.objects(t) {
		if o["job"] != s.schema+".grid" {
			t.Errorf("no job in %v", o)
		}
		what := fmt.Sprint(o["type"], " ", o["msg"])
		seen[what]++
		run, stage, chunk := o["run"], o["stage"], o["chunk"]

		switch what {
		case "log chunk is committed":
			if run != 1.0 || stage != "load" || chunk == nil || o["rows"] != 500.0 || o["level"] != "INFO" {
				t.Errorf("a chunk: %v", o)
			}
		case "log trying again":
			if run != 1.0 || stage != "load" || chunk == nil || o["sqlstate"] != pgerrcode.AdminShutdown || o["level"] != "WARN" {
				t.Errorf("a retry: %v", o)
			}
		}
	}

	if seen["log chunk is committed"] != 5 || seen["log trying again"] == 0 || seen["log stage is done"] != 1 {
		t.Errorf("it wrote %v", seen)
	}
	if got := queryOne[string](t, s.pool, "select last_error || ', ' || outcome || ', ' || error from "+s.name("runs")+", "+s.name("attempts")); got != "stopped by SIGINT, stopped, stopped by SIGINT" {
		t.Errorf("the ledger has %q", got)
	}

	again := cli(t, s.dsn, args...)
	objects := again.objects(t)
	last := objects[len(objects)-1]
	if again.code != 0 || last["type"] != "summary" || last["job"] != s.schema+".grid" || last["run"] != 1.0 || last["rows_copied"] != float64(35*500) {
		t.Errorf("exit code %d, %v", again.code, last)
	}

	wrong := cli(t, s.dsn, appendArgs(args, "--streams", "1000")...)
	if o := wrong.objects(t); wrong.code != 2 || len(o) != 1 || o[0]["level"] != "ERROR" {
		t.Errorf("exit code %d: %s", wrong.code, wrong.stderr)
	}

	cli(t, s.dsn, appendArgs(args, "--progress", "bar")...).expect(t, 2, "conflicts with log-format json")
}

// The ledger records who started a run and from where, how each stage went, what was retried and why it
// failed. It shows this to people and to programs.
func TestRunsTell(t *testing.T) {
	s := newSandbox(t)
	ledger := []string{"--ledger-schema", s.schema}
	args := s.load("grid", appendArgs(smallGrid(), "--if-exists", "replace")...)
	s.killAfter(3, args...)
	cli(t, s.dsn, appendArgs(args, "--after", "select 1 / 0")...).expect(t, 4, "22012")
	b := s.pauseAtChunk(0)
	other := start(t, s.dsn, s.load("other", boxes(5, 5)...)...)
	b.waitUntilReached()
	s.exec("select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1 and wait_event = 'advisory'", s.application())
	other.waitForOutput("trying again", 1)
	b.release()
	other.wait().expect(t, 0)
	b.remove()
	mustCLI(t, s.dsn, args...)
	cli(t, s.dsn, s.load("third", appendArgs(boxes(2, 2), "--set", "a:jsonb=1", "--after", "selec")...)...).expect(t, 4, "42601")

	var runs []loader.RunInfo
	if err := json.Unmarshal([]byte(mustCLI(t, s.dsn, appendArgs([]string{"runs", "list", "--json"}, ledger...)...)), &runs); err != nil || len(runs) != 3 {
		t.Fatalf("%d runs, %v", len(runs), err)
	}

	host, _ := os.Hostname()
	role := queryOne[string](t, s.pool, "select current_user::text")
	for _, r := range runs {
		for i, h := range r.History {
			if h.No != i+1 || h.Role != role || h.Host != host || h.OSUser == "" || h.Version == "" || h.StartedAt.IsZero() {
				t.Errorf("run %d: start %+v", r.ID, h)
			}
		}
	}

	third, second, first := runs[0], runs[1], runs[2]
	if first.JobName != s.schema+".grid" || len(first.History) != 3 || first.State != loader.StatePublished {
		t.Fatalf("the first run: %+v", first)
	}

	if h := first.History[0]; h.EndedAt != nil || h.Outcome != "" {
		t.Errorf("the start that was killed: %+v", h)
	}
	if h := first.History[1]; h.Outcome != loader.OutcomeFailed || h.SQLState != pgerrcode.DivisionByZero || h.Rows != 37*500 || h.RowsPerSecond <= 0 || h.StageSeconds[loader.StagePublish] <= 0 {
		t.Errorf("the start that failed: %+v", h)
	}
	if h := first.History[2]; h.Outcome != loader.OutcomePublished || h.SQLState != "" || h.Rows != 0 || h.EndedAt == nil {
		t.Errorf("the last start: %+v", h)
	}
	if h := second.History[0]; h.Retries == 0 || len(h.RecentRetries) != h.Retries || h.RecentRetries[0].SQLState != pgerrcode.AdminShutdown || h.RecentRetries[0].Stage != loader.StageLoad || h.Outcome != loader.OutcomePublished {
		t.Errorf("the start with retries: %+v", h)
	}
	if h := third.History[0]; third.State != loader.StateLoading || h.SQLState != pgerrcode.SyntaxError || !strings.Contains(h.Error, "after, statement 1 of 1") {
		t.Errorf("the third: %s, %+v", third.State, h)
	}

	list := mustCLI(t, s.dsn, appendArgs([]string{"runs", "list", "--wide"}, ledger...)...)
	for _, words := range []string{"42601", "@" + host, "published", "failed"} {
		if !strings.Contains(list, words) {
			t.Errorf("the list lacks %q:\n%s", words, list)
		}
	}
	show := mustCLI(t, s.dsn, appendArgs([]string{"runs", "show", "1"}, ledger...)...)
	for _, words := range []string{"attempt 3", "killed, or lost its server", "division by zero", "18,500, ", "publish 0."} {
		if !strings.Contains(show, words) {
			t.Errorf("show lacks %q:\n%s", words, show)
		}
	}

	var one loader.RunInfo
	if err := json.Unmarshal([]byte(mustCLI(t, s.dsn, appendArgs([]string{"runs", "show", "2", "--json"}, ledger...)...)), &one); err != nil || one.ID != 2 || len(one.History) != 1 {
		t.Errorf("show --json: %+v, %v", one, err)
	}

	for _, c := range []struct {
		args []string
		ids  string
	}{{[]string{"--limit", "2"}, "3 2"}, {[]string{"--table", s.schema + ".other"}, "2"}, {[]string{"--table", "grid"}, "1"}, {[]string{"--table", "none.grid"}, ""}} {
		var runs []loader.RunInfo
		out := mustCLI(t, s.dsn, appendArgs(appendArgs([]string{"runs", "list", "--json"}, c.args...), ledger...)...)
		if err := json.Unmarshal([]byte(out), &runs); err != nil || !strings.HasPrefix(out, "[") {
			t.Fatalf("%v: %v: %s", c.args, err, out)
		}

		var ids []string
		for _, r := range runs {
			ids = append(ids, fmt.Sprint(r.ID))
		}
		if got := strings.Join(ids, " "); got != c.ids {
			t.Errorf("%v lists %s, want %s", c.args, got, c.ids)
		}
	}
}

// Old runs are removed from the ledger, except unfinished runs and those whose table is shown or kept.
func TestPruneRuns(t *testing.T) {
	s := newSandbox(t)
	replace := func(table string, n int, more ...string) {
		t.Helper()
		mustCLI(t, s.dsn, s.load(table, appendArgs(appendArgs(boxes(10+n, 10), more...), "--if-exists", "replace")...)...)
	}

	ids := func() string {
		t.Helper()
		return queryOne[string](t, s.pool, "select string_agg(id::text, ' ' order by id) from "+s.name("runs"))
	}

	for n := range 4 {
		replace("grid", n, "--keep", "1") // 1 to 4
	}
	replace("gone", 1)                                                                                      // 5
	replace("other", 1)                                                                                     // 6
	replace("other", 2)                                                                                     // 7
	cli(t, s.dsn, s.load("third", appendArgs(boxes(2, 2), "--after", "selec")...)...).expect(t, 4, "42601") // 8
	s.killAfter(2, s.load("fourth", smallGrid()...)...)                                                     // 9
	mustCLI(t, s.dsn, "runs", "drop", "9", "--ledger-schema", s.schema)
	prune := []string{"runs", "prune", "--ledger-schema", s.schema, "--older-than"}
	if out := mustCLI(t, s.dsn, appendArgs(prune, "1d")...); out != "removed 0 runs from the ledger\n" || ids() != "1 2 3 4 5 6 7 8 9" {
		t.Errorf("%s leaves %s", out, ids())
	}

	s.exec("update " + s.name("runs") + " set finished_at = finished_at - interval '25 hours'")
	s.exec("drop table " + s.name("gone"))

	// A load prunes only the runs of its own table. The version that it puts away is kept, and is from
	// today.
	replace("grid", 9, "--keep", "1", "--prune-runs", "1d") // 10
	if got := ids(); got != "4 5 6 7 8 9 10" {
		t.Errorf("after the load, the runs are %s", got)
	}
	if out := mustCLI(t, s.dsn, appendArgs(prune, "1d")...); out != "removed 3 runs from the ledger\n" || ids() != "4 7 8 10" {
		t.Errorf("%s leaves %s", out, ids())
	}
	if n := queryOne[int64](t, s.pool, "select count(*) from "+s.name("chunks")+" where run_id not in (4, 7, 8, 10)"); n != 0 {
		t.Errorf("%d chunks of pruned runs are left", n)
	}

	mustCLI(t, s.dsn, "runs", "rollback", "4", "--ledger-schema", s.schema)
	if n := queryOne[int64](t, s.pool, "select count(*) from "+s.name("grid")); n != 130 {
		t.Errorf("the kept version has %d rows", n)
	}
	for _, age := range []string{"", "0d", "-1d", "1", "NaNd", "1e300d", "500ms", "x"} {
		cli(t, s.dsn, appendArgs(prune, age)...).expect(t, 2, "--older-than")
	}

	cli(t, s.dsn, "runs", "prune").expect(t, 2, "--older-than is required")
	cli(t, s.dsn, s.load("grid", appendArgs(boxes(2, 2), "--prune-runs", "never")...)...).expect(t, 2, "--prune-runs")
}

// A nightly job that finds its cells in the table leaves no run for each night.
func TestPruneRunsThatAddedNothing(t *testing.T) {
	s := newSandbox(t)
	mustCLI(t, s.dsn, s.load("grid", boxes(10, 10)...)...) // 1
	add := func(cols string, more ...string) {
		t.Helper()
		mustCLI(t, s.dsn, s.load("grid", appendArgs([]string{"--cell-size", "1", "--extent", "0,0," + cols + ",10", "--if-exists", "append", "--on-conflict", "skip"}, more...)...)...)
	}

	add("12") // 2: 20 rows
	add("12") // 3
	add("12") // 4
	add("9")  // 5: another job, which has never added a row
	add("9")  // 6
	add("12") // 7
	mark := "create table if not exists " + s.name("log") + " (n int)"
	write := "update {{table}} set col = col where col = 3 and row = 3"
	add("9", "--after", mark)  // 8
	add("9", "--after", write) // 9
	add("9", "--after", mark)  // 10
	s.exec("update " + s.name("runs") + " set finished_at = finished_at - interval '25 hours'")
	out := mustCLI(t, s.dsn, "runs", "prune", "--ledger-schema", s.schema, "--older-than", "1d")
	if got := queryOne[string](t, s.pool, "select string_agg(id::text, ' ' order by id) from "+s.name("runs")); got != "1 2 7 9 10" {
		t.Errorf("%s leaves %s", out, got)
	}
	if skipped, why := s.unchanged(s.load("grid", "--cell-size", "1", "--extent", "0,0,12,10", "--if-exists", "append", "--on-conflict", "skip")); !skipped {
		t.Errorf("the job runs again: %s", why)
	}

	s.checkCells("grid", 120)
}

// A trace contains the run, the run contains the stages, and the stage load contains the chunks.
func TestSpans(t *testing.T) {
	s := newSandbox(t)
	recorder := tracetest.NewSpanRecorder()
	tracer := trace.NewTracerProvider(trace.WithSpanProcessor(recorder)).Tracer("test")
	job := s.smallJob(5000)
	if _, err := loader.Run(context.Background(), openPool(t, s.dsn, nil), job, loader.Options{Tracer: tracer, JobName: "nightly"}); err != nil {
		t.Fatal(err)
	}

	names, parents := map[string]int{}, map[string]string{}
	byID := map[string]string{}
	for _, span := range recorder.Ended() {
		byID[span.SpanContext().SpanID().String()] = span.Name()
	}

	for _, span := range recorder.Ended() {
		names[span.Name()]++
		parents[span.Name()] = byID[span.Parent().SpanID().String()]
		has := fmt.Sprint(span.Attributes())
		if span.Status().Code == codes.Error || !strings.Contains(has, "loadgrid.run") {
			t.Errorf("span %s: %v, %s", span.Name(), span.Status(), has)
		}
		if span.Name() == "run" && !strings.Contains(has, "nightly") || span.Name() == "chunk" && !strings.Contains(has, "loadgrid.chunk") {
			t.Errorf("span %s has %s", span.Name(), has)
		}
	}

	if names["run"] != 1 || names["chunk"] != 4 || len(names) != 2+len(loader.Stages()) {
		t.Errorf("spans %v", names)
	}
	for name, parent := range parents {
		want := "run"
		switch name {
		case "run":
			want = ""
		case "chunk":
			want = "load"
		}

		if parent != want {
			t.Errorf("span %s is in %q, want %q", name, parent, want)
		}
	}

	job.After = "select 1 / 0"
	job.IfExists = loader.Replace
	if _, err := loader.Run(context.Background(), openPool(t, s.dsn, nil), job, loader.Options{Tracer: tracer}); err == nil {
		t.Fatal("the run did not fail")
	}

	failed := 0
	for _, span := range recorder.Ended() {
		if span.Status().Code == codes.Error && strings.Contains(span.Status().Description, "22012") {
			failed++
		}
	}

	if failed != 2 {
		t.Errorf("%d spans have the error, want the run's and that of publish", failed)
	}
}

// The program sends its spans to the address in the environment, as children of the span in which it was
// started. If the collector is away, that costs a warning but not the load.
func TestTracesReachACollector(t *testing.T) {
	s := newSandbox(t)
	var mu sync.Mutex
	spans := map[string]int{}
	var traces []string
	collector := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		var request collectortrace.ExportTraceServiceRequest
		if err == nil {
			err = proto.Unmarshal(b, &request)
		}
		if err != nil {
			t.Errorf("the collector got %d bytes: %v", len(b), err)
		}

		mu.Lock()
		defer mu.Unlock()
		for _, resource := range request.GetResourceSpans() {
			for _, scope := range resource.GetScopeSpans() {
				for _, span := range scope.GetSpans() {
					spans[span.GetName()]++
					traces = append(traces, hex.EncodeToString(span.GetTraceId()))
				}
			}
		}
	}))
	defer collector.Close()
	const trace = "4bf92f3577b34da6a3ce929d0e0e4736"
	env := []string{"OTEL_EXPORTER_OTLP_ENDPOINT=" + collector.URL, "TRACEPARENT=00-" + trace + "-00f067aa0ba902b7-01"}
	r := startWith(t, env, s.dsn, s.load("grid", appendArgs(smallGrid(), "--log-format", "json")...)...).wait()
	if w := r.warnings(t); r.code != 0 || len(w) != 0 {
		t.Fatalf("exit code %d, warnings %q: %s", r.code, w, r.stderr)
	}

	mu.Lock()
	if spans["run"] != 1 || spans["chunk"] != smallChunks || spans["publish"] != 1 || len(slices.Compact(traces)) != 1 || traces[0] != trace {
		t.Errorf("the collector has %v of traces %v", spans, slices.Compact(traces))
	}

	mu.Unlock()

	env = []string{"OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:1"}
	r = startWith(t, env, s.dsn, s.load("other", appendArgs(boxes(5, 5), "--log-format", "json")...)...).wait()
	warned := 0
	for _, o := range r.objects(t) {
		if o["level"] == "WARN" {
			warned++
		}
	}

	if r.code != 0 || warned != 1 {
		t.Errorf("exit code %d, %d warnings: %s", r.code, warned, r.stderr)
	}
	s.checkBoxes("other", 5, 5)
}
