package main

import (
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/loadgrid/loadgrid/loader"
)

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
	w    io.Writer
	bar  *progressbar.ProgressBar // of the stage that was seen last, nil when it is done
	last loader.Snapshot
	seen time.Time // when
}

func (v *barView) every() time.Duration { return 100 * time.Millisecond }

func (v *barView) show(s loader.Snapshot) {
	if s.Stage != v.last.Stage {
		v.done(s)
	}
	v.last, v.seen = s, time.Now()
	if s.Stage == "" {
		return
	}
	if v.bar == nil {
		v.bar = newBar(v.w, s.Total)
	}
	_ = v.bar.Set64(s.Done)
	v.bar.Describe(runningText(s))
}

// done fills the bar of the stage that was seen last, since another one, or
// none, has followed, and a bar for each in between that was too short to be seen.
func (v *barView) done(next loader.Snapshot) {
	stages := loader.Stages()
	first, end := slices.Index(stages, v.last.Stage), slices.Index(stages, next.Stage)
	if end < 0 {
		end = len(stages)
	}
	for i := max(first, 0); i < end; i++ {
		s := loader.Snapshot{Stage: stages[i]}
		if i == first {
			s = v.last
			s.Done, s.Elapsed = s.Total, s.Elapsed+time.Since(v.seen)-next.Elapsed
		}
		if v.bar == nil {
			v.bar = newBar(v.w, s.Total)
		}
		v.bar.Describe(doneText(s))
		_ = v.bar.Set64(s.Total + 1)
		fmt.Fprintln(v.w)
		v.bar = nil
	}
}

// barWidth leaves room for the text in 80 columns; where there is less, the
// library makes the bar shorter.
const barWidth = 12

// newBar returns a bar that is one longer than there are rows, so that it is
// full, and no longer changes, when its stage is done and not before.
func newBar(w io.Writer, rows int64) *progressbar.ProgressBar {
	return progressbar.NewOptions64(rows+1,
		progressbar.OptionSetWriter(w), progressbar.OptionSetWidth(barWidth),
		progressbar.OptionUseANSICodes(true), progressbar.OptionShowDescriptionAtLineEnd(),
		progressbar.OptionSetElapsedTime(false), progressbar.OptionSetPredictTime(false))
}

func runningText(s loader.Snapshot) string {
	text := fmt.Sprintf("%-8s", s.Stage)
	if s.Total == 0 {
		return text + span(s.Elapsed)
	}
	total := count(s.Total)
	text += fmt.Sprintf("%*s/%s", len(total), count(s.Done), total)
	if perSecond, left := rate(s); perSecond > 0 {
		text += ", " + count(int64(perSecond)) + " rows/s, " + span(left) + " left"
	}
	return text
}

func doneText(s loader.Snapshot) string {
	text := fmt.Sprintf("%-8s%s", s.Stage, span(s.Elapsed))
	if s.Stage == loader.StageLoad {
		text += ", " + count(s.Total) + " rows"
		if perSecond, _ := rate(s); perSecond > 0 {
			text += ", " + count(int64(perSecond)) + " rows/s"
		}
	}
	return text
}

func (v *barView) clear() {
	if v.bar != nil {
		_ = v.bar.Clear()
	}
}

// end leaves the bar of a stage that was not done where it stands, if it has
// rows to tell of.
func (v *barView) end() {
	if v.bar == nil {
		return
	}
	if v.last.Total > 0 {
		fmt.Fprintln(v.w)
	} else {
		v.clear()
	}
	v.bar = nil
}

// lineView is a line every 10 seconds, for logs.
type lineView struct {
	w io.Writer
}

func (v *lineView) every() time.Duration { return 10 * time.Second }
func (v *lineView) clear()               {}
func (v *lineView) end()                 {}

func (v *lineView) show(s loader.Snapshot) {
	if s.Stage == "" || s.Elapsed < time.Second {
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

// jsonView is an object a line at each pause, for programs.
type jsonView struct {
	w     io.Writer
	pause time.Duration
}

func (v *jsonView) every() time.Duration { return v.pause }
func (v *jsonView) clear()               {}
func (v *jsonView) end()                 {}

func (v *jsonView) show(s loader.Snapshot) {
	if s.Stage == "" {
		return
	}
	perSecond, left := rate(s)
	writeJSON(v.w, struct {
		Type          string       `json:"type"`
		Time          time.Time    `json:"time"`
		Job           string       `json:"job"`
		Run           int64        `json:"run"`
		Stage         loader.Stage `json:"stage"`
		Rows          int64        `json:"rows"`
		Total         int64        `json:"total"`
		RowsPerSecond float64      `json:"rows_per_second"`
		Seconds       float64      `json:"seconds"`
		SecondsLeft   float64      `json:"seconds_left"`
	}{"progress", time.Now(), s.Job, s.Run, s.Stage, s.Done, s.Total, perSecond, s.Elapsed.Seconds(), left.Seconds()})
}
