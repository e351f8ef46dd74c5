package loader_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/loader"
)

// A load that takes long to count its cells logs that first, and stops when its context ends.
func TestCountingIsSaidAndStops(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("enough")
	var log bytes.Buffer
	handler := slog.NewTextHandler(writer(func(p []byte) (int, error) {
		cancel(why)
		return log.Write(p)
	}), nil)

	job := loader.Job{Table: loader.Table{Name: "g"}, Grid: geomgen.Grid{DX: 1e-6, DY: 1e-6, Rotate: 30}, Extent: &geomgen.Box{XMax: 500, YMax: 500}}
	_, err := loader.Run(ctx, nil, job, loader.Options{Log: slog.New(handler)})
	if !errors.Is(err, why) || !strings.Contains(log.String(), "counting cells") {
		t.Errorf("the error is %v, the log %q", err, log.String())
	}
}

type writer func(p []byte) (int, error)

func (w writer) Write(p []byte) (int, error) { return w(p) }
