package plan

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/loader/job"
)

// FuzzJob reads jobs as the ledger stores them. Anything else is refused. A job that went through the ledger
// stays the same, with the same fingerprint.
func FuzzJob(f *testing.F) {
	for _, seed := range []string{
		`{"table":{"schema":"s","name":"t"},"grid":{"x0":0,"y0":0,"dx":1,"dy":1,"srid":0},"cols":10,"rows":8}`,
		`{"table":{"name":"t"},"grid":{"x0":-0,"y0":0.1,"dx":1e-3,"dy":2,"srid":3035,"rotate":-0.0},"extent":{"XMin":-0.0,"YMin":-1,"XMax":1e1,"YMax":3}}`,
		`{"table":{"name":"t"},"grid":{"dx":1,"dy":1,"rotate":30},"extent":{"XMin":-0,"YMin":-1,"XMax":1,"YMax":3},"if_exists":"append","on_conflict":"skip"}`,
		`{"table":{"name":"t"},"grid":{"dx":1,"dy":1},"cols":2,"rows":2,"if_exists":"replace","publish":"swap","keep":3}`,
		`{"table":{"name":"\u0000"},"grid":{"dx":1,"dy":1,"shape":"hexagon-flat"},"cols":5,"rows":5,"partitions":4,"unlogged":true}`,
		`{"table":{"name":"t"},"grid":{"x0":-20037508.342789244,"y0":20037508.342789244,"dx":626172.1357121639,"dy":626172.1357121639,"srid":3857,"shape":"xyz","zoom":6},"code":"quadkey","code_index":true}`,
		`{"table":{"name":"t"},"grid":{"dx":1,"dy":1},"area":{"rule":"within","sql":"select 1","segmentize":-0},"coverage":true,"clip":true,"geometry":"multipolygon"}`,
		`{"table":{"name":"t"},"grid":{"dx":250,"dy":250,"srid":3035},"cols":5,"rows":5,"code":"inspire","code_order":"ne","set":[{"name":"a","type":"jsonb","value":"{\"\\u0000\":-0}"},{"name":"b","type":"","value":"\ud800"}]}`,
		`{"table":{"name":"t"},"grid":{"dx":1e308,"dy":5e-324},"cols":1073741824,"rows":-1,"streams":9223372036854775807,"chunk_rows":-9223372036854775808}`,
		`{"table":{"name":"t"},"grid":{"dx":1,"dy":1},"cols":1,"rows":1,"set":[]}`,
		`{"table":null,"grid":[],"area":{}}`,
	} {
		f.Add([]byte(seed))
	}

	f.Fuzz(func(t *testing.T, b []byte) {
		var job job.Job
		if err := json.Unmarshal(b, &job); err == nil {
			checkJob(t, job)
		}
	})
}

// checkJob plans a job, and plans it again after a round trip through the ledger.
func checkJob(t *testing.T, j job.Job) {
	t.Helper()
	// A job may ask for the edge of a continent in millimetres: counting stops with its context, and reports
	// that.
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	p, err := New(ctx, j)
	var param *geomgen.ParamError
	var needs *NeedsServerError

	switch {
	case err == nil:
	case errors.As(err, &param) && param.Reason != "", errors.As(err, &needs), errors.Is(err, context.DeadlineExceeded):
		return
	default:
		t.Fatalf("the error is %v", err)
	}

	first, err := json.Marshal(p.Job)
	if err != nil {
		t.Fatal(err)
	}

	var again job.Job
	if err := json.Unmarshal(inLedger(t, first), &again); err != nil {
		t.Fatalf("%s is not read again: %v", first, err)
	}

	q, err := New(context.Background(), again)
	if err != nil {
		t.Fatalf("%s was planned, and is not again: %v", first, err)
	}

	second, err := json.Marshal(q.Job)
	if err != nil || !bytes.Equal(first, second) {
		t.Fatalf("%s becomes %s, %v", first, second, err)
	}

	if a, b := p.Job.Fingerprint(p.Cells), q.Job.Fingerprint(q.Cells); a != b || p.Rows != q.Rows || p.Chunks != q.Chunks {
		t.Fatalf("%s: fingerprint %s of %d rows, then %s of %d", first, a, p.Rows, b, q.Rows)
	}
}

// inLedger changes JSON as a jsonb column does, where that could matter: zero loses its sign, and text cannot
// hold a zero character.
func inLedger(t *testing.T, b []byte) []byte {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(b))
	decoder.UseNumber()
	var v any
	if err := decoder.Decode(&v); err != nil {
		t.Fatal(err)
	}

	var walk func(any) any
	walk = func(v any) any {
		switch v := v.(type) {
		case map[string]any:
			for k := range v {
				v[k] = walk(v[k])
			}
		case []any:
			for i := range v {
				v[i] = walk(v[i])
			}
		case json.Number:
			if f, err := v.Float64(); err == nil && f == 0 {
				return json.Number("0")
			}
		case string:
			if strings.ContainsRune(v, 0) {
				t.Fatalf("%s: the server takes no zero character", b)
			}
		}

		return v
	}

	out, err := json.Marshal(walk(v))
	if err != nil {
		t.Fatal(err)
	}

	return out
}
