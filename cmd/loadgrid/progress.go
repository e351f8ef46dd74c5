package main

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"os"
	"sync"
	"time"

	"golang.org/x/term"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/options"
	"github.com/loadgrid/loadgrid/internal/serverlimit"
	"github.com/loadgrid/loadgrid/loader"
)

// progressOptions select how a run reports its progress.
type progressOptions struct{ options.Progress }

// reporter returns the reporter of the progress of a run.
func (o *progressOptions) reporter(std streams) (*reporter, error) {
	if o.LogFormat == "json" && o.View == "bar" {
		return nil, &geomgen.ParamError{Param: "progress", Value: o.View, Reason: "conflicts with log-format json: a bar is not JSON"}
	}
	if std.verbosity == quiet {
		return newReporter("none", o.LogFormat == "json" || o.View == "json", quiet, std.failures), nil
	}

	return newReporter(o.View, o.LogFormat == "json", std.verbosity, std.err), nil
}

// A view shows the progress of a load. There is one for each kind of --progress.
type view interface {
	update(loader.Snapshot)
	interval() time.Duration
	clear() // removes what is drawn, before other output
	finish()
}

// reporter reports the progress of a load on stderr: its view and its log take turns.
type reporter struct {
	mu   sync.Mutex
	w    io.Writer
	view view // nil: none
	json bool
	verbosity
}

// A bar needs this many columns. In a narrower terminal its line would wrap and could not be redrawn.
const minBarColumns = 72

// newReporter returns a reporter with a view: auto or "", bar, json or none.
func newReporter(view string, json bool, v verbosity, stderr io.Writer) *reporter {
	r := &reporter{w: stderr, json: json, verbosity: v}
	auto := view == "auto" || view == ""

	switch {
	case view == "none":
	case view == "json":
		r.view, r.json = &jsonView{w: stderr, every: time.Second}, true
	case auto && json:
		r.view = &jsonView{w: stderr, every: 10 * time.Second}
	case auto && (terminalWidth(stderr) < minBarColumns || !knowsCodes(os.Getenv)):
		r.view = &lineView{w: stderr}
	default:
		r.view = &barView{w: stderr}
	}

	return r
}

// terminalWidth returns the width of the terminal that w writes to, or 0 if it is not a terminal.
func terminalWidth(w io.Writer) int {
	f, ok := w.(*os.File)
	if !ok {
		return 0
	}

	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0
	}
	return width
}

// log returns a logger that does not disturb the view. With --progress json each
// line is an object with the type log.
func (r *reporter) log() *slog.Logger {
	if r.json {
		return slog.New(newJSONHandler(r, r.verbosity)).With("type", "log")
	}
	return slog.New(newTextHandler(r, r.verbosity))
}

// newJSONHandler writes a log for programs. It includes the normal events of a run, unless only errors are
// wanted.
func newJSONHandler(w io.Writer, v verbosity) slog.Handler {
	if v != quiet {
		v = verbose
	}

	return slog.NewJSONHandler(w, &slog.HandlerOptions{Level: v.level(), ReplaceAttr: nameEvents})
}

// Write writes the log to stderr.
func (r *reporter) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()

	if r.view != nil {
		r.view.clear()
	}
	return r.w.Write(p)
}

// follow shows the progress until the function that it returns is called.
func (r *reporter) follow(p *loader.Progress) (stop func()) {
	if r.view == nil {
		return func() {}
	}

	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)

		tick := time.NewTicker(r.view.interval())
		defer tick.Stop()

		for {
			select {
			case <-done:
				return
			case <-tick.C:
				r.update(p.Snapshot())
			}
		}
	}()

	return func() {
		close(done)
		<-ended
		r.update(p.Snapshot())
		r.mu.Lock()
		defer r.mu.Unlock()

		r.view.finish()
	}
}

// endOf returns how unfinished work ended.
func endOf(ctx context.Context) loader.End {
	if ctx.Err() != nil {
		return loader.EndStopped
	}

	return loader.EndFailed
}

func (r *reporter) update(s loader.Snapshot) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.view.update(s)
}

// summary writes the summary as JSON. The summary for people goes to stdout.
func (r *reporter) summary(s loader.Summary) {
	if r.json && r.verbosity != quiet {
		writeJSON(r, struct {
			Type string `json:"type"`
			loader.Summary
		}{"summary", s})
	}
}

// benchResult does the same for bench.
func (r *reporter) benchResult(b serverlimit.Result) {
	if r.json && r.verbosity != quiet {
		writeJSON(r, struct {
			Type string `json:"type"`
			serverlimit.Result
		}{"summary", b})
	}
}

func writeJSON(w io.Writer, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		b = []byte(`{"type":"log","level":"ERROR","msg":"a line could not be encoded as JSON"}`)
	}

	_, _ = w.Write(append(b, '\n'))
}
