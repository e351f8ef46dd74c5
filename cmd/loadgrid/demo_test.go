package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/loadgrid/loadgrid/internal/localpg"
)

func TestKeptDemoShowsNoPasswordOfTheUser(t *testing.T) {
	var b bytes.Buffer
	printKept(&b, &localpg.Database{DSN: "postgresql://me:" + secret + "@db/gis"}, "loadgrid_demo_1")
	if got := b.String(); strings.Contains(got, secret) || !strings.Contains(got, "drop schema loadgrid_demo_1 cascade") {
		t.Errorf("printed %q", got)
	}

	b.Reset()
	throwaway := &localpg.Database{DSN: "postgresql://postgres@/gis?host=/tmp/x", StopCommand: "kill 1"}
	printKept(&b, throwaway, "loadgrid_demo_1")

	for _, want := range []string{throwaway.DSN, throwaway.StopCommand, "loadgrid_demo_1.grid"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q lacks %s", b.String(), want)
		}
	}
}
