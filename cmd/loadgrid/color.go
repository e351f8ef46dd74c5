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

// paint returns text in a colour if w is a terminal with colours and NO_COLOR is not set (see
// https://no-color.org).
func paint(w io.Writer, c color, text string) string {
	if !hasColors(w, os.Getenv) {
		return text
	}

	return "\x1b[" + string(c) + "m" + text + "\x1b[0m"
}

func hasColors(w io.Writer, getenv func(string) string) bool {
	return getenv("NO_COLOR") == "" && knowsCodes(getenv) && isTerminal(w)
}

// knowsCodes reports whether the terminal, if there is one, understands ANSI codes.
func knowsCodes(getenv func(string) string) bool { return getenv("TERM") != "dumb" }
