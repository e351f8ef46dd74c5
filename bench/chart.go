package main

import (
	"fmt"
	"strings"

	"github.com/loadgrid/loadgrid/internal/picture"
)

// draw draws arms that have been measured below one another, as PNG.
func (m *measurements) draw(file string) error {
	var panels []picture.Panel
	for _, r := range m.Results {
		if r.drawn() {
			panels = append(panels, r.panel())
		}
	}

	if len(panels) == 0 {
		return nil
	}
	return picture.SaveBars(file, panels)
}

// drawn tells whether an arm is in the chart, which would be too long with all of
// them: those on the server that people find, and one of the windows.
func (r result) drawn() bool {
	switch {
	case len(r.Contenders) < 2 || r.Server == tuned || strings.HasPrefix(r.ID, "tuning_"):
		return false
	case strings.HasPrefix(r.ID, "query_"):
		return strings.HasPrefix(r.ID, "query_window_100_")
	}
	return true
}

// panel is the chart of an arm: a bar a contender, as long as its median.
func (r result) panel() picture.Panel {
	p := picture.Panel{Title: r.Title, Axis: "seconds: median, least to greatest"}
	if strings.HasPrefix(r.ID, "query_") {
		p.Axis += ", of a query"
	}

	reference := r.find(r.Reference).seconds().median
	for _, c := range r.Contenders {
		s := c.seconds()
		p.Bars = append(p.Bars, picture.Bar{
			Name: c.Name, Label: r.label(c, reference), Value: s.median, Low: s.least, High: s.most, Strong: isLoadgrid(c.Name),
		})
	}

	return p
}

// label is what stands behind a bar.
func (r result) label(t contenderTimes, reference float64) string {
	s := t.seconds().median
	if s == 0 {
		return ""
	}
	if strings.HasPrefix(r.ID, "query_") {
		return fmt.Sprintf("%.2f ms, %.0f pages", s*1000, t.stage("buffers").median)
	}

	label := fmt.Sprintf("%s s", digits(s))
	if r.ID == "growth" {
		return label
	}

	label += ", " + count(int64(float64(r.Cells)/s)) + " rows/s"
	if reference > 0 && t.Name != r.Reference {
		label += fmt.Sprintf(", x %.2f", reference/s)
	}

	return label
}

func isLoadgrid(name string) bool {
	return strings.Contains(name, "loadgrid") || strings.HasPrefix(name, "geomgen")
}
