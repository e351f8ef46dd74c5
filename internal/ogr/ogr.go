// Package ogr owns the use of GDAL's program ogr2ogr, which reads formats that loadgrid itself does
// not.
package ogr

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"time"

	"github.com/loadgrid/loadgrid/internal/feature"
)

// program is the name of the program on the PATH.
const program = "ogr2ogr"

// maxErrors is how many bytes are kept of the beginning of the program's errors, and of their end.
const maxErrors = 8 << 10

// killDelay is how long the program may take to end after an interrupt.
const killDelay = 5 * time.Second

// Output is the output of the program: a GeoJSON sequence in EPSG:4326.
type Output struct {
	ctx     context.Context
	stdout  io.ReadCloser
	command *exec.Cmd
	errors  messages
	cancel  context.CancelFunc
	ended   bool // everything was read
}

// Convert starts reading a file with the program. path is absolute. layer is the layer to read, ""
// for all. srid overrides the CRS that the file names, unless it is 0. If the program is not
// installed, the error is a *geomgen.ParamError. The end of ctx ends the program. The caller must
// close the output.
func Convert(ctx context.Context, path, layer string, srid int32) (*Output, error) {
	name, err := exec.LookPath(program)
	if err != nil {
		return nil, feature.BadArea("needs ogr2ogr for aoi-ogr, but ogr2ogr is not on the PATH: install GDAL (on Debian the package gdal-bin)")
	}

	// By default, coordinates have 7 decimals, which is about a centimetre.
	args := []string{"-f", "GeoJSONSeq", "-lco", "SIGNIFICANT_FIGURES=17", "-lco", "COORDINATE_PRECISION=15"}
	if srid != 0 {
		crs := fmt.Sprintf("EPSG:%d", srid)
		args = append(args, "-s_srs", crs, "-t_srs", "EPSG:4326")
	}

	args = append(args, "/vsistdout/", path)
	if layer != "" {
		args = append(args, layer)
	}

	inner, cancel := context.WithCancel(ctx)
	o := &Output{ctx: ctx, command: exec.CommandContext(inner, name, args...), cancel: cancel}
	o.command.Stderr, o.command.WaitDelay = &o.errors, killDelay

	if o.stdout, err = o.command.StdoutPipe(); err == nil {
		err = o.command.Start()
	}

	if err != nil {
		cancel()
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}

	return o, nil
}

func (o *Output) Read(b []byte) (int, error) {
	n, err := o.stdout.Read(b)
	o.ended = errors.Is(err, io.EOF)

	return n, err
}

// Close ends the program. If the program failed and all its output was read, the error is a
// *geomgen.ParamError with the program's message.
func (o *Output) Close() error {
	if !o.ended {
		o.cancel()
		_ = o.stdout.Close()
	}

	err := o.command.Wait()
	o.cancel()

	var exit *exec.ExitError
	switch {
	case o.ctx.Err() != nil:
		return context.Cause(o.ctx)
	case !o.ended || err == nil:
		return nil
	case errors.As(err, &exit):
		return feature.BadArea("cannot be read by ogr2ogr: %s (%s)", o.errors.text(), exit.ProcessState)
	}

	return fmt.Errorf("running %s: %w", program, err)
}

// messages keeps the beginning and the end of the text that is written to it.
type messages struct{ head, tail []byte }

func (m *messages) Write(b []byte) (int, error) {
	n := min(len(b), maxErrors-len(m.head))
	m.head = append(m.head, b[:n]...)
	m.tail = append(m.tail, b[n:]...)

	if n := len(m.tail) - maxErrors; n > 0 {
		m.tail = append(m.tail[:0], m.tail[n:]...)
	}

	return len(b), nil
}

// text returns the errors in one line for people, or everything if nothing is marked as an error.
func (m *messages) text() string {
	const most = 300

	all := strings.ToValidUTF8(string(m.head)+string(m.tail), "?")
	var errors []string
	wanted := 0 // number of lines still wanted
	for line := range strings.Lines(all) {
		switch {
		case strings.HasPrefix(line, "ERROR"):
			wanted = 1
		case strings.HasPrefix(line, "FAILURE"): // which has a line to itself
			wanted = 2
		}

		if wanted > 0 {
			errors = append(errors, line)
			wanted--
		}
	}

	text := strings.Join(strings.Fields(strings.Join(errors, "")), " ")
	if text == "" {
		text = strings.Join(strings.Fields(all), " ")
	}

	switch {
	case text == "":
		return "it printed no message"
	case len(text) > most:
		return strings.ToValidUTF8(text[:most], "") + "..."
	}

	return text
}
