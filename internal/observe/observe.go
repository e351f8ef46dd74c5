// Package observe reports a run while it is in progress: log lines, spans of a trace, counters and retries.
package observe

import (
	"context"
	"log/slog"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/loader/progress"
)

// LevelEvent is the log level of normal events of a run, such as finished stages and chunks. It is below the
// levels of messages for people.
const LevelEvent = slog.LevelInfo - 1

// Observer reports on a run. Several goroutines may use it.
type Observer struct {
	Log      *slog.Logger
	Progress *progress.Progress

	tracer  trace.Tracer
	retries retries
}

// New returns an observer. log, p and tracer may be nil. Each log line contains the job, the run and the stage of
// the progress.
func New(log *slog.Logger, p *progress.Progress, tracer trace.Tracer) *Observer {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}

	if p == nil {
		p = new(progress.Progress)
	}

	if tracer == nil {
		tracer = noop.NewTracerProvider().Tracer("")
	}

	return &Observer{Log: slog.New(runHandler{log.Handler(), p}), Progress: p, tracer: tracer}
}

// Event logs a normal event of a run.
func (o *Observer) Event(ctx context.Context, msg string, args ...any) {
	o.Log.Log(ctx, LevelEvent, msg, args...)
}

// Span begins a span in the trace of a run. Call end with its error.
func (o *Observer) Span(ctx context.Context, name string, attrs ...attribute.KeyValue) (_ context.Context, end func(error)) {
	ctx, span := o.tracer.Start(ctx, name, trace.WithAttributes(attrs...))

	return ctx, func(err error) {
		span.SetAttributes(attribute.Int64("loadgrid.run", o.Progress.Snapshot().Run))

		if err != nil {
			span.SetAttributes(attribute.String("db.response.status_code", pg.SQLState(err)))
			span.SetStatus(codes.Error, pg.Message(err))
		}

		span.End()
	}
}

// Stage runs a stage with the given number of rows, or 0 if it is unknown, and reports it.
func (o *Observer) Stage(ctx context.Context, name progress.Stage, rows int64, do func(context.Context) error) error {
	began := time.Now()
	o.Progress.Begin(name, rows)

	ctx, end := o.Span(ctx, string(name), attribute.String("loadgrid.stage", string(name)))
	err := do(ctx)
	end(err)

	if err == nil {
		o.Event(ctx, "stage is done", "seconds", time.Since(began).Seconds())
		o.Progress.Set(rows)
	}

	return err
}

// runHandler adds to each log line the job, the run once it has a number, and the stage.
type runHandler struct {
	slog.Handler
	progress *progress.Progress
}

// Handle adds the attributes: see slog.Handler.
func (h runHandler) Handle(ctx context.Context, r slog.Record) error {
	r = r.Clone()
	now := h.progress.Snapshot()

	if now.Job != "" {
		r.AddAttrs(slog.String("job", now.Job))
	}

	if now.Run != 0 {
		r.AddAttrs(slog.Int64("run", now.Run))
	}

	if now.Stage != "" {
		r.AddAttrs(slog.String("stage", string(now.Stage)))
	}

	return h.Handler.Handle(ctx, r)
}

func (h runHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return runHandler{h.Handler.WithAttrs(attrs), h.progress}
}

func (h runHandler) WithGroup(name string) slog.Handler {
	return runHandler{h.Handler.WithGroup(name), h.progress}
}
