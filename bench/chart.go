package main

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/loadgrid/loadgrid/internal/picture"
)

// chart is a part of the charts that fits a screen: arms whose ids begin with one of the prefixes.
type chart struct {
	name, title string
	prefixes    []string
}

func charts() []chart {
	return []chart{
		{"load", "Generation and load alone", []string{"generate", "load_"}},
		{"ready", "Ready to query", []string{"ready_0.8_", "ready_3.2_" + untuned, "ready_30_"}},
		{"queries", "Queries", []string{"query_"}},
		{"growth", "Growth", []string{"growth"}},
		{"area", "Areas of interest", []string{"mask_"}},
		{"servers", "Ready to query on other servers", []string{"ready_3.2_"}},
	}
}

// file is the name of a chart's file for a theme.
func (c chart) file(theme picture.Theme) string {
	if theme == picture.Dark {
		return "benchmarks-" + c.name + "-dark.svg"
	}
	return "benchmarks-" + c.name + ".svg"
}

// markup is the Markdown that shows the chart for the theme of the reader.
func (c chart) markup() string {
	return fmt.Sprintf(`<picture>
<source media="(prefers-color-scheme: dark)" srcset="%s">
<img alt="%s: medians, from the least to the greatest" src="%s">
</picture>
`, c.file(picture.Dark), c.title, c.file(picture.Light))
}

// panels returns the panels of each chart. An arm is in the first chart that wants it.
func (m *measurements) panels() map[string][]picture.Panel {
	panels := map[string][]picture.Panel{}
	for _, r := range m.Results {
		if !r.drawn() {
			continue
		}
		if c, ok := chartOf(r); ok {
			panels[c.name] = append(panels[c.name], r.panel())
		}
	}

	return panels
}

func chartOf(r result) (chart, bool) {
	for _, c := range charts() {
		for _, prefix := range c.prefixes {
			if strings.HasPrefix(r.ID, prefix) {
				return c, true
			}
		}
	}

	return chart{}, false
}

// draw draws the charts into a folder, each as SVG for a light and for a dark page, and returns the names of those that have bars.
func (m *measurements) draw(folder string) (drawn []string, err error) {
	panels := m.panels()
	for _, c := range charts() {
		if len(panels[c.name]) == 0 {
			continue
		}

		for _, theme := range []picture.Theme{picture.Light, picture.Dark} {
			if err := picture.SaveBars(filepath.Join(folder, c.file(theme)), theme, panels[c.name]); err != nil {
				return nil, err
			}
		}
		drawn = append(drawn, c.name)
	}

	return drawn, nil
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

// label is the text after a bar.
func (r result) label(t contenderTimes, reference float64) string {
	s := t.seconds().median
	if s == 0 {
		return ""
	}
	if strings.HasPrefix(r.ID, "query_") {
		return fmt.Sprintf("%.2f ms, %s pages", s*1000, count(int64(t.stage("buffers").median+0.5)))
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
