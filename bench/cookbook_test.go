package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The benchmark runs the page on large tables, and compares each section that has an answer with its usual way.
func TestCookbookIsRead(t *testing.T) {
	sections, err := readCookbook("../docs")
	if err != nil {
		t.Fatal(err)
	}

	var loads, statements strings.Builder
	timed := 0
	for _, s := range sections {
		statements.WriteString(s.statements())
		for _, b := range s.steps {
			if b.Language == "console" {
				loads.WriteString(b.Text)
			}
		}
		if s.usual != "" {
			timed++
			if s.statements() == "" {
				t.Errorf("%q has a usual way, but no statements to compare with it", s.heading)
			}
		}
	}

	if timed < 12 || sections[0].usual != "" {
		t.Errorf("%d of %d sections are timed, the first one with %q", timed, len(sections), sections[0].usual)
	}
	for _, large := range []string{"--table cells --cell-size 1km ", "--table land --cell-size 1km ", "--table model --cell-size 1.5km "} {
		if !strings.Contains(loads.String(), large) {
			t.Errorf("no load has %q", large)
		}
	}
	if !strings.Contains(statements.String(), "generate_series(1, 1000000)") {
		t.Error("there are not a million points")
	}
}

func TestCookbookReport(t *testing.T) {
	times := func(name string, seconds ...float64) contenderTimes {
		c := contenderTimes{Name: name}
		for _, s := range seconds {
			c.Samples = append(c.Samples, sample{Seconds: s})
		}
		return c
	}

	var b bytes.Buffer
	result{ID: cookbookID, Cells: 1234, Contenders: []contenderTimes{times("Why?"+cookbookUsual, 8, 6, 7), times("Why?"+cookbookPage, 2)}}.writeCookbook(&b)
	if want := "| Why? | 7.00 (6.00 to 8.00) | 2.00 (2.00 to 2.00) | 3.50 |\n"; !strings.HasSuffix(b.String(), want) || !strings.Contains(b.String(), "1,234 cells") {
		t.Errorf("the report is %s", b.String())
	}
}

// The report writes the measured ratios into the page.
func TestCookbookRatios(t *testing.T) {
	const usual = "\n\n**The usual way** is `x`."
	folder := t.TempDir()
	file := filepath.Join(folder, "queries.md")
	if err := os.WriteFile(file, []byte("## A?"+usual+"\n## B?"+usual+" It takes 3.1 times as long.\n"), 0o600); err != nil {
		t.Fatal(err)
	}

	m := &measurements{Results: []result{{ID: cookbookID, Contenders: []contenderTimes{
		{Name: "A?" + cookbookUsual, Samples: []sample{{Seconds: 36}}}, {Name: "A?" + cookbookPage, Samples: []sample{{Seconds: 3}}}}}}}
	if err := m.writeRatios(folder); err != nil {
		t.Fatal(err)
	}

	got, err := os.ReadFile(file)
	if want := "## A?" + usual + " It takes 12 times as long.\n## B?" + usual + " It takes 3.1 times as long.\n"; err != nil || string(got) != want {
		t.Errorf("the page is %q, %v", got, err)
	}
	if err := m.writeRatios(t.TempDir()); err != nil {
		t.Errorf("a folder without the page: %v", err)
	}
}

// Each section with an answer has a line for its ratio.
func TestCookbookHasLinesForRatios(t *testing.T) {
	sections, err := readCookbook("../docs")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("../docs/queries.md")
	if err != nil {
		t.Fatal(err)
	}

	for _, s := range sections {
		_, rest, _ := strings.Cut(string(text), "\n## "+s.heading+"\n")
		body, _, _ := strings.Cut(rest, "\n## ")
		if has := strings.Contains(body, "\n**The usual way**"); has != (s.usual != "") {
			t.Errorf("%q: it has a line for the usual way: %v, it is measured: %v", s.heading, has, s.usual != "")
		}
	}
}
