package otlp

import (
	"compress/gzip"
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/proto"
)

// No goroutine outlives the tests.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// environment looks up these variables of OTEL_EXPORTER_OTLP_*.
func environment(set map[string]string) func(string) string {
	return func(name string) string { return set[strings.TrimPrefix(name, "OTEL_EXPORTER_OTLP_")] }
}

// export sends one span by what the environment says.
func export(t *testing.T, ctx context.Context, set map[string]string) error {
	t.Helper()
	exporter, err := NewExporter(t.Context(), environment(set))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := exporter.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
	}()

	return exporter.ExportSpans(ctx, tracetest.SpanStubs{{Name: "run"}}.Snapshots())
}

// spans reads a request as a collector does.
func spans(r *http.Request) (names []string, err error) {
	body := io.Reader(r.Body)
	if r.Header.Get("Content-Encoding") == "gzip" {
		if body, err = gzip.NewReader(r.Body); err != nil {
			return nil, err
		}
	}

	data, err := io.ReadAll(body)
	if err != nil {
		return nil, err
	}

	request := new(collector.ExportTraceServiceRequest)
	if err := proto.Unmarshal(data, request); err != nil {
		return nil, err
	}

	for _, resource := range request.GetResourceSpans() {
		for _, scope := range resource.GetScopeSpans() {
			for _, span := range scope.GetSpans() {
				names = append(names, span.GetName())
			}
		}
	}

	return names, nil
}

func TestExport(t *testing.T) {
	for name, set := range map[string]map[string]string{
		"plain":                {},
		"headers":              {"HEADERS": "api-key=a%20b%2C, team = maps"},
		"headers of traces":    {"HEADERS": "api-key=no", "TRACES_HEADERS": "api-key=a%20b%2C,team=maps"},
		"gzip":                 {"COMPRESSION": "gzip"},
		"no gzip for traces":   {"COMPRESSION": "gzip", "TRACES_COMPRESSION": "none"},
		"a path":               {"path": "/base"},
		"the address as it is": {"TRACES_ENDPOINT": "/as/it/is"},
	} {
		t.Run(name, func(t *testing.T) {
			type received struct {
				names             []string
				err               error
				path, key, coding string
			}
			requests := make(chan received, 1)
			server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				names, err := spans(r)
				requests <- received{names, err, r.URL.Path, r.Header.Get("Api-Key") + "|" + r.Header.Get("Team"), r.Header.Get("Content-Encoding")}
			}))
			defer server.Close()

			want := received{path: set["path"] + "/v1/traces", key: "|"}
			set["ENDPOINT"] = server.URL + set["path"]
			if path := set["TRACES_ENDPOINT"]; path != "" {
				set["TRACES_ENDPOINT"], want.path = server.URL+path, path
			}
			if set["HEADERS"] != "" {
				want.key = "a b,|maps"
			}
			if set["COMPRESSION"] == "gzip" && set["TRACES_COMPRESSION"] == "" {
				want.coding = "gzip"
			}

			if err := export(t, t.Context(), set); err != nil {
				t.Fatal(err)
			}

			got := <-requests
			if got.err != nil || fmt.Sprint(got.names) != "[run]" || got.path != want.path || got.key != want.key || got.coding != want.coding {
				t.Errorf("received %+v, want %+v", got, want)
			}
		})
	}
}

func TestExportSendsAgain(t *testing.T) {
	for _, status := range []int{http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout} {
		hits := 0
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if names, err := spans(r); err != nil || len(names) != 1 {
				t.Errorf("received %q, %v", names, err)
			}
			if hits++; hits < 3 {
				w.Header().Set("Retry-After", "0")
				w.WriteHeader(status)
			}
		}))
		if err := export(t, t.Context(), map[string]string{"ENDPOINT": server.URL}); err != nil || hits != 3 {
			t.Errorf("%d: %v after %d requests", status, err, hits)
		}
		server.Close()
	}
}

func TestExportSaysWhatTheCollectorSays(t *testing.T) {
	message, err := proto.Marshal(&collector.ExportTraceServiceResponse{PartialSuccess: &collector.ExportTracePartialSuccess{RejectedSpans: 7, ErrorMessage: "too old"}})
	if err != nil {
		t.Fatal(err)
	}

	for _, tt := range []struct {
		status       int
		answer, want string // no error where want is empty
	}{
		{http.StatusOK, "", ""},
		{http.StatusOK, "{}", ""},
		{http.StatusOK, string(message), `did not take 7 spans: "too old"`},
		{http.StatusUnauthorized, "no\nkey", `401 Unauthorized: "no key"`},
		{http.StatusBadRequest, "", `400 Bad Request: ""`},
	} {
		hits := 0
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			hits++
			w.WriteHeader(tt.status)
			_, _ = io.WriteString(w, tt.answer)
		}))

		err := export(t, t.Context(), map[string]string{"ENDPOINT": server.URL})
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) || hits != 1 {
			t.Errorf("%d %q: %v after %d requests", tt.status, tt.answer, err, hits)
		}
		server.Close()
	}
}

// The end of a run does not wait for a collector that does not answer.
func TestShutdownEndsWhatIsBeingSent(t *testing.T) {
	begun, release := make(chan struct{}), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { close(begun); <-release }))
	defer server.Close()

	defer close(release)
	exporter, err := NewExporter(t.Context(), environment(map[string]string{"ENDPOINT": server.URL}))
	if err != nil {
		t.Fatal(err)
	}

	ended := make(chan error, 1)
	go func() { ended <- exporter.ExportSpans(t.Context(), tracetest.SpanStubs{{Name: "run"}}.Snapshots()) }()
	<-begun
	if err := exporter.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}

	select {
	case err := <-ended:
		if !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
	case <-time.After(time.Minute):
		t.Fatal("it is still being sent")
	}
}

// A request that takes too long ends by itself: the server waits for that.
func TestTimeout(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()

	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // else the server does not see that the client has gone
		<-r.Context().Done()               // after the timeout
		cancel()
	}))
	defer server.Close()

	err := export(t, ctx, map[string]string{"ENDPOINT": server.URL, "TRACES_TIMEOUT": "50", "TIMEOUT": "3600000"})
	if err == nil {
		t.Error("no error")
	}
}

func TestCertificateOfTheCollector(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	defer server.Close()

	authority := filepath.Join(t.TempDir(), "ca.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(authority, block, 0o600); err != nil {
		t.Fatal(err)
	}

	if err := export(t, t.Context(), map[string]string{"ENDPOINT": server.URL, "CERTIFICATE": authority}); err != nil {
		t.Error(err)
	}
	if err := export(t, t.Context(), map[string]string{"ENDPOINT": server.URL}); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("an unknown certificate: %v", err)
	}
}

func TestWrongSettings(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}

	for _, set := range []map[string]string{
		{"ENDPOINT": "localhost:4318"}, {"TRACES_ENDPOINT": "ftp://h"}, {"ENDPOINT": "http://"}, {"ENDPOINT": "http://me:s3kr1t@h:x"},
		{"HEADERS": "s3kr1t"}, {"TRACES_HEADERS": "a=1,b=s3kr1t%"}, {"HEADERS": "a b=s3kr1t"}, {"HEADERS": "a=s3kr1t%0a"}, {"HEADERS": "=s3kr1t"},
		{"TIMEOUT": "10s"}, {"TRACES_TIMEOUT": "0"}, {"COMPRESSION": "zstd"},
		{"CERTIFICATE": "/nowhere/ca.pem"}, {"TRACES_CERTIFICATE": empty}, {"CLIENT_CERTIFICATE": "c.pem"}, {"TRACES_CLIENT_KEY": "k.pem"},
	} {
		_, err := NewExporter(t.Context(), environment(set))
		for name := range set {
			if err == nil || !strings.Contains(err.Error(), "OTEL_EXPORTER_OTLP_"+name) || strings.Contains(err.Error(), "s3kr1t") {
				t.Errorf("%v: error %v", set, err)
			}
		}
	}

	_, err := NewExporter(t.Context(), environment(map[string]string{"CLIENT_CERTIFICATE": empty, "CLIENT_KEY": empty}))
	if err == nil || !strings.Contains(err.Error(), "CLIENT_KEY") {
		t.Errorf("an empty key: %v", err)
	}
}

// Whatever a collector answers, it is read or passed over.
func FuzzPartialSuccess(f *testing.F) {
	for _, response := range []*collector.ExportTraceServiceResponse{
		{}, {PartialSuccess: &collector.ExportTracePartialSuccess{}},
		{PartialSuccess: &collector.ExportTracePartialSuccess{RejectedSpans: 1 << 40}},
		{PartialSuccess: &collector.ExportTracePartialSuccess{ErrorMessage: "too many"}},
	} {
		data, err := proto.Marshal(response)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}

	f.Fuzz(func(t *testing.T, answer []byte) {
		err := partialSuccess(answer)
		response := new(collector.ExportTraceServiceResponse)
		if proto.Unmarshal(answer, response) != nil {
			return
		}

		p := response.GetPartialSuccess()
		if complains := p.GetRejectedSpans() != 0 || p.GetErrorMessage() != ""; complains && err == nil {
			t.Errorf("of %x nothing is said", answer)
		} else if err != nil && !complains {
			t.Errorf("of %x is said: %v", answer, err)
		}
	})
}
