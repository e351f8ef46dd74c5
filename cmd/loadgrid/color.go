package main

import (
	"io"
	"os"
)

// color is a colour of text on a terminal, as an SGR parameter.
type color string

const (
	red    color = "31"
	yellow color = "33"
)

// paint returns text in a colour where w is a terminal that shows some, and nobody has
// switched colours off: see https://no-color.org.
func paint(w io.Writer, c color, text string) string {
	if !hasColors(w, os.Getenv) {
		return text
	}

	return "\x1b[" + string(c) + "m" + text + "\x1b[0m"
}

func hasColors(w io.Writer, getenv func(string) string) bool {
	return getenv("NO_COLOR") == "" && knowsCodes(getenv) && isTerminal(w)
}

// knowsCodes reports whether a terminal, if there is one, does what ANSI codes say.
func knowsCodes(getenv func(string) string) bool { return getenv("TERM") != "dumb" }
