package main

import (
	"bytes"
	_ "embed"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/loadgrid/loadgrid/loader"
)

// remarks explain the figures. They are written by hand.
//
//go:embed remarks.md
var remarks string

// report writes benchmarks.md and its charts into a folder. A chart comes with the first of the parts that it shows.
func (m *measurements) report(folder string) error {
	drawn, err := m.draw(folder)
	if err != nil {
		return err
	}

	var b bytes.Buffer
	m.writeHead(&b)
	m.writeTargets(&b)
	b.WriteString("\n" + remarks)

	for _, r := range m.Results {
		fmt.Fprintf(&b, "\n## %s\n\n", r.Title)
		if c, ok := chartOf(r); ok && r.drawn() && slices.Contains(drawn, c.name) {
			fmt.Fprintln(&b, c.markup())
			drawn = slices.DeleteFunc(drawn, func(name string) bool { return name == c.name })
		}
		if n := r.rounds(); n < usualRounds {
			fmt.Fprintf(&b, "Rounds: %d.\n\n", n)
		}

		switch {
		case strings.HasPrefix(r.ID, "query_"):
			r.writeQueries(&b)
		case strings.HasPrefix(r.ID, "floor_"):
			m.writeFloor(&b, r)
		case strings.HasPrefix(r.ID, "tuning_"):
			r.writeTuning(&b)
		case r.ID == "growth":
			r.writeGrowth(&b)
		case r.ID == cookbookID:
			r.writeCookbook(&b)
		default:
			r.writeTimes(&b)
		}
	}

	writeSettings(&b)
	if err := m.writeRatios(folder); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, "benchmarks.md"), b.Bytes(), 0o644)
}

func (m *measurements) writeHead(b *bytes.Buffer) {
	var first, last time.Time
	for _, r := range m.Results {
		if first.IsZero() || r.Measured.Before(first) {
			first = r.Measured
		}
		if r.Measured.After(last) {
			last = r.Measured
		}
	}

	days := "on " + first.Format(time.DateOnly)
	if end := last.Format(time.DateOnly); end != first.Format(time.DateOnly) {
		days = "from " + first.Format(time.DateOnly) + " to " + end
	}

	fmt.Fprintf(b, `# Benchmarks

This page compares loadgrid with its peers. `+"`make bench`"+` repeats all measurements and writes the page;
[benchmarks.json](benchmarks.json) has every single measurement. [Scale](scale.md) has figures for larger grids, and [estimates](estimates.md)
compares such figures with those of `+"`plan`"+`.

The measurements were made %s, on %d cores of %s, with %s of memory, %s and these versions:

`, days, m.Machine.Cores, m.Machine.CPU, m.Machine.Memory, m.Machine.System)

	for _, name := range slices.Sorted(maps.Keys(m.Machine.Versions)) {
		version := m.Machine.Versions[name]
		if name == "loadgrid" {
			version = m.loadgridVersions()
		}
		fmt.Fprintf(b, "- %s %s\n", name, version)
	}

	if len(m.Machine.Missing) > 0 {
		fmt.Fprintf(b, "\nSome peers did not run, because these packages could not be installed: %s.\n", strings.Join(m.Machine.Missing, ", "))
	}

	fmt.Fprintf(b, `
In each comparison, all contenders take turns on the same server and the same grid: A B C, A B C. There are %d rounds
or more, unless a section shows another number. Before each turn, the benchmark drops the table, and the server writes a checkpoint. The figures are the
median and, in parentheses, the smallest and the largest value. The server runs on the same machine as its clients. The end of the page
lists the [settings](#the-servers-settings) of the untuned and the tuned server.

The charts show the medians on the untuned server, and on other servers. A thin line reaches from the smallest to the
largest value. "x 2" means twice as fast as the bar without such a number.
`, usualRounds)
}

// usualRounds is the number of rounds of a section that shows none.
const usualRounds = 5

// rounds returns the number of turns of each contender.
func (r result) rounds() int {
	n := usualRounds
	for _, c := range r.Contenders {
		n = min(n, len(c.Samples))
	}
	return n
}

// loadgridVersions lists the versions of loadgrid that were measured.
func (m *measurements) loadgridVersions() string {
	var all []string
	for _, r := range m.Results {
		if !slices.Contains(all, r.Version) {
			all = append(all, r.Version)
		}
	}
	return strings.Join(all, "; ")
}

// writeTimes writes the table of an arm that measures only times.
func (r result) writeTimes(b *bytes.Buffer) {
	reference := r.find(r.Reference).seconds().median
	fmt.Fprintf(b, "| | seconds | rows/s | memory of the client | speedup over %s |\n|---|---|---|---|---|\n", r.Reference)
	for _, c := range r.Contenders {
		s := c.seconds()
		ratio, memory := "", ""
		if reference > 0 && s.median > 0 {
			ratio = fmt.Sprintf("%.2f", reference/s.median)
		}
		if rss := c.memory().most; rss > 0 {
			memory = fmt.Sprintf("%.0f MiB", rss/(1<<20))
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s | %s |\n", c.Name, s.text(), count(int64(float64(r.Cells)/s.median)), memory, ratio)
	}

	r.writeStages(b)
	if len(r.Failed) > 0 {
		fmt.Fprintf(b, "\nDid not run: %s.\n", strings.Join(r.Failed, "; "))
	}
}

// writeStages writes how long each of loadgrid's stages took, as loadgrid reports it.
func (r result) writeStages(b *bytes.Buffer) {
	if !strings.HasPrefix(r.ID, "ready_") {
		return
	}

	fmt.Fprintln(b, "\nMedian seconds of loadgrid's stages, without the start and the end of the process:")
	fmt.Fprintln(b)
	for _, c := range r.Contenders {
		if !isLoadgrid(c.Name) {
			continue
		}

		var parts []string
		for _, stage := range loader.Stages() {
			if s := c.stage(string(stage)).median; s >= 0.005 {
				parts = append(parts, fmt.Sprintf("%s %.2f", stage, s))
			}
		}
		fmt.Fprintf(b, "- %s: %s\n", c.Name, strings.Join(parts, ", "))
	}
}

func (r result) writeQueries(b *bytes.Buffer) {
	reference := r.find(r.Reference)
	fmt.Fprint(b, "| table | milliseconds a query | pages read | time relative to "+r.Reference+" | pages relative to "+r.Reference+" |\n|---|---|---|---|---|\n")
	for _, c := range r.Contenders {
		s := c.seconds()
		pages := c.stage("buffers").median
		fmt.Fprintf(b, "| %s | %s | %.0f | %.2f | %.3f |\n", c.Name, spread{s.median * 1000, s.least * 1000, s.most * 1000}.text(), pages,
			s.median/reference.seconds().median, pages/reference.stage("buffers").median)
	}
}

func (r result) writeTuning(b *bytes.Buffer) {
	fmt.Fprint(b, "| settings | seconds to build | size |")
	for _, id := range windowsAsked {
		fmt.Fprintf(b, " window of %[1]s x %[1]s cells: ms, pages |", strings.TrimPrefix(id, "window_"))
	}

	fmt.Fprintf(b, "\n|---|---|---|%s\n", strings.Repeat("---|", len(windowsAsked)))
	for _, c := range r.Contenders {
		fmt.Fprintf(b, "| %s | %s | %.2f MB |", c.Name, c.seconds().text(), c.stage("size").median/1e6)
		for _, id := range windowsAsked {
			fmt.Fprintf(b, " %s, %.0f |", digits(c.stage(id).median), c.stage(id+"_pages").median)
		}
		fmt.Fprintln(b)
	}
}

// writeFloor writes the floor, and how close loadgrid comes to it.
func (m *measurements) writeFloor(b *bytes.Buffer, r result) {
	c := r.find(nameFloor)
	fmt.Fprint(b, "| step | CPU seconds of its backend |\n|---|---|\n")
	for _, stage := range floorStages {
		fmt.Fprintf(b, "| %s | %s |\n", stage, c.stage(stage).text())
	}

	floor := c.seconds().median / float64(m.Machine.Cores)
	fmt.Fprintf(b, "| sum | %s |\n\nDivided by %d cores, the sum gives the floor for a table with GiST: **%.2f s**.\n\n", c.seconds().text(), m.Machine.Cores, floor)
	ready := m.get("ready_3.2_" + r.Server)
	for _, name := range []string{nameParts, namePlain} {
		if s := ready.find(name).seconds().median; s > 0 {
			fmt.Fprintf(b, "- %s: %.2f s, %.2f times the floor\n", name, s, s/floor)
		}
	}
}

func (r result) writeGrowth(b *bytes.Buffer) {
	fmt.Fprint(b, "| | seconds of the load stage | nanoseconds a row | memory of the client |\n|---|---|---|---|\n")
	for _, g := range growthGrids() {
		c := r.find(growthName(g))
		s := c.seconds()
		fmt.Fprintf(b, "| %s | %s | %.0f | %.1f MiB |\n", c.Name, s.text(), s.median/float64(g.cells())*1e9, c.memory().most/(1<<20))
	}

	if c := r.find(nameLimit); len(c.Samples) > 0 {
		s := c.seconds()
		fmt.Fprintf(b, "| 29,900,000 cells, %s | %s | %.0f | |\n", nameLimit, s.text(), s.median/float64(gridEU().cells())*1e9)
	}
}

func writeSettings(b *bytes.Buffer) {
	fmt.Fprint(b, "\n## The servers' settings\n\nThese settings differ from PostgreSQL's defaults, or undo what makes a throwaway server less durable.\n")
	for _, name := range []string{untuned, tuned} {
		settings := serverSettings(name)
		fmt.Fprintf(b, "\n%s:\n\n```\n", name)
		for _, setting := range slices.Sorted(maps.Keys(settings)) {
			fmt.Fprintf(b, "%s = %s\n", setting, settings[setting])
		}
		fmt.Fprint(b, "```\n")
	}
}

// text writes a spread with three significant digits.
func (s spread) text() string {
	return fmt.Sprintf("%s (%s to %s)", digits(s.median), digits(s.least), digits(s.most))
}

func digits(f float64) string {
	switch {
	case f >= 100:
		return fmt.Sprintf("%.0f", f)
	case f >= 10:
		return fmt.Sprintf("%.1f", f)
	case f >= 1:
		return fmt.Sprintf("%.2f", f)
	case f >= 0.1:
		return fmt.Sprintf("%.3f", f)
	}
	return fmt.Sprintf("%.4f", f)
}

// count formats a number with its digits in groups of three.
func count(n int64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
