package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/loader"
)

func registerProgress(cmd *cobra.Command, progress *string) {
	cmd.Flags().StringVar(progress, "progress", "auto",
		"how to tell how far the load is: `auto|bar|json|none`; auto is a bar on a terminal, else a line every 10 seconds")
}

// A view shows how far a load is, each kind of --progress in its own way.
type view interface {
	show(loader.Snapshot)
	end()
	every() time.Duration
}

// reporter tells on stderr how a load goes.
type reporter struct {
	out  *lockedWriter
	view view // nil: none
	json bool
}

// lockedWriter lets the view and the log share one writer.
type lockedWriter struct {
	mu    sync.Mutex
	w     io.Writer
	clear func() // takes away what the view has drawn, before other output
}

func (s *lockedWriter) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.clear != nil {
		s.clear()
	}
	return s.w.Write(p)
}

func newReporter(kind string, stderr io.Writer) (*reporter, error) {
	r := &reporter{out: &lockedWriter{w: stderr}}
	if kind == "auto" {
		kind = "lines"
		if f, ok := stderr.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
			kind = "bar"
		}
	}
	switch kind {
	case "bar":
		b := &barView{w: stderr}
		r.view, r.out.clear = b, b.clear
	case "lines":
		r.view = &lineView{w: r.out}
	case "json":
		r.view, r.json = &jsonView{w: r.out}, true
	case "none":
	default:
		return nil, &geomgen.ParamError{Param: "progress", Value: kind, Reason: "must be auto, bar, json or none"}
	}
	return r, nil
}

// log returns a logger that does not disturb the view. With --progress json each
// line is an object with the type log.
func (r *reporter) log() *slog.Logger {
	if r.json {
		return slog.New(slog.NewJSONHandler(r.out, nil)).With("type", "log")
	}
	return slog.New(slog.NewTextHandler(r.out, nil))
}

// follow shows the progress until the function that it returns is called.
func (r *reporter) follow(p *loader.Progress) (stop func()) {
	if r.view == nil {
		return func() {}
	}
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(r.view.every())
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				r.show(p.Snapshot())
			}
		}
	}()
	return func() {
		close(done)
		<-ended
		r.show(p.Snapshot())
		r.out.mu.Lock()
		defer r.out.mu.Unlock()
		r.view.end()
	}
}

func (r *reporter) show(s loader.Snapshot) {
	if s.Stage == "" {
		return
	}
	if _, ok := r.view.(*barView); ok {
		r.out.mu.Lock()
		defer r.out.mu.Unlock()
	}
	r.view.show(s)
}

// summary writes the machine's form of the summary; people's goes to stdout.
func (r *reporter) summary(s loader.Summary) {
	if r.json {
		writeJSON(r.out, struct {
			Type string `json:"type"`
			loader.Summary
		}{"summary", s})
	}
}

// rate returns rows a second of this start, and the time left, 0 when unknown.
func rate(s loader.Snapshot) (perSecond float64, left time.Duration) {
	seconds := s.Elapsed.Seconds()
	if s.Done <= s.Skipped || seconds <= 0 {
		return 0, 0
	}
	perSecond = float64(s.Done-s.Skipped) / seconds
	if s.Total > s.Done {
		left = time.Duration(float64(s.Total-s.Done) / perSecond * float64(time.Second))
	}
	return perSecond, left
}

// barView is a bar for each stage, on a terminal.
type barView struct {
	w       io.Writer
	bar     *progressbar.ProgressBar
	stage   loader.Stage
	skipped int64
}

func (v *barView) every() time.Duration { return 100 * time.Millisecond }

func (v *barView) show(s loader.Snapshot) {
	if s.Stage != v.stage {
		v.end()
		v.stage, v.skipped = s.Stage, s.Skipped
		total := s.Total
		if total == 0 {
			total = -1
		}
		v.bar = progressbar.NewOptions64(total,
			progressbar.OptionSetWriter(v.w),
			progressbar.OptionSetDescription(fmt.Sprintf("%-8s", s.Stage)),
			progressbar.OptionShowCount(), progressbar.OptionShowIts(), progressbar.OptionSetItsString("rows"),
			progressbar.OptionSetWidth(30), progressbar.OptionSetPredictTime(true), progressbar.OptionShowElapsedTimeOnFinish(),
			progressbar.OptionThrottle(0), progressbar.OptionUseANSICodes(true),
		)
	}
	_ = v.bar.Set64(s.Done)
}

func (v *barView) clear() {
	if v.bar != nil {
		_ = v.bar.Clear()
	}
}

func (v *barView) end() {
	if v.bar != nil {
		_ = v.bar.Exit()
		fmt.Fprintln(v.w)
	}
}

// lineView is a line every 10 seconds, for logs.
type lineView struct {
	w io.Writer
}

func (v *lineView) every() time.Duration { return 10 * time.Second }
func (v *lineView) end()                 {}

func (v *lineView) show(s loader.Snapshot) {
	if s.Elapsed < time.Second {
		return // the end of a short stage needs no line
	}
	line := fmt.Sprintf("%s: %s", s.Stage, span(s.Elapsed))
	if s.Total > 0 {
		line += fmt.Sprintf(", %s of %s rows (%.0f%%)", count(s.Done), count(s.Total), 100*float64(s.Done)/float64(s.Total))
	}
	if perSecond, left := rate(s); perSecond > 0 {
		line += fmt.Sprintf(", %s rows/s", count(int64(perSecond)))
		if left > 0 {
			line += ", " + span(left) + " left"
		}
	}
	fmt.Fprintln(v.w, line)
}

// jsonView is an object a line every second, for programs.
type jsonView struct {
	w io.Writer
}

func (v *jsonView) every() time.Duration { return time.Second }
func (v *jsonView) end()                 {}

func (v *jsonView) show(s loader.Snapshot) {
	perSecond, left := rate(s)
	writeJSON(v.w, struct {
		Type          string       `json:"type"`
		Time          time.Time    `json:"time"`
		Stage         loader.Stage `json:"stage"`
		Rows          int64        `json:"rows"`
		Total         int64        `json:"total"`
		RowsPerSecond float64      `json:"rows_per_second"`
		Seconds       float64      `json:"seconds"`
		SecondsLeft   float64      `json:"seconds_left"`
	}{"progress", time.Now(), s.Stage, s.Done, s.Total, perSecond, s.Elapsed.Seconds(), left.Seconds()})
}

func writeJSON(w io.Writer, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		b = []byte(`{"type":"log","level":"ERROR","msg":"a line could not be written as JSON"}`)
	}
	_, _ = w.Write(append(b, '\n'))
}
