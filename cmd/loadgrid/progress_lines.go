package main

import (
	"fmt"
	"io"
	"time"

	"github.com/loadgrid/loadgrid/loader"
)

// lineView is a line every 10 seconds, for logs.
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

	line := fmt.Sprintf("%s: %s", s.Stage, formatDuration(s.Elapsed))
	if s.Total > 0 {
		line += fmt.Sprintf(", %s of %s rows (%.0f%%)", formatCount(s.Done), formatCount(s.Total), 100*float64(s.Done)/float64(s.Total))
	}

	if perSecond, remaining := s.Rate(); perSecond > 0 {
		line += fmt.Sprintf(", %s rows/s", formatCount(int64(perSecond)))
		if remaining > 0 {
			line += ", " + formatDuration(remaining) + " left"
		}
	}

	fmt.Fprintln(v.w, line)
}

// jsonView is an object a line at each pause, for programs.
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
	}{"progress", time.Now(), s.Job, s.Run, s.Stage, s.Done, s.Total, perSecond, s.Elapsed.Seconds(), remaining.Seconds()})
}
