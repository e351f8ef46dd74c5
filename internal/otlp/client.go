// Package otlp owns the way of spans to an OpenTelemetry collector: OTLP over HTTP, as
// protobuf. OpenTelemetry's own exporter for that links all of gRPC, which is a quarter
// of the program.
package otlp

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/sdk/trace"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

// longestRetry is how long a batch of spans is sent again, as in OpenTelemetry's exporters.
const longestRetry = time.Minute

// maxAnswer bounds what is read of an answer, in bytes.
const maxAnswer = 1 << 16

// NewExporter returns an exporter that takes its settings from the variables
// OTEL_EXPORTER_OTLP_*, those of OTEL_EXPORTER_OTLP_TRACES_* first: ENDPOINT, HEADERS,
// TIMEOUT, COMPRESSION, CERTIFICATE, CLIENT_CERTIFICATE and CLIENT_KEY. An error names the
// variable, and never has the value of HEADERS.
func NewExporter(ctx context.Context, env func(string) string) (trace.SpanExporter, error) {
	config, err := readConfig(env)
	if err != nil {
		return nil, err
	}

	return otlptrace.New(ctx, newClient(config))
}

// client implements otlptrace.Client.
type client struct {
	config  config
	http    *http.Client
	stopped context.Context // ends what is being sent
	stop    context.CancelFunc
}

func newClient(config config) *client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = config.tls
	stopped, stop := context.WithCancel(context.Background())

	return &client{config: config, http: &http.Client{Transport: transport, Timeout: config.timeout}, stopped: stopped, stop: stop}
}

// Start implements otlptrace.Client.
func (c *client) Start(context.Context) error { return nil }

// Stop implements otlptrace.Client.
func (c *client) Stop(context.Context) error {
	c.stop()
	c.http.CloseIdleConnections()
	return nil
}

// UploadTraces implements otlptrace.Client.
func (c *client) UploadTraces(ctx context.Context, spans []*tracepb.ResourceSpans) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(c.stopped, cancel)()

	// The bytes are those of a collector's ExportTraceServiceRequest.
	body, err := proto.Marshal(&tracepb.TracesData{ResourceSpans: spans})
	if err != nil {
		return fmt.Errorf("encoding spans: %w", err)
	}

	if c.config.gzip {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		if _, err := w.Write(body); err != nil {
			return fmt.Errorf("compressing spans: %w", err)
		}
		if err := w.Close(); err != nil {
			return fmt.Errorf("compressing spans: %w", err)
		}

		body = b.Bytes()
	}

	answer, err := backoff.Retry(ctx, func() ([]byte, error) { return c.send(ctx, body) },
		backoff.WithMaxElapsedTime(longestRetry), backoff.WithBackOff(newBackOff()))
	if err != nil {
		return err
	}

	return partialSuccess(answer)
}

// newBackOff has the pauses of OpenTelemetry's exporters.
func newBackOff() backoff.BackOff {
	b := backoff.NewExponentialBackOff()
	b.InitialInterval, b.MaxInterval = 5*time.Second, 30*time.Second
	return b
}

// send sends spans once, and returns the collector's answer. An error that may go away
// is not a permanent one.
func (c *client) send(ctx context.Context, body []byte) (answer []byte, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.config.url, bytes.NewReader(body))
	if err != nil {
		return nil, backoff.Permanent(err)
	}

	request.Header = c.config.headers.Clone()
	request.Header.Set("Content-Type", "application/x-protobuf")
	if c.config.gzip {
		request.Header.Set("Content-Encoding", "gzip")
	}

	response, err := c.http.Do(request)
	if timeout := net.Error(nil); errors.As(err, &timeout) && timeout.Timeout() && ctx.Err() == nil {
		return nil, err
	}
	if err != nil {
		return nil, backoff.Permanent(err)
	}
	defer response.Body.Close()

	answer, err = io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	switch response.StatusCode {
	case http.StatusOK, http.StatusAccepted, http.StatusNoContent:
		return answer, err
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		if seconds, err := strconv.Atoi(response.Header.Get("Retry-After")); err == nil {
			return nil, fmt.Errorf("the collector answers %s: %w", response.Status, backoff.RetryAfter(seconds))
		}

		return nil, fmt.Errorf("the collector answers %s", response.Status)
	}

	text := strings.Join(strings.Fields(string(answer)), " ")
	return nil, backoff.Permanent(fmt.Errorf("the collector answers %s: %.200q", response.Status, text))
}

// partialSuccess is an error where the collector has not taken all spans. The answer is
// an ExportTraceServiceResponse, with partial_success = 1, and in it rejected_spans = 1
// and error_message = 2.
func partialSuccess(answer []byte) error {
	var message, text []byte
	rejected := uint64(0)
	eachField(answer, func(field protowire.Number, kind protowire.Type, value []byte) {
		if field == 1 && kind == protowire.BytesType {
			part, _ := protowire.ConsumeBytes(value)
			message = append(message, part...)
		}
	})
	eachField(message, func(field protowire.Number, kind protowire.Type, value []byte) {
		switch {
		case field == 1 && kind == protowire.VarintType:
			rejected, _ = protowire.ConsumeVarint(value)
		case field == 2 && kind == protowire.BytesType:
			text, _ = protowire.ConsumeBytes(value)
		}
	})

	if rejected == 0 && len(text) == 0 {
		return nil
	}
	return fmt.Errorf("the collector did not take %d spans: %.200q", rejected, text)
}

// eachField calls do for each field of a message in protobuf, up to the first one that
// cannot be read.
func eachField(message []byte, do func(field protowire.Number, kind protowire.Type, value []byte)) {
	for len(message) > 0 {
		field, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return
		}

		message = message[n:]
		if n = protowire.ConsumeFieldValue(field, kind, message); n < 0 {
			return
		}

		do(field, kind, message[:n])
		message = message[n:]
	}
}
