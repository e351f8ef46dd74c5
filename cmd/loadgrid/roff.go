package main

import "strings"

// roff collects a manual page.
type roff struct{ strings.Builder }

// macro writes a line that calls a macro of man(7).
func (r *roff) macro(name string, args ...string) {
	r.WriteString("." + name)
	for _, arg := range args {
		r.WriteString(` "` + strings.ReplaceAll(escape(arg), `"`, `\(dq`) + `"`)
	}
	r.WriteString("\n")
}

// line writes escaped text as one line.
func (r *roff) line(text string) { r.WriteString(guard(text) + "\n") }

// item writes a list entry: its head, which is already escaped, and plain text.
func (r *roff) item(head, text string) {
	r.macro("TP")
	r.line(head)
	r.line(escape(text))
}

// text writes plain text. Indented lines are a table and keep their line breaks.
func (r *roff) text(text string) {
	for i, paragraph := range strings.Split(strings.TrimSpace(text), "\n\n") {
		if i > 0 {
			r.macro("PP")
		}

		table := false
		for line := range strings.SplitSeq(paragraph, "\n") {
			if indented := strings.HasPrefix(line, " "); indented != table {
				table = indented
				r.macro(map[bool]string{true: "EX", false: "EE"}[table])
			}
			r.line(escape(line))
		}
		if table {
			r.macro("EE")
		}
	}
}

// literal writes plain text with its line breaks.
func (r *roff) literal(text string) {
	r.macro("EX")
	for line := range strings.SplitSeq(strings.Trim(text, "\n"), "\n") {
		r.line(escape(line))
	}
	r.macro("EE")
}

// bold returns plain text in bold, without hyphenation.
func bold(text string) string {
	return `\fB\%` + strings.ReplaceAll(escape(text), " ", ` \%`) + `\fR`
}

// escape returns plain text so that troff prints it character by character. Otherwise troff would print
// a hyphen as a dash, which breaks a command that is pasted into a shell, and a quote as a typographic one.
func escape(text string) string {
	return strings.NewReplacer(`\`, `\(rs`, "-", `\-`, "'", `\(aq`, "`", `\(ga`, "^", `\(ha`, "~", `\(ti`).Replace(text)
}

// guard keeps troff from reading a line of text as a macro.
func guard(line string) string {
	if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
		return `\&` + line
	}
	return line
}
