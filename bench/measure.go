package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// arm is one comparison: contenders that do the same work in turn, A B C, A B C,
// so that a temporary disturbance of the machine affects all of them.
type arm struct {
	id, title string
	cells     int64
	server    string // the name of its settings, see settings.go; empty for none
	// reference is the contender that the ratios refer to; empty for the first.
	reference  string
	contenders []contender
}

// contender does the arm's work once a round.
type contender struct {
	name string
	// peer marks a contender that may be missing or broken on this machine. It is then
	// left out, and the report says so.
	peer bool
	// prepare and check are not timed. prepare makes the same start for all, and check
	// refuses wrong work. Either may be nil.
	prepare, check func(context.Context) error
	// run does the work. If it leaves Seconds at 0, the time from its call to its
	// return counts.
	run func(context.Context) (sample, error)
}

// sample is one measurement.
type sample struct {
	Seconds float64            `json:"seconds"`
	Stages  map[string]float64 `json:"stages,omitempty"`  // seconds, or another quantity of the arm
	MaxRSS  int64              `json:"max_rss,omitempty"` // bytes, for a contender that is a process
}

// result has the measurements of an arm.
type result struct {
	ID         string           `json:"id"`
	Title      string           `json:"title"`
	Cells      int64            `json:"cells"`
	Server     string           `json:"server,omitempty"`
	Reference  string           `json:"reference,omitempty"`
	Measured   time.Time        `json:"measured"`
	Contenders []contenderTimes `json:"contenders"`
	Failed     []string         `json:"failed,omitempty"` // peers that did not run, and why
	Version    string           `json:"version"`          // of loadgrid
}

type contenderTimes struct {
	Name    string   `json:"name"`
	Samples []sample `json:"samples"`
}

// measure lets the contenders of an arm take turns for a number of rounds.
func (a arm) measure(ctx context.Context, rounds int, progress io.Writer) (result, error) {
	r := result{ID: a.id, Title: a.title, Cells: a.cells, Server: a.server, Reference: a.reference, Measured: time.Now().UTC()}
	for _, c := range a.contenders {
		r.Contenders = append(r.Contenders, contenderTimes{Name: c.name})
	}

	fmt.Fprintf(progress, "\n%s\n", a.title)
	failed := map[string]bool{}
	for round := range rounds {
		for i, c := range a.contenders {
			if failed[c.name] {
				continue
			}

			s, err := c.measure(ctx)
			if err != nil && c.peer && ctx.Err() == nil {
				fmt.Fprintf(progress, "  round %d  %-60s left out: %v\n", round+1, c.name, err)
				why, _, _ := strings.Cut(err.Error(), "\n")
				r.Failed = append(r.Failed, c.name+" ("+why+")")
				r.Contenders[i].Samples, failed[c.name] = nil, true
				continue
			}

			if err != nil {
				return r, fmt.Errorf("%s: %s, round %d: %w", a.title, c.name, round+1, err)
			}
			fmt.Fprintf(progress, "  round %d  %-60s %9.3f s\n", round+1, c.name, s.Seconds)
			r.Contenders[i].Samples = append(r.Contenders[i].Samples, s)
		}
	}

	r.Contenders = slices.DeleteFunc(r.Contenders, func(t contenderTimes) bool { return failed[t.Name] })
	return r, nil
}

func (c contender) measure(ctx context.Context) (sample, error) {
	if c.prepare != nil {
		if err := c.prepare(ctx); err != nil {
			return sample{}, fmt.Errorf("preparing: %w", err)
		}
	}

	began := time.Now()
	s, err := c.run(ctx)
	if err != nil {
		return sample{}, err
	}

	if s.Seconds == 0 {
		s.Seconds = time.Since(began).Seconds()
	}
	if c.check != nil {
		if err := c.check(ctx); err != nil {
			return sample{}, fmt.Errorf("checking: %w", err)
		}
	}

	return s, nil
}

// spread is the median, the least and the greatest of measurements.
type spread struct{ median, least, most float64 }

func spreadOf(values []float64) spread {
	if len(values) == 0 {
		return spread{}
	}
	v := slices.Sorted(slices.Values(values))
	mid := v[len(v)/2]
	if len(v)%2 == 0 {
		mid = (v[len(v)/2-1] + v[len(v)/2]) / 2
	}
	return spread{mid, v[0], v[len(v)-1]}
}

func (t contenderTimes) seconds() spread {
	return t.each(func(s sample) float64 { return s.Seconds })
}

func (t contenderTimes) stage(name string) spread {
	return t.each(func(s sample) float64 { return s.Stages[name] })
}

func (t contenderTimes) memory() spread {
	return t.each(func(s sample) float64 { return float64(s.MaxRSS) })
}

func (t contenderTimes) each(of func(sample) float64) spread {
	values := make([]float64, len(t.Samples))
	for i, s := range t.Samples {
		values[i] = of(s)
	}
	return spreadOf(values)
}

// find returns a contender by its name, without samples if it did not run.
func (r result) find(name string) contenderTimes {
	for _, c := range r.Contenders {
		if c.Name == name {
			return c
		}
	}
	return contenderTimes{Name: name}
}
