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

// remarks are what a reader of the figures should know, written by hand.
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

	days := first.Format(time.DateOnly)
	if end := last.Format(time.DateOnly); end != days {
		days += " to " + end
	}

	fmt.Fprintf(b, `# Benchmarks

Written by `+"`make bench`"+`, which measures all of it again; the single measurements stand in
[benchmarks.json](benchmarks.json). Measured on %s: %d cores of %s, %s of memory, %s.

`, days, m.Machine.Cores, m.Machine.CPU, m.Machine.Memory, m.Machine.System)

	for _, name := range slices.Sorted(maps.Keys(m.Machine.Versions)) {
		version := m.Machine.Versions[name]
		if name == "loadgrid" {
			version = m.loadgridVersions()
		}
		fmt.Fprintf(b, "- %s %s\n", name, version)
	}

	if len(m.Machine.Missing) > 0 {
		fmt.Fprintf(b, "\nPeers that did not run, since these packages could not be installed: %s.\n", strings.Join(m.Machine.Missing, ", "))
	}

	fmt.Fprintf(b, `
In each comparison all contenders take turns, A B C, A B C, on the same server and the
same grid, %d rounds or more, or as many as the part says; before each turn the table is dropped, and the server writes a
checkpoint. Given are the median and, in brackets, the least and the greatest. The server runs
on the same machine as its clients.

The charts show the medians of the arms on the untuned server, and on other servers. A thin line reaches from the least
to the greatest. "x 2" means twice as fast as the bar without such a number.
`, usualRounds)
}

// usualRounds is how many rounds a part has that does not say how many.
const usualRounds = 5

// rounds returns how often each contender had its turn.
func (r result) rounds() int {
	n := usualRounds
	for _, c := range r.Contenders {
		n = min(n, len(c.Samples))
	}
	return n
}

// loadgridVersions names each version that a part was measured with.
func (m *measurements) loadgridVersions() string {
	var all []string
	for _, r := range m.Results {
		if !slices.Contains(all, r.Version) {
			all = append(all, r.Version)
		}
	}
	return strings.Join(all, "; ")
}

// writeTimes is the table of an arm in which a time is all that counts.
func (r result) writeTimes(b *bytes.Buffer) {
	reference := r.find(r.Reference).seconds().median
	fmt.Fprintf(b, "| | seconds | rows/s | memory of the client | times as fast as %s |\n|---|---|---|---|---|\n", r.Reference)
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

// writeStages says where loadgrid's time went, by its own account.
func (r result) writeStages(b *bytes.Buffer) {
	if !strings.HasPrefix(r.ID, "ready_") {
		return
	}

	fmt.Fprintln(b, "\nSeconds of loadgrid's stages, medians; the start and the end of the process come on top:")
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
	fmt.Fprint(b, "| table | milliseconds a query | pages read | time, as a part of "+r.Reference+"'s | pages, as a part |\n|---|---|---|---|---|\n")
	for _, c := range r.Contenders {
		s := c.seconds()
		pages := c.stage("buffers").median
		fmt.Fprintf(b, "| %s | %s | %.0f | %.2f | %.3f |\n", c.Name, spread{s.median * 1000, s.least * 1000, s.most * 1000}.text(), pages,
			s.median/reference.seconds().median, pages/reference.stage("buffers").median)
	}
}

func (r result) writeTuning(b *bytes.Buffer) {
	fmt.Fprint(b, "| with | seconds to build | size |")
	for _, id := range windowsAsked {
		fmt.Fprintf(b, " %s cells: ms, pages |", strings.TrimPrefix(id, "window_"))
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

// writeFloor is the floor, and how near loadgrid comes to it.
func (m *measurements) writeFloor(b *bytes.Buffer, r result) {
	c := r.find(nameFloor)
	fmt.Fprint(b, "| step | CPU seconds of its backend |\n|---|---|\n")
	for _, stage := range floorStages {
		fmt.Fprintf(b, "| %s | %s |\n", stage, c.stage(stage).text())
	}

	floor := c.seconds().median / float64(m.Machine.Cores)
	fmt.Fprintf(b, "| sum | %s |\n\nSpread over %d cores: **%.2f s**, the floor for a table with GiST.\n", c.seconds().text(), m.Machine.Cores, floor)
	ready := m.get("ready_3.2_" + r.Server)
	for _, name := range []string{nameParts, namePlain} {
		if s := ready.find(name).seconds().median; s > 0 {
			fmt.Fprintf(b, "%s takes %.2f s, %.2f times the floor.\n", strings.ToUpper(name[:1])+name[1:], s, s/floor)
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
	fmt.Fprint(b, "\n## The servers' settings\n\nBeyond PostgreSQL's defaults; what makes a throwaway server forget durability is taken back.\n")
	for _, name := range []string{untuned, tuned} {
		settings := serverSettings(name)
		fmt.Fprintf(b, "\n%s:\n\n```\n", name)
		for _, setting := range slices.Sorted(maps.Keys(settings)) {
			fmt.Fprintf(b, "%s = %s\n", setting, settings[setting])
		}
		fmt.Fprint(b, "```\n")
	}
}

// text writes a spread with three digits that count.
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
	}
	return fmt.Sprintf("%.4f", f)
}

// count writes a number with its digits in groups of three.
func count(n int64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
