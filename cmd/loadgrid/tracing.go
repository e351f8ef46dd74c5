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

// startTracing returns a tracer if the standard variables OTEL_* in the environment request
// traces. Otherwise it returns nil and starts nothing. If TRACEPARENT names the span that the program
// was started in, the context has it. stop sends the remaining traces. It is never nil, takes 3 seconds
// at most, and works even if ctx has ended. The console exporter writes to console.
//
// Traces never stop a load: their errors go to warn, which may be called from any goroutine. Only
// the first failure to send is reported.
func startTracing(ctx context.Context, env func(string) string, version string, console io.Writer, warn func(error)) (_ context.Context, _ trace.Tracer, stop func()) {
	nothing := func() {}
	names := exporterNames(env)
	if len(names) == 0 {
		return ctx, nil, nothing
	}

	// The SDK reports failures in no other way. By default, its global handler and logger write to stderr, between
	// lines of JSON.
	var once sync.Once
	unsent := func(err error) {
		once.Do(func() { warn(fmt.Errorf("sending traces (further failures are not reported): %w", err)) })
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
		warn(fmt.Errorf("reading the resource attributes of traces from OTEL_RESOURCE_ATTRIBUTES and the machine: %w", err))
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

// exporterNames returns the exporters that the environment requests.
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

// newExporter returns an exporter. The exporter itself reads its endpoint, headers, timeout and other settings
// from the environment.
func newExporter(ctx context.Context, name string, env func(string) string, console io.Writer) (sdktrace.SpanExporter, error) {
	switch name {
	case "console":
		return stdouttrace.New(stdouttrace.WithWriter(console))
	case "otlp":
	default:
		return nil, fmt.Errorf("no traces are sent: OTEL_TRACES_EXPORTER is %q, but loadgrid supports only otlp, console and none", name)
	}

	variable := "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"
	if env(variable) == "" {
		variable = "OTEL_EXPORTER_OTLP_PROTOCOL"
	}

	if protocol := env(variable); protocol != "" && protocol != "http/protobuf" {
		return nil, fmt.Errorf("no traces are sent: %s is %q, but loadgrid supports only http/protobuf, which collectors receive on port 4318", variable, protocol)
	}

	exporter, err := otlptracehttp.New(ctx)
	if err != nil {
		return nil, fmt.Errorf("no traces are sent: creating an exporter from the variables OTEL_EXPORTER_OTLP_*: %w", err)
	}
	return exporter, nil
}
