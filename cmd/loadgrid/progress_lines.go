package main

import (
	"fmt"
	"io"
	"time"

	"github.com/loadgrid/loadgrid/loader"
)

// lineView writes a line every 10 seconds, for logs.
type lineView struct {
	w io.Writer
}

func (v *lineView) interval() time.Duration { return 10 * time.Second }
func (v *lineView) clear()                  {}
func (v *lineView) finish()                 {}

func (v *lineView) update(s loader.Snapshot) {
	if s.Stage == "" || s.Elapsed < time.Second {
		return // the end of a short stage needs no line
	}

	if s.End != "" {
		fmt.Fprintf(v.w, "%s: %s\n", s.Stage, describeEnd(s))
		return
	}

	line := fmt.Sprintf("%s: %s", s.Stage, formatDuration(s.Elapsed))
	if s.Total > 0 {
		line += fmt.Sprintf(", %s of %s (%s)", formatCount(s.Done), pluralCount(s.Total, "row"), formatPercent(s))
	}

	line += describeRate(s)

	fmt.Fprintln(v.w, line)
}

// describeEnd describes how a run ended in an unfinished stage.
func describeEnd(s loader.Snapshot) string {
	text := fmt.Sprintf("%s, %s", formatDuration(s.Elapsed), s.End)
	if s.Stage == loader.StageLoad && s.Total > 0 {
		text += fmt.Sprintf(" at %s of %s", formatCount(s.Done), pluralCount(s.Total, "row"))
	}

	return text
}

// formatPercent formats the finished share of a stage. It shows at most 99 % until the stage is done.
func formatPercent(s loader.Snapshot) string {
	return fmt.Sprintf("%d%%", min(99, int64(100*float64(s.Done)/float64(s.Total))))
}

// describeRate describes the speed and the remaining time of a stage, as far as they are known.
func describeRate(s loader.Snapshot) (text string) {
	perSecond, remaining := s.Rate()
	if perSecond > 0 && s.Stage == loader.StageLoad {
		text = ", " + formatRowRate(perSecond)
	}

	switch {
	case s.Total == 0 || perSecond == 0:
	case remaining >= 100*time.Millisecond:
		text += ", " + formatDuration(remaining) + " left"
	default:
		text += ", finishing"
	}

	return text
}

// jsonView writes one JSON object per line at each interval, for programs.
type jsonView struct {
	w     io.Writer
	every time.Duration
}

func (v *jsonView) interval() time.Duration { return v.every }
func (v *jsonView) clear()                  {}
func (v *jsonView) finish()                 {}

func (v *jsonView) update(s loader.Snapshot) {
	if s.Stage == "" {
		return
	}

	perSecond, remaining := s.Rate()
	var left *float64
	if seconds := remaining.Seconds(); remaining > 0 && s.End == "" {
		left = &seconds
	}

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
		SecondsLeft   *float64     `json:"seconds_left"` // null if unknown
		End           loader.End   `json:"end,omitempty"`
	}{"progress", time.Now(), s.Job, s.Run, s.Stage, s.Done, s.Total, perSecond, s.Elapsed.Seconds(), left, s.End})
}
