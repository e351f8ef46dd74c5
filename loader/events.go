package loader

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/loader/progress"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

// LevelEvent is the level of what is told of a run's normal course: stages and chunks
// that are done. It lies below that of what people should read.
const LevelEvent = slog.LevelInfo - 1

// runHandler adds to each line of the log what it is about: the job, the run once it
// has a number, and the stage.
type runHandler struct {
	slog.Handler
	progress *progress.Progress
}

func (h runHandler) Handle(ctx context.Context, r slog.Record) error {
	r = r.Clone()
	at := h.progress.Snapshot()
	if at.Job != "" {
		r.AddAttrs(slog.String("job", at.Job))
	}
	if at.Run != 0 {
		r.AddAttrs(slog.Int64("run", at.Run))
	}
	if at.Stage != "" {
		r.AddAttrs(slog.String("stage", string(at.Stage)))
	}
	return h.Handler.Handle(ctx, r)
}

func (h runHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return runHandler{h.Handler.WithAttrs(attrs), h.progress}
}

func (h runHandler) WithGroup(name string) slog.Handler {
	return runHandler{h.Handler.WithGroup(name), h.progress}
}

// maxRetries bounds how many troubles are remembered: the last ones.
const maxRetries = 20

// retries remembers what went wrong and was mended. It may be used by several
// goroutines.
type retries struct {
	mu   sync.Mutex
	n    int
	last []progress.Retry
}

func (t *retries) add(stage progress.Stage, doing string, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.n++
	if len(t.last) == maxRetries {
		t.last = t.last[1:]
	}
	t.last = append(t.last, progress.Retry{At: time.Now(), Stage: stage, Doing: doing, SQLState: pg.SQLState(err), Error: pg.Message(err)})
}

// all returns how many troubles there were, and the last of them.
func (t *retries) all() (n int, last []progress.Retry) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.n, append([]progress.Retry{}, t.last...)
}

// span begins a part of the trace of a run; end is called with its error.
func (l *load) span(ctx context.Context, name string, attrs ...attribute.KeyValue) (_ context.Context, end func(error)) {
	ctx, span := l.options.Tracer.Start(ctx, name, trace.WithAttributes(attrs...))
	return ctx, func(err error) {
		span.SetAttributes(attribute.Int64("loadgrid.run", l.run))
		if err != nil {
			span.SetAttributes(attribute.String("db.response.status_code", pg.SQLState(err)))
			span.SetStatus(codes.Error, pg.Message(err))
		}
		span.End()
	}
}

// stage does a stage, and tells of it.
func (l *load) stage(ctx context.Context, name progress.Stage, do func(context.Context) error) error {
	began := time.Now()
	ctx, end := l.span(ctx, string(name), attribute.String("loadgrid.stage", string(name)))
	err := do(ctx)
	end(err)
	if err == nil {
		l.log.Log(ctx, LevelEvent, "stage is done", "seconds", time.Since(began).Seconds())
	}
	return err
}
