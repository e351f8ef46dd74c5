package main

import (
	"bytes"
	"os"
	"testing"
)

func TestColors(t *testing.T) {
	var b bytes.Buffer
	if got := paint(&b, red, "x"); got != "x" {
		t.Errorf("in a buffer: %q", got)
	}

	terminal, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = terminal.Close() })

	for _, tt := range []struct {
		noColor, term string
		want          string
	}{
		{"", "xterm", "\x1b[31mx\x1b[0m"},
		{"1", "xterm", "x"},
		{"", "dumb", "x"},
	} {
		t.Setenv("NO_COLOR", tt.noColor)
		t.Setenv("TERM", tt.term)
		if got := paint(terminal, red, "x"); got != tt.want {
			t.Errorf("%+v: got %q", tt, got)
		}
	}
}
