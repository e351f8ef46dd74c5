package main

import (
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/loadgrid/loadgrid/loader"
)

// barView is a bar for each stage, on a terminal.
type barView struct {
	w       io.Writer
	bar     *progressbar.ProgressBar // of the last seen stage, nil when it is done
	last    loader.Snapshot
	updated time.Time // when last was set
}

func (v *barView) interval() time.Duration { return 100 * time.Millisecond }

func (v *barView) update(s loader.Snapshot) {
	if s.Stage != v.last.Stage {
		v.finishStage(s)
	}

	v.last, v.updated = s, time.Now()
	if s.Stage == "" {
		return
	}

	if v.bar == nil {
		v.bar = newProgressBar(v.w, s.Total)
	}

	_ = v.bar.Set64(s.Done)
	v.bar.Describe(describeRunning(s))
}

// finishStage fills the bar of the last seen stage after the next stage has begun or the run has ended. It also
// draws a full bar for each stage in between that was too short to be seen.
func (v *barView) finishStage(next loader.Snapshot) {
	stages := loader.Stages()
	first, end := slices.Index(stages, v.last.Stage), slices.Index(stages, next.Stage)
	if end < 0 {
		end = len(stages)
	}

	for i := max(first, 0); i < end; i++ {
		s := loader.Snapshot{Stage: stages[i]}
		if i == first {
			s = v.last
			s.Done, s.Elapsed = s.Total, s.Elapsed+time.Since(v.updated)-next.Elapsed
		}

		if v.bar == nil {
			v.bar = newProgressBar(v.w, s.Total)
		}

		v.bar.Describe(describeDone(s))
		_ = v.bar.Set64(s.Total + 1)
		fmt.Fprintln(v.w)
		v.bar = nil
	}
}

// barWidth leaves room for the text in 80 columns. In a narrower terminal the library makes the bar shorter.
const barWidth = 12

// newProgressBar returns a bar with one unit more than there are rows, so that it is full, and stops changing,
// only when its stage is done.
func newProgressBar(w io.Writer, rows int64) *progressbar.ProgressBar {
	return progressbar.NewOptions64(rows+1,
		progressbar.OptionSetWriter(w), progressbar.OptionSetWidth(barWidth),
		progressbar.OptionUseANSICodes(true), progressbar.OptionShowDescriptionAtLineEnd(),
		progressbar.OptionSetElapsedTime(false), progressbar.OptionSetPredictTime(false))
}

func describeRunning(s loader.Snapshot) string {
	text := fmt.Sprintf("%-8s", s.Stage)
	if s.End != "" {
		return text + "ending the run"
	}
	if s.Total == 0 {
		return text + formatDuration(s.Elapsed)
	}

	if s.Stage != loader.StageLoad { // the server reports a share of the work, not a number of rows
		return text + formatDuration(s.Elapsed) + describeRate(s)
	}

	total := formatCount(s.Total)
	return text + fmt.Sprintf("%*s/%s", len(total), formatCount(s.Done), total) + describeRate(s)
}

func describeDone(s loader.Snapshot) string {
	text := fmt.Sprintf("%-8s%s", s.Stage, formatDuration(s.Elapsed))
	if s.Stage == loader.StageLoad {
		text += ", " + pluralCount(s.Total, "row")
		if perSecond, _ := s.Rate(); perSecond > 0 {
			text += ", " + formatRowRate(perSecond)
		}
	}

	return text
}

func (v *barView) clear() {
	if v.bar != nil {
		_ = v.bar.Clear()
	}
}

// finish leaves the bar of an unfinished stage as it is, and writes how the run ended in it. An error in the plan
// has its own message.
func (v *barView) finish() {
	if v.bar == nil {
		return
	}

	switch {
	case v.last.End != "" && v.last.Stage != loader.StagePlan:
		v.bar.Describe(fmt.Sprintf("%-8s", v.last.Stage) + paint(v.w, endColor(v.last.End), describeEnd(v.last)))
		fmt.Fprintln(v.w)
	case v.last.Total > 0 && v.last.Done >= v.last.Total: // from bench, which has one stage
		v.bar.Describe(describeDone(v.last))
		_ = v.bar.Set64(v.last.Total + 1)
		fmt.Fprintln(v.w)
	case v.last.Total > 0:
		fmt.Fprintln(v.w)
	default:
		v.clear()
	}

	v.bar = nil
}

func endColor(e loader.End) color {
	if e == loader.EndFailed {
		return red
	}

	return yellow
}
