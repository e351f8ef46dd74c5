package main

import (
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"

	"github.com/loadgrid/loadgrid/internal/doctor"
)

// levelWidth is the width of the level column, with the space around it.
const levelWidth = 2 + 7 + 2

func printJSONReport(w io.Writer, r doctor.Report) error { return printJSON(w, r) }

// printReport writes a report for people, within usageWidth columns. Statements are not wrapped,
// so that they can be copied.
func printReport(w io.Writer, r doctor.Report) error {
	var b strings.Builder
	fmt.Fprintln(&b, oneLine(describePlace(r.Server)))

	for i, f := range r.Findings {
		if i == 0 || f.Group != r.Findings[i-1].Group {
			fmt.Fprintf(&b, "\n%s\n", f.Group)
		}
		printFinding(&b, f, checkWidth(r.Findings, f.Group))
	}

	fmt.Fprintf(&b, "\n%d ok, %d advice, %s\n", r.Counts.OK, r.Counts.Advice, plural(r.Counts.Problems, "problem"))
	_, err := io.WriteString(w, b.String())

	return err
}

func describePlace(p doctor.Place) string {
	host := p.Host
	if !strings.HasPrefix(host, "/") {
		host = net.JoinHostPort(host, strconv.Itoa(int(p.Port)))
	}

	postgis := "no PostGIS"
	if p.PostGIS != "" {
		postgis = "PostGIS " + p.PostGIS
	}

	return fmt.Sprintf("PostgreSQL %s, %s, database %s on %s, as %s", p.PostgreSQL, postgis, p.Database, host, p.Role)
}

// checkWidth returns the width of the check names of a group.
func checkWidth(findings []doctor.Finding, group string) (width int) {
	for _, f := range findings {
		if f.Group == group {
			width = max(width, len(f.Check))
		}
	}
	return width
}

func printFinding(b *strings.Builder, f doctor.Finding, width int) {
	indent := strings.Repeat(" ", levelWidth)

	lines := append(wrap(oneLine(f.Found), usageWidth-levelWidth-width-2), "")
	fmt.Fprintf(b, "  %-7s  %-*s  %s\n", f.Level, width, f.Check, lines[0])
	for _, line := range lines[1 : len(lines)-1] {
		fmt.Fprintf(b, "%s%*s  %s\n", indent, width, "", line)
	}

	paragraph := func(text string) {
		for _, line := range wrap(oneLine(text), usageWidth-levelWidth) {
			fmt.Fprintf(b, "%s%s\n", indent, line)
		}
	}

	paragraph(f.Reason)
	if f.Cost != "" {
		paragraph(fmt.Sprintf("Measured: %s (%s)", f.Cost, f.MeasuredIn))
	}

	for _, statement := range f.SQL {
		fmt.Fprintf(b, "%s  %s;\n", indent, oneLine(statement))
	}
	if f.Takes != "" {
		paragraph("This takes effect " + string(f.Takes) + ".")
	}
	paragraph(f.Managed)
}

// wrap breaks a text between words into lines of at most width columns. A longer word gets its own line.
func wrap(text string, width int) (lines []string) {
	line := ""
	for _, word := range strings.Fields(text) {
		switch {
		case line == "":
			line = word
		case len([]rune(line))+1+len([]rune(word)) <= width:
			line += " " + word
		default:
			lines, line = append(lines, line), word
		}
	}

	if line != "" {
		lines = append(lines, line)
	}
	return lines
}
