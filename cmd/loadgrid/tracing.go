package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/go-logr/logr/funcr"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/exporters/stdout/stdouttrace"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// traceFlushTimeout is how long the end of a run waits for a collector.
const traceFlushTimeout = 3 * time.Second

// startTracing returns a tracer where the environment asks for traces, by the
// standard variables OTEL_*; else nil, and nothing is started. The context has the
// span that the program was started in, when TRACEPARENT names one. stop sends what
// is left; it is never nil, takes 3 seconds at most, and does not care whether ctx
// has ended. console is where the exporter of that name writes.
//
// Traces never keep a load from running: what is wrong with them goes to warn,
// which is called from any goroutine, and once for all that cannot be sent.
func startTracing(ctx context.Context, env func(string) string, version string, console io.Writer, warn func(error)) (_ context.Context, _ trace.Tracer, stop func()) {
	nothing := func() {}
	names := exporterNames(env)
	if len(names) == 0 {
		return ctx, nil, nothing
	}

	// The SDK has no other way to say what it could not do: handler and logger are the
	// process's, and write to stderr by themselves, between lines of JSON.
	var once sync.Once
	unsent := func(err error) {
		once.Do(func() { warn(fmt.Errorf("sending traces, which goes on without further warnings: %w", err)) })
	}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(unsent))
	otel.SetLogger(funcr.New(func(_, args string) { warn(errors.New("OpenTelemetry: " + args)) }, funcr.Options{}))

	var options []sdktrace.TracerProviderOption
	var exporters []sdktrace.SpanExporter
	for _, name := range names {
		exporter, err := newExporter(ctx, name, env, console)
		if err != nil {
			warn(err)
			continue
		}

		exporters = append(exporters, exporter)
		options = append(options, sdktrace.WithBatcher(exporter))
	}

	if len(exporters) == 0 {
		return ctx, nil, nothing
	}

	about, err := resource.New(ctx, resource.WithAttributes(attribute.String("service.name", "loadgrid"), attribute.String("service.version", version)),
		resource.WithHost(), resource.WithTelemetrySDK(), resource.WithFromEnv()) // the last one wins
	if err != nil {
		warn(fmt.Errorf("reading what traces should say of this program from OTEL_RESOURCE_ATTRIBUTES and the machine: %w", err))
	}

	provider := sdktrace.NewTracerProvider(append(options, sdktrace.WithResource(about))...)
	stop = func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), traceFlushTimeout)
		defer cancel()

		err := provider.Shutdown(ctx)
		for _, exporter := range exporters { // ends what is still being sent
			err = errors.Join(err, exporter.Shutdown(ctx))
		}

		if err != nil {
			unsent(err)
		}
	}

	parent := propagation.MapCarrier{"traceparent": env("TRACEPARENT"), "tracestate": env("TRACESTATE")}
	return propagation.TraceContext{}.Extract(ctx, parent), provider.Tracer("github.com/loadgrid/loadgrid"), stop
}

// exporterNames returns where the environment wants traces to go.
func exporterNames(env func(string) string) (names []string) {
	list := env("OTEL_TRACES_EXPORTER")
	if strings.EqualFold(env("OTEL_SDK_DISABLED"), "true") {
		return nil
	}

	if list == "" && (env("OTEL_EXPORTER_OTLP_ENDPOINT") != "" || env("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") != "") {
		list = "otlp"
	}

	for name := range strings.SplitSeq(list, ",") {
		if name = strings.TrimSpace(name); name != "" && name != "none" {
			names = append(names, name)
		}
	}

	return names
}

// newExporter makes an exporter, which reads endpoint, headers, timeout and the rest
// from the environment by itself.
func newExporter(ctx context.Context, name string, env func(string) string, console io.Writer) (sdktrace.SpanExporter, error) {
	switch name {
	case "console":
		return stdouttrace.New(stdouttrace.WithWriter(console))
	case "otlp":
	default:
		return nil, fmt.Errorf("no traces are sent: OTEL_TRACES_EXPORTER has %q, and loadgrid knows otlp, console and none", name)
	}

	variable := "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"
	if env(variable) == "" {
		variable = "OTEL_EXPORTER_OTLP_PROTOCOL"
	}

	if protocol := env(variable); protocol != "" && protocol != "http/protobuf" {
		return nil, fmt.Errorf("no traces are sent: %s is %q, and loadgrid sends http/protobuf alone, which collectors receive on port 4318", variable, protocol)
	}

	exporter, err := otlptracehttp.New(ctx)
	if err != nil {
		return nil, fmt.Errorf("no traces are sent: making an exporter from the variables OTEL_EXPORTER_OTLP_*: %w", err)
	}
	return exporter, nil
}
