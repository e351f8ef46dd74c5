package main

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/proto"

	"github.com/loadgrid/loadgrid/internal/testleak"
)

// otelEnv sets these variables, and removes all others that request traces.
func otelEnv(t *testing.T, set map[string]string) {
	t.Helper()
	for _, e := range os.Environ() {
		if name, _, _ := strings.Cut(e, "="); strings.HasPrefix(name, "OTEL_") || strings.HasPrefix(name, "TRACE") {
			t.Setenv(name, "")
		}
	}

	for name, value := range set {
		t.Setenv(name, value)
	}
}

// traceCollector is a collector that keeps the traces that it receives.
type traceCollector struct {
	mu   sync.Mutex
	got  []*collector.ExportTraceServiceRequest
	hits int
}

func (c *traceCollector) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()

	c.hits++
	body, err := io.ReadAll(r.Body)
	request := new(collector.ExportTraceServiceRequest)
	if err == nil && r.URL.Path == "/v1/traces" && proto.Unmarshal(body, request) == nil {
		c.got = append(c.got, request)
	}
}

func newTraceCollector(t *testing.T) (*traceCollector, string) {
	c := new(traceCollector)
	server := httptest.NewServer(c)
	t.Cleanup(server.Close)
	return c, server.URL
}

// warnings collects them.
type warnings struct {
	mu  sync.Mutex
	all []string
}

func (w *warnings) add(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all = append(w.all, err.Error())
}

func attributeText(attributes []*common.KeyValue, key string) string {
	for _, a := range attributes {
		if a.GetKey() == key {
			return a.GetValue().GetStringValue()
		}
	}

	return ""
}

func TestSpansArrive(t *testing.T) {
	c, url := newTraceCollector(t)
	otelEnv(t, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": url, "OTEL_RESOURCE_ATTRIBUTES": "team=maps",
		"TRACEPARENT": "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01"})

	var w warnings
	ctx, tracer, stop := startTracing(t.Context(), os.Getenv, "1.2.3", io.Discard, w.add)
	if tracer == nil {
		t.Fatal("no tracer")
	}

	ctx, run := tracer.Start(ctx, "run", trace.WithAttributes(attribute.String("loadgrid.table", "grid")))
	_, stage := tracer.Start(ctx, "stage")
	stage.End()
	run.End()
	stop()
	if len(w.all) > 0 || len(c.got) != 1 {
		t.Fatalf("warnings %q, %d requests", w.all, len(c.got))
	}

	sent := c.got[0].GetResourceSpans()[0]
	about := sent.GetResource().GetAttributes()
	if attributeText(about, "service.name") != "loadgrid" || attributeText(about, "service.version") != "1.2.3" || attributeText(about, "team") != "maps" {
		t.Errorf("resource %v", about)
	}

	spans := sent.GetScopeSpans()[0].GetSpans()
	if len(spans) != 2 || spans[0].GetName() != "stage" || spans[1].GetName() != "run" {
		t.Fatalf("spans %v", spans)
	}
	if attributeText(spans[1].GetAttributes(), "loadgrid.table") != "grid" {
		t.Errorf("attributes %v", spans[1].GetAttributes())
	}

	if !bytes.Equal(spans[1].GetParentSpanId(), []byte{1, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef}) ||
		!bytes.Equal(spans[0].GetParentSpanId(), spans[1].GetSpanId()) {
		t.Errorf("parents %x, %x", spans[1].GetParentSpanId(), spans[0].GetParentSpanId())
	}
}

func TestTheEnvironmentNamesTheService(t *testing.T) {
	c, url := newTraceCollector(t)
	otelEnv(t, map[string]string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": url + "/v1/traces", "OTEL_SERVICE_NAME": "night"})

	var w warnings
	ctx, tracer, stop := startTracing(t.Context(), os.Getenv, "1", io.Discard, w.add)
	_, span := tracer.Start(ctx, "run")
	span.End()
	stop()
	if len(c.got) != 1 || attributeText(c.got[0].GetResourceSpans()[0].GetResource().GetAttributes(), "service.name") != "night" {
		t.Errorf("%v, warnings %q", c.got, w.all)
	}
}

func TestNoTracesUnlessAskedFor(t *testing.T) {
	c, url := newTraceCollector(t)
	for name, env := range map[string]map[string]string{
		"nothing set": {"OTEL_SERVICE_NAME": "x"},
		"disabled":    {"OTEL_EXPORTER_OTLP_ENDPOINT": url, "OTEL_SDK_DISABLED": "TRUE"},
		"none":        {"OTEL_EXPORTER_OTLP_ENDPOINT": url, "OTEL_TRACES_EXPORTER": "none"},
	} {
		t.Run(name, func(t *testing.T) {
			otelEnv(t, env)
			before := goleak.IgnoreCurrent()

			var w warnings
			ctx, tracer, stop := startTracing(t.Context(), os.Getenv, "1", io.Discard, w.add)
			if tracer != nil || ctx != t.Context() || len(w.all) > 0 {
				t.Errorf("tracer %v, warnings %q", tracer, w.all)
			}

			if err := testleak.Find(before); err != nil {
				t.Error(err)
			}
			stop()
		})
	}

	if c.hits > 0 {
		t.Error("somebody connected to the collector")
	}
}

func TestWrongTracesAreAWarning(t *testing.T) {
	const protocol = "http/protobuf, which collectors receive on port 4318"
	for _, tt := range []struct {
		env  map[string]string
		says string
	}{
		{map[string]string{"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, protocol},
		{map[string]string{"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "grpc"}, protocol},
		{map[string]string{"OTEL_TRACES_EXPORTER": "zipkin"}, "otlp, console and none"},
	} {
		otelEnv(t, tt.env)
		var w warnings
		_, tracer, stop := startTracing(t.Context(), os.Getenv, "1", io.Discard, w.add)
		stop()
		if tracer != nil || len(w.all) != 1 || !strings.Contains(w.all[0], tt.says) {
			t.Errorf("%v: %q", tt.env, w.all)
		}
	}
}

func TestTracesOnTheConsole(t *testing.T) {
	otelEnv(t, map[string]string{"OTEL_TRACES_EXPORTER": "console"})
	var out bytes.Buffer
	ctx, tracer, stop := startTracing(t.Context(), os.Getenv, "1", &out, func(err error) { t.Error(err) })
	_, span := tracer.Start(ctx, "run")
	span.End()
	stop()
	if !strings.Contains(out.String(), `"Name":"run"`) {
		t.Errorf("console: %s", out.String())
	}
}

// An unreachable collector, and one that never answers.
func TestACollectorThatIsAway(t *testing.T) {
	release := make(chan struct{})
	silent := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer silent.Close()

	defer close(release)

	for _, url := range []string{"http://127.0.0.1:1", silent.URL} {
		otelEnv(t, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": url, "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "1"})
		var w warnings
		ctx, tracer, stop := startTracing(t.Context(), os.Getenv, "1", io.Discard, w.add)

		for range 5 {
			_, span := tracer.Start(ctx, "run")
			span.End()
		}

		done := make(chan struct{})
		go func() { stop(); close(done) }()
		select {
		case <-done:
		case <-time.After(time.Minute): // the exporter alone would try for a minute each
			t.Fatal("the end of a run waits for the collector")
		}

		w.mu.Lock()
		if len(w.all) != 1 || !strings.Contains(w.all[0], "sending traces") {
			t.Errorf("%s: warnings %q", url, w.all)
		}

		w.mu.Unlock()
	}
}
